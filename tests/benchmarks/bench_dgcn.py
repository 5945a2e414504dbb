"""Time of growing the labels of one map of 41 x 41 with three classes; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_dgcn.py --benchmark-only
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from segstudy.datasets import open_dataset
from segstudy.papers.dgcn import graph_cut_labels, grow_seeds, join_features, knn_edges, propagate_labels

SIDE, CLASSES = 41, 21


@pytest.fixture
def features():
    """Return what three layers of EfficientNet-Lite2 would give: 48, 120 and 352 channels."""
    generator = torch.Generator().manual_seed(0)
    return join_features([torch.randn(d, SIDE, SIDE, generator=generator) for d in (48, 120, 352)])


@pytest.fixture
def picture(features):
    """Return cues, probabilities, edges and classes of a drawn picture with three kinds in it."""
    truth = np.array(open_dataset("aerial", split="test", size=(SIDE, SIDE))[0].labels) % 4
    rng = np.random.default_rng(0)
    soft = rng.dirichlet(np.ones(CLASSES), (SIDE, SIDE)) + np.eye(CLASSES)[truth]
    cues = np.where(rng.random(truth.shape) < 0.3, truth, 255)
    return cues, soft / soft.sum(axis=2, keepdims=True), knn_edges(features), [1, 2, 3]


@pytest.mark.parametrize("program", ["ours", "scikit-learn"])
def test_time_of_neighbours(benchmark, features, program):
    def theirs(values):
        return NearestNeighbors(n_neighbors=10, algorithm="brute").fit(values).kneighbors(values)

    run, given = (knn_edges, features) if program == "ours" else (theirs, features.numpy())
    benchmark(run, given)


def test_time_of_all_cuts(benchmark, picture):
    benchmark(graph_cut_labels, *picture)


def test_time_of_region_growing(benchmark, picture):
    cues, probabilities, _, classes = picture
    benchmark(grow_seeds, cues, probabilities, classes)


def test_time_of_label_propagation(benchmark, picture):
    benchmark(propagate_labels, *picture)
