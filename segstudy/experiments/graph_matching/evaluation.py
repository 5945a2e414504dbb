"""Scores of a network with and without graph matching, for every picture and class (Section III-B, Table I).

The final labels give every region of a map one class. So their scores follow from what each region covers and spans,
and trying another weight alpha or another rule on the same map costs microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.nn.unet import UNet
from segstudy.papers.graph_matching.cleaning import clean_labels
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.matcher import GraphMatcher
from segstudy.papers.graph_matching.matching import Matching
from segstudy.papers.graph_matching.network import predict
from segstudy.papers.graph_matching.reassignment import reassign
from segstudy.progress import track

# "+ largest" is the null baseline of the matching: the largest region of each class stands for it, and the regions
# left over are reassigned by the paper's own rule. It knows no model graph.
APPROACHES = ("U-Net", "U-Net + largest", "U-Net + GM")
MEASURES = ("pixelwise", "box")
TRUTHS = ("cleaned", "raw")


class Picture(NamedTuple):
    """A photograph, its annotation as published, and the same cleaned of speckle."""

    name: str
    image: np.ndarray
    raw: np.ndarray
    cleaned: np.ndarray


def pictures(dataset: Sequence) -> list[Picture]:
    """Read the samples of a data set and clean their annotations."""
    return [Picture(s.name, s.image, s.labels, clean_labels(s.labels)) for s in track(dataset, "annotations")]


class RegionScores:
    """Scores any assignment of classes to the regions of one map against one truth.

    Parameters
    ----------
    graph : RegionGraph
        n regions; a background that is no vertex counts as one more, which keeps its class.
    truth : (H, W) int ndarray
        0..C-1; pixels of 255 are not scored.
    """

    def __init__(self, graph: RegionGraph, truth: np.ndarray):
        self.background, n, classes = graph.background, len(graph), graph.num_classes
        scored = truth != VOID
        ids = np.where(graph.map < 0, n, graph.map)
        covered = np.bincount((ids * classes + truth)[scored], minlength=(n + 1) * classes)
        self.covered = covered.reshape(n + 1, classes)  # pixels of each region (the last: none) in each class
        self.spans = _boxes(ids[scored], np.argwhere(scored), n + 1)
        self.boxes = _boxes(truth[scored], np.argwhere(scored), classes)

    def score(self, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixelwise IoU and IoU of the boxes, (C,) each, for one class per region, (n,).

        nan where a class is in neither map; see `segstudy.metrics.iou_per_image` and `segstudy.metrics.box_iou`.
        """
        last = -1 if self.background is None else self.background
        one_hot = np.append(classes, last)[:, None] == np.arange(self.covered.shape[1])
        overlap = (self.covered * one_hot).sum(axis=0)
        union = one_hot.T @ self.covered.sum(axis=1) + self.covered.sum(axis=0) - overlap
        found = np.stack([_hull(self.spans[one_hot[:, c]]) for c in range(one_hot.shape[1])])
        with np.errstate(invalid="ignore"):
            return overlap / union, _box_iou(found, self.boxes)


def _boxes(ids: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Tight boxes of pixels grouped by id: (count, 4) first row and column, last row and column plus 1."""
    low, high = np.full((count, 2), np.iinfo(np.int64).max), np.zeros((count, 2), dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    if len(starts):
        found = ids[order][starts]
        low[found] = np.minimum.reduceat(places[order], starts)
        high[found] = np.maximum.reduceat(places[order], starts) + 1
    return np.concatenate([low, high], axis=1)


def _hull(boxes: np.ndarray) -> np.ndarray:
    """Box around boxes; one that ends before it begins around none."""
    low = boxes[:, :2].min(axis=0, initial=np.iinfo(np.int64).max)
    return np.concatenate([low, boxes[:, 2:].max(axis=0, initial=0)])


def _box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes, (C, 4) each; nan where both are empty."""

    def area(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.where(high > low, high - low, 0).prod(axis=1)

    overlap = area(np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:]))
    union = area(a[:, :2], a[:, 2:]) + area(b[:, :2], b[:, 2:]) - overlap
    return overlap / union


