"""What notebook 04 computes once: classifier and cues from one seed, and a network for each way of labelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional as F

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_labels
from segstudy.experiments.dgcn.pictures import (
    RBD,
    Chain,
    Pictures,
    map_shapes,
    new_trunk,
    open_pictures,
    saliency,
)
from segstudy.metrics import confusion
from segstudy.papers.dgcn.batch_losses import WARM_UP, prepare_crfs
from segstudy.papers.dgcn.classifier import (
    POOLINGS,
    ClassifierHead,
    activations_of_maps,
    class_activation_maps,
)
from segstudy.papers.dgcn.graph_cut import NEIGHBOURS
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.losses import floored_softmax
from segstudy.papers.dgcn.maps import DEEPEST
from segstudy.papers.dgcn.network import AtrousHead
from segstudy.papers.dgcn.seeds import FOREGROUND, seed_cues
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.training import Learner, retrain, train_classifier, train_network
from segstudy.papers.dgcn.views import WeakPicture, link, to_tensor
from segstudy.postprocess.crf import DenseCRF, dense_crf
from segstudy.progress import track

CAM_THRESHOLDS = (0.2, 0.3)
WHOLE_RATE = 3e-4  # of AdamW where a trunk with ImageNet's weights is trained, too


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


class Way(NamedTuple):
    """How a network gets its labels, and what it learns from them with.

    Parameters
    ----------
    source : {"grown", "activations", "truth", "masks"}
        Labels that grow in the loop; activation maps above a threshold; the annotation; masks that a network whose
        labels grew in this way predicts on its training pictures (the paper's retraining).
    growth : str
    refined : bool
    theta : float, optional
        Of the graph cut; None: the paper's.
    k : int
    balanced : bool
    boundary : float
    cues : float
        Share of a class's largest activation above which it has a cue.
    saliency : str, optional
        A key of `SALIENCIES`, for the cues of the background; None: there are none.
    """

    source: str = "grown"
    growth: str = "graph cut"
    refined: bool = False
    theta: float | None = None
    k: int = NEIGHBOURS
    balanced: bool = True
    boundary: float = 1.0
    cues: float = FOREGROUND
    saliency: str | None = RBD


class Trained(NamedTuple):
    """A trained network.

    Attributes
    ----------
    learner : Learner
    losses : list of float
    seen : dict of int to dict of int to (h, w) uint8 ndarray
        The labels that it learned from, where they grew, by epoch and picture.
    """

    learner: Learner
    losses: list[float]
    seen: dict[int, dict[int, np.ndarray]]


@lru_cache(maxsize=1)  # the ways of one seed share it
def cued(chain: Chain, seed: int, threshold: float = FOREGROUND, kind: str | None = RBD) -> Cued:
    """Train the classifier, and draw the cues of the training pictures."""
    trained = open_pictures(chain, True)
    classifier, activations = _classified(chain, seed)
    quiet = saliency(chain, kind) if kind else [None] * len(trained.weak)
    pictures = [
        replace(p, cues=seed_cues(_own(found, p), low, p.classes, foreground=threshold))
        for p, found, low in zip(trained.weak, activations, quiet, strict=True)
    ]
    truth = [resize_labels(t, p.cues.shape) for t, p in zip(trained.truth, pictures, strict=True)]
    return Cued(pictures, activations, classifier, truth, _crfs(chain, pictures[0].cues.shape))


@lru_cache(maxsize=1)
def _classified(chain: Chain, seed: int) -> tuple[Learner, list[np.ndarray]]:
    trained = open_pictures(chain, True)
    classifier = _classifier(chain, trained.weak, chain.pooling, seed)
    return classifier, [_activations(classifier, picture).cpu().numpy() for picture in trained.weak]


def _activations(classifier: Learner, picture: WeakPicture) -> torch.Tensor:
    if classifier.trunk is None:
        return activations_of_maps(classifier.head, *picture.maps)
    place = next(classifier.parameters()).device
    return class_activation_maps(to_tensor(picture.image, place), classifier.trunk, classifier.head)


def _classifier(chain: Chain, pictures: list[WeakPicture], pooling: str, seed: int) -> Learner:
    objects = len(open_pictures(chain, True).classes) - 1
    classifier = _learner(chain, ClassifierHead(_width(chain), objects, pooling=pooling, seed=seed))
    options = {"seed": seed, "device": chain.device, "label": f"classifier, {pooling}, seed {seed}"}
    train_classifier(pictures, classifier, chain.classifier_epochs, **options | _rate(chain))
    return classifier


def _learner(chain: Chain, head: torch.nn.Module) -> Learner:
    return Learner(head, None if chain.frozen else new_trunk(chain))


def _rate(chain: Chain) -> dict[str, float]:
    return {} if chain.frozen else {"learning_rate": WHOLE_RATE}


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


def judge_cues(chain: dict[str, Any], seed: int) -> dict[str, Any]:
    """Judge classifier, activation maps and cues of one seed.

    Returns
    -------
    dict
        "precision": of each object, its average precision on the test pictures, nan where none shows it. "cam": by
        threshold, and "seeds": (C, C + 1) counts on the training pictures at the map's size, the last column without a
        label. "sizes": (C,) mean share of a training picture that a class covers where it is.
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
    }


