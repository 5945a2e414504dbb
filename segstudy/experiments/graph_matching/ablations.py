"""The choices that the paper makes, leaves open, or that its authors made otherwise later, each changed alone."""

from __future__ import annotations

import timeit
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import median_filter

from segstudy.experiments.graph_matching.evaluation import MEASURES, Picture, RegionScores
from segstudy.experiments.verdicts import points
from segstudy.metrics.paired import known_mean, paired_difference
from segstudy.nn.unet import UNet
from segstudy.papers.graph_matching.costs import missing_classes
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.matcher import GraphMatcher
from segstudy.papers.graph_matching.matching import match
from segstudy.papers.graph_matching.network import predict
from segstudy.progress import track

if TYPE_CHECKING:
    import pandas as pd

PAPER = "as in Table I"
# What the authors' code of their papers of 2022 and 2023 does.
LATER: dict[str, Any] = {
    "alpha": 0.5,
    "background": 0,
    "edges": "minimum+maximum",
    "unit": "diagonal",
    "vertex": "squared",
    "normaliser": "none",
    "rule": "many_to_one_or_none",
}
# Options of `GraphMatcher`; "median" is a filter of the label map before its regions are taken.
VARIANTS: dict[str, dict[str, Any]] = {
    PAPER: {},
    "3 x 3 median filter first": {"median": 3},
    "relations of centroids": {"edges": "centroid"},
    "largest distances": {"edges": "maximum"},
    "smallest and largest distances": {"edges": "minimum+maximum"},
    "no relations (alpha 1)": {"alpha": 1.0},
    "relations alone (alpha 0)": {"alpha": 0.0},
    "background is no vertex": {"background": 0},
    "4-connected regions": {"connectivity": 1},
    "mean square instead of norm": {"vertex": "squared"},
    "model of raw annotations": {"clean": 0.0},
    "distances relative to a scale": {"scale": "estimated"},
    "any class may stay empty": {"empty": "any"},
    "two model graphs": {"models": 2},
    "three model graphs": {"models": 3},
    "later reassignment": {"rule": "many_to_one_or_none"},
    "later code": LATER,
    "later code, median filter first": LATER | {"median": 3},
}

# Columns of `compare_constraint`.
COMPARED = ["complete", "same", "proven", "with_nodes", "without_nodes", "with_seconds", "without_seconds"]


def fit_variants(
    label_maps: Sequence[np.ndarray],
    num_classes: int,
    background: int | None = None,
    variants: Mapping[str, Mapping[str, Any]] = VARIANTS,
) -> dict[str, tuple[GraphMatcher, int]]:
    """Fit a matcher for each variant; return it with the side of its median filter, 0 for none.

    Parameters
    ----------
    label_maps : sequence of (H, W) int ndarray
        Raw annotations.
    num_classes : int
    background : int or None
        The class that is no vertex where the variant does not say so itself.
    variants : mapping of name to options
        See `VARIANTS`.
    """
    fitted = {}
    for name, options in track(variants.items(), "model graphs"):
        rest = {"background": background} | {key: value for key, value in options.items() if key != "median"}
        fitted[name] = GraphMatcher(**rest).fit(label_maps, num_classes), options.get("median", 0)
    return fitted


