"""The segmentation network: a trunk's maps at stride 8 and an atrous classifier on them (DeepLab; Chen et al. 2018).

The paper takes ResNet-101 and ResNet-38, DSRG also VGG16. With frozen ImageNet features a small head is what trains in
minutes; the head takes maps, so that those of a frozen trunk are made once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.backbones import Backbone
from segstudy.papers.dgcn.maps import stack_deepest

RATES = (6, 12)  # of the four, 6, 12, 18 and 24, those that a map of 41 x 41 has room for


class AtrousHead(nn.Module):
    """An adaptation layer and, summed, one 3 x 3 classifier for each dilation.

    Parameters
    ----------
    channels : int
        Of the maps it reads, the deepest two, together.
    num_classes : int
        C, the background counted.
    hidden : int, optional
        Of the adaptation layer; None: there is none, as in DeepLab's ResNet-101.
    rates : sequence of int
        Dilations.
    dropout : float
        Of whole channels before the classifiers.
    seed : int
        Of first weights.

    Raises
    ------
    ValueError
        A number below 1, or a dropout outside [0, 1).
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        hidden: int | None = 128,
        rates: Sequence[int] = RATES,
        dropout: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        numbers = {"channels": channels, "num_classes": num_classes, "hidden": hidden or 1}
        for name, value in (numbers | {f"rates[{i}]": rate for i, rate in enumerate(rates)}).items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value!r}")
        if not rates or not 0 <= dropout < 1:
            raise ValueError(f"rates must not be empty and dropout in [0, 1), got {rates!r} and {dropout!r}")
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            layers = (
                [nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU()]
                if hidden
                else []
            )
            self.adaptation = nn.Sequential(*layers, nn.Dropout2d(dropout))
            self.classifiers = nn.ModuleList(
                nn.Conv2d(hidden or channels, num_classes, 3, padding=rate, dilation=rate) for rate in rates
            )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return (B, C, h, w) logits of the trunk's maps, of the last one's size."""
        values = self.adaptation(stack_deepest(maps))
        return torch.stack([classify(values) for classify in self.classifiers]).sum(dim=0)


class SegmentationNetwork(nn.Module):
    """A trunk and its head, for training both and for pictures of any size.

    Parameters
    ----------
    trunk : Backbone
        With stages.
    head : Module
        Takes the trunk's maps.
    """

    def __init__(self, trunk: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, C, h, w) logits of (B, 3, H, W) pictures of [0, 1], at the trunk's stride."""
        return self.head(self.trunk(images))


@torch.no_grad()
def predict(network: nn.Module, image: Tensor, sides: Sequence[int] = (321,)) -> Tensor:
    """Return class probabilities of one picture: logits at several sizes, enlarged to the picture and summed.

    Parameters
    ----------
    network : Module
        Gives (1, C, h, w) logits of (1, 3, H, W) pictures.
    image : (3, H, W) Tensor
        In [0, 1], on the network's device.
    sides : sequence of int
        The picture is warped to a square of each, as in training; DSRG tests at 241, 321 and 401.

    Returns
    -------
    (C, H, W) Tensor
        Softmax of the sum of bilinearly enlarged logits.

    Raises
    ------
    ValueError
        `image` is not (3, H, W), or `sides` is empty or has one below 1.
    """
    if image.ndim != 3:
        raise ValueError(f"image must be (3, H, W), got shape {tuple(image.shape)}")
    if not sides or min(sides) < 1:
        raise ValueError(f"sides must be 1 or more, at least one of them, got {tuple(sides)}")
    total = image.new_zeros(())
    for side in sides:
        warped = F.interpolate(
            image[None], (side, side), mode="bilinear", antialias=True, align_corners=False
        )
        logits = network(warped)
        total = total + F.interpolate(logits, image.shape[1:], mode="bilinear", align_corners=False)[0]
    return total.softmax(dim=0)
