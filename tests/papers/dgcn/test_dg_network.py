"""The atrous head and prediction at several sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segstudy.nn.backbones import backbone
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork, predict


def test_the_head_sums_one_dilated_classifier_for_each_rate():
    head = AtrousHead(5, 3, hidden=4, rates=(1, 2)).eval()
    maps = [torch.randn(2, 2, 8, 8), torch.randn(2, 3, 8, 8)]
    values = torch.relu(head.adaptation[1](head.adaptation[0](torch.cat(maps, dim=1))))
    expected = sum(
        nn.functional.conv2d(values, c.weight, c.bias, padding=rate, dilation=rate)
        for c, rate in zip(head.classifiers, (1, 2), strict=True)
    )
    torch.testing.assert_close(head(maps), expected)


def test_deeplab_s_resnet_101_classifier_has_its_published_parameters():
    # Four dilated 3 x 3 classifiers on 2,048 channels, biases and all: 4 (9 x 2048 x 21 + 21).
    head = AtrousHead(2048, 21, hidden=None, rates=(6, 12, 18, 24))
    assert sum(p.numel() for p in head.parameters()) == 1_548_372


def test_a_network_of_a_trunk_and_its_head_learns_and_predicts_any_size():
    trunk = backbone("timm:tf_efficientnet_lite0", stages=(16, 32), output_stride=8, freeze="batch_norm")
    channels = sum(found.shape[1] for found in trunk(torch.zeros(1, 3, 64, 64)))
    network = SegmentationNetwork(trunk, AtrousHead(channels, 4, hidden=8))
    logits = network(torch.rand(2, 3, 64, 72))
    assert logits.shape == (2, 4, 8, 9)
    logits.sum().backward()
    assert network.trunk.network is not None and network.head.classifiers[0].weight.grad.abs().sum() > 0
    found = predict(network.eval(), torch.rand(3, 50, 31), sides=(64, 96))
    assert found.shape == (4, 50, 31)
    torch.testing.assert_close(found.sum(dim=0), torch.ones(50, 31))


def test_prediction_sums_logits_before_the_softmax():
    class Ramp(nn.Module):
        def forward(self, images):
            return torch.stack(
                [images.mean(dim=1), images.shape[2] / 8 * torch.ones_like(images[:, 0])], dim=1
            )

    image = torch.full((3, 8, 8), 0.5)
    expected = torch.tensor([0.5 + 0.5, 1.0 + 2.0]).softmax(dim=0)
    torch.testing.assert_close(predict(Ramp(), image, sides=(8, 16))[:, 0, 0], expected)


@pytest.mark.parametrize(
    "change, argument",
    [
        ({"channels": 0}, "channels"),
        ({"rates": ()}, "rates"),
        ({"rates": (0,)}, "rates"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_bad_settings_are_refused(change, argument):
    with pytest.raises(ValueError, match=argument):
        AtrousHead(**({"channels": 4, "num_classes": 2} | change))


def test_bad_pictures_are_refused():
    with pytest.raises(ValueError, match="image"):
        predict(nn.Identity(), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="sides"):
        predict(nn.Identity(), torch.zeros(3, 4, 4), sides=())
