"""What describes the patches of a batch of pictures, by the kind of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.backbones import Backbone, backbone, library_hint
from segstudy.nn.colour_texture import colour_texture
from segstudy.nn.vit_keys import vit_keys
from segstudy.nn.weights import Weights

KINDS = ("colour-texture", "squeezenet", "mix", "dino")
PATCH = 8  # pixels of a patch's side
NETWORK_PATCH = 16  # of a convolutional network by name
SQUEEZENET = "torchvision:squeezenet1_1"
FIRES = (4, 16)  # the stages that end with fires 3 and 9: near the pixels, and near the meaning
DINO = "timm:vit_small_patch8_224.dino"


class Describer(NamedTuple):
    """What describes pictures.

    Attributes
    ----------
    describe : callable
        Of (N, H, W, 3) uint8 pictures, returns (N, n, d) float32.
    name : str
        For reports.
    grid : (int, int)
        Rows and columns of patches, n of them.
    pixels : int
        Of a patch's side.
    """

    describe: Callable[[np.ndarray], np.ndarray]
    name: str
    grid: tuple[int, int]
    pixels: int = PATCH


def find_describer(
    kind: str | nn.Module,
    grid: tuple[int, int],
    *,
    stride: int,
    stages: Sequence[int] | None,
    pixels: int | None,
    weights: Weights,
    seed: int,
    device: str,
) -> Describer:
    """Return what describes pictures; see :func:`~segstudy.nn.patch_features.patch_features`."""
    named = isinstance(kind, str) and ":" in kind
    if stages is not None and not named:
        raise ValueError(f"stages are those of a network by name, got {stages!r} for {_kind_name(kind)}")
    if kind == "colour-texture":
        found = Describer(_colour_texture, "colour and texture, no weights", grid)
    elif kind in ("squeezenet", "mix"):
        found = _squeezenet(kind, grid, weights, seed, device)
    elif isinstance(kind, nn.Module):
        found = _of_module(kind.to(device).eval(), grid, stride, pixels, device)
    elif named or kind == "dino":
        net = backbone(DINO if kind == "dino" else kind, weights, seed, stages=stages, device=device)
        name = kind.partition(":")[2] or "DINO ViT-S/8"
        found = _of_backbone(net, name, grid, stride, pixels, device)
    else:
        raise ValueError(
            f"kind must be one of {KINDS}, a network such as 'timm:tf_efficientnet_lite0', a backbone or a vision "
            f"transformer, got {kind!r}{library_hint(kind)}"
        )
    if pixels not in (None, found.pixels):
        raise ValueError(f"pixels must be {found.pixels} or left out for {_kind_name(kind)}, got {pixels!r}")
    return found


def _kind_name(kind: str | nn.Module) -> str:
    return repr(kind) if isinstance(kind, str) else f"a {type(kind).__name__}"


def _squeezenet(kind: str, grid: tuple[int, int], weights: Weights, seed: int, device: str) -> Describer:
    net = backbone(SQUEEZENET, weights, seed, stages=FIRES, device=device)
    fires = lambda images: _map_patches(net, images, grid, device)  # noqa: E731
    name = f"fires 3 and 9 of SqueezeNet 1.1 ({net.weights})"
    if kind == "squeezenet":
        return Describer(fires, name, grid)
    mixed = lambda images: np.concatenate([fires(images), _colour_texture(images)], axis=2)  # noqa: E731
    return Describer(mixed, f"{name}, colour and texture", grid)


def _of_module(
    module: nn.Module, grid: tuple[int, int], stride: int, pixels: int | None, device: str
) -> Describer:
    if isinstance(module, Backbone):
        return _of_backbone(module, "a network made here", grid, stride, pixels, device)
    if not _is_vit(module):
        raise ValueError(
            f"kind must be a vision transformer with a class token, a backbone or a network's name, got "
            f"{type(module).__name__}: give its name, such as 'timm:resnet50', or what segstudy.nn.backbone returns"
        )
    return _keys(
        module, lambda x: 2 * x - 1, "keys of a vision transformer trained here", grid, stride, device
    )


def _of_backbone(
    net: Backbone, name: str, grid: tuple[int, int], stride: int, pixels: int | None, device: str
) -> Describer:
    if _is_vit(net.network):
        return _keys(net.network, net.normalise, f"keys of {name} ({net.weights})", grid, stride, device)
    which = "last map" if net.stages is None else f"stages {' and '.join(map(str, net.stages))}"
    describe = lambda images: _map_patches(net, images, grid, device)  # noqa: E731
    return Describer(describe, f"{which} of {name} ({net.weights})", grid, pixels or NETWORK_PATCH)


def _is_vit(network: nn.Module) -> bool:
    return hasattr(network, "patch_embed") and hasattr(network, "cls_token")


def _keys(
    vit: nn.Module,
    normalise: Callable[[Tensor], Tensor],
    name: str,
    grid: tuple[int, int],
    stride: int,
    device: str,
) -> Describer:
    size = vit.patch_embed.patch_size[0]
    rows, columns = ((PATCH * side - size) // stride + 1 for side in grid)

    def keys(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return vit_keys(vit, normalise(_tensor(images, device)), stride).cpu().numpy()

    return Describer(keys, name, (rows, columns))


@torch.no_grad()
def _map_patches(net: Backbone, images: np.ndarray, grid: tuple[int, int], device: str) -> np.ndarray:
    """Resample a network's maps bilinearly to the grid, each of length 1 at each patch: (N, n, d)."""
    maps = net(_tensor(images, device))
    options = {"size": grid, "mode": "bilinear", "antialias": True, "align_corners": False}
    parts = [
        F.normalize(F.interpolate(values, **options).flatten(2).mT, dim=2)
        for values in (maps if isinstance(maps, list) else [maps])
    ]
    return torch.cat(parts, dim=2).cpu().numpy()


def _colour_texture(images: np.ndarray) -> np.ndarray:
    """Average the pixels' colour and texture over each patch: (N, n, 7)."""
    count, height, width = images.shape[:3]
    pixels = np.stack([colour_texture(image) for image in images])
    cells = pixels.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH, -1).mean(axis=(2, 4))
    return cells.reshape(count, -1, cells.shape[-1])


def _tensor(images: np.ndarray, device: str) -> Tensor:
    """Return (N, H, W, 3) uint8 pictures as (N, 3, H, W) of [0, 1]."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
