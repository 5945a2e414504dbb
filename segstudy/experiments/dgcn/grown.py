"""What labels one network's probabilities give under many settings of growth."""

from __future__ import annotations

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
from segstudy.graphs import nearest_neighbours, undirected_edges
from segstudy.papers.dgcn.graph_cut import graph_cut_labels, join_features
from segstudy.papers.dgcn.growing import Grow
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.random_walker import walker_labels
from segstudy.papers.dgcn.region_growing import grow_seeds
from segstudy.papers.dgcn.supervision import BACKGROUND
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
SUPERPIXELS = "superpixels as nodes"


def judge_labels(chain: dict[str, Any], seed: int) -> dict[str, Any]:
    """Label the training pictures with one network under many settings, and judge the labels.

    The network is the one that the graph cut trained.

    Returns
    -------
    dict
        "labels": by row, (C, C + 1) counts at the map's size. "second": see
        :func:`~segstudy.experiments.dgcn.second_instances.reach_of_growth`.
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
    joined = [join_features([m.float() for m in picture.maps[0]]) for picture in found.pictures]
    graphs = [_graphs(features) for features in track(joined, "neighbours, K swept")]
    for index, k in enumerate(KS):
        labels[f"K {k}"] = _all(found, own, [near[index] for near in graphs], _cut())
    rows = list(zip(found.pictures, joined, own, strict=True))
    labels[SUPERPIXELS] = [cut_superpixels(*row) for row in track(rows, SUPERPIXELS)]
    return {
        "labels": {name: matrix(found.truth, made, count) for name, made in labels.items()},
        "second": reach_of_growth(found.pictures, found.truth, own, refined),
    }


def _all(
    found: Cued, probabilities: list[np.ndarray], edges: list[np.ndarray], grow: Grow
) -> list[np.ndarray]:
    rows = zip(found.pictures, probabilities, edges, strict=True)
    return [grow(picture.cues, h, near, picture.classes) for picture, h, near in rows]


def _graphs(features: torch.Tensor) -> list[np.ndarray]:
    """Return the n-links for each of `KS`, from one search: the nearest few are the first of the nearest many."""
    indices, _ = nearest_neighbours(features, min(max(KS), len(features)), include_self=True)
    return [undirected_edges(indices[:, :k]).numpy() for k in KS]
