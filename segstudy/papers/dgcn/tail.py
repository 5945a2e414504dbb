"""A trunk of which the last blocks are trained: what the blocks before them see of a picture is made once."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from segstudy.nn.backbones import Backbone
from segstudy.papers.dgcn.views import Maps, WeakPicture
from segstudy.progress import track


class Tail(nn.Module):
    """The blocks that make the last of a trunk's maps: gives the other maps as they are and the last one anew.

    Parameters
    ----------
    blocks : Module
        Takes what :func:`enter` put in the last map's place.
    """

    def __init__(self, blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(self, maps: Maps) -> list[Tensor]:
        """Return the maps as the trunk gives them."""
        return [*maps[:-1], self.blocks(maps[-1])]


def split_tail(trunk: Backbone, blocks: int) -> tuple[nn.Module, Tail]:
    """Split what leads from the last stage but one of a frozen trunk to the last.

    Parameters
    ----------
    trunk : Backbone
        One of timm's EfficientNets, with stages.
    blocks : int
        So many of the last are trained.

    Returns
    -------
    before : Module
        The blocks that stay frozen, for :func:`enter`.
    tail : Tail
        A copy of the others, ready to be trained.

    Raises
    ------
    ValueError
        There are not so many blocks, or the trunk has no blocks.
    """
    layers = trunk.network.deepest()
    if not 1 <= blocks <= len(layers):
        raise ValueError(f"blocks must be 1 to {len(layers)} for this trunk, got {blocks!r}")
    first = len(layers) - blocks
    return layers[:first], Tail(deepcopy(layers[first:]).requires_grad_(True))


@torch.no_grad()
def enter(pictures: Sequence[WeakPicture], before: nn.Module) -> list[WeakPicture]:
    """Return the pictures with what a :class:`Tail` takes in their last map's place, and without edges.

    The n-links are those of the features of now, which change with the tail.
    """
    place = next(before.parameters(), torch.empty(0)).device

    def entered(maps: Maps) -> Maps:
        return [*maps[:-1], before(maps[-2][None].float().to(place))[0].half().cpu()]

    return [
        replace(p, maps=tuple(entered(maps) for maps in p.maps), edges=None)
        for p in track(pictures, "before the tail")
    ]
