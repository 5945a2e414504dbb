"""DUC: every coarse cell predicts its 8 x 8 pixels, each with channels of its own.

Wang, Chen, Yuan, Liu, Huang, Hou, Cottrell: Understanding Convolution for Semantic Segmentation, WACV 2018 (Figure 1).
"""

from __future__ import annotations

from torch import Tensor, nn

from segstudy.nn.trunks import ResNet50, check_counts, check_images, initialise, normalised, seeded

CELL = 8  # the dilated trunk's stride
LEAST = 2 * CELL  # the trunk's last map is then 2 x 2: batch normalisation can always be trained


class DUC(nn.Module):
    """Dense upsampling convolution on a dilated ResNet50: 30.59 M parameters, 32.26 G by the paper's count.

    A 3 x 3 convolution turns the 2048 channels of ResNet50's last map, an eighth as large as the picture, into 64 times
    the number of classes; a cell's channels are then laid out as the scores of its 8 x 8 pixels (pixel shuffle).
    Nothing is interpolated.

    What differs from the paper: batch normalisation and ReLU follow that convolution, so that the scores themselves are
    rectified and no logit is negative; the trunk is ResNet50 (the paper: ResNet101 and 152), dilated evenly, without
    the paper's hybrid dilated convolution.

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
        channels = num_classes * CELL**2
        with seeded(seed):
            self.trunk = ResNet50(in_channels, dilated=True)
            self.upsampling = nn.Sequential(*normalised(2048, channels), nn.PixelShuffle(CELL)).apply(
                initialise
            )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel, none of them negative.

        Where 8 does not divide height and width, the last cells reach beyond the picture and are cropped.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 16.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        height, width = check_images(images, self.in_channels, LEAST)
        return self.upsampling(self.trunk(images)[-1])[..., :height, :width]
