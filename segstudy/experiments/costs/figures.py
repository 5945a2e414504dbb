"""Charts of costs: growth on logarithmic axes, exponents beside predictions, programs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudy.experiments.costs.results import MEBIBYTE
from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP = 0.13  # of a panel's height between two names
LINES = ("-", "--")
AMOUNTS = {"pictures": "pixels", "graphs": "nodes"}


def chart_growth(values: Mapping[str, Any], groups: Mapping[str, Sequence[str]], reference: str) -> Figure:
    """Draw times by that of one method at the smallest size, a panel a group, each line named at its end.

    Parameters
    ----------
    values : mapping
        Of :func:`~segstudy.experiments.costs.growth.time_methods`.
    groups : mapping of str to sequence of str
        The methods of each panel, by its title.
    reference : str
        Whose median time at the smallest size, on the CPU, is 1.
    """
    base = np.median(next(row["seconds"][:, 0] for row in values["rows"] if row["method"] == reference))
    curves = {}
    for row in values["rows"]:
        name = row["method"] + (", GPU" if row["device"] != "cpu" else "")
        curves[name] = (
            row["method"],
            row["amounts"],
            np.percentile(row["seconds"] / base, (25, 50, 75), axis=0),
        )
    title = f"times {reference}'s\nat the smallest size"
    return _panels(curves, groups, AMOUNTS[values["sweep"]], title)


def chart_memory(values: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> Figure:
    """Draw the MiB that a call adds at its peak, likewise; what adds none at a size is left out there."""
    curves = {}
    for row in values["rows"]:
        name = row["method"] + (", GPU" if row["device"] != "cpu" else "")
        found = np.asarray(row["bytes"], float) / MEBIBYTE
        spread = np.percentile(np.where(found > 0, found, np.nan), (25, 50, 75), axis=0)
        curves[name] = row["method"], row["amounts"], spread
    return _panels(curves, groups, AMOUNTS[values["sweep"]], "MiB")


def _panels(curves: Mapping[str, Any], groups: Mapping[str, Sequence[str]], across: str, up: str) -> Figure:
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(
        len(groups), 1, figsize=(WIDTH, 2.5 * len(groups)), squeeze=False, sharey=True
    )
    for ax, (title, methods) in zip(grid[:, 0], groups.items(), strict=True):
        ax.set(xscale="log", yscale="log", title=title, ylabel=up)
        for name, (method, amounts, (low, middle, high)) in _of(curves, methods).items():
            look = {
                "color": _colour(method, methods),
                "marker": MARKERS[methods.index(method) % len(MARKERS)],
            }
            ax.plot(amounts, middle, linestyle=LINES[name != method], markersize=5, **look)
            ax.fill_between(amounts, low, high, color=look["color"], alpha=0.15, linewidth=0)
        ticks = sorted({amount for _, amounts, _ in _of(curves, methods).values() for amount in amounts})
        ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=30, ha="right")
        ax.minorticks_off()
    grid[-1, 0].set_xlabel(across)
    figure.canvas.draw()  # the limits, which the panels share, are final only now
    for ax, methods in zip(grid[:, 0], groups.values(), strict=True):
        _name(
            ax,
            [
                (amounts[-1], float(middle[np.isfinite(middle)][-1]), name, _colour(method, methods))
                for name, (method, amounts, (_, middle, _)) in _of(curves, methods).items()
            ],
        )
    return figure


def _colour(method: str, methods: Sequence[str]) -> str:
    return CYCLE[methods.index(method) % len(CYCLE)]


def _of(curves: Mapping[str, Any], methods: Sequence[str]) -> dict[str, Any]:
    """Return the curves of some methods, of those that have a number."""
    return {
        name: curve
        for name, curve in curves.items()
        if curve[0] in methods and np.isfinite(curve[2][1]).any()
    }


def _name(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name to the right of the panel, at the height of its end, apart from the next."""
    to_axes = ax.transData + ax.transAxes.inverted()
    places = sorted((*to_axes.transform((x, y)), name, colour) for x, y, name, colour in ends)
    places.sort(key=lambda place: place[1])
    heights: list[float] = []
    for _, height, _, _ in places:
        heights.append(max(height, heights[-1] + GAP if heights else 0.0))
    surplus = max(0.0, heights[-1] - 1.0) if heights else 0.0
    for index in range(len(heights) - 1, -1, -1):  # pushed back from the top
        ceiling = 1.0 if index == len(heights) - 1 else heights[index + 1] - GAP
        heights[index] = min(heights[index], ceiling) if surplus else heights[index]
    for (x, y, name, colour), height in zip(places, heights, strict=True):
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.8}
        ax.annotate(
            name, (x, y), (1.06, height), "axes fraction", "axes fraction", color=colour, fontsize=11, va="center",
            arrowprops=line, annotation_clip=False,
        )  # fmt: skip


