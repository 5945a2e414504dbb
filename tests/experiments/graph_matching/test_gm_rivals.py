"""Two candidates of a class: who chooses the right one, on scenes whose answer is obvious."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.graph_matching.rivals import chart_rivals, planted_rivals, rival_table, rivalries
from segstudy.papers.graph_matching import GraphMatcher

# Class 1 is a square left of class 2, in the upper half of the picture.
TRUTH = np.zeros((40, 40), dtype=np.uint8)
TRUTH[6:10, 6:10], TRUTH[6:10, 14:18] = 1, 2


def soft(labels):
    return 0.85 * np.eye(3)[labels] + 0.05


@pytest.fixture
def matcher():
    return GraphMatcher().fit([TRUTH], 3)


def drawn(*boxes):
    labels = TRUTH.copy()
    for c, rows, columns in boxes:
        labels[rows, columns] = c
    return labels


LARGER = (1, slice(30, 36), slice(30, 36))
SMALLER = (1, slice(30, 32), slice(30, 32))


def test_matching_takes_the_true_region_whatever_the_size_of_the_false(matcher):
    maps = [soft(drawn(LARGER)), soft(drawn(SMALLER)), soft(TRUTH)]
    found = rivalries(matcher, maps, [TRUTH] * 3)
    ones = found[found["class"] == 1]
    assert ones.image.tolist() == [0, 1, 2] and ones.candidates.tolist() == [2, 2, 1]
    assert ones.largest_right.tolist() == [False, True, True]
    assert ones.matched_right.tolist() == [True, True, True] and ones.findable.all()
    assert len(found) == 9 and found[found["class"] != 1].largest_right.all()


def test_a_class_whose_candidates_all_miss_is_not_found_by_anyone(matcher):
    labels = drawn(LARGER, SMALLER)
    labels[TRUTH == 1] = 0
    found = rivalries(matcher, [soft(labels)], [TRUTH])
    row = found[found["class"] == 1].iloc[0]
    assert not (row.findable or row.largest_right or row.matched_right)
    lacking = drawn()
    lacking[TRUTH == 1] = 0
    assert rivalries(matcher, [soft(lacking)], [TRUTH])["class"].tolist() == [0, 2]


def test_a_background_that_is_no_vertex_and_void_have_no_row():
    truth = TRUTH.copy()
    truth[0] = 255
    found = rivalries(GraphMatcher(background=0).fit([TRUTH], 3), [soft(drawn(LARGER))], [truth])
    assert found["class"].tolist() == [1, 2] and found.largest_right.tolist() == [False, True]
    assert found.matched_right.all()


def test_planted_rivals_beat_size_above_one_and_matching_never(matcher):
    options = {"classes": [1, 2], "factors": (0.5, 2.0)}
    found = planted_rivals(matcher, [soft(TRUTH)] * 2, [TRUTH] * 2, np.random.default_rng(0), **options)
    assert found.groupby(["image", "class", "factor"]).size().tolist() == [1] * 8
    assert (found.candidates == 2).all() and found.matched_right.all()
    assert (found.largest_right == (found.factor < 1)).all()
    with pytest.raises(ValueError, match="factors must be above 0"):
        planted_rivals(matcher, [soft(TRUTH)], [TRUTH], np.random.default_rng(0), classes=[1], factors=[0])
    nowhere = planted_rivals(
        matcher, [soft(TRUTH)], [TRUTH], np.random.default_rng(0), classes=[1], factors=[2], away=2
    )
    assert nowhere.empty and "factor" in nowhere


def test_the_table_counts_by_hand():
    rows = [
        (3, True, False, True),
        (2, True, True, False),
        (2, True, True, True),
        (2, True, False, False),
        (2, False, False, False),  # no candidate meets the truth
        (1, True, True, True),  # no rival
    ]
    table = pd.DataFrame(rows, columns=["candidates", "findable", "largest_right", "matched_right"])
    (row,) = rival_table({"x": table}).to_dict("records")
    expected = {"maps": "x", "classes": 6, "rivals": 4, "largest wrong": 2, "matching right": 2}
    assert row == expected | {"matching alone right": 1, "largest alone right": 1}
    assert rival_table({"none": table[:0]}).iloc[0, 1:].tolist() == [0] * 6


def test_the_chart_draws_the_shares(matcher):
    rng = np.random.default_rng(0)
    found = planted_rivals(matcher, [soft(TRUTH)], [TRUTH], rng, classes=[1, 2], factors=(0.5, 2.0))
    (ax,) = chart_rivals(found).axes
    largest, matching = (line.get_ydata().tolist() for line in ax.lines[:2])
    assert (largest, matching) == ([1, 0], [1, 1])
    with pytest.raises(ValueError, match="no row"):
        chart_rivals(found[:0])
