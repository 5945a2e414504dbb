"""What all experiments of notebook 04 share: its settings, and the networks that they begin with."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch

from segstudy.nn.backbones import Backbone, backbone
from segstudy.papers.dgcn.maps import DEEPEST
from segstudy.papers.dgcn.segmenter import STAGES
from segstudy.papers.dgcn.tail import split_tail
from segstudy.papers.dgcn.training import Learner
from segstudy.papers.dgcn.views import WeakPicture, to_tensor


class Chain(NamedTuple):
    """What all experiments of the notebook share.

    Parameters
    ----------
    train, test : str
        Data sets with their splits; the second is read for its scores alone.
    images : int
        Of each, evenly spaced; 0: all.
    trunk : str
    weights : str or None
        Of :func:`~segstudy.nn.backbones.backbone`.
    side : int
        Pictures are warped to a square of it.
    drawn : int
        Pixels of a side at which a drawn data set is drawn; 0: pictures are read.
    pooling : str
        Of the classifier.
    classifier_epochs, epochs : int
    frozen : bool
        Whether the trunk is; else it is trained with every head anew, from the same weights.
    device : str
    """

    train: str
    test: str
    images: int
    trunk: str
    weights: str | None
    side: int
    drawn: int
    pooling: str
    classifier_epochs: int
    epochs: int
    frozen: bool
    device: str


def new_trunk(chain: Chain) -> Backbone:
    """Return the trunk with the weights that it starts from."""
    options = {"stages": STAGES, "output_stride": 8, "device": chain.device}
    return backbone(chain.trunk, chain.weights, freeze="all" if chain.frozen else None, **options)


@lru_cache
def map_shapes(chain: Chain) -> list[tuple[int, int, int]]:
    """Return the (d, h, w) shapes of the trunk's maps."""
    picture = torch.zeros(1, 3, chain.side, chain.side, device=chain.device)
    with torch.no_grad():
        return [tuple(values.shape[1:]) for values in new_trunk(chain).eval()(picture)]


def map_width(chain: Chain) -> int:
    """Return the channels of the maps that a head reads."""
    return sum(shape[0] for shape in map_shapes(chain)[-DEEPEST:])


def new_learner(chain: Chain, head: torch.nn.Module, blocks: int = 0) -> Learner:
    """Return a head, with a trunk of its own where that is trained, too, or with so many last blocks of it."""
    if blocks:
        return Learner(head, split_tail(new_trunk(chain), blocks)[1])
    return Learner(head, None if chain.frozen else new_trunk(chain))


@torch.no_grad()
def answer(learner: Learner, picture: WeakPicture) -> torch.Tensor:
    """Return what a head says of a picture as it is, on the CPU: (1, objects) scores or (1, C, h, w) logits."""
    place = next(learner.parameters()).device
    if picture.maps is not None:
        return learner([values[None].float().to(place) for values in picture.maps[0]])[0].cpu()
    return learner(to_tensor(picture.image, place)[None])[0].cpu()
