"""The training pictures of the loop: all that is known of one, what a frozen trunk sees of it, and batches of them.

A mask is nowhere among it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.papers.dgcn.graph_cut import NEIGHBOURS, join_features, knn_edges
from segstudy.progress import track

Maps = list[Tensor]


@dataclass(frozen=True)
class WeakPicture:
    """A training picture and all that is known of it.

    Parameters
    ----------
    image : (S, S, 3) uint8 ndarray
        Warped to the size at which the network is trained.
    classes : tuple of int
        The objects it holds, ids from 1; empty: background alone.
    maps : tuple of lists of (d_k, h_k, w_k) Tensor, optional
        What a frozen trunk sees of it and, if it was asked to, of its mirror image, see :func:`look`.
    cues : (h, w) uint8 ndarray, optional
        See :func:`~segstudy.papers.dgcn.seeds.seed_cues`.
    edges : (m, 2) int64 ndarray, optional
        The n-links among what a frozen trunk sees.
    """

    image: np.ndarray
    classes: tuple[int, ...]
    maps: tuple[Maps, ...] | None = None
    cues: np.ndarray | None = None
    edges: np.ndarray | None = None


def to_tensor(image: np.ndarray, device: str = "cpu") -> Tensor:
    """Return a (H, W, 3) uint8 picture as the networks take it: (3, H, W) float32 in [0, 1]."""
    return torch.tensor(image, device=device).permute(2, 0, 1).float().div(255)


@torch.no_grad()
def look(
    pictures: Sequence[WeakPicture],
    trunk: nn.Module,
    *,
    mirrored: bool = True,
    device: str = "cpu",
    label: str = "features",
) -> list[WeakPicture]:
    """Return the pictures with what a frozen trunk sees of them and of their mirror images, in half precision.

    Parameters
    ----------
    pictures : sequence of WeakPicture
    trunk : Module
        Gives a list of maps; in evaluation mode.
    mirrored : bool
        Whether the mirror images are looked at, too; pictures that are not trained on need none.
    device : str
        Where the trunk runs; the maps are kept in the CPU's memory.
    label : str
        What the progress display shows.

    Raises
    ------
    ValueError
        What the trunk gives is not finite in half precision.
    """
    trunk = trunk.to(device).eval()
    seen = []
    for picture in track(pictures, label):
        view = to_tensor(picture.image, device)
        found = trunk(torch.stack([view, view.flip(2)] if mirrored else [view]))
        kept = tuple([values[i].half().cpu() for values in found] for i in range(1 + mirrored))
        if not all(values.isfinite().all() for maps in kept for values in maps):
            raise ValueError(
                "the trunk's maps leave the range of half precision: use other layers or weights"
            )
        seen.append(replace(picture, maps=kept))
    return seen


def link(
    pictures: Sequence[WeakPicture], k: int = NEIGHBOURS, *, label: str = "neighbours"
) -> list[WeakPicture]:
    """Return the pictures with the n-links among their maps, those of all layers side by side (Eqs. 1, 2)."""
    return [
        replace(p, edges=knn_edges(join_features(_seen(p, mirrored=False)), k))
        for p in track(pictures, label)
    ]


def _seen(picture: WeakPicture, mirrored: bool) -> Maps:
    if picture.maps is None:
        raise ValueError("the pictures have no maps yet: call look(pictures, trunk) first")
    return [values.float() for values in picture.maps[int(mirrored)]]


@dataclass(frozen=True)
class Views:
    """Shuffled batches of pictures or of what a trunk sees of them, each mirrored or not.

    `views(epoch)` yields what the network takes and, as the target, (B, 3) int64: index, mirrored, epoch. It depends on
    the epoch and the seed alone.

    Parameters
    ----------
    pictures : sequence of WeakPicture
    frozen : bool
        Whether the network takes maps instead of pictures.
    batch : int
        The last one of an epoch may be smaller, but not of one picture: batch normalisation has no spread of one.
    seed : int
    """

    pictures: Sequence[WeakPicture]
    frozen: bool
    batch: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.pictures) < 2 or self.batch < 2:
            raise ValueError(
                f"there must be 2 pictures and 2 in a batch at least, got {len(self.pictures)} and {self.batch}"
            )

    def __call__(self, epoch: int) -> Iterator[tuple[Any, Tensor]]:
        """Yield the batches of an epoch."""
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.pictures))
        mirrored = rng.random(len(order)) < 0.5
        for start in range(0, len(order), self.batch):
            chosen = order[start : start + self.batch]
            if len(chosen) < 2:
                return
            sides = mirrored[start : start + self.batch]
            which = [[int(i), int(side), epoch] for i, side in zip(chosen, sides, strict=True)]
            yield self._inputs(chosen, sides), torch.tensor(which)

    def _inputs(self, chosen: np.ndarray, sides: np.ndarray) -> Tensor | Maps:
        pairs = [(self.pictures[i], bool(side)) for i, side in zip(chosen, sides, strict=True)]
        if self.frozen:
            return [torch.stack(layer) for layer in zip(*(_seen(*pair) for pair in pairs), strict=True)]
        views = [to_tensor(picture.image) for picture, _ in pairs]
        return torch.stack(
            [view.flip(2) if side else view for view, (_, side) in zip(views, pairs, strict=True)]
        )