def train_way(chain: dict[str, Any], seed: int, way: dict[str, Any], crf: bool, shown: int) -> dict[str, Any]:
    """Train a network on labels of one kind, and judge it on the test pictures.

    Parameters
    ----------
    chain, way : dict
        Fields of `Chain` and of `Way`.
    seed : int
        Of both heads, the order of pictures and dropout.
    crf : bool
        Whether the test pictures are also refined by the dense CRF at their own size.
    shown : int
        So many of the first test pictures' labels are returned.

    Returns
    -------
    dict
        "test", "gated" and, if asked for, "crf": (N, C, C) counts of each test picture: plain, with the classes that
        the classifier sees alone, and refined. "labels": (E, C, C + 1) counts of the labels in each epoch, of labels
        that grow. "mended": [wrong in the first epoch of growth, of these right in the last, right in the first, of
        these wrong in the last]. "losses". "shown": list of (H, W) uint8.
    """
    settings, how = Chain(**chain), Way(**way)
    found, tested = cued(settings, seed, how.cues, how.saliency), open_pictures(settings, False)
    count = len(tested.classes)
    learner, losses, seen = train_learner(settings, seed, how)
    scored = [
        _label(learner, found.classifier, tested, i, crf) for i in track(range(len(tested.weak)), "test")
    ]
    kinds = ("test", "gated", "crf") if crf else ("test", "gated")
    judged = {
        kind: np.stack(
            [confusion(t, labels[kind], count) for t, labels in zip(tested.truth, scored, strict=True)]
        )
        for kind in kinds
    }
    judged["losses"] = losses
    judged["shown"] = [labels["test"].astype(np.uint8) for labels in scored[:shown]]
    if seen:
        judged["labels"] = np.stack(
            [
                matrix([found.truth[i] for i in labels], list(labels.values()), count)
                for labels in seen.values()
            ]
        )
        judged["mended"] = _mended(seen, found.truth)
    return judged


@lru_cache(maxsize=1)  # a network that labels pictures for the next one is itself judged just before
def train_learner(chain: Chain, seed: int, how: Way) -> Trained:
    """Train a network in one way."""
    found = cued(chain, seed, how.cues, how.saliency)
    pictures, seen = found.pictures, {}
    if how.k != NEIGHBOURS and chain.frozen:
        pictures = link(pictures, how.k)
    count = len(open_pictures(chain, True).classes)
    name = how.growth if how.source == "grown" else how.source
    options = {"seed": seed, "device": chain.device, "label": f"{name}, seed {seed}"} | _rate(chain)
    learner = _learner(chain, AtrousHead(_width(chain), count, seed=seed))
    if how.source == "grown":
        growth = Growth(how.growth, how.refined, {} if how.theta is None else {"theta": how.theta})

        def watch(epoch: int, index: int, labels: np.ndarray) -> None:
            seen.setdefault(epoch, {})[index] = labels

        options |= {"balanced": how.balanced, "boundary": how.boundary, "k": how.k, "watch": watch}
        options |= {"crfs": found.crfs}
        history = train_network(pictures, learner, growth, chain.epochs, **options)
    else:
        history = retrain(pictures, _given(chain, seed, how, found), learner, chain.epochs, **options)
    return Trained(learner, history.losses, seen)


