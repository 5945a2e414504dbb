"""The confusion matrix against scikit-learn and a loop, its sums, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix

from segstudy.metrics import confusion, pixel_accuracy, relabel_confusion


@st.composite
def label_pairs(draw, classes=5):
    """Truth with some void, prediction, number of classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 8)), draw(st.integers(1, 8)))
    truth = rng.integers(0, classes, shape).astype(np.uint8)
    truth[rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))] = 255
    return truth, rng.integers(0, classes, shape).astype(np.uint8)


def test_matches_scikit_learn_where_the_truth_is_scored(rng):
    truth, prediction = rng.integers(0, 4, (2, 30, 40)).astype(np.uint8)
    truth[:5] = 255
    kept = truth != 255
    expected = confusion_matrix(truth[kept], prediction[kept], labels=range(4))
    got = confusion(truth, prediction, 4)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, expected)
    assert pixel_accuracy(got) == pytest.approx(accuracy_score(truth[kept], prediction[kept]))


def test_rows_are_truth_and_columns_prediction():
    got = confusion(np.array([[0, 0, 1]]), np.array([[1, 1, 1]]), 3)
    np.testing.assert_array_equal(got, [[0, 2, 0], [0, 1, 0], [0, 0, 0]])


def test_rectangular_matrix_of_clusters_against_a_loop(rng):
    truth, clusters = rng.integers(0, 3, (6, 6)), rng.integers(0, 7, (6, 6))
    expected = [[np.sum((truth == c) & (clusters == k)) for k in range(7)] for c in range(3)]
    np.testing.assert_array_equal(confusion(truth, clusters, 3, num_clusters=7), expected)


def test_zero_or_nothing_can_be_the_ignored_label():
    truth, prediction = np.array([[0, 1, 1]]), np.array([[9, 1, 0]])
    np.testing.assert_array_equal(confusion(truth, prediction, 2, ignore_index=0), [[0, 0], [1, 1]])
    with pytest.raises(ValueError, match="label 9 1 times"):
        confusion(truth, prediction, 2, ignore_index=None)


@settings(max_examples=50, deadline=None)
@given(label_pairs(), st.integers(0, 1000))
def test_permuting_classes_permutes_the_matrix(pair, seed):
    truth, prediction = pair
    order = np.random.default_rng(seed).permutation(5)
    new_name = np.append(order, np.full(251, 255)).astype(np.uint8)  # void stays void
    renamed = confusion(new_name[truth], new_name[prediction], 5)
    np.testing.assert_array_equal(renamed[np.ix_(order, order)], confusion(truth, prediction, 5))


@settings(max_examples=50, deadline=None)
@given(label_pairs())
def test_matrix_counts_every_scored_pixel_once_and_parts_add_up(pair):
    truth, prediction = pair
    whole = confusion(truth, prediction, 5)
    assert whole.sum() == (truth != 255).sum()
    half = len(truth) // 2
    parts = confusion(truth[:half], prediction[:half], 5) + confusion(truth[half:], prediction[half:], 5)
    np.testing.assert_array_equal(parts, whole)


def test_dtype_of_the_labels_does_not_matter(rng):
    truth, prediction = rng.integers(0, 200, (2, 20, 20))
    expected = confusion(truth, prediction, 200)  # 200 * 200 would overflow the small dtypes
    for dtype in (np.uint8, np.int16, np.int32, np.uint64):
        np.testing.assert_array_equal(confusion(truth.astype(dtype), prediction.astype(dtype), 200), expected)


def test_relabelled_matrix_is_the_matrix_of_the_relabelled_map(rng):
    truth, clusters = rng.integers(0, 3, (10, 10)), rng.integers(0, 5, (10, 10))
    mapping = np.array([2, -1, 0, 2, -1])
    got = relabel_confusion(confusion(truth, clusters, 3, num_clusters=5), mapping)
    named = np.where(mapping[clusters] == -1, 3, mapping[clusters])
    np.testing.assert_array_equal(got, confusion(truth, named, 3, num_clusters=4))
    right = np.mean(mapping[clusters] == truth)
    assert pixel_accuracy(got) == pytest.approx(right)


def test_accuracy_of_nothing_is_nan():
    assert np.isnan(pixel_accuracy(np.zeros((3, 3), dtype=np.int64)))


def test_bad_maps_are_refused_by_name():
    good = np.zeros((2, 2), dtype=np.uint8)
    with pytest.raises(TypeError, match=r"truth must be a numpy array.*\.cpu\(\)\.numpy\(\)"):
        confusion(torch.zeros(2, 2, dtype=torch.int64), good, 2)
    with pytest.raises(TypeError, match="prediction must be a numpy array, got builtins.list"):
        confusion(good, [[0, 0], [0, 0]], 2)
    with pytest.raises(TypeError, match="prediction must hold integers, got float64"):
        confusion(good, good.astype(float), 2)
    with pytest.raises(ValueError, match=r"truth \(2, 2\) and prediction \(1, 2\)"):
        confusion(good, good[:1], 2)
    with pytest.raises(ValueError, match="prediction holds the label 2 3 times .and 1 other values.*0 to 1"):
        confusion(good, np.array([[2, 2], [2, 7]]), 2)
    with pytest.raises(ValueError, match="truth holds the label -1 1 times"):
        confusion(np.array([[-1]]), np.array([[0]]), 2)


def test_bad_matrices_and_mappings_are_refused():
    with pytest.raises(ValueError, match="assign_clusters"):
        pixel_accuracy(np.ones((3, 7), dtype=np.int64))
    with pytest.raises(ValueError, match="smallest entry is -1"):
        pixel_accuracy(np.array([[1, -1], [0, 1]]))
    with pytest.raises(ValueError, match="each of the 3 clusters"):
        relabel_confusion(np.ones((2, 3), dtype=np.int64), np.array([0, 1]))
    with pytest.raises(ValueError, match="mapping holds the label 2"):
        relabel_confusion(np.ones((2, 3), dtype=np.int64), np.array([0, 1, 2]))
