"""Class activation maps: where a classifier that knows only image-level labels looks (section 3.2; Zhou et al. 2016).

A fully convolutional classifier: a trunk's maps at stride 8, an adaptation layer, a map of scores for each object, and
their mean over positions as the picture's score. The maps of scores before the mean are the activation maps: a linear
layer after the mean, as printed, and one before it, as here, give the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.papers.dgcn.maps import stack_deepest

TOP_SHARE = 0.25


def pool_mean(maps: Tensor) -> Tensor:
    """Return (B, C) means over the positions of (B, C, h, w) maps: global average pooling, as the paper."""
    return maps.mean(dim=(2, 3))


def pool_top(maps: Tensor) -> Tensor:
    """Return (B, C) means of the highest quarter of (B, C, h, w) maps.

    With few pictures and a small trunk the mean over all positions is reached by a little of a class everywhere, and
    the maps are diffuse; the highest quarter asks for an object somewhere.
    """
    flat = maps.flatten(2)
    return flat.topk(max(1, round(TOP_SHARE * flat.shape[2])), dim=2).values.mean(dim=2)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {"mean": pool_mean, "top quarter": pool_top}


class ClassifierHead(nn.Module):
    """Adaptation layer and scores of the objects, on a trunk's maps.

    Parameters
    ----------
    channels : int
        Of the maps it reads, the deepest two, together.
    objects : int
        Classes but the background.
    hidden : int
        Of the adaptation layer.
    pooling : "mean" or "top quarter"
    seed : int
        Of first weights.

    Raises
    ------
    ValueError
        The pooling is unknown, or a number below 1.
    """

    def __init__(
        self, channels: int, objects: int, hidden: int = 256, pooling: str = "mean", seed: int = 0
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {tuple(POOLINGS)}, got {pooling!r}")
        for name, value in (("channels", channels), ("objects", objects), ("hidden", hidden)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value!r}")
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.adaptation = nn.Sequential(
                nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU()
            )
            self.score = nn.Conv2d(hidden, objects, 1)
        self.pool = POOLINGS[pooling]

    def activations(self, maps: Sequence[Tensor]) -> Tensor:
        """Return (B, objects, h, w) class activation maps of a trunk's maps."""
        return self.score(self.adaptation(stack_deepest(maps)))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return (B, objects) scores, logits of each object's presence."""
        return self.pool(self.activations(maps))


@torch.no_grad()
def class_activation_maps(
    image: Tensor,
    trunk: nn.Module,
    head: ClassifierHead,
    *,
    scales: Sequence[float] = (1.0,),
    mirror: bool = True,
) -> Tensor:
    """Return the activation maps of one picture, averaged over its sizes and its mirror image.

    Parameters
    ----------
    image : (3, H, W) Tensor
        In [0, 1], on the networks' device.
    trunk : Module
        Gives a list of maps for (1, 3, H, W) pictures, such as :func:`~segstudy.nn.backbones.backbone` with stages.
    head : ClassifierHead
    scales : sequence of float
        Of the picture's sides.
    mirror : bool
        Also of the mirror image, turned back.

    Returns
    -------
    (objects, h, w) Tensor
        Of the size that the first scale gives; each map is scaled by its class's largest value before the mean, so that
        no size of the picture outweighs the others. Negative values, evidence against a class, are 0.

    Raises
    ------
    ValueError
        `image` is not (3, H, W), or a scale is not above 0.
    """
    if image.ndim != 3:
        raise ValueError(f"image must be (3, H, W), got shape {tuple(image.shape)}")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be above 0, one or more, got {tuple(scales)}")
    found: list[Tensor] = []
    for scale in scales:
        size = [max(1, round(scale * side)) for side in image.shape[1:]]
        resized = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)
        whole = _scaled_activations(head, trunk(resized), trunk(resized.flip(3)) if mirror else None)
        found.append(
            F.interpolate(whole, found[0].shape[1:], mode="bilinear", align_corners=False)[0]
            if found
            else whole[0]
        )
    return torch.stack(found).mean(dim=0)


@torch.no_grad()
def activations_of_maps(head: ClassifierHead, maps: Sequence[Tensor], mirrored: Sequence[Tensor]) -> Tensor:
    """Return the activation maps of one picture from what a frozen trunk sees of it and of its mirror image.

    Parameters
    ----------
    head : ClassifierHead
    maps, mirrored : sequences of (d_k, h_k, w_k) Tensor
        In any precision, on any device.

    Returns
    -------
    (objects, h, w) Tensor
        As :func:`class_activation_maps` at scale 1.
    """
    place = head.score.weight.device
    views = ([values[None].float().to(place) for values in found] for found in (maps, mirrored))
    return _scaled_activations(head, *views)[0]


def _scaled_activations(
    head: ClassifierHead, maps: Sequence[Tensor], mirrored: Sequence[Tensor] | None
) -> Tensor:
    """Return (1, objects, h, w) activations, the mean with those of the mirror image, each scaled to a largest of 1."""
    found = head.activations(maps)
    if mirrored is not None:
        found = (found + head.activations(mirrored).flip(3)) / 2
    found = found.clamp_min(0)
    return found / found.amax(dim=(2, 3), keepdim=True).clamp_min(1e-5)
