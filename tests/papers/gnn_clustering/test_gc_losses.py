"""The three objectives: against PyTorch Geometric's pooling losses, numpy, hand-worked values, and their bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.nn.dense import DMoNPooling, dense_mincut_pool

from segstudy.papers.gnn_clustering import affinity, build_graph, correlation_loss, dmon_loss, ncut_loss

# Two triangles with self-loops, joined by one edge: 2m = 20, degrees 3, 3, 4 and 4, 3, 3.
TRIANGLES = torch.kron(torch.eye(2, dtype=torch.float64), torch.ones(3, 3, dtype=torch.float64))
TRIANGLES[2, 3] = TRIANGLES[3, 2] = 1
SPLIT = torch.eye(2, dtype=torch.float64)[[0, 0, 0, 1, 1, 1]]


def problem(n=12, k=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=generator, dtype=torch.float64)
    W = torch.rand(n, n, generator=generator, dtype=torch.float64)
    return logits, (W + W.T) / 2


@pytest.mark.parametrize("k", [2, 3, 5])
def test_ncut_equals_mincut_pooling(k):
    logits, W = problem(k=k)
    x = torch.zeros(1, 12, 1, dtype=torch.float64)
    *_, cut, balance = dense_mincut_pool(x, W[None], logits[None])
    assert float(ncut_loss(logits.softmax(1), W)) == pytest.approx(float(cut + balance), abs=1e-6)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_dmon_equals_dmon_pooling(k, monkeypatch):
    logits, W = problem(k=k)
    pooling = DMoNPooling(k, k)
    monkeypatch.setattr(pooling, "mlp", torch.nn.Identity())
    *_, spectral, _, cluster = pooling(logits[None], W[None])
    assert float(dmon_loss(logits.softmax(1), W)) == pytest.approx(float(spectral + cluster), abs=1e-6)


def test_worked_by_hand():
    assert float(dmon_loss(SPLIT, TRIANGLES)) == pytest.approx(-0.4)
    assert float(dmon_loss(SPLIT, TRIANGLES, doubled=True)) == pytest.approx(-13 / 40)
    assert float(ncut_loss(SPLIT, TRIANGLES)) == pytest.approx(-18 / 20)
    # each triangle keeps 9 of its 10
    assert float(ncut_loss(SPLIT, TRIANGLES, pooled=False)) == pytest.approx(-2 * 0.9)
    assert float(correlation_loss(SPLIT, TRIANGLES - 0.5)) == pytest.approx(-(18 - 9))
    uneven = torch.eye(2, dtype=torch.float64)[[0, 0, 0, 0, 0, 1]]
    collapsed = np.sqrt(2) / 6 * np.hypot(5, 1) - 1
    difference = dmon_loss(uneven, TRIANGLES) - dmon_loss(uneven, TRIANGLES, collapse=0)
    assert float(difference) == pytest.approx(collapsed)


@pytest.mark.parametrize("function", [ncut_loss, correlation_loss, dmon_loss], ids=lambda f: f.__name__)
def test_gradients(function):
    logits, W = problem(8, 2)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: function(z.softmax(1), W), (logits,))


def test_gradients_of_the_other_forms():
    logits, W = problem(8, 2)
    X = torch.randn(1, 8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    low_rank = build_graph(X, "cc", alpha=2.0)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: correlation_loss(z.softmax(1)[None], low_rank), (logits,))
    assert torch.autograd.gradcheck(lambda z: ncut_loss(z.softmax(1), W, pooled=False), (logits,))
    assert torch.autograd.gradcheck(lambda z: dmon_loss(z.softmax(1), W, doubled=True), (logits,))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 15), st.integers(2, 5), st.integers(0, 1000))
def test_bounds_and_the_order_of_nodes_and_clusters(n, k, seed):
    logits, W = problem(n, k, seed)
    S = (3 * logits).softmax(1)
    assert -1 <= float(ncut_loss(S, W)) <= 2
    assert 0 <= float(dmon_loss(S, W) - dmon_loss(S, W, collapse=0)) + 1e-12 <= np.sqrt(k) - 1 + 1e-9
    assert -1 <= float(dmon_loss(S, W, collapse=0)) <= 0.5
    generator = torch.Generator().manual_seed(seed)
    nodes, clusters = torch.randperm(n, generator=generator), torch.randperm(k, generator=generator)
    for function in (ncut_loss, correlation_loss, dmon_loss):
        moved = function(S[nodes][:, clusters], W[nodes][:, nodes])
        assert float(moved) == pytest.approx(float(function(S, W)), rel=1e-9)


def test_a_batch_is_one_loss_a_picture():
    logits, W = problem()
    other = W + torch.eye(12)
    both = ncut_loss(torch.stack([logits.softmax(1)] * 2), torch.stack([W, other]))
    assert both.tolist() == pytest.approx([float(ncut_loss(logits.softmax(1), w)) for w in (W, other)])


def test_no_edges_and_wrong_shapes():
    S = SPLIT
    for function in (ncut_loss, dmon_loss):
        with pytest.raises(ValueError, match="edge"):
            function(S, torch.zeros(6, 6, dtype=torch.float64))
    with pytest.raises(ValueError, match="assignment"):
        ncut_loss(S[:5], TRIANGLES)
    with pytest.raises(ValueError, match="2 clusters"):
        ncut_loss(S[:, :1], TRIANGLES)


def test_the_sign_the_slides_lost():
    X = torch.tensor([[2, 0], [2, 0], [2, 1], [1, 2], [0, 2], [0, 2]], dtype=torch.float64)
    W = affinity(X, "ncut")
    wrong = SPLIT[[0, 3, 1, 4, 2, 5]]
    assert ncut_loss(SPLIT, W) < ncut_loss(wrong, W)
