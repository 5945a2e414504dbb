"""What a GNN has to beat: thresholds, 2-means, and the classical normalised cut of the very same graph."""

from __future__ import annotations

import numpy as np
import torch

from segstudy.baselines import KMeans, Otsu, normalised_cut
from segstudy.datasets.resizing import resize_image
from segstudy.experiments.gnn_clustering.pictures import open_pictures
from segstudy.experiments.parts import open_part
from segstudy.papers.gnn_clustering.foreground import CELL, Targets, corner_mask, iou, oracle_iou
from segstudy.papers.gnn_clustering.graphs import affinity
from segstudy.progress import track

EVERYTHING = "everything is object"


def baseline_set(dataset: str, images: int, features: str, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Score the null baselines on every picture of a data set.

    Parameters
    ----------
    dataset, images, features
        See :func:`~segstudy.experiments.gnn_clustering.pictures.open_pictures`.
    seed : int
        Of k-means.

    Returns
    -------
    dict of str to dict
        By baseline: "oracle" and "corner", the (N,) IoU under either rule of the foreground. Of pixels Otsu's threshold
        and 2-means on colour, of patches 2-means and the second eigenvector of the "ncut" graph, Shi & Malik's.
    """
    pictures = open_pictures(dataset, images, features)
    found: dict[str, list[np.ndarray]] = {}
    pairs = zip(open_part(dataset, images), pictures.features, strict=True)
    for sample, values in track(list(pairs), f"{dataset}, baselines"):
        image = resize_image(sample.image, tuple(CELL * side for side in pictures.targets.grid))
        row = {
            "Otsu, grey": _patches(Otsu().segment(image), pictures.targets.grid),
            "2-means, colour": _patches(KMeans(2, seed=seed).segment(image), pictures.targets.grid),
            "2-means, features": two_means(values, seed),
            "normalised cut, eigenvector": _eigenvector(values),
            EVERYTHING: np.zeros(len(values), dtype=np.int64),
        }
        for name, labels in row.items():
            found.setdefault(name, []).append(labels)
    return {name: score(np.stack(labels), pictures.targets) for name, labels in found.items()}


def two_means(values: np.ndarray, seed: int) -> np.ndarray:
    """Cluster a picture's (n, d) patches in two by k-means, the best of ten starts: (n,) labels."""
    import sklearn.cluster

    return sklearn.cluster.KMeans(2, n_init=10, random_state=seed).fit_predict(values)


def score(labels: np.ndarray, targets: Targets) -> dict[str, np.ndarray]:
    """Return the IoU of (N, n) labels of two clusters under either rule of the foreground."""
    corner = iou(corner_mask(labels, 2, targets.grid), targets)
    return {"oracle": oracle_iou(labels, 2, targets), "corner": corner}


def _patches(labels: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Give each patch the cluster of most of its pixels: all methods are scored on patches."""
    rows, columns = grid
    cells = labels.reshape(rows, CELL, columns, CELL)
    return (cells.mean(axis=(1, 3)) > 0.5).astype(np.int64).ravel()


def _eigenvector(values: np.ndarray) -> np.ndarray:
    weights = affinity(torch.from_numpy(values).double(), "ncut").numpy()
    np.fill_diagonal(weights, 0)
    weights = np.maximum(weights, 1e-9)  # a patch without a neighbour would have no degree
    return normalised_cut(weights, 2)[0]
