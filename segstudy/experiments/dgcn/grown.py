"""What labels one network's probabilities give under many settings of growth, and how pure the graph's edges are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from segstudy.datasets.files import VOID
from segstudy.experiments.dgcn.chain import Chain
from segstudy.experiments.dgcn.cues import Cued, cued, matrix
from segstudy.experiments.dgcn.networks import Way, beliefs, train_learner
from segstudy.experiments.dgcn.pictures import open_pictures
from segstudy.experiments.dgcn.second_instances import reach_of_growth
from segstudy.experiments.dgcn.superpixels import cut_superpixels
from segstudy.papers.dgcn.graph_cut import graph_cut_labels, join_features, knn_edges
from segstudy.papers.dgcn.growing import Grow
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.random_walker import walker_labels
from segstudy.papers.dgcn.region_growing import grow_seeds
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.views import WeakPicture
from segstudy.progress import track

THETAS = (0.0, 0.3, 0.5, 0.7, 0.9)
KS = (6, 8, 12, 14)
PRICES = (0.1, 3.0, 10.0)
SEED_PRICES = (1.0, 100.0)
BACKGROUNDS = (0.5, 0.7, 0.9)


def _cut(**options: Any) -> Grow:
    return lambda cues, h, edges, classes: graph_cut_labels(cues, h, edges, classes, **options)


def _regions(**options: Any) -> Grow:
    return lambda cues, h, edges, classes: grow_seeds(cues, h, classes, **options)


def _alike(cues: np.ndarray, h: np.ndarray, edges: np.ndarray, classes: Any) -> np.ndarray:
    """Cut with nothing known but cues and neighbours."""
    present = np.isin(np.arange(h.shape[2]), [BACKGROUND, *classes])
    even = np.broadcast_to(present / present.sum(), h.shape)
    return graph_cut_labels(cues, even, edges, classes, theta=0.0)


def _likeliest(theta: float) -> Grow:
    """Label the likeliest class of the picture where its probability is above theta; no graph, no cues."""

    def label(cues: np.ndarray, h: np.ndarray, edges: np.ndarray, classes: Any) -> np.ndarray:
        ids = np.array([BACKGROUND, *classes])
        own = h[:, :, ids] / h[:, :, ids].sum(axis=2, keepdims=True)
        return np.where(own.max(axis=2) > theta, ids[own.argmax(axis=2)], VOID).astype(np.uint8)

    return label


# What the labels are made with, by the name of its row; the probabilities and cues are the same in all.
PLAIN: dict[str, Grow] = {
    "seeds": lambda cues, h, edges, classes: cues,
    **{f"theta {theta:g}": _cut(theta=theta) for theta in THETAS},
    "theta 0, as printed": _cut(theta=0.0, printed=True),
    "theta 0.7, as printed": _cut(theta=0.7, printed=True),
    "theta 0.7, seeds kept": _cut(theta=0.7, keep_cues=True),
    **{f"C0 {price:g}": _cut(c0=price) for price in PRICES},
    **{f"C1 {price:g}": _cut(c1=price) for price in SEED_PRICES},
    **{f"background above {share:g}": _cut(background=share) for share in BACKGROUNDS},
    "t-links only": _cut(theta=0.0, c0=0.0),
    "n-links only": _alike,
    "likeliest": _likeliest(0.0),
    "likeliest, H > 0.7": _likeliest(0.7),
    "label propagation": lambda cues, h, edges, classes: propagate_labels(cues, h, edges, classes),
    "random walker": lambda cues, h, edges, classes: walker_labels(cues, h, edges, classes),
}
REFINED: dict[str, Grow] = {
    "region growing .85/.99": _regions(),
    "theta 0.7, refined": _cut(theta=0.7),
    "label propagation, refined": lambda cues, h, edges, classes: propagate_labels(cues, h, edges, classes),
}
LAYERS = ("8", "16", "32")
SUPERPIXELS = "superpixels as nodes"


def judge_labels(chain: dict[str, Any], seed: int) -> dict[str, Any]:
    """Label the training pictures with one network under many settings, and judge the labels.

    The network is the one that the graph cut trained.

    Returns
    -------
    dict
        "labels": by row, (C, C + 1) counts at the map's size. "edges": by layer, [edges between pixels of one class,
        edges]; "chance": how often a random pair of a picture's
        pixels is of one class. "second": see :func:`~segstudy.experiments.dgcn.second_instances.reach_of_growth`.
    """
    settings = Chain(**chain)
    learner = train_learner(settings, seed, Way()).learner
    found = cued(settings, seed)
    count = len(open_pictures(settings, True).classes)
    own = [beliefs(learner, picture) for picture in found.pictures]
    refined = [crf.refine(h) for crf, h in zip(found.crfs, track(own, "refined"), strict=True)]
    edges = [picture.edges for picture in found.pictures]
    labels = {name: _all(found, own, edges, grow) for name, grow in PLAIN.items()}
    labels |= {name: _all(found, refined, edges, grow) for name, grow in REFINED.items()}
    joined = [join_features(_maps(picture)) for picture in found.pictures]
    for k in KS:
        near = [knn_edges(features, k) for features in track(joined, f"K = {k}")]
        labels[f"K {k}"] = _all(found, own, near, _cut())
    labels[SUPERPIXELS] = [
        cut_superpixels(*row)
        for row in track(list(zip(found.pictures, joined, own, strict=True)), SUPERPIXELS)
    ]
    return {
        "labels": {name: matrix(found.truth, made, count) for name, made in labels.items()},
        "edges": _purity(found, edges),
        "chance": _chance(found),
        "second": reach_of_growth(found.pictures, found.truth, own, refined),
    }


def _all(
    found: Cued, probabilities: list[np.ndarray], edges: list[np.ndarray], grow: Grow
) -> list[np.ndarray]:
    rows = zip(found.pictures, probabilities, edges, strict=True)
    return [grow(picture.cues, h, near, picture.classes) for picture, h, near in rows]


def _maps(picture: WeakPicture) -> list[torch.Tensor]:
    return [values.float() for values in picture.maps[0]]


def _purity(found: Cued, joined: list[np.ndarray]) -> dict[str, list[int]]:
    """Count edges, and those of one true class, by the layers that the neighbours are sought in."""
    kinds: dict[str, Callable[[int], np.ndarray]] = {"all layers": lambda i: joined[i]}
    for layer, stride in enumerate(LAYERS):
        kinds[f"stride {stride}"] = lambda i, layer=layer: _alone(found.pictures[i], layer)
    kinds["activation maps"] = lambda i: _of_activations(found, i)
    return {
        name: np.sum(
            [_count(edges(i), found.truth[i]) for i in track(range(len(joined)), name)], axis=0
        ).tolist()
        for name, edges in kinds.items()
    }


def _alone(picture: WeakPicture, layer: int) -> np.ndarray:
    """Neighbours in one layer, which is resized to the map as all layers are."""
    maps = _maps(picture)
    width = sum(values.shape[0] for values in maps[:layer])
    joined = join_features(maps)
    return knn_edges(joined[:, width : width + maps[layer].shape[0]])


def _of_activations(found: Cued, index: int) -> np.ndarray:
    return knn_edges(torch.from_numpy(found.activations[index]).flatten(1).T.contiguous())


def _count(edges: np.ndarray, truth: np.ndarray) -> list[int]:
    """Return how many edges join two pixels of one class, and how many join two that have a class."""
    one, other = truth.ravel()[edges].T
    known = (one != VOID) & (other != VOID) & (edges[:, 0] != edges[:, 1])
    return [int((known & (one == other)).sum()), int(known.sum())]


def _chance(found: Cued) -> float:
    """Return how often a random pair of pixels of one picture is of one class, mean over pictures."""
    return float(np.mean(list(_agreements(found))))


def _agreements(found: Cued) -> Iterator[float]:
    for truth in found.truth:
        share = np.bincount(truth[truth != VOID].ravel()) / max((truth != VOID).sum(), 1)
        yield float((share**2).sum())
