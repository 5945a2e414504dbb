"""Two methods on the same pictures, where a score may be unknown (nan) and pictures may be few."""

from __future__ import annotations

import numpy as np

from segstudy.metrics.bootstrap import PairedDifference, paired_bootstrap


def known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of what is not nan along an axis; nan where nothing is known."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def paired_difference(a: np.ndarray, b: np.ndarray, seed: int = 0) -> PairedDifference:
    """Return the mean of a - b with its 95 % interval by bootstrap over pictures.

    Parameters
    ----------
    a, b : (N,) float ndarray
        Scores of two methods by picture; pictures where either is nan are dropped.
    seed : int
        Of the bootstrap.

    Returns
    -------
    PairedDifference
        Of one picture the interval is nan, of none the mean too: a run with few pictures has a result all the same.
    """
    difference = a - b
    known = difference[~np.isnan(difference)]
    if len(known) > 1:
        return paired_bootstrap(a, b, np.random.default_rng(seed))
    mean = float(known[0]) if len(known) else np.nan
    return PairedDifference(mean, np.nan, np.nan, len(known), np.nan, len(difference) - len(known))


def half_width(deviation: np.ndarray | float, n: np.ndarray | int) -> np.ndarray:
    """Return half the 95 % interval of a mean by Student's t, the normal's 1.96 being too little for few values.

    Parameters
    ----------
    deviation : (...) float ndarray or float
        Standard deviation of the values, with n - 1 in its denominator.
    n : (...) int ndarray or int
        How many values.

    Returns
    -------
    (...) float ndarray
        nan where fewer than two values are.
    """
    from scipy.stats import t

    return t.ppf(0.975, np.subtract(n, 1)) * deviation / np.sqrt(n)


def signed_rank(differences: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test; 1 where nothing differs, nan where nothing is known.

    Differences of 0 take no part, nor do those that are nan.
    """
    from scipy.stats import wilcoxon

    differences = differences[~np.isnan(differences)]
    if not len(differences):
        return np.nan
    return float(wilcoxon(differences).pvalue) if differences.any() else 1.0
