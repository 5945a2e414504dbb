"""Affinities against their equations, and one graph in three forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.papers.gnn_clustering import (
    affinity,
    build_graph,
    correlation_loss,
    dmon_loss,
    graphs,
    ncut_loss,
)
from segstudy.papers.gnn_clustering.graphs import DenseGraph, LowRankGraph, RowGraph


@pytest.fixture
def X():
    return torch.randn(2, 17, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_equations(X):
    for picture in X.numpy():
        G = picture @ picture.T
        unit = picture / np.linalg.norm(picture, axis=1, keepdims=True)
        expected = {
            "ncut": np.maximum(G, 0) / G.max(),
            "cc": G - G.max() / 3,
            "dmon": (unit @ unit.T > 0.4).astype(float),
        }
        for kind, W in expected.items():
            found = affinity(torch.from_numpy(picture), kind, alpha=3.0, tau=0.4)
            assert np.allclose(found, W, atol=1e-12)
        positive = affinity(torch.from_numpy(picture), "cc", alpha=3.0, positive=True)
        assert np.allclose(positive, np.maximum(expected["cc"], 0), atol=1e-12)


@pytest.mark.parametrize("kind", graphs.AFFINITIES)
def test_every_form_is_the_same_graph(X, kind, monkeypatch):
    monkeypatch.setattr(graphs, "BLOCK", 1000)  # some three rows at a time
    stored = DenseGraph(affinity(X, kind))
    by_rows = build_graph(X, kind, memory=0)
    assert isinstance(by_rows, LowRankGraph if kind == "cc" else RowGraph)
    H = torch.randn(2, 17, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(by_rows @ H, stored @ H)
    for name in ("degrees", "diagonal"):
        assert torch.allclose(getattr(by_rows, name), getattr(stored, name))
    assert by_rows.negative == stored.negative == (kind == "cc")
    assert torch.allclose(by_rows.dense(), stored.dense())
    assert torch.equal(by_rows.joined(3, 9), stored.joined(3, 9))


def test_memory_decides_the_form(X):
    assert isinstance(build_graph(X, "ncut"), DenseGraph)
    assert isinstance(build_graph(X, "ncut", memory=2 * 17 * 17 * 8 - 1), RowGraph)


def test_complete_and_joined():
    X = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    graph = build_graph(X, "dmon", tau=0.5)
    assert not graph.complete and graph.dense()[0, 2].tolist() == [0, 0, 0]
    assert graph.joined(0, 3)[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]  # each its own neighbour
    assert build_graph(X + 1, "ncut").complete


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"features": torch.ones(3, 2, dtype=torch.long)}, TypeError, "floating"),
        ({"features": torch.full((3, 2), float("nan"))}, ValueError, "finite"),
        ({"features": torch.ones(3)}, ValueError, r"\(n, d\)"),
        ({"kind": "cut"}, ValueError, "kind"),
        ({"alpha": 0.0}, ValueError, "alpha"),
        ({"tau": 1.0}, ValueError, "tau"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        affinity(**{"features": torch.ones(3, 2), "kind": "ncut", **change})


@pytest.mark.parametrize(
    ("entry", "message"), [(5.0, "symmetric.* by 4"), (float("nan"), "finite"), (float("inf"), "finite")]
)
def test_weights_that_break_the_gradient_are_refused_by_every_loss(entry, message, monkeypatch):
    monkeypatch.setattr(graphs, "BLOCK", 200)  # a row at a time: entries are sought across blocks
    weights = torch.ones(2, 4, 4)
    weights[1, 3, 0] = entry
    S = torch.full((2, 4, 2), 0.5)
    for loss in (ncut_loss, correlation_loss, dmon_loss):
        with pytest.raises(ValueError, match=message):
            loss(S, weights)
    weights[1, 0, 3] = weights[1, 3, 0] = 1 + 1e-6
    weights[1, 0, 3] = 1  # a rounding apart
    assert all(bool(loss(S, weights).isfinite().all()) for loss in (ncut_loss, correlation_loss, dmon_loss))


def test_equal_cosines_join_both_ways_or_neither():
    """Thresholds at the cosines themselves, whose two halves a product may round differently."""
    X = torch.randn(1, 100, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    unit = X / X.norm(dim=2, keepdim=True)
    cosines = unit @ unit.mT
    for i, j in torch.triu_indices(100, 100, 1).T[::25].tolist():
        W = affinity(X, "dmon", tau=min(float(cosines[0, i, j]), float(cosines[0, j, i])))
        assert torch.equal(W, W.mT)


def test_a_matrix_that_is_not_square():
    with pytest.raises(ValueError, match="square"):
        DenseGraph(torch.ones(1, 3, 2))
