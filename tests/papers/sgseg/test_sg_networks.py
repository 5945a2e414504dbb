"""The three networks: printed sizes, equations by loops, and what each reading order sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from segstudy.papers import sgseg
from segstudy.papers.sgseg.autoregressive import ORDERS, OrderedConv
from segstudy.papers.sgseg.gnn import Block, graph_total_variation
from segstudy.papers.sgseg.network import NO_GNN, NO_SUPERPIXELS

SMALL = {"spnn_widths": (4, 6, 8, 8), "cnn_widths": (4, 6, 8), "gnn_width": 6, "gnn_blocks": 2}


def size(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("count", "bands", "places", "expected"),
    [
        (200, 3, False, 8_754_891),
        (100, 3, False, 8_703_591),
        (100, 4, False, 8_705_704),
        (200, 3, True, 8_758_091),
    ],
)
def test_parameters_of_spnn(count, bands, places, expected):
    assert size(sgseg.SPNN(count, bands, places=places)) == expected


@pytest.mark.parametrize(
    ("kind", "channels", "expected"),
    [
        ("DiffGCN", 517, 190_912),
        ("DiffGCN", 518, 190_976),
        ("DGCNN", 517, 174_528),
        ("DGCNN", 518, 174_592),
        ("PointNet", 517, 158_144),
        ("PointNet", 518, 158_208),
    ],
)
def test_parameters_of_the_graph_network(kind, channels, expected):
    assert size(sgseg.SuperpixelGNN(channels, kind)) == expected


@pytest.mark.parametrize(
    ("widths", "channels", "classes", "bands", "expected"),
    [
        ((64, 128, 256, 512), 67, 15, 3, 3_388_241),
        ((64, 128, 256, 512), 67, 4, 3, 3_382_015),
        ((64, 128, 256, 512), 68, 6, 4, 3_384_356),
        ((64, 128, 256, 512), 68, 3, 4, 3_382_655),
    ],
)
def test_parameters_of_the_segmentation_network(widths, channels, classes, bands, expected):
    assert size(sgseg.AutoregressiveCNN(channels, classes, bands, widths)) == expected


def test_parameters_of_the_other_readings_of_table_10():
    """Three blocks that double; four blocks of which the second keeps its width; four that double (FACTS 2.1)."""
    from segstudy.papers.sgseg.autoregressive import ResidualBlock

    def blocks(*ends):
        return sum(size(ResidualBlock(a, b)) for a, b in ends)

    ours = sgseg.AutoregressiveCNN(67, 15, 3)
    others = size(ours) - blocks((64, 64), (64, 128), (128, 256), (256, 512))
    assert others + blocks((64, 128), (128, 256), (256, 512)) == 3_330_001
    assert others + blocks((64, 128), (128, 128), (128, 256), (256, 512)) == 3_561_169


def passed(order: int, radius: int = 2) -> set[tuple[int, int]]:
    """Return the places around a pixel that a 3 x 3 kernel sees in an order: written from its definition.

    Order 0 reads rows from the top left: two rows above, in full, and of the pixel's own what is left of it, and it.
    """
    seen = {(-2, -1), (-2, 0), (-2, 1), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)}
    if order >= 4:
        seen = {(row, -column) for row, column in seen}
    for _ in range(order % 4):
        seen = {(-column, row) for row, column in seen}  # a quarter turn against the clock
    return seen


@pytest.mark.parametrize("order", [None, *range(ORDERS)])
def test_what_an_order_sees(order):
    layer = OrderedConv(1, 1)
    nn.init.ones_(layer.weight)
    picture = torch.zeros(1, 1, 7, 7, requires_grad=True)
    layer(picture, order)[0, 0, 3, 3].backward()
    seen = {(int(row) - 3, int(column) - 3) for row, column in picture.grad[0, 0].nonzero()}
    assert seen == ({(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)} if order is None else passed(order))


def test_the_eight_orders_differ_and_keep_the_size():
    values, layer = torch.randn(2, 3, 6, 5), OrderedConv(3, 4)
    outputs = [layer(values, order) for order in range(ORDERS)]
    assert all(found.shape == (2, 4, 6, 5) for found in outputs)
    assert all(not torch.equal(a, b) for i, a in enumerate(outputs) for b in outputs[:i])
    with pytest.raises(ValueError, match="order"):
        layer(values, ORDERS)


def pairs_of(block: Block, features, neighbours, places) -> torch.Tensor:
    """Return a block's output by Eqs. 15 and 16, pair by pair."""
    rows = []
    for i, near in enumerate(neighbours[0].tolist()):
        for j in near:
            difference = features[0, i] - features[0, j]
            if block.kind == "DGCNN":
                rows.append(torch.cat([features[0, i], difference]))
                continue
            step = places[0, i] - places[0, j]
            by = difference / step.norm() if step.norm() > 0 else torch.zeros_like(difference)
            rows.append(torch.cat([features[0, i], by * step[0], by * step[1]]))
    values = (
        block.norm(block.linear(torch.stack(rows))).relu().view(len(neighbours[0]), -1, features.shape[2])
    )
    return values.amax(dim=1) if block.aggregation == "max" else values.mean(dim=1)


@pytest.mark.parametrize("kind", ["DGCNN", "DiffGCN"])
@pytest.mark.parametrize("aggregation", ["max", "mean"])
def test_blocks_equal_the_equations_pair_by_pair(kind, aggregation):
    torch.manual_seed(0)
    block = Block(kind, 4, aggregation).double()
    features = torch.randn(1, 9, 4, dtype=torch.float64)
    places = torch.rand(1, 9, 2, dtype=torch.float64)
    places[0, 1] = places[0, 0]  # two superpixels in one place
    neighbours = sgseg.superpixel_graph(features, 3)
    found = block(features, neighbours, places)[0]
    torch.testing.assert_close(found, pairs_of(block, features, neighbours, places))


