"""Cluster assignment against brute force over all matchings."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudy.metrics import (
    assign_clusters,
    confusion,
    iou_per_image,
    match_clusters_per_image,
    mean_iou,
    pairwise_iou,
    relabel_confusion,
)


def best_total(gain):
    """Largest sum over one-to-one pairs, by trying them all."""
    gain = gain if gain.shape[0] <= gain.shape[1] else gain.T
    rows = range(gain.shape[0])
    return max(
        sum(gain[i, j] for i, j in zip(rows, chosen, strict=True))
        for chosen in permutations(range(gain.shape[1]), gain.shape[0])
    )


def total(gain, mapping):
    return sum(gain[c, k] for k, c in enumerate(mapping) if c >= 0)


@st.composite
def cluster_counts(draw):
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(0, 9, shape)


@settings(max_examples=50, deadline=None)
@given(cluster_counts(), st.sampled_from(["pixels", "iou"]))
def test_no_other_matching_is_better(counts, objective):
    mapping = assign_clusters(counts, objective)
    gain = counts if objective == "pixels" else np.nan_to_num(pairwise_iou(counts))
    assert total(gain, mapping) == pytest.approx(best_total(gain))
    used = mapping[mapping >= 0]
    assert len(set(used)) == len(used) == min(counts.shape)
    assert mapping.shape == (counts.shape[1],)


def test_a_planted_renaming_is_recovered(rng):
    truth = rng.integers(0, 6, (40, 40))
    name_of_class = rng.permutation(6)
    clusters = np.where(rng.random(truth.shape) < 0.8, name_of_class[truth], rng.integers(0, 6, truth.shape))
    mapping = assign_clusters(confusion(truth, clusters, 6))
    np.testing.assert_array_equal(mapping[name_of_class], np.arange(6))


def test_more_clusters_than_classes_and_fewer():
    np.testing.assert_array_equal(assign_clusters(np.array([[1, 9, 2, 0], [8, 3, 4, 0]])), [1, 0, -1, -1])
    np.testing.assert_array_equal(assign_clusters(np.array([[1, 5], [0, 7], [6, 0]])), [2, 1])


def test_the_objectives_can_disagree():
    """Pixels: 100 + 0 > 88 + 11. IoU: 100/199 + 0 = 0.503 < 88/188 + 11/111 = 0.567, the small class counts."""
    counts = np.array([[100, 88], [11, 0]])
    np.testing.assert_array_equal(assign_clusters(counts, "pixels"), [0, 1])
    np.testing.assert_array_equal(assign_clusters(counts, "iou"), [1, 0])


def test_assignment_feeds_the_scores(rng):
    truths, clusters = rng.integers(0, 3, (2, 4, 8, 8))
    counts = sum(confusion(t, c, 3) for t, c in zip(truths, clusters, strict=True))
    mapping = assign_clusters(counts)
    named = relabel_confusion(counts, mapping)
    assert np.trace(named) == sum((mapping[c] == t).sum() for t, c in zip(truths, clusters, strict=True))
    assert np.trace(named) >= np.trace(counts)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_per_image_oracle_reaches_the_best_mean_iou_over_classes_present(seed, classes, clusters):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, classes, (4, 4)), rng.integers(0, clusters, (4, 4))
    mapping, iou = match_clusters_per_image(truth, prediction, 6)
    present = np.unique(truth)
    gain = pairwise_iou(confusion(truth, prediction, 6, num_clusters=len(mapping)))[present]
    assert np.nansum(iou) == pytest.approx(best_total(np.nan_to_num(gain)))
    np.testing.assert_array_equal(np.flatnonzero(~np.isnan(iou)), present)
    assert set(mapping[mapping >= 0]) <= set(present)


def test_per_image_oracle_scores_what_its_mapping_scores(rng):
    truth, prediction = rng.integers(0, 3, (9, 9)), rng.integers(0, 5, (9, 9))
    truth[0] = 255
    mapping, iou = match_clusters_per_image(truth, prediction, 3)
    np.testing.assert_allclose(iou, iou_per_image([truth], [prediction], 3, mapping=mapping)[0])


def test_per_image_oracle_on_easy_and_empty_images():
    truth = np.array([[4, 4, 1, 1]])
    mapping, iou = match_clusters_per_image(truth, np.array([[1, 1, 0, 0]]), 6)
    np.testing.assert_array_equal(mapping, [1, 4])
    assert mean_iou(iou) == 1
    # One cluster for two classes: the class without a cluster scores 0.
    assert mean_iou(match_clusters_per_image(truth, np.zeros_like(truth), 6)[1]) == pytest.approx(
        (1 / 2 + 0) / 2
    )
    mapping, iou = match_clusters_per_image(np.full((2, 2), 255), np.array([[0, 1], [2, 2]]), 3)
    np.testing.assert_array_equal(mapping, [-1, -1, -1])
    assert np.isnan(iou).all()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="objective must be one of .*got 'dice'"):
        assign_clusters(np.ones((2, 2)), "dice")
    with pytest.raises(ValueError, match="C classes, K clusters"):
        assign_clusters(np.ones(4))
    with pytest.raises(ValueError, match="prediction holds the label -1"):
        match_clusters_per_image(np.zeros((1, 2), dtype=int), np.array([[-1, 0]]), 2)
