"""The paper's claims GM1 to GM21 as measured verdicts; what each predicts stands in data/published/claims.csv.

A claim about a gain "holds" where the 95 % interval over pictures excludes 0, "holds weakly" where the mean has the
right sign and the interval does not exclude 0, and "does not hold" otherwise; the other thresholds are those of
claims.csv. Here is what all verdicts share; :mod:`.table_claims` reads Table I, :mod:`.experiment_claims` the rest.
"""

from __future__ import annotations

from typing import NamedTuple

HOLDS, WEAKLY, FAILS = "holds", "holds weakly", "does not hold"
NOT_RUN = "not run"


class Verdict(NamedTuple):
    """What became of a claim: its number in claims.csv, one of the study's five words, and the numbers behind it."""

    claim: str
    verdict: str
    evidence: str


def grade(mean: float, low: float) -> str:
    """Grade the claim that something is greater than 0, from its mean and the lower end of its interval."""
    return HOLDS if low > 0 else WEAKLY if mean > 0 else FAILS


def worst(verdicts: list[str]) -> str:
    """Return the weakest of several verdicts: all parts of a claim have to hold."""
    return max(verdicts, key=(HOLDS, WEAKLY, FAILS).index)


def points(difference: float, low: float | None = None, high: float | None = None) -> str:
    """Write a difference of IoU in points, with its interval."""
    span = "" if low is None or high is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * difference:+.1f}{span} points"
