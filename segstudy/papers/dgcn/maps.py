"""The maps of several layers of a network, brought to one size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def resize_to_last(maps: Sequence[Tensor]) -> list[Tensor]:
    """Resize (B, d_k, h_k, w_k) maps bilinearly to the last one's h and w; those that have it stay as they are."""
    size = maps[-1].shape[2:]
    return [
        found if found.shape[2:] == size else F.interpolate(found, size, mode="bilinear", align_corners=False)
        for found in maps
    ]


DEEPEST = 2  # layers that a head reads; the graph is made of all that the trunk gives


def stack_deepest(maps: Sequence[Tensor]) -> Tensor:
    """Lay the deepest (B, d_k, h_k, w_k) maps side by side, of the last one's size: what a head reads."""
    return torch.cat(resize_to_last(maps[-DEEPEST:]), dim=1)
