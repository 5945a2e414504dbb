"""DGCN's network told all masks: what its labels from classes alone are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np

from segstudy.baselines.common import rgb_colours
from segstudy.datasets.resizing import resize_labels
from segstudy.datasets.sample import Sample
from segstudy.nn.backbones import backbone
from segstudy.papers.dgcn.maps import DEEPEST
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork, predict
from segstudy.papers.dgcn.segmenter import DGCN, STAGES
from segstudy.papers.dgcn.training import Learner, retrain
from segstudy.papers.dgcn.views import WeakPicture, to_tensor


@lru_cache(maxsize=1)  # the seeds of a method follow one another
def seen(samples: tuple[Sample, ...], trunk: str, side: int) -> list[WeakPicture]:
    """Return what DGCN's frozen trunk sees of training pictures, once for all seeds that learn from them."""
    return DGCN(2, trunk, side=side).see(samples)


class MaskedNetwork:
    """The frozen trunk and the atrous head of DGCN, trained on masks.

    Parameters
    ----------
    num_classes : int
    trunk : str
        With ImageNet's weights.
    side : int
        Pictures are warped to a square of it.
    epochs, seed : int
    """

    supervision: ClassVar[str] = "full"
    outputs: ClassVar[str] = "classes"

    def __init__(self, num_classes: int, trunk: str, *, side: int, epochs: int, seed: int) -> None:
        self.num_classes, self.trunk, self.side, self.epochs, self.seed = (
            num_classes,
            trunk,
            side,
            epochs,
            seed,
        )

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Train the head on labels at the size of the trunk's maps."""
        pictures = seen(tuple(dataset), self.trunk, self.side)
        deepest = pictures[0].maps[0][-DEEPEST:]
        labels = [resize_labels(sample.labels, tuple(deepest[-1].shape[1:])) for sample in dataset]
        head = AtrousHead(sum(values.shape[0] for values in deepest), self.num_classes, seed=self.seed)
        retrain(pictures, labels, Learner(head), self.epochs, seed=self.seed, label="masks")
        trunk = backbone(self.trunk, "pretrained", stages=STAGES, output_stride=8, freeze="all")
        self.network_ = SegmentationNetwork(trunk, head).eval()
        return self

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the class probabilities of a (H, W, 3) uint8 image: (H, W, num_classes) float32."""
        found = predict(self.network_, to_tensor(rgb_colours(image)), (self.side,))
        return found.permute(1, 2, 0).cpu().numpy()

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the class of each pixel of a (H, W, 3) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)
