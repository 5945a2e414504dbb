r"""Exact search for the best one-to-one matching.

Classes are decided in turn, fewest candidates first. A node is a partial assignment of the first t classes; let
g(i) be the unary cost of a candidate i plus its costs with the regions assigned so far. No completion of the node costs
less than

.. math:: B = \text{cost so far} + \sum_{c \ge t} \min_{i \in R^*_c} \Big( g(i) +
          \tfrac12 \sum_{d \ge t,\, d \ne c} \min_{j \in R^*_d} w(i, j) \Big).

Proof. A completion that chooses x_c for the open classes adds the sum over c of g(x_c), and the sum over pairs of open
classes of w(x_c, x_d). Give half of each w(x_c, x_d) to either class: the addition is the sum over c of
g(x_c) + 1/2 sum over d of w(x_c, x_d). In it w(x_c, x_d) >= min_j w(x_c, j) over the candidates j of d, and then the
bracket at x_c >= its minimum over the candidates of c. So a node whose B reaches the best cost known cannot hold a
better matching. When no class is open B is the cost itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segstudy.papers.graph_matching.costs import Problem

# A matching better than the best known by less than this is not searched for: costs are sums of some hundred
# roundings.
TOLERANCE = 1e-10
# Children are made for so many nodes at a time that their costs fill some 16 MB.
BLOCK = 2_000_000


class Solution(NamedTuple):
    """The candidate of every class, (K,), its cost, whether it is proven optimal, and the nodes opened."""

    choice: np.ndarray
    cost: float
    optimal: bool
    nodes: int


@dataclass(frozen=True)
class Ordered:
    """A problem with its candidates sorted by class, in the order in which classes are decided.

    `starts` (K + 1,) delimits the classes, `candidate` (m,) leads back, `future` (K + 1, m) holds, at t, half of the
    least cost that a candidate can have with the classes from t on.
    """

    unary: np.ndarray
    pairwise: np.ndarray
    starts: np.ndarray
    candidate: np.ndarray
    future: np.ndarray

    @classmethod
    def of(cls, problem: Problem) -> Ordered:
        """Sort a problem, fewest candidates first."""
        counts = np.bincount(problem.owner)
        candidate = np.lexsort((problem.owner, counts[problem.owner]))
        owner = problem.owner[candidate]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1, [len(owner)]])
        pairwise = problem.pairwise[np.ix_(candidate, candidate)]
        # pairs within a class cost nothing, so a class adds nothing to its own future
        least = np.minimum.reduceat(pairwise, starts[:-1], axis=1) / 2
        future = np.zeros((len(starts), len(owner)))
        future[:-1] = np.cumsum(least[:, ::-1], axis=1)[:, ::-1].T
        return cls(problem.unary[candidate], pairwise, starts, candidate, future)

    def of_class(self, t: int) -> slice:
        """Return the candidates of the t-th class."""
        return slice(self.starts[t], self.starts[t + 1])


class Nodes(NamedTuple):
    """Partial assignments of the first t classes: choices (b, t), costs (b,), and g (b, m) of all candidates."""

    choices: np.ndarray
    costs: np.ndarray
    reach: np.ndarray

    def part(self, index: slice | np.ndarray) -> Nodes:
        """Keep some of the nodes."""
        return Nodes(self.choices[index], self.costs[index], self.reach[index])


def branch_and_bound(problem: Problem, node_limit: int = 1_000_000) -> Solution:
    """Find the cheapest choice of one candidate per class.

    Depth first, many nodes of one depth at a time, the most promising of them first; starts from a local search.

    Parameters
    ----------
    problem : Problem
        m candidates of K classes, no class without one.
    node_limit : int
        Nodes that may be opened (have their children made).

    Returns
    -------
    Solution
        `optimal` is False when the limit ended the search: the best found is then returned.
    """
    if not len(problem.owner):
        return Solution(np.zeros(0, dtype=np.int64), 0.0, True, 0)
    ordered = Ordered.of(problem)
    best, best_cost = local_search(ordered)
    stack, opened = [Nodes(np.zeros((1, 0), dtype=np.int64), np.zeros(1), ordered.unary[None])], 0
    while stack and opened < node_limit:
        nodes = stack.pop()
        # the best known may have improved since the nodes were put aside
        promising = lower_bounds(ordered, nodes) < best_cost - TOLERANCE
        nodes = nodes.part(promising).part(slice(node_limit - opened))
        if not len(nodes.costs):
            continue
        opened += len(nodes.costs)
        children = _children(ordered, nodes, best_cost)
        if children.choices.shape[1] < len(ordered.starts) - 1:
            stack.extend(_blocks(ordered, children))
        elif len(children.costs):
            best, best_cost = children.choices[0], float(children.costs[0])
    choice = np.sort(ordered.candidate[best])
    return Solution(choice, problem.cost(choice), opened < node_limit, opened)


def lower_bounds(ordered: Ordered, nodes: Nodes) -> np.ndarray:
    """Bound the cost of all completions of each node from below: B of the module, (b,)."""
    t = nodes.choices.shape[1]
    if t == len(ordered.starts) - 1:
        return nodes.costs
    first = ordered.starts[t]
    optimistic = nodes.reach[:, first:] + ordered.future[t, first:]
    return nodes.costs + np.minimum.reduceat(optimistic, ordered.starts[t:-1] - first, axis=1).sum(axis=1)


def local_search(ordered: Ordered, sweeps: int = 10) -> tuple[np.ndarray, float]:
    """Improve one class at a time, from a start around every candidate; the best choice (K,) and its cost."""
    classes = range(len(ordered.starts) - 1)
    around = ordered.unary + ordered.pairwise
    choices = np.stack(
        [ordered.starts[t] + around[:, ordered.of_class(t)].argmin(axis=1) for t in classes], axis=1
    )
    for _ in range(sweeps):
        before = choices.copy()
        for t in classes:
            own, others = ordered.of_class(t), np.delete(choices, t, axis=1)
            reach = ordered.unary[own] + ordered.pairwise[others, own].sum(axis=1)
            choices[:, t] = ordered.starts[t] + reach.argmin(axis=1)
        if np.array_equal(before, choices):
            break
    pairs = ordered.pairwise[choices[:, :, None], choices[:, None, :]].sum(axis=(1, 2)) / 2
    costs = ordered.unary[choices].sum(axis=1) + pairs
    return choices[costs.argmin()], float(costs.min())


def _children(ordered: Ordered, nodes: Nodes, best_cost: float) -> Nodes:
    """Assign the next class in every way, and keep what can still beat the best known, most promising first."""
    t = nodes.choices.shape[1]
    parent, added = np.divmod(np.arange(len(nodes.costs) * _count(ordered, t)), _count(ordered, t))
    added += ordered.starts[t]
    children = Nodes(
        np.column_stack([nodes.choices[parent], added]),
        nodes.costs[parent] + nodes.reach[parent, added],
        nodes.reach[parent] + ordered.pairwise[added],
    )
    bounds = lower_bounds(ordered, children)
    promising = np.argsort(bounds, kind="stable")
    return children.part(promising[: np.searchsorted(bounds[promising], best_cost - TOLERANCE)])


def _blocks(ordered: Ordered, nodes: Nodes) -> list[Nodes]:
    """Split nodes into blocks whose children fit in memory, the most promising block last: it is taken first."""
    t, m = nodes.choices.shape[1], len(ordered.unary)
    size = max(1, BLOCK // (m * _count(ordered, t)))
    return [nodes.part(slice(at, at + size)) for at in range(0, len(nodes.costs), size)][::-1]


def _count(ordered: Ordered, t: int) -> int:
    return int(ordered.starts[t + 1] - ordered.starts[t])
