"""The loop as boxes (Figure 3), the graph cut of a few pixels edge by edge (Figure 2), and charts of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.diagrams import draw_boxes
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Boxes of Figure 3: text, centre, whether it belongs to the graph.
_BOXES = {
    "I": ("picture and\nits classes", (0.9, 2.0), False),
    "C": ("classifier:\nactivation maps", (2.9, 3.1), False),
    "S": ("saliency", (2.9, 0.9), False),
    "B": ("first cues", (5.0, 3.1), False),
    "N": ("network:\nfeatures and H", (5.0, 0.9), False),
    "G": ("neighbours\namong features", (7.2, 0.9), True),
    "M": ("one min cut\nper class, theta", (7.2, 3.1), True),
    "L": ("labels, loss\n(Eqs. 4, 5)", (9.4, 2.0), False),
}
_ARROWS = ("IC", "IS", "CB", "SB", "IN", "BM", "NG", "NM", "GM", "ML")


def draw_framework() -> Figure:
    """Draw the loop of labels and network, after Figure 3."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 2.6))
    draw_boxes(ax, _BOXES, _ARROWS, back="LN", margins=(0.9, 1.0, 1.6, 0.7))
    ax.text(7.2, -0.45, "each step", ha="center", fontsize=8, color="#444444")
    return figure


def draw_cut(probabilities: np.ndarray, cues: np.ndarray, edges: np.ndarray, labels: np.ndarray) -> Figure:
    """Draw a small map as a graph between object and background: an edge is as thick as its price (Figure 2).

    Parameters
    ----------
    probabilities : (h, w) float ndarray
        H of the object.
    cues : (h, w) int ndarray
        1 object, 0 background, 255 none.
    edges : (m, 2) int ndarray
        n-links, all of one price.
    labels : (h, w) int ndarray
        1 where the cut says object.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), width_ratios=(1.5, 1))
    height, width = probabilities.shape
    rows, columns = np.indices(probabilities.shape).reshape(2, -1)
    x, y = columns + 0.35 * rows, height - rows
    ends = {"S": (x.mean(), y.max() + 1.9), "T": (x.mean(), y.min() - 1.9)}
    for one, other in edges:
        cut = labels.flat[one] != labels.flat[other]
        left.plot(
            x[[one, other]], y[[one, other]], color="#444444", linestyle=":" if cut else "-", linewidth=1
        )
    prices = _terminal_prices(probabilities.ravel(), cues.ravel())
    for end, colour in (("S", CYCLE[1]), ("T", CYCLE[0])):
        kept = (labels.ravel() == 1) == (end == "S")
        for i in np.flatnonzero(prices[end] > 0):
            look = {"linewidth": min(0.4 + 2 * prices[end][i], 5), "color": colour, "zorder": 1}
            left.plot([x[i], ends[end][0]], [y[i], ends[end][1]], alpha=0.9 if kept[i] else 0.25, **look)
        left.text(
            *ends[end],
            "object (S)" if end == "S" else "background (T)",
            ha="center",
            va="center",
            zorder=4,
            bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour},
        )
    faces = np.where(labels.ravel() == 1, CYCLE[1], CYCLE[0])
    left.scatter(x, y, s=260, c=faces, edgecolors="white", zorder=3)
    for i, value in enumerate(probabilities.ravel()):
        left.text(
            x[i],
            y[i],
            f"{value:.2f}".lstrip("0"),
            ha="center",
            va="center",
            fontsize=7,
            color="white",
            zorder=5,
        )
    left.set_axis_off()
    shown = np.where(cues == 255, 0.5, cues)
    right.imshow(shown, cmap="Greys_r", vmin=-0.3, vmax=1.3)
    for (row, column), value in np.ndenumerate(cues):
        text = {1: "object", 0: "back-\nground"}.get(int(value), "no cue")
        right.text(column, row, text, ha="center", va="center", fontsize=8, color="black")
    right.set(xticks=[], yticks=[], title="cues")
    left.set_title("prices of the edges; dotted or pale: cut")
    return figure


def _terminal_prices(belief: np.ndarray, cues: np.ndarray) -> dict[str, np.ndarray]:
    """Return the prices of the edges to S and T by Table 1, in its working orientation, with C1 = 10."""
    h = np.clip(belief, 1e-4, 1 - 1e-4)
    return {
        "S": np.select([cues == 1, cues == 0], [10.0, 0.0], -np.log10(1 - h)),
        "T": np.select([cues == 1, cues == 0], [0.0, 10.0], -np.log10(h)),
    }


def chart_epochs(
    table: pd.DataFrame, scores: tuple[str, ...] = ("coverage", "mIoU", "object precision")
) -> Figure:
    """Draw how labels change with the epochs: a panel for each score, a line for each way, thin lines single seeds.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.dgcn.results.epoch_table`.
    scores : tuple of str

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(scores), figsize=(WIDTH, 3.2), squeeze=False)
    for ax, score in zip(axes[0], scores, strict=True):
        for index, (name, part) in enumerate(table.groupby("labels", sort=False)):
            look = {"color": CYCLE[index % len(CYCLE)]}
            for _, single in part.groupby("seed"):
                ax.plot(single.epoch, single[score], alpha=0.35, linewidth=0.8, **look)
            mean = part.groupby("epoch")[score].mean()
            ax.plot(mean.index, mean, marker=MARKERS[index % len(MARKERS)], markersize=4, label=name, **look)
        ax.set(xlabel="epoch", title=score)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def chart_ways(table: pd.DataFrame, score: str = "mIoU") -> Figure:
    """Draw the score of each way of labelling with its standard deviation over seeds.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.dgcn.results.score_table`.
    score : str

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 0.9 + 0.32 * len(table)))
    places = np.arange(len(table))
    ax.errorbar(
        table[score], places, xerr=table[f"{score}, std"].fillna(0), fmt="o", color=CYCLE[0], capsize=3
    )
    ax.set(xlabel=f"test {score}", yticks=places, yticklabels=table["labels"])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.4)
    return figure
