"""The dense layers against PyTorch Geometric's sparse ones on the same graph."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.nn import GATConv, GCNConv, GINConv

from segstudy.papers.scgnet.graphs import IdentityGraph, SparseGraph
from segstudy.papers.scgnet.layers import GAT, GCN, GIN, DenseGraph

N, D, OUT = 9, 5, 4


@pytest.fixture
def batch():
    """Return two weighted, directed graphs with edges missing, and features."""
    source = torch.Generator().manual_seed(0)
    weights = torch.rand(2, N, N, generator=source, dtype=torch.float64)
    weights = weights * (torch.rand(2, N, N, generator=source) < 0.5)
    weights.diagonal(dim1=1, dim2=2).zero_()  # PyG takes a given loop for the one that Eq. 3 adds
    return DenseGraph(weights), torch.randn(2, N, D, generator=source, dtype=torch.float64)


def edges(weights):
    """Return PyG's form of one matrix: A_ij is an edge from j to i."""
    receive, send = weights.nonzero().T
    return torch.stack([send, receive]), weights[receive, send]


def test_gcn(batch):
    graph, nodes = batch
    torch.manual_seed(1)
    layer, theirs = GCN(D, OUT).double(), GCNConv(D, OUT).double()
    layer.bias.data.normal_()
    theirs.lin.weight.data, theirs.bias.data = layer.linear.weight.data, layer.bias.data
    for weights, x, found in zip(graph.weights, nodes, layer(graph, nodes), strict=True):
        assert torch.allclose(found, theirs(x, *edges(weights)), atol=1e-12)


def test_gcn_adds_its_loop_to_the_diagonal(batch):
    _, nodes = batch
    weights = torch.rand(N, N, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    torch.manual_seed(1)
    layer = GCN(D, OUT).double()
    looped = weights + torch.eye(N, dtype=torch.float64)
    root = torch.diag(looped.sum(dim=1) ** -0.5)
    printed = root @ looped @ root @ nodes[0] @ layer.linear.weight.T + layer.bias
    assert torch.allclose(layer(DenseGraph(weights[None]), nodes[:1])[0], printed, atol=1e-12)


def test_gin(batch):
    graph, nodes = batch
    torch.manual_seed(1)
    layer = GIN(D, OUT).double()
    layer.omega.data.fill_(0.25)
    layer.bias.data.normal_()
    perceptron = torch.nn.Linear(D, OUT).double()
    theirs = GINConv(perceptron, eps=0.25)  # draws the perceptron's weights anew
    perceptron.weight.data, perceptron.bias.data = layer.linear.weight.data, layer.bias.data
    ones = DenseGraph((graph.weights > 0).double())  # PyG's GIN has no weights
    for weights, x, found in zip(ones.weights, nodes, layer(ones, nodes), strict=True):
        assert torch.allclose(found, theirs(x, edges(weights)[0]), atol=1e-12)
    # and Eq. 5 as printed, weights and all
    eye = torch.eye(N, dtype=torch.float64)
    printed = (1.25 * eye + graph.weights) @ nodes @ layer.linear.weight.T + layer.bias
    assert torch.allclose(layer(graph, nodes), printed, atol=1e-12)


def test_gat(batch):
    graph, nodes = batch
    torch.manual_seed(1)
    layer, theirs = GAT(D, OUT).double(), GATConv(D, OUT).double()
    theirs.lin.weight.data = layer.linear.weight.data
    theirs.att_src.data = layer.send.weight.data[None]
    theirs.att_dst.data = layer.receive.weight.data[None]
    for weights, x, found in zip(graph.weights, nodes, layer(graph, nodes), strict=True):
        assert torch.allclose(found, theirs(x, edges(weights)[0]), atol=1e-12)


def test_attention_wants_all_edges():
    graph = SparseGraph(torch.zeros(1, N, 1, dtype=torch.int64), torch.ones(1, N, 1))
    with pytest.raises(ValueError, match="graph must be dense"):
        GAT(D, OUT)(graph, torch.zeros(1, N, D))


def test_identity_in_place_of_the_graph(batch):
    _, nodes = batch
    eye = DenseGraph(torch.eye(N, dtype=torch.float64).expand(2, N, N))
    for kind in (GCN, GIN):
        torch.manual_seed(0)
        layer = kind(D, OUT).double()
        assert torch.allclose(layer(eye, nodes), layer(IdentityGraph(nodes), nodes), atol=1e-12)
