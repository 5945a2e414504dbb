"""Other solvers of the matching: the exhaustive search, which is the oracle, and heuristics of scipy and pygmtools."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment

from segstudy.errors import StudyError
from segstudy.papers.graph_matching.branch_and_bound import Solution
from segstudy.papers.graph_matching.costs import Problem

# Combinations costed at a time: 9 classes fill 7 MB.
CHUNK = 100_000
# Of pygmtools, with what is not left at its defaults. Sinkhorn's iterations make the sums of rows and of columns 1 by
# turns. Each class has a region, but few regions have a class: the rows' turn alone is right. After the columns' turn a
# region that is a candidate of one class has weight 1 there whatever it costs.
AFFINITY_SOLVERS = {"rrwm": {"sk_iter": 1}, "ipfp": {}, "sm": {}}
# Rows of the affinity matrix that pygmtools is given: 5,000 fill 200 MB, and it makes copies.
MOST_AFFINITY_ROWS = 5000


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
        Never marked optimal. Where scipy's pick is no matching (two candidates of one class or region), the cheapest of
        them is kept and a class without one gets the candidate that fits the others best; where regions have to fill
        the classes, those left free are given out likewise. `nodes` counts iterations.
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
    choice = _filled(problem, _repaired(problem, np.flatnonzero(found.col_ind < len(classes)), classes))
    return Solution(choice, problem.cost(choice), False, int(found.nit))


def affinity_search(problem: Problem, method: str) -> Solution:
    r"""Ask pygmtools, whose solvers promise no optimum.

    They maximise :math:`\operatorname{vec}(X)^T W \operatorname{vec}(X)` over the assignments X of the K classes to
    regions, each region once at most. Exact translation: W is a constant minus the cost where a class meets a candidate
    of its own (:func:`gains`), and 0 elsewhere. A matching then has K constants of unary costs and K (K - 1) / 2 of
    pairs, minus its cost; and since no entry is negative, an X that gives a class a region which is no candidate of it
    is not better than the best matching.

    Parameters
    ----------
    problem : Problem
        m candidates of K classes.
    method : {"rrwm", "ipfp", "sm"}
        Reweighted random walks (Cho et al. 2010), integer projected fixed point (Leordeanu et al. 2009) or spectral
        matching (Leordeanu & Hebert 2005), in numpy. The walks keep to one region a class on their way, but not to one
        class a region (`AFFINITY_SOLVERS` says why); all else is left at pygmtools' defaults.

    Returns
    -------
    Solution
        Never marked optimal. The solver's X may hold any weights: the matching of the largest ones, by their sum, is
        taken; where regions have to fill the classes, those left free go where they fit best. `nodes` is 0: pygmtools
        does not tell its iterations.

    Raises
    ------
    StudyError
        pygmtools is not installed.
    ValueError
        W would have more than 5,000 rows, one for each class and region.
    """
    solver = getattr(_pygmtools(method), method)
    if not len(problem.owner):
        return Solution(np.zeros(0, dtype=np.int64), 0.0, False, 0)
    classes, row = np.unique(problem.owner, return_inverse=True)
    # each way to leave a class empty is a region of its own
    own = np.where(problem.region < 0, -1 - np.arange(len(row)), problem.region)
    columns, column = np.unique(own, return_inverse=True)
    weights = _spread(gains(problem), column * len(classes) + row, len(classes) * len(columns))
    with np.errstate(divide="ignore", invalid="ignore"):  # ipfp divides by 0 where it has arrived
        x = solver(weights, len(classes), len(columns), backend="numpy", **AFFINITY_SOLVERS[method])
    score, candidate = np.full(x.shape, -np.inf), np.zeros(x.shape, dtype=np.int64)
    score[row, column], candidate[row, column] = x[row, column], np.arange(len(row))
    choice = _filled(problem, np.sort(candidate[linear_sum_assignment(score, maximize=True)]))
    return Solution(choice, problem.cost(choice), False, 0)


def gains(problem: Problem) -> np.ndarray:
    """Turn costs into gains, 0 or more: (m, m), the unary ones on the diagonal, half a pair's in either order.

    The largest pair's cost is a pair's gain of 0; a candidate gains a little even at the largest unary cost, for where
    all costs are equal nothing would be left to walk on.
    """
    pairs = np.where(problem.clashes, 0, problem.pairwise)
    gained = np.where(problem.clashes, 0, (pairs.max() - pairs) / 2)
    np.fill_diagonal(gained, (1.05 * problem.unary.max() or 1.0) - problem.unary)
    return gained


def _spread(gained: np.ndarray, places: np.ndarray, rows: int) -> np.ndarray:
    """Put (m, m) gains at their places in (rows, rows), 0 elsewhere; vec(X) runs down the columns of X."""
    if rows > MOST_AFFINITY_ROWS:
        raise ValueError(
            f"an affinity matrix of {rows} rows (classes x regions) is too large, at most {MOST_AFFINITY_ROWS}: "
            "use solver='branch_and_bound', which needs none"
        )
    weights = np.zeros((rows, rows))
    weights[np.ix_(places, places)] = gained
    return weights


def _pygmtools(method: str) -> ModuleType:
    try:
        import pygmtools
    except ImportError as error:
        raise StudyError(f"the solver {method!r} needs pygmtools: pip install pygmtools") from error
    return pygmtools


def _repaired(problem: Problem, picked: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Keep the cheapest pick of each class, then fill each empty class with what costs least beside the rest."""
    clashes, kept = problem.clashes, np.zeros(0, dtype=np.int64)
    for i in picked[np.argsort(problem.unary[picked], kind="stable")]:
        if not clashes[i, kept].any():
            kept = np.append(kept, i)
    choice = np.sort(kept)
    for c in np.setdiff1d(classes, problem.owner[choice]):
        own = np.flatnonzero(problem.owner == c)
        fit = problem.unary[own] + problem.pairwise[np.ix_(own, choice)].sum(axis=1)
        choice = np.append(choice, own[fit.argmin()])
    return np.sort(choice)


def _filled(problem: Problem, choice: np.ndarray) -> np.ndarray:
    """Give regions that are free to classes that are empty, the pair that costs least first, where none may stay empty.

    Regions that are fewer than the classes all have to be taken; a heuristic that leaves one would cost less than the
    optimum.
    """
    choice = choice.copy()
    while problem.surcharge > 0:
        empty = choice[problem.region[choice] < 0]
        free = np.isin(problem.owner, problem.owner[empty]) & (problem.region >= 0)
        candidates = np.flatnonzero(free & ~np.isin(problem.region, problem.region[choice]))
        if not len(candidates):
            break
        taken = choice[problem.region[choice] >= 0]
        fit = problem.unary[candidates] + problem.pairwise[np.ix_(candidates, taken)].sum(axis=1)
        best = candidates[fit.argmin()]
        choice[problem.owner[choice] == problem.owner[best]] = best
    return np.sort(choice)


def _costs(problem: Problem, choices: np.ndarray) -> np.ndarray:
    """Cost of many choices, (b, K), pair by pair."""
    costs = problem.unary[choices].sum(axis=1)
    for t in range(choices.shape[1]):
        for s in range(t):
            costs += problem.pairwise[choices[:, s], choices[:, t]]
    return costs
