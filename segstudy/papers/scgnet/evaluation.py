"""Scores as Tables IV, V and VI print them: F1 of each class, overall accuracy, mean F1 without clutter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from segstudy.datasets.sample import Sample
from segstudy.metrics.confusion import confusion
from segstudy.metrics.iou import dice_dataset
from segstudy.papers.scgnet.prediction import predict_labels

CLUTTER = "clutter"


def score_set(model: nn.Module, samples: Sequence[Sample], num_classes: int, **options: Any) -> np.ndarray:
    """Return the confusion matrix over all scored pixels of a data set.

    Parameters
    ----------
    model : Module
    samples : sequence of Sample
        With labels; `VOID` is not scored.
    num_classes : int
        C.
    **options
        As for :func:`~segstudy.papers.scgnet.prediction.predict_strips`.

    Returns
    -------
    (C, C) int64 ndarray
        Rows truth, columns prediction.
    """
    found = np.zeros((num_classes, num_classes), np.int64)
    for sample in samples:
        found += confusion(sample.labels, predict_labels(model, sample, **options), num_classes)
    return found


def f1_of_classes(matrix: np.ndarray) -> np.ndarray:
    """Return the F1 score of each class of a confusion matrix, (C,) in [0, 1].

    It is nan for a class that is annotated nowhere: what a network makes of it cannot be judged.
    """
    return np.where(np.asarray(matrix).sum(axis=1) > 0, dice_dataset(matrix), np.nan)


def mean_f1(matrix: np.ndarray, classes: Sequence[str]) -> float:
    """Return the mean F1 of a confusion matrix over its annotated classes but clutter.

    The mF1 of Tables IV and V is the mean of their five columns, clutter is not among them.

    Parameters
    ----------
    matrix : (C, C) ndarray
    classes : sequence of str
        C names.
    """
    kept = [index for index, name in enumerate(classes) if name != CLUTTER]
    return float(np.nanmean(f1_of_classes(matrix)[kept]))
