"""The regions of one picture, and what the matching made of several: Figures 3 and 5 of Chopin et al. 2020."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from segstudy import plots
from segstudy.experiments.graph_matching.figures.drawing import (
    NARROW,
    box_changes,
    check_sizes,
    fitting_columns,
    innermost,
    share_legend,
    show_panel,
    squares,
)
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_KEYS = ("image", "truth", "before", "after", "title")
COLUMNS = ("picture", "annotation", "U-Net", "U-Net + GM")


def draw_regions(
    ax: Axes, image: np.ndarray | None, graph: RegionGraph, classes: Sequence[str], colours: np.ndarray
) -> None:
    """Draw the regions R1, R2, ... and name the candidates R*_c of each class below them (Figure 3 of the paper).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    image : (H, W, 3) uint8 ndarray or None
        Lies below the regions' colours.
    graph : RegionGraph
        Gr.
    classes : sequence of str
        C names.
    colours : (C, 3) uint8 ndarray
        RGB of each class.

    Raises
    ------
    ValueError
        If the image has another size than the graph's map.
    """
    labels = graph.paint(graph.classes)
    if image is None:
        show_panel(ax, plots.colourise(labels, colours), "")
    else:
        check_sizes(image, graph=labels)
        show_panel(ax, plots.overlay(image, labels, colours), "")
    _number_regions(ax, graph, labels.size / 250)
    present = np.unique(graph.classes)
    names = [_candidates(graph, c, classes[c]) for c in present]
    # before it is laid out an axes takes four fifths of its place
    columns = fitting_columns(names, 1.25 * ax.get_position(original=True).width * ax.figure.get_figwidth())
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": columns}
    handles = squares(ax, names, colours[present])
    ax.legend(handles=handles, title="candidates $R^*_c$ of each class", **place, **NARROW)


def _number_regions(ax: Axes, graph: RegionGraph, small: float) -> None:
    """Write each region's name on it or, where it has fewer pixels than `small` and would be covered, beside it."""
    places = innermost(graph.map, np.arange(len(graph)))
    apart = cdist(places, places)
    np.fill_diagonal(apart, np.inf)
    height, width = graph.map.shape
    plate = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "#282828", "linewidth": 0.6}
    line = {"arrowstyle": "-", "color": "white", "linewidth": 1.2}
    for i, (row, column) in enumerate(places):
        beside = graph.sizes[i] < small
        # away from the next region, but not out of the picture
        away = places[i] - places[apart[i].argmin()] if len(graph) > 1 else np.zeros(2)
        right = column < 0.1 * width or (away[1] >= 0 and column < 0.9 * width)
        up = row > 0.9 * height or (away[0] <= 0 and row > 0.1 * height)
        ax.annotate(
            f"R{i + 1}",
            (column, row),
            xytext=(14 if right else -14, 10 if up else -10) if beside else (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=10,
            bbox=plate,
            arrowprops=line if beside else None,
        )


def draw_changes(rows: Sequence[Mapping], classes: Sequence[str], colours: np.ndarray) -> Figure:
    """Draw what the matching changed, a row a picture, with boxes around each changed area (Figure 5 of the paper).

    Parameters
    ----------
    rows : sequence of mapping
        "image" (H, W, 3) uint8; "truth", "before" (U-Net) and "after" (U-Net + GM), (H, W) int; "title" str.
    classes : sequence of str
        C names.
    colours : (C, 3) uint8 ndarray
        RGB of each class.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no row, one lacks a key, or sizes differ within one.
    """
    _check_rows(rows)
    import matplotlib.pyplot as plt

    tall = [WIDTH / 4 * row["image"].shape[0] / row["image"].shape[1] for row in rows]
    heights = [h for height in tall for h in (0.3, height + 0.05)]
    heights[1] += 0.25  # the columns' names
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(len(heights), 4, height_ratios=heights)
    for number, row in enumerate(rows):
        line = figure.add_subplot(grid[2 * number, :])
        line.set_axis_off()
        line.text(0, 0, row["title"], fontweight="bold", va="bottom")
        shown = [row["image"], *(plots.overlay(row["image"], row[key], colours) for key in ROW_KEYS[1:4])]
        for column, (picture, name) in enumerate(zip(shown, COLUMNS, strict=True)):
            ax = figure.add_subplot(grid[2 * number + 1, column])
            show_panel(ax, picture, "" if number else name)
            if column > 1:
                box_changes(ax, row["before"], row["after"])
    share_legend(figure, classes, colours)
    return figure


def _candidates(graph: RegionGraph, c: int, name: str) -> str:
    """Write R*_c as text; of more than four regions three, and how many there are."""
    found = [f"R{i + 1}" for i in np.flatnonzero(graph.classes == c)]
    shown = found if len(found) <= 4 else [*found[:3], f"... ({len(found)})"]
    return f"{name}: {', '.join(shown)}"


def _check_rows(rows: Sequence[Mapping]) -> None:
    if not rows:
        raise ValueError("rows must hold at least one picture, got none")
    for number, row in enumerate(rows):
        missing = [key for key in ROW_KEYS if key not in row]
        if missing:
            raise ValueError(f"rows[{number}] lacks {', '.join(missing)}; it has {', '.join(map(str, row))}")
        check_sizes(row["image"], **{key: row[key] for key in ROW_KEYS[1:4]})
