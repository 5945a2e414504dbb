"""What seeds do to a score: its spread, and the difference of two methods that were trained from the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segstudy.metrics.paired import half_width


class Difference(NamedTuple):
    """A mean difference over seeds, with the 95 % interval of Student's t (for as few as 3 or 5, n is told with it)."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        span = "" if np.isnan(self.low) else f" [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{self.mean:+.3f}{span} ({self.n} seed{'s' * (self.n != 1)})"


def spread(values: Sequence[float]) -> float:
    """Return the standard deviation over seeds, from n - 1; nan of one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def paired_over_seeds(a: Sequence[float], b: Sequence[float]) -> Difference:
    """Return the difference of two networks that were trained from the same seeds, a - b.

    Two trainings from one seed see the same examples in the same order, so that pairing them takes that chance away.

    Parameters
    ----------
    a, b : sequence of float
        Scores, seed by seed.

    Raises
    ------
    ValueError
        The two have not as many seeds.
    """
    if len(a) != len(b):
        raise ValueError(f"a and b must have the same seeds, got {len(a)} and {len(b)}")
    d = np.asarray(a, float) - np.asarray(b, float)
    if len(d) < 2:
        return Difference(float(d.mean()) if len(d) else np.nan, np.nan, np.nan, len(d))
    half = float(half_width(d.std(ddof=1), len(d)))
    return Difference(float(d.mean()), float(d.mean()) - half, float(d.mean()) + half, len(d))
