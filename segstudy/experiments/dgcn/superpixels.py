"""Superpixels in the place of pixels as the nodes of the graph cut: fewer nodes, and edges that follow the picture."""

from __future__ import annotations

import numpy as np
import torch

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_image
from segstudy.papers.dgcn.graph_cut import graph_cut_labels, knn_edges
from segstudy.papers.dgcn.views import WeakPicture

SHARE = 4  # places of the map in a superpixel


def cut_superpixels(picture: WeakPicture, features: torch.Tensor, probabilities: np.ndarray) -> np.ndarray:
    """Grow a picture's labels by the graph cut among superpixels.

    A superpixel has the mean of its places' features and beliefs, and the cue that most of its places with one have.

    Parameters
    ----------
    picture : WeakPicture
        With cues.
    features : (h w, d) Tensor
    probabilities : (h, w, C) float ndarray

    Returns
    -------
    (h, w) uint8 ndarray
    """
    from skimage.segmentation import slic

    size = picture.cues.shape
    small = resize_image(picture.image, size)
    pieces = slic(small, n_segments=max(2, small.shape[0] * small.shape[1] // SHARE), start_label=0)
    pieces = np.unique(pieces, return_inverse=True)[1].reshape(size)
    count = pieces.max() + 1
    cues = np.array([_commonest(picture.cues[pieces == piece]) for piece in range(count)], np.uint8)
    nodes = torch.from_numpy(_means(features.numpy(), pieces, count))
    beliefs = _means(probabilities.reshape(-1, probabilities.shape[2]), pieces, count)
    grown = graph_cut_labels(cues[:, None], beliefs[:, None], knn_edges(nodes), picture.classes)
    return grown[:, 0][pieces]


def _means(values: np.ndarray, pieces: np.ndarray, count: int) -> np.ndarray:
    """Return the (count, d) means of (h w, d) values."""
    sums = np.zeros((count, values.shape[1]), values.dtype)
    np.add.at(sums, pieces.ravel(), values)
    return sums / np.bincount(pieces.ravel(), minlength=count)[:, None].astype(values.dtype)


def _commonest(cues: np.ndarray) -> int:
    cues = cues[cues != VOID]
    return int(np.bincount(cues).argmax()) if cues.size else VOID
