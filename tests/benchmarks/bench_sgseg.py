"""Time of the parts of SGSeg that are ours, beside PyG's and the plain convolution; run by name, not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest -s tests/benchmarks/bench_sgseg.py

Each test prints what it measured. What is compared runs in turn in one process, in an order drawn anew in each round; a
machine that does something else meanwhile makes the ratios wider, which their quartiles show.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch_geometric.nn import EdgeConv, MessagePassing

from segstudy.experiments.rounds import interleave
from segstudy.papers.sgseg import AutoregressiveCNN, superpixel_graph
from segstudy.papers.sgseg.autoregressive import ORDERS, OrderedConv
from segstudy.papers.sgseg.gnn import PARTS, TOO_NEAR, Block

NODES, WIDTH, BLOCKS, K = 200, 64, 4, 20
ROUNDS = 41


pytestmark = pytest.mark.usefixtures("one_thread")


class DiffConv(MessagePassing):
    """Eq. 16 as PyG would have it: h of all features of every edge."""

    def __init__(self, network: nn.Module):
        super().__init__(aggr="max")
        self.network = network

    def forward(self, x: Tensor, edge_index: Tensor, places: Tensor) -> Tensor:
        return self.propagate(edge_index, x=x, places=places)

    def message(self, x_i: Tensor, x_j: Tensor, places_i: Tensor, places_j: Tensor) -> Tensor:
        steps, change = places_i - places_j, x_i - x_j
        directions = steps / steps.norm(dim=1, keepdim=True).clamp_min(TOO_NEAR)
        return self.network(torch.cat([x_i, change * directions[:, :1], change * directions[:, 1:]], dim=1))


def ours(blocks: nn.ModuleList, features: Tensor) -> Tensor:
    graph, values = superpixel_graph(features[None], K), features[None]
    for block in blocks:
        values = block(values, graph, features[None, :, :2])
    return values[0]


def pyg(layers: nn.ModuleList, features: Tensor) -> Tensor:
    """Return what PyG makes on the same graph: what its DynamicEdgeConv does once it has found one."""
    near = superpixel_graph(features[None], K)[0]
    edges = torch.stack([near.reshape(-1), torch.arange(NODES).repeat_interleave(K)])
    values = features
    for layer in layers:
        values = (
            layer(values, edges) if isinstance(layer, EdgeConv) else layer(values, edges, features[:, :2])
        )
    return values


def pyg_layers(kind: str, blocks: nn.ModuleList) -> nn.ModuleList:
    """Return PyG's layers with the weights of our blocks."""
    layers = nn.ModuleList()
    for block in blocks:
        h = nn.Sequential(nn.Linear(PARTS[kind] * WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU())
        layers.append(EdgeConv(h) if kind == "DGCNN" else DiffConv(h))  # EdgeConv draws h's weights anew
        with torch.no_grad():
            h[0].weight.copy_(block.linear.weight)
            h[0].bias.copy_(block.linear.bias)
            if kind == "DGCNN":  # EdgeConv takes j less i
                h[0].weight[:, WIDTH:] *= -1
    return layers.train(blocks.training)


@pytest.mark.parametrize("training", [False, True], ids=["prediction", "training"])
def test_graph_and_blocks_are_no_slower_than_pyg_s(training):
    features = torch.randn(NODES, WIDTH, generator=torch.Generator().manual_seed(0))
    jobs = {}
    for kind in ("DGCNN", "DiffGCN"):
        blocks = nn.ModuleList(Block(kind, WIDTH) for _ in range(BLOCKS)).train(training)
        layers = pyg_layers(kind, blocks)
        torch.testing.assert_close(ours(blocks, features), pyg(layers, features), atol=1e-4, rtol=1e-4)
        jobs[f"{kind}, ours"], jobs[f"{kind}, PyG"] = partial(ours, blocks), partial(pyg, layers)

    def run(job):
        with torch.set_grad_enabled(training):
            found = job(features)
        if training:
            found.sum().backward()

    seconds = interleave(
        {name: partial(run, job) for name, job in jobs.items()}, ROUNDS, torch.get_num_threads()
    )
    for kind, other in (("DGCNN", "DGCNN"), ("DiffGCN", "DiffGCN"), ("DiffGCN", "DGCNN")):
        ratio = show(f"{kind}, ours", f"{other}, PyG", seconds)
        assert ratio < 1


@pytest.mark.parametrize(("inputs", "outputs", "side"), [(64, 64, 64), (256, 512, 32)])
def test_each_reading_order_costs_one_convolution(inputs, outputs, side):
    layer, values = OrderedConv(inputs, outputs).eval(), torch.randn(1, inputs, side, side)
    compare_orders(layer, values, most=1.5)


def test_a_pass_of_the_network_costs_the_same_in_any_order():
    network = AutoregressiveCNN(widths=(16, 32, 64, 128)).eval()
    compare_orders(network, torch.randn(1, 67, 64, 64), most=1.25)


def compare_orders(layer: nn.Module, values: Tensor, most: float) -> None:
    plain, counts = "unmasked", {}
    jobs = {plain: partial(layer, values)} | {f"order {o}": partial(layer, values, o) for o in range(ORDERS)}
    with torch.no_grad():
        for name, job in jobs.items():
            with FlopCounterMode(display=False) as counter:
                job()
            counts[name] = counter.get_total_flops()
        assert len(set(counts.values())) == 1  # a masked one and a full one would be two
        seconds = interleave(jobs, ROUNDS, torch.get_num_threads())
    for name in jobs:
        if name != plain:
            assert show(name, plain, seconds) < most


def show(one: str, other: str, seconds: dict[str, np.ndarray]) -> float:
    """Print the ratio of two jobs' times, and return its median."""
    low, ratio, high = np.percentile(seconds[one] / seconds[other], (25, 50, 75))
    times = " and ".join(f"{1e3 * np.median(seconds[name]):.1f}" for name in (one, other))
    print(f"\n{one} by {other}: {ratio:.2f} [{low:.2f}, {high:.2f}], {times} ms", end="")
    return ratio
