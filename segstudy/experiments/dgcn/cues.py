"""Classifier, activation maps and cues of one seed, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import nn

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_labels
from segstudy.experiments.dgcn.chain import Chain, answer, map_width, new_learner, new_trunk
from segstudy.experiments.dgcn.pictures import RBD, open_pictures, saliency
from segstudy.experiments.parts import spaced
from segstudy.metrics import confusion
from segstudy.papers.dgcn.batch_losses import prepare_crfs
from segstudy.papers.dgcn.classifier import (
    POOLINGS,
    ClassifierHead,
    activations_of_maps,
    class_activation_maps,
)
from segstudy.papers.dgcn.seeds import FOREGROUND, seed_cues
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.training import Learner, train_classifier
from segstudy.papers.dgcn.views import WeakPicture, to_tensor
from segstudy.postprocess.crf import DenseCRF
from segstudy.progress import track

CAM_THRESHOLDS = (0.2, 0.3)
SCALES = (1.0, 0.75)  # of the picture, for activation maps that are averaged over several


class Cued(NamedTuple):
    """The training pictures with their cues, from one seed.

    Attributes
    ----------
    pictures : list of WeakPicture
    activations : list of (objects, h, w) float32 ndarray
    classifier : Learner
    truth : list of (h, w) int ndarray
        At the map's size.
    crfs : list of DenseCRF
    """

    pictures: list[WeakPicture]
    activations: list[np.ndarray]
    classifier: Learner
    truth: list[np.ndarray]
    crfs: list[DenseCRF]


@lru_cache(maxsize=1)  # the ways of one seed share it
def cued(
    chain: Chain,
    seed: int,
    threshold: float = FOREGROUND,
    kind: str | None = RBD,
    scales: tuple[float, ...] = (1.0,),
) -> Cued:
    """Train the classifier, and draw the cues of the training pictures."""
    trained = open_pictures(chain, True)
    classifier, activations = _classified(chain, seed, scales)
    quiet = saliency(chain, kind) if kind else [None] * len(trained.weak)
    pictures = [
        replace(p, cues=seed_cues(_own(found, p), low, p.classes, foreground=threshold))
        for p, found, low in zip(trained.weak, activations, quiet, strict=True)
    ]
    truth = [resize_labels(t, p.cues.shape) for t, p in zip(trained.truth, pictures, strict=True)]
    return Cued(pictures, activations, classifier, truth, _crfs(chain, pictures[0].cues.shape))


@lru_cache(maxsize=1)
def _classified(chain: Chain, seed: int, scales: tuple[float, ...]) -> tuple[Learner, list[np.ndarray]]:
    trained = open_pictures(chain, True)
    classifier = _classifier(chain, trained.weak, chain.pooling, seed)
    trunk = new_trunk(chain).eval() if classifier.trunk is None else classifier.trunk
    pictures = track(trained.weak, "activations") if len(scales) > 1 else trained.weak
    return classifier, [_activations(classifier.head, trunk, p, scales).cpu().numpy() for p in pictures]


def _activations(
    head: ClassifierHead, trunk: nn.Module, picture: WeakPicture, scales: tuple[float, ...]
) -> torch.Tensor:
    if picture.maps is not None and len(scales) == 1:
        return activations_of_maps(head, *picture.maps)
    image = to_tensor(picture.image, head.score.weight.device)
    return class_activation_maps(image, trunk, head, scales=scales)


def _classifier(chain: Chain, pictures: list[WeakPicture], pooling: str, seed: int) -> Learner:
    objects = len(open_pictures(chain, True).classes) - 1
    classifier = new_learner(chain, ClassifierHead(map_width(chain), objects, pooling=pooling, seed=seed))
    options = {"seed": seed, "device": chain.device, "label": f"classifier, {pooling}, seed {seed}"}
    train_classifier(pictures, classifier, chain.classifier_epochs, **options)
    return classifier


def cross_validate(chain: dict[str, Any], seed: int, folds: int) -> dict[str, Any]:
    """Judge the ways of pooling on training pictures that the classifier was not trained on, by their image labels.

    Returns
    -------
    dict
        By pooling, (folds,) mean average precision over the classes that the fold's pictures show.
    """
    settings = Chain(**chain)
    pictures, classes = open_pictures(settings, True).weak, open_pictures(settings, True).classes
    parts = np.array_split(np.random.default_rng(seed).permutation(len(pictures)), folds)
    found: dict[str, list[float]] = {name: [] for name in POOLINGS}
    for part in parts:
        held = {int(i) for i in part}
        kept = [picture for i, picture in enumerate(pictures) if i not in held]
        out = [pictures[i] for i in sorted(held)]
        truth = np.array([[c in picture.classes for c in range(1, len(classes))] for picture in out])
        for name, scores in found.items():
            classifier = _classifier(settings, kept, name, seed)
            scores.append(float(np.nanmean(_average_precision(classifier, out, truth))))
    return {name: np.array(scores) for name, scores in found.items()}


@lru_cache(maxsize=1)  # the same for all seeds
def _crfs(chain: Chain, size: tuple[int, int]) -> list[DenseCRF]:
    return prepare_crfs(open_pictures(chain, True).weak, size)


def judge_cues(chain: dict[str, Any], seed: int, drawn: int = 0) -> dict[str, Any]:
    """Judge classifier, activation maps and cues of one seed.

    Parameters
    ----------
    chain : dict
    seed : int
    drawn : int
        So many activation maps are returned, of pictures that are evenly spaced.

    Returns
    -------
    dict
        "precision": of each object, its average precision on the test pictures, nan where none shows it. "cam": by
        threshold, and "seeds": (C, C + 1) counts on the training pictures at the map's size, the last column without a
        label. "sizes": (C,) mean share of a training picture that a class covers where it is. "drawn": list of a
        training picture's index, a class of it, and the (h, w) float32 map of this class.
    """
    settings = Chain(**chain)
    found = cued(settings, seed)
    count = len(open_pictures(settings, True).classes)
    shares = np.array([np.bincount(t[t != VOID], minlength=count) / t.size for t in found.truth])
    tested = open_pictures(settings, False)
    shown = np.array([np.isin(np.arange(1, count), np.unique(labels)) for labels in tested.truth])
    with np.errstate(invalid="ignore"):
        sizes = shares.sum(axis=0) / (shares > 0).sum(axis=0)
    return {
        "precision": _average_precision(found.classifier, tested.weak, shown),
        "cam": {str(t): matrix(found.truth, cam_labels(found, t), count) for t in CAM_THRESHOLDS},
        "seeds": matrix(found.truth, [picture.cues for picture in found.pictures], count),
        "sizes": sizes,
        "drawn": [
            [i, found.pictures[i].classes[0], found.activations[i][found.pictures[i].classes[0] - 1]]
            for i in spaced([i for i, p in enumerate(found.pictures) if p.classes], drawn)
        ],
    }


def _own(activations: np.ndarray, picture: WeakPicture) -> np.ndarray:
    """Return the activation maps of the classes that the picture holds."""
    return activations[[name - 1 for name in picture.classes]]


def cam_labels(found: Cued, threshold: float) -> list[np.ndarray]:
    """Return the class of the largest activation above a share of its class's largest, background below."""
    labels = []
    for activations, picture in zip(found.activations, found.pictures, strict=True):
        own = np.concatenate([np.full((1, *activations.shape[1:]), threshold), _own(activations, picture)])
        ids = np.array([BACKGROUND, *picture.classes], np.uint8)
        labels.append(ids[own.argmax(axis=0)])
    return labels


def matrix(truths: Sequence[np.ndarray], labels: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Return (C, C + 1) counts of true class by label, the last column for `VOID` labels."""
    return sum(
        confusion(truth, np.where(found == VOID, count, found), count, num_clusters=count + 1)
        for truth, found in zip(truths, labels, strict=True)
    )


def _average_precision(classifier: Learner, pictures: Sequence[WeakPicture], truth: np.ndarray) -> np.ndarray:
    """Return each object's average precision, truth (N, objects) bool; nan where no picture shows it."""
    scores = np.stack([answer(classifier, picture)[0].numpy() for picture in pictures])
    return np.array(
        [average_precision_score(t, s) if t.any() else np.nan for t, s in zip(truth.T, scores.T, strict=True)]
    )
