"""Rows of pictures, and the boxes-and-arrows diagram of a method."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches, the width of every figure
GRAPH, PLAIN = "#E69F00", "#DDE6EE"


def panels(
    pictures: Sequence[np.ndarray | None], titles: Sequence[str], columns: int = 4
) -> tuple[Figure, list[Axes]]:
    """Draw pictures side by side, each under its title.

    Parameters
    ----------
    pictures : sequence of (H, W), (H, W, 3) ndarray or None
        None leaves a panel empty, to be drawn into.
    titles : sequence of str
        One for each picture.
    columns : int
        Panels in a row, at most.

    Returns
    -------
    figure : matplotlib Figure
    axes : list of Axes
        One for each picture, in order.

    Raises
    ------
    ValueError
        If there are not as many titles as pictures.
    """
    import matplotlib.pyplot as plt

    if len(pictures) != len(titles) or not titles:
        raise ValueError(f"pictures and titles must be equally many, got {len(pictures)} and {len(titles)}")
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    aspects = [1.0 if p is None else p.shape[0] / p.shape[1] for p in pictures]
    shown = [a for a, p in zip(aspects, pictures, strict=True) if p is not None] or [1.0]
    tallest = [max(aspects[i : i + columns], default=1.0) for i in range(0, len(aspects), columns)]
    tallest = [min(height, max(shown)) for height in tallest]  # an empty panel makes no row taller
    lines = [
        max(t.count("\n") + bool(t) for t in titles[i : i + columns]) for i in range(0, len(titles), columns)
    ]
    heights = [WIDTH / columns * t + 0.25 * n for t, n in zip(tallest, lines, strict=True)]
    size = {"figsize": (WIDTH, sum(heights)), "gridspec_kw": {"height_ratios": heights}}
    figure, grid = plt.subplots(rows, columns, squeeze=False, **size)
    for ax in grid.ravel():
        ax.set_axis_off()
    axes = list(grid.ravel())[: len(titles)]
    for ax, picture, title in zip(axes, pictures, titles, strict=True):
        ax.set_title(title, y=1.0)  # where it would be without ticks, which are not drawn: no search for it
        if picture is not None:
            ax.imshow(picture)
    return figure, axes


def draw_pipelines(rows: Sequence[tuple[str, Sequence[str], Collection[int]]]) -> Figure:
    """Draw methods as rows of boxes from image to labels; the boxes where a graph stands are filled.

    Parameters
    ----------
    rows : sequence of (str, sequence of str, collection of int)
        A method's name, its steps, and which of them (from 0) work on a graph.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    longest = max(len(steps) for _, steps, _ in rows)
    figure, ax = plt.subplots(figsize=(WIDTH, 1.15 * len(rows)))
    for row, (name, steps, graph) in enumerate(rows):
        ax.text(0, row - 0.42, name, fontsize=11, fontweight="bold", va="bottom")
        for column, step in enumerate(steps):
            box = {"boxstyle": "round,pad=0.35", "fc": GRAPH if column in graph else PLAIN, "ec": "#444444"}
            at = (column + 0.5) * longest / len(steps)
            ax.text(at, row, step, ha="center", va="center", fontsize=9, bbox=box, zorder=2)
        ax.plot([0.1, longest - 0.1], [row, row], color="#444444", linewidth=1.2, zorder=1)
        ax.plot(longest - 0.08, row, marker=">", color="#444444", markersize=6)
    ax.set(xlim=(0, longest), ylim=(len(rows) - 0.5, -0.75))
    ax.set_axis_off()
    return figure
