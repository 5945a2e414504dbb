"""IIC as a `Segmenter`: what paper 2 compares SGSeg with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from segstudy.experiments.iic import IICNet, PairedBatches, iic_widths, train_iic
from segstudy.papers.sgseg.segmenter import SGSegSegmenter
from segstudy.papers.sgseg.training import Statistics


class IICSegmenter(SGSegSegmenter):
    """Train IIC on pictures without labels; pictures go in and maps come out as those of SGSeg.

    Parameters
    ----------
    num_clusters : int
    side, batch, epochs, seed : int
        See :class:`~segstudy.papers.sgseg.segmenter.SGSegSegmenter`.
    width : int
        Channels of the first stage, see :func:`~segstudy.experiments.iic.iic_widths`.
    rate : float
        Of Adam.
    """

    def __init__(
        self, num_clusters: int, *, side: int, batch: int, epochs: int, width: int, rate: float, seed: int
    ) -> None:
        super().__init__(num_clusters, side=side, batch=batch, epochs=epochs, seed=seed)
        self.width, self.rate = width, rate

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Train on the pictures of a data set; nothing else is read of it."""
        images = [self._resized(sample.image) for sample in dataset]
        self.statistics_ = Statistics.of(images)
        network = IICNet(self.num_clusters, images[0].shape[2], iic_widths(self.width), self.seed)
        batches = PairedBatches(images, self.statistics_, self.batch, self.seed)
        train_iic(network, batches, self.epochs, self.rate, seed=self.seed, label="IIC")
        self.network_ = network.eval()
        return self
