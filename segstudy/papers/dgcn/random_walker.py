r"""A random walker along the graph of features: soft labels in the place of the cut's hard ones.

From a node without a cue a walker steps to each neighbour alike, or is taken, with a chance that grows with gamma, by
the network's belief in the node; :math:`x_c` is the probability that it ends at class c (Grady 2005, "Multilabel random
walker image segmentation using prior models"):

.. math:: (L + \gamma I)\, x_c = \gamma H^c \quad \text{at nodes without a cue}, \qquad x_c \in \{0, 1\} \text{ at cues}

with L the Laplacian of the n-links. The minimum cut minimises the same differences along edges by their number, the
walker by their squares, so that it also says how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.feature_graph import adjacency, solve_columns
from segstudy.papers.dgcn.supervision import BACKGROUND, check_growth

GAMMA = 1.0  # a belief weighs as much as one edge, as with C0 = 1 in the cut


def walker_probabilities(
    cues: np.ndarray,
    probabilities: np.ndarray,
    edges: np.ndarray,
    classes: Iterable[int],
    *,
    gamma: float = GAMMA,
) -> np.ndarray:
    """Return how likely a walker from each node ends at the background and at each object of the picture.

    Parameters
    ----------
    cues, probabilities, edges, classes
        As for :func:`~segstudy.papers.dgcn.graph_cut.graph_cut_labels`.
    gamma : float
        Above 0: price of a belief against that of an edge.

    Returns
    -------
    (H, W, 1 + P) float ndarray
        Rows sum to 1; the order is that of `classes`, sorted, after the background.

    Raises
    ------
    TypeError, ValueError
        See :func:`~segstudy.papers.dgcn.supervision.check_growth`; gamma is not above 0.
    """
    present, wanted = check_growth(cues, probabilities, classes)
    if not gamma > 0:
        raise ValueError(f"gamma must be above 0, got {gamma!r}")
    ids = np.array([BACKGROUND, *wanted])
    flat = np.ravel(cues)
    known, free = np.flatnonzero(flat != VOID), np.flatnonzero(flat == VOID)
    found = (flat[:, None] == ids).astype(float)
    if len(free):
        weights = adjacency(edges, flat.size)[free]
        system = sparse.diags_array(weights.sum(axis=1) + gamma) - weights[:, free]
        given = gamma * present.reshape(-1, len(ids))[free] + weights[:, known] @ found[known]
        found[free] = solve_columns(system.tocsr(), given)
    return found.reshape(*np.shape(cues), len(ids))


def walker_labels(
    cues: np.ndarray,
    probabilities: np.ndarray,
    edges: np.ndarray,
    classes: Iterable[int],
    *,
    theta: float = 0.7,
    gamma: float = GAMMA,
) -> np.ndarray:
    """Label a node with its likeliest class where a walker ends there with more than theta.

    Parameters
    ----------
    cues, probabilities, edges, classes, gamma
        As for :func:`walker_probabilities`.
    theta : float
        In [0, 1].

    Returns
    -------
    (H, W) uint8 ndarray
        Class ids, `VOID` where none is likely enough.

    Raises
    ------
    TypeError, ValueError
        See :func:`walker_probabilities`; theta outside [0, 1].
    """
    if not 0 <= theta <= 1:
        raise ValueError(f"theta must be in [0, 1], got {theta!r}")
    classes = sorted(set(classes))
    shares = walker_probabilities(cues, probabilities, edges, classes, gamma=gamma)
    ids = np.array([BACKGROUND, *classes])
    return np.where(shares.max(axis=2) > theta, ids[shares.argmax(axis=2)], VOID).astype(np.uint8)
