"""Differences over seeds."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from segstudy.experiments.differences import paired_over_seeds, spread


def test_paired_over_seeds_is_students(rng):

    a, b = rng.normal(1, 1, 5), rng.normal(0, 1, 5)
    found, test = paired_over_seeds(a, b), ttest_rel(a, b)
    low, high = test.confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx(((a - b).mean(), low, high))
    assert np.isnan(paired_over_seeds([1.0], [0.5]).low) and paired_over_seeds([], []).n == 0
    with pytest.raises(ValueError, match="the same seeds, got 1 and 3"):
        paired_over_seeds([1.0], [0.5, 0.4, 0.3])


def test_the_spread_over_seeds_is_the_sample_s():
    assert spread([0.2, 0.4, 0.6]) == spread(np.array([0.2, 0.4, 0.6])) == pytest.approx(0.2)
    assert np.isnan(spread([0.5])) and np.isnan(spread([]))
