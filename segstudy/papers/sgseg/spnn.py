"""SPNN: the network that assigns each pixel to superpixels (section 3.3, Table 7).

Its convolutions see 21 pixels across and know no position, so that as printed two equal pixels far apart must share a
superpixel; the network of the work it follows (RIM, Suzuki 2020) takes x and y beside the colours. `places=True` does
so, too, and is the default; `places=False` is Table 7 to the letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import check_counts, seeded
from segstudy.papers.sgseg.superpixels import check_pictures, pixel_places

WIDTHS = (64, 128, 256, 512)
DILATIONS = (1, 2, 4)


class Assignment(NamedTuple):
    """What SPNN gives.

    Attributes
    ----------
    superpixels : (B, N, H, W) Tensor
        P, sums to 1 over N.
    reconstruction : (B, c, H, W) Tensor
        The image, reconstructed by the additional channels.
    features : (B, d, H, W) Tensor
        Of the penultimate layer.
    """

    superpixels: Tensor
    reconstruction: Tensor
    features: Tensor


class SPNN(nn.Module):
    """Superpixel extraction network: 8,754,891 parameters with N = 200, RGB and no places (Table 7).

    Parameters
    ----------
    count : int
        N, the largest number of superpixels.
    in_channels : int
        Bands of the image. All of them are reconstructed; the text says 3 also of four bands.
    widths : sequence of int
        Of the four first layers; the last is that of the penultimate layer.
    places : bool
        Whether x and y, from -1 to 1, stand beside the bands at the input.
    seed : int
        Of first weights (Xavier's).

    Raises
    ------
    ValueError
        A number below 1, or no width.
    """

    def __init__(
        self,
        count: int = 200,
        in_channels: int = 3,
        widths: Sequence[int] = WIDTHS,
        places: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_widths(widths)
        check_counts(count=count, in_channels=in_channels)
        self.count, self.in_channels, self.places = count, in_channels, places
        last = widths[-1]
        with seeded(seed):
            sizes, ends = [5, *[3] * (len(widths) - 1)], [in_channels + 2 * places, *widths]
            self.layers = nn.Sequential(
                *(_layer(a, b, size) for a, b, size in zip(ends, ends[1:], sizes, strict=False))
            )
            self.atrous = nn.ModuleList(
                nn.Conv2d(last, last, 3, padding=rate, dilation=rate, groups=last) for rate in DILATIONS
            )
            self.penultimate = _layer(last * len(DILATIONS), last, 3)
            self.head = nn.Conv2d(last, count + in_channels, 1)
            self.apply(initialise)

    def forward(self, images: Tensor) -> Assignment:
        """Assign the pixels of (B, c, H, W) images, which are finite; in training they are not a single pixel."""
        check_pictures(images, self.in_channels, least=1, training=self.training)
        inputs = images = images.to(self.head.weight.dtype)
        if self.places:
            where = 2 * pixel_places(*images.shape[2:], like=images) - 1
            inputs = torch.cat([images, where.expand(len(images), -1, -1, -1)], dim=1)
        values = self.layers(inputs)
        values = torch.cat([layer(values) for layer in self.atrous], dim=1)
        features = self.penultimate(values)
        logits, reconstruction = self.head(features).split([self.count, images.shape[1]], dim=1)
        # A view of the head's output would keep all of it, as large as P, for the backward pass of the edge loss.
        return Assignment(logits.softmax(dim=1), reconstruction.clone(), features)


def check_widths(widths: Sequence[int]) -> None:
    """Refuse widths of layers of which there are none, or which are below 1."""
    if not widths:
        raise ValueError(f"widths must be those of one layer or more, got {widths!r}")
    check_counts(**{f"widths[{i}]": width for i, width in enumerate(widths)})


def _layer(inputs: int, outputs: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def initialise(module: nn.Module) -> None:
    """Give a convolution or a linear layer Xavier's weights and no bias, as appendix A.1 says of all layers."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
