"""One feature vector for each patch of a picture: a transformer's keys, a network's maps, or colour and texture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.datasets.resizing import require_size, resize_image
from segstudy.nn.backbones import Backbone, backbone
from segstudy.nn.colour_texture import colour_texture
from segstudy.progress import track

KINDS = ("colour-texture", "squeezenet", "mix", "dino")
PATCH = 8  # pixels of a patch's side
DINO = "timm:vit_small_patch8_224.dino"
FIRES = {3: 4, 5: 7, 9: 12}  # SqueezeNet's fire modules and where they stand among its layers
MIXED = (3, 9)  # near the pixels, and near the meaning


class PatchFeatures(NamedTuple):
    """The features of N pictures' patches.

    Attributes
    ----------
    values : (N, n, d) float32 ndarray
        Patches row by row.
    grid : (int, int)
        Rows and columns of patches, n of them.
    name : str
        Which features they are, for reports.
    """

    values: np.ndarray
    grid: tuple[int, int]
    name: str


def patch_features(
    images: Sequence[np.ndarray],
    kind: str | nn.Module,
    *,
    grid: tuple[int, int] = (28, 28),
    stride: int = PATCH,
    weights: str | Path | None = None,
    device: str = "cpu",
    batch: int = 8,
    seed: int = 0,
    label: str = "",
) -> PatchFeatures:
    """Describe the patches of pictures.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
        Each is stretched to 8 pixels a patch.
    kind : str or timm vision transformer
        "colour-texture" needs no weights. "squeezenet": fires 3 and 9 of SqueezeNet 1.1, resampled to the grid, each of
        length 1. "mix": both. "dino": the keys of the last block of DINO's ViT-S/8. A vision transformer: its keys.
    grid : (int, int)
        Rows and columns of patches at a stride of 8.
    stride : int
        Of a transformer's patches; 4 gives patches that overlap, 2 r - 1 rows instead of r.
    weights : str or Path, optional
        Of the network, as for :func:`~segstudy.nn.backbones.backbone`.
    device : str
    batch : int
        Pictures in a network at once.
    seed : int
        Of random weights.
    label : str
        What the progress display shows; empty: none is shown.

    Returns
    -------
    PatchFeatures

    Raises
    ------
    StudyError
        Weights that are asked for are not there.
    ValueError
        An argument is unknown or out of its range, or a feature is not finite.
    """
    rows, columns = require_size(grid)
    if isinstance(kind, str) and kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS} or a vision transformer, got {kind!r}")
    if not len(images):
        raise ValueError("images is empty: there is nothing to describe")
    describe, name, shape = _describer(kind, (rows, columns), stride, weights, seed, device)
    chunks = [images[i : i + batch] for i in range(0, len(images), batch)]
    parts = []
    for chunk in track(chunks, label) if label else chunks:
        resized = np.stack([resize_image(image, (PATCH * rows, PATCH * columns)) for image in chunk])
        parts.append(describe(resized))
    values = np.concatenate(parts).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"the features of kind {kind!r} are not all finite: look at the weights")
    return PatchFeatures(values, shape, name)


def centre_features(values: np.ndarray) -> np.ndarray:
    """Subtract each picture's mean and scale each patch to length 1; what is left of a flat picture is zeros.

    Parameters
    ----------
    values : (N, n, d) float ndarray

    Returns
    -------
    (N, n, d) float ndarray
        Inner products are now cosines, of both signs about equally.
    """
    return unit_features(values - values.mean(axis=1, keepdims=True))


def unit_features(values: np.ndarray) -> np.ndarray:
    """Scale each patch of (N, n, d) to length 1; zeros, and what rounding left of them, become zeros."""
    lengths = np.linalg.norm(values, axis=2, keepdims=True)
    return np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 1e-6)


def reduce_features(values: np.ndarray, dims: int = 64) -> np.ndarray:
    """Turn each picture's features so that few dimensions keep its inner products X X^T best.

    That is its principal components, not centred again (Eckart and Young 1936).

    Parameters
    ----------
    values : (N, n, d) float32 ndarray
    dims : int
        Kept; of features that have no more, nothing is changed.

    Returns
    -------
    (N, n, min(d, dims)) float32 ndarray
    """
    if values.shape[2] <= dims:
        return values
    reduced = np.empty((*values.shape[:2], dims), dtype=values.dtype)
    for picture, result in zip(values, reduced, strict=True):
        _, vectors = np.linalg.eigh((picture.T @ picture).astype(np.float64))
        result[:] = picture @ vectors[:, : -dims - 1 : -1].astype(values.dtype)
    return reduced


def vit_keys(vit: nn.Module, images: Tensor, stride: int | None = None, norm: bool = True) -> Tensor:
    """Return the keys of the last block for every patch, all heads side by side.

    Parameters
    ----------
    vit : Module
        A timm vision transformer with one class token.
    images : (N, 3, H, W) Tensor
        As its weights expect them.
    stride : int, optional
        Between patches; by default the patch's side. The position embedding is interpolated to the new grid.
    norm : bool
        The block normalises its input before it makes keys. The slides' released code takes the keys of the input as it
        is, which are not the ones the block uses: False gives those.

    Returns
    -------
    (N, n, d) Tensor
        Patches row by row, the class token left out.

    Raises
    ------
    ValueError
        The picture is smaller than a patch, or patches of another stride are asked of a stem of several layers.
    """
    from timm.layers import resample_abs_pos_embed

    size = vit.patch_embed.patch_size
    if images.shape[2] < size[0] or images.shape[3] < size[1]:
        raise ValueError(f"images must be at least a patch of {size} pixels, got {tuple(images.shape[2:])}")
    tokens = _patch_tokens(vit.patch_embed.proj, images, size, stride)
    shape = tokens.shape[2:]
    positions = resample_abs_pos_embed(vit.pos_embed, list(shape), num_prefix_tokens=1)
    first = vit.cls_token.expand(len(images), -1, -1)
    tokens = vit.norm_pre(torch.cat([first, tokens.flatten(2).mT], dim=1) + positions)
    for block in vit.blocks[:-1]:
        tokens = block(tokens)
    last = vit.blocks[-1]
    queries_keys_values = last.attn.qkv(last.norm1(tokens) if norm else tokens)
    return queries_keys_values.chunk(3, dim=2)[1][:, 1:]


def _patch_tokens(project: nn.Module, images: Tensor, size: tuple[int, int], stride: int | None) -> Tensor:
    """Return (N, C, rows, columns) tokens; only a linear projection of patches can be moved by another stride."""
    if stride is None or (stride, stride) == tuple(size):
        return project(images)
    if not isinstance(project, nn.Conv2d):
        raise ValueError(f"stride must be {size[0]}, the patch's side, for a stem of layers, got {stride!r}")
    return F.conv2d(images, project.weight, project.bias, stride=stride)


Describer = Callable[[np.ndarray], np.ndarray]


def _describer(
    kind: str | nn.Module,
    grid: tuple[int, int],
    stride: int,
    weights: str | Path | None,
    seed: int,
    device: str,
) -> tuple[Describer, str, tuple[int, int]]:
    """Return what describes (N, H, W, 3) uint8 pictures, its name for reports, and the grid of patches."""
    if kind == "colour-texture":
        return _colour_texture, "colour and texture, no weights", grid
    if kind in ("squeezenet", "mix"):
        net = backbone("torchvision:squeezenet1_1", weights, seed).to(device)
        fires = _Fires(net, grid, device)
        name = f"fires 3 and 9 of SqueezeNet 1.1 ({net.weights})"
        if kind == "squeezenet":
            return fires, name, grid
        mixed = lambda images: np.concatenate([fires(images), _colour_texture(images)], axis=2)  # noqa: E731
        return mixed, f"{name}, colour and texture", grid
    if isinstance(kind, nn.Module):
        vit, name = kind.to(device).eval(), "keys of a vision transformer trained here"
        normalise = lambda images: 2 * images - 1  # noqa: E731
    else:
        net = backbone(DINO, weights, seed).to(device)
        vit, normalise, name = net.network, net.normalise, f"keys of DINO ViT-S/8 ({net.weights})"
    size = vit.patch_embed.patch_size[0]
    shape = tuple((PATCH * side - size) // stride + 1 for side in grid)

    def keys(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return vit_keys(vit, normalise(_tensor(images, device)), stride).cpu().numpy()

    return keys, name, (shape[0], shape[1])


class _Fires:
    """SqueezeNet's maps after some fires, on the grid of patches, each of length 1 at each patch."""

    def __init__(self, net: Backbone, grid: tuple[int, int], device: str) -> None:
        self.net, self.grid, self.device = net, grid, device

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        maps, values = [], self.net.normalise(_tensor(images, self.device))
        wanted = [FIRES[fire] for fire in MIXED]
        for index, layer in enumerate(self.net.network):
            values = layer(values)
            if index in wanted:
                maps.append(self._patches(values))
        return torch.cat(maps, dim=2).cpu().numpy()

    def _patches(self, values: Tensor) -> Tensor:
        """Resample (N, C, h, w) maps bilinearly and scale every patch to length 1: (N, n, C)."""
        options = {"mode": "bilinear", "antialias": True, "align_corners": False}
        return F.normalize(F.interpolate(values, size=self.grid, **options).flatten(2).mT, dim=2)


def _colour_texture(images: np.ndarray) -> np.ndarray:
    """Average the pixels' colour and texture over each patch: (N, n, 7)."""
    count, height, width = images.shape[:3]
    pixels = np.stack([colour_texture(image) for image in images])
    cells = pixels.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH, -1).mean(axis=(2, 4))
    return cells.reshape(count, -1, cells.shape[-1])


def _tensor(images: np.ndarray, device: str) -> Tensor:
    """Return (N, H, W, 3) uint8 pictures as (N, 3, H, W) of [0, 1]."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
