"""IIC as a `Segmenter`: what paper 2 compares SGSeg with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch.nn import functional as F

from segstudy.experiments.iic import IIC_WIDTHS, IICNet, PairedBatches, train_iic
from segstudy.papers.sgseg.training import Statistics, check_picture, resize_bands


class IICSegmenter:
    """Train IIC on pictures without labels.

    Parameters
    ----------
    num_clusters : int
    side, batch, epochs, seed : int
        See :class:`~segstudy.papers.sgseg.segmenter.SGSegSegmenter`.
    width : int
        Channels of the first stage; the others are 2, 4 and 8 times as wide, as in the paper, which takes 64.
    rate : float
        Of Adam.
    """

    supervision: ClassVar[str] = "none"
    outputs: ClassVar[str] = "clusters"

    def __init__(
        self, num_clusters: int, *, side: int, batch: int, epochs: int, width: int, rate: float, seed: int
    ) -> None:
        self.num_clusters, self.side, self.batch, self.epochs = num_clusters, side, batch, epochs
        self.width, self.rate, self.seed = width, rate, seed

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Train on the pictures of a data set; nothing else is read of it."""
        images = [self._resized(sample.image) for sample in dataset]
        self.statistics_ = Statistics.of(images)
        widths = [max(4, width * self.width // IIC_WIDTHS[0]) for width in IIC_WIDTHS]
        network = IICNet(self.num_clusters, images[0].shape[2], widths, self.seed)
        batches = PairedBatches(images, self.statistics_, self.batch, self.seed)
        train_iic(network, batches, self.epochs, self.rate, seed=self.seed, label="IIC")
        self.network_ = network.eval()
        return self

    def _resized(self, image: np.ndarray) -> np.ndarray:
        check_picture(image)
        return resize_bands(image, self.side)

    @torch.no_grad()
    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the clusters' probabilities of a (H, W, c) uint8 image: (H, W, num_clusters) float32."""
        found = self.network_(self.statistics_.standardise([self._resized(image)]))
        whole = F.interpolate(found, image.shape[:2], mode="bilinear", align_corners=False)
        return whole[0].permute(1, 2, 0).cpu().numpy()

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the cluster of each pixel of a (H, W, c) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)
