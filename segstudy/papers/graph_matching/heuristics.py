"""Other ways to solve the matching: the exhaustive search, which is the oracle, and scipy's two heuristics."""

from __future__ import annotations

import numpy as np
from scipy.optimize import quadratic_assignment

from segstudy.papers.graph_matching.branch_and_bound import Solution
from segstudy.papers.graph_matching.costs import Problem

# Combinations costed at a time: 9 classes fill 7 MB.
CHUNK = 100_000


def exhaustive_search(problem: Problem, node_limit: int = 1_000_000) -> Solution:
    """Try every choice of one candidate per class, as the authors' code does.

    Parameters
    ----------
    problem : Problem
        K classes.
    node_limit : int
        Combinations that may be tried; a million take less than a second.

    Returns
    -------
    Solution
        Optimal; `nodes` is the number of combinations.

    Raises
    ------
    ValueError
        More combinations than `node_limit`.
    """
    candidates = [np.flatnonzero(problem.owner == c) for c in np.unique(problem.owner)]
    counts = [len(c) for c in candidates]
    total = int(np.prod(counts, dtype=object))
    if total > node_limit:
        raise ValueError(
            f"the exhaustive search would try {total} combinations, more than node_limit = {node_limit}: "
            "use solver='branch_and_bound', which finds the same"
        )
    best, best_cost = np.zeros(0, dtype=np.int64), np.inf
    for first in range(0, total, CHUNK) if counts else ():
        picks = np.unravel_index(np.arange(first, min(first + CHUNK, total)), counts)
        choices = np.stack([c[pick] for c, pick in zip(candidates, picks, strict=True)], axis=1)
        costs = _costs(problem, choices)
        if costs.min() < best_cost:
            best, best_cost = choices[costs.argmin()], costs.min()
    return Solution(best, problem.cost(best), True, total)


def relaxed_search(problem: Problem, method: str, seed: int = 0) -> Solution:
    r"""Ask `scipy.optimize.quadratic_assignment`, which promises no optimum.

    It minimises :math:`\operatorname{tr}(A^T P B P^T)`, a product of two graphs' weights, whereas Eq. 5 has the
    difference of their distances. Exact translation: A holds the costs of the m candidates, those of Eq. 5 between
    classes, the unary ones on the diagonal and, between candidates of one class, more than any matching costs; B is
    1 among its first K vertices and 0 elsewhere. Then P picks K candidates and the trace is what they cost.

    Parameters
    ----------
    problem : Problem
        m candidates of K classes.
    method : {"faq", "2opt"}
        Frank-Wolfe on the doubly stochastic relaxation, or exchanges of two vertices.
    seed : int
        Of the start of "2opt" and of ties.

    Returns
    -------
    Solution
        Never marked optimal. Where scipy's pick is no matching (two candidates of one class), the cheapest of them
        is kept and a class without one gets the candidate that fits the others best. `nodes` counts iterations.
    """
    m, classes = len(problem.owner), np.unique(problem.owner)
    if not m:
        return Solution(np.zeros(0, dtype=np.int64), 0.0, False, 0)
    same = problem.owner[:, None] == problem.owner
    forbidden = 1 + problem.unary.max() * len(classes) + problem.pairwise.max() * len(classes) ** 2
    weights = np.where(same, forbidden, problem.pairwise)
    np.fill_diagonal(weights, problem.unary)
    places = np.zeros((m, m))
    places[: len(classes), : len(classes)] = 1
    found = quadratic_assignment(weights, places, method, {"rng": np.random.default_rng(seed)})
    choice = _repaired(problem, np.flatnonzero(found.col_ind < len(classes)), classes)
    return Solution(choice, problem.cost(choice), False, int(found.nit))


def _repaired(problem: Problem, picked: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Keep the cheapest pick of each class, then fill each empty class with what costs least beside the rest."""
    by_cost = picked[np.argsort(problem.unary[picked], kind="stable")]
    _, first = np.unique(problem.owner[by_cost], return_index=True)
    choice = by_cost[first]
    for c in np.setdiff1d(classes, problem.owner[choice]):
        own = np.flatnonzero(problem.owner == c)
        fit = problem.unary[own] + problem.pairwise[np.ix_(own, choice)].sum(axis=1)
        choice = np.append(choice, own[fit.argmin()])
    return np.sort(choice)


def _costs(problem: Problem, choices: np.ndarray) -> np.ndarray:
    """Cost of many choices, (b, K), pair by pair."""
    costs = problem.unary[choices].sum(axis=1)
    for t in range(choices.shape[1]):
        for s in range(t):
            costs += problem.pairwise[choices[:, s], choices[:, t]]
    return costs
