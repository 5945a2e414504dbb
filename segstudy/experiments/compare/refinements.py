"""What may follow any method: its probabilities, a picture, and what makes labels of both."""

from __future__ import annotations

import numpy as np

from segstudy.papers.graph_matching.cleaning import clean_labels
from segstudy.papers.graph_matching.matcher import GraphMatcher
from segstudy.postprocess import bilateral_solver, dense_crf

PLAIN, CRF, SOLVER, CUT = "as it is", "dense CRF", "bilateral solver", "graph cut"
LARGEST, MATCHED = "largest regions", "graph matching"
ANY = (PLAIN, CRF, SOLVER, CUT)  # of classes and of clusters
OF_CLASSES = (LARGEST, MATCHED)
POTTS = 1.0  # price of two neighbours with different labels, against one unit of -log probability
LEAST = 1e-6  # probability below which a label costs no more


def refine(
    name: str, probabilities: np.ndarray, image: np.ndarray, matcher: GraphMatcher | None
) -> np.ndarray:
    """Return the labels that a refinement makes of a method's probabilities.

    Parameters
    ----------
    name : str
        Of `ANY` or `OF_CLASSES`.
    probabilities : (H, W, C) float ndarray
    image : (H, W, 3) uint8 ndarray
    matcher : GraphMatcher, optional
        Fitted, for graph matching.

    Returns
    -------
    (H, W) int64 ndarray
    """
    if name == CRF:
        return dense_crf(probabilities, image).argmax(axis=2)
    if name == SOLVER:
        planes = [bilateral_solver(image, np.ascontiguousarray(p)) for p in np.moveaxis(probabilities, 2, 0)]
        return np.stack(planes, axis=2).argmax(axis=2)
    if name == CUT:
        return potts_labels(probabilities)
    labels = probabilities.argmax(axis=2)
    if name == MATCHED:
        # Speckle goes first, as it does from the annotations: each piece would be a node of the search.
        graph = matcher.graph(probabilities, clean_labels(labels))
        return graph.paint(matcher.correct(graph)[1])
    return clean_labels(labels, fraction=1.0) if name == LARGEST else labels


def potts_labels(probabilities: np.ndarray, weight: float = POTTS) -> np.ndarray:
    r"""Return the labels that alpha-expansion finds on the pixel grid (Boykov, Veksler & Zabih 2001).

    .. math:: \sum_i -\log p_i(l_i) + w \sum_{ij} [l_i \ne l_j]

    over 4-neighbours ij; for two labels this is the minimum cut, and exact.

    Parameters
    ----------
    probabilities : (H, W, C) float ndarray
    weight : float
        w.
    """
    from maxflow.fastmin import aexpansion_grid

    unary = -np.log(np.maximum(probabilities, LEAST)).astype(float)
    pairs = weight * (1 - np.eye(probabilities.shape[2]))
    return aexpansion_grid(unary, pairs).astype(np.int64)
