"""A U-Net as a `Segmenter`: the network of paper 1 without the graph matching after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from segstudy.datasets.sample import Sample
from segstudy.papers.graph_matching.network import predict, prepare, train_network


class UNetSegmenter:
    """Train a U-Net on labelled pictures, all brought to one size.

    Parameters
    ----------
    num_classes : int
    size : (int, int)
        Height and width at which the network works.
    width, epochs, swap, seed, device
        See :func:`~segstudy.papers.graph_matching.network.train_network`.
    validation : float
        Share of the pictures that chooses the epoch and does not train, at least one.

    Attributes
    ----------
    model_ : UNet
        After `fit`.
    """

    supervision: ClassVar[str] = "full"
    outputs: ClassVar[str] = "classes"

    def __init__(
        self,
        num_classes: int,
        size: tuple[int, int],
        *,
        width: int = 16,
        epochs: int = 60,
        swap: tuple[tuple[int, int], ...] | None = None,
        validation: float = 0.2,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.num_classes, self.size, self.validation, self.seed = num_classes, tuple(size), validation, seed
        self._training = {"width": width, "epochs": epochs, "swap": swap, "seed": seed, "device": device}

    def fit(self, dataset: Sequence[Sample]) -> Self:
        """Train on some of the pictures and choose the epoch on the others; return the segmenter."""
        order = np.random.default_rng(self.seed).permutation(len(dataset))
        held = max(1, round(self.validation * len(dataset)))
        pairs = [prepare(dataset[int(i)], self.size) for i in order]
        self.model_, _ = train_network(pairs[held:], pairs[:held], self.num_classes, **self._training)
        return self

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the class probabilities of a (H, W, 3) uint8 image: (H, W, num_classes) float32."""
        return predict(self.model_, image, self.size)

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the class of each pixel of a (H, W, 3) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)
