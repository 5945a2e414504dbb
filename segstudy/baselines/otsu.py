"""Otsu's threshold: the simplest segmentation that adapts to the image.

Otsu 1979, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from segstudy.baselines.common import Unsupervised, grey_levels


def otsu_threshold(grey: np.ndarray) -> int:
    r"""Find the grey level that splits an image into its two most different classes.

    .. math:: t^* = \arg\max_t \sigma_B^2(t), \qquad
              \sigma_B^2(t) = \frac{\left(\mu_T\,\omega(t) - \mu(t)\right)^2}{\omega(t)\,(1 - \omega(t))}

    (Otsu 1979, Eq. 18), the variance between the classes, with :math:`\omega(t) = \sum_{i \le t} p_i` the share of
    pixels up to level t, :math:`\mu(t) = \sum_{i \le t} i\,p_i`, and :math:`\mu_T` the mean of all.

    Parameters
    ----------
    grey : (...) uint8 ndarray
        Grey levels.

    Returns
    -------
    int
        0..255: `grey > threshold` is the bright class. Of several equally good levels (an empty stretch of the
        histogram) the lowest; for an image of one level that level, so that nothing is bright.

    Raises
    ------
    TypeError
        `grey` is not uint8.
    ValueError
        `grey` is empty.

    Examples
    --------
    >>> otsu_threshold(np.array([10, 10, 12, 200, 202], dtype=np.uint8))
    12
    """
    if grey.dtype != np.uint8:
        raise TypeError(f"grey must be uint8 levels, got {grey.dtype}: scale it to 0..255 and cast it")
    if grey.size == 0:
        raise ValueError("grey must hold at least one pixel, got none")
    # Counts instead of shares keep the sums exact, so that equally good levels are equal in the computer too.
    counts = np.bincount(grey.ravel(), minlength=256)
    omega, mu = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    split = (omega > 0) & (omega < grey.size)
    if not split.any():
        return int(grey.flat[0])
    omega, mu = omega.astype(np.float64), mu.astype(np.float64)
    between = np.full(256, -1.0)
    # Otsu 1979, Equation 18, times the number of pixels squared
    between[split] = ((mu[-1] * (omega / grey.size) - mu) ** 2)[split] / (omega * (grey.size - omega))[split]
    return int(between.argmax())


@dataclass(frozen=True)
class Otsu(Unsupervised):
    """Two clusters by Otsu's threshold on luminance: 0 dark, 1 bright. An image of one grey level is all 0."""

    k: ClassVar[int] = 2

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Threshold the luminance of a (H, W, C) uint8 image: (H, W) int64, 0 dark and 1 bright."""
        grey = grey_levels(image)
        return (grey > otsu_threshold(grey)).astype(np.int64)
