"""The keys of a vision transformer's last block: one vector for each patch of a picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def vit_keys(vit: nn.Module, images: Tensor, stride: int | None = None, norm: bool = True) -> Tensor:
    """Return the keys of the last block for every patch, all heads side by side.

    Parameters
    ----------
    vit : Module
        A timm vision transformer with one class token and no registers.
    images : (N, 3, H, W) Tensor
        As its weights expect them.
    stride : int, optional
        Between patches; by default the patch's side. The position embedding is interpolated to the new grid,
        as timm does with antialiasing; DINO's released code has none and asks for .1 row and column more.
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
        The picture is smaller than a patch, the network has other tokens than those of its patches and its class, or
        patches of another stride are asked of a stem of several layers.
    """
    from timm.layers import resample_abs_pos_embed

    if getattr(vit, "num_prefix_tokens", 1) != 1 or getattr(vit, "no_embed_class", False):
        raise ValueError(
            f"vit must have a class token with a position and no other tokens beside the patches', got a "
            f"{type(vit).__name__} with {vit.num_prefix_tokens}: take one without registers"
        )
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