def chart_exponents(table: pd.DataFrame, across: str) -> Figure:
    """Draw fitted exponents with their intervals, the last step's as a cross, the predictions as hollow squares.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.costs.results.growth_table`.
    across : str
        In what the exponent is: "pixels" or "nodes".
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 1.4 + 0.3 * len(table)))
    heights = np.arange(len(table))
    spread = [table.exponent - table.low, table.high - table.exponent]
    spread = np.maximum(np.nan_to_num(np.array(spread, float)), 0)
    look = {"fmt": "o", "color": CYCLE[0], "markersize": 6, "capsize": 3}
    ax.errorbar(table.exponent, heights, xerr=spread, label="fitted, 95 % over rounds", **look)
    ax.scatter(
        table["last step"], heights, marker="x", color=CYCLE[1], label="between the two largest", zorder=3
    )
    hollow = {"facecolors": "none", "edgecolors": "black", "marker": "s", "s": 90}
    ax.scatter(table.predicted, heights, label="predicted", **hollow)
    names = [
        name + (", GPU" if where != "cpu" else "")
        for name, where in zip(table.method, table.device, strict=True)
    ]
    ax.set(
        yticks=heights,
        yticklabels=names,
        ylim=(len(table) - 0.4, -0.6),
        xlabel=f"exponent of time in {across}",
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def chart_carried(exponents: Mapping[str, float], factor: float) -> Figure:
    """Draw the time of graphs of up to `factor` times the nodes, carried on from their exponents, by that of one."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 3.0))
    for index, (name, power) in enumerate(exponents.items()):
        ax.plot([1, factor], [1, factor**power], color=CYCLE[index], marker=MARKERS[index])
        ends = {"color": CYCLE[index], "va": "center", "annotation_clip": False}
        ax.annotate(
            f"{name}: {factor**power:.3g}", (1.04, 0.8 - 0.3 * index), xycoords="axes fraction", **ends
        )
    ax.set(xscale="log", yscale="log", xlabel="times the nodes", ylabel="times the time")
    return figure


def chart_rivals(table: pd.DataFrame) -> Figure:
    """Draw our time by the other program's, with quartiles; what was not measured says why.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.costs.results.rival_table`.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 1.3 + 0.42 * len(table)))
    heights, middle = np.arange(len(table)), table["ours over theirs"]
    spread = [middle - table["lower quartile"], table["upper quartile"] - middle]
    ax.errorbar(middle, heights, xerr=np.array(spread), fmt="o", color=CYCLE[0], capsize=3)
    for height, value, answers in zip(heights, middle, table.answers, strict=True):
        words = f"{value:.3g}" if np.isfinite(value) else answers
        ax.text(1.02, height, words, transform=ax.get_yaxis_transform(), va="center", fontsize=11)
    ax.axvline(1, color="black", linewidth=1)
    ax.set(xscale="log", xlabel="our time over theirs", yticks=heights, ylim=(len(table) - 0.5, -0.5))
    ax.set_yticklabels(
        f"{name}\n{theirs}" for name, theirs in zip(table.comparison, table.theirs, strict=True)
    )
    ax.tick_params(axis="y", labelsize=9)
    return figure
