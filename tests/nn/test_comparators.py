"""The networks of SCG-Net's Table VI: sizes, seeds, which weights are used, and what each docstring says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segstudy.nn.comparators import COMPARATORS, DDCM, DUC, GCN, FCN8s, PSPNet, SegNet, UNetValid
from segstudy.nn.comparators import fcn as fcn_module
from segstudy.nn.comparators.gcn import GlobalConvolution
from segstudy.nn.costs import honest_flops, parameters

LEAST = {UNetValid: 188, FCN8s: 1, SegNet: 64, GCN: 64, PSPNet: 16, DUC: 16, DDCM: 32}
LIGHT = [SegNet, GCN, PSPNet, DUC, DDCM]  # a small picture costs them little
NETWORKS = list(COMPARATORS.values())
FCN_FIXED = {"score", "score_pool4", "score_pool3", "up", "up_pool4", "up_pool3"}


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def on_meta(network: type[nn.Module], *arguments: int) -> nn.Module:
    with torch.device("meta"):
        return network(*arguments)


@pytest.mark.parametrize("network", NETWORKS)
def test_logits_are_as_large_as_the_pictures(network):
    model = on_meta(network, 5, 4)
    least = LEAST[network]
    sizes = [(256, 256), (250, 271), (least, least), (least + 1, least + 33), (319, 190)]
    for height, width in sizes:
        logits = model(torch.empty(2, 4, height, width, device="meta"))
        assert logits.shape == (2, 5, height, width), (network, height, width)


def test_fcn8s_takes_any_size():
    model = on_meta(FCN8s, 2).eval()
    for length in range(1, 70):
        assert model(torch.empty(1, 3, length, 70 - length, device="meta")).shape[2:] == (length, 70 - length)


@pytest.mark.parametrize("network", LIGHT)
def test_logits_are_numbers_and_differ_from_pixel_to_pixel(network):
    model = network(4).eval()
    logits = model(images(1, 3, 65, 78))
    assert logits.shape == (1, 4, 65, 78) and logits.isfinite().all() and logits.std() > 0
    assert (logits.amin() >= 0) == (network in (SegNet, DUC))  # those two rectify their scores


def fingerprint(network: type[nn.Module], seed: int) -> dict[str, float]:
    """Sum up each layer of weights; those of FCN-8s would take half a gigabyte to keep."""
    named = network(3, seed=seed).named_parameters()
    return {name: p.sum(dtype=torch.float64).item() for name, p in named if p.ndim == 4}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_seed_decides_the_weights_and_the_global_state_stays(network):
    state = torch.get_rng_state()
    first = fingerprint(network, 1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert fingerprint(network, 1) == first
    other = fingerprint(network, 2)
    same = {name for name in first if first[name] == other[name]}
    # what FCN-8s does not draw: zero scores and interpolation
    assert {name.partition(".")[0] for name in same} == (FCN_FIXED if network is FCN8s else set())


@pytest.mark.parametrize("network", LIGHT)
def test_every_weight_is_used_in_training(network):
    model = network(3, 2)
    forward = model.with_auxiliary if network is PSPNet else lambda pictures: (model(pictures),)
    logits = sum(forward(images(2, 2, 64, 64)))
    (logits * images(*logits.shape, seed=1)).sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not unused


@pytest.mark.parametrize("network", NETWORKS)
def test_bad_pictures_are_refused_by_name(network):
    model, least = on_meta(network, 2), LEAST[network]
    with pytest.raises(TypeError, match=r"images must be floating point.*images / 255"):
        model(torch.zeros(1, 3, 256, 256, dtype=torch.uint8))
    for shape in [(3, 256, 256), (1, 4, 256, 256), (0, 3, 256, 256)]:
        with pytest.raises(ValueError, match=r"images must be \(N, 3, H, W\)"):
            model(torch.zeros(shape))
    with pytest.raises(ValueError, match=f"at least {least} x {least} pixels.*enlarge"):
        model(torch.zeros(1, 3, least - 1, 256))


@pytest.mark.parametrize("network", NETWORKS)
def test_bad_counts_are_refused_by_name(network):
    with pytest.raises(ValueError, match="num_classes must be"):
        network(0)
    with pytest.raises(ValueError, match="in_channels must be"):
        network(2, -1)


@pytest.mark.parametrize("network", [SegNet, GCN, DUC, DDCM])
def test_the_smallest_picture_trains_alone(network):
    least = LEAST[network]
    model = network(2).train()
    model(images(1, 3, least, least)).sum().backward()
    # the first layer learns too: what is behind it did not vanish
    assert next(model.parameters()).grad.abs().sum() > 0


def test_pspnet_says_that_a_picture_cannot_train_alone():
    model = PSPNet(2)
    for forward in (model, model.with_auxiliary):
        with pytest.raises(ValueError, match=r"at least 2 in training, got shape \(1, 3, 64, 64\)"):
            forward(images(1, 3, 64, 64))
    model.eval()
    logits, auxiliary = model.with_auxiliary(images(1, 3, 40, 50))
    assert auxiliary.shape == logits.shape == (1, 2, 40, 50)
    torch.testing.assert_close(model(images(1, 3, 40, 50)), logits)


def test_the_auxiliary_head_is_what_the_printed_parameters_hold():
    model = on_meta(PSPNet, 6)
    assert parameters(model.auxiliary) == 6_150
    assert f"{(parameters(model) - 6_150) / 1e6:.3f}" == "46.585"


def test_segnet_shares_the_convolutions_in_the_middle_of_a_block():
    model = on_meta(SegNet, 6)
    blocks = [block[1:] for block in model.decoder]  # without the enlargement
    assert [len(block) for block in blocks] == [4, 4, 4, 2, 2]
    assert [len(set(block)) for block in blocks] == [1, 3, 3, 2, 2]
    unshared = sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False))
    assert f"{unshared / 1e6:.2f}" == "49.83" and f"{parameters(model) / 1e6:.2f}" == "39.79"


def test_fcn8s_begins_with_zero_scores_and_interpolation():
    model = FCN8s(4)
    for layer in (model.score, model.score_pool4, model.score_pool3):
        assert not layer.weight.any() and not layer.bias.any()
    flat = torch.arange(1.0, 5)[None, :, None, None].expand(1, 4, 6, 6)  # a level for each class
    for layer, stride in [(model.up, 2), (model.up_pool4, 2), (model.up_pool3, 8)]:
        inside = layer(flat)[..., stride:-stride, stride:-stride]
        torch.testing.assert_close(inside, flat[..., :1, :1].expand_as(inside))


@pytest.mark.parametrize("path", ["score", "score_pool4", "score_pool3"])
def test_the_maps_of_fcn8s_meet_exactly(path):
    # With means for poolings, the middle tap for fc6 and one path of scores at a time, a ramp comes out as it went in.
    model = on_meta(FCN8s, 1, 1).eval()
    pool = nn.AvgPool2d(2, ceil_mode=True)
    model.stages = nn.ModuleList([nn.Sequential(nn.ZeroPad2d(99), pool), pool, pool, pool, pool])
    model.classifier = nn.Conv2d(1, 1, 7, bias=False)
    nn.init.dirac_(model.classifier.weight)
    for name in ("score", "score_pool4", "score_pool3"):
        scores = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(scores.weight, float(name == path))
        setattr(model, name, scores)
    model.up, model.up_pool4, model.up_pool3 = (fcn_module._bilinear(1, stride) for stride in (2, 2, 8))
    rows, columns = torch.meshgrid(torch.arange(250.0), torch.arange(263.0), indexing="ij")
    ramp = (rows + 3 * columns)[None, None]
    torch.testing.assert_close(model(ramp)[..., 64:-64, 64:-64], ramp[..., 64:-64, 64:-64])


def test_a_strip_and_a_strip_see_a_square_at_the_price_of_two():
    module = GlobalConvolution(2, 3)
    picture = images(1, 2, 15, 15).requires_grad_()
    module(picture)[0, :, 7, 7].sum().backward()
    seen = picture.grad.abs().sum((0, 1)) > 0
    assert seen[4:11, 4:11].all() and seen.sum() == 49
    assert honest_flops(GlobalConvolution(40, 3), (40, 5, 5)) == 25 * 2 * 7 * 3 * (40 + 3)


def test_duc_lays_a_cell_out_as_its_pixels():
    model = DUC(2).eval()
    cells = model.upsampling[2](model.upsampling[1](model.upsampling[0](images(1, 2048, 2, 3))))
    logits = model.upsampling(images(1, 2048, 2, 3))
    for label, row, column in [(0, 0, 0), (1, 9, 17), (1, 15, 23)]:
        channel = label * 64 + (row % 8) * 8 + column % 8
        assert logits[0, label, row, column] == cells[0, channel, row // 8, column // 8]


def test_the_valid_u_net_leaves_68_pixels_of_256():
    model, seen = on_meta(UNetValid, 3), []
    model.head.register_forward_hook(lambda layer, given, output: seen.append(tuple(output.shape)))
    for length in (256, 188):
        model(torch.empty(1, 3, length, length, device="meta"))
    assert seen == [(1, 3, 68, 68), (1, 3, 4, 4)]


def test_ddcm_sees_the_picture_itself_at_half_its_size():
    model, seen = DDCM(2).eval(), []
    model.head.register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    picture = images(1, 3, 48, 48)
    model(picture)
    assert seen[0].shape == (1, 21, 24, 24)
    torch.testing.assert_close(seen[0][:, 18:], model.detail(picture))
