"""One feature vector for each patch of a picture: a transformer's keys, a network's maps, or colour and texture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import nn

from segstudy.datasets.resizing import require_size, resize_image
from segstudy.nn.describers import PATCH, find_describer
from segstudy.nn.weights import Weights
from segstudy.progress import track


class PatchFeatures(NamedTuple):
    """The features of N pictures' patches.

    Attributes
    ----------
    values : (N, n, d) float32 ndarray
        Patches row by row.
    grid : (int, int)
        Rows and columns of patches, n of them.
    name : str
        Which features they are, for reports.
    """

    values: np.ndarray
    grid: tuple[int, int]
    name: str


def patch_features(
    images: Sequence[np.ndarray],
    kind: str | nn.Module,
    *,
    grid: tuple[int, int] = (28, 28),
    stride: int = PATCH,
    stages: Sequence[int] | None = None,
    pixels: int | None = None,
    weights: Weights = None,
    device: str = "cpu",
    batch: int = 8,
    seed: int = 0,
    label: str = "",
) -> PatchFeatures:
    """Describe the patches of pictures.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
        Each is stretched to `pixels` a patch.
    kind : str, Backbone or timm vision transformer
        "colour-texture" needs no weights. "squeezenet": fires 3 and 9 of SqueezeNet 1.1, its stages 4 and 16. "mix":
        both. "dino": the keys of the last block of DINO's ViT-S/8. Any network by name, as for
        :func:`~segstudy.nn.backbones.backbone`, or a backbone: the maps of its stages, resampled to the grid, each of
        length 1 at each patch, side by side; of a vision transformer the keys.
    grid : (int, int)
        Rows and columns of patches at a stride of 8.
    stride : int
        Of a transformer's patches; 4 gives patches that overlap, 2 r - 1 rows instead of r.
    stages : sequence of int, optional
        Of a convolutional network by name, for example (16, 32); None: its last map.
    pixels : int, optional
        Of a patch's side, of a convolutional network by name or a backbone; by default 16, which makes a picture of
        448 x 448 for 28 x 28 patches, twice what such networks were trained on. All else takes 8.
    weights : str or Path, optional
        Of the network, as for :func:`~segstudy.nn.backbones.backbone`.
    device : str
    batch : int
        Pictures in a network at once.
    seed : int
        Of random weights.
    label : str
        What the progress display shows; empty: none is shown.

    Returns
    -------
    PatchFeatures

    Raises
    ------
    StudyError
        Weights that are asked for are not there.
    ValueError
        An argument is unknown or out of its range, or a feature is not finite.
    """
    rows, columns = require_size(grid)
    if not len(images):
        raise ValueError("images is empty: there is nothing to describe")
    options = {"stride": stride, "stages": stages, "pixels": pixels, "weights": weights, "seed": seed}
    describe, name, shape, side = find_describer(kind, (rows, columns), **options, device=device)
    chunks = [images[i : i + batch] for i in range(0, len(images), batch)]
    parts = []
    for chunk in track(chunks, label) if label else chunks:
        resized = np.stack([resize_image(image, (side * rows, side * columns)) for image in chunk])
        parts.append(describe(resized))
    values = np.concatenate(parts).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"the features of kind {kind!r} are not all finite: look at the weights")
    return PatchFeatures(values, shape, name)


def centre_features(values: np.ndarray) -> np.ndarray:
    """Subtract each picture's mean and scale each patch to length 1; what is left of a flat picture is zeros.

    Parameters
    ----------
    values : (N, n, d) float ndarray

    Returns
    -------
    (N, n, d) float ndarray
        Inner products are now cosines, of both signs about equally.
    """
    return unit_features(values - values.mean(axis=1, keepdims=True))


def unit_features(values: np.ndarray) -> np.ndarray:
    """Scale each patch of (N, n, d) to length 1; zeros, and what rounding left of them, become zeros."""
    lengths = np.linalg.norm(values, axis=2, keepdims=True)
    return np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 1e-6)


def reduce_features(values: np.ndarray, dims: int = 64) -> np.ndarray:
    """Turn each picture's features so that few dimensions keep its inner products X X^T best.

    That is its principal components, not centred again (Eckart and Young 1936).

    Parameters
    ----------
    values : (N, n, d) float32 ndarray
    dims : int
        Kept; of features that have no more, nothing is changed.

    Returns
    -------
    (N, n, min(d, dims)) float32 ndarray
    """
    if values.shape[2] <= dims:
        return values
    reduced = np.empty((*values.shape[:2], dims), dtype=values.dtype)
    for picture, result in zip(values, reduced, strict=True):
        _, vectors = np.linalg.eigh((picture.T @ picture).astype(np.float64))
        result[:] = picture @ vectors[:, : -dims - 1 : -1].astype(values.dtype)
    return reduced
