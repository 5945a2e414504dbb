"""Giving clusters the names of classes, so that an unsupervised segmentation can be scored.

Clusters have no names: cluster 3 may be "sky". Two protocols give them one, and they are not comparable:

- `assign_clusters`, one mapping for a **whole set** of images (SGSeg and its predecessors). A cluster must
  mean the same thing in every image.
- `match_clusters_per_image`, an **oracle**: each image gets the mapping that suits its own truth best (the
  usual protocol of methods that cluster every image on its own, as DeepCut). It reads the truth of the
  image it scores.
"""

from __future__ import annotations

import numpy as np

from segstudy.metrics.confusion import check_pair, confusion
from segstudy.metrics.iou import pairwise_iou

OBJECTIVES = ("pixels", "iou")


def assign_clusters(confusion: np.ndarray, objective: str = "pixels") -> np.ndarray:
    """Match clusters to classes one to one over a whole set, by the Hungarian method.

    Parameters
    ----------
    confusion : (C, K) int ndarray
        Rows true classes, columns clusters, summed over the set: ``confusion(..., num_clusters=K)``.
    objective : {"pixels", "iou"}
        What the matching maximises: the number of correctly labelled pixels, sum_k n_{m(k), k} (Kuhn 1955;
        the protocol of the unsupervised papers), or the sum over matched pairs of their IoU, which does not
        let large classes decide.

    Returns
    -------
    (K,) int64 ndarray
        The class of each cluster. With more clusters than classes K-C clusters are -1, no class; with
        fewer, C-K classes go without a cluster.

    Raises
    ------
    ValueError
        If the objective is unknown or the matrix is not two-dimensional.
    """
    counts = np.asarray(confusion)
    if counts.ndim != 2:
        raise ValueError(f"confusion must be (C classes, K clusters), got shape {counts.shape}")
    if objective == "pixels":
        return _best_matching(counts)
    if objective == "iou":
        return _best_matching(np.nan_to_num(pairwise_iou(counts)))
    raise ValueError(f"objective must be one of {OBJECTIVES}, got {objective!r}")


def match_clusters_per_image(
    truth: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int | None = 255
) -> tuple[np.ndarray, np.ndarray]:
    """Match one image's clusters to the classes in its own truth: an ORACLE, it reads what it is scored on.

    The matching maximises the mean IoU over the classes present in the truth. Classes absent from the truth
    get no cluster and no score. Never compare the result with a method that had to name its classes, or
    that was matched over a whole set, without saying so.

    Parameters
    ----------
    truth : (H, W) int ndarray
        Class ids, or `ignore_index`.
    prediction : (H, W) int ndarray
        Cluster numbers 0 .. K-1.
    num_classes : int
        C.
    ignore_index : int or None
        True label that is not scored.

    Returns
    -------
    mapping : (K,) int64 ndarray, K = prediction.max() + 1
        Class of each cluster, -1 for none.
    iou : (C,) float ndarray
        IoU of each class with its cluster: 0 for a class left without one, nan for a class absent from the
        truth. ``mean_iou(iou)`` is the image's score.

    Raises
    ------
    TypeError, ValueError
        As `confusion`.
    """
    check_pair(truth, prediction)
    clusters = int(prediction.max(initial=0)) + 1
    counts = confusion(truth, prediction, num_classes, ignore_index, num_clusters=clusters)
    present = np.flatnonzero(counts.sum(axis=1))
    overlap = np.nan_to_num(pairwise_iou(counts[present]))
    matched = _best_matching(overlap)
    mapping = np.full(clusters, -1, dtype=np.int64)
    iou = np.where(counts.any(axis=1), 0.0, np.nan)
    for cluster in np.flatnonzero(matched >= 0):
        mapping[cluster] = present[matched[cluster]]
        iou[mapping[cluster]] = overlap[matched[cluster], cluster]
    return mapping, iou


def _best_matching(gain: np.ndarray) -> np.ndarray:
    """Row matched to each column of a gain matrix, -1 for none, with the largest possible sum of gains."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(gain, maximize=True)
    mapping = np.full(gain.shape[1], -1, dtype=np.int64)
    mapping[columns] = rows
    return mapping
