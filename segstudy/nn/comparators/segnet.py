"""The SegNet that SCG-Net's Table VI measured: an encoder, its mirror image, and shared convolutions.

Badrinarayanan, Kendall, Cipolla: SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation,
TPAMI 2017. What was measured has little of its decoder; the class says what.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import (
    check_counts,
    check_images,
    initialise,
    normalised,
    pad_to_multiple,
    seeded,
    vgg,
)

STRIDE = 32
LEAST = 64  # the encoder's last map is then 2 x 2: batch normalisation can always be trained


class SegNet(nn.Module):
    """SegNet on VGG19: 39.79 M parameters, 60.88 G by the paper's count.

    The encoder is VGG19's five stages with batch normalisation. Five blocks go back up: a transposed 2 x 2 convolution
    of stride 2 that keeps the channels, then 4, 4, 4, 2 and 2 convolutions of 3 x 3 with batch normalisation and ReLU;
    the encoder's map of the same size is put beside a block's result before the next block.

    What differs from the paper:

    - nothing is unpooled at the remembered places of the maxima, which is the paper's own idea: transposed
      convolutions enlarge, and encoder's maps are concatenated as in a U-Net;
    - the convolutions in the middle of a block, which turn a number of channels into the same number, are *one* layer
      that is applied several times, normalisation included. So the weights count once and the cost as often as they are
      used; unshared, there would be 49.83 M parameters. The running mean and variance of a shared normalisation mix
      the statistics of all of its uses;
    - the scores themselves are normalised and rectified: no logit is negative.

    The network of the paper on VGG19 has 40.07 M parameters and does not meet the printed numbers.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    seed : int
        Decides the initial weights: normal with variance 2 / (inputs of a unit), no bias. The global random state is
        left as it was.

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
            self.encoder = vgg((2, 2, 4, 4, 4), in_channels, normalise=True)
            self.decoder = nn.ModuleList(
                [
                    nn.Sequential(_double_size(512), *[_convolution(512, 512)] * 4),
                    _block(1024, 256, repeats=2),
                    _block(512, 128, repeats=2),
                    _block(256, 64, repeats=0),
                    _block(128, num_classes, repeats=0),
                ]
            )
            self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel, none of them negative.

        Where 32 does not divide height and width, the picture is continued by reflection and the logits are cropped.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 64.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        height, width = check_images(images, self.in_channels, LEAST)
        maps = [pad_to_multiple(images, STRIDE)]
        for stage in self.encoder:
            maps.append(stage(maps[-1]))
        features = self.decoder[0](maps[5])
        for block, bridge in zip(self.decoder[1:], maps[4:0:-1], strict=True):
            features = block(torch.cat([bridge, features], dim=1))
        return features[..., :height, :width]


def _block(inputs: int, outputs: int, repeats: int) -> nn.Sequential:
    """Return an enlargement and 2 + `repeats` convolutions through half the channels.

    A list times a number repeats references: the layers in the middle are one module with one set of weights.
    """
    middle = inputs // 2
    shared = [_convolution(middle, middle)] * repeats
    return nn.Sequential(
        _double_size(inputs), _convolution(inputs, middle), *shared, _convolution(middle, outputs)
    )


def _double_size(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, 2, stride=2)


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Return a padded 3 x 3 convolution with batch normalisation and ReLU."""
    return nn.Sequential(*normalised(inputs, outputs))
