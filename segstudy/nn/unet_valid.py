"""The U-Net that SCG-Net's Table VI measured: its convolutions are not padded.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015, as far as
widths and unpadded convolutions go. `segstudy.nn.UNet` is the padded network for every day; this one is kept for its
cost: as many parameters and a third of the multiply-adds, because its maps shrink with every convolution.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import check_counts, check_images, enlarge, initialise, normalised_twice, seeded

WIDTHS = (64, 128, 256, 512)
BOTTOM = 1024
LEAST = 188  # of a smaller picture the unpadded convolutions leave nothing: 188 pixels make 4 x 4 logits


class UNetValid(nn.Module):
    """U-Net with unpadded 3 x 3 convolutions: 31.04 M parameters, 15.25 G by the paper's count.

    Each of four levels down is two 3 x 3 convolutions, every one with bias, batch normalisation and ReLU, and 2 x 2 max
    pooling; half of the lowest map's units are dropped out in training. Two convolutions of 1024 channels are the
    bottom. Each level up is a transposed 2 x 2 convolution of stride 2, the skip, and two convolutions.

    What differs from Figure 1 of its paper:

    - a skip is the *pooled* map of its level, enlarged to the decoder's map, where the paper crops the map before
      pooling: details at full resolution never reach the decoder;
    - batch normalisation;
    - the logits, 68 x 68 for a picture of 256 x 256, are enlarged to the picture's size, although they belong to
      its middle alone; the paper predicts the middle and tiles.

    SCG-Net's Table VI calls the backbone VGG16; no part of this network is VGG16's, and the printed numbers are met
    without one.

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
        convolve = partial(normalised_twice, padded=False)
        with seeded(seed):
            self.encoder = nn.ModuleList(map(convolve, [in_channels, *WIDTHS[:-1]], WIDTHS))
            self.pool, self.dropout = nn.MaxPool2d(2), nn.Dropout()
            self.bottom = convolve(WIDTHS[-1], BOTTOM)
            self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in WIDTHS[::-1])
            self.decoder = nn.ModuleList(convolve(2 * w, w) for w in WIDTHS[::-1])
            self.head = nn.Conv2d(WIDTHS[0], num_classes, 1)
            self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 188.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        size = check_images(images, self.in_channels, LEAST)
        features, pooled = images, []
        for convolve in self.encoder:
            features = self.pool(convolve(features))
            pooled.append(features)
        pooled[-1] = self.dropout(features)
        features = self.bottom(pooled[-1])
        for up, convolve, bridge in zip(self.up, self.decoder, pooled[::-1], strict=True):
            features = up(features)
            features = convolve(torch.cat([features, enlarge(bridge, features.shape[2:])], dim=1))
        return enlarge(self.head(features), size)
