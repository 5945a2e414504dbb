"""PSPNet: averages over the whole picture and over parts of it, beside every pixel's features.

Zhao, Shi, Qi, Wang, Jia: Pyramid Scene Parsing Network, CVPR 2017 (Figure 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import ResNet50, check_counts, check_images, enlarge, initialise, normalised, seeded

BINS = (1, 2, 3, 6)  # the pyramid divides a map into 1, 4, 9 and 36 parts
FEATURES = 2048  # channels of the trunk's last map
REDUCED = FEATURES // len(BINS)
LEAST = 16  # the trunk's last map is then 2 x 2


class PSPNet(nn.Module):
    """PSPNet on a dilated ResNet50: 46.59 M parameters, 44.40 G by the paper's count.

    ResNet50's last map, an eighth as large as the picture, is averaged over 1, 4, 9 and 36 parts; each average becomes
    512 channels by a 1 x 1 convolution with batch normalisation and ReLU and is enlarged to the map's size. Map and
    averages, 4096 channels, give the scores: a 3 x 3 convolution to 512, normalised and rectified, dropout of
    0.1, and a 1 x 1 convolution. In training, a head on the third stage helps the trunk: `with_auxiliary`.

    What differs from the authors' network: that head is a single 1 x 1 convolution from 1024 channels (theirs: a 3 x 3
    before it), and the trunk's stem is ResNet50's 7 x 7 convolution (theirs: three of 3 x 3). The printed 46.59 M
    parameters include the head, 46.585 M are without it; the cost is that of a prediction and does not.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    seed : int
        Decides the initial weights: torchvision's for ResNet50, else normal with variance 2 / (inputs of a unit), no
        bias. The global random state is left as it was.

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
            self.trunk = ResNet50(in_channels, dilated=True)
            self.pyramid = nn.ModuleList(
                nn.Sequential(nn.AdaptiveAvgPool2d(bins), *normalised(FEATURES, REDUCED, 1, bias=False))
                for bins in BINS
            ).apply(initialise)
            self.head = nn.Sequential(
                *normalised(2 * FEATURES, 512, bias=False), nn.Dropout(0.1), nn.Conv2d(512, num_classes, 1)
            ).apply(initialise)
            self.auxiliary = nn.Conv2d(FEATURES // 2, num_classes, 1).apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel, in training as well: the auxiliary head is left out.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 16; in training N at least 2, because the average over the whole picture is normalised over
            the pictures of the batch.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        size = self._check(images)
        return enlarge(self._scores(self.trunk(images)[-1]), size)

    def with_auxiliary(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of every pixel, and those of the head on the trunk's third stage.

        The paper trains the sum of the first's loss and 0.4 times the second's.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            As for `forward`.

        Returns
        -------
        two (N, num_classes, H, W) Tensors
        """
        size = self._check(images)
        *_, third, last = self.trunk(images)
        return enlarge(self._scores(last), size), enlarge(self.auxiliary(third), size)

    def _scores(self, features: Tensor) -> Tensor:
        averages = [enlarge(part(features), features.shape[2:]) for part in self.pyramid]
        return self.head(torch.cat([features, *averages], dim=1))

    def _check(self, images: Tensor) -> tuple[int, int]:
        size = check_images(images, self.in_channels, LEAST)
        if self.training and len(images) == 1:
            raise ValueError(
                f"images must be at least 2 in training, got shape {tuple(images.shape)}: the average over a whole "
                "picture cannot be normalised alone; take more pictures"
            )
        return size
