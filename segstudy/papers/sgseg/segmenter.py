"""SGSeg as a `Segmenter`: learn from pictures alone, and label pictures of any size with clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch.nn import functional as F

from segstudy.datasets.sample import Sample
from segstudy.papers.sgseg.network import SGSeg
from segstudy.papers.sgseg.training import (
    Rates,
    Statistics,
    UnlabelledBatches,
    check_picture,
    resize_bands,
    train_sgseg,
)


class SGSegSegmenter:
    """Train SGSeg on pictures without labels.

    Parameters
    ----------
    num_clusters : int
        As many as there are classes: :func:`segstudy.metrics.assign_clusters` names them over a whole test set.
    side : int
        Pictures are resized to a square of it; the map of a picture is enlarged to its size.
    epochs, pretraining, scheme, rates
        See :func:`~segstudy.papers.sgseg.training.train_sgseg`.
    batch : int
        Pictures in a step.
    seed : int
        Of first weights, order, changes and reading orders.
    device : str
    precision : "32-true" or "bf16-mixed"
        Of the training.
    weights : dict, optional
        Of the losses, see :func:`~segstudy.papers.sgseg.network.sgseg_loss`.
    **network
        Other options of :class:`~segstudy.papers.sgseg.network.SGSeg`, such as `superpixels`, `gnn` and `k`.

    Raises
    ------
    ValueError
        There are fewer than 2 clusters, or the side is smaller than 8 pixels.

    Attributes
    ----------
    network_ : SGSeg
    histories_ : list of History
        After `fit`.
    """

    supervision: ClassVar[str] = "none"
    outputs: ClassVar[str] = "clusters"

    def __init__(
        self,
        num_clusters: int,
        *,
        side: int = 128,
        epochs: int = 10,
        pretraining: int = 10,
        scheme: str = "pre-trained",
        rates: Rates = Rates(),  # noqa: B008  (a tuple does not change)
        batch: int = 64,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "32-true",
        weights: dict[str, float] | None = None,
        **network: Any,
    ) -> None:
        if num_clusters < 2 or side < 8:
            raise ValueError(
                f"num_clusters must be at least 2 and side at least 8, got {num_clusters!r} and {side!r}"
            )
        self.num_clusters, self.side, self.epochs, self.pretraining = num_clusters, side, epochs, pretraining
        self.scheme, self.rates, self.batch, self.seed = scheme, rates, batch, seed
        self.device, self.precision, self.weights = device, precision, dict(weights or {})
        self._network = network

    def fit(self, dataset: Sequence[Sample]) -> Self:
        """Train on the pictures of a data set; nothing else is read of it.

        Parameters
        ----------
        dataset : sequence of Sample
            At least 2, with the same bands.

        Returns
        -------
        SGSegSegmenter
            Itself.

        Raises
        ------
        ValueError
            There are fewer than 2 pictures, with bands that differ, or with fewer than 3.
        """
        images = [self._resized(sample.image) for sample in dataset]
        bands = {image.shape[2] for image in images}
        if len(images) < 2 or len(bands) > 1:
            raise ValueError(
                f"dataset must have at least 2 pictures with the same bands, got {len(images)} with {sorted(bands)}"
            )
        self.statistics_ = Statistics.of(images)
        batches = UnlabelledBatches(images, self.statistics_, self.batch, self.seed)
        network = SGSeg(self.num_clusters, bands.pop(), seed=self.seed, **self._network)
        options = {"scheme": self.scheme, "pretraining": self.pretraining, "rates": self.rates}
        options |= {"device": self.device, "precision": self.precision}
        self.histories_ = train_sgseg(network, batches, self.epochs, **options, **self.weights)
        self.network_ = network.eval()  # also where nothing was trained
        return self

    def _resized(self, image: np.ndarray) -> np.ndarray:
        check_picture(image)
        return resize_bands(image, self.side)

    @torch.no_grad()
    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the clusters' probabilities of a (H, W, c) uint8 image: (H, W, num_clusters) float32."""
        if not hasattr(self, "network_"):
            raise ValueError("SGSegSegmenter is not trained yet: call fit(dataset) first")
        resized = self._resized(image)
        self.statistics_.check(resized.shape[2])
        place = next(self.network_.parameters()).device
        found = self.network_(self.statistics_.standardise([resized]).to(place))
        whole = F.interpolate(found, image.shape[:2], mode="bilinear", align_corners=False)
        return whole[0].permute(1, 2, 0).cpu().numpy()

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the cluster of each pixel of a (H, W, c) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)
