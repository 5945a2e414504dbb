"""IIC (Ji, Henriques, Vedaldi 2019), what paper 2 compares SGSeg with.

It compares a picture with a changed and mirrored copy instead of two reading orders; its network, net10a, keeps a
quarter of the resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.trunks import seeded
from segstudy.papers.sgseg.mutual_information import mutual_information
from segstudy.papers.sgseg.training import JITTER, UnlabelledBatches
from segstudy.training import History, train

IIC_WIDTHS = (64, 128, 256, 512)


def iic_widths(first: int) -> list[int]:
    """Return the widths of the four stages in the paper's proportions, from that of the first; at least 4 each."""
    return [max(4, width * first // IIC_WIDTHS[0]) for width in IIC_WIDTHS]


class IICNet(nn.Module):
    """IIC's net10a: convolutions without bias, two poolings, the last two layers dilated.

    Parameters
    ----------
    num_clusters : int
    in_channels : int
    widths : sequence of int
        Of the four stages.
    seed : int
    """

    def __init__(
        self, num_clusters: int, in_channels: int = 3, widths: Sequence[int] = IIC_WIDTHS, seed: int = 0
    ) -> None:
        super().__init__()
        a, b, c, d = widths
        with seeded(seed):
            self.layers = nn.Sequential(
                *_layer(in_channels, a),
                *_layer(a, b),
                nn.MaxPool2d(2),
                *_layer(b, c),
                *_layer(c, c),
                *_layer(c, d, 2),
                *_layer(d, d, 2),
            )
            self.head = nn.Conv2d(d, num_clusters, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, k, H, W) probabilities, enlarged after the softmax as IIC does."""
        found = self.head(self.layers(images)).softmax(dim=1)
        return F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)


def _layer(inputs: int, outputs: int, dilation: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


class PairedBatches(UnlabelledBatches):
    """Batches of pictures and of changed copies of them, all copies of a batch mirrored or none."""

    def __call__(self, epoch: int) -> Any:
        """Yield ((2, B, c, H, W) pictures and copies, whether these are mirrored) and an empty tensor."""
        rng = np.random.default_rng((self.seed, epoch))
        shuffled = rng.permutation(len(self.images))
        for start in range(0, len(shuffled) - 1, self.size):
            chosen = [self.images[i] for i in shuffled[start : start + self.size]]
            copies = [JITTER(image, np.zeros(image.shape[:2], np.uint8), rng)[0] for image in chosen]
            both = torch.stack([self.statistics.standardise(part) for part in (chosen, copies)])
            yield (both, torch.tensor(rng.random() < 0.5)), torch.empty(0)


class _Pairs(nn.Module):
    """A network on pictures and their copies, these mirrored on the way in and back on the way out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        (pictures, copies), mirrored = inputs
        if not mirrored:
            return self.network(pictures), self.network(copies)
        return self.network(pictures), self.network(copies.flip(3)).flip(3)


def _loss(maps: tuple[Tensor, Tensor], _: Tensor, radius: int) -> Tensor:
    return -mutual_information(*maps, radius)


def train_iic(
    network: nn.Module, batches: PairedBatches, epochs: int, rate: float, radius: int = 2, **options: Any
) -> History:
    """Train IIC in place, with Adam; options are those of :func:`segstudy.training.train`."""
    adam = partial(torch.optim.Adam, lr=rate)
    return train(_Pairs(network), batches, partial(_loss, radius=radius), adam, epochs, **options)
