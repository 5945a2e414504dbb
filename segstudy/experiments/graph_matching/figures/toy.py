"""Figure 4 of Chopin et al. 2020 for a toy: two graphs, and the matrices in which their differences stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.papers.graph_matching.costs import Affinity
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.model import ModelGraph
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What the paper's text works out: region 2 as class a, and with it region 3 as class b (counted from 0).
FIRST, SECOND = (1, 0), (2, 1)
# Twelve rows, as in the paper, are the most whose numbers can be read.
MOST_ROWS = 12
MARK = "#D55E00"


def draw_toy(
    graph: RegionGraph, model: ModelGraph, K: Affinity, names: tuple[Sequence[str], Sequence[str]]
) -> Figure:
    """Draw Gr, Gm, and their matrices K_v and K_e with their numbers; the cells that the paper explains are framed.

    Parameters
    ----------
    graph, model : RegionGraph, ModelGraph
        n regions, 3 or more, and C classes, 2 or more; n C is at most 12.
    K : Affinity
        Of both, from :func:`~segstudy.papers.graph_matching.costs.dense_affinity`.
    names : (sequence of str, sequence of str)
        Of the regions, and of the classes: ``("1234", "abc")`` makes the rows 1a, 2a, ...

    Returns
    -------
    matplotlib Figure
        Framed are K_v of region 2 as class a, and K_e of 2a together with 3b; their edges are drawn in the same
        colour. Cells that are 0 because of what they are (the same region or class twice; off the diagonal of K_v)
        are empty.

    Raises
    ------
    ValueError
        If the graphs are too small or too large, or K or the names belong to others.
    """
    n, num_classes = len(graph), model.num_classes
    _check_toy(n, num_classes, K, names)
    import matplotlib.pyplot as plt

    rows = [region + klass for klass in names[1] for region in names[0]]
    columns = 2 if len(rows) <= 8 else 1
    heights = [2.6] + ([3.6] if columns == 2 else [0.3 * len(rows) + 0.6] * 2)
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    pair = zip(FIRST, SECOND, strict=True)  # the regions, and the classes, of the edge that is explained
    parts = (graph, "$G_r$: regions"), (model, "$G_m$: classes")
    for column, ((part, title), marked) in enumerate(zip(parts, pair, strict=True)):
        _draw_ring(figure.add_subplot(grid[0, column]), part.edges[:, :, 0], names[column], marked, title)
    region, klass = np.tile(np.arange(n), num_classes), np.repeat(np.arange(num_classes), n)
    apart = (region[:, None] != region) & (klass[:, None] != klass)
    first, second = FIRST[0] + n * FIRST[1], SECOND[0] + n * SECOND[1]
    places = (grid[1, 0], grid[1, 1]) if columns == 2 else (grid[1, :], grid[2, :])
    shown = figure.add_subplot(places[0]), figure.add_subplot(places[1])
    diagonal, title = np.eye(len(rows), dtype=bool), "$K_v$: vertices differ by"
    _draw_matrix(shown[0], K.vertex, diagonal, rows, (first, first), title)
    _draw_matrix(shown[1], K.edge, apart, rows, (second, first), "$K_e$: distances differ by, in pixels")
    return figure


def _draw_ring(
    ax: Axes, distances: np.ndarray, names: Sequence[str], marked: tuple[int, int], title: str
) -> None:
    """Draw a complete graph with its vertices on a circle, the distances on its edges, one edge marked."""
    start = np.pi if len(names) == 2 else -np.pi / 2  # two lie side by side, of more the first is on top
    angle = 2 * np.pi * np.arange(len(names)) / len(names) + start
    places = np.stack([np.sin(angle), 1.6 * np.cos(angle)], axis=1)
    pairs = np.argwhere(np.triu(np.ones_like(distances), 1))
    plots.draw_graph(ax, places, pairs, colours=np.tile([[255, 255, 255]], (len(names), 1)), node_size=500)
    line = places[list(marked)]
    ax.plot(line[:, 1], line[:, 0], color=MARK, linewidth=3, zorder=2)
    for (row, column), name in zip(places, names, strict=True):
        ax.plot(column, row, "o", markersize=22, mfc="white", mec="#282828", zorder=3)
        ax.text(column, row, name, ha="center", va="center", fontweight="bold", zorder=4)
    for a, b in pairs:
        # two diagonals cross in the middle: theirs stand nearer to one end
        along = 0.5 if b - a in (1, len(names) - 1) else 0.3
        row, column = (1 - along) * places[a] + along * places[b]
        style = {"color": MARK, "fontweight": "bold"} if (a, b) == marked else {}
        plate = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"}
        ax.text(
            column, row, f"{distances[a, b]:.3g}", ha="center", va="center", bbox=plate, zorder=4, **style
        )
    ax.set(title=title, xlim=(-1.9, 1.9), ylim=(1.25, -1.25))


def _draw_matrix(
    ax: Axes,
    values: np.ndarray,
    filled: np.ndarray,
    names: Sequence[str],
    framed: tuple[int, int],
    title: str,
) -> None:
    """Draw a matrix with numbers where it is filled, and a frame around one cell (row, column)."""
    from matplotlib.patches import Rectangle

    ax.grid(False)
    ax.imshow(np.ma.array(values, mask=~filled), aspect="auto")
    ax.set(xticks=range(len(names)), yticks=range(len(names)), xticklabels=names, yticklabels=names)
    ax.set_title(title)
    middle = (values[filled].min() + values[filled].max()) / 2
    for row, column in np.argwhere(filled):
        colour = "white" if values[row, column] < middle else "black"
        number = f"{np.round(values[row, column], 2):.3g}"
        ax.text(column, row, number, ha="center", va="center", fontsize=11, color=colour)
    row, column = framed
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, ec=MARK, linewidth=3.5, zorder=3))


def _check_toy(n: int, num_classes: int, K: Affinity, names: tuple[Sequence[str], Sequence[str]]) -> None:
    if n < 3 or num_classes < 2 or n * num_classes > MOST_ROWS:
        raise ValueError(
            f"graph and model must have 3 regions and 2 classes at least, and {MOST_ROWS} pairs of them at most, got "
            f"{n} regions and {num_classes} classes"
        )
    if K.total.shape[0] != n * num_classes:
        raise ValueError(
            f"K must have {n * num_classes} rows, got {K.total.shape[0]}: make it of these two graphs"
        )
    if (len(names[0]), len(names[1])) != (n, num_classes):
        raise ValueError(
            f"names must hold {n} regions' and {num_classes} classes', got {len(names[0])} and {len(names[1])}"
        )
