"""What all claims share: the grades, the words for differences, and the table of verdicts."""

from __future__ import annotations

import math

import pytest

from segstudy.experiments import published
from segstudy.experiments.beside import cell, cells
from segstudy.experiments.verdicts import (
    FAILS,
    HOLDS,
    NOT_RUN,
    WEAKLY,
    Verdict,
    all_above,
    all_held,
    claims_table,
    count_words,
    grade,
    listed,
    points,
    worst,
)
from segstudy.metrics import PairedDifference

NAN = math.nan


def gain(mean: float, low: float, high: float) -> PairedDifference:
    return PairedDifference(mean, low, high, 10, 0.01, 0)


@pytest.mark.parametrize(
    ("mean", "low", "verdict"),
    [(0.2, 0.1, HOLDS), (0.2, 0.0, WEAKLY), (0.2, -0.1, WEAKLY), (0.0, -0.1, FAILS), (-0.1, -0.2, FAILS)]
    + [(0.2, NAN, WEAKLY), (-0.2, NAN, FAILS), (NAN, NAN, NOT_RUN)],
)
def test_a_gain_is_graded_by_its_interval(mean, low, verdict):
    assert grade(mean, low) == verdict


def test_the_worst_part_decides():
    assert worst([HOLDS, HOLDS]) == HOLDS and worst([HOLDS, WEAKLY]) == WEAKLY
    assert worst([WEAKLY, NOT_RUN]) == NOT_RUN and worst([NOT_RUN, FAILS, HOLDS]) == FAILS


def test_points_are_signed_and_what_is_unknown_is_left_out():
    assert points(0.0244, -0.012, 0.05) == "+2.4 [-1.2, +5.0] points"
    assert points(-0.0004) == "+0.0 points" and points(-0.0104) == "-1.0 points"
    assert points(0.01, NAN, NAN) == "+1.0 points" and points(NAN, NAN, NAN) == "unknown"


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([gain(0.2, 0.1, 0.3), gain(0.1, 0.05, 0.2)], HOLDS),
        ([gain(0.2, 0.1, 0.3), gain(0.1, -0.05, 0.2)], WEAKLY),
        ([gain(0.2, 0.1, 0.3), gain(NAN, NAN, NAN)], NOT_RUN),
        ([gain(-0.1, -0.2, 0.1), gain(NAN, NAN, NAN)], FAILS),
        ([], NOT_RUN),
    ],
)
def test_every_difference_has_to_be_above_zero(gains, verdict):
    assert all_above(iter(gains)) == verdict


def test_parts_that_hold_are_all_some_or_none():
    assert all_held([True, True]) == HOLDS and all_held([False, True]) == WEAKLY
    assert all_held(held for held in (False, False)) == FAILS and all_held([]) == NOT_RUN


def test_differences_are_listed_by_name_in_points():
    found = {"a": gain(0.02, 0.01, 0.03), 50: gain(-0.01, NAN, NAN)}
    assert listed(found) == "a: +2.0 [+1.0, +3.0] points; 50: -1.0 points" and listed({}) == ""


def test_verdicts_stand_in_the_claims_order_with_their_wording():
    known = published.claims("scgnet")
    table = claims_table("scgnet", [Verdict(claim, HOLDS, f"of {claim}") for claim in known["id"][::-1]])
    assert list(table.columns) == ["claim", "text", "verdict", "evidence"]
    assert list(table.claim) == list(known["id"]) and list(table.text) == list(known["claim"])
    assert list(table.evidence) == [f"of {claim}" for claim in known["id"]]


@pytest.mark.parametrize("change", ["one less", "another paper's"])
def test_a_table_of_verdicts_has_one_for_each_claim(change):
    verdicts = [Verdict(claim, HOLDS, "") for claim in published.claims("scgnet")["id"]]
    given = verdicts[1:] if change == "one less" else [*verdicts, Verdict("GM1", HOLDS, "")]
    with pytest.raises(ValueError, match=r"one for each claim of scgnet, wrong are \['(SC1|GM1)'\]"):
        claims_table("scgnet", given)


def test_words_are_counted_the_most_frequent_first():
    assert count_words([FAILS, HOLDS, HOLDS, NOT_RUN]) == "2 holds, 1 does not hold, 1 not run"


def test_a_cell_is_a_mean_with_its_spread_and_a_dash_where_nothing_is_known():
    assert cells([0.5124, 0.25, NAN], [0.031, NAN, NAN], 3) == ["0.512 ± 0.031", "0.250", "–"]
    assert cell(83.96, 1) == "84.0" and cell(NAN, 1) == "–"
