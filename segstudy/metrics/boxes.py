"""Intersection over union of bounding boxes, by which Chopin et al. 2020 see stray pieces of a region."""

from __future__ import annotations

import numpy as np

from segstudy.metrics.confusion import check_pair, check_range, scored_pixels


def box_iou(
    truth: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int | None = 255
) -> np.ndarray:
    """Return, per class, the IoU of the tight bounding boxes of all its pixels in truth and prediction.

    The box spans *all* pixels of the class, so a piece of a few pixels far from the main region, which
    hardly moves the pixelwise IoU, stretches the box (Chopin et al. 2020, Section III-C). Boxes are
    measured in whole pixels: one pixel is a box of area 1.

    Parameters
    ----------
    truth, prediction : (H, W) int ndarray
        Label maps of one image.
    num_classes : int
        C.
    ignore_index : int or None
        Pixels with this true label take part in neither box.

    Returns
    -------
    (C,) float ndarray
        nan where the class is in neither map, 0 where it is in one only.

    Raises
    ------
    TypeError, ValueError
        As `confusion`.
    """
    check_pair(truth, prediction)
    scored = scored_pixels(truth, ignore_index)
    check_range("truth", truth[scored], num_classes)
    check_range("prediction", prediction[scored], num_classes)
    return np.array(
        [_iou_of_masks((truth == c) & scored, (prediction == c) & scored) for c in range(num_classes)],
        dtype=float,
    )


def _iou_of_masks(truth: np.ndarray, prediction: np.ndarray) -> float:
    if not truth.any() and not prediction.any():
        return float("nan")
    if not truth.any() or not prediction.any():
        return 0.0
    a, b = _box(truth), _box(prediction)
    # Half-open corners: the overlap's lower corner is the larger minimum, its upper corner the smaller
    # maximum.
    overlap = _area(np.maximum(a[0], b[0]), np.minimum(a[1], b[1]))
    return overlap / (_area(*a) + _area(*b) - overlap)


def _box(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (row, column) of the tight box, the upper one exclusive."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([rows[0], cols[0]]), np.array([rows[-1], cols[-1]]) + 1


def _area(low: np.ndarray, high: np.ndarray) -> float:
    return float(np.prod(np.maximum(high - low, 0)))
