"""How well borders between two objects are found, and those between an object and the background (DG27)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from segstudy.datasets.files import VOID
from segstudy.metrics.boundary import csurka_tolerance, label_boundaries
from segstudy.papers.dgcn.supervision import BACKGROUND

ZONE = 3  # tolerances from a true border: what is predicted farther away belongs to no border of the truth
KINDS = ("two objects", "object and background")


def count_borders(truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count what boundary precision and recall are made of, apart for the two kinds of borders.

    Void is given the nearest label first: VOC draws a band of it around every object.

    Parameters
    ----------
    truth, labels : (H, W) int ndarray

    Returns
    -------
    (2, 4) int64 ndarray
        By kind: pixels of true borders that have a predicted border within the tolerance, such pixels; pixels of
        predicted borders near the kind that have a true border within the tolerance, such pixels.
    """
    if (truth == VOID).all():
        return np.zeros((len(KINDS), 4), np.int64)
    nearest = distance_transform_edt(truth == VOID, return_distances=False, return_indices=True)
    truth = truth[tuple(nearest)]
    tolerance = csurka_tolerance(truth.shape)
    true, predicted = label_boundaries(truth), label_boundaries(labels)
    near_true, near_predicted = _distance(true) <= tolerance, _distance(predicted) <= tolerance
    between = true & ~_beside_background(truth)
    counts = []
    for kind in (between, true & ~between):
        zone = predicted & (_distance(kind) <= ZONE * tolerance)
        counts.append([(kind & near_predicted).sum(), kind.sum(), (zone & near_true).sum(), zone.sum()])
    return np.array(counts, np.int64)


def border_f_scores(counts: np.ndarray) -> np.ndarray:
    """Return the (2,) F-scores of (2, 4) counts, summed over pictures; nan for a kind that the truth has not."""
    found, true, right, predicted = counts.T
    with np.errstate(invalid="ignore"):
        recall, precision = found / true, right / np.maximum(predicted, 1)
        return np.where(recall + precision > 0, 2 * recall * precision / (recall + precision), recall)


def _distance(border: np.ndarray) -> np.ndarray:
    """Return the distance of each pixel to a border; infinite where there is none."""
    return distance_transform_edt(~border) if border.any() else np.full(border.shape, np.inf)


def _beside_background(truth: np.ndarray) -> np.ndarray:
    """Return the background's pixels and those with one of them among the 4 neighbours."""
    background = truth == BACKGROUND
    return label_boundaries(background) | background
