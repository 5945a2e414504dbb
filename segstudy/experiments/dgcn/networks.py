"""A network for each way of labelling the training pictures, judged on the test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from segstudy.datasets.files import VOID
from segstudy.experiments.dgcn.borders import count_borders
from segstudy.experiments.dgcn.chain import Chain, answer, map_width, new_learner, new_trunk
from segstudy.experiments.dgcn.cues import CAM_THRESHOLDS, SCALES, Cued, cam_labels, cued, matrix
from segstudy.experiments.dgcn.pictures import RBD, Pictures, open_pictures
from segstudy.experiments.parts import open_part
from segstudy.experiments.weights import pictures_in, weights_of
from segstudy.metrics import confusion
from segstudy.papers.dgcn.batch_losses import WARM_UP
from segstudy.papers.dgcn.graph_cut import NEIGHBOURS
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.losses import floored_softmax
from segstudy.papers.dgcn.network import AtrousHead
from segstudy.papers.dgcn.seeds import FOREGROUND
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.tail import enter, split_tail
from segstudy.papers.dgcn.training import Learner, retrain, train_network
from segstudy.papers.dgcn.views import WeakPicture, link
from segstudy.postprocess.crf import DenseCRF, dense_crf
from segstudy.progress import track

UNLIKELY = 0.01  # a class that has no more anywhere is left out of the dense CRF of a test picture


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
    background : float, optional
        Of the graph cut.
    multiscale : bool
        Whether the activation maps are averaged over `SCALES` of the picture.
    blocks : int
        So many of a frozen trunk's last blocks are trained after all.
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
    background: float | None = None
    multiscale: bool = False
    blocks: int = 0


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
        the classifier sees alone, and refined. "borders": by "test" and "crf", where asked for, the sum of
        :func:`~segstudy.experiments.dgcn.borders.count_borders`. "labels": (E, C, C + 1) counts of the labels in each
        epoch, of labels that grow. "mended": [wrong in the first epoch of growth, of these right in the last, right in
        the first, of these wrong in the last]. "losses". "shown": list of (H, W) uint8. Of a head on the frozen trunk
        as it is, "state" and "seen", see :class:`~segstudy.experiments.kept.KeptNetwork`.
    """
    settings, how = Chain(**chain), Way(**way)
    found, tested = cues_of(settings, seed, how), open_pictures(settings, False)
    count = len(tested.classes)
    learner, losses, seen = train_learner(settings, seed, how)
    taken = _taken(settings, how, tested.weak)
    scored = [
        _label(learner, found.classifier, tested, i, taken[i], crf) for i in track(range(len(taken)), "test")
    ]
    kinds = ("test", "gated", "crf") if crf else ("test", "gated")
    judged = {
        kind: np.stack(
            [confusion(t, labels[kind], count) for t, labels in zip(tested.truth, scored, strict=True)]
        )
        for kind in kinds
    }
    if crf:
        judged["borders"] = {
            kind: sum(count_borders(t, labels[kind]) for t, labels in zip(tested.truth, scored, strict=True))
            for kind in ("test", "crf")
        }
    judged["losses"] = losses
    judged["shown"] = [labels["test"].astype(np.uint8) for labels in scored[:shown]]
    if settings.frozen and not how.blocks:
        judged["state"] = weights_of(learner.head)
        judged["seen"] = pictures_in(open_part(settings.train, settings.images, "image", settings.drawn))
    if seen:
        judged["labels"] = np.stack(
            [
                matrix([found.truth[i] for i in labels], list(labels.values()), count)
                for labels in seen.values()
            ]
        )
        judged["mended"] = _mended(seen, found.truth)
    return judged


def cues_of(chain: Chain, seed: int, how: Way) -> Cued:
    """Return the training pictures with the cues that a way begins with."""
    return cued(chain, seed, how.cues, how.saliency, SCALES if how.multiscale else (1.0,))


@lru_cache(maxsize=1)  # a network that labels pictures for the next one is itself judged just before
def train_learner(chain: Chain, seed: int, how: Way) -> Trained:
    """Train a network in one way."""
    found = cues_of(chain, seed, how)
    pictures, seen = _taken(chain, how, found.pictures), {}
    if how.k != NEIGHBOURS and chain.frozen:
        pictures = link(pictures, how.k)
    count = len(open_pictures(chain, True).classes)
    name = how.growth if how.source == "grown" else how.source
    options = {"seed": seed, "device": chain.device, "label": f"{name}, seed {seed}"}
    learner = new_learner(chain, AtrousHead(map_width(chain), count, seed=seed), how.blocks)
    if how.source == "grown":
        given = {"theta": how.theta, "background": how.background}
        given = {key: value for key, value in given.items() if value is not None}
        growth = Growth(how.growth, how.refined, given)

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


def _taken(chain: Chain, how: Way, pictures: list[WeakPicture]) -> list[WeakPicture]:
    """Return the pictures as the network of a way takes them."""
    return enter(pictures, split_tail(new_trunk(chain), how.blocks)[0]) if how.blocks else pictures


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


def _label(
    learner: Learner, classifier: Learner, tested: Pictures, index: int, taken: WeakPicture, crf: bool
) -> dict[str, np.ndarray]:
    """Return a test picture's labels at its own size: plain, with the classes that are seen alone, and refined."""
    picture, truth = tested.weak[index], tested.truth[index]
    whole = F.interpolate(answer(learner, taken), truth.shape, mode="bilinear", align_corners=False)[0]
    scores = answer(classifier, picture)[0].numpy()
    seen = np.concatenate([[True], scores > 0])  # the background is always there
    seen[1 + scores.argmax()] = True  # and so is the likeliest object
    gated = whole.masked_fill(~torch.from_numpy(seen)[:, None, None], -np.inf)
    labels = {"test": whole.argmax(dim=0).numpy(), "gated": gated.argmax(dim=0).numpy()}
    if crf:
        labels["crf"] = _refined(whole.softmax(dim=0).permute(1, 2, 0).numpy(), tested.images[index])
    return labels


def _refined(probabilities: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the dense CRF's labels at the picture's size; what is nowhere likely cannot win and costs most of it."""
    ids = np.flatnonzero(probabilities.max(axis=(0, 1)) > UNLIKELY)
    kept = probabilities[:, :, ids]
    return ids[dense_crf(kept / kept.sum(axis=2, keepdims=True), image).argmax(axis=2)]
