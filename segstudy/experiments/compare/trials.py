"""Methods on one task: trained, applied to the test pictures, refined, and scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segstudy.datasets.sample import Sample
from segstudy.experiments.compare.clicks import click
from segstudy.experiments.compare.masked_network import seen
from segstudy.experiments.compare.methods import METHODS, SETWISE, SHARE, Recipe
from segstudy.experiments.compare.pictures import (
    CLICKS,
    FEW,
    Task,
    task_of,
    test_samples,
    training_samples,
)
from segstudy.experiments.compare.refinements import ANY, LARGEST, MATCHED, PLAIN, refine
from segstudy.experiments.parts import open_part
from segstudy.metrics import (
    assign_clusters,
    boundary_f_score,
    box_iou,
    confusion,
    csurka_tolerance,
    iou_dataset,
    match_clusters_per_image,
    mean_iou,
    pixel_accuracy,
)
from segstudy.papers.dgcn.segmenter import DGCN
from segstudy.papers.graph_matching.matcher import GraphMatcher
from segstudy.progress import track
from segstudy.segmenter import Segmenter

CLASSES, EACH, WHOLE = "classes", "clusters named picture by picture", "clusters named once for the test set"
# Nodes of the matching's search, then its best so far counts: a poor map has hundreds of regions.
SEARCHED = 2_000
MEASURES = ("IoU", "accuracy", "box IoU", "boundary F")
UNNAMED = 254  # in a kept map: a cluster without a class


def run_methods(task: dict[str, Any], methods: list[str], seed: int, recipe: Recipe) -> dict[str, Any]:
    """Train methods on a task's training pictures and score them, and their refinements, on the test pictures.

    Parameters
    ----------
    task : dict
        Fields of :class:`~segstudy.experiments.compare.pictures.Task`.
    methods : list of str
        A key of `METHODS`, or several that begin with the same training, which is done once.
    seed : int
    recipe : dict
        Options of each paper's segmenter; those that the methods read suffice.

    Returns
    -------
    dict
        By method: "scores", by refinement, by reading (`CLASSES`, or of clusters `EACH` and, where they mean the same
        in every picture, `WHOLE`) what :func:`score` returns. "maps": list of (H, W) uint8, the unrefined labels of the
        test pictures under the first reading, `UNNAMED` where a cluster has no class. "masks", "pictures": training
        pictures that it saw masks of, and all; of clicks, the test pictures.
    """
    settings = task_of(task)
    count = len(open_part(settings.test).classes)
    learnt = training_samples(settings, METHODS[methods[0]].told)
    if METHODS[methods[0]].told == FEW:
        learnt = draw(learnt, seed)
    segmenters = [METHODS[name].make(settings, count, seed, recipe) for name in methods]
    _train(segmenters, learnt)
    return {
        name: _judged(settings, name, segmenter, learnt, count, seed)
        for name, segmenter in zip(methods, segmenters, strict=True)
    }


def _train(segmenters: Sequence[Segmenter], learnt: Sequence[Sample]) -> None:
    """Fit segmenters; DGCN's ways of growing labels share features, classifier and cues."""
    first = segmenters[0]
    if isinstance(first, DGCN):
        begun = first.cue(seen(tuple(learnt), first.trunk, first.side))
        for segmenter in segmenters:
            segmenter.learn(begun)
    else:
        first.fit(learnt)


def _judged(
    task: Task, method: str, segmenter: Any, learnt: Sequence[Sample], count: int, seed: int
) -> dict[str, Any]:
    """Return what :func:`run_methods` does of one method that is trained."""
    told, tested = METHODS[method].told, test_samples(task)
    given = _applied(segmenter, tested, _clicks(method, tested, count, seed), f"{task.name}, {method}")
    names, readings, matcher = list(ANY), [EACH], None
    if method in SETWISE and task.whole:
        readings.append(WHOLE)
    if segmenter.outputs == "classes":
        names, readings = [*ANY, LARGEST], [CLASSES]
        if task.matched:
            names.append(MATCHED)
            masks = learnt if told == FEW else training_samples(task, FEW)
            matcher = GraphMatcher(node_limit=SEARCHED, unit="diagonal")
            matcher.fit([sample.labels for sample in masks], count)
    scores: dict[str, dict[str, Any]] = {}
    for name in names:
        pairs = list(zip(given, tested, strict=True))
        found = [refine(name, p, s.image, matcher) for p, s in track(pairs, f"{task.name}, {method}, {name}")]
        scores[name] = {reading: score(tested, found, count, reading) for reading in readings}
        if name == PLAIN:
            maps = [
                np.where(m == count, UNNAMED, m).astype(np.uint8)
                for m in named(tested, found, count, readings[0])
            ]
    return {
        "scores": scores,
        "maps": maps,
        "masks": sum(sample.labels is not None for sample in learnt),
        "pictures": len(tested if told == CLICKS else learnt),
    }


