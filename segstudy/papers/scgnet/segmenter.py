"""SCG-Net as a `Segmenter`: fit on labelled pictures, then label pictures of any size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import signature
from typing import Any, ClassVar, Self

import numpy as np
from torch import nn

from segstudy.datasets.files import require_choice
from segstudy.datasets.sample import Sample
from segstudy.papers.scgnet.evaluation import mean_f1, score_set
from segstudy.papers.scgnet.network import VARIANTS, SCGNet
from segstudy.papers.scgnet.prediction import predict_strips
from segstudy.papers.scgnet.scg import SCG
from segstudy.papers.scgnet.training import (
    LEARNING_RATE,
    Patches,
    array_sample,
    in_memory,
    require_loss,
    train_scgnet,
)
from segstudy.training import PRECISIONS


class SCGNetSegmenter:
    """Train a variant of SCG-Net on patches and predict with sliding windows.

    Parameters
    ----------
    num_classes : int
    variant : str
        A name of Table III, see `VARIANTS`.
    size, patches, batch : int
        Of :class:`~segstudy.papers.scgnet.training.Patches`; windows of the same size predict.
    epochs : int
    validation : float
        Share of the pictures that choose the epoch instead of training, at least one picture; 0: the last epoch is
        kept.
    loss : str
        A key of `PIXEL_LOSSES`.
    learning_rate : float
        See :func:`~segstudy.papers.scgnet.training.make_optimiser`.
    seed : int
    device : str
    precision : "32-true" or "bf16-mixed"
        Of the training.
    **network
        Other options of :class:`~segstudy.papers.scgnet.network.SCGNet`, such as `backbone`, `weights` and `freeze`.

    Raises
    ------
    TypeError
        An option of the network is unknown.
    ValueError
        The variant or the loss is unknown, or a number is out of its range.

    Attributes
    ----------
    model_ : SCGNet
    history_ : History
        After `fit`.
    """

    supervision: ClassVar[str] = "full"
    outputs: ClassVar[str] = "classes"

    def __init__(
        self,
        num_classes: int,
        variant: str = "SCG-GCN",
        *,
        size: int = 448,
        patches: int = 4000,
        batch: int = 4,
        epochs: int = 100,
        validation: float = 0.2,
        loss: str = "dice",
        learning_rate: float = LEARNING_RATE,
        seed: int = 0,
        device: str = "cpu",
        precision: str = "32-true",
        **network: Any,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {tuple(VARIANTS)}, got {variant!r}")
        if not 0 <= validation < 1:
            raise ValueError(f"validation must be at least 0 and below 1, got {validation!r}")
        require_loss(loss)
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {learning_rate!r}")
        require_choice("precision", precision, PRECISIONS)
        _require_options(network)
        self.num_classes, self.size, self.patches, self.batch = num_classes, size, patches, batch
        self.epochs, self.validation, self.seed, self.device = epochs, validation, seed, device
        self.loss, self.learning_rate, self.precision = loss, learning_rate, precision
        self._network = VARIANTS[variant] | network

    def fit(self, dataset: Sequence[Sample]) -> Self:
        """Train on some of the pictures and choose the epoch on the others.

        Parameters
        ----------
        dataset : sequence of Sample
            With full supervision.

        Returns
        -------
        SCGNetSegmenter
            Itself.

        Raises
        ------
        ValueError
            There are too few pictures, or they have no labels.
        """
        held = max(1, round(self.validation * len(dataset))) if self.validation else 0
        if len(dataset) <= held:
            raise ValueError(
                f"dataset must have more than {held} pictures, {held} validate, got {len(dataset)}"
            )
        order = np.random.default_rng(self.seed).permutation(len(dataset))
        kept = in_memory([dataset[int(i)] for i in order])
        patches = Patches(kept[held:], self.size, self.patches, self.batch, self.seed)
        bands = kept[0].image.shape[2]
        model = self._build(bands)
        options = {"device": self.device, "precision": self.precision, "seed": self.seed, "label": "SCG-Net"}
        options |= {"loss": self.loss, "learning_rate": self.learning_rate}
        score = partial(self._score, samples=kept[:held]) if held else None
        self.history_ = train_scgnet(model, patches, self.epochs, validate=score, **options)
        self.model_ = model
        return self

    def _build(self, bands: int) -> nn.Module:
        return SCGNet(self.num_classes, bands, seed=self.seed, **self._network)

    def _score(self, model: nn.Module, samples: Sequence[Sample]) -> float:
        options = {"window": self.size, "stride": self.size, "views": ("identity",)}
        matrix = score_set(model, samples, self.num_classes, **options)
        return mean_f1(matrix, [str(index) for index in range(self.num_classes)])

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the class probabilities of a (H, W, C) uint8 image: (H, W, num_classes) float32."""
        if not hasattr(self, "model_"):
            raise ValueError("SCGNetSegmenter is not trained yet: call fit(dataset) first")
        strips = predict_strips(self.model_, array_sample("image", image), self.size, max(1, self.size // 2))
        return np.concatenate([probabilities for _, probabilities in strips])

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the class of each pixel of a (H, W, C) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)


def _require_options(network: dict[str, Any]) -> None:
    """Refuse what `SCGNet` would refuse as late as in `fit`: the names of its options, and of its graph's."""
    own, construction = (signature(kind).parameters for kind in (SCGNet, SCG))
    known = [name for name in own if name not in ("num_classes", "in_channels", "seed", "construction")]
    known += [name for name, option in construction.items() if option.kind is option.KEYWORD_ONLY]
    for name in network:
        if name not in known:
            raise TypeError(
                f"SCGNetSegmenter has no option {name!r}; of the network there are {', '.join(known)}"
            )
