"""The transformer's stem and head: what they ignore, and that a network is made again from its weights."""

import numpy as np
import pytest
import torch

from segstudy.nn.vit_keys import vit_keys
from segstudy.papers.gnn_clustering.dino_vit import ConvolutionalStem, ProjectionHead, restore, small_vit


@pytest.fixture(scope="module")
def model():
    return small_vit(32, 8, 64, 2, seed=1).eval()


def pictures(rng, count=3, side=32):
    return torch.from_numpy(rng.random((count, 3, side, side), dtype=np.float32) * 2 - 1)


def test_a_pictures_own_light_and_tint_change_nothing(model, rng):
    given = pictures(rng)
    gain, offset = (
        torch.from_numpy(rng.uniform(low, high, (3, 3, 1, 1))).float() for low, high in ((0.5, 2), (-1, 1))
    )
    with torch.no_grad():
        torch.testing.assert_close(model(given * gain + offset), model(given), atol=1e-3, rtol=1e-3)
        assert (model(given.flip(3)) - model(given)).abs().max() > 1e-3  # but a mirrored picture is another


def test_a_picture_is_described_alike_alone_and_in_a_batch(model, rng):
    given = pictures(rng)
    with torch.no_grad():
        torch.testing.assert_close(model(given[1:2])[0], model(given)[1], atol=1e-5, rtol=1e-4)
        assert torch.equal(model.train()(given), model.eval()(given))


@pytest.mark.parametrize(("patch", "width"), [(2, 32), (8, 96), (16, 32)])
def test_a_token_sees_its_patch_and_little_around_it(patch, width, rng):
    stem = ConvolutionalStem(patch, width).double()
    for (
        layer
    ) in stem.layers:  # normalisation lets everything see everything; what is left is the convolutions
        layer.forward = layer.forward if isinstance(layer, torch.nn.Conv2d) else lambda values: values
    given = torch.zeros(1, 3, 4 * patch, 4 * patch, dtype=torch.float64)
    found = stem(given)
    assert found.shape == (1, width, 4, 4)
    given[:, :, patch : 2 * patch, patch : 2 * patch] = 1
    seen = (stem(given) - found).abs().sum(dim=1)[0] > 1e-12
    assert seen[1, 1] and not seen[3].any() and not seen[:, 3].any()


@pytest.mark.parametrize("numbers", [(32, 8, 64, 2), (32, 4, 32, 1), (48, 16, 96, 3)])
def test_a_network_is_made_again_from_its_weights(numbers, rng):
    first = small_vit(*numbers, seed=3).eval()
    again = restore({name: value.numpy() for name, value in first.state_dict().items()})
    given = pictures(rng, 2, numbers[0])
    assert torch.equal(first(given), again(given))


def test_keys_are_those_the_last_block_makes(model, rng):
    given, seen = pictures(rng, side=40), []
    hook = model.blocks[-1].attn.qkv.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model.forward_features(given)
    hook.remove()
    expected = seen[0][:, 1:, 64:128]
    torch.testing.assert_close(vit_keys(model, given), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(vit_keys(model, given, 8), expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="stride must be 8"):
        vit_keys(model, given, 4)


def test_the_head_ignores_what_all_class_tokens_share(rng):
    head = ProjectionHead(32, 16)
    tokens, shared = torch.from_numpy(rng.normal(size=(10, 32))).float(), 50 * torch.ones(32)
    torch.testing.assert_close(head(tokens + shared), head(tokens), atol=1e-3, rtol=1e-3)
    assert head(tokens).abs().max() <= 1 + 1e-6  # cosines
    assert not list(head.buffers())  # nothing that a teacher would have to follow apart from its weights


def test_the_seed_decides_and_the_global_state_stays():
    before = torch.get_rng_state()
    first, again, other = (small_vit(16, 8, 32, 1, seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    kernel = "patch_embed.proj.layers.1.weight"
    assert torch.equal(first[kernel], again[kernel]) and not torch.equal(first[kernel], other[kernel])


def test_bad_input_is_named():
    for numbers, message in (
        ((30, 6, 32, 1), "patch must be one of"),
        ((36, 8, 32, 1), "size must be a multiple of patch"),
        ((32, 8, 40, 1), "width must be a multiple of 32"),
        ((32, 8, 32, 0), "depth must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            small_vit(*numbers)
    with pytest.raises(ValueError, match="prototypes must be at least 2"):
        ProjectionHead(32, 1)
