"""The confusion matrix of two label maps, from which every pixel score of the study is computed.

One convention holds throughout: rows are the truth, columns the prediction, entries count pixels. The
matrices of several images add up to the matrix of the set. A matrix may carry one column more than it has
rows: it counts pixels predicted as no class at all (pixels of a cluster that `assign_clusters` left without
a class). Such pixels are missed by their true class and charged to no other.
"""

from __future__ import annotations

import numpy as np


def confusion(
    truth: np.ndarray,
    prediction: np.ndarray,
    num_classes: int,
    ignore_index: int | None = 255,
    num_clusters: int | None = None,
) -> np.ndarray:
    """Count how many pixels of each true class were given each predicted label.

    Parameters
    ----------
    truth : (H, W) int ndarray
        Class ids in 0 .. num_classes-1, or `ignore_index`.
    prediction : (H, W) int ndarray
        Labels in 0 .. num_classes-1 (0 .. num_clusters-1 if given). Where the truth is ignored it may hold
        anything.
    num_classes : int
        C, the number of classes.
    ignore_index : int or None
        Pixels with this *true* label are not scored; None scores all. 255 marks void in PASCAL VOC and in
        this study.
    num_clusters : int, optional
        K, where the prediction holds cluster numbers and not classes; the matrix is then (C, K).

    Returns
    -------
    (C, C) or (C, K) int64 ndarray
        Entry [i, j] is the number of scored pixels of class i labelled j.

    Raises
    ------
    TypeError
        If either map is not an ndarray of integers.
    ValueError
        If the shapes differ, or a scored pixel holds a label out of range.
    """
    check_pair(truth, prediction)
    columns = num_classes if num_clusters is None else num_clusters
    scored = scored_pixels(truth, ignore_index)
    rows = truth[scored].astype(np.int64)
    cols = prediction[scored].astype(np.int64)
    check_range("truth", rows, num_classes)
    check_range("prediction", cols, columns)
    return np.bincount(rows * columns + cols, minlength=num_classes * columns).reshape(num_classes, columns)


def pixel_accuracy(confusion: np.ndarray) -> float:
    """Return the share of scored pixels whose label is right, ``sum_i n_ii / sum_ij n_ij``.

    It is nan without a scored pixel. The papers' "overall accuracy" (SCG-Net) and "pixel accuracy" (SGSeg)
    are this number in percent.

    Parameters
    ----------
    confusion : (C, C) or (C, C+1) ndarray
        Rows truth, columns prediction; see the module for the last column.
    """
    check_matrix(confusion)
    total = confusion.sum()
    return float(np.trace(confusion) / total) if total else float("nan")


def relabel_confusion(confusion: np.ndarray, mapping: np.ndarray) -> np.ndarray:
    """Turn a matrix of clusters into a matrix of classes.

    Parameters
    ----------
    confusion : (C, K) ndarray
        Rows true classes, columns clusters.
    mapping : (K,) int ndarray
        The class of each cluster, -1 for none, as `assign_clusters` returns it; several clusters may share
        a class.

    Returns
    -------
    (C, C+1) ndarray
        Columns are classes; the last one holds the pixels of clusters without a class.

    Raises
    ------
    ValueError
        If the mapping has another length than the matrix has columns, or names a class that does not exist.
    """
    classes, clusters = confusion.shape
    mapping = np.asarray(mapping)
    if mapping.shape != (clusters,):
        raise ValueError(
            f"mapping must hold one class for each of the {clusters} clusters, got shape {mapping.shape}"
        )
    check_range("mapping", mapping[mapping != -1], classes)
    merged = np.zeros((classes, classes + 1), dtype=confusion.dtype)
    np.add.at(merged.T, np.where(mapping == -1, classes, mapping), confusion.T)
    return merged


def check_matrix(confusion: np.ndarray) -> None:
    """Refuse what is not a (C, C) or (C, C+1) matrix of counts."""
    shape = np.shape(confusion)
    if len(shape) != 2 or shape[1] not in (shape[0], shape[0] + 1):
        raise ValueError(
            f"confusion must be (C, C), or (C, C+1) with a last column for no class, got shape {shape}; "
            "a (C, K) matrix of clusters goes through assign_clusters and relabel_confusion first"
        )
    if np.min(confusion, initial=0) < 0:
        raise ValueError(f"confusion counts pixels, but its smallest entry is {np.min(confusion)}")


def check_pair(truth: np.ndarray, prediction: np.ndarray) -> None:
    """Refuse label maps that are not integer arrays of one shape."""
    check_labels("truth", truth)
    check_labels("prediction", prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"truth {truth.shape} and prediction {prediction.shape} must have the same shape")


def check_labels(name: str, labels: np.ndarray) -> None:
    """Refuse what is not an ndarray of integers."""
    if not isinstance(labels, np.ndarray):
        kind = f"{type(labels).__module__}.{type(labels).__qualname__}"
        advice = "call .cpu().numpy() on a tensor" if kind.startswith("torch") else "use np.asarray"
        raise TypeError(f"{name} must be a numpy array, got {kind}; {advice}")
    if not np.issubdtype(labels.dtype, np.integer):
        advice = "take .argmax(-1) of probabilities, or .astype(np.uint8) of a mask"
        raise TypeError(f"{name} must hold integers, got {labels.dtype}; {advice}")


def check_range(name: str, labels: np.ndarray, limit: int) -> None:
    """Refuse labels outside 0 .. limit-1; the message says which value is the most common offender."""
    wrong = labels[(labels < 0) | (labels >= limit)]
    if wrong.size:
        values, counts = np.unique(wrong, return_counts=True)
        worst = counts.argmax()
        others = f" (and {len(values) - 1} other values)" if len(values) > 1 else ""
        raise ValueError(
            f"{name} holds the label {values[worst]} {counts[worst]} times{others}, "
            f"but labels run from 0 to {limit - 1}; unscored pixels carry ignore_index in the truth"
        )


def scored_pixels(truth: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Return a mask of the pixels whose truth counts."""
    return np.ones(truth.shape, dtype=bool) if ignore_index is None else truth != ignore_index