def _given(chain: Chain, seed: int, how: Way, found: Cued) -> list[np.ndarray]:
    """Return labels that do not change during the training."""
    if how.source == "activations":
        return cam_labels(found, CAM_THRESHOLDS[0])
    if how.source == "truth":
        return found.truth
    first = train_learner(chain, seed, how._replace(source="grown")).learner
    return [_mask(first, picture, crf) for picture, crf in zip(found.pictures, found.crfs, strict=True)]


def beliefs(learner: Learner, picture: WeakPicture) -> np.ndarray:
    """Return the (h, w, C) probabilities that a network gives a picture, as the loop takes them."""
    return floored_softmax(answer(learner, picture))[0].permute(1, 2, 0).numpy()


def _mask(learner: Learner, picture: WeakPicture, crf: DenseCRF) -> np.ndarray:
    """Return what a network makes of a training picture, refined, with the classes that it holds alone."""
    values = crf.refine(beliefs(learner, picture))
    ids = np.array([BACKGROUND, *picture.classes], np.uint8)
    return ids[values[:, :, ids].argmax(axis=2)]


def _mended(seen: dict[int, dict[int, np.ndarray]], truth: Sequence[np.ndarray]) -> list[int]:
    """Return how many labels were wrong when growth began, of these right at its end; right, and of these wrong."""
    totals = np.zeros(4, np.int64)
    begun, ended = seen.get(WARM_UP, {}), seen[max(seen)]
    for index in begun.keys() & ended.keys():
        first, end, true = begun[index], ended[index], truth[index]
        wrong = (first != VOID) & (true != VOID) & (first != true)
        right = (first != VOID) & (true != VOID) & (first == true)
        lost = right & (end != VOID) & (end != true)
        totals += [wrong.sum(), (wrong & (end == true)).sum(), right.sum(), lost.sum()]
    return totals.tolist()


def _width(chain: Chain) -> int:
    return sum(shape[0] for shape in map_shapes(chain)[-DEEPEST:])


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


@torch.no_grad()
def answer(learner: Learner, picture: WeakPicture) -> torch.Tensor:
    """Return what a head says of a picture as it is, on the CPU: (1, objects) scores or (1, C, h, w) logits."""
    place = next(learner.parameters()).device
    if learner.trunk is None:
        return learner([values[None].float().to(place) for values in picture.maps[0]])[0].cpu()
    return learner(to_tensor(picture.image, place)[None])[0].cpu()


def _label(
    learner: Learner, classifier: Learner, tested: Pictures, index: int, crf: bool
) -> dict[str, np.ndarray]:
    """Return a test picture's labels at its own size: plain, with the classes that are seen alone, and refined."""
    picture, truth = tested.weak[index], tested.truth[index]
    whole = F.interpolate(answer(learner, picture), truth.shape, mode="bilinear", align_corners=False)[0]
    scores = answer(classifier, picture)[0].numpy()
    seen = np.concatenate([[True], scores > 0])  # the background is always there
    seen[1 + scores.argmax()] = True  # and so is the likeliest object
    gated = whole.masked_fill(~torch.from_numpy(seen)[:, None, None], -np.inf)
    labels = {"test": whole.argmax(dim=0).numpy(), "gated": gated.argmax(dim=0).numpy()}
    if crf:
        refined = dense_crf(whole.softmax(dim=0).permute(1, 2, 0).numpy(), tested.images[index])
        labels["crf"] = refined.argmax(axis=2)
    return labels
