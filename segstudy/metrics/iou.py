r"""Intersection over union and Dice, each convention under its own name.

With n_ij pixels of class i predicted as j, the IoU (Jaccard index) of class i is

.. math:: I_i = n_{ii} / (\sum_j n_{ij} + \sum_j n_{ji} - n_{ii}).

Over a set of images that leaves open what is summed and what is averaged, and the answers differ by many
points. A table of the study names one of these:

======================  ======================================================================================
name                    computed as
======================  ======================================================================================
data-set IoU            ``iou_dataset(sum of the confusions)``: pixels summed over the set, then one ratio per
                        class (PASCAL VOC, Cityscapes). Large objects count more than small ones.
per-image IoU           ``iou_per_image(...)``: a ratio per image and class; nan where the image has the class
                        in neither truth nor prediction.
mean data-set IoU       ``mean_iou(iou_dataset(...))``: mean over the classes that occur.
"images_then_classes"   ``mean_iou(per_image, ...)``: each class averaged over the images that have it, then
                        the mean over classes; the mean of torchmetrics' ``MeanIoU(per_class=True)``.
"classes_then_images"   each image averaged over the classes it has, then the mean over images; the mean of
                        scikit-learn's macro ``jaccard_score`` of every image.
"cells"                 mean over all (image, class) pairs that are defined; torchmetrics' ``MeanIoU()``.
======================  ======================================================================================

torchmetrics' ``segmentation.MeanIoU`` (seen in release 1.9) averages per image under every setting: it
never gives the data-set IoU, however many images it is fed at once.

A class that occurs nowhere is nan and drops out of a mean. A class in the truth or the prediction alone is
0 and counts. To leave the background out, slice it off: ``mean_iou(iou[1:])``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

import numpy as np

from segstudy.metrics.confusion import check_matrix, confusion, relabel_confusion

CONVENTIONS = ("images_then_classes", "classes_then_images", "cells")


def iou_dataset(confusion: np.ndarray) -> np.ndarray:
    """Return each class's IoU over all pixels that the matrix counts.

    Parameters
    ----------
    confusion : (C, C) or (C, C+1) ndarray
        Rows truth, columns prediction, summed over the set.

    Returns
    -------
    (C,) float ndarray
        In [0, 1]; nan for a class in neither truth nor prediction.
    """
    check_matrix(confusion)
    return np.diagonal(pairwise_iou(confusion)).copy()


def pairwise_iou(confusion: np.ndarray) -> np.ndarray:
    """Return the IoU of every class with every label of the prediction.

    Parameters
    ----------
    confusion : (C, K) ndarray
        Rows true classes, columns labels (classes or clusters).

    Returns
    -------
    (C, K) float ndarray
        nan where both the class and the label are empty.
    """
    both = np.asarray(confusion, dtype=float)
    return _ratio(both, both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both)


def iou_per_image(
    truths: Iterable[np.ndarray],
    predictions: Iterable[np.ndarray],
    num_classes: int,
    ignore_index: int | None = 255,
    mapping: np.ndarray | None = None,
) -> np.ndarray:
    """Return each class's IoU in each image.

    Parameters
    ----------
    truths, predictions : iterables of (H, W) int ndarray
        Label maps, image by image in the same order; sizes may differ between images.
    num_classes : int
        C.
    ignore_index : int or None
        True label that is not scored.
    mapping : (K,) int ndarray, optional
        Where the predictions hold clusters: the class of each, -1 for none, one mapping for the whole set.

    Returns
    -------
    (N, C) float ndarray
        nan where the image has the class in neither truth nor prediction.

    Raises
    ------
    ValueError
        If there are no images, or not as many predictions as truths.
    """
    rows = []
    for truth, prediction in zip_longest(truths, predictions):
        if truth is None or prediction is None:
            raise ValueError(
                f"truths and predictions must be equally many, one ended after {len(rows)} images"
            )
        if mapping is None:
            counts = confusion(truth, prediction, num_classes, ignore_index)
        else:
            clusters = confusion(truth, prediction, num_classes, ignore_index, num_clusters=len(mapping))
            counts = relabel_confusion(clusters, mapping)
        rows.append(iou_dataset(counts))
    if not rows:
        raise ValueError("truths is empty: a score per image needs at least one image")
    return np.stack(rows)


def mean_iou(iou: np.ndarray, convention: str | None = None) -> float:
    """Average IoUs (or any score laid out like them) under a named convention; see the module's table.

    Parameters
    ----------
    iou : (C,) or (N, C) float ndarray
        One score per class, or per image and class. nan entries do not take part.
    convention : str, optional
        For (N, C) one of `CONVENTIONS`; for (C,) there is nothing to choose and it must stay None.

    Returns
    -------
    float
        nan if every entry is nan.

    Raises
    ------
    ValueError
        If the convention does not fit the array's dimensions.
    """
    iou = np.asarray(iou, dtype=float)
    if iou.ndim == 1 and convention is None:
        return float(_nanmean(iou, axis=0))
    if iou.ndim != 2 or convention not in CONVENTIONS:
        raise ValueError(
            f"convention must be None for a (C,) array or one of {CONVENTIONS} for (N, C), "
            f"got {convention!r} for shape {iou.shape}"
        )
    if convention == "cells":
        return float(_nanmean(iou.ravel(), axis=0))
    first = 0 if convention == "images_then_classes" else 1
    return float(_nanmean(_nanmean(iou, axis=first), axis=0))


def dice_dataset(confusion: np.ndarray) -> np.ndarray:
    """Return each class's Dice coefficient over all pixels; it is also the class's F1 score.

    ``2 n_ii / (sum_j n_ij + sum_j n_ji)``, which equals 2 I / (1 + I) of the class's IoU I.

    Parameters
    ----------
    confusion : (C, C) or (C, C+1) ndarray
        Rows truth, columns prediction, summed over the set.

    Returns
    -------
    (C,) float ndarray
        nan for a class in neither truth nor prediction.
    """
    return dice_from_iou(iou_dataset(confusion))


def dice_from_iou(iou: np.ndarray) -> np.ndarray:
    """Return the Dice coefficient 2 I / (1 + I) that belongs to an IoU of the same pixels.

    The relation is exact for one ratio of pixels, so per image or per data set. It is concave, so it does
    not hold between means over images: there mean IoU <= mean Dice <= 2 mean IoU / (1 + mean IoU).
    """
    iou = np.asarray(iou, dtype=float)
    return 2 * iou / (1 + iou)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with nan where the whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _nanmean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is not nan; nan, without numpy's warning, where nothing is left."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))
