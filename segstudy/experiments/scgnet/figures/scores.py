"""The SCG module as a diagram (Figures 1 and 2), training curves (Figure 3), differences, and what depth does."""

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

# Boxes of Figure 2: text, centre, whether it belongs to the graph.
_BOXES = {
    "F": ("features F\n(pooled)", (0.9, 2.0), False),
    "M": ("3x3 conv\nM", (2.7, 3.0), False),
    "S": ("1x1 conv\nlog Σ", (2.7, 1.0), False),
    "Z": ("Z = M + Σ · noise", (4.9, 3.0), True),
    "R": ("Ẑ = M (1 - log Σ)", (4.9, 1.0), False),
    "A": ("A = ReLU(ZZᵀ)\n+ γ diag(A)", (7.3, 3.0), True),
    "G": ("γ Ẑ", (7.3, 1.0), False),
    "N": ("GNN on (A, X)", (9.5, 3.0), True),
    "P": ("sum,\nenlarge", (9.5, 1.0), False),
}
_ARROWS = ("FM", "FS", "MZ", "SZ", "MR", "SR", "ZA", "RG", "AN", "NP", "GP")


def draw_module() -> Figure:
    """Draw the SCG module and the network around it, after Figures 1 and 2."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 2.4))
    draw_boxes(ax, _BOXES, _ARROWS, margins=(0.9, 1.0, 0.7, 0.7))
    return figure


def chart_curves(curves: pd.DataFrame, target: float | None = None) -> Figure:
    """Draw the loss and the validation mF1 of networks against the steps, as Figure 3 does.

    Parameters
    ----------
    curves : DataFrame
        Of :func:`~segstudy.experiments.scgnet.results.curve_table`.
    target : float, optional
        The score that counts as converged, drawn as a line.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.6))
    for index, (name, part) in enumerate(curves.groupby("network", sort=False)):
        look = {"color": CYCLE[index % len(CYCLE)], "marker": MARKERS[index % len(MARKERS)], "markersize": 4}
        left.plot(part.step, part.loss, label=str(name), **look)
        right.plot(part.step, part.mF1, **look)
        right.fill_between(part.step, part.low, part.high, color=look["color"], alpha=0.12, linewidth=0)
    if target is not None:
        right.axhline(target, color="#444444", linestyle=":", linewidth=1)
        right.text(curves.step.max(), target, " converged", va="bottom", ha="right", fontsize=8)
    left.set(xlabel="training steps", ylabel="loss")
    right.set(xlabel="training steps", ylabel="validation mF1")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def chart_differences(table: pd.DataFrame, xlabel: str) -> Figure:
    """Draw differences with their intervals, a row each, and a line at 0.

    Parameters
    ----------
    table : DataFrame
        Columns name, mean, low and high; the last two may be nan.
    xlabel : str

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 0.8 + 0.3 * len(table)))
    height = np.arange(len(table))
    spans = np.nan_to_num(np.stack([table["mean"] - table.low, table.high - table["mean"]]))
    ax.errorbar(table["mean"], height, xerr=spans, fmt="o", color=CYCLE[0], capsize=3)
    ax.axvline(0, color="#444444", linewidth=1)
    ax.set(xlabel=xlabel, yticks=height, yticklabels=table["name"])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.locator_params(axis="x", nbins=6)
    return figure


def chart_depth(table: pd.DataFrame) -> Figure:
    """Draw the test mF1 and the likeness of nodes against the number of layers.

    Parameters
    ----------
    table : DataFrame
        Columns layers, mF1, std and cosine.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.0))
    left.errorbar(table.layers, table.mF1, yerr=table["std"].fillna(0), marker="o", color=CYCLE[0], capsize=3)
    right.plot(table.layers, table.cosine, marker="s", color=CYCLE[1])
    left.set(xlabel="layers", ylabel="test mF1", xticks=table.layers)
    right.set(
        xlabel="layers",
        ylabel="mean cosine of two nodes",
        xticks=table.layers,
        ylim=(min(0, table.cosine.min()), 1.02),
    )
    return figure
