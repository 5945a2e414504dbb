"""The paired bootstrap against scipy's, and its coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.metrics import bootstrap, paired_bootstrap


def test_is_the_bootstrap_t_of_the_textbook(rng):
    """Draw by draw, as Efron & Tibshirani 1993 print it; at 40 differences no resample lacks spread."""
    b = rng.random(40)
    a = b + rng.exponential(0.1, 40)
    d, oracle, t, means = a - b, np.random.default_rng(2), [], []
    for _ in range(8000):
        star = oracle.choice(d, 40)
        means.append(star.mean())
        t.append((star.mean() - d.mean()) / (star.std(ddof=1) / np.sqrt(40)))
    error = d.std(ddof=1) / np.sqrt(40)
    got = paired_bootstrap(a, b, np.random.default_rng(1), draws=8000, confidence=0.9)
    assert got.mean == pytest.approx(np.mean(d))
    assert got.low == pytest.approx(d.mean() - np.quantile(t, 0.95) * error, abs=0.002)
    assert got.high == pytest.approx(d.mean() - np.quantile(t, 0.05) * error, abs=0.002)
    assert got.standard_error == pytest.approx(np.std(means, ddof=1), rel=0.05)
    assert (got.n, got.dropped) == (40, 0)


@pytest.mark.parametrize("n", [10, 20, 40])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_interval_covers_the_true_difference_as_often_as_it_says(n, kind):
    """1500 samples: the simulation's own standard deviation is 0.6 points."""
    rng = np.random.default_rng([n, len(kind)])
    covered = 0
    for _ in range(1500):
        difficulty = rng.normal(size=n)
        gains = rng.normal(1, 1, n) if kind == "normal" else rng.exponential(1, n)
        interval = paired_bootstrap(difficulty + gains, difficulty, rng, draws=1000)
        covered += interval.low <= 1 <= interval.high
    assert 0.93 <= covered / 1500 <= 0.97


@pytest.mark.parametrize("n", [2, 3, 5])
def test_resamples_of_one_value_leave_the_interval_finite_and_wider_than_the_percentiles(rng, n):
    d = rng.normal(size=n)
    got = paired_bootstrap(d, np.zeros(n), rng, draws=2000)
    means = d[rng.integers(n, size=(2000, n))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert got.low < low < high < got.high < d.mean() + 4 * np.ptp(d)


def test_a_mean_that_one_image_makes_is_not_told_from_zero(rng):
    """One of 20 images differs: a third of the resamples lack it."""
    d = np.zeros(20)
    d[7] = 1
    got = paired_bootstrap(d, np.zeros(20), rng, draws=4000)
    assert got.mean == 0.05 and got.low <= 1e-9 and 0.1 < got.high < 0.5


def test_what_is_drawn_does_not_depend_on_how_much_at_a_time(rng, monkeypatch):
    a, b = rng.random((2, 7))
    whole = paired_bootstrap(a, b, np.random.default_rng(3), draws=100)
    monkeypatch.setattr(bootstrap, "BLOCK", 30)
    parts = paired_bootstrap(a, b, np.random.default_rng(3), draws=100)
    assert parts.low == pytest.approx(whole.low) and parts.high == pytest.approx(whole.high)


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
