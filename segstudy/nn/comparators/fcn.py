"""FCN-8s: a classifier made convolutional, with scores from three of its depths.

Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015 (Figure 3, section 4.2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import check_counts, check_images, initialise, seeded, vgg

PADDING = 100  # of the first convolution, so that the 7 x 7 of fc6 find a map even in a small picture
# Where enlarged scores begin in the next finer map, and the last ones in the picture. Cell i of the third and of the
# fourth pooling is centred on row 8i - 95.5 and 16i - 91.5 of the picture, cell i of fc6 on 32i + 12.5: enlarged once,
# 16i - 11.5, which is the fourth pooling's cell i + 5. So for the other two: the maps meet exactly.
CROPS = {"pool4": 5, "pool3": 9, "image": 31}


class FCN8s(nn.Module):
    """FCN-8s on VGG16: 134.30 M parameters, 73.46 G by the paper's count.

    VGG16's two fully connected layers of 4096 become a 7 x 7 and a 1 x 1 convolution. Their scores, at stride 32, are
    doubled in size by a transposed convolution and added to scores of the fourth pooling, doubled again and added to
    those of the third, and enlarged eightfold.

    The configuration is that of the authors' Caffe network, without which the printed cost is not met: the first
    convolution pads by 100 pixels, poolings round up, the 7 x 7 convolution is unpadded, the three transposed
    convolutions have no bias, and maps are cropped to one another. A picture of 256 x 256 is thereby worked on as one
    of 454 x 454. Padding by 1 and fc6 by 3, as most descendants do, costs 27.71 G multiply-adds.

    What differs from the paper: the last enlargement is learned, too (the paper fixes it), and the scores of both
    poolings are taken as they are (its network that is trained at once multiplies them by 0.01 and 0.0001).

    Parameters
    ----------
    num_classes : int
    in_channels : int
    seed : int
        Decides the initial weights: normal with variance 2 / (inputs of a unit), no bias; scores begin as zero and
        transposed convolutions as bilinear interpolation, as in the paper. The global random state is left as it was.

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
            self.stages = vgg((2, 2, 3, 3, 3), in_channels, ceil_mode=True)
            self.stages[0][0].padding = (PADDING, PADDING)
            self.classifier = nn.Sequential(
                *(nn.Conv2d(512, 4096, 7), nn.ReLU(inplace=True), nn.Dropout()),  # fc6
                *(nn.Conv2d(4096, 4096, 1), nn.ReLU(inplace=True), nn.Dropout()),  # fc7
            )
            self.apply(initialise)
            self.score, self.score_pool4, self.score_pool3 = (
                _zero(nn.Conv2d(width, num_classes, 1)) for width in (4096, 512, 256)
            )
            self.up, self.up_pool4, self.up_pool3 = (_bilinear(num_classes, stride) for stride in (2, 2, 8))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            Of any size.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        size = check_images(images, self.in_channels, 1)
        maps = [images]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        scores = self.up(self.score(self.classifier(maps[5])))
        finer = _crop(self.score_pool4(maps[4]), CROPS["pool4"], scores.shape[2:])
        scores = self.up_pool4(scores + finer)
        finer = _crop(self.score_pool3(maps[3]), CROPS["pool3"], scores.shape[2:])
        return _crop(self.up_pool3(scores + finer), CROPS["image"], size)


def _crop(maps: Tensor, start: int, size: tuple[int, int] | torch.Size) -> Tensor:
    """Return a window of maps that begins at row and column `start`."""
    return maps[..., start : start + size[0], start : start + size[1]]


def _zero(convolution: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)
    return convolution


def _bilinear(channels: int, stride: int) -> nn.ConvTranspose2d:
    """Return a transposed convolution that enlarges every channel bilinearly, before it is trained."""
    layer = nn.ConvTranspose2d(channels, channels, 2 * stride, stride=stride, bias=False)
    # A triangle of height 1 over 2 * stride pixels: weights of all coarse pixels at a fine one sum to 1.
    triangle = 1 - (torch.arange(2 * stride) - (stride - 0.5)).abs() / stride
    kernel = torch.outer(triangle, triangle)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(channels)[:, :, None, None] * kernel)
    return layer
