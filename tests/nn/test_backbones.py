"""Backbones by name: how deep they go, how many bands they take, and whose weights they have."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segstudy.errors import StudyError
from segstudy.nn import backbone

R50_TO_LAYER3 = 8_543_296  # conv1 to layer3 of ResNet-50 (He et al. 2016), counted by hand from its table


@pytest.fixture(autouse=True)
def few_threads():
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", ["torchvision:resnet50", "timm:resnet50"])
def test_resnet50_down_to_stride_16(name):
    net = backbone(name, stride=16)
    assert sum(p.numel() for p in net.parameters()) == R50_TO_LAYER3
    with torch.no_grad():
        assert net(torch.rand(1, 3, 64, 96)).shape == (1, 1024, 4, 6)


def test_both_libraries_have_the_same_resnet50():
    ours, other = (backbone(f"{library}:resnet50", stride=16) for library in ("torchvision", "timm"))
    other.load_state_dict(dict(zip(other.state_dict(), ours.state_dict().values(), strict=True)))
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(ours(images), other(images), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "stride", "channels"),
    [
        ("torchvision:resnet18", 8, 128),
        ("torchvision:vgg16", 16, 512),
        ("torchvision:mobilenet_v3_small", 16, 48),
        ("torchvision:squeezenet1_1", None, 512),
        ("timm:resnet18", 32, 512),
        ("timm:mobilenetv3_small_050", 16, None),
    ],
)
def test_any_network_of_either_library(name, stride, channels):
    with torch.no_grad():
        found = backbone(name, stride=stride)(torch.rand(1, 3, 64, 64))
    assert found.ndim == 4 and found.shape[1] == (channels or found.shape[1])
    assert stride is None or found.shape[-1] == 64 // stride


def test_more_bands_begin_as_the_mean_of_the_others():
    rgb, four = (backbone("torchvision:resnet18", in_channels=bands, stride=16) for bands in (3, 4))
    first = four.network[0].weight
    assert torch.equal(first[:, :3], rgb.network[0].weight)
    assert torch.allclose(first[:, 3], rgb.network[0].weight.mean(dim=1))
    images = torch.rand(1, 4, 64, 64)
    images[:, 3] = four.mean[0, 3]  # what is normalised to 0 adds nothing
    with torch.no_grad():
        assert torch.allclose(four(images), rgb(images[:, :3]), atol=1e-5)
    assert backbone("timm:resnet18", in_channels=5, stride=8).in_channels == 5


def test_weights_of_a_file_with_a_classifier(tmp_path):
    from torchvision.models import resnet18

    model = resnet18(weights=None)
    torch.save(model.state_dict(), tmp_path / "own.pth")
    net = backbone("torchvision:resnet18", tmp_path / "own.pth", seed=3, stride=16)
    assert torch.equal(net.network[0].weight, model.conv1.weight) and net.weights == "own"
    torch.save({"conv1.weight": model.conv1.weight}, tmp_path / "part.pth")
    with pytest.raises(StudyError, match="lack"):
        backbone("torchvision:resnet18", tmp_path / "part.pth")


def test_squeezenet_in_torchvisions_own_format_takes_rgb(tmp_path):
    from torchvision.models import squeezenet1_1

    model = squeezenet1_1(weights=None)
    torch.save(model.state_dict(), tmp_path / "rgb.pth")
    torch.save({k: v for k, v in model.state_dict().items() if "classifier" not in k}, tmp_path / "bgr.pth")
    rgb, bgr = (backbone("torchvision:squeezenet1_1", tmp_path / f"{name}.pth") for name in ("rgb", "bgr"))
    assert torch.equal(rgb.network[0].weight, model.features[0].weight)
    assert torch.equal(bgr.network[0].weight, model.features[0].weight.flip(1))


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    backbone("torchvision:squeezenet1_1", stride=8)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "torchvision:resnet18", "stride": 5}, "stride must be one of"),
        ({"name": "timm:resnet18", "stride": 5}, "stride must be one of"),
        ({"name": "timm:vit_tiny_patch16_224", "stride": 99}, "stride"),
        ({"name": "torchvision:vit_b_16", "stride": 16}, "use timm's"),
        ({"name": "torchvision:resnet18", "in_channels": 2}, "in_channels must be at least 3"),
        ({"name": "keras:resnet"}, "name must be"),
        ({"name": "torchvision:resnet"}, "knows no model"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        backbone(**options)


def test_a_backbone_is_a_module_in_evaluation_mode():
    net = backbone("torchvision:resnet18", stride=4)
    assert isinstance(net, nn.Module) and not net.training
