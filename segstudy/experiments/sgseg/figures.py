"""The figures of notebook 02: the framework, what a reading order sees, pictures beside their maps, and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudy.papers.sgseg.autoregressive import ORDERS, order_mask, order_padding
from segstudy.plots import CYCLE, colourise, panels
from segstudy.plots.charts import MARKERS
from segstudy.plots.diagrams import draw_boxes
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Boxes of Figure 2: text, centre, whether it belongs to the graph.
_BOXES = {
    "I": ("picture I", (0.8, 1.0), False),
    "S": ("SPNN: P, N\nsuperpixels", (2.7, 2.6), False),
    "F": ("features of\nsuperpixels\n(Eq. 3)", (4.7, 2.6), True),
    "G": ("k-nn graph,\nL blocks\n(Eq. 5)", (6.5, 2.6), True),
    "M": ("projected\nM~ (Eq. 6)", (8.2, 2.6), False),
    "C": ("CNN in two\norders", (8.2, 1.0), False),
    "L": ("- mutual\ninformation", (10.1, 1.0), False),
}
_ARROWS = ("IS", "SF", "FG", "GM", "MC", "IC", "CL")


def draw_framework() -> Figure:
    """Draw SGSeg's three networks and what goes from one to the next, after Figure 2."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 2.4))
    draw_boxes(ax, _BOXES, _ARROWS, margins=(0.8, 0.9, 0.6, 0.8))
    return figure


def draw_orders() -> Figure:
    """Draw which pixels a layer sees around the current one, in each of the eight reading orders."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, axes = plt.subplots(2, ORDERS // 2, figsize=(WIDTH, 3.8))
    for order, ax in enumerate(axes.ravel()):
        left, _, above, _ = order_padding(order)
        for row, column in np.argwhere(order_mask(order) > 0):
            ax.add_patch(
                Rectangle((column - left - 0.5, row - above - 0.5), 1, 1, color=CYCLE[0], alpha=0.45)
            )
        ax.add_patch(Rectangle((-0.5, -0.5), 1, 1, fill=False, linewidth=2))
        ax.set(
            xlim=(-2.6, 2.6), ylim=(2.6, -2.6), xticks=[], yticks=[], aspect="equal", title=f"order {order}"
        )
    return figure


def draw_maps(
    images: Sequence[np.ndarray],
    superpixels: Sequence[np.ndarray],
    columns: Mapping[str, Sequence[np.ndarray]],
    classes: Sequence[str],
    colours: np.ndarray,
) -> Figure:
    """Draw pictures with their superpixels, and label maps beside them, as Figure 1: a row for each picture.

    Parameters
    ----------
    images : sequence of (S, S, 3) uint8 ndarray
    superpixels : sequence of (S, S) int ndarray
        May be empty.
    columns : mapping of str to sequence of (S, S) int ndarray
        Labels by title; void and clusters without a class, -1, stay white.
    classes : sequence of str
    colours : (C, 3) uint8 ndarray

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Patch

    drawn, titles = [], []
    for row, image in enumerate(images):
        drawn.append(image)
        names = ["picture", *(["superpixels"] if len(superpixels) else []), *columns]
        if len(superpixels):
            drawn.append(mark(image, superpixels[row]))
        drawn += [colourise(found[row], colours) for found in columns.values()]
        titles += names if row == 0 else [""] * len(names)
    figure, _ = panels(drawn, titles, columns=len(names))
    keys = [
        Patch(facecolor=colour / 255, edgecolor="black", linewidth=0.5, label=name)
        for name, colour in zip(classes, np.asarray(colours, float), strict=True)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=6)
    return figure


def mark(image: np.ndarray, superpixels: np.ndarray) -> np.ndarray:
    """Return a (S, S, 3) uint8 picture with the borders of its superpixels in yellow."""
    from skimage.segmentation import find_boundaries

    return np.where(find_boundaries(superpixels, mode="inner")[..., None], np.uint8([255, 204, 0]), image)


def draw_features(images: Sequence[np.ndarray], columns: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Draw pictures beside projected superpixel features as colours, as Figure 3: a row for each picture.

    Parameters
    ----------
    images : sequence of (S, S, 3) uint8 ndarray
    columns : mapping of str to sequence of (S, S, 3) uint8 ndarray
        Three principal components, by title.

    Returns
    -------
    matplotlib Figure
    """
    drawn, titles = [], []
    for row, image in enumerate(images):
        drawn += [image, *(found[row] for found in columns.values())]
        titles += ["picture", *columns] if row == 0 else [""] * (1 + len(columns))
    return panels(drawn, titles, columns=1 + len(columns))[0]


def chart_methods(table: pd.DataFrame, base: float) -> Figure:
    """Draw the accuracy of methods with their spread over seeds, and of labelling all pixels as the largest class.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.sgseg.results.method_table`.
    base : float
        Share of the largest class.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 0.9 + 0.32 * len(table)))
    places = np.arange(len(table))
    error = table["std over seeds"].fillna(0)
    ax.errorbar(table["accuracy"], places, xerr=error, fmt="o", color=CYCLE[0], capsize=3)
    ax.axvline(base, color="#444444", linestyle=":", linewidth=1)
    ax.text(base, -0.45, " one cluster for all", fontsize=8, va="top")
    ax.set(xlabel="pixel accuracy", yticks=places, yticklabels=table["method"])
    ax.set_ylim(len(table) - 0.5, -0.5)
    return figure


def chart_losses(losses: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw the mean loss of the whole network by epoch: a line for each method, thin lines single seeds.

    Parameters
    ----------
    losses : mapping of str to sequence of sequence of float
        By method, seed by seed.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 3.0))
    for index, (name, runs) in enumerate(losses.items()):
        colour = CYCLE[index % len(CYCLE)]
        epochs = np.arange(1, len(runs[0]) + 1)
        for run in runs:
            ax.plot(epochs, run, color=colour, alpha=0.35, linewidth=0.8)
        look = {"marker": MARKERS[index % len(MARKERS)], "markersize": 4, "label": name}
        ax.plot(epochs, np.mean(runs, axis=0), color=colour, **look)
    ax.set(xlabel="epoch", ylabel="loss")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def chart_memory(memory: Mapping[str, Sequence[Mapping[str, Any]]], limit: float) -> Figure:
    """Draw a training step's peak memory against the number of superpixels and the pictures' side.

    Parameters
    ----------
    memory : mapping
        What :func:`~segstudy.experiments.sgseg.memory.measure_memory` returns.
    limit : float
        Bytes, drawn as a line.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharey=True)
    axis_of = {"numbers": ("superpixels", "superpixels N"), "sides": ("side", "side of the pictures, pixels")}
    for ax, (part, (key, label)) in zip(axes, axis_of.items(), strict=True):
        ways = dict.fromkeys((row["precision"], row["checkpointed"]) for row in memory[part])
        for index, way in enumerate(ways):
            rows = [row for row in memory[part] if (row["precision"], row["checkpointed"]) == way]
            name = f"{way[0]}, checkpoints" if way[1] else way[0]
            look = {
                "color": CYCLE[index % len(CYCLE)],
                "marker": MARKERS[index % len(MARKERS)],
                "markersize": 4,
            }
            ax.plot([row[key] for row in rows], [row["peak"] / 1e9 for row in rows], label=name, **look)
        ax.axhline(limit / 1e9, color="#444444", linestyle=":", linewidth=1)
        ax.set(xlabel=label, yscale="log")
    axes[0].set_ylabel("peak memory, GB")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
