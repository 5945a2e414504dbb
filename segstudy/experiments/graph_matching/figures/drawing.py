"""What the method's pictures share: places of vertices, boxes around changes, one legend for all.

A vertex stands at the innermost pixel of its region: the centre of gravity of a ring, as hair is, lies outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, label, maximum_position
from scipy.spatial.distance import cdist
from skimage.segmentation import find_boundaries

from segstudy import plots
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW = {"handlelength": 1.0, "columnspacing": 1.2}


def innermost(ids: np.ndarray, wanted: Sequence[int] | np.ndarray) -> np.ndarray:
    """Find the pixel of each region that is farthest from any other region and from the border of the picture.

    Parameters
    ----------
    ids : (H, W) int ndarray
        Region, or class, of every pixel.
    wanted : sequence of int
        Ids that occur.

    Returns
    -------
    (len(wanted), 2) int64 ndarray
        Row and column.
    """
    framed = np.pad(np.asarray(ids, dtype=np.int64), 1, constant_values=-2)
    depth = distance_transform_edt(~find_boundaries(framed, connectivity=2, mode="thick"))[1:-1, 1:-1]
    return np.array(maximum_position(depth, ids, wanted), dtype=np.int64).reshape(-1, 2)


def near_pairs(places: np.ndarray, count: int) -> np.ndarray:
    """Pair every place with its `count` nearest: (m, 2) indices, each pair once. Complete graphs are hard to read."""
    nearest = cdist(places, places).argsort(axis=1)[:, 1 : count + 1]
    pairs = [tuple(sorted((i, int(j)))) for i, row in enumerate(nearest) for j in row]
    return np.array(sorted(set(pairs)), dtype=np.int64).reshape(-1, 2)


def share_legend(figure: Figure, classes: Sequence[str], colours: np.ndarray) -> None:
    """Put one legend of all classes under a figure, which grows by its height."""
    columns = fitting_columns(classes, WIDTH)
    handles = squares(figure.axes[0], classes, colours)
    figure.set_figheight(figure.get_figheight() + 0.25 * -(-len(classes) // columns) + 0.1)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **NARROW)
    # titles find their height when first drawn, too late for that drawing's layout: those on top would be cut
    figure.draw_without_rendering()


def squares(ax: Axes, names: Sequence[str], colours: np.ndarray) -> list:
    """Make the squares of `plots.legend`, for a legend laid out otherwise."""
    legend = plots.legend(ax, names, colours)
    legend.remove()
    return legend.legend_handles


def fitting_columns(names: Sequence[str], width: float) -> int:
    """Count the legend's columns that fit in so many inches; at 11 points a letter is 6 wide, a square with gaps 36."""
    return min(len(names), max(1, int(72 * width / (6 * max(map(len, names)) + 36))))


def draw_vertices(ax: Axes, ids: np.ndarray, wanted: np.ndarray, colours: np.ndarray) -> None:
    """Draw a graph's vertices at their regions, each joined with its two nearest."""
    places = innermost(ids, wanted)
    plots.draw_graph(ax, places, near_pairs(places, 2), colours=colours, node_size=40)


def show_panel(ax: Axes, picture: np.ndarray, title: str) -> None:
    """Show a picture without axes under a title."""
    ax.imshow(picture)
    ax.set_title(title)
    ax.set_axis_off()


def faint(labels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Paint a label map pale, so that a graph stands out on it."""
    white = np.full((*labels.shape, 3), 255, dtype=np.uint8)
    return plots.overlay(white, labels, colours, alpha=0.25, boundaries=False)


def box_changes(ax: Axes, before: np.ndarray, after: np.ndarray) -> None:
    """Surround every connected area that changed, white on black so that it shows on any ground."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    areas, _ = label(before != after, structure=np.ones((3, 3)))
    end = np.array(areas.shape)
    for area in find_objects(areas):
        low = np.maximum([side.start - 2 for side in area], 0)
        high = np.minimum([side.stop + 2 for side in area], end)
        height, width = high - low
        box = Rectangle(low[::-1] - 0.5, width, height, fill=False, ec="white", linewidth=1.3, clip_on=False)
        box.set_path_effects([Stroke(linewidth=2.6, foreground="black"), Normal()])
        ax.add_patch(box)


def check_sizes(first: np.ndarray, /, **others: np.ndarray) -> None:
    """Refuse arrays that have not the height and width of the first: a ValueError names the argument."""
    for name, other in others.items():
        if other.shape[:2] != first.shape[:2]:
            raise ValueError(
                f"{name} {other.shape[:2]} must have the picture's height and width, {first.shape[:2]}"
            )
