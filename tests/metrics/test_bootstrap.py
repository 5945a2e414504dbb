"""The paired bootstrap against scipy's, and its coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from segstudy.metrics import paired_bootstrap


def test_matches_scipys_percentile_bootstrap(rng):
    b = rng.random(40)
    a = b + rng.exponential(0.1, 40)
    got = paired_bootstrap(a, b, np.random.default_rng(1), draws=8000, confidence=0.9)
    oracle = stats.bootstrap(
        (a - b,),
        np.mean,
        method="percentile",
        n_resamples=8000,
        confidence_level=0.9,
        rng=np.random.default_rng(2),
    )
    assert got.mean == pytest.approx(np.mean(a - b))
    assert got.low == pytest.approx(oracle.confidence_interval.low, abs=0.002)
    assert got.high == pytest.approx(oracle.confidence_interval.high, abs=0.002)
    assert got.standard_error == pytest.approx(oracle.standard_error, rel=0.05)
    assert (got.n, got.dropped) == (40, 0)


def test_interval_covers_the_true_difference_about_as_often_as_it_says(rng):
    covered = 0
    for _ in range(300):
        difficulty = rng.normal(size=40)
        a = difficulty + 0.3 + rng.normal(0, 0.5, 40)
        interval = paired_bootstrap(a, difficulty, rng, draws=300, confidence=0.9)
        covered += interval.low <= 0.3 <= interval.high
    assert (
        0.84 <= covered / 300 <= 0.95
    )  # 0.9 less the percentile interval's optimism, +- 3 sd of the simulation


def test_pairing_cancels_the_difficulty_of_the_images(rng):
    difficulty = rng.normal(0, 10, 50)
    a = difficulty + 0.5 + rng.normal(0, 0.1, 50)
    result = paired_bootstrap(a, difficulty, rng, draws=500)
    assert 0.4 < result.low < result.mean < result.high < 0.6
    shuffled = paired_bootstrap(a, rng.permutation(difficulty), rng, draws=500)
    assert shuffled.low < 0 < shuffled.high


def test_swapping_the_methods_mirrors_the_interval(rng):
    a, b = rng.random((2, 25))
    forth = paired_bootstrap(a, b, np.random.default_rng(5), draws=500)
    back = paired_bootstrap(b, a, np.random.default_rng(5), draws=500)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))


def test_same_seed_same_interval_and_more_confidence_a_wider_one(rng):
    a, b = rng.random((2, 25))
    first, again = (paired_bootstrap(a, b, np.random.default_rng(3), draws=200) for _ in range(2))
    assert first == again
    narrow = paired_bootstrap(a, b, np.random.default_rng(3), draws=200, confidence=0.5)
    assert first.low < narrow.low < narrow.high < first.high


def test_images_without_both_scores_are_dropped_and_counted(rng):
    a, b = np.array([1.0, np.nan, 3.0, 4.0]), np.array([0.0, 1.0, np.nan, 2.0])
    result = paired_bootstrap(a, b, rng, draws=100)
    assert (result.n, result.dropped, result.mean) == (2, 2, 1.5)


def test_equal_differences_give_a_point(rng):
    result = paired_bootstrap(np.ones(5), np.zeros(5), rng, draws=50)
    assert (result.low, result.mean, result.high, result.standard_error) == (1, 1, 1, 0)


def test_bad_input_is_refused(rng):
    with pytest.raises(ValueError, match=r"one score per image.*\(3,\) and \(4,\)"):
        paired_bootstrap(np.ones(3), np.ones(4), rng)
    with pytest.raises(ValueError, match="at least 2 images with both scores, got 1 of 2"):
        paired_bootstrap(np.array([1, np.nan]), np.ones(2), rng)
    with pytest.raises(ValueError, match="infinite"):
        paired_bootstrap(np.array([1, np.inf]), np.ones(2), rng)
    with pytest.raises(ValueError, match="confidence=95"):
        paired_bootstrap(np.ones(3), np.ones(3), rng, confidence=95)
    with pytest.raises(ValueError, match="draws=0"):
        paired_bootstrap(np.ones(3), np.ones(3), rng, draws=0)
