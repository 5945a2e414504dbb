"""How far methods agree that share no names of classes, and the tables of notebook 09."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from segstudy.datasets import VOID
from segstudy.experiments.images.methods import METHODS

Maps = Sequence[np.ndarray]


def rand_index(first: np.ndarray, second: np.ndarray) -> float:
    """Return the adjusted Rand index of two label maps over the pixels that neither calls void.

    Of all pairs of pixels, the share on which both say "together" or both say "apart", less what chance gives, scaled
    so that 1 is the same partition and 0 is chance (Hubert & Arabie 1985). The labels' names do not matter.
    """
    known = (first != VOID) & (second != VOID)
    return float(adjusted_rand_score(first[known], second[known]))


def agreements(first: Maps, second: Maps) -> np.ndarray:
    """Return the adjusted Rand index of each picture's two maps."""
    return np.array([rand_index(one, other) for one, other in zip(first, second, strict=True)])


def agreement_matrix(runs: Mapping[str, Sequence[Maps]]) -> np.ndarray:
    """Return each pair of methods' agreement, (m, m, n) over pictures; the diagonal compares two seeds.

    Parameters
    ----------
    runs : mapping of str to sequence of maps
        By method, for each seed the label map of each picture. The first seeds are compared; with one seed the diagonal
        is NaN.
    """
    methods = list(runs)
    pictures = len(runs[methods[0]][0])
    values = np.full((len(methods), len(methods), pictures), np.nan)
    for row, name in enumerate(methods):
        if len(runs[name]) > 1:
            values[row, row] = agreements(runs[name][0], runs[name][1])
        for column in range(row):
            values[row, column] = values[column, row] = agreements(runs[name][0], runs[methods[column]][0])
    return values


def method_table(
    runs: Mapping[str, Sequence[Maps]],
    seconds: Mapping[str, np.ndarray],
    matrix: np.ndarray,
    truth: Maps | None,
) -> pd.DataFrame:
    """Return a row for each method: parts, agreement with the others and with the masks, time.

    Parameters
    ----------
    runs : mapping
        As for :func:`agreement_matrix`.
    seconds : mapping of str to (n,) ndarray
        Of each picture.
    matrix : (m, m, n) ndarray
        From :func:`agreement_matrix`.
    truth : sequence of (H, W) int ndarray, optional
        Masks of the pictures, where there are any.
    """
    rows = []
    for index, name in enumerate(runs):
        parts = [len(np.unique(labels)) for labels in runs[name][0]]
        row = {"method": METHODS[name].title, "parts, mean": np.mean(parts)}
        row["pictures left whole"] = sum(count == 1 for count in parts)
        others = np.delete(matrix[index], index, axis=0).mean(axis=0)
        row |= _spread("agreement with the others", others)
        if truth is not None:
            row |= _spread("agreement with the masks", agreements(truth, runs[name][0]))
        low, middle, high = np.percentile(seconds[name], (25, 50, 75))
        rows.append(row | {"seconds, median": middle, "quartile 1": low, "quartile 3": high})
    return pd.DataFrame(rows)


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    return {name: values.mean(), f"± {name.split()[-1]}": values.std(ddof=1)}


def most_disputed(matrix: np.ndarray) -> np.ndarray:
    """Return the pictures' numbers, those first on which methods agree least; and nothing of the diagonal counts."""
    apart = ~np.eye(len(matrix), dtype=bool)
    return np.argsort(matrix[apart].mean(axis=0), kind="stable")
