"""Figures of notebook 06: what supervision buys, gains of graphs and refinements, pictures that divide methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.experiments.compare.pictures import TOLD
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
    ax.axvline(0, color="0.5", linewidth=1)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    ax.set(xlabel="IoU with the graph less IoU without, 95 % interval over pictures")
    return figure


def chart_supervision(table: pd.DataFrame) -> Figure:
    """Draw the best IoU of each group over the hours that its labels cost, a line for each task."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 3.6))
    for index, (task, part) in enumerate(table.groupby("task", sort=False)):
        error = part["std over seeds"].fillna(0).to_numpy(float)
        hours = part["hours of a person"].to_numpy(float)
        ax.errorbar(
            hours,
            part["IoU"],
            yerr=error,
            color=CYCLE[index],
            capsize=3,
            label=task,
            linewidth=0.8,
            linestyle=":",
        )
        for row in part.itertuples():
            ax.plot(row._5, row.IoU, MARKERS[TOLD.index(row.told)], color=CYCLE[index])
    for index, told in enumerate(TOLD):
        if (table["told"] == told).any():
            ax.plot([], [], MARKERS[index], color="0.3", label=f"told {told}")
    positive = table.loc[table["hours of a person"] > 0, "hours of a person"]
    ax.set_xscale("symlog", linthresh=float(positive.min()) / 2 if len(positive) else 1.0)
    ax.set(xlabel="hours of a person who labels (0: none)", ylabel="IoU by picture", ylim=(0, 1))
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def chart_refinements(table: pd.DataFrame) -> Figure:
    """Draw the gain of each refinement after each method; a star where its interval over pictures leaves out 0."""
    import matplotlib.pyplot as plt

    tasks = list(dict.fromkeys(table["task"]))
    methods = list(dict.fromkeys(table["method"]))
    ways = list(dict.fromkeys(table["refinement"]))
    figure, axes = plt.subplots(
        1, len(tasks), figsize=(WIDTH, 1.6 + 0.27 * len(methods)), squeeze=False, sharey=True
    )
    limit = float(np.nanmax(np.abs(table["gain in IoU"]))) or 1.0
    for ax, task in zip(axes[0], tasks, strict=True):
        part = table[table["task"] == task].set_index(["method", "refinement"])
        values = np.full((len(methods), len(ways)), np.nan)
        for (method, way), row in part.iterrows():
            place = methods.index(method), ways.index(way)
            values[place] = row["gain in IoU"]
            known = row["over pictures, from"] > 0 or row["over pictures, to"] < 0
            text = f"{100 * row['gain in IoU']:+.1f}{'*' if known else ''}"
            ax.text(place[1], place[0], text, ha="center", va="center", fontsize=6.5)
        image = ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
        ax.set(xticks=range(len(ways)), yticks=range(len(methods)), yticklabels=methods, title=task)
        ax.set_xticklabels(ways, rotation=40, ha="right")
        ax.grid(False)
    figure.colorbar(image, ax=axes[0].tolist(), label="gain in IoU", shrink=0.6)
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
