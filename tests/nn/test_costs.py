"""Costs against counts by hand, and against the digits that SCG-Net's Table VI prints."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from segstudy.experiments import published
from segstudy.nn import UNet
from segstudy.nn.comparators import COMPARATORS
from segstudy.nn.costs import honest_flops, parameters, published_flops

PICTURE = (3, 256, 256)


def printed(row: str, column: str) -> str:
    table = published.table("scgnet_table6")
    (cell,) = table[(table["row"] == row) & (table["column"] == column)]["value"]
    return str(cell)


@pytest.fixture(scope="module")
def networks():
    with torch.device("meta"):  # sizes are all a count needs
        return {row: build(6) for row, build in COMPARATORS.items()}


# millions of parameters; 10^9 by the paper's count; 10^9 multiply-adds with transposed convolutions
FIGURES = {
    "U-Net [8]": (31.043846, 15.248914016, 15.482565376),
    "FCN8s [7]": (134.300114, 73.461436994, 73.339735872),
    "SegNet [9]": (39.792082, 60.87835648, 65.099792384),
    "GCN [12]": (23.838644, 5.6107168, 5.566285824),
    "PSPNet [10]": (46.591052, 44.396921856, 44.300238848),
    "DUC [11]": (30.587072, 32.261668864, 32.1650688),
    "DDCM-R50 [14]": (9.992628, 4.857560064, 4.811808768),
}


def test_the_comparators_are_the_rows_of_the_table_in_its_order():
    rows = published.table("scgnet_table6")["row"].drop_duplicates().tolist()
    assert [*COMPARATORS, "SCG-GCN"] == rows and list(FIGURES) == list(COMPARATORS)


@pytest.mark.parametrize("row", FIGURES)
def test_parameters_and_cost_are_the_printed_digits(networks, row):
    model, (millions, counted, honest) = networks[row], FIGURES[row]
    assert f"{parameters(model) / 1e6:.2f}" == printed(row, "Parameters (Million)")
    assert f"{published_flops(model, PICTURE) / 1e9:.2f}" == printed(row, "FLOPs (Giga)")
    assert parameters(model) == round(millions * 1e6)
    assert published_flops(model, PICTURE) == round(counted * 1e9)
    assert honest_flops(model, PICTURE) == round(honest * 1e9)


def test_the_padded_u_net_has_the_parameters_and_three_times_the_cost():
    with torch.device("meta"):
        model = UNet(3, 6)
    assert f"{parameters(model) / 1e6:.2f}" == printed("U-Net [8]", "Parameters (Million)")
    assert f"{honest_flops(model, PICTURE) / 1e9:.2f}" == "48.19"


def test_the_convention_layer_by_layer():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),  # 4 * 6 * 8 outputs of 27 products and a bias
        nn.BatchNorm2d(4),  # 2 * 192
        nn.ReLU(),  # 192
        nn.MaxPool2d(2),  # 192 in, 48 out
        nn.Conv2d(4, 8, 1, groups=2, bias=False),  # 8 * 3 * 4 outputs of 2 products
        nn.PReLU(),  # 96
        nn.ConvTranspose2d(8, 8, 2, stride=2),  # nothing
        nn.Upsample(scale_factor=2),  # 8 * 12 * 16 out
        nn.AdaptiveAvgPool2d(2),  # nothing
        nn.Flatten(),  # nothing
        nn.Linear(32, 5),  # 32 * 5, no bias
        nn.Softmax(1),  # nothing
    )
    by_hand = [192 * 28, 2 * 192, 192, 192, 96 * 2, 96, 0, 8 * 12 * 16, 0, 0, 32 * 5, 0]
    assert published_flops(model, (3, 6, 8)) == sum(by_hand) == 8_128
    transposed = 8 * 3 * 4 * 8 * 4  # each of 96 inputs reaches 8 channels of 2 x 2 pixels
    assert honest_flops(model, (3, 6, 8)) == 192 * 27 + 96 * 2 + transposed + 32 * 5
    assert parameters(model) == (27 * 4 + 4) + 8 + 16 + 1 + (8 * 8 * 4 + 8) + (32 * 5 + 5)


class Graph(nn.Module):
    """Three products on the pixels as nodes: a linear layer, node by node similarities, and their use."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 7)

    def forward(self, images):
        nodes = images.flatten(2).transpose(1, 2)
        similarities = functional.relu(nodes @ nodes.transpose(1, 2))
        return similarities @ self.linear(nodes)


def test_a_linear_layer_counts_all_rows_and_functions_count_only_honestly():
    n = 4 * 5
    assert published_flops(Graph(), (3, 4, 5)) == n * 3 * 7
    assert honest_flops(Graph(), (3, 4, 5)) == n * 3 * 7 + n * n * 3 + n * n * 7


def test_a_shared_layer_costs_at_every_use_and_has_one_set_of_weights():
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    once, thrice = nn.Sequential(layer), nn.Sequential(layer, layer, layer)
    assert parameters(thrice) == parameters(once) == 36
    for count in (published_flops, honest_flops):
        assert count(thrice, (2, 5, 5)) == 3 * count(once, (2, 5, 5)) == 3 * 36 * 25


class Tied(nn.Module):
    """A layer under two names, and another layer that holds the same tensors under names of its own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))
        self.again, self.other = self.first, nn.Conv2d(2, 2, 1)
        self.other.weight, self.other.offset = self.first[0].weight, self.first[0].bias

    def forward(self, images):
        return self.other(self.again(self.first(images)))


@pytest.mark.parametrize("count", [published_flops, honest_flops])
def test_a_network_that_shares_layers_and_tensors_comes_back_as_it_was(count):
    model = Tied()
    tensors = {name: id(value) for name, value in model.state_dict(keep_vars=True).items()}
    inputs = torch.randn(1, 2, 3, 3)
    before = model.eval()(inputs)
    # by hand, 9 pixels: three convolutions of 4 products and twice normalised 2 channels; three biases
    expected = {published_flops: 9 * (3 * 4 + 3 * 2 + 2 * 2 * 2), honest_flops: 9 * 3 * 4}
    assert count(model, (2, 3, 3)) == expected[count]
    assert {name: id(value) for name, value in model.state_dict(keep_vars=True).items()} == tensors
    assert model.again is model.first and model.other.weight is model.first[0].weight
    assert torch.equal(model(inputs), before)


def test_the_function_and_the_layer_differ():
    class Rectified(nn.Module):
        def forward(self, images):
            return functional.relu(images)

    assert published_flops(nn.ReLU(), (1, 2, 3)) == 6 and published_flops(Rectified(), (1, 2, 3)) == 0


def test_a_half_precision_network_counts_alike():
    model = nn.Conv2d(2, 3, 1)
    assert published_flops(model.double(), (2, 4, 4)) == published_flops(model.bfloat16(), (2, 4, 4)) == 144


@pytest.mark.parametrize("count", [published_flops, honest_flops])
def test_counting_leaves_the_network_as_it_was(count):
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout())
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count(model, (1, 3, 3))
    assert [module.training for module in model.modules()] == [True, True, False, True]
    for name, value in model.state_dict().items():
        assert value.device.type == "cpu" and torch.equal(value, before[name])
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(RuntimeError):
        count(model, (5, 3, 3))  # a channel too many: the layers refuse
    assert model.training and not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("size", [(256, 256), (3, 0, 8), (3, 8.0, 8), (1, 3, 8, 8)])
def test_a_size_that_is_none_is_refused(size):
    for count in (published_flops, honest_flops):
        with pytest.raises(ValueError, match="size must be channels, height and width"):
            count(nn.Conv2d(3, 3, 1), size)
