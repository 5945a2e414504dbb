"""What becomes of the regions that the one-to-one matching left over (Chopin et al. 2020, Section II-B2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from segstudy.papers.graph_matching.costs import edge_costs, vertex_costs
from segstudy.papers.graph_matching.edges import require
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.matching import Matching, check_alpha
from segstudy.papers.graph_matching.model import ModelGraph

RULES = ("paper", "many_to_one_or_none")


def reassign(
    graph: RegionGraph,
    model: ModelGraph | Sequence[ModelGraph],
    matching: Matching,
    rule: str = "paper",
    alpha: float = 0.4,
    *,
    vertex: str = "euclidean",
) -> np.ndarray:
    r"""Give every region its final class.

    Rule "paper": a leftover region k joins the class of the matched region i of least

    .. math:: \alpha \lvert A(k) - A(i) \rvert + (1 - \alpha) \frac{D(i, k)}{\max_{u \in E_r} D(u)}
              \qquad \text{(Chopin et al. 2020, Eqs. 6, 7)}

    Eq. 6 prints D(j) - D(i), but D is a function of edges: the distance of the two regions is meant. The norm is that
    of K_v. Only the picture counts here, not the model.

    Rule "many_to_one_or_none", of the authors' later code: the leftover regions, largest first, are tried in every
    matched class; the matching is costed anew (Eqs. 4, 5) with the two regions merged, and the cheapest class is
    taken if the cost falls. A region that fits nowhere goes to the background when that is no vertex, else keeps the
    network's class.

    Parameters
    ----------
    graph, model : RegionGraph, ModelGraph or sequence of them
        As given to :func:`~segstudy.papers.graph_matching.matching.match`.
    matching : Matching
        Its result.
    rule : {"paper", "many_to_one_or_none"}
        See above.
    alpha, vertex
        As given to it.

    Returns
    -------
    (n,) int64 ndarray
        Class of each region. If nothing was matched, the network's classes.

    Raises
    ------
    ValueError
        An option out of range; a matching of another graph.
    """
    require("rule", rule, RULES)
    check_alpha(alpha)
    if len(matching.assignment) != graph.num_classes or matching.assignment.max(initial=-1) >= len(graph):
        raise ValueError(
            f"matching must be one of this graph ({graph.num_classes} classes, {len(graph)} regions), got "
            f"{matching.assignment}"
        )
    classes = graph.classes.copy()
    matched = np.flatnonzero(matching.assignment >= 0)
    classes[matching.assignment[matched]] = (
        matched  # another than the network's only without the third constraint
    )
    leftover = np.setdiff1d(np.arange(len(graph)), matching.assignment[matched])
    if not len(matched) or not len(leftover):
        return classes
    if rule == "paper":
        classes[leftover] = matched[_nearest(graph, matching.assignment[matched], leftover, alpha, vertex)]
        return classes
    chosen = model if isinstance(model, ModelGraph) else model[matching.model]
    groups = _Groups(graph, chosen, matching, matched, alpha, vertex)
    for k in leftover[np.argsort(-graph.sizes[leftover], kind="stable")]:
        classes[k] = groups.join(k)
    return classes


def _nearest(
    graph: RegionGraph, fixed: np.ndarray, leftover: np.ndarray, alpha: float, vertex: str
) -> np.ndarray:
    """Index into `fixed` of the region most like each leftover one."""
    unlike = vertex_costs(graph.membership[leftover, None], graph.membership[fixed], vertex)
    maxima = graph.edges.max(axis=(0, 1))
    far = edge_costs(graph.edges[np.ix_(leftover, fixed)], 0, np.where(maxima > 0, maxima, 1))
    return (alpha * unlike + (1 - alpha) * far).argmin(axis=1)  # Chopin et al. 2020, Eqs. 6 and 7


class _Groups:
    """K matched classes as leftover regions join them: sizes (K,), membership (K, C), centroids (K, 2).

    `edges` (K, K, e) holds the relations of the groups and `reach` (n, K, e) those of every region with them.
    """

    def __init__(
        self,
        graph: RegionGraph,
        model: ModelGraph,
        matching: Matching,
        matched: np.ndarray,
        alpha: float,
        vertex: str,
    ):
        self.graph, self.matching, self.matched = graph, matching, matched
        self.alpha, self.vertex = alpha, vertex
        self.one_hot, self.expected = model.membership[matched], model.edges[np.ix_(matched, matched)]
        regions = matching.assignment[matched]
        self.sizes = graph.sizes[regions]
        self.membership, self.centroids = graph.membership[regions], graph.centroids[regions]
        self.reach = graph.edges[:, regions]
        self.edges = self.reach[regions]

    def join(self, k: int) -> int:
        """Merge region k into the class where the cost falls most, if it falls; return the class of k."""
        membership, centroids, edges = self._merged(k)
        changes = self._costs(membership, edges) - self._costs(self.membership, self.edges)
        t = changes.argmin()
        if changes[t] >= 0:
            background = self.graph.background
            return self.graph.classes[k] if background is None else background
        self.sizes[t] += self.graph.sizes[k]
        self.membership[t], self.centroids[t] = membership[t], centroids[t]
        self.edges[t] = self.edges[:, t] = edges[t]
        self.reach[:, t] = self._combined(self.reach[:, t], self.graph.edges[:, k])
        return self.matched[t]

    def _merged(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Membership, centroid and relations with the others that each group would have with region k in it."""
        share = (self.graph.sizes[k] / (self.sizes + self.graph.sizes[k]))[:, None]
        membership = (1 - share) * self.membership + share * self.graph.membership[k]
        centroids = (1 - share) * self.centroids + share * self.graph.centroids[k]
        if self.graph.kind == "centroid":
            return membership, centroids, cdist(centroids, self.centroids)[:, :, None]
        return membership, centroids, self._combined(self.edges, self.reach[k])

    def _combined(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Relation of a union with a third region: the smaller of the two smallest, the larger of the largest."""
        if self.graph.kind == "centroid":
            return a  # is made anew from the centroids
        take = {"minimum": np.minimum, "maximum": np.maximum}
        return np.stack(
            [take[name](a[..., e], b[..., e]) for e, name in enumerate(self.graph.kind.split("+"))], -1
        )

    def _costs(self, membership: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """What each class pays in Eq. 4: its vertex, and twice its edges with all others."""
        terms = edge_costs(edges / self.matching.scale, self.expected, self.matching.maxima)
        np.fill_diagonal(terms, 0)
        unlike = vertex_costs(membership, self.one_hot, self.vertex)
        return self.alpha * unlike + 2 * (1 - self.alpha) * terms.sum(axis=1)
