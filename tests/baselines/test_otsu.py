"""Otsu's threshold against scikit-image, a search over all thresholds, and histograms made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from segstudy.baselines import Otsu, otsu_threshold


@given(arrays(np.uint8, st.integers(2, 60)))
@settings(max_examples=50, deadline=None)
def test_no_threshold_leaves_less_variance_inside(grey):
    def inside(t):
        classes = [grey[grey <= t], grey[grey > t]]
        return sum(c.astype(float).var() * c.size for c in classes if c.size)

    costs = np.array([inside(t) for t in range(256)])
    assert costs[otsu_threshold(grey)] <= costs.min() + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_image(seed):
    rng = np.random.default_rng(seed)
    modes = rng.normal(60 + 10 * seed, 15, 3000), rng.normal(170, 20, 1000 * (seed + 1))
    grey = np.clip(np.concatenate(modes), 0, 255).astype(np.uint8)
    assert otsu_threshold(grey) == threshold_otsu(grey)


def test_histograms_made_by_hand():
    assert otsu_threshold(np.array([0, 255], dtype=np.uint8)) == 0  # every level from 0 to 254 is as good
    assert otsu_threshold(np.array([[10, 10, 12], [200, 202, 202]], dtype=np.uint8)) == 12
    assert otsu_threshold(np.full((3, 3), 77, dtype=np.uint8)) == 77


def test_offset_moves_the_threshold(rng):
    grey = np.concatenate([rng.integers(20, 60, 200), rng.integers(90, 180, 100)]).astype(np.uint8)
    assert otsu_threshold(grey + np.uint8(30)) == otsu_threshold(grey) + 30
    assert otsu_threshold(rng.permutation(grey)) == otsu_threshold(grey)


def test_bright_square_on_dark_ground(rng):
    image = rng.integers(20, 60, (20, 30, 3), dtype=np.uint8)
    image[5:12, 8:20] += 120
    expected = np.zeros((20, 30))
    expected[5:12, 8:20] = 1
    np.testing.assert_array_equal(Otsu().segment(image), expected)


def test_constant_image_is_one_dark_cluster():
    image = np.full((4, 5, 3), 200, dtype=np.uint8)
    assert not Otsu().segment(image).any() and Otsu().probabilities(image).shape == (4, 5, 2)


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="grey.*float64"):
        otsu_threshold(np.zeros(3))
    with pytest.raises(ValueError, match="grey.*none"):
        otsu_threshold(np.zeros(0, dtype=np.uint8))
