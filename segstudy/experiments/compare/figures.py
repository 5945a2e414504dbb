"""Figures of notebook 06: what supervision buys, gains of graphs and refinements, pictures that divide methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.experiments.compare.pictures import NOTHING, TOLD
from segstudy.experiments.compare.results import word
from segstudy.plots import CYCLE, colourise
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def chart_graphs(table: pd.DataFrame) -> Figure:
    """Draw what each graph adds on each task, with its 95 % interval over pictures."""
    import matplotlib.pyplot as plt

    rows = [f"{row.graph}\n({row.task})" for row in table.itertuples()]
    figure, ax = plt.subplots(figsize=(WIDTH, 0.9 + 0.42 * len(rows)))
    for place, (_, row) in enumerate(table.iterrows()):
        low, high = row["over pictures, from"], row["over pictures, to"]
        kind = ("helps", "no difference seen", "harms").index(word(low, high))
        span = np.nan_to_num([[row["gain in IoU"] - low], [high - row["gain in IoU"]]])
        ax.errorbar(row["gain in IoU"], place, xerr=span, fmt=MARKERS[kind], color=CYCLE[kind], capsize=3)
    for kind, name in enumerate(("helps", "no difference seen", "harms")):
        ax.plot([], [], MARKERS[kind], color=CYCLE[kind], label=name)
    ax.axvline(0, color="0.5", linewidth=1)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="IoU with the graph less IoU without, 95 % interval over pictures")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def chart_supervision(table: pd.DataFrame) -> Figure:
    """Draw the best IoU of each group over the hours that its labels cost, a line for each task.

    What is told nothing stands apart, hollow: its clusters are named by the truth.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 3.8))
    for colour, (task, part) in zip(CYCLE, table.groupby("task", sort=False), strict=False):
        taught = part[part["told"] != NOTHING].sort_values("hours of a person")
        ax.plot(taught["hours of a person"], taught["IoU"], ":", color=colour, linewidth=0.8)
        ax.plot([], [], "s", color=colour, label=task)
        for _, row in part.iterrows():
            style = {"fmt": MARKERS[TOLD.index(row["told"])], "color": colour, "capsize": 3}
            style["markerfacecolor"] = "none" if row["told"] == NOTHING else colour
            error = np.nan_to_num(row["std over seeds"])
            ax.errorbar(row["hours of a person"], row["IoU"], yerr=error, **style)
    for marker, told in zip(MARKERS, TOLD, strict=False):
        if (table["told"] == told).any():
            name, face = (f"{told}, named by the truth", "none") if told == NOTHING else (told, "0.3")
            ax.plot([], [], marker, color="0.3", markerfacecolor=face, label=f"told {name}")
    positive = table.loc[table["hours of a person"] > 0, "hours of a person"]
    ax.set_xscale("symlog", linthresh=float(positive.min()) / 2 if len(positive) else 1.0)
    ax.set(xlabel="hours of a person who labels (0: none)", ylabel="IoU by picture", ylim=(0, 1))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def chart_refinements(table: pd.DataFrame) -> Figure:
    """Draw the gain of each refinement after each method; a star where its interval over pictures leaves out 0."""
    import matplotlib.pyplot as plt

    tasks = table.groupby("task", sort=False)
    methods = {task: list(dict.fromkeys(part["method"])) for task, part in tasks}
    heights = [1.4 + 0.24 * len(names) for names in methods.values()]
    figure, axes = plt.subplots(
        len(heights), figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False
    )
    limit = float(np.nanmax(np.abs(table["gain in IoU"]))) or 1.0
    for ax, (task, rows) in zip(axes[:, 0], tasks, strict=True):
        part, names = rows.set_index(["method", "refinement"]), methods[task]
        ways = list(dict.fromkeys(rows["refinement"]))
        values = np.full((len(names), len(ways)), np.nan)
        for (method, way), row in part.iterrows():
            place = names.index(method), ways.index(way)
            values[place] = row["gain in IoU"]
            known = row["over pictures, from"] > 0 or row["over pictures, to"] < 0
            text = f"{100 * row['gain in IoU']:+.1f}{'*' if known else ''}"
            shade = "white" if abs(row["gain in IoU"]) > 0.6 * limit else "black"
            ax.text(place[1], place[0], text, ha="center", va="center", fontsize=6.5, color=shade)
        image = ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
        ax.set(xticks=range(len(ways)), yticks=range(len(names)), yticklabels=names, title=task)
        ax.set_xticklabels([way.replace(" ", "\n") for way in ways])
        ax.grid(False)
    figure.colorbar(image, ax=axes[:, 0].tolist(), label="gain in IoU", shrink=0.6)
    return figure


def draw_gallery(
    image: np.ndarray,
    truth: np.ndarray,
    maps: dict[str, np.ndarray],
    ious: dict[str, float],
    colours: np.ndarray,
    columns: int = 5,
) -> Figure:
    """Draw a picture, its truth, and what methods make of it, each with its IoU."""
    pictures: Sequence[np.ndarray] = [image, colourise(truth, colours)]
    pictures = [*pictures, *(colourise(labels, colours) for labels in maps.values())]
    titles = ["picture", "truth", *(f"{name}\nIoU {ious[name]:.2f}" for name in maps)]
    figure, axes = panels(pictures, titles, columns)
    for ax in axes:
        ax.title.set_fontsize(7)
    return figure
