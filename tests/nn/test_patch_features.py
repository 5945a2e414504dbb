"""Features of patches: each kind against an independent computation, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from segstudy.datasets.resizing import resize_image
from segstudy.errors import StudyError
from segstudy.nn import backbone, centre_features, patch_features, reduce_features, unit_features
from segstudy.nn.colour_texture import colour_texture
from segstudy.nn.vit_keys import vit_keys
from segstudy.nn.weights import SQUEEZENET


@pytest.fixture
def pictures(rng):
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 56, 3), (64, 64, 3))]


@pytest.fixture(scope="module")
def vit():
    import timm

    torch.manual_seed(0)
    options = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 3, "num_classes": 0}
    return timm.models.vision_transformer.VisionTransformer(**options).eval()


def test_shapes_and_names(pictures):
    for kind, dims in (("colour-texture", 7), ("squeezenet", 640), ("mix", 647)):
        found = patch_features(pictures, kind, grid=(5, 6))
        assert found.values.shape == (2, 30, dims) and found.values.dtype == np.float32
        assert found.grid == (5, 6) and ("random weights" in found.name) == (kind != "colour-texture")


def test_patches_are_in_reading_order():
    image = np.zeros((16, 24, 3), np.uint8)
    image[:8, 16:] = 255  # the third patch of the first row
    lightness = patch_features([image], "colour-texture", grid=(2, 3)).values[0, :, 0]
    assert lightness.argmax() == 2


def test_a_batch_changes_nothing(pictures):
    both = patch_features(pictures, "mix", grid=(4, 4), batch=2).values
    assert np.allclose(both, patch_features(pictures, "mix", grid=(4, 4), batch=1).values, atol=1e-5)


def test_fires_have_length_one(pictures):
    values = patch_features(pictures, "squeezenet", grid=(4, 4)).values
    assert np.allclose(np.linalg.norm(values[..., :128], axis=2), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(values[..., 128:], axis=2), 1, atol=1e-5)


def test_squeezenets_caffe_weights_take_bgr(data_root):
    from torchvision.models import squeezenet1_1

    path = data_root / SQUEEZENET
    if not path.is_file():
        pytest.skip("SqueezeNet's weights are not at hand")
    raw = squeezenet1_1(weights=None).features
    state = torch.load(path, weights_only=True)
    raw.load_state_dict({name.removeprefix("features."): value for name, value in state.items()})
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    bgr = 255 * image.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
    expected = raw.eval()(bgr)
    found = backbone("torchvision:squeezenet1_1", path)(image)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_keys_are_those_of_the_last_block(vit):
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    seen = []
    hook = vit.blocks[-1].attn.qkv.register_forward_hook(lambda _m, _i, out: seen.append(out))
    vit.forward_features(images)
    hook.remove()
    keys = seen[0].reshape(2, 17, 3, 24)[:, 1:, 1]
    assert torch.allclose(vit_keys(vit, images), keys, atol=1e-5)
    assert not torch.allclose(vit_keys(vit, images, norm=False), keys, atol=1e-2)


def test_a_finer_stride_and_another_size(vit):
    images = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    assert vit_keys(vit, images).shape == (1, 4 * 6, 24)
    assert vit_keys(vit, images, stride=4).shape == (1, 7 * 11, 24)
    found = patch_features([np.zeros((32, 32, 3), np.uint8)], vit, grid=(4, 4), stride=4)
    assert found.grid == (7, 7) and found.values.shape == (1, 49, 24)


def test_dino_weights_come_from_a_file(tmp_path, pictures):
    import timm

    torch.manual_seed(3)
    model = timm.create_model("vit_small_patch8_224.dino", pretrained=False, num_classes=0)
    save_file(model.state_dict(), tmp_path / "dino.safetensors")
    found = patch_features(pictures[:1], "dino", grid=(6, 6), weights=tmp_path / "dino.safetensors")
    assert found.values.shape == (1, 36, 384) and found.name == "keys of DINO ViT-S/8 (dino)"
    image = torch.from_numpy(np.asarray(pictures[0]))
    assert image.shape == (40, 56, 3)
    other = patch_features(pictures[:1], "dino", grid=(6, 6), seed=5)
    assert not np.allclose(found.values, other.values, atol=1e-2)
    with pytest.raises(StudyError, match="are of another network|lack"):
        save_file({"cls_token": torch.zeros(1, 1, 3)}, tmp_path / "bad.safetensors")
        patch_features(pictures[:1], "dino", weights=tmp_path / "bad.safetensors")


def test_centring_and_lengths(rng):
    values = rng.normal(2, 1, (2, 50, 6)).astype(np.float32)
    centred = centre_features(values)
    assert np.allclose(np.linalg.norm(centred, axis=2), 1, atol=1e-5)
    residue = values - values.mean(axis=1, keepdims=True)
    assert np.allclose(centred * np.linalg.norm(residue, axis=2, keepdims=True), residue, atol=1e-4)
    flat = centre_features(np.full((1, 50, 6), 0.7, np.float32))
    assert (flat == 0).all() and (unit_features(np.zeros((1, 3, 2))) == 0).all()


def test_fewer_dimensions_keep_inner_products(rng):
    low = rng.normal(0, 1, (1, 40, 4)) @ rng.normal(0, 1, (4, 30))
    values = (low + 0.001 * rng.normal(0, 1, low.shape)).astype(np.float32)
    reduced = reduce_features(values, 4)
    assert reduced.shape == (1, 40, 4) and reduce_features(values, 64) is values
    assert np.allclose(reduced @ reduced.transpose(0, 2, 1), values @ values.transpose(0, 2, 1), atol=0.1)


def test_a_flat_picture_has_no_texture():
    image = np.full((32, 32, 3), 130, np.uint8)
    assert np.abs(colour_texture(image)[..., 3:]).max() < 1e-6
    step = image.copy()
    step[:, 16:] = 200
    assert colour_texture(step)[16, 16, 3:].min() > 0.05 > colour_texture(step)[16, 1, 3]


def test_bad_input(pictures, vit):
    with pytest.raises(ValueError, match="kind"):
        patch_features(pictures, "resnet")
    with pytest.raises(ValueError, match="empty"):
        patch_features([], "colour-texture")
    with pytest.raises(ValueError, match="size"):
        patch_features(pictures, "colour-texture", grid=(0, 4))
    with pytest.raises(ValueError, match="at least a patch"):
        vit_keys(vit, torch.zeros(1, 3, 4, 40))
    with pytest.raises(StudyError, match="not there"):
        backbone("torchvision:squeezenet1_1", "nowhere.pth")
    for name in ("timm:no_such_model", "keras:vgg", "torchvision:vgg99"):
        with pytest.raises(ValueError, match="name must be|knows no model"):
            backbone(name)
    broken = type(vit)(img_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=3, num_classes=0)
    broken.blocks[0].attn.qkv.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="finite"):
        patch_features(pictures, broken, grid=(4, 4))


def test_random_weights_follow_the_seed():
    first, again, other = (backbone("torchvision:squeezenet1_1", seed=seed) for seed in (0, 0, 1))
    weight = lambda net: net.network[0].weight  # noqa: E731
    assert torch.equal(weight(first), weight(again)) and not torch.equal(weight(first), weight(other))


def test_any_convolutional_network_by_name(pictures, tmp_path):
    """The maps of blocks 4 and 6 at 16 pixels a patch: the first has a cell for each patch, the other for four."""
    import timm

    torch.manual_seed(2)
    model = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(3, 4)).eval()
    whole = timm.create_model("tf_efficientnet_lite0").eval()
    whole.load_state_dict(model.state_dict(), strict=False)
    torch.save(whole.state_dict(), tmp_path / "own.pth")
    options = {"grid": (4, 6), "stages": (16, 32), "weights": tmp_path / "own.pth"}
    found = patch_features(pictures, "timm:tf_efficientnet_lite0", **options)
    assert found.values.shape == (2, 24, 112 + 320) and found.grid == (4, 6)
    assert found.name == "stages 16 and 32 of tf_efficientnet_lite0 (own)"
    image = torch.from_numpy(resize_image(pictures[0], (64, 96))).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        fine, coarse = model(2 * image - 1)
    unit = lambda maps: torch.nn.functional.normalize(maps[0].flatten(1).mT, dim=1).numpy()  # noqa: E731
    assert fine.shape[2:] == (4, 6) and np.allclose(found.values[0, :, :112], unit(fine), atol=1e-5)
    larger = torch.nn.functional.interpolate(coarse, (4, 6), mode="bilinear", align_corners=False)
    assert np.allclose(found.values[0, :, 112:], unit(larger), atol=1e-5)


def test_pixels_a_patch_and_a_backbone_of_ones_own(pictures):
    name = "timm:resnet18"
    with pytest.raises(ValueError, match="stages must be one of"):
        patch_features(pictures, name, grid=(4, 4), stages=(3,))
    coarse, fine = (patch_features(pictures, name, grid=(4, 4), stages=(8,), pixels=p) for p in (8, 16))
    assert coarse.values.shape == fine.values.shape and not np.allclose(coarse.values, fine.values, atol=1e-3)
    own = patch_features(pictures, backbone(name, stages=(8,)), grid=(4, 4))
    assert np.array_equal(own.values, fine.values)
    assert own.name == "stages 8 of a network made here (random weights)"
    last = patch_features(pictures, name, grid=(4, 4))
    assert last.values.shape == (2, 16, 512) and last.name == "last map of resnet18 (random weights)"


def test_a_transformer_by_name_gives_its_keys(pictures):
    import timm

    found = patch_features(pictures[:1], "timm:vit_tiny_patch16_224", grid=(8, 8), stride=16, seed=1)
    assert found.grid == (4, 4) and found.name == "keys of vit_tiny_patch16_224 (random weights)"
    with pytest.raises(ValueError, match="got EfficientNet: give its name"):
        patch_features(pictures, timm.create_model("tf_efficientnet_lite0"), grid=(4, 4))


def test_arguments_that_a_kind_does_not_take(pictures):
    for kind, options, message in (
        ("resnet50", {}, "did you mean 'timm:resnet50' or 'torchvision:resnet50'"),
        ("mix", {"stages": (8,)}, "stages are those of a network by name"),
        ("colour-texture", {"pixels": 16}, "pixels must be 8 or left out"),
    ):
        with pytest.raises(ValueError, match=message):
            patch_features(pictures, kind, grid=(4, 4), **options)
