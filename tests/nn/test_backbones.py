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


@pytest.mark.parametrize(
    ("name", "stages"), [("timm:resnet18", (4, 8, 16, 32)), ("torchvision:vgg11", (2, 8))]
)
def test_stages_are_the_maps_on_the_way(name, stages):
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        found = backbone(name, stages=stages)(images)
        for stage, values in zip(stages, found, strict=True):
            assert values.shape[-1] == 64 // stage
            assert torch.equal(values, backbone(name, stride=stage)(images))


def test_dilation_computes_the_same_map_at_more_places():
    """With symmetric padding the strided network's positions are among the dilated one's (the algorithme a trous)."""
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        plain = backbone("timm:resnet18", stages=(8, 16, 32))(images)
        dense = backbone("timm:resnet18", stages=(8, 16, 32), output_stride=8)(images)
    assert [tuple(m.shape[1:]) for m in dense] == [(128, 8, 12), (256, 8, 12), (512, 8, 12)]
    for step, few, many in zip((1, 2, 4), plain, dense, strict=True):
        torch.testing.assert_close(many[:, :, ::step, ::step], few)


def test_blocks_2_4_and_6_of_efficientnet_at_stride_8():
    net = backbone("timm:tf_efficientnet_lite0", stages=(8, 16, 32), output_stride=8, in_channels=4)
    seen = []
    for block in (2, 4, 6):
        net.network.network.blocks[block].register_forward_hook(lambda _m, _i, out: seen.append(out))
    with torch.no_grad():
        found = net(torch.rand(1, 4, 64, 64))
    assert [tuple(m.shape[1:]) for m in found] == [(40, 8, 8), (112, 8, 8), (320, 8, 8)]
    assert all(torch.equal(a, b) for a, b in zip(found, seen, strict=True))


def test_the_deepest_blocks_lead_from_one_stage_to_the_next():
    net = backbone("timm:tf_efficientnet_lite0", stages=(16, 32), output_stride=8)
    with torch.no_grad():
        before, after = net(torch.rand(1, 3, 64, 64))
        layers = net.network.deepest()
        assert torch.equal(layers(before), after) and len(layers) == 5  # 4 blocks of stage 5, 1 of stage 6
    for name, stages in (("timm:tf_efficientnet_lite0", (32,)), ("timm:resnet18", (16, 32))):
        with pytest.raises(ValueError, match="two stages that end with blocks"):
            backbone(name, stages=stages).network.deepest()


def test_without_stages_a_map_comes_out_whatever_the_library():
    for name in ("timm:resnet18", "torchvision:resnet18"):
        with torch.no_grad():
            assert backbone(name)(torch.rand(1, 3, 64, 96)).shape == (1, 512, 2, 3)


@pytest.mark.parametrize("freeze", [None, "batch_norm", "all"])
def test_what_is_frozen_stays_through_training(freeze):
    net = nn.Sequential(
        backbone("timm:tf_efficientnet_lite0", stride=16, freeze=freeze), nn.Conv2d(112, 2, 1)
    )
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    net.eval().train()
    net(torch.rand(2, 3, 32, 32)).square().mean().backward()
    optimiser.step()
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    statistics = {name for name in moved if "running" in name}
    convolutions = {name for name in moved if "conv" in name and name.startswith("0.")}
    assert {"1.weight", "1.bias"} <= moved
    assert bool(statistics) == (freeze is None) and bool(convolutions) == (freeze != "all")
    assert any(".bn" in name for name in moved) == (freeze is None)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype):
    net = backbone("timm:tf_efficientnet_lite0", stride=8)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        single = net(images)
        other = net.to(dtype)(images.to(dtype))
    assert other.dtype == dtype
    tolerance = 1e-4 if dtype == torch.float64 else 0.05
    assert (other - single).abs().max() < tolerance * single.abs().max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet50"}, "did you mean 'timm:resnet50' or 'torchvision:resnet50'"),
        ({"name": "tf_efficientnet_lite0"}, "did you mean 'timm:tf_efficientnet_lite0'"),
        ({"name": "torchvision:tf_efficientnet_lite0"}, "did you mean 'timm:tf_efficientnet_lite0'"),
        ({"name": "timm:squeezenet1_1"}, "did you mean 'torchvision:squeezenet1_1'"),
        ({"name": "timm:resnet18", "stride": 8, "stages": (8,)}, "give stride, 8, or stages"),
        ({"name": "timm:resnet18", "stages": (8, 64)}, "stages must be one of"),
        ({"name": "timm:resnet18", "stages": (16, 8)}, "stages must ascend"),
        ({"name": "timm:resnet18", "stages": ()}, "stages must ascend"),
        ({"name": "timm:densenet121", "output_stride": 8}, "takes no output_stride of 8"),
        ({"name": "timm:resnet18", "output_stride": 5}, "takes no output_stride of 5"),
        ({"name": "torchvision:resnet18", "output_stride": 8}, "output_stride is timm's"),
        ({"name": "timm:resnet18", "freeze": "bn"}, "freeze must be one of"),
    ],
)
def test_what_a_network_does_not_have(options, message):
    with pytest.raises(ValueError, match=message):
        backbone(**options)
