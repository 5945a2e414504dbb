"""DGCN as a `Segmenter`: fit on pictures of which only the classes are known, then label pictures of any size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch

from segstudy.baselines.common import rgb_colours
from segstudy.datasets.resizing import resize_image
from segstudy.datasets.sample import Sample
from segstudy.nn.backbones import Backbone, backbone
from segstudy.nn.weights import Weights
from segstudy.papers.dgcn.background_detection import robust_background_saliency
from segstudy.papers.dgcn.classifier import ClassifierHead, activations_of_maps
from segstudy.papers.dgcn.growing import GRAPH_CUT, Growth
from segstudy.papers.dgcn.maps import DEEPEST
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork, predict
from segstudy.papers.dgcn.seeds import resize_saliency, seed_cues
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.training import Learner, train_classifier, train_network
from segstudy.papers.dgcn.views import WeakPicture, link, look, to_tensor
from segstudy.postprocess.crf import dense_crf
from segstudy.progress import track

STAGES = (8, 16, 32)  # the graph's layers; the heads read the last two
Saliency = Callable[[np.ndarray], np.ndarray]


class DGCN:
    """Learn to segment from image-level labels: classifier, cues, and a network whose labels a graph cut grows.

    The trunk is frozen; heads on its maps are trained. :mod:`segstudy.papers.dgcn.training` also trains trunks.

    Parameters
    ----------
    num_classes : int
        C, the background, 0, counted.
    trunk : str
        Of :func:`~segstudy.nn.backbones.backbone`, one that knows an output stride of 8.
    weights : str or Path, optional
        Of the trunk; "pretrained": ImageNet's.
    growth : Growth
        `GRAPH_CUT`, `REGION_GROWING` or another.
    saliency : callable, optional
        Of a (H, W, 3) uint8 picture: (H, W) in [0, 1], for the cues of the background. None: there are none.
    side : int
        Pictures are warped to a square of it.
    pooling : str
        Of the classifier, see :class:`~segstudy.papers.dgcn.classifier.ClassifierHead`.
    classifier_epochs, epochs : int
    refine : bool
        Whether a segmented picture's map is refined by the dense CRF.
    seed : int
        Of first weights, order and dropout.
    device : str

    Raises
    ------
    ValueError
        There are fewer than 2 classes, or the side is smaller than 32 pixels.

    Attributes
    ----------
    network_ : SegmentationNetwork
    pictures_ : list of WeakPicture
        Of the training, with their cues; after `fit`.
    """

    supervision: ClassVar[str] = "image"
    outputs: ClassVar[str] = "classes"

    def __init__(
        self,
        num_classes: int,
        trunk: str = "timm:tf_efficientnet_lite0",
        *,
        weights: Weights = "pretrained",
        growth: Growth = GRAPH_CUT,
        saliency: Saliency | None = robust_background_saliency,
        side: int = 321,
        pooling: str = "top quarter",
        classifier_epochs: int = 12,
        epochs: int = 8,
        refine: bool = True,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        if num_classes < 2 or side < 32:
            raise ValueError(
                f"num_classes must be at least 2 and side at least 32, got {num_classes!r} and {side!r}"
            )
        self.num_classes, self.trunk, self.weights, self.growth = num_classes, trunk, weights, growth
        self.saliency, self.side, self.pooling = saliency, side, pooling
        self.classifier_epochs, self.epochs, self.refine = classifier_epochs, epochs, refine
        self.seed, self.device = seed, device

    def fit(self, dataset: Sequence[Sample]) -> Self:
        """Train classifier and network.

        Parameters
        ----------
        dataset : sequence of Sample
            With image-level labels; nothing else of them is read than picture and these.

        Returns
        -------
        DGCN
            Itself.

        Raises
        ------
        ValueError
            There are fewer than two pictures, or a sample without image-level labels.
        """
        return self.learn(self.cue(self.see(dataset)))

    def see(self, dataset: Sequence[Sample]) -> list[WeakPicture]:
        """Return the training pictures with what the frozen trunk sees of them; parameters and errors are `fit`'s."""
        if len(dataset) < 2:
            raise ValueError(f"dataset must have at least 2 pictures, got {len(dataset)}")
        return look([self._weak(sample) for sample in dataset], self._trunk, device=self.device)

    def cue(self, pictures: Sequence[WeakPicture]) -> list[WeakPicture]:
        """Train the classifier on what `see` returns, and return the pictures with the cues that labels grow from."""
        head = ClassifierHead(_width(pictures), self.num_classes - 1, pooling=self.pooling, seed=self.seed)
        train_classifier(pictures, Learner(head), self.classifier_epochs, seed=self.seed, device=self.device)
        return [self._with_cues(picture, head) for picture in track(pictures, "cues")]

    def learn(self, pictures: Sequence[WeakPicture]) -> Self:
        """Train the network on what `cue` returns; return the segmenter."""
        self.pictures_ = link(pictures) if self.growth.needs_edges else list(pictures)
        learner = Learner(AtrousHead(_width(self.pictures_), self.num_classes, seed=self.seed))
        options = {"seed": self.seed, "device": self.device}
        self.history_ = train_network(self.pictures_, learner, self.growth, self.epochs, **options)
        self.network_ = SegmentationNetwork(self._trunk, learner.head).eval()
        return self

    @cached_property
    def _trunk(self) -> Backbone:
        options = {"stages": STAGES, "output_stride": 8, "freeze": "all", "device": self.device}
        return backbone(self.trunk, self.weights, self.seed, **options)

    def _weak(self, sample: Sample) -> WeakPicture:
        known = sample.image_labels
        if known is None:
            raise ValueError(
                f'the sample {sample.name!r} has no image-level labels: open its data set with supervision="image"'
            )
        image = resize_image(rgb_colours(sample.image), (self.side, self.side))
        return WeakPicture(image, tuple(sorted(set(known) - {BACKGROUND})))

    def _with_cues(self, picture: WeakPicture, head: ClassifierHead) -> WeakPicture:
        found = activations_of_maps(head, *picture.maps).cpu().numpy()
        wanted = found[[name - 1 for name in picture.classes]]
        quiet = None
        if self.saliency is not None:
            quiet = resize_saliency(self.saliency(picture.image), wanted.shape[1:])
        return replace(picture, cues=seed_cues(wanted, quiet, picture.classes))

    @torch.no_grad()
    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the class probabilities of a (H, W, 3) uint8 image: (H, W, num_classes) float32."""
        if not hasattr(self, "network_"):
            raise ValueError("DGCN is not trained yet: call fit(dataset) first")
        colours = rgb_colours(image)
        found = predict(self.network_, to_tensor(colours, self.device), (self.side,))
        values = found.permute(1, 2, 0).cpu().numpy()
        return dense_crf(values, colours) if self.refine else values

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the class of each pixel of a (H, W, 3) uint8 image: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)


def _width(pictures: Sequence[WeakPicture]) -> int:
    """Return the channels of the maps that a head reads."""
    return sum(values.shape[0] for values in pictures[0].maps[0][-DEEPEST:])
