"""Boxes and arrows: what becomes of a picture on its way through a method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from segstudy.plots.panels import GRAPH, PLAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = "#444444"
Box = tuple[str, tuple[float, float], bool]


def draw_boxes(
    ax: Axes,
    boxes: Mapping[str, Box],
    arrows: Iterable[str],
    back: str | None = None,
    margins: tuple[float, float, float, float] = (0.9, 0.9, 0.7, 0.7),
) -> None:
    """Draw boxes and the arrows between them on an axes without a frame.

    Parameters
    ----------
    ax : Axes
    boxes : mapping of str to (str, (float, float), bool)
        By a letter: text, centre, and whether it belongs to a graph, which has a colour of its own.
    arrows : iterable of str
        Pairs of letters, "AB" from A to B.
    back : str, optional
        The pair of a dashed arrow that runs back below the others.
    margins : (float, float, float, float)
        Left, right, below and above the outermost centres.
    """
    drawn = {}
    for key, (text, (x, y), graph) in boxes.items():
        look = {"boxstyle": "round,pad=0.35", "facecolor": GRAPH if graph else PLAIN, "edgecolor": LINE}
        drawn[key] = ax.text(x, y, text, ha="center", va="center", fontsize=8, bbox=look, zorder=3)
    for start, end in (*arrows, *([back] if back else [])):
        look = {"arrowstyle": "->", "shrinkA": 1, "shrinkB": 2, "color": LINE}
        look |= {"patchA": drawn[start].get_bbox_patch(), "patchB": drawn[end].get_bbox_patch()}
        if start + end == back:
            look |= {"connectionstyle": "arc3,rad=-0.45", "linestyle": "--"}
        ax.annotate("", boxes[end][1], boxes[start][1], arrowprops=look)
    left, right, below, above = margins
    places = [place for _, place, _ in boxes.values()]
    ax.set_xlim(min(x for x, _ in places) - left, max(x for x, _ in places) + right)
    ax.set_ylim(min(y for _, y in places) - below, max(y for _, y in places) + above)
    ax.set_axis_off()
    ax.figure.canvas.draw()  # the boxes get their sizes, to which the arrows are cut
