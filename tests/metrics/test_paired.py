"""Intervals of means by Student's t, and differences of few pictures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from segstudy.metrics import half_width, paired_difference


@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_half_width_is_students(rng, n):
    values = rng.normal(size=n)
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert half_width(values.std(ddof=1), n) == pytest.approx((high - low) / 2)


def test_half_width_of_many_at_once_and_unknown_for_fewer_than_two():
    found = half_width(np.array([1.0, 1.0, np.nan]), np.array([3, 1, 0]))
    assert found[0] == pytest.approx(4.302653 / np.sqrt(3)) and np.isnan(found[1:]).all()


def test_one_picture_has_a_difference_without_an_interval():
    found = paired_difference(np.array([0.7, np.nan]), np.array([0.5, 0.1]))
    assert (found.mean, found.n, found.dropped) == (pytest.approx(0.2), 1, 1)
    assert np.isnan([found.low, found.high]).all()
