"""A paper's claims as measured verdicts; what each predicts stands in data/published/claims.csv.

A claim that something is better "holds" where the 95 % interval over pictures excludes 0, "holds weakly" where the mean
has the right sign and the interval does not exclude 0, and "does not hold" otherwise. Other claims have thresholds:
those of claims.csv, and where its predicate names no number, ours, which the judge's docstring says. A claim whose
experiment had nothing to measure reads "not run". Here is what all verdicts share; each paper's room has its judges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from segstudy.experiments import published

if TYPE_CHECKING:
    import pandas as pd

HOLDS, WEAKLY, FAILS = "holds", "holds weakly", "does not hold"
NOT_RUN, NOT_TESTABLE = "not run", "not testable with this data"


class Gain(Protocol):
    """A mean difference and its 95 % interval; each may be nan."""

    mean: float
    low: float
    high: float


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


def all_above(gains: Iterable[Gain]) -> str:
    """Grade the claim that every one of some differences is above 0; of none it was not run."""
    return worst([grade(gain.mean, gain.low) for gain in gains] or [NOT_RUN])


def all_held(held: Iterable[bool]) -> str:
    """Grade a claim by its parts: it holds where all do, weakly where some do; of none it was not run."""
    held = list(held)
    return NOT_RUN if not held else HOLDS if all(held) else WEAKLY if any(held) else FAILS


def listed(gains: Mapping[object, Gain]) -> str:
    """Write differences of IoU one after the other, each with its name, in points."""
    return "; ".join(f"{name}: {points(gain.mean, gain.low, gain.high)}" for name, gain in gains.items())


def claims_table(paper: str, verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return verdicts with the wording of their claims, in the claims' order.

    Parameters
    ----------
    paper : str
        As in claims.csv.
    verdicts : iterable of Verdict
        In any order.

    Returns
    -------
    DataFrame
        Columns "claim", "text", "verdict", "evidence".

    Raises
    ------
    ValueError
        The verdicts are not one for each claim of the paper.
    """
    known = published.claims(paper)
    found = {verdict.claim: verdict for verdict in verdicts}
    wrong = set(known["id"]) ^ set(found)
    if wrong:
        raise ValueError(f"verdicts must be one for each claim of {paper}, wrong are {sorted(wrong)}")
    table = known[["id", "claim"]].set_axis(["claim", "text"], axis=1)
    words, evidence = ([getattr(found[claim], name) for claim in table.claim] for name in Verdict._fields[1:])
    return table.assign(verdict=words, evidence=evidence)


def count_words(verdicts: Sequence[str]) -> str:
    """Write how often each verdict was given, the most frequent first: "5 holds, 2 does not hold"."""
    from collections import Counter

    return ", ".join(f"{count} {word}" for word, count in Counter(verdicts).most_common())


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
