"""Matching problems whose answer is known, of any size and difficulty, and what each solver makes of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.heuristics import AFFINITY_SOLVERS, MOST_AFFINITY_ROWS
from segstudy.papers.graph_matching.matching import Matching, match
from segstudy.papers.graph_matching.model import ModelGraph

# Candidates that scipy's 2-opt, whose exchanges are Python loops, is given: 108 take a second, 270 over a minute.
MOST_EXCHANGED = 150
MEASURES = ("median", "seconds", "nodes", "cost", "optimal", "found", "excess")


# What tables and figures call the solvers of `match`.
NAMES = {
    "branch_and_bound": "branch and bound",
    "exhaustive": "exhaustive",
    "faq": "FAQ",
    "2opt": "2-opt",
    "rrwm": "RRWM",
    "ipfp": "IPFP",
    "sm": "spectral",
}


def planted(
    classes: int,
    candidates: int,
    noise: float = 0.0,
    seed: int | np.random.Generator = 0,
    sharpness: float = 0.6,
) -> tuple[RegionGraph, ModelGraph, np.ndarray]:
    """Plant the true region of every class among decoys.

    The classes have places in the unit square, uniformly drawn, whose Euclidean distances are the model. Each class
    has one true region, at its place moved by noise, and decoys anywhere in the square. The membership vectors tell
    nothing about which one is true. Regions are shuffled.

    Parameters
    ----------
    classes, candidates : int
        K classes, and regions of each class, 1 or more.
    noise : float
        Standard deviation of the true regions' places from the model's, along each axis, in sides of the square. At
        0.05 the cheapest matching is mostly the planted one, at 1 the true regions are decoys like others.
    seed : int or numpy.random.Generator
        Of everything drawn.
    sharpness : float in [0, 1]
        Weight of the own class in a membership vector; the rest is uniform on the simplex.

    Returns
    -------
    graph : RegionGraph
        K x candidates regions.
    model : ModelGraph
        K classes.
    truth : (K,) int64 ndarray
        The true region of each class.

    Raises
    ------
    ValueError
        No class or no candidate.
    """
    if classes < 1 or candidates < 1:
        raise ValueError(f"classes and candidates must be 1 or more, got {classes!r} and {candidates!r}")
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1, (classes, 2))
    points = rng.uniform(0, 1, (classes, candidates, 2))
    points[:, 0] = places + noise * rng.standard_normal((classes, 2))
    order = rng.permutation(classes * candidates)
    owner, points = np.repeat(np.arange(classes), candidates)[order], points.reshape(-1, 2)[order]
    doubt = rng.dirichlet(np.ones(classes), len(owner))
    membership = sharpness * np.eye(classes)[owner] + (1 - sharpness) * doubt
    graph = RegionGraph.from_arrays(owner, membership, np.linalg.norm(points[:, None] - points, axis=2))
    model = ModelGraph.from_arrays(np.linalg.norm(places[:, None] - places, axis=2))
    return graph, model, np.argsort(order)[::candidates]


def solver_times(
    solver: str,
    classes: int,
    candidates: int,
    noise: float,
    seed: int,
    problems: int = 5,
    limit: int = 2_000_000,
    node_limit: int = 1_000_000,
) -> dict[str, Any]:
    """Time one solver on planted problems, and compare what it finds with the truth and with the optimum.

    One call warms up, then each problem is matched once, in one thread.

    Parameters
    ----------
    solver : str
        As in :func:`~segstudy.papers.graph_matching.matching.match`.
    classes, candidates, noise
        As in :func:`planted`.
    seed : int
        Of the problems, which are the same for every solver, and of the solver.
    problems : int
        How many.
    limit : int
        Combinations above which the exhaustive search is not run.
    node_limit : int
        Nodes that branch and bound may open.

    Returns
    -------
    dict
        "median" (s), and lists over the problems: "seconds", "nodes", "cost", "optimal" (proven by the solver), "found"
        (share of the true regions in the matching), "excess" (cost / optimum - 1; None where branch and bound did not
        reach the optimum within `node_limit`). "not_run" is None, or says why the problems are too large for the
        solver (:func:`why_not_run`): all others are None then.

    Raises
    ------
    ValueError
        An unknown solver; no class, no candidate.
    StudyError
        A solver of pygmtools, where that is not installed.
    """
    reason = why_not_run(solver, [candidates] * classes, limit)
    if reason is not None:
        return dict.fromkeys(MEASURES) | {"not_run": reason}
    drawn = [
        planted(classes, candidates, noise, np.random.default_rng([seed, number]))
        for number in range(problems)
    ]
    options = {"solver": solver, "seed": seed, "node_limit": limit if solver == "exhaustive" else node_limit}
    found, seconds = _timed([lambda g=graph, m=model: match(g, m, **options) for graph, model, _ in drawn])
    optima = [match(graph, model, node_limit=node_limit) for graph, model, _ in drawn]
    return {
        "median": float(np.median(seconds)),
        "seconds": seconds,
        "nodes": [m.nodes for m in found],
        "cost": [m.cost for m in found],
        "optimal": [m.optimal for m in found],
        "found": [
            float((m.assignment == truth).mean()) for m, (_, _, truth) in zip(found, drawn, strict=True)
        ],
        "excess": [_excess(m, optimum) for m, optimum in zip(found, optima, strict=True)],
        "not_run": None,
    }


def why_not_run(solver: str, counts: Sequence[int], limit: int = 2_000_000) -> str | None:
    """Say why a solver is not run on a problem with so many candidates of each class; None if it can be.

    Parameters
    ----------
    solver : str
        As in :func:`~segstudy.papers.graph_matching.matching.match`.
    counts : sequence of int
        Candidates of each class.
    limit : int
        Combinations that the exhaustive search may try: a million take less than a second.

    Returns
    -------
    str or None
        The reason, in a few words.
    """
    combinations = math.prod(int(count) for count in counts)
    if solver == "exhaustive" and combinations > limit:
        return f"10^{math.log10(combinations):.1f} combinations"
    if solver == "2opt" and sum(counts) > MOST_EXCHANGED:
        return f"exchanges of {sum(counts)} candidates in Python"
    if solver in AFFINITY_SOLVERS and len(counts) * sum(counts) > MOST_AFFINITY_ROWS:
        return f"an affinity matrix of {len(counts) * sum(counts)} rows"
    return None


def _timed(calls: list[Callable[[], Matching]]) -> tuple[list[Matching], list[float]]:
    """Make the first call twice, then time each, in one thread."""
    from threadpoolctl import threadpool_limits

    results, seconds = [], []
    with threadpool_limits(1):
        calls[0]()
        for call in calls:
            started = time.perf_counter()
            results.append(call())
            seconds.append(time.perf_counter() - started)
    return results, seconds


def _excess(found: Matching, optimum: Matching) -> float | None:
    if not optimum.optimal or optimum.cost <= 0:
        return None
    return found.cost / optimum.cost - 1
