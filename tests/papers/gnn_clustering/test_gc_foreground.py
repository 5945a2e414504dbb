"""Which cluster is the object, and what a table's row is made of."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from segstudy.experiments.gnn_clustering.results import Results
from segstudy.metrics import iou_per_image
from segstudy.papers.gnn_clustering.foreground import (
    CELL,
    Targets,
    corner_mask,
    count_objects,
    grow,
    iou,
    oracle_iou,
)
from segstudy.papers.gnn_clustering.parts import object_without_k, segment_parts
from segstudy.papers.gnn_clustering.settings import Settings

GRID = (4, 5)


@pytest.fixture
def truth(rng):
    masks = [(rng.random((CELL * 4, CELL * 5)) > 0.6).astype(int) for _ in range(3)]
    return masks, count_objects(masks, GRID)


def test_iou_equals_that_of_the_pixels(truth, rng):
    masks, targets = truth
    chosen = rng.random((3, 20)) > 0.5
    pixels = [np.kron(c.reshape(GRID), np.ones((CELL, CELL), int)) for c in chosen]
    expected = iou_per_image(masks, pixels, 2)[:, 1]
    assert np.allclose(iou(chosen, targets), expected)
    assert (grow(chosen[0], GRID, (CELL * 4, CELL * 5)) == pixels[0]).all()


def test_void_pixels_are_left_out(rng):
    masks = [rng.choice([0, 1, 255], (CELL * 4, CELL * 5), p=[0.5, 0.3, 0.2]) for _ in range(3)]
    masks[0][:CELL, :CELL] = 255  # a patch that is void altogether
    targets = count_objects(masks, GRID)
    chosen = rng.random((3, 20)) > 0.5
    pixels = [np.kron(c.reshape(GRID), np.ones((CELL, CELL), int)) for c in chosen]
    both = [np.sum((p == 1) & (m == 1)) for p, m in zip(pixels, masks, strict=True)]
    either = [np.sum(((p == 1) | (m == 1)) & (m != 255)) for p, m in zip(pixels, masks, strict=True)]
    np.testing.assert_allclose(iou(chosen, targets), np.divide(both, either))
    labels = chosen.astype(int)
    better = np.maximum(iou(labels == 0, targets), iou(labels == 1, targets))
    np.testing.assert_allclose(oracle_iou(labels, 2, targets), better)


def test_the_oracle_of_two_takes_the_better(truth, rng):
    _, targets = truth
    labels = rng.integers(0, 2, (3, 6, 20))
    better = np.maximum(iou(labels == 0, targets), iou(labels == 1, targets))
    assert np.allclose(oracle_iou(labels, 2, targets), better)


def test_the_oracle_of_more_tries_every_choice(truth, rng):
    _, targets = truth
    labels = rng.integers(0, 4, (3, 20))
    every = [set(c) for size in (1, 2, 3) for c in combinations(range(4), size)]
    scores = [iou(np.isin(labels, list(c)), targets) for c in every]
    assert np.allclose(oracle_iou(labels, 4, targets), np.max(scores, axis=0))


def test_one_cluster_is_scored_as_all_object(truth):
    _, targets = truth
    for cluster in (0, 1):
        labels = np.full((3, 20), cluster)
        assert np.allclose(oracle_iou(labels, 2, targets), targets.objects.mean(axis=1) / CELL**2)


def test_the_corners_are_background():
    # DeepCut: 1 is the object unless more than two corners are 1
    for corners in range(5):
        labels = np.zeros(20, dtype=int)
        labels[[0, 4, 15, 19][:corners]] = 1
        labels[7] = 1
        assert corner_mask(labels, 2, GRID)[7] == (corners <= 2)


def test_an_object_without_k_is_one_piece():
    labels = np.zeros(GRID, dtype=int)
    labels[1, 1:4] = 3
    labels[3, 2] = 7
    assert object_without_k(labels.ravel(), 10, GRID).reshape(GRID).sum() == 3


def test_parts_of_the_object_alone(rng):
    features = rng.normal(0, 0.05, (40, 4)).astype(np.float32)
    features[10:20, 0] += 1
    features[20:30, 1] += 1
    mask = np.zeros(40, dtype=bool)
    mask[10:30] = True
    settings = Settings(learning_rate=0.01, iterations=150)
    labels = segment_parts(features, mask, settings)
    assert (labels[~mask] == 0).all() and set(labels[mask]) == {1, 2}
    assert len(set(labels[10:20])) == len(set(labels[20:30])) == 1
    with pytest.raises(ValueError, match="mask"):
        segment_parts(features, np.zeros(40, dtype=bool), settings)


def test_a_row_of_the_table():
    # one picture of 4 patches, the object is the first; three recorded epochs
    targets = Targets(np.array([[64, 0, 0, 0], [64, 64, 0, 0]]), np.full((2, 4), 64), (2, 2))
    labels = np.array(
        [[[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 1]], [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]]
    )
    hard = np.array([[0.0, 3.0, 1.0], [5.0, 2.0, 4.0]])
    run = {"labels": labels, "iterations": np.array([10, 20, 30]), "hard": hard, "seconds": 3.0}
    found = Results((run,), targets)
    assert np.allclose(found.oracle[0], [[0.5, 1.0, 1.0], [1.0, 0.5, 0.5]])
    assert found.best.tolist() == [0]  # .75 three times: the first
    assert found.scores()[0].tolist() == [0.5, 1.0]
    assert found.scores("oracle", "least objective")[0].tolist() == [0.5, 0.5]
    assert found.scores("oracle", "last epoch")[0].tolist() == [1.0, 0.5]
    row = found.summary()
    assert row["IoU"] == 0.75 and row["best epoch"] == 10 and np.isnan(row["IoU std"])
    assert row["Dice"] == pytest.approx((2 / 3 + 1) / 2) and row["seconds of a picture"] == 1.5
