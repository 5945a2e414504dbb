"""The global convolutional network: kernels as large as a classifier's, pulled apart into two strips.

Peng, Zhang, Yu, Luo, Sun: Large Kernel Matters - Improve Semantic Segmentation by Global Convolutional Network, CVPR
2017 (Figure 2). Not to be taken for a graph convolutional network: this GCN has no graph.
"""

from __future__ import annotations

from torch import Tensor, nn

from segstudy.nn.trunks import ResNet50, check_counts, check_images, enlarge, initialise, seeded

KERNEL = 7  # the printed parameters fix it: with 15 there are 24.21 M
STAGES = (2048, 1024, 512, 256)  # channels of ResNet50's stages, from the coarsest
LEAST = 64  # ResNet50's last map is then 2 x 2: batch normalisation can always be trained


class GCN(nn.Module):
    """Global convolutional network on ResNet50: 23.84 M parameters, 5.61 G by the paper's count.

    A `GlobalConvolution` turns the map of each of ResNet50's four stages into scores of the classes, and a
    `BoundaryRefinement` corrects them. From the coarsest on, scores are enlarged to the size of the next finer ones,
    added to them and refined again; twice more they are enlarged and refined on the way to the picture's size: nine
    refinements.

    This is the network of the paper with k = 7, on ResNet50 where the paper has ResNet152, and with biases in all
    convolutions but the trunk's. What differs: scores are enlarged by bilinear interpolation, where the paper
    learns transposed convolutions.

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
            self.trunk = ResNet50(in_channels)
            self.scores = nn.ModuleList(
                nn.Sequential(GlobalConvolution(width, num_classes), BoundaryRefinement(num_classes))
                for width in STAGES
            ).apply(initialise)
            self.refine = nn.ModuleList(BoundaryRefinement(num_classes) for _ in range(5)).apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 64.

        Returns
        -------
        (N, num_classes, H, W) Tensor
        """
        size = check_images(images, self.in_channels, LEAST)
        stem, *stages = self.trunk(images)
        coarsest, *finer = (
            score(features) for score, features in zip(self.scores, stages[::-1], strict=True)
        )
        scores = coarsest
        for refine, own in zip(self.refine[:3], finer, strict=True):
            scores = refine(enlarge(scores, own.shape[2:]) + own)
        scores = self.refine[3](enlarge(scores, stem.shape[2:]))
        return self.refine[4](enlarge(scores, size))


class GlobalConvolution(nn.Module):
    r"""A k x k convolution made of strips: a k x 1 and then a 1 x k, plus a 1 x k and then a k x 1.

    From :math:`c` channels to :math:`c'` the strips cost :math:`2 k c' (c + c')` multiply-adds a pixel, a dense kernel
    :math:`k^2 c c'`: for few classes a factor of k / 2 less (section 3.1 of the paper). There is nothing non-linear
    between the strips.

    Parameters
    ----------
    inputs, outputs : int
        Channels, :math:`c` and :math:`c'`.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        tall = {"kernel_size": (KERNEL, 1), "padding": (KERNEL // 2, 0)}
        wide = {"kernel_size": (1, KERNEL), "padding": (0, KERNEL // 2)}
        self.left = nn.Sequential(nn.Conv2d(inputs, outputs, **tall), nn.Conv2d(outputs, outputs, **wide))
        self.right = nn.Sequential(nn.Conv2d(inputs, outputs, **wide), nn.Conv2d(outputs, outputs, **tall))

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, outputs, H, W) maps of (N, inputs, H, W) ones."""
        return self.left(features) + self.right(features)


class BoundaryRefinement(nn.Module):
    """Scores plus a correction that two 3 x 3 convolutions read off them.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.correction = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, scores: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return scores + self.correction(scores)
