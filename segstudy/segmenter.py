"""The one interface that every segmentation method of the study has, so that any can stand in for any.

Graph matching, the dense CRF and the bilateral solver take class probabilities from whatever keeps to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np


@runtime_checkable
class Segmenter(Protocol):
    """A method that can be fitted to a data set and then segments images.

    `isinstance(x, Segmenter)` checks that the attributes and methods are there, not what they do.

    Attributes
    ----------
    supervision : {"full", "image", "none"}
        What `fit` reads of the data set: label maps, image-level labels, or images alone. A data set is
        opened with the same word, and one opened with less cannot hand out more.
    outputs : {"classes", "clusters"}
        Whether label k of a segmentation is class k of the data set, or only a cluster that
        `segstudy.metrics.assign_clusters` has yet to name.
    """

    supervision: Literal["full", "image", "none"]
    outputs: Literal["classes", "clusters"]

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Learn from a data set (a sequence of `segstudy.datasets.Sample`); return the segmenter."""
        ...

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return class probabilities, (H, W, C) float, rows sum to 1, of an (H, W, 3) uint8 image."""
        ...

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the label of each pixel, (H, W) int, for an (H, W, 3) uint8 image."""
        ...


def check_probabilities(probabilities: np.ndarray, tolerance: float = 1e-3) -> None:
    """Refuse what is not a map of class probabilities.

    Parameters
    ----------
    probabilities : (H, W, C) float ndarray
        One distribution over C classes per pixel.
    tolerance : float
        How far an entry may leave [0, 1] and a pixel's sum leave 1. The default admits a softmax in half
        precision.

    Raises
    ------
    TypeError
        If it is not an ndarray of floats.
    ValueError
        If it is not three-dimensional, holds nan or infinity, leaves [0, 1], or a pixel does not sum to 1.
    """
    if not isinstance(probabilities, np.ndarray):
        raise TypeError(
            f"probabilities must be a numpy array, got {type(probabilities).__name__}; "
            "call .cpu().numpy() on a tensor"
        )
    if not np.issubdtype(probabilities.dtype, np.floating):
        raise TypeError(
            f"probabilities must be floats, got {probabilities.dtype}; labels are not probabilities"
        )
    if probabilities.ndim != 3 or 0 in probabilities.shape:
        raise ValueError(f"probabilities must be (H, W, C), got shape {probabilities.shape}")
    _check_distributions(probabilities, tolerance)


def _check_distributions(probabilities: np.ndarray, tolerance: float) -> None:
    broken = ~np.isfinite(probabilities).all(axis=-1)
    if broken.any():
        raise ValueError(f"probabilities hold nan or infinity {_where(broken)}")
    outside = ((probabilities < -tolerance) | (probabilities > 1 + tolerance)).any(axis=-1)
    if outside.any():
        raise ValueError(
            f"probabilities leave [0, 1] {_where(outside)}; are these logits? take their softmax"
        )
    sums = probabilities.sum(axis=-1, dtype=float)
    off = np.abs(sums - 1) > tolerance
    if off.any():
        worst = sums[off][np.abs(sums[off] - 1).argmax()]
        raise ValueError(
            f"probabilities of a pixel must sum to 1, the worst sum is {worst:.6g} {_where(off)}"
        )


def _where(wrong: np.ndarray) -> str:
    row, column = np.argwhere(wrong)[0]
    return f"({wrong.sum()} of {wrong.size} pixels, first at row {row}, column {column})"
