"""Whom the edges join, by the layers that neighbours are sought in (DG20, DG21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from segstudy.datasets.files import VOID
from segstudy.experiments.dgcn.chain import Chain
from segstudy.experiments.dgcn.cues import Cued, cued
from segstudy.papers.dgcn.graph_cut import join_features, knn_edges
from segstudy.papers.dgcn.views import WeakPicture
from segstudy.progress import track

ALL, CHANCE = "all layers", "random pairs"
LAYERS = ("8", "16", "32")


def judge_edges(chain: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Return how often the two ends of an edge are of one true class, picture by picture.

    Parameters
    ----------
    chain : dict
    seed : int
        Of the classifier whose activation maps are one of the places to look for neighbours.

    Returns
    -------
    dict
        By layers, the maps of class activations, and `CHANCE` for pairs at random: (N,) shares, nan where no edge has
        two known ends.
    """
    found = cued(Chain(**chain), seed)
    places: dict[str, Callable[[int], np.ndarray]] = {ALL: lambda i: found.pictures[i].edges}
    for layer, stride in enumerate(LAYERS):
        places[f"stride {stride}"] = lambda i, layer=layer: _alone(found.pictures[i], layer)
    places["activation maps"] = lambda i: _of_activations(found, i)
    count = range(len(found.pictures))
    shares = {
        name: np.array([purity(edges(i), found.truth[i]) for i in track(count, f"neighbours, {name}")])
        for name, edges in places.items()
    }
    return shares | {CHANCE: np.array([agreement(truth) for truth in found.truth])}


def purity(edges: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of the edges between known pixels that join two of one class; nan without any."""
    one, other = truth.ravel()[edges].T
    known = (one != VOID) & (other != VOID) & (edges[:, 0] != edges[:, 1])
    return float((one == other)[known].mean()) if known.any() else float("nan")


def agreement(truth: np.ndarray) -> float:
    """Return how often a random pair of a picture's known pixels is of one class; nan where none is known."""
    known = truth[truth != VOID]
    return float(((np.bincount(known) / known.size) ** 2).sum()) if known.size else float("nan")


def _alone(picture: WeakPicture, layer: int) -> np.ndarray:
    """Return neighbours in one layer, which is resized to the map as all layers are."""
    maps = [values.float() for values in picture.maps[0]]
    width = sum(values.shape[0] for values in maps[:layer])
    return knn_edges(join_features(maps)[:, width : width + maps[layer].shape[0]])


def _of_activations(found: Cued, index: int) -> np.ndarray:
    return knn_edges(torch.from_numpy(found.activations[index]).flatten(1).T.contiguous())
