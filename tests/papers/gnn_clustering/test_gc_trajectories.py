"""Whole trainings equal a plain sparse implementation on PyTorch Geometric, step by step, in float64."""

from __future__ import annotations

from dataclasses import replace

import gc_sparse_oracle as oracle
import numpy as np
import pytest
import torch

from segstudy.papers.gnn_clustering.clustering import cluster_images
from segstudy.papers.gnn_clustering.network import ClusterNet
from segstudy.papers.gnn_clustering.settings import PRESETS, combinations

CASES = {**PRESETS, **{settings.name: settings for settings in combinations()}}
CASES["sparse DMON | GAT"] = replace(PRESETS["slides"], objective="dmon", layer="gat", tau=0.9)
CASES["sparse DMON | ARMA"] = replace(PRESETS["slides"], objective="dmon", layer="arma", tau=0.9)


def features(pictures=1, n=36, d=6):
    """Two noisy groups of patches; features of both signs, of lengths that differ."""
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(pictures, n, d, generator=generator, dtype=torch.float64)
    X[:, : n // 2, 0] += 2.5
    return X


def without_dropout(settings):
    return replace(settings, dropout=0.0, root_dropout=0.0, iterations=10)


@pytest.mark.parametrize("name", CASES)
def test_losses_and_assignments_equal_the_sparse_ones(name):
    settings, X = without_dropout(CASES[name]), features()
    ours = cluster_images(X, settings, seed=3)
    losses, S = oracle.train(X[0], settings, ClusterNet(X.shape[2], settings, seed=3))
    assert np.abs(ours.losses[0] - losses).max() < 1e-8 * max(1, abs(losses[0]))
    assert np.abs(ours.assignments[0, 0] - S.numpy()).max() < 1e-6  # assignments are kept in float32


@pytest.mark.parametrize("name", ["NCUT | GCN", "NCUT | GAT", "NCUT | ARMA", "CC | GAT", "unsegarmanet"])
def test_a_batch_equals_one_at_a_time_dropout_and_all(name):
    settings, X = replace(CASES[name], iterations=8), features(3)
    together, alone = (cluster_images(X, settings, batch=batch) for batch in (3, 1))
    assert np.allclose(together.losses, alone.losses, rtol=0, atol=1e-9 * np.abs(alone.losses).max())
    assert np.abs(together.assignments - alone.assignments).max() < 1e-6


def test_the_seed_decides():
    settings, X = replace(PRESETS["slides"], iterations=8), features(2)
    first, again, other = (cluster_images(X, settings, seed=seed).losses for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).all()


def test_records_what_is_asked_for():
    settings = replace(PRESETS["slides"], iterations=20)
    found = cluster_images(features(2), settings, record=(5, 20))
    assert found.iterations.tolist() == [5, 20] and found.assignments.shape == (2, 2, 36, 2)
    last = cluster_images(features(2), settings)
    assert (found.assignments[:, -1:] == last.assignments).all()
    assert np.allclose(found.assignments.sum(axis=3), 1)


@pytest.mark.parametrize("settings", combinations(), ids=lambda s: s.name)
def test_finds_two_planted_groups(settings):
    X = torch.randn(1, 60, 8, generator=torch.Generator().manual_seed(0)) * 0.3
    X[:, :25, 0] += 1
    X[:, 25:, 1] += 1
    X = torch.nn.functional.normalize(X - X.mean(dim=1, keepdim=True), dim=2)
    slow = replace(settings, learning_rate=0.01, alpha=100.0, iterations=200)
    labels = cluster_images(X, slow).assignments[0, 0].argmax(axis=1)
    purity = max(
        ((labels == 0) == (np.arange(60) < 25)).mean(), ((labels == 1) == (np.arange(60) < 25)).mean()
    )
    assert purity > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.full((1, 5, 2), np.nan)}, "finite"),
        ({"features": np.zeros((5, 2))}, "N, n, d"),
        ({"features": np.zeros((1, 5, 2))}, "edge"),
        ({"record": (0,)}, "record"),
        ({"record": (101,)}, "record"),
        ({"batch": 0}, "batch"),
        ({"settings": replace(PRESETS["slides"], objective="cc", layer="arma")}, "negative"),
    ],
)
def test_bad_input(change, message):
    arguments = {"features": features().numpy(), "settings": PRESETS["slides"]} | change
    with pytest.raises(ValueError, match=message):
        cluster_images(**arguments)


def test_bad_settings():
    for change in ({"clusters": 1}, {"layer": "gnn"}, {"objective": "cut"}, {"dropout": 1.0}, {"depth": 0}):
        with pytest.raises(ValueError, match=next(iter(change))):
            replace(PRESETS["slides"], **change)
    with pytest.raises(TypeError, match="floating"):
        cluster_images(np.zeros((1, 5, 2), dtype=int), PRESETS["slides"])
