"""IoU under each convention: worked by hand, and against scikit-learn and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score
from torchmetrics.classification import MulticlassJaccardIndex
from torchmetrics.segmentation import MeanIoU

from segstudy.metrics import (
    confusion,
    dice_dataset,
    dice_from_iou,
    iou_dataset,
    iou_per_image,
    mean_iou,
    pairwise_iou,
)


@pytest.fixture
def small_set(rng):
    """Six images in which classes come and go; class 4 never occurs."""
    truths = [rng.integers(0, k, (8, 9)) for k in (1, 2, 3, 4, 4, 4)]
    predictions = [np.where(rng.random(t.shape) < 0.6, t, rng.integers(0, 4, t.shape)) for t in truths]
    return truths, predictions


def summed(truths, predictions, classes=5):
    return sum(confusion(t, p, classes) for t, p in zip(truths, predictions, strict=True))


def test_the_conventions_differ_on_an_example_worked_by_hand():
    """Two images of ten pixels: an object of 8 found by half, and an object of 1 found whole."""
    truths = [np.array([[1] * 8 + [0] * 2]), np.array([[1] + [0] * 9])]
    predictions = [np.array([[1] * 4 + [0] * 6]), np.array([[1] + [0] * 9])]
    per_image = iou_per_image(truths, predictions, 2)
    # Object: 4/8 and 1/1. Background: 2/6 and 9/9.
    np.testing.assert_allclose(per_image, [[2 / 6, 4 / 8], [1, 1]])
    assert mean_iou(per_image[:, 1:], "images_then_classes") == pytest.approx((4 / 8 + 1) / 2)  # 0.750
    # Over the set: object (4+1)/(8+1), background (2+9)/(6+9).
    np.testing.assert_allclose(iou_dataset(summed(truths, predictions, 2)), [11 / 15, 5 / 9])  # 0.556 < 0.750


def test_the_three_means_differ_on_an_example_worked_by_hand():
    per_image = np.array([[1.0, 0.5, np.nan], [0.2, np.nan, np.nan]])
    assert mean_iou(per_image, "images_then_classes") == pytest.approx(((1.0 + 0.2) / 2 + 0.5) / 2)  # 0.55
    assert mean_iou(per_image, "classes_then_images") == pytest.approx(((1.0 + 0.5) / 2 + 0.2) / 2)  # 0.475
    assert mean_iou(per_image, "cells") == pytest.approx((1.0 + 0.5 + 0.2) / 3)  # 0.567
    assert mean_iou(per_image[0]) == pytest.approx(0.75)


def test_data_set_iou_and_dice_match_scikit_learn_and_torchmetrics(small_set):
    truth, prediction = (np.concatenate([x.ravel() for x in xs]) for xs in small_set)
    matrix = summed(*small_set)
    iou = iou_dataset(matrix)
    assert np.isnan(iou[4])
    np.testing.assert_allclose(iou[:4], jaccard_score(truth, prediction, average=None, labels=range(4)))
    np.testing.assert_allclose(
        dice_dataset(matrix)[:4], f1_score(truth, prediction, average=None, labels=range(4))
    )
    oracle = MulticlassJaccardIndex(num_classes=4, average="none")(
        torch.tensor(prediction), torch.tensor(truth)
    )
    np.testing.assert_allclose(iou[:4], oracle.numpy(), rtol=1e-6)
    assert mean_iou(iou) == pytest.approx(iou[:4].mean())


def test_per_image_iou_matches_scikit_learn_image_by_image(small_set):
    per_image = iou_per_image(*small_set, 5)
    assert per_image.shape == (6, 5)
    means = []
    for row, truth, prediction in zip(per_image, *small_set, strict=True):
        present = np.union1d(truth, prediction)
        expected = jaccard_score(truth.ravel(), prediction.ravel(), average=None, labels=present)
        np.testing.assert_allclose(row[present], expected)
        assert np.isnan(np.delete(row, present)).all()
        means.append(expected.mean())
    assert mean_iou(per_image, "classes_then_images") == pytest.approx(np.mean(means))


def test_torchmetrics_mean_iou_is_the_per_image_one(small_set):
    truths, predictions = (torch.tensor(np.stack(x)) for x in small_set)
    per_image = iou_per_image(*small_set, 5)
    pooled = MeanIoU(num_classes=5, input_format="index")
    pooled.update(predictions, truths)
    assert mean_iou(per_image, "cells") == pytest.approx(float(pooled.compute()), rel=1e-5)
    by_class = MeanIoU(num_classes=5, input_format="index", per_class=True)
    by_class.update(predictions, truths)
    expected = by_class.compute().numpy()[:4]  # it writes -1 for class 4, which never occurs
    assert mean_iou(per_image, "images_then_classes") == pytest.approx(expected.mean(), rel=1e-5)
    assert mean_iou(iou_dataset(summed(*small_set))) != pytest.approx(float(pooled.compute()), abs=0.01)


def test_void_pixels_are_not_scored():
    truth = np.array([[1, 1, 255, 0]])
    np.testing.assert_allclose(iou_per_image([truth], [np.array([[1, 0, 1, 0]])], 2), [[1 / 2, 1 / 2]])


def test_clusters_without_a_class_are_missed_but_charged_to_no_class(rng):
    truths = list(rng.integers(0, 2, (3, 6, 6)))
    clusters = list(rng.integers(0, 4, (3, 6, 6)))
    mapping = np.array([1, -1, 0, 1])
    got = iou_per_image(truths, clusters, 2, mapping=mapping)
    for row, truth, named in zip(got, truths, (mapping[c] for c in clusters), strict=True):
        expected = [
            np.sum((truth == c) & (named == c)) / np.sum((truth == c) | (named == c)) for c in range(2)
        ]
        np.testing.assert_allclose(row, expected)


def test_pairwise_iou_against_a_loop(rng):
    truth, clusters = rng.integers(0, 3, (7, 7)), rng.integers(0, 4, (7, 7))
    got = pairwise_iou(confusion(truth, clusters, 4, num_clusters=5))
    for c in range(3):
        for k in range(4):
            a, b = truth == c, clusters == k
            assert got[c, k] == pytest.approx((a & b).sum() / (a | b).sum())
    assert np.isnan(got[3, 4])  # neither occurs
    assert got[3, 0] == 0


matrices = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 6, (4, 4)) * (np.arange(4) < 3)
)


@settings(max_examples=50, deadline=None)
@given(matrices)
def test_bounds_and_the_relation_of_dice_to_iou(matrix):
    iou, dice = iou_dataset(matrix), dice_dataset(matrix)
    known = ~np.isnan(iou)
    np.testing.assert_array_equal(known, (matrix.sum(0) + matrix.sum(1)) > 0)
    assert ((iou[known] >= 0) & (iou[known] <= dice[known]) & (dice[known] <= 1)).all()
    counted = 2 * np.diagonal(matrix) / np.maximum(matrix.sum(0) + matrix.sum(1), 1)
    np.testing.assert_allclose(dice[known], counted[known])
    np.testing.assert_allclose(iou_dataset(matrix.T), iou)  # IoU is symmetric
    np.testing.assert_allclose(iou_dataset(7 * matrix), iou)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_mean_dice_lies_between_mean_iou_and_the_dice_of_mean_iou(iou):
    """The bound by which two printed values of paper 3's slides are impossible."""
    mean_dice = dice_from_iou(np.array(iou)).mean()
    assert np.mean(iou) - 1e-12 <= mean_dice <= dice_from_iou(np.mean(iou)) + 1e-12


@pytest.mark.filterwarnings("error")
def test_all_nan_means_are_nan_without_a_warning():
    empty = np.full((2, 3), np.nan)
    assert np.isnan(mean_iou(empty[0]))
    assert np.isnan(mean_iou(empty, "cells"))


def test_bad_input_is_refused():
    image = np.zeros((2, 2), dtype=np.int64)
    with pytest.raises(ValueError, match="at least one image"):
        iou_per_image([], [], 2)
    with pytest.raises(ValueError, match="equally many, one ended after 1 images"):
        iou_per_image([image, image], [image], 2)
    with pytest.raises(ValueError, match="convention must be"):
        mean_iou(np.ones((2, 3)))
    with pytest.raises(ValueError, match="'cells' for shape"):
        mean_iou(np.ones(3), "cells")
    with pytest.raises(ValueError, match=r"got shape \(2, 5\)"):
        iou_dataset(np.ones((2, 5)))
