"""Two candidates of one class, the larger one wrong: where matching can beat keeping the largest region.

A matching that only had to undo small stray pieces would do no more than the baseline that keeps the largest region of
each class. They part where the largest is wrong: on maps made so (:func:`planted_rivals`), and on those of trained
networks, as often as it happens there (:func:`rivalries`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from segstudy.datasets.files import VOID
from segstudy.experiments.graph_matching.perturbations import far_blob, plant
from segstudy.experiments.graph_matching.robustness import analysed, require_pictures
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.matcher import GraphMatcher
from segstudy.plots.charts import MARKERS
from segstudy.progress import track

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ["image", "class", "candidates", "findable", "largest_right", "matched_right"]
CHOICES = {"largest_right": "the largest region", "matched_right": "matching"}


def rivalries(
    matcher: GraphMatcher, probabilities: Sequence[np.ndarray], truths: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Tell for each map and class which of its candidates is right, and who chooses it.

    Right is the candidate that holds most pixels of the true class; a class without a candidate that holds any cannot
    be found by choosing among candidates.

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted.
    probabilities, truths : sequences of (H, W, C) float and (H, W) int ndarray
        N pictures. A picture that the matcher refuses (empty="refuse") has no rows.

    Returns
    -------
    pandas.DataFrame
        A row for each picture and class that is a vertex, in the truth, and has a candidate: `image`, `class`,
        `candidates` (how many regions), `findable` (one of them meets the true class), and whether the largest one and
        the matched one are right: `largest_right`, `matched_right`; False where none is, or none was matched.

    Raises
    ------
    TypeError, ValueError
        As the matcher's; not as many truths as pictures; sizes that differ.
    """
    require_pictures(probabilities, truths)
    rows = []
    for number, picture in enumerate(track(probabilities, "rivals: image")):
        analysis = analysed(matcher, picture)
        if analysis is None:
            continue
        for c in np.intersect1d(analysis.graph.classes, truths[number]):
            found = _choices(analysis.graph, analysis.matching.assignment[c], truths[number], c)
            rows.append({"image": number, "class": int(c)} | found)
    return pd.DataFrame(rows, columns=COLUMNS)


def planted_rivals(
    matcher: GraphMatcher,
    probabilities: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    rng: np.random.Generator,
    *,
    classes: Sequence[int],
    factors: Sequence[float],
    sure: float = 0.95,
    away: float = 1 / 4,
) -> pd.DataFrame:
    """Plant a false region of each class, of a size in parts of the true one, and see which of the two is chosen.

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted.
    probabilities, truths : sequences of (H, W, C) float and (H, W) int ndarray
        N pictures; the truth itself, made unsure, may serve as probabilities.
    rng : np.random.Generator
        Draws the places.
    classes : sequence of int
        Those that get a rival, one at a time.
    factors : sequence of float
        Sizes of the false region, in parts of the class's true area; above 1 it is the largest.
    sure : float in (0.5, 1]
        Its probability: where the network is surer of it than of the true one, the memberships mislead too.
    away : float
        Its least distance from the true class, in parts of the picture's longer side. Where the picture has no such
        place there is no row.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`rivalries` and `factor`, with a row for each picture, class and factor.

    Raises
    ------
    TypeError, ValueError
        As the matcher's; not as many truths as pictures; a factor that is not above 0.
    """
    require_pictures(probabilities, truths)
    if not all(factor > 0 for factor in factors):
        raise ValueError(f"factors must be above 0, got {factors!r}: 2 plants a region twice as large")
    rows = []
    for number, picture in enumerate(track(probabilities, "planted rivals: image")):
        truth = truths[number]
        for c in np.intersect1d(classes, truth[truth != VOID]):
            for factor in factors:
                blob = far_blob(truth == c, max(1, round(factor * (truth == c).sum())), away, rng)
                if blob is None:
                    continue
                found = rivalries(matcher, [plant(picture, blob, int(c), sure)], [truth])
                rows.append(found[found["class"] == c].assign(image=number, factor=factor))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=[*COLUMNS, "factor"])


def _choices(graph: RegionGraph, matched: int, truth: np.ndarray, c: int) -> dict[str, int | bool]:
    """Count the candidates of class c, and tell whether the largest and the matched one hold most of the true class."""
    held = np.bincount(graph.map[(truth == c) & (graph.map >= 0)], minlength=len(graph))
    own = np.flatnonzero(graph.classes == c)
    most = held[own].max()
    largest = own[graph.sizes[own].argmax()]
    right = {"largest_right": held[largest] == most, "matched_right": matched >= 0 and held[matched] == most}
    findable = bool(most > 0)
    return {"candidates": len(own), "findable": findable} | {
        n: bool(findable and r) for n, r in right.items()
    }


def rival_table(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count how often size and matching part, and who is right then.

    Parameters
    ----------
    found : mapping of str to DataFrame
        Tables of :func:`rivalries` by the name of what they were measured on.

    Returns
    -------
    pandas.DataFrame
        A row for each: `maps`, its name; `classes`, rows of the table; how many of them have `rivals` (a second
        candidate, and one that is right); in how many of those the `largest wrong`; and of those with rivals how many
        the `matching right`, and in how many `matching alone right` and `largest alone right`.
    """
    rows = []
    for name, table in found.items():
        rivals = table[(table.candidates > 1) & table.findable.astype(bool)]
        largest, matched = (rivals[column].astype(bool) for column in CHOICES)
        counts = {"classes": len(table), "rivals": len(rivals), "largest wrong": (~largest).sum()}
        counts |= {"matching right": matched.sum(), "matching alone right": (matched & ~largest).sum()}
        counts["largest alone right"] = (largest & ~matched).sum()
        rows.append({"maps": name} | {key: int(count) for key, count in counts.items()})
    return pd.DataFrame(rows)


def chart_rivals(planted: pd.DataFrame) -> Figure:
    """Chart how often the true region is chosen against the size of the false one.

    Parameters
    ----------
    planted : DataFrame
        Of :func:`planted_rivals`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        It has no row.
    """
    if planted.empty:
        raise ValueError("planted has no row: nothing to draw")
    import matplotlib.pyplot as plt

    shares = planted.astype({name: float for name in CHOICES}).groupby("factor")[list(CHOICES)].mean()
    figure, ax = plt.subplots(figsize=(4.8, 2.8))
    for marker, (column, name) in zip(MARKERS, CHOICES.items(), strict=False):
        ax.plot(shares.index, shares[column], marker=marker, label=name)
    ax.axvline(1, color="#888888", linewidth=0.8, linestyle=":")
    ax.set(
        xscale="log", xticks=shares.index, xticklabels=[f"{f:g}" for f in shares.index], ylim=(-0.05, 1.05)
    )
    ax.minorticks_off()
    ax.set(xlabel="size of the false region, in parts of the true one", ylabel="true region chosen")
    ax.legend()
    return figure
