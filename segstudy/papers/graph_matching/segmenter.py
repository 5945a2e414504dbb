"""The paper's whole pipeline as one `Segmenter`: U-Net, then graph matching (Chopin et al. 2020, Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from segstudy.datasets.resizing import require_size
from segstudy.papers.graph_matching.matcher import Analysis, GraphMatcher
from segstudy.papers.graph_matching.network import predict, prepare, train_network


class UNetGraphMatching:
    """U-Net + graph matching.

    Parameters
    ----------
    num_classes : int
        C.
    size : (int, int)
        Height and width at which the network works; the labels have the picture's own.
    width, epochs, swap, seed, device, precision
        See :func:`~segstudy.papers.graph_matching.network.train_network`.
    validation : float in (0, 1)
        Share of the pictures that chooses the epoch and does not train; a third is the paper's 10 of 30.
    matcher : GraphMatcher, optional
        By default one with the paper's settings. Where annotations differ in size, one with ``unit="diagonal"``.

    Attributes
    ----------
    model_ : UNet
    history_ : History
        After `fit`.
    """

    supervision: ClassVar[str] = "full"
    outputs: ClassVar[str] = "classes"

    def __init__(
        self,
        num_classes: int,
        size: tuple[int, int] = (512, 352),
        *,
        width: int = 64,
        epochs: int = 100,
        swap: tuple[tuple[int, int], ...] | None = None,
        validation: float = 1 / 3,
        matcher: GraphMatcher | None = None,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "32-true",
    ):
        if not 0 < validation < 1:
            raise ValueError(
                f"validation must lie between 0 and 1, got {validation!r}: a share of the pictures"
            )
        self.num_classes, self.size, self.validation = num_classes, require_size(size), validation
        self.matcher = matcher or GraphMatcher()
        self.seed = seed
        self._training = {"width": width, "epochs": epochs, "swap": swap, "seed": seed}
        self._training |= {"device": device, "precision": precision}

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Train the network on some of the pictures, validate on the others, and average the relations of the former.

        Parameters
        ----------
        dataset : sequence of Sample
            With full supervision, at least two pictures.

        Returns
        -------
        UNetGraphMatching
            Itself.

        Raises
        ------
        ValueError
            Fewer than two pictures, or pictures without labels.
        """
        if len(dataset) < 2:
            raise ValueError(f"dataset must have at least 2 pictures, one validates, got {len(dataset)}")
        annotations = [sample.labels for sample in dataset]  # each access decodes anew
        if any(labels is None for labels in annotations):
            raise ValueError('dataset must have labels: open it with supervision="full"')
        order = np.random.default_rng(self.seed).permutation(len(dataset))
        held = min(max(1, round(self.validation * len(dataset))), len(dataset) - 1)
        validation, training = np.split(order, [held])
        pairs = [[prepare(dataset[int(i)], self.size) for i in part] for part in (training, validation)]
        self.model_, self.history_ = train_network(*pairs, self.num_classes, **self._training)
        self.matcher.fit([annotations[i] for i in training], self.num_classes)
        return self

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the network's class probabilities of a (H, W, C) uint8 image: (H, W, num_classes) float32."""
        if not hasattr(self, "model_"):
            raise ValueError("UNetGraphMatching is not trained yet: call fit(dataset) first")
        return predict(self.model_, image, self.size)

    def analyse(self, image: np.ndarray) -> Analysis:
        """Segment an image, keeping all steps of the matching."""
        return self.matcher.analyse(self.probabilities(image))

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the label of each pixel of a (H, W, C) uint8 image after matching: (H, W) int64."""
        return self.analyse(image).labels
