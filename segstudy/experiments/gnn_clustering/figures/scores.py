"""Charts of the scores: IoU against the epoch, the best of each combination, settings swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OBJECTIVES = ("NCUT", "CC", "DMON")
STYLES = {"GCN": ("o", "-"), "GAT": ("s", "--"), "ARMA": ("^", ":")}


def _look(method: str) -> dict:
    """Return a method's colour, by its objective, and its marker and line, by its layer."""
    objective, layer = method.split(" | ")
    marker, line = STYLES[layer.split()[0]]
    return {"color": CYCLE[OBJECTIVES.index(objective)], "marker": marker, "linestyle": line, "label": method}


def chart_epochs(curves: pd.DataFrame) -> Figure:
    """Draw IoU against the epoch, a panel for each data set, a line for each combination.

    Parameters
    ----------
    curves : DataFrame
        Columns data, method ("NCUT | GCN", ...), epoch, mean (IoU), and low and high, the 95 % interval, which may be
        nan.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    sets = list(dict.fromkeys(curves["data"]))
    figure, axes = plt.subplots(1, len(sets), figsize=(WIDTH, 4.6), sharey=True, squeeze=False)
    for ax, data in zip(axes[0], sets, strict=True):
        for method, part in curves[curves["data"] == data].groupby("method", sort=False):
            ax.plot(part.epoch, part["mean"], markersize=4, **_look(str(method)))
            ax.fill_between(part.epoch, part.low, part.high, color=_look(str(method))["color"], alpha=0.08)
        ax.set(title=data, xlabel="epoch")
    axes[0, 0].set_ylim(0, None)
    axes[0, 0].set_ylabel("IoU, foreground by the truth")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def chart_best(table: pd.DataFrame) -> Figure:
    """Draw the best IoU of each combination, ours as bars and the slides' as hollow marks.

    Parameters
    ----------
    table : DataFrame
        Columns data, method, ours, std (over seeds) and published; the last two may be nan.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    sets = list(dict.fromkeys(table["data"]))
    figure, axes = plt.subplots(1, len(sets), figsize=(WIDTH, 3.9), sharey=True, squeeze=False)
    for ax, data in zip(axes[0], sets, strict=True):
        part = table[table["data"] == data]
        height, colours = np.arange(len(part)), [_look(method)["color"] for method in part.method]
        ax.barh(height, part.ours, xerr=part["std"].fillna(0), color=colours, height=0.6, capsize=2)
        mark = {"marker": "D", "facecolors": "white", "edgecolors": "black", "zorder": 3, "s": 30}
        ax.scatter(part.published, height, label="slides (other pictures, DINO)", **mark)
        names = [method.replace(" (NO Normalization)", "\n(no normalisation)") for method in part.method]
        ax.set(title=data, xlabel="best IoU", yticks=height, yticklabels=names, xlim=(0, 0.8))
        ax.set_ylim(len(part) - 0.4, -0.6)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def chart_sweep(table: pd.DataFrame, parameter: str) -> Figure:
    """Draw IoU against a setting, a panel for each sweep, a line with its interval for each data set.

    Parameters
    ----------
    table : DataFrame
        Columns sweep, data, mean, low, high and the one that `parameter` names.
    parameter : str
        Column of the horizontal axis; values are evenly spaced, whatever they are.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    sweeps = list(dict.fromkeys(table.sweep))
    rows = -(-len(sweeps) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(WIDTH, 2.5 * rows), sharey=True, squeeze=False)
    for ax, sweep in zip(grid.ravel(), sweeps, strict=False):
        part = table[table.sweep == sweep]
        known = sorted(part[parameter].unique())
        for index, (data, line) in enumerate(part.groupby("data", sort=False)):
            place = [known.index(value) for value in line[parameter]]
            look = {"color": CYCLE[index], "marker": MARKERS[index], "label": data}
            ax.plot(place, line["mean"], **look)
            ax.fill_between(place, line.low, line.high, color=CYCLE[index], alpha=0.15)
        ax.set(title=sweep, xticks=range(len(known)), xticklabels=[f"{value:g}" for value in known])
    for ax in grid.ravel()[len(sweeps) :]:
        ax.set_axis_off()
    grid[0, 0].set_ylim(0, 1)
    for ax in grid[:, 0]:
        ax.set_ylabel("IoU")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