def compare(
    model: UNet,
    size: tuple[int, int],
    samples: Sequence[Picture],
    fitted: Mapping[str, tuple[GraphMatcher, int]],
    label: str = "ablations",
) -> dict[str, np.ndarray]:
    """Score every variant on the same maps.

    Parameters
    ----------
    model, size, samples
        As in :func:`~segstudy.experiments.graph_matching.evaluation.evaluate`; N pictures.
    fitted : mapping
        From :func:`fit_variants`.
    label : str
        What the progress display shows.

    Returns
    -------
    dict of name to (N, 2, C) ndarray
        IoU against cleaned truth by picture, measure and class.
    """
    scores: dict[str, list[np.ndarray]] = {name: [] for name in fitted}
    for picture in track(samples, label):
        probabilities = predict(model, picture.image, size)
        graphs: dict[str, Any] = {}  # variants that differ in the matching alone share one
        for name, (matcher, side) in fitted.items():
            key = repr((matcher.connectivity, matcher.measures, side))
            if key not in graphs:
                labels = median_filter(probabilities.argmax(axis=2), side) if side else None
                graph = matcher.graph(probabilities, labels)
                graphs[key] = graph, RegionScores(graph, picture.cleaned)
            graph, scorer = graphs[key]
            scores[name].append(np.stack(scorer.score(matcher.correct(graph)[1])))
    return {name: np.stack(rows) for name, rows in scores.items()}


def ablation_table(repeats: Sequence[Mapping[str, np.ndarray]], seed: int = 0) -> pd.DataFrame:
    """Return each variant's mean IoU and its difference from the paper's choices, repeats averaged.

    Parameters
    ----------
    repeats : sequence of mappings
        From :func:`compare`, one for each network.
    seed : int
        Of the bootstrap over pictures.

    Returns
    -------
    DataFrame
        Columns variant, measure, mean, difference, low, high (95 %).
    """
    import pandas as pd

    rows = []
    for i, measure in enumerate(MEASURES):
        means = {
            name: known_mean(np.stack([known_mean(r[name][:, i], axis=1) for r in repeats]), axis=0)
            for name in repeats[0]
        }
        for name, values in means.items():
            found = paired_difference(values, means[PAPER], seed)
            row = {"variant": name, "measure": measure, "mean": known_mean(values, axis=0)}
            row["difference"] = found.mean
            rows.append(row | {"low": found.low, "high": found.high})
    return pd.DataFrame(rows)


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """Return an ablation table with a row for each variant, in percent; differences as "+0.5 [+0.1, +0.9]"."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for row in table.itertuples():
        spread = points(row.difference, row.low, row.high).removesuffix(" points")
        cells = {
            f"{row.measure} IoU": f"{100 * row.mean:.1f}",
            f"{row.measure}, difference": "" if row.variant == PAPER else spread,
        }
        rows.setdefault(row.variant, {"variant": row.variant}).update(cells)
    return pd.DataFrame(list(rows.values()))


def compare_constraint(
    matcher: GraphMatcher, graphs: Sequence[RegionGraph], node_limit: int = 20_000
) -> pd.DataFrame:
    """Match with and without the third constraint, that a class takes a region of its own class only (GM14).

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted; its weight and models are used, other options of the matching are the paper's.
    graphs : sequence of RegionGraph
        From ``matcher.graph``.
    node_limit : int
        Nodes that a search may open: without the constraint a poor map can take minutes.

    Returns
    -------
    DataFrame
        A row for each graph: `complete` (whether every class has a candidate: the constraint alone leaves a class
        empty), `same` (whether both choose alike), `proven` (whether both optima are: the nodes sufficed), and
        `with_nodes`, `without_nodes`, `with_seconds`, `without_seconds`, which are too small where the nodes did not.
    """
    import pandas as pd

    rows = []
    for graph in track(graphs, "third constraint"):
        row: dict[str, Any] = {"complete": not len(missing_classes(graph, matcher.models_[0], "network"))}
        both = []
        for name, candidates in (("with", "network"), ("without", "all")):
            options = {"candidates": candidates, "node_limit": node_limit}
            run = partial(match, graph, matcher.models_, matcher.alpha, **options)
            found = run()
            both.append(found)
            row[f"{name}_nodes"] = found.nodes
            row[f"{name}_seconds"] = min(timeit.repeat(run, number=1, repeat=2))
        row["same"] = np.array_equal(*(found.assignment for found in both))
        row["proven"] = all(found.optimal for found in both)
        rows.append(row)
    return pd.DataFrame(rows, columns=COMPARED)
