"""The U-Net against its own arithmetic: parameters, sizes, equivariance, precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudy.nn import UNet, predict_probabilities


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_width_64_with_6_classes_has_31_04_million_parameters():
    model = UNet(3, 6, width=64)
    down = [3, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024]  # channels along the encoder
    up = [(1024, 512), (512, 256), (256, 128), (128, 64)]
    convolutions = 9 * (
        sum(a * b for a, b in zip(down[:-1], down[1:], strict=True)) + sum(a * b + b * b for a, b in up)
    )
    transposed = sum(4 * a * b + b for a, b in up)
    normalisation = 2 * (sum(down[1:]) + sum(2 * b for _, b in up))
    head = 64 * 6 + 6
    parts = {"convolutions": 28_239_552, "transposed": 2_786_240, "normalisation": 11_776, "head": 390}
    assert [convolutions, transposed, normalisation, head] == list(parts.values())
    assert count(model) == sum(parts.values()) == 31_037_958
    kinds = {torch.nn.ConvTranspose2d: "transposed", torch.nn.BatchNorm2d: "normalisation"}
    for kind, name in kinds.items():
        assert sum(count(m) for m in model.modules() if isinstance(m, kind)) == parts[name]


@settings(max_examples=12, deadline=None)
@given(
    st.integers(16, 70), st.integers(16, 70), st.integers(1, 4), st.integers(1, 5), st.sampled_from([1, 3])
)
def test_the_logits_are_as_large_as_the_image(height, width, channels, classes, count):
    model = UNet(channels, classes, width=1).eval()
    logits = model(images(count, channels, height, width))
    assert logits.shape == (count, classes, height, width) and logits.isfinite().all()


def test_an_odd_size_is_the_reflected_image_cropped():
    model = UNet(2, 3, width=2).eval()
    image = images(1, 2, 37, 45)
    by_hand = np.pad(image.numpy(), ((0, 0), (0, 0), (0, 11), (0, 3)), mode="reflect")
    torch.testing.assert_close(model(image), model(torch.from_numpy(by_hand))[..., :37, :45], rtol=0, atol=0)


def test_a_shift_by_16_pixels_shifts_the_interior():
    # A logit sees 107 pixels either way: 2 * (1 + 2 + 4 + 8 + 16) down, as much but the last up, 15 for the poolings.
    model = UNet(1, 3, width=2).eval()
    image = images(1, 1, 304, 272)
    logits, inside = model(image), slice(128, -128)
    for rows, columns in [(16, 0), (0, 16), (32, 16)]:
        moved = model(image.roll((rows, columns), (2, 3))).roll((-rows, -columns), (2, 3))
        torch.testing.assert_close(
            moved[..., inside, 112:128], logits[..., inside, 112:128], rtol=1e-4, atol=1e-4
        )
    by_half = model(image.roll(8, 2)).roll(-8, 2)  # the coarsest grid is not met: there the test could fail
    assert (by_half - logits)[..., inside, 112:128].abs().max() > 1e-2


def test_every_bridge_and_level_is_used():
    model = UNet(1, 2, width=1)
    model(images(2, 1, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters() if p.ndim == 4)


def test_a_bridge_carries_full_resolution_and_the_way_down_sees_far():
    model = UNet(1, 2, width=4).eval()
    image, changed = images(1, 1, 64, 64), images(1, 1, 64, 64)
    changed[0, 0, 32, 32] += 3
    far = (model(changed) - model(image)).abs().sum((0, 1))
    for up in model.up:  # now only the first level's bridge is left: two convolutions here, two there
        torch.nn.init.zeros_(up.weight)
    near = (model(changed) - model(image)).abs().sum((0, 1))
    assert near[32, 32] > 0 and near[28:37, 28:37].count_nonzero() == near.count_nonzero() <= 81
    assert far[:28].count_nonzero() > 100


def test_the_seed_decides_the_weights_and_the_global_state_stays():
    before = torch.get_rng_state()
    one, two, other = UNet(3, 2, width=2), UNet(3, 2, width=2), UNet(3, 2, width=2, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    pairs = list(zip(one.parameters(), two.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.head.weight, other.head.weight)


def test_initial_weights_keep_the_variance_from_layer_to_layer():
    model = UNet(3, 4, width=32)
    convolution = model.encoder[1][3]
    assert convolution.weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert model.up[0].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)


@pytest.mark.parametrize("size", [(32, 32), (35, 50)])
def test_bfloat16_is_close_to_float32(size):
    model = UNet(3, 4, width=8).eval()
    image = images(1, 3, *size)
    exact = model(image).softmax(dim=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model(image)
    half = model.bfloat16()(image.bfloat16())
    assert mixed.dtype == half.dtype == torch.bfloat16
    for logits in (mixed, half):
        assert (logits.float().softmax(dim=1) - exact).abs().max() < 0.05  # bfloat16 has 3 digits


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_logits():
    model = UNet(3, 4, width=4).eval()
    image = images(1, 3, 50, 35)
    expected = model(image)
    torch.testing.assert_close(model.cuda()(image.cuda()).cpu(), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 4, 32, 32), r"images must be \(N, 3, H, W\), got shape \(1, 4, 32, 32\)"),
        ((3, 32, 32), r"images must be \(N, 3, H, W\), got shape \(3, 32, 32\)"),
        ((1, 3, 15, 32), "at least 16 x 16.*15"),
        ((1, 3, 16, 16), "training batch of one"),
    ],
)
def test_shapes_that_do_not_fit_are_named(shape, words):
    with pytest.raises(ValueError, match=words):
        UNet(3, 2, width=1)(torch.zeros(shape))


def test_other_bad_input_is_named():
    with pytest.raises(TypeError, match=r"images.*uint8.*/ 255"):
        UNet(3, 2, width=1)(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    for arguments in [(0, 2, 4), (3, 0, 4), (3, 2, 0)]:
        with pytest.raises(ValueError, match="at least 1, got 0"):
            UNet(*arguments)
    UNet(3, 2, width=1).eval()(torch.zeros(1, 3, 16, 16))  # one small image is no training batch here


def test_probabilities_of_an_image():
    model = UNet(3, 4, width=2)
    image = np.random.default_rng(0).integers(0, 256, (33, 20, 3), dtype=np.uint8)
    probabilities = predict_probabilities(model, image)
    assert probabilities.shape == (33, 20, 4) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, atol=1e-6)
    assert model.training  # its mode is put back
    logits = model.eval()(torch.from_numpy(image / 127.5 - 1).float().permute(2, 0, 1)[None])
    expected = np.exp(logits[0].detach().double().numpy())
    np.testing.assert_allclose(probabilities, (expected / expected.sum(0)).transpose(1, 2, 0), atol=1e-5)
    assert predict_probabilities(model.bfloat16(), image).dtype == np.float32
    with pytest.raises(ValueError, match=r"image must be \(H, W, C\) uint8.*float64"):
        predict_probabilities(model, image / 255)
