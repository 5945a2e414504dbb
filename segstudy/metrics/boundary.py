"""How well the borders of a segmentation, or of superpixels, follow those of the truth.

Distances are Euclidean, in pixels, between pixel centres; a border pixel counts as found if one of the
other map lies within `tolerance`. Common tolerances are 0.75 % of the image diagonal (Csurka et al. 2013)
for segmentations and 0.25 % (Stutz et al. 2018) for superpixels. The frame of the image is no border.

Void (`ignore_index`) often *is* the border: PASCAL VOC draws a band of about five pixels around each
object. So a true region ends where void begins, void pixels themselves never need finding, and a predicted
border inside void can be right but not wrong: it is counted if it lies within the tolerance of a true one
and left out otherwise.
"""

from __future__ import annotations

import numpy as np

from segstudy.metrics.confusion import check_pair, check_range, confusion, scored_pixels


def csurka_tolerance(size: tuple[int, int]) -> float:
    """Return 0.75 % of the diagonal of a picture of (H, W) pixels, in pixels (Csurka et al. 2013)."""
    return 0.0075 * float(np.hypot(*size))


def label_boundaries(labels: np.ndarray) -> np.ndarray:
    """Return a mask of the pixels with another label among their 4 neighbours: borders two pixels thick.

    Parameters
    ----------
    labels : (H, W) ndarray
        Any labels, or a mask.
    """
    found = np.zeros(labels.shape, dtype=bool)
    for near, far in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        differ = labels[near] != labels[far]
        found[near] |= differ
        found[far] |= differ
    return found


def boundary_f_score(
    truth: np.ndarray,
    prediction: np.ndarray,
    tolerance: float,
    num_classes: int,
    ignore_index: int | None = 255,
) -> np.ndarray:
    """Return each class's boundary F-score, 2 P R / (P + R) (Martin et al. 2004; Csurka et al. 2013).

    P is the share of the prediction's border pixels of the class within `tolerance` of a true one, R the
    share of true ones within `tolerance` of a predicted one. Border pixels of a class are those of its own
    pixels that have a 4-neighbour outside it.

    Parameters
    ----------
    truth, prediction : (H, W) int ndarray
        Label maps of one image. For two binary masks take entry 1 of the result with ``num_classes=2``.
    tolerance : float
        In pixels, >= 0.
    num_classes : int
        C.
    ignore_index : int or None
        Void in the truth; see the module.

    Returns
    -------
    (C,) float ndarray
        In [0, 1]; nan for a class with a border in neither map, 0 with a border in one only.

    Raises
    ------
    TypeError, ValueError
        As `confusion`; also for a negative tolerance.
    """
    check_pair(truth, prediction)
    scored = scored_pixels(truth, ignore_index)
    check_range("truth", truth[scored], num_classes)
    check_range("prediction", prediction[scored], num_classes)
    scores = []
    for c in range(num_classes):
        true_border, predicted_border = ((m == c) & label_boundaries(m == c) for m in (truth, prediction))
        true_border &= scored
        recall = _share_near(true_border, predicted_border, tolerance)
        precision = _share_near(predicted_border, true_border, tolerance, must_hit=scored)
        scores.append(_f_score(precision, recall))
    return np.array(scores, dtype=float)


def boundary_recall(
    truth: np.ndarray, superpixels: np.ndarray, tolerance: float, ignore_index: int | None = 255
) -> float:
    """Return the share of the truth's border pixels within `tolerance` of a superpixel border.

    It is nan without any true border. Borders are those between any two labels (`label_boundaries`). More
    superpixels find more by chance: compare at equal number only (Stutz et al. 2018).

    Parameters
    ----------
    truth, superpixels : (H, W) int ndarray
        Class ids, and region ids of any range.
    tolerance : float
        In pixels, >= 0.
    ignore_index : int or None
        Void in the truth; see the module.
    """
    check_pair(truth, superpixels)
    scored = scored_pixels(truth, ignore_index)
    return _share_near(label_boundaries(truth) & scored, label_boundaries(superpixels), tolerance)


def boundary_precision(
    truth: np.ndarray, superpixels: np.ndarray, tolerance: float, ignore_index: int | None = 255
) -> float:
    """Return the share of superpixel border pixels within `tolerance` of a true border.

    Parameters are those of `boundary_recall`; nan without any superpixel border.
    """
    check_pair(truth, superpixels)
    scored = scored_pixels(truth, ignore_index)
    return _share_near(
        label_boundaries(superpixels), label_boundaries(truth) & scored, tolerance, must_hit=scored
    )


def achievable_accuracy(truth: np.ndarray, superpixels: np.ndarray, ignore_index: int | None = 255) -> float:
    """Return the achievable segmentation accuracy of superpixels (Liu et al. 2011).

    ``sum_k max_c |S_k ∩ G_c| / N`` over superpixels S_k, true classes G_c and the N scored pixels. It is
    the pixel accuracy of giving every superpixel its commonest true class: the ceiling for any method that
    labels whole superpixels. Parameters as `boundary_recall`; nan without a scored pixel.
    """
    check_pair(truth, superpixels)
    scored = scored_pixels(truth, ignore_index)
    if not scored.any():
        return float("nan")
    classes, rows = np.unique(truth[scored], return_inverse=True)
    regions, columns = np.unique(superpixels[scored], return_inverse=True)
    counts = confusion(rows, columns, len(classes), ignore_index=None, num_clusters=len(regions))
    return float(counts.max(axis=0).sum() / counts.sum())


def _share_near(
    border: np.ndarray, other: np.ndarray, tolerance: float, must_hit: np.ndarray | None = None
) -> float:
    """Share of `border` within `tolerance` of `other`; misses outside `must_hit` are left out."""
    from scipy.ndimage import distance_transform_edt

    if not tolerance >= 0:
        raise ValueError(f"tolerance must be a distance in pixels, 0 or more, got {tolerance}")
    # The transform of an array without a single zero is undefined: nothing is near an empty border.
    near = distance_transform_edt(~other) <= tolerance if other.any() else np.zeros(other.shape, dtype=bool)
    hits = border & near
    counted = border if must_hit is None else hits | (border & must_hit)
    return float(hits.sum() / counted.sum()) if counted.any() else float("nan")


def _f_score(precision: float, recall: float) -> float:
    if np.isnan(precision) and np.isnan(recall):
        return float("nan")
    precision, recall = np.nan_to_num([precision, recall])
    total = precision + recall
    return float(2 * precision * recall / total) if total > 0 else 0.0
