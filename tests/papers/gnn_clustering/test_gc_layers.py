"""Attention without a score for each edge, and layers that refuse what they cannot take."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.nn import GATConv

from segstudy.papers.gnn_clustering import attention, build_graph
from segstudy.papers.gnn_clustering.attention import MaskedAttention, complete_attention
from segstudy.papers.gnn_clustering.graphs import DenseGraph
from segstudy.papers.gnn_clustering.layers import ARMA, GAT, GCN, Dropout


def scores(n=11, heads=3, f=4):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(2, heads, n, dtype=torch.float64, generator=generator) for _ in range(2))
    values = torch.randn(2, heads, n, f, dtype=torch.float64, generator=generator)
    joined = torch.rand(2, n, n, dtype=torch.float64, generator=generator) > 0.6
    return a, b, values, (joined | joined.mT).double()


def plain(a, b, values, joined):
    """Softmax over the neighbours, one score for each edge."""
    n = joined.shape[1]
    logits = torch.nn.functional.leaky_relu(a[..., None] + b[:, :, None], 0.2)
    allowed = (joined + torch.eye(n, dtype=joined.dtype))[:, None] > 0
    return logits.masked_fill(~allowed, -torch.inf).softmax(dim=3) @ values


def test_on_a_complete_graph():
    a, b, values, joined = scores()
    full = torch.ones_like(joined)
    expected = plain(a, b, values, full)
    assert torch.allclose(complete_attention(a, b, values), expected)
    assert torch.allclose(MaskedAttention(DenseGraph(full), 3)(a, b, values), expected)


def test_with_edges_missing():
    a, b, values, joined = scores()
    found = MaskedAttention(DenseGraph(joined), 3)(a, b, values)
    assert torch.allclose(found, plain(a, b, values, joined))


def test_scores_far_apart_do_not_overflow():
    a, b, values, joined = scores()
    found = complete_attention(300 * a, 300 * b, values)
    assert torch.allclose(found, plain(300 * a, 300 * b, values, torch.ones_like(joined)))


@pytest.mark.parametrize("form", ["complete", "kept", "blocks"])
def test_gradients(form, monkeypatch):
    if form == "blocks":
        monkeypatch.setattr(attention, "KEPT", 0)
    a, b, values, joined = scores(7, 2, 2)
    attend = complete_attention if form == "complete" else MaskedAttention(DenseGraph(joined), 2)
    wanted = [part.clone().requires_grad_() for part in (a, b, values)]
    attend(*wanted).square().sum().backward()
    oracle = [part.clone().requires_grad_() for part in (a, b, values)]
    everyone = torch.ones_like(joined) if form == "complete" else joined
    plain(*oracle, everyone).square().sum().backward()
    for ours, theirs in zip(wanted, oracle, strict=True):
        assert torch.allclose(ours.grad, theirs.grad)


def test_blocks_equal_what_is_kept(monkeypatch):
    a, b, values, joined = scores()
    kept = MaskedAttention(DenseGraph(joined), 3)(a, b, values)
    monkeypatch.setattr(attention, "KEPT", 8 * 6000)
    assert torch.allclose(MaskedAttention(DenseGraph(joined), 3)(a, b, values), kept)


def test_gat_equals_the_library_on_the_slides_graph():
    X = torch.randn(1, 20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    graph = build_graph(X, "dmon", tau=0.2)
    ours = GAT(1, 5, 8, torch.Generator().manual_seed(0), heads=4).double()
    theirs = GATConv(5, 2, heads=4).double()
    with torch.no_grad():
        theirs.lin.weight.copy_(ours.weight[0].T)
        theirs.att_dst.copy_(ours.asking[0].transpose(0, 1))
        theirs.att_src.copy_(ours.asked[0].transpose(0, 1))
    edges = graph.dense()[0].nonzero().T
    found = ours(ours.prepare(graph, X), Dropout(None))[0]
    assert torch.allclose(found, theirs(X[0], edges))


def test_negative_weights_are_refused():
    X = torch.randn(1, 9, 3, generator=torch.Generator().manual_seed(0))
    graph = build_graph(X, "cc", alpha=2.0)
    generator = torch.Generator()
    arma = ARMA(1, 3, 4, generator, stacks=2, depth=1, dropout=0.0, activation="silu")
    for layer in (arma, GCN(1, 3, 4, generator, normalise=True)):
        with pytest.raises(ValueError, match="normalise=False"):
            layer.prepare(graph, X)
    GCN(1, 3, 4, generator, normalise=False).prepare(graph, X)


def test_heads_divide_the_channels():
    with pytest.raises(ValueError, match="heads"):
        GAT(1, 3, 6, torch.Generator(), heads=4)


def test_a_node_without_an_edge_hears_nobody():
    X = torch.tensor([[[1.0, 0.0], [1.0, 0.1], [0.0, 0.0]]])
    graph = build_graph(X, "dmon", tau=0.5)
    generator = torch.Generator().manual_seed(0)
    arma = ARMA(1, 2, 2, generator, stacks=1, depth=2, dropout=0.0, activation="none")
    assert torch.isfinite(arma(arma.prepare(graph, X), Dropout(None))).all()


def test_dropout_is_the_same_for_every_picture():
    drop = Dropout(torch.Generator().manual_seed(0))
    dropped = drop(torch.ones(3, 50, 4), 0.25)
    assert (dropped[0] == dropped[1]).all() and dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.08)
