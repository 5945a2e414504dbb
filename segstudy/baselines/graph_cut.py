r"""Minimum cut from seeds: the exact optimum of a two-label energy.

Boykov & Jolly 2001, "Interactive graph cuts for optimal boundary & region segmentation of objects in N-D images"
(ICCV):

.. math:: E(A) = \lambda \sum_p R_p(A_p) + \sum_{\{p,q\}} w_{pq}\,[A_p \ne A_q]

over labellings A (0 background, 1 foreground) that keep the seeds, with :math:`R_p(1) = -\log H_p` and
:math:`R_p(0) = -\log(1 - H_p)` for a foreground probability H. The labelling of least energy is the minimum cut between
two terminals S (foreground) and T (background), whose links to pixels (t-links) cost

====================  ===========================  ===========================
pixel                 {p, S}, cut if background    {p, T}, cut if foreground
====================  ===========================  ===========================
unknown               :math:`-\lambda\log(1-H_p)`  :math:`-\lambda\log H_p`
foreground seed       K                            0
background seed       0                            K
====================  ===========================  ===========================

Feng et al. 2021 (DGCN, Table 1) print the first row the other way round: {p, S} = -log H. With their hard links that
labels a pixel of H = 0.9 as background; their own code has it as here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segstudy.errors import StudyError

# Probabilities are kept this far from 0 and 1: the price of a label is then at most 13.8, and never infinite.
FLOOR = 1e-6


class GraphCut(NamedTuple):
    """A minimum cut.

    Parameters
    ----------
    labels : ndarray of uint8
        0 background, 1 foreground, of the seeds' shape.
    energy : float
        E(labels), the capacity of the cut.
    """

    labels: np.ndarray
    energy: float


def seeded_graph_cut(
    seeds: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray | float,
    foreground: np.ndarray | None = None,
    unary_weight: float = 1.0,
    hard_link: float | None = None,
) -> GraphCut:
    """Split nodes into foreground and background at the least energy (see the module's text).

    Parameters
    ----------
    seeds : (H, W) or (n,) int ndarray
        -1 unknown, 0 background, 1 foreground.
    edges : (m, 2) int ndarray
        Neighbours as flat node ids (n-links), each undirected and listed once.
    weights : (m,) float ndarray or float
        Price of separating the two ends; 0 or more.
    foreground : ndarray of the shape of `seeds`, optional
        Probability H of foreground, 0..1. Without it only seeds and n-links count.
    unary_weight : float
        Our name for lambda.
    hard_link : float, optional
        Our name for K. By default 1 + the largest sum of n-links at one node: no cut goes against a seed. A smaller
        value (DGCN's C1 = 10) lets strong n-links overrule one.

    Returns
    -------
    GraphCut
        Labels and energy. Where several cuts cost the same the one with the smallest foreground is taken.

    Raises
    ------
    StudyError
        PyMaxflow is not installed.
    ValueError
        Seeds other than -1, 0, 1; an edge to a node that is not there, or from one to itself; a weight,
        `unary_weight` or `hard_link` that is negative or not finite; a probability outside 0..1; shapes that differ.

    Examples
    --------
    A row of four pixels, one seed at each end: the cheapest link, the middle one, is cut.

    >>> cut = seeded_graph_cut(np.array([1, -1, -1, 0]), np.array([[0, 1], [1, 2], [2, 3]]), np.array([3.0, 1.0, 2.0]))
    >>> cut.labels, cut.energy
    (array([1, 1, 0, 0], dtype=uint8), 1.0)
    """
    weights = np.broadcast_to(np.asarray(weights, dtype=np.float64), len(edges))
    _check_cut(seeds, edges, weights, foreground)
    if hard_link is None:
        ends = np.bincount(np.ravel(edges), weights=np.repeat(weights, 2), minlength=1)
        hard_link = 1.0 + ends.max()  # Boykov & Jolly 2001, the K of their table of edge weights
    for name, value in (("unary_weight", unary_weight), ("hard_link", hard_link)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} must be finite and 0 or more, got {value}")
    to_foreground, to_background = _terminal_links(seeds, foreground, unary_weight, hard_link)
    return _minimum_cut(to_foreground, to_background, edges, weights)


def _terminal_links(
    seeds: np.ndarray, foreground: np.ndarray | None, unary_weight: float, hard_link: float
) -> tuple[np.ndarray, np.ndarray]:
    """Price each node's links to S and to T by the table in the module's text."""
    probability = np.full(seeds.shape, 0.5) if foreground is None else np.clip(foreground, FLOOR, 1 - FLOOR)
    unary_weight = 0.0 if foreground is None else unary_weight
    to_foreground = np.where(seeds == 1, hard_link, -unary_weight * np.log1p(-probability) * (seeds == -1))
    to_background = np.where(seeds == 0, hard_link, -unary_weight * np.log(probability) * (seeds == -1))
    return to_foreground, to_background


def _minimum_cut(
    to_foreground: np.ndarray, to_background: np.ndarray, edges: np.ndarray, weights: np.ndarray
) -> GraphCut:
    """Cut with PyMaxflow (Boykov & Kolmogorov 2004)."""
    try:
        import maxflow
    except ImportError as error:
        raise StudyError("graph cuts need PyMaxflow (licence: GPL): pip install PyMaxflow") from error
    graph = maxflow.GraphFloat(to_foreground.size, len(edges))
    nodes = graph.add_grid_nodes(to_foreground.shape)
    # Background is the library's source: a node that no flow reaches ends on the source's side, and ties should not
    # grow the foreground.
    graph.add_grid_tedges(nodes, to_background, to_foreground)
    ends = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    graph.add_edges(*(np.ascontiguousarray(end) for end in ends.T), weights, weights)
    energy = float(graph.maxflow())
    return GraphCut(graph.get_grid_segments(nodes).astype(np.uint8), energy)


def _check_cut(
    seeds: np.ndarray, edges: np.ndarray, weights: np.ndarray, foreground: np.ndarray | None
) -> None:
    if not np.isin(seeds, (-1, 0, 1)).all():
        raise ValueError(f"seeds must be -1 (unknown), 0 or 1, got {np.unique(seeds)}")
    if len(edges) and not (np.min(edges) >= 0 and np.max(edges) < seeds.size):
        raise ValueError(
            f"edges must join nodes 0 to {seeds.size - 1}, got ids {np.min(edges)} to {np.max(edges)}"
        )
    if len(edges) and (edges[:, 0] == edges[:, 1]).any():
        raise ValueError("edges must join two different nodes, got a node joined to itself: drop such edges")
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"weights must be finite and 0 or more, got {weights.min()} to {weights.max()}")
    if foreground is None:
        return
    if foreground.shape != seeds.shape:
        raise ValueError(f"foreground must have the shape of seeds, {seeds.shape}, got {foreground.shape}")
    if not ((foreground >= 0) & (foreground <= 1)).all():
        raise ValueError(
            f"foreground must be probabilities in 0..1, got {foreground.min()} to {foreground.max()}"
        )
