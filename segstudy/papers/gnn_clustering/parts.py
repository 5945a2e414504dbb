"""DeepCut beyond foreground and background: the object's parts, and an object when nobody says how many clusters."""

from __future__ import annotations

import numpy as np

from segstudy.papers.gnn_clustering.clustering import cluster_images
from segstudy.papers.gnn_clustering.foreground import corner_mask
from segstudy.papers.gnn_clustering.settings import Settings
from segstudy.postprocess import largest_component


def segment_parts(features: np.ndarray, mask: np.ndarray, settings: Settings, seed: int = 0) -> np.ndarray:
    """Cluster the patches of an object alone: DeepCut's second stage.

    Parameters
    ----------
    features : (n, d) float ndarray
        Of the picture's patches.
    mask : (n,) bool ndarray
        The object's, from the first stage.
    settings : Settings
        Of the second stage; DeepCut takes 4 clusters and 100 iterations.
    seed : int

    Returns
    -------
    (n,) int64 ndarray
        0 background, 1..K the parts.

    Raises
    ------
    ValueError
        The object has fewer patches than parts, or they are all alike.
    """
    if mask.sum() < settings.clusters:
        raise ValueError(
            f"mask must hold at least {settings.clusters} patches for as many parts, got {mask.sum()}"
        )
    found = cluster_images(features[mask][None], settings, seed=seed)
    labels = np.zeros(len(features), dtype=np.int64)
    labels[mask] = 1 + found.assignments[0, 0].argmax(axis=1)
    return labels


def object_without_k(labels: np.ndarray, clusters: int, grid: tuple[int, int]) -> np.ndarray:
    """Return the object of a correlation clustering, which chooses its own number of clusters: DeepCut's rule.

    The largest 4-connected component of what is not the corners' cluster.

    Parameters
    ----------
    labels : (n,) int ndarray
    clusters : int
        Allowed; many stay empty.
    grid : (int, int)

    Returns
    -------
    (n,) bool ndarray
    """
    return largest_component(corner_mask(labels, clusters, grid).reshape(grid)).ravel()