@dataclass(frozen=True)
class Evaluation:
    """What one network does to N pictures of C classes, before and after matching.

    Attributes
    ----------
    scores : (N, 3, 2, 2, C) ndarray
        IoU by picture, approach (`APPROACHES`), measure (`MEASURES`), truth (`TRUTHS`) and class; a class that is there
        and not found scores 0. See :meth:`of`.
    sweep : (N, A, 2, C) ndarray
        IoU by picture, weight alpha, measure and class, after matching, against cleaned truth.
    missing : (N, C) bool ndarray
        Whether the network gives a class no pixel.
    regions, combinations, nodes : (N,) ndarray
        Regions of the map, choices of one candidate per class, nodes that branch and bound opened.
    excess : (N,) ndarray
        Cost of branch and bound's matching less that of the exhaustive search; nan where that was not run.
    optimal : (N,) bool ndarray
        Whether branch and bound proved its answer.
    seconds : (N, 2) ndarray
        Of the graph (regions and distances), and of matching and reassignment.
    """

    scores: np.ndarray
    sweep: np.ndarray
    missing: np.ndarray
    regions: np.ndarray
    combinations: np.ndarray
    nodes: np.ndarray
    excess: np.ndarray
    optimal: np.ndarray
    seconds: np.ndarray

    def of(self, approach: str, measure: str, truth: str = "cleaned") -> np.ndarray:
        """Return the IoU of an approach by one measure against one truth, (N, C)."""
        return self.scores[:, APPROACHES.index(approach), MEASURES.index(measure), TRUTHS.index(truth)]


def evaluate(
    model: UNet,
    size: tuple[int, int],
    samples: Sequence[Picture],
    matcher: GraphMatcher,
    *,
    alphas: Sequence[float] = (),
    exhaustive: int = 0,
    label: str = "evaluation",
) -> Evaluation:
    """Segment pictures with a network, correct them, and score both.

    Parameters
    ----------
    model, size
        A trained network and the (height, width) it works at.
    samples : sequence of Picture
        N pictures.
    matcher : GraphMatcher
        Fitted.
    alphas : sequence of float
        A weights to try besides the matcher's own.
    exhaustive : int
        Where there are at most so many combinations, search them all too: the oracle of branch and bound.
    label : str
        What the progress display shows.

    Returns
    -------
    Evaluation
    """
    rows = []
    for picture in track(samples, label):
        probabilities = predict(model, picture.image, size)
        rows.append(evaluate_one(probabilities, picture, matcher, alphas, exhaustive))
    return Evaluation(**{name: np.stack([row[name] for row in rows]) for name in rows[0]})


def evaluate_one(
    probabilities: np.ndarray,
    picture: Picture,
    matcher: GraphMatcher,
    alphas: Sequence[float] = (),
    exhaustive: int = 0,
) -> dict[str, np.ndarray]:
    """Return one picture's part of an `Evaluation`, by the names of its attributes."""
    started = time.perf_counter()
    graph = matcher.graph(probabilities)
    built = time.perf_counter()
    matching, classes = matcher.correct(graph)
    ended = time.perf_counter()
    counts = np.bincount(graph.classes, minlength=graph.num_classes)
    combinations = int(np.prod(counts[counts > 0], dtype=object))
    excess = np.nan
    if 0 < combinations <= exhaustive:
        excess = matching.cost - matcher.correct(graph, solver="exhaustive")[0].cost
    scorers = [RegionScores(graph, truth) for truth in (picture.cleaned, picture.raw)]
    final = (graph.classes, reassign_to_largest(graph, matcher), classes)
    swept = [scorers[0].score(matcher.correct(graph, alpha)[1]) for alpha in alphas]
    return {
        "scores": np.stack([np.stack([s.score(c) for s in scorers], axis=1) for c in final]),
        "sweep": np.array(swept).reshape(len(alphas), len(MEASURES), graph.num_classes),
        "missing": (counts == 0) & (np.arange(graph.num_classes) != graph.background),
        "regions": np.array(len(graph)),
        "combinations": np.array(combinations, dtype=float),
        "nodes": np.array(matching.nodes),
        "excess": np.array(excess),
        "optimal": np.array(matching.optimal),
        "seconds": np.array([built - started, ended - built]),
    }


def reassign_to_largest(graph: RegionGraph, matcher: GraphMatcher) -> np.ndarray:
    """Return the classes (n,) after the paper's reassignment to the largest region of each class: no model is used."""
    by_size = np.argsort(-graph.sizes, kind="stable")
    found, first = np.unique(graph.classes[by_size], return_index=True)
    assignment = np.full(graph.num_classes, -1)
    assignment[found] = by_size[first]
    kept = Matching(assignment, cost=np.nan, optimal=False, nodes=0, model=0, scale=1.0, maxima=np.ones(1))
    return reassign(graph, matcher.models_, kept, "paper", matcher.alpha, vertex=matcher.vertex)
