r"""Label propagation along the same graph, the alternative that the paper names (its reference 39).

Zhou, Bousquet, Lal, Weston, Schoelkopf 2004, "Learning with local and global consistency": labels Y of some nodes
spread along normalised weights,

.. math:: F^* = (1 - \alpha)\,(I - \alpha S)^{-1} Y, \qquad S = D^{-1/2} W D^{-1/2}

with W = 1 for the n-links of the graph cut and 0 elsewhere, D its row sums, Y one column for each class.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.feature_graph import adjacency, solve_columns
from segstudy.papers.dgcn.supervision import BACKGROUND, check_growth


def propagate_labels(
    cues: np.ndarray,
    probabilities: np.ndarray,
    edges: np.ndarray,
    classes: Iterable[int],
    *,
    theta: float = 0.7,
    alpha: float = 0.9,
    trust: float = 0.1,
) -> np.ndarray:
    """Grow a picture's labels by solving for F of the module's text.

    Y of a cue is 1 for its class; a node without one has `trust` times the network's probabilities, so that, as in the
    cut, neighbours and network both speak. A node is labelled with its largest share of F where that exceeds theta.

    Parameters
    ----------
    cues, probabilities, edges, classes, theta
        As for :func:`~segstudy.papers.dgcn.graph_cut.graph_cut_labels`; background is labelled as objects are.
    alpha : float
        In [0, 1): how far labels spread.
    trust : float
        Weight of a probability against a cue; 0: cues alone.

    Returns
    -------
    (H, W) uint8 ndarray
        Class ids, `VOID` where no share exceeds theta or nothing reaches the node.

    Raises
    ------
    TypeError, ValueError
        See :func:`~segstudy.papers.dgcn.supervision.check_growth`; theta or alpha out of range.
    """
    present, wanted = check_growth(cues, probabilities, classes)
    if not 0 <= theta <= 1 or not 0 <= alpha < 1 or trust < 0:
        raise ValueError(
            f"theta must be in [0, 1], alpha in [0, 1), trust 0 or more, got {theta!r}, {alpha!r}, {trust!r}"
        )
    ids = np.array([BACKGROUND, *wanted], np.uint8)
    known = np.ravel(cues) != VOID
    start = trust * present.reshape(-1, len(ids))
    start[known] = np.ravel(cues)[known, None] == ids
    system = sparse.eye_array(known.size, format="csr") - alpha * _normalised(edges, known.size)
    found = (1 - alpha) * solve_columns(system, start).clip(min=0)
    total = found.sum(axis=1)
    shares = np.divide(found, total[:, None], out=np.zeros_like(found), where=total[:, None] > 0)
    labels = np.where(shares.max(axis=1) > theta, ids[shares.argmax(axis=1)], VOID)
    return labels.reshape(np.shape(cues)).astype(np.uint8)


def _normalised(edges: np.ndarray, n: int) -> sparse.csr_array:
    """Return S; a node without an edge has a row of zeros."""
    weights = adjacency(edges, n)
    degrees = weights.sum(axis=1)
    scale = sparse.diags_array(np.where(degrees > 0, 1 / np.sqrt(np.maximum(degrees, 1)), 0.0))
    return (scale @ weights @ scale).tocsr()
