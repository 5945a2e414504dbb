"""Boundary scores against loops over all pairs of border pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import find_boundaries

from segstudy.metrics import (
    achievable_accuracy,
    boundary_f_score,
    boundary_precision,
    boundary_recall,
    csurka_tolerance,
    label_boundaries,
)


def border_pixels(mask):
    """Pixels of the mask with a 4-neighbour in the image outside it, by loops."""
    height, width = mask.shape
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return [
        (r, c)
        for r, c in np.argwhere(mask)
        if any(0 <= r + i < height and 0 <= c + j < width and not mask[r + i, c + j] for i, j in steps)
    ]


def share(of, near, tolerance):
    hits = [any(np.hypot(r - i, c - j) <= tolerance for i, j in near) for r, c in of]
    return np.mean(hits) if of else np.nan


def slow_f_score(truth, prediction, tolerance):
    a, b = border_pixels(truth), border_pixels(prediction)
    if not a and not b:
        return np.nan
    precision, recall = np.nan_to_num([share(b, a, tolerance), share(a, b, tolerance)])
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 1.5, 2.3]))
def test_f_score_matches_a_loop(seed, tolerance):
    rng = np.random.default_rng(seed)
    truth, prediction = np.repeat(np.repeat(rng.integers(0, 3, (2, 3, 4)), 2, axis=1), 3, axis=2)
    got = boundary_f_score(truth, prediction, tolerance, 4)
    expected = [slow_f_score(truth == c, prediction == c, tolerance) for c in range(4)]
    np.testing.assert_allclose(got, expected)


def square(size, top, left, side):
    mask = np.zeros((size, size), dtype=np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


def test_a_shift_is_forgiven_up_to_the_tolerance():
    truth = square(30, 8, 8, 10)
    shifted = square(30, 8, 11, 10)
    assert boundary_f_score(truth, shifted, 3, 2)[1] == 1
    assert boundary_f_score(truth, shifted, 2.9, 2)[1] < 1
    scores = [boundary_f_score(truth, shifted, t, 2)[1] for t in (0, 1, 2, 3)]
    assert scores == sorted(scores)


def test_the_common_tolerance_is_a_share_of_the_diagonal():
    assert csurka_tolerance((300, 400)) == pytest.approx(3.75)


def test_the_frame_is_no_border_and_absent_classes_are_nan():
    truth = np.ones((4, 4), dtype=np.uint8)
    assert np.isnan(boundary_f_score(truth, truth, 1, 3)).all()
    for tolerance in (1, 100):  # no border is near one that is not there
        assert boundary_f_score(truth, square(4, 0, 0, 2), tolerance, 2)[1] == 0
        assert boundary_recall(square(4, 0, 0, 2), truth, tolerance) == 0


def test_label_boundaries_match_scikit_image(rng):
    labels = np.repeat(np.repeat(rng.integers(0, 4, (4, 5)), 3, axis=0), 2, axis=1)
    np.testing.assert_array_equal(
        label_boundaries(labels), find_boundaries(labels, connectivity=1, mode="thick")
    )


def test_recall_and_precision_match_a_loop(rng):
    truth, regions = np.repeat(np.repeat(rng.integers(0, 3, (2, 3, 3)), 3, axis=1), 3, axis=2)
    of, near = (list(map(tuple, np.argwhere(find_boundaries(x, connectivity=1)))) for x in (truth, regions))
    for tolerance in (0, 1, 2):
        assert boundary_recall(truth, regions, tolerance) == pytest.approx(share(of, near, tolerance))
        assert boundary_precision(truth, regions, tolerance) == pytest.approx(share(near, of, tolerance))


def test_over_segmentation_has_full_recall_and_low_precision():
    truth = np.repeat([[0] * 8 + [1] * 8], 16, axis=0)
    pixels = np.arange(256).reshape(16, 16)
    assert boundary_recall(truth, pixels, 0) == 1
    assert boundary_precision(truth, pixels, 0) == pytest.approx(2 * 16 / 256)
    assert np.isnan(boundary_recall(np.zeros((4, 4), dtype=int), pixels[:4, :4], 1))


def test_a_border_inside_void_can_be_right_but_not_wrong():
    """A VOC-like band of 4 void columns lies between object and background."""
    truth = np.repeat([[1] * 6 + [255] * 4 + [0] * 10], 6, axis=0)
    inside = np.repeat([[1] * 8 + [0] * 12], 6, axis=0)  # the border lies in the middle of the band
    outside = np.repeat([[1] * 15 + [0] * 5], 6, axis=0)
    np.testing.assert_allclose(boundary_f_score(truth, inside, 2, 2), [1, 1])
    assert boundary_f_score(truth, outside, 2, 2)[1] == 0
    deep = truth.copy()
    deep[:, 6:10] = [1, 0, 1, 0]  # right at column 6, nonsense in the rest of the void
    assert boundary_f_score(truth, deep, 0.5, 2)[1] == 0
    assert boundary_f_score(truth, deep, 1, 2)[1] == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_achievable_accuracy_matches_a_loop(seed):
    rng = np.random.default_rng(seed)
    truth, regions = rng.integers(0, 3, (5, 6)), rng.integers(-2, 6, (5, 6)) * 1000
    truth[0, 0] = 255
    kept = truth != 255
    best = sum(
        np.unique(truth[kept & (regions == k)], return_counts=True)[1].max(initial=0)
        for k in np.unique(regions)
    )
    assert achievable_accuracy(truth, regions) == pytest.approx(best / kept.sum())


def test_achievable_accuracy_bounds(rng):
    truth = rng.integers(0, 3, (8, 8))
    one_region = np.zeros((8, 8), dtype=int)
    assert achievable_accuracy(truth, np.arange(64).reshape(8, 8)) == 1
    assert achievable_accuracy(truth, one_region) == np.bincount(truth.ravel()).max() / 64
    assert np.isnan(achievable_accuracy(np.full((2, 2), 255), one_region[:2, :2]))


def test_bad_input_is_refused():
    good = square(6, 1, 1, 3)
    for score in (lambda t: boundary_f_score(good, good, t, 2), lambda t: boundary_recall(good, good, t)):
        with pytest.raises(ValueError, match="tolerance must be a distance in pixels, 0 or more, got -1"):
            score(-1)
    with pytest.raises(ValueError, match="truth holds the label 1"):
        boundary_f_score(good, good, 1, 1)
    with pytest.raises(TypeError, match="prediction must hold integers, got bool"):
        boundary_f_score(good, good > 0, 1, 2)
    with pytest.raises(ValueError, match="same shape"):
        achievable_accuracy(good, good[1:])
