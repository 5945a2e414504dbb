"""Charts that several notebooks share: a matrix with its numbers, scores of methods with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.metrics.paired import half_width
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^v"


def show_matrix(ax: Axes, values: np.ndarray, names: Sequence[str], title: str) -> None:
    """Draw a small square matrix with its numbers in it, light on dark and dark on light.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    values : (n, n) float ndarray
        Rounded to integers in the picture.
    names : sequence of str
        Of the n rows and columns.
    title : str
        What the numbers are, with their unit.
    """
    ax.set_axis_on()
    ax.grid(False)
    ax.imshow(values, cmap="cividis")
    ax.set(xticks=range(len(names)), yticks=range(len(names)), yticklabels=names, title=title)
    ax.set_xticklabels(names, rotation=90)
    for row, column in np.ndindex(values.shape):
        dark = values[row, column] < values.max() / 2
        colour = "white" if dark else "black"
        ax.text(column, row, f"{values[row, column]:.0f}", ha="center", va="center", fontsize=7, color=colour)


def chart_scores(table: pd.DataFrame, measures: Sequence[str]) -> Figure:
    """Draw the mean scores of methods, one chart a measure, one mark a data set, with 95 % intervals of the mean.

    Parameters
    ----------
    table : DataFrame
        Columns "data", "method", "measure", "mean", "std over pictures" and "pictures"; methods are drawn in the order
        of their rows.
    measures : sequence of str
        Which charts, in rows of two.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    datasets = list(dict.fromkeys(table["data"]))
    rows = -(-len(measures) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(WIDTH, rows * (1.5 + 0.3 * len(datasets))), squeeze=False)
    for ax, measure in zip(grid.ravel(), measures, strict=False):
        part = table[table.measure == measure]
        methods = list(dict.fromkeys(part.method))
        for index, name in enumerate(datasets):
            scores = part[part["data"] == name].set_index("method").loc[methods]
            error = half_width(scores["std over pictures"], scores.pictures)
            height = np.arange(len(methods)) + (index - (len(datasets) - 1) / 2) * 0.22
            ax.errorbar(
                scores["mean"].to_numpy(float),
                height,
                xerr=np.asarray(error, float),
                fmt=MARKERS[index % len(MARKERS)],
                label=name,
            )
        limits = {"xlim": (0, 1), "ylim": (len(methods) - 0.4, -0.6)}
        ax.set(yticks=range(len(methods)), yticklabels=methods, title=measure, **limits)
    for ax in grid.ravel()[len(measures) :]:
        ax.set_axis_off()
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
