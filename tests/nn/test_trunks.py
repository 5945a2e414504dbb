"""Trunks against torchvision's classifiers, and first weights against their definition."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import resnet50, vgg19_bn

from segstudy.nn.trunks import ResNet50, initialise, pad_to_multiple, seeded, vgg


def test_torchvisions_weights_fit_and_give_its_maps():
    with seeded(0):
        reference, trunk = resnet50(weights=None).eval(), ResNet50(stages=3).eval()
    surplus = trunk.load_state_dict(reference.state_dict(), strict=False)
    assert not surplus.missing_keys and all(n.startswith(("layer4.", "fc.")) for n in surplus.unexpected_keys)
    expected = []
    for layer in (reference.relu, reference.layer1, reference.layer2, reference.layer3):
        layer.register_forward_hook(lambda layer, given, output: expected.append(output.clone()))
    picture = torch.rand(1, 3, 64, 96)
    reference(picture)
    for ours, theirs in zip(trunk(picture), [expected[0], *expected[-3:]], strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_dilated_trunk_keeps_an_eighth_of_the_size():
    with torch.device("meta"):
        trunk = ResNet50(4, dilated=True)
        shapes = [tuple(features.shape[1:]) for features in trunk(torch.empty(1, 4, 96, 61))]
    assert shapes == [(64, 48, 31), (256, 24, 16), (512, 12, 8), (1024, 12, 8), (2048, 12, 8)]
    assert trunk.layer4[2].conv2.dilation == (4, 4) and trunk.layer4[0].conv2.dilation == (2, 2)


def test_vgg_is_torchvisions():
    with torch.device("meta"):
        stages, reference = vgg((2, 2, 4, 4, 4), normalise=True), vgg19_bn(weights=None).features
    ours = [repr(layer) for stage in stages for layer in stage]
    assert ours == [repr(layer) for layer in reference]


@pytest.mark.parametrize("layer", [nn.Conv2d(40, 50, (5, 3)), nn.ConvTranspose2d(60, 50, 4, stride=2)])
def test_initial_weights_keep_the_mean_square_behind_a_relu(layer):
    with seeded(3):
        initialise(layer)
        given = torch.randn(8, layer.in_channels, 24, 24).relu()  # mean square 1 / 2
    inside = layer(given)[..., 4:-4, 4:-4]
    assert inside.square().mean().item() == pytest.approx(1, rel=0.05) and not layer.bias.any()


def test_padding_reflects_at_the_bottom_and_the_right():
    picture = torch.arange(15.0).view(1, 1, 3, 5)
    padded = pad_to_multiple(picture, 4)
    assert padded[0, 0, :, 0].tolist() == [0, 5, 10, 5] and padded[0, 0, 0].tolist() == [
        0,
        1,
        2,
        3,
        4,
        3,
        2,
        1,
    ]
    assert pad_to_multiple(picture[..., :4].expand(1, 1, 3, 4).repeat(1, 1, 4, 1), 4).shape == (1, 1, 12, 4)
