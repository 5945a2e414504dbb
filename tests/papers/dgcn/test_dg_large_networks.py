"""The published networks: parameters by hand, strides, and which maps they give."""

from __future__ import annotations

import pytest
import torch

from segstudy.papers.dgcn.large_networks import NAMES, STAGES_38, published_network


def by_hand_resnet38() -> int:
    """Count model A1 from its table: kernels, two numbers of each normalisation, projections."""
    total, inputs = 64 * 3 * 9, 64
    for blocks, widths, stride, _, _ in STAGES_38:
        for index in range(blocks):
            kernels = (9, 9) if len(widths) == 2 else (1, 9, 1)
            before = inputs
            for width, kernel in zip(widths, kernels, strict=True):
                total += 2 * before + before * width * kernel
                before = width
            if before != inputs or (stride == 2 and index == 0):
                total += inputs * before
            inputs = before
    return total + 2 * inputs


CLASSIFIERS = {2048: 4 * (9 * 2048 * 21 + 21), 4096: 4 * (9 * 4096 * 21 + 21)}
VGG16 = 14_714_688  # torchvision's vgg16().features
BRANCH = (9 * 512 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 21
RESNET_101 = 44_549_160 - 2_049_000  # torchvision's resnet101 less its classifier
EXPECTED = {
    "ResNet-101": RESNET_101 + CLASSIFIERS[2048],
    "VGG16": VGG16 + 4 * BRANCH,
    "ResNet-38": by_hand_resnet38() + CLASSIFIERS[4096],
}


@pytest.fixture(params=NAMES)
def network(request):
    with torch.device("meta"):
        return request.param, published_network(request.param, 21)


def test_parameters_are_those_of_the_published_layout(network):
    name, built = network
    assert sum(p.numel() for p in built.parameters()) == EXPECTED[name]


def test_maps_and_logits_are_an_eighth_of_the_picture(network):
    name, built = network
    images = torch.zeros(1, 3, 321, 321, device="meta")
    maps = built.trunk(images)
    depths = {"ResNet-101": [512, 1024, 2048], "VGG16": [256, 512, 512], "ResNet-38": [512, 1024, 2048, 4096]}
    assert [tuple(m.shape) for m in maps] == [(1, depth, 41, 41) for depth in depths[name]]
    assert built(images).shape == (1, 21, 41, 41)


def test_resnet_38_has_38_layers():
    # stem, two of each plain block, three of each narrowing one, and the classifier
    assert 2 + sum(blocks * len(widths) for blocks, widths, *_ in STAGES_38) == 38


def test_first_weights_follow_the_seed_and_bad_names_are_refused():
    a, b, c = (published_network("VGG16", 3, seed=seed).head.branches[0][0].weight for seed in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c)
    with pytest.raises(ValueError, match="ResNet-101"):
        published_network("ResNet-50", 21)
    with pytest.raises(ValueError, match="weights"):
        published_network("VGG16", 21, weights="pretrained")
