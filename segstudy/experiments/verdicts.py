"""A paper's claims as measured verdicts; what each predicts stands in data/published/claims.csv.

A claim that something is better "holds" where the 95 % interval over pictures excludes 0, "holds weakly" where the mean
has the right sign and the interval does not exclude 0, and "does not hold" otherwise. Other claims have thresholds:
those of claims.csv, and where its predicate names no number, ours, which the judge's docstring says. A claim whose
experiment had nothing to measure reads "not run". Here is what all verdicts share; each paper's room has its judges.
"""

from __future__ import annotations

import math
from typing import NamedTuple

HOLDS, WEAKLY, FAILS = "holds", "holds weakly", "does not hold"
NOT_RUN = "not run"


class Verdict(NamedTuple):
    """What became of a claim: its number in claims.csv, one of the study's five words, and the numbers behind it."""

    claim: str
    verdict: str
    evidence: str


def grade(mean: float, low: float) -> str:
    """Grade the claim that something is above 0, from its mean and the lower end of its interval; either may be nan."""
    if math.isnan(mean):
        return NOT_RUN
    return HOLDS if low > 0 else WEAKLY if mean > 0 else FAILS


def worst(verdicts: list[str]) -> str:
    """Return the weakest of several verdicts: all parts of a claim have to hold, and one that fails is enough."""
    return max(verdicts, key=(HOLDS, WEAKLY, NOT_RUN, FAILS).index)


def points(difference: float, low: float | None = None, high: float | None = None) -> str:
    """Write a difference of IoU in points, with its interval; what is nan is left out."""
    if math.isnan(difference):
        return "unknown"
    known = low is not None and high is not None and not math.isnan(low + high)
    span = f" [{_signed(low)}, {_signed(high)}]" if known else ""
    return f"{_signed(difference)}{span} points"


def _signed(value: float) -> str:
    # + 0: a small loss rounds to "+0.0", not "-0.0"
    return f"{round(100 * value, 1) + 0:+.1f}"
