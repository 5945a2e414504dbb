r"""What a matching costs: the terms of Chopin et al. 2020, Eqs. 4 and 5, and the readings taken of them.

.. math::

    X^* = \arg\min_X \operatorname{vec}(X)^T K \operatorname{vec}(X), \qquad
    K = \alpha K_v + (1 - \alpha) \frac{K_e}{\max K_e} \qquad \text{(Eqs. 4, 5)}

- K has a row for every pair (region i, class a). K_v is diagonal, the distance of the membership vector of i from the
  model's, which is 1 for a and 0 elsewhere. The paper says that it lies in [0, 1]; it reaches sqrt(2).
- K_e[(i,a), (j,b)] is the absolute difference of D(i, j) and the model's D(a, b), for i != j and a != b, else 0.
- max K_e runs over the whole matrix: all pairs of regions against all pairs of classes, whether or not the third
  constraint admits them. With two attributes to an edge, each is divided by its own maximum, and K_e is their mean.
- K is symmetric, so the quadratic form counts every edge twice. So does ours.

The third constraint makes region i a candidate of one class only, the one the network gave it. Therefore the terms that
a matching can meet fit in an (n, n) matrix, and K, of (n C)^2 entries, is only built to look at
(:func:`dense_affinity`). Without that constraint (candidates="all") every region is a candidate of every class, and
what the first one forbids, a region with two classes, is made dearer than any matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segstudy.papers.graph_matching.edges import require
from segstudy.papers.graph_matching.graph import RegionGraph, check_memory
from segstudy.papers.graph_matching.model import ModelGraph

VERTEX_TERMS = ("euclidean", "squared")
CANDIDATES = ("network", "all")
# K is a picture to look at: 4,000,000 entries are 32 MB.
MOST_DENSE_ROWS = 2000


class Affinity(NamedTuple):
    """K of Eq. 5 and its parts, (n C, n C) each; row i + a n stands for region i as class a (Fig. 4's vec(X))."""

    total: np.ndarray
    vertex: np.ndarray
    edge: np.ndarray


@dataclass(frozen=True)
class Problem:
    """Choose one candidate of every class, at the least cost: what Eq. 4 becomes under its constraints.

    Parameters
    ----------
    owner : (m,) int64 ndarray
        Class of each candidate, ascending.
    region : (m,) int64 ndarray
        Region of each candidate; -1 for a candidate that leaves its class empty.
    unary : (m,) float64 ndarray
        Cost of a candidate.
    pairwise : (m, m) float64 ndarray
        Cost of two candidates together, both orders counted, 0 or more; symmetric, 0 within a class. Two candidates of
        one region cost more than any matching without such a pair.
    surcharge : float
        What `unary` holds beyond the cost of leaving a class empty, so that none is while a region is free.
    """

    owner: np.ndarray
    region: np.ndarray
    unary: np.ndarray
    pairwise: np.ndarray
    surcharge: float = 0.0

    @property
    def clashes(self) -> np.ndarray:
        """(m, m) bool: two candidates of one class or of one region, which no matching has together."""
        same_region = (self.region[:, None] == self.region) & (self.region >= 0)
        return same_region | (self.owner[:, None] == self.owner)

    def cost(self, choice: np.ndarray) -> float:
        """Cost of a matching, given the candidate of every class, (K,); without the surcharge."""
        empty = np.count_nonzero(self.region[choice] < 0)
        pairs = self.pairwise[np.ix_(choice, choice)].sum() / 2
        return float(self.unary[choice].sum() + pairs - self.surcharge * empty)


def vertex_costs(membership: np.ndarray, model_membership: np.ndarray, vertex: str) -> np.ndarray:
    """Compare membership vectors (..., C): Euclidean norm, or mean square as in the authors' later code."""
    require("vertex", vertex, VERTEX_TERMS)
    square = (membership - model_membership) ** 2
    return np.sqrt(square.sum(axis=-1)) if vertex == "euclidean" else square.mean(axis=-1)


def edge_costs(attributes: np.ndarray, model_attributes: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """Compare edge attributes (..., e): mean of |difference| / maximum; a relation unknown to the model is free."""
    return np.nan_to_num(np.abs(attributes - model_attributes) / maxima).mean(axis=-1)


def edge_maxima(graph: RegionGraph, models: Sequence[ModelGraph], scales: Sequence[float]) -> np.ndarray:
    """Find max K_e of Eq. 5, for each attribute, over all pairs of regions and of classes (and all models): (e,).

    1 where no pair differs, for then nothing is to be normalised.
    """
    regions_apart = graph.edges[~np.eye(len(graph), dtype=bool)]
    maxima = np.zeros(graph.edges.shape[2])
    for model, scale in zip(models, scales, strict=True):
        classes_apart = model.edges[~np.eye(model.num_classes, dtype=bool)]
        classes_apart = classes_apart[~np.isnan(classes_apart).any(axis=1)]
        if len(regions_apart) and len(classes_apart):
            # the largest |x - y| lies between the ends of the two ranges: no need for all pairs
            x, y = regions_apart / scale, classes_apart
            ends = [x.max(axis=0) - y.min(axis=0), y.max(axis=0) - x.min(axis=0)]
            maxima = np.maximum(maxima, np.max(ends, axis=0))
    return np.where(maxima > 0, maxima, 1)


def missing_classes(graph: RegionGraph, model: ModelGraph, candidates: str) -> np.ndarray:
    """Return the classes to which the network gave no region; with candidates="all" only if regions are too few."""
    if candidates == "all" and len(graph) >= len(model.vertices):
        return np.zeros(0, dtype=np.int64)
    return np.setdiff1d(model.vertices, graph.classes)


def build_problem(
    graph: RegionGraph,
    model: ModelGraph,
    alpha: float,
    vertex: str,
    maxima: np.ndarray,
    scale: float,
    empty_cost: float,
    occlusion: bool,
    candidates: str = "network",
) -> Problem:
    """Write down the costs of all candidates; a class without one, or under occlusion every class, may stay empty.

    With candidates="all" any class may, where the regions are fewer than the classes; unless under occlusion an empty
    class then bears a surcharge, so that no more stay empty than must.
    """
    owner, region = graph.classes, np.arange(len(graph))
    if candidates == "all":
        check_memory(len(graph) * len(model.vertices), "pairs of a region and a class")
        owner, region = np.repeat(model.vertices, len(graph)), np.tile(region, len(model.vertices))
    expected = model.edges[np.ix_(owner, owner)]
    found = graph.edges[np.ix_(region, region)]
    # Eq. 5, first term
    unary = alpha * vertex_costs(graph.membership[region], model.membership[owner], vertex)
    # Eq. 5, second term; twice, because Eq. 4 meets the edge in both orders
    pairwise = 2 * (1 - alpha) * edge_costs(found / scale, expected, maxima)
    pairwise[owner[:, None] == owner] = 0
    missing = missing_classes(graph, model, candidates)
    short = candidates == "all" and len(missing) > 0
    empty = model.vertices if occlusion or short else missing
    owner = np.concatenate([owner, empty])
    order = np.argsort(owner, kind="stable")
    region = np.concatenate([region, np.full(len(empty), -1)])
    unary = np.concatenate([unary, np.full(len(empty), empty_cost)])
    pairwise = np.pad(pairwise, (0, len(empty)))
    problem = Problem(owner[order], region[order], unary[order], pairwise[np.ix_(order, order)])
    return problem if candidates == "network" else _excluded(problem, short and not occlusion)


def _excluded(problem: Problem, fill: bool) -> Problem:
    """Price a region with two classes and, if regions have to `fill` the classes, each empty class."""
    classes = len(np.unique(problem.owner))
    dearest_pair = problem.pairwise.max(initial=0)
    most = 1 + classes * problem.unary.max(initial=0) + classes * (classes - 1) / 2 * dearest_pair
    surcharge = most if fill else 0.0  # one more empty class is dearer than all that it can save
    # dearer than a matching that leaves every class empty
    pairwise = np.where(problem.clashes, (classes + 1) * most, problem.pairwise)
    pairwise[problem.owner[:, None] == problem.owner] = 0
    unary = problem.unary + surcharge * (problem.region < 0)
    return Problem(problem.owner, problem.region, unary, pairwise, surcharge)


def dense_affinity(
    graph: RegionGraph,
    model: ModelGraph,
    alpha: float = 0.4,
    vertex: str = "euclidean",
    normaliser: str = "maximum",
) -> Affinity:
    """Build the paper's K for a small graph, to look at and to check by hand (Chopin et al. 2020, Eq. 5, Fig. 4).

    Parameters
    ----------
    graph, model : RegionGraph, ModelGraph
        n regions, C classes.
    alpha : float in [0, 1]
        Weight of the vertices.
    vertex : {"euclidean", "squared"}
        As in :func:`~segstudy.papers.graph_matching.matching.match`.
    normaliser : {"maximum", "none"}
        As there.

    Returns
    -------
    Affinity
        `total`, `vertex` (K_v) and `edge` (K_e, before its division by the maximum unless an edge has two
        attributes).

    Raises
    ------
    ValueError
        More than 2000 rows; the matcher needs none of them.
    """
    n, num_classes = len(graph), model.num_classes
    if n * num_classes > MOST_DENSE_ROWS:
        raise ValueError(
            f"graph is too large for K: {n} regions x {num_classes} classes; match() does not need K"
        )
    region, klass = np.tile(np.arange(n), num_classes), np.repeat(np.arange(num_classes), n)
    k_v = np.diag(vertex_costs(graph.membership[region], model.membership[klass], vertex))
    apart = (region[:, None] != region) & (klass[:, None] != klass)
    found, expected = graph.edges[np.ix_(region, region)], model.edges[np.ix_(klass, klass)]
    maxima = edge_maxima(graph, [model], [1.0]) if normaliser == "maximum" else np.ones(found.shape[2])
    normalised = np.where(apart, edge_costs(found, expected, maxima), 0)
    k_e = normalised * maxima[0] if len(maxima) == 1 else normalised
    return Affinity(alpha * k_v + (1 - alpha) * normalised, k_v, k_e)
