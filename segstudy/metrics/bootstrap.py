"""Is method A better than method B on the same images, or were the images kind to it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Differences drawn at a time: they fit in the processor's cache; all at once would take gigabytes for a large test set.
BLOCK = 2**15
# A resample's standard deviation counts as at least this share of the sample's. Resamples of few pictures, or of
# differences that are mostly 0, can consist of one value: their studentised mean, and with it the interval, would be
# infinite. From 0.1 to 0.4 the coverage at 10 to 40 differences stays within 0.2 points; at 3 and 5 normal ones the
# share 0.3 covers 97 and 93 %, and exponential ones 93 and 92 %.
LEAST_SPREAD = 0.3


@dataclass(frozen=True)
class PairedDifference:
    """The mean difference a - b over images, with its bootstrap interval.

    Attributes
    ----------
    mean : float
        Mean of a - b, in the unit of the scores.
    low, high : float
        Ends of the bootstrap-t interval. An interval on one side of 0 is a difference the sample of images
        supports.
    n : int
        Images that took part.
    standard_error : float
        Standard deviation of the bootstrap means.
    dropped : int
        Images left out because either score was nan.
    """

    mean: float
    low: float
    high: float
    n: int
    standard_error: float
    dropped: int


def paired_bootstrap(
    a: np.ndarray, b: np.ndarray, rng: np.random.Generator, draws: int = 10_000, confidence: float = 0.95
) -> PairedDifference:
    r"""Return the mean difference of two methods on the same images, with a bootstrap-t interval.

    Images are drawn with replacement and both methods keep their scores on a drawn image, so the images' common
    difficulty cancels. Of the n differences, of mean m and standard deviation s, each draw gives

    .. math:: t^* = \frac{m^* - m}{s^* / \sqrt n}, \qquad
              \Big[ m - t^*_{1 - \beta} \frac{s}{\sqrt n},\; m - t^*_{\beta} \frac{s}{\sqrt n} \Big],

    with the quantiles of t* in the place of Student's (Efron & Tibshirani 1993, Section 12.5): unlike his they follow
    a skewed distribution. Coverage of 95 % intervals in percent, 1500 simulated samples, of normal and of exponential
    differences:

    ====================  ===========  ===========  ===========
    interval              n = 10       n = 20       n = 40
    ====================  ===========  ===========  ===========
    percentile bootstrap  90.9, 86.1   91.3, 89.5   93.8, 91.5
    BCa bootstrap         90.4, 87.2   91.1, 91.4   93.6, 92.4
    Student's t           95.1, 90.6   94.1, 91.4   94.7, 91.9
    bootstrap-t           94.8, 94.3   95.1, 94.4   94.5, 95.8
    ====================  ===========  ===========  ===========

    Differences of still more skew are covered less (log-normal ones of sigma 1, skewness 6: 89 % at n = 10), and those
    that are 0 in nine images of ten too (56 % at n = 10, 87 % at 40): few images tell little, so say n. The interval
    tells how far another sample of images would move the mean; of the spread over training runs it knows nothing.

    Parameters
    ----------
    a, b : (N,) float ndarray
        Scores of the two methods, image by image; images where either is nan are dropped and counted.
    rng : numpy.random.Generator
        Source of the draws.
    draws : int
        Bootstrap samples.
    confidence : float
        Probability mass of the interval, in (0, 1).

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        If the shapes differ or are not (N,), a score is infinite, fewer than 2 images are left, or
        `confidence` or `draws` is out of range.
    """
    difference, dropped = _differences(a, b)
    if draws < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"draws must be >= 1 and confidence in (0, 1), got draws={draws}, confidence={confidence}"
        )
    n, mean, spread = len(difference), float(difference.mean()), float(difference.std(ddof=1))
    shifts, squares = np.concatenate(list(_resamples(difference - mean, draws, rng)), axis=1)
    spreads = np.sqrt(np.maximum(squares - shifts**2, 0) * n / (n - 1))
    low, high = 0.0, 0.0  # where nothing differs from the mean
    if spread > 0:
        # t* of Efron & Tibshirani 1993, Section 12.5, times s / sqrt(n)
        studentised = shifts / np.maximum(spreads / spread, LEAST_SPREAD)
        low, high = np.quantile(studentised, [(1 - confidence) / 2, (1 + confidence) / 2])
    error = float(shifts.std(ddof=min(1, draws - 1)))
    return PairedDifference(mean, float(mean - high), float(mean - low), n, error, dropped)


def _resamples(values: np.ndarray, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Draw (N,) values with replacement; yield the mean and the mean square of some draws at a time, (2, k)."""
    n = len(values)
    step = max(1, BLOCK // n)
    for first in range(0, draws, step):
        drawn = values[rng.integers(n, size=(min(step, draws - first), n))]
        yield np.stack([drawn.mean(axis=1), np.einsum("ij,ij->i", drawn, drawn) / n])


def _differences(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a - b where both are known, and the number of images where they are not."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"a and b must hold one score per image, (N,) both, got {a.shape} and {b.shape}")
    known = ~(np.isnan(a) | np.isnan(b))
    difference = a[known] - b[known]
    if not np.isfinite(difference).all():
        raise ValueError("a and b must be finite or nan, got an infinite score")
    if len(difference) < 2:
        raise ValueError(
            f"a bootstrap needs at least 2 images with both scores, got {len(difference)} of {len(a)}"
        )
    return difference, int((~known).sum())
