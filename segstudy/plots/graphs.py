"""Pictures of graphs that live in an image: regions, superpixels or patches at their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_THINNEST, _THICKEST = 0.6, 4.0  # points; a weight of 0 stays visible


def draw_graph(
    ax: Axes,
    positions: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray | None = None,
    colours: np.ndarray | None = None,
    node_size: float = 60,
) -> None:
    """Draw a graph into `ax`, which may already show the image it belongs to.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw. Rows run downwards, as in an image; without an image the axes are switched off.
    positions : (n, 2) float ndarray
        Row and column of each vertex, in pixels.
    edges : (m, 2) int ndarray
        Pairs of vertices.
    weights : (m,) float ndarray, optional
        The larger, the thicker the edge; widths run linearly from the smallest to the largest weight.
    colours : (n, 3) uint8 ndarray, optional
        RGB of each vertex.
    node_size : float
        Area of a vertex's disc in points squared; 60 suits some twenty vertices, 6 some hundreds. Edges are
        thinner where discs are smaller.

    Raises
    ------
    ValueError
        If the shapes do not fit or an edge names a vertex that does not exist.
    """
    from matplotlib.collections import LineCollection

    positions, edges = np.asarray(positions, dtype=float), np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    _check_graph(positions, edges, weights)
    places = positions[:, ::-1]  # (x, y) from (row, column)
    ax.add_collection(
        LineCollection(
            places[edges], linewidths=_widths(weights) * (node_size / 60) ** 0.25, colors="#282828", zorder=2
        )
    )
    faces = "#E69F00" if colours is None else np.asarray(colours) / 255
    ax.scatter(
        places[:, 0],
        places[:, 1],
        s=node_size,
        c=faces,
        edgecolors="white",
        linewidths=node_size**0.5 / 6.5,
        zorder=3,
    )
    if not ax.images:
        ax.set_axis_off()
        ax.set_aspect("equal")
        ax.margins(0.1)
        if not ax.yaxis_inverted():
            ax.invert_yaxis()


def _widths(weights: np.ndarray | None) -> np.ndarray | float:
    if weights is None or len(weights) == 0:
        return 1.5
    weights = np.asarray(weights, dtype=float)
    span = np.ptp(weights)
    # All edges alike: the middle, for there is nothing to compare.
    share = (weights - weights.min()) / span if span > 0 else np.full(len(weights), 0.5)
    return _THINNEST + (_THICKEST - _THINNEST) * share


def _check_graph(positions: np.ndarray, edges: np.ndarray, weights: np.ndarray | None) -> None:
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(f"positions must be (n, 2) rows and columns, got shape {positions.shape}")
    if edges.size and not 0 <= edges.min() <= edges.max() < len(positions):
        raise ValueError(
            f"edges join vertices {edges.min()} to {edges.max()}, but there are {len(positions)} vertices"
        )
    if weights is not None and len(weights) != len(edges):
        raise ValueError(
            f"weights must hold one value for each of the {len(edges)} edges, got {len(weights)}"
        )