def test_a_point_network_hears_nobody():
    block = Block("PointNet", 4).eval()
    features, neighbours = torch.randn(1, 6, 4), torch.zeros(1, 6, 2, dtype=torch.long)
    before = block(features, neighbours, features[..., :2])
    features[0, 5] += 1
    after = block(features, neighbours, features[..., :2])
    assert torch.equal(before[0, :5], after[0, :5]) and not torch.equal(before[0, 5], after[0, 5])


def test_three_nodes_by_hand():
    """H is the identity: node 0 at (0, 0), node 1 at (3, 4), one feature each."""
    block = Block("DiffGCN", 1).eval()
    with torch.no_grad():
        block.linear.weight.copy_(torch.tensor([[1.0, 10.0, 100.0]]))
        block.linear.bias.zero_()
    features = torch.tensor([[[1.0], [3.0], [0.0]]])
    places = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]])
    found = block(features, torch.tensor([[[1, 2], [0, 2], [0, 1]]]), places)
    # node 0 from 1: F - F = -2, / 5 * (-3, -4) = (1.2, 1.6): 1 + 12 + 160; from 2: 1 / 1 * (0, -1): 1 - 100
    assert found[0, 0].item() == pytest.approx((1 + 12 + 160) / np.sqrt(1 + 1e-5), rel=1e-5)


def test_neighbours_are_those_of_the_own_picture():
    features = torch.randn(2, 7, 3)
    features[1] += 100
    graph = sgseg.superpixel_graph(features, 6)
    for b in range(2):
        for node in range(7):
            assert sorted(graph[b, node].tolist()) == [n for n in range(7) if n != node]
    with pytest.raises(ValueError, match="k must be"):
        sgseg.superpixel_graph(features, 7)


def test_total_variation_by_hand():
    projected = torch.tensor([[[[0.0, 2.0], [1.0, 1.0]]]])
    assert sgseg.total_variation(projected).item() == pytest.approx((2 + 0 + 1 + 1) / 4)
    features = torch.tensor([[[0.0], [1.0], [4.0]]])
    assert graph_total_variation(features, torch.tensor([[[1], [0], [1]]])).item() == pytest.approx(5 / 3)


@pytest.mark.parametrize("gnn", ["DiffGCN", "DGCNN", "PointNet", NO_GNN, NO_SUPERPIXELS])
def test_the_whole_network(gnn):
    network = sgseg.SGSeg(3, superpixels=12, gnn=gnn, k=4, **SMALL)
    images = torch.randn(2, 3, 9, 11)
    parts = sgseg.sgseg_loss(network, images, (0, 5))
    expected = {"mi", "reconstruction"} | ({"spnn"} if gnn != NO_SUPERPIXELS else set())
    assert set(parts) == expected | ({"tv"} if gnn not in (NO_GNN, NO_SUPERPIXELS) else set())
    sum(parts.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    probabilities = network.eval()(images)
    assert probabilities.shape == (2, 3, 9, 11)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2, 9, 11))


def test_the_segmentation_s_gradient_reaches_the_superpixels():
    """SG23: every component is differentiable."""
    network = sgseg.SGSeg(3, superpixels=12, k=4, **SMALL)
    sgseg.sgseg_loss(network, torch.randn(2, 3, 9, 11), (1, 2))["mi"].backward()
    assert all(p.grad.abs().sum() > 0 for p in network.spnn.layers.parameters() if p.ndim == 4)


def test_sure_superpixels_paint_pixels_alike_and_still_pass_the_gradient():
    network = sgseg.SGSeg(3, superpixels=12, k=4, sure=True, **SMALL)
    found = network.find(torch.randn(2, 3, 9, 11))
    labels = found.assignment.superpixels.argmax(dim=1)
    for b in range(2):
        for label in labels[b].unique():
            painted = found.projected[b][:, labels[b] == label]
            assert torch.allclose(painted, painted[:, :1].expand_as(painted), atol=1e-5)
    found.projected.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.spnn.layers.parameters() if p.ndim == 4)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_state():
    before = torch.get_rng_state()
    one, same, other = (sgseg.SGSeg(3, superpixels=12, k=4, seed=s, **SMALL) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    pairs = list(zip(one.parameters(), same.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: sgseg.SPNN(0), "count"),
        (lambda: sgseg.SuperpixelGNN(5, "GCN"), "kind"),
        (lambda: sgseg.SuperpixelGNN(5, aggregation="sum"), "aggregation"),
        (lambda: sgseg.AutoregressiveCNN(5, 0), "num_classes"),
        (lambda: sgseg.AutoregressiveCNN(5, 2, -1), "bands"),
        (lambda: sgseg.AutoregressiveCNN(5, 2, widths=(8, 4)), "outputs"),
        (lambda: sgseg.SGSeg(3, superpixels=10, k=10), "k must be"),
        (lambda: sgseg.SPNN(5)(torch.zeros(3, 8, 8)), "images"),
        (lambda: sgseg.AutoregressiveCNN(3, 2)(torch.zeros(1, 3, 1, 8)), "inputs"),
    ],
)
def test_what_cannot_be_is_refused(build, word):
    with pytest.raises(ValueError, match=word):
        build()
