"""Time of the parts of SGSeg that are ours, beside PyG's and the plain convolution; run by name, not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_sgseg.py --benchmark-only
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch_geometric.nn import EdgeConv

from segstudy.papers.sgseg import superpixel_graph
from segstudy.papers.sgseg.autoregressive import OrderedConv
from segstudy.papers.sgseg.gnn import Block

NODES, WIDTH, BLOCKS, K = 200, 64, 4, 20


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def features():
    return torch.randn(1, NODES, WIDTH, generator=torch.Generator().manual_seed(0))


def ours(kind: str, features: torch.Tensor):
    blocks = nn.ModuleList(Block(kind, WIDTH) for _ in range(BLOCKS)).eval()

    def run():
        graph, values = superpixel_graph(features, K), features
        with torch.no_grad():
            for block in blocks:
                values = block(values, graph, features[:, :, :2])
        return values

    return run


def pyg(features: torch.Tensor):
    """Return PyG's EdgeConv with the same layer on the same graph: what its DynamicEdgeConv does for a fixed graph."""
    layers = [
        EdgeConv(nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU()).eval())
        for _ in range(BLOCKS)
    ]

    def run():
        near = superpixel_graph(features, K)[0]
        edges = torch.stack([near.reshape(-1), torch.arange(NODES).repeat_interleave(K)])
        values = features[0]
        with torch.no_grad():
            for layer in layers:
                values = layer(values, edges)
        return values

    return run


@pytest.mark.parametrize("what", ["DiffGCN, ours", "DGCNN, ours", "DGCNN, PyG"])
def test_time_of_graph_and_blocks(benchmark, features, what):
    kind, _, whose = what.partition(", ")
    benchmark(pyg(features) if whose == "PyG" else ours(kind, features))


@pytest.mark.parametrize("what", ["plain convolution", "in an order"])
def test_time_of_a_reading_order(benchmark, what):
    layer = OrderedConv(64, 64).eval()
    values = torch.randn(1, 64, 64, 64)
    with torch.no_grad():
        benchmark(layer, values, None if what == "plain convolution" else 3)