def _clicks(method: str, tested: Sequence[Sample], count: int, seed: int) -> list[np.ndarray | None]:
    """Make the clicks of each test picture, for a method that is told them."""
    rng = np.random.default_rng(seed)
    told = METHODS[method].told == CLICKS
    return [click(sample.labels, count, rng) if told else None for sample in tested]


def _applied(
    segmenter: Any, tested: Sequence[Sample], clicks: Sequence[np.ndarray | None], label: str
) -> list[np.ndarray]:
    """Return a trained segmenter's probabilities of the test pictures."""
    given = []
    for sample, marked in zip(track(tested, label), clicks, strict=True):
        if marked is not None:
            segmenter.mark(marked)
        given.append(segmenter.probabilities(sample.image))
    return given


def draw(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Return a share of the training pictures, at least two, drawn anew for each seed."""
    count = max(2, round(SHARE * len(samples)))
    chosen = np.random.default_rng(seed).choice(len(samples), min(count, len(samples)), replace=False)
    return [samples[i] for i in sorted(chosen.tolist())]


def named(
    samples: Sequence[Sample], maps: Sequence[np.ndarray], count: int, reading: str
) -> list[np.ndarray]:
    """Return label maps with clusters renamed to classes; `count` stands for a cluster that has none.

    Picture by picture the names are an oracle's: they are those that suit the picture's own truth best. Once for the
    test set they are one Hungarian assignment over all its pixels.
    """
    if reading == CLASSES:
        return list(maps)
    pairs = list(zip([sample.labels for sample in samples], maps, strict=True))
    if reading == EACH:
        mappings = [match_clusters_per_image(truth, m, count)[0] for truth, m in pairs]
    else:
        clusters = max(int(m.max()) for m in maps) + 1
        total = sum(confusion(truth, m, count, num_clusters=clusters) for truth, m in pairs)
        mappings = [assign_clusters(total)] * len(pairs)
    return [np.where(f < 0, count, f)[m] for f, (_, m) in zip(mappings, pairs, strict=True)]


def score(
    samples: Sequence[Sample], maps: Sequence[np.ndarray], count: int, reading: str
) -> dict[str, np.ndarray]:
    """Score label maps against the truth.

    Parameters
    ----------
    samples : sequence of Sample
    maps : sequence of (H, W) int ndarray
        Classes or clusters.
    count : int
        Classes.
    reading : str

    Returns
    -------
    dict of str to ndarray
        "counts": (N, C, C + 1) confusion matrices, the last column without a class. By picture, means over the classes
        that truth or labels have: "IoU", "box IoU", "boundary F"; and "accuracy", all (N,).
    """
    rows: dict[str, list[Any]] = {name: [] for name in ("counts", *MEASURES)}
    for sample, labels in zip(samples, named(samples, maps, count, reading), strict=True):
        truth = sample.labels
        matrix = confusion(truth, labels, count, num_clusters=count + 1)
        tolerance = csurka_tolerance(truth.shape)
        rows["counts"].append(matrix)
        rows["IoU"].append(mean_iou(iou_dataset(matrix)))
        rows["accuracy"].append(pixel_accuracy(matrix))
        rows["box IoU"].append(_mean(box_iou(truth, labels, count + 1)[:count]))
        rows["boundary F"].append(_mean(boundary_f_score(truth, labels, tolerance, count + 1)[:count]))
    return {name: np.array(values) for name, values in rows.items()}


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def ceiling(task: dict[str, Any], clusters: int) -> dict[str, Any]:
    """Score the best that so many clusters can reach: the truth itself, with its largest classes alone.

    Returns
    -------
    dict
        By reading, what :func:`score` returns: of each picture its own largest classes, or those of the whole test set.
    """
    settings = task_of(task)
    samples = test_samples(settings)
    count = len(open_part(settings.test).classes)
    areas = [np.bincount(s.labels[s.labels < count], minlength=count) for s in samples]
    found = {}
    for reading in (EACH, WHOLE):
        wanted = areas if reading == EACH else [sum(areas)] * len(samples)
        maps = []
        for sample, area in zip(samples, wanted, strict=True):
            kept = np.argsort(-area, kind="stable")[:clusters]
            names = np.full(256, count)
            names[kept[area[kept] > 0]] = kept[area[kept] > 0]
            maps.append(names[sample.labels])
        found[reading] = score(samples, maps, count, CLASSES)
    return found
