"""DDCM-R50: dilated convolutions that read all of their predecessors' results.

Liu, Kampffmeyer, Jenssen, Salberg: Dense Dilated Convolutions Merging Network for Land Cover Classification, IEEE
Transactions on Geoscience and Remote Sensing 58, 2020. The same authors' SCG-Net is compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import (
    ResNet50,
    check_counts,
    check_images,
    enlarge,
    initialise,
    pad_to_multiple,
    seeded,
)

DETAIL = 3  # channels of the block that sees the picture itself
DETAIL_RATES = (1, 2, 3, 5, 7, 9)
CONTEXT_RATES = (1, 2, 3, 4)
STRIDE = 16  # of ResNet50's third stage
LEAST = 2 * STRIDE  # the trunk's last map is then 2 x 2: batch normalisation can always be trained


class DDCM(nn.Module):
    """DDCM-R50: 9.99 M parameters, 4.86 G by the paper's count.

    ResNet50 ends after its third stage, as in SCG-Net. A `DenseDilated` block merges its 1024 channels into 36 (rates 1
    to 4), which are enlarged four times; another merges those into 18 (rate 1), which are enlarged twice. Beside them
    stands the picture at half its size: a block with rates 1 to 9 at full resolution, then max pooling. A 3 x 3
    convolution of these 21 channels makes the scores, which are enlarged to the picture's size.

    This is the network of the authors' public code; the trunk has no pretrained weights here. Normalisation follows
    the activation in its blocks, not the other way round.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    seed : int
        Decides the initial weights: torchvision's for ResNet50, else normal with variance 2 / (inputs of a unit), no
        bias (the authors: Xavier's). The global random state is left as it was.

    Raises
    ------
    ValueError
        A number of classes or channels is smaller than 1.
    """

    def __init__(self, num_classes: int, in_channels: int = 3, *, seed: int = 0) -> None:
        super().__init__()
        check_counts(num_classes=num_classes, in_channels=in_channels)
        self.in_channels = in_channels
        with seeded(seed):
            self.trunk = ResNet50(in_channels, stages=3)
            detail = DenseDilated(in_channels, DETAIL, DETAIL_RATES)
            self.detail = nn.Sequential(detail, nn.MaxPool2d(2)).apply(initialise)
            # Upsampling is a layer here, not a function: the paper's count sees layers.
            self.context = nn.Sequential(
                *(DenseDilated(1024, 36, CONTEXT_RATES), nn.Upsample(scale_factor=4, mode="bilinear")),
                *(DenseDilated(36, 18, (1,)), nn.Upsample(scale_factor=2, mode="bilinear")),
            ).apply(initialise)
            self.head = nn.Conv2d(18 + DETAIL, num_classes, 3, padding=1).apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel.

        Where 16 does not divide height and width, the picture is continued by reflection and the logits are cropped.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 32.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        height, width = check_images(images, self.in_channels, LEAST)
        padded = pad_to_multiple(images, STRIDE)
        context = self.context(self.trunk(padded)[-1])
        scores = self.head(torch.cat([context, self.detail(padded)], dim=1))
        return enlarge(scores, padded.shape[2:])[..., :height, :width]


class DenseDilated(nn.Module):
    """Dilated 3 x 3 convolutions, each of which sees the input and all results so far; a 1 x 1 merges them.

    Parameters
    ----------
    inputs : int
        Channels of the input.
    outputs : int
        Channels of each convolution's result, and of the block's.
    rates : sequence of ints
        The convolutions' dilations, in their order.
    """

    def __init__(self, inputs: int, outputs: int, rates: Sequence[int]) -> None:
        super().__init__()
        seen = range(inputs, inputs + len(rates) * outputs, outputs)
        self.dilated = nn.ModuleList(
            _convolution(channels, outputs, 3, rate) for channels, rate in zip(seen, rates, strict=True)
        )
        self.merge = _convolution(inputs + len(rates) * outputs, outputs, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, outputs, H, W) maps of (N, inputs, H, W) ones."""
        for convolve in self.dilated:
            features = torch.cat([convolve(features), features], dim=1)
        return self.merge(features)


def _convolution(inputs: int, outputs: int, kernel: int, rate: int) -> nn.Sequential:
    """Return a convolution without bias that keeps the size, PReLU with one parameter, batch normalisation."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False)
    return nn.Sequential(convolution, nn.PReLU(), nn.BatchNorm2d(outputs))
