"""One-to-one matching of a hypothesis graph with a model graph (Chopin et al. 2020, Section II-B1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segstudy.papers.graph_matching.branch_and_bound import Solution, branch_and_bound
from segstudy.papers.graph_matching.costs import (
    CANDIDATES,
    Problem,
    build_problem,
    edge_maxima,
    missing_classes,
)
from segstudy.papers.graph_matching.edges import require
from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.heuristics import (
    AFFINITY_SOLVERS,
    affinity_search,
    exhaustive_search,
    relaxed_search,
)
from segstudy.papers.graph_matching.model import ModelGraph
from segstudy.papers.graph_matching.scale import estimate_scale

NORMALISERS = ("maximum", "none")
SCALES = ("none", "estimated")
EMPTY_RULES = ("refuse", "missing", "any")
SOLVERS = ("branch_and_bound", "exhaustive", "faq", "2opt", *AFFINITY_SOLVERS)


class MissingClassError(ValueError):
    """A class has no candidate region; `classes` names them. The paper leaves such a picture out (Section III-C)."""

    def __init__(self, classes: Sequence[int]):
        self.classes = tuple(int(c) for c in classes)
        super().__init__(
            f"no region of class {', '.join(map(str, self.classes))}: leave the picture out as the paper does, "
            "or match with empty='missing'"
        )


@dataclass(frozen=True)
class Matching:
    """A one-to-one matching.

    Parameters
    ----------
    assignment : (C,) int64 ndarray
        Region of each class; -1 for a class left empty, and for a background that is no vertex.
    cost : float
        vec(X)^T K vec(X) (Eq. 4), plus the price of each empty class.
    optimal : bool
        Whether no matching costs less, proven.
    nodes : int
        Nodes opened, combinations tried or iterations made, as the solver has it; pygmtools tells none, 0.
    model : int
        Which of the model graphs it is.
    scale : float
        How many times larger than the model the picture was taken to be.
    maxima : (e,) float64 ndarray
        The max K_e of Eq. 5 that was used.
    """

    assignment: np.ndarray
    cost: float
    optimal: bool
    nodes: int
    model: int
    scale: float
    maxima: np.ndarray


def match(
    graph: RegionGraph,
    model: ModelGraph | Sequence[ModelGraph],
    alpha: float = 0.4,
    *,
    vertex: str = "euclidean",
    normaliser: str = "maximum",
    scale: str = "none",
    candidates: str = "network",
    empty: str = "missing",
    empty_dissimilarity: float = 0.25,
    solver: str = "branch_and_bound",
    node_limit: int = 1_000_000,
    seed: int = 0,
) -> Matching:
    r"""Find the region of every class: the matching of least cost (Chopin et al. 2020, Eq. 4) under its constraints.

    (1) A region is matched with at most one class, (2) each class with exactly one region, (3) only with one that
    the network gave that class. :mod:`segstudy.papers.graph_matching.costs` holds the readings taken of the cost.

    Parameters
    ----------
    graph : RegionGraph
        n regions.
    model : ModelGraph or sequence of them
        Of several the one that matches at the least cost is taken; max K_e then runs over all.
    alpha : float in [0, 1]
        Weight of the vertices against the edges (Eq. 5); the paper's is 0.4.
    vertex : {"euclidean", "squared"}
        Norm of the difference of the membership vectors, or its mean square as in the authors' later code.
    normaliser : {"maximum", "none"}
        Divide K_e by its maximum (Eq. 5), or not: with edges in diagonals that is the authors' later code.
    scale : {"none", "estimated"}
        Divide the graph's distances by the factor which brings them nearest to the model's
        (:func:`~segstudy.papers.graph_matching.scale.estimate_scale`): the paper's outlook in Section IV. Multiplying
        all distances then changes nothing.
    candidates : {"network", "all"}
        The regions that a class can have: those of the third constraint, or any, which leaves the first two alone (an
        ablation: the region of a class need not be one that the network gave it).
    empty : {"refuse", "missing", "any"}
        A class without a candidate is an error, as for the paper; or stays empty; "any": so may every other class,
        where its candidates fit too badly (occlusion, an outlook in Section IV). With candidates="all" classes are
        missing where they are more than the regions, and then by that many.
    empty_dissimilarity : float
        An empty class costs as much as a region whose dissimilarity of vertex and edges is this everywhere:
        the value times alpha + 2 (1 - alpha) (C - 1). At the default, set beforehand, one class of the 50 cleaned test
        annotations of FASSEG is left empty, and a false nose in the corner of the picture never taken (15 tried).
    solver : {"branch_and_bound", "exhaustive", "faq", "2opt", "rrwm", "ipfp", "sm"}
        The first two find the optimum; the others are heuristics, two of scipy and three of pygmtools.
    node_limit : int
        Nodes that branch and bound may open, or combinations that the exhaustive search may try.
    seed : int
        Of scipy's heuristics; pygmtools' draw nothing.

    Returns
    -------
    Matching
        The cheapest found.

    Raises
    ------
    MissingClassError
        With empty="refuse", where a class has no candidate.
    ValueError
        Graphs that do not fit together, an option out of range, too many combinations for the exhaustive search, too
        many candidates for pygmtools.
    StudyError
        A solver of pygmtools, where that is not installed.
    """
    models = [model] if isinstance(model, ModelGraph) else list(model)
    require("candidates", candidates, CANDIDATES)
    _check_options(alpha, normaliser, scale, empty, empty_dissimilarity, solver, node_limit)
    _check_fit(graph, models, scale)
    missing = missing_classes(graph, models[0], candidates)
    if empty == "refuse" and len(missing):
        raise MissingClassError(missing)
    scales = [estimate_scale(graph, m) if scale == "estimated" else 1.0 for m in models]
    maxima = edge_maxima(graph, models, scales) if normaliser == "maximum" else np.ones(graph.edges.shape[2])
    empty_cost = empty_dissimilarity * (alpha + 2 * (1 - alpha) * (len(models[0].vertices) - 1))
    found = []
    for number, (m, s) in enumerate(zip(models, scales, strict=True)):
        problem = build_problem(graph, m, alpha, vertex, maxima, s, empty_cost, empty == "any", candidates)
        solution = solve(problem, solver, node_limit, seed)
        assignment = np.full(m.num_classes, -1)
        assignment[problem.owner[solution.choice]] = problem.region[solution.choice]
        found.append(Matching(assignment, *solution[1:], model=number, scale=s, maxima=maxima))
    return min(found, key=lambda matching: matching.cost)


def solve(problem: Problem, solver: str, node_limit: int, seed: int) -> Solution:
    """Solve a problem with the solver of that name, see :func:`match`."""
    if solver == "branch_and_bound":
        return branch_and_bound(problem, node_limit)
    if solver == "exhaustive":
        return exhaustive_search(problem, node_limit)
    if solver in AFFINITY_SOLVERS:
        return affinity_search(problem, solver)
    return relaxed_search(problem, solver, seed)


def _check_options(
    alpha: float, normaliser: str, scale: str, empty: str, dissimilarity: float, solver: str, node_limit: int
) -> None:
    require("normaliser", normaliser, NORMALISERS)
    require("scale", scale, SCALES)
    require("empty", empty, EMPTY_RULES)
    require("solver", solver, SOLVERS)
    check_alpha(alpha)
    if not 0 <= dissimilarity < np.inf:
        raise ValueError(f"empty_dissimilarity must be finite and 0 or more, got {dissimilarity!r}")
    if node_limit < 0:
        raise ValueError(f"node_limit must be 0 or more, got {node_limit!r}")


def check_alpha(alpha: float) -> None:
    """Refuse a weight outside [0, 1]."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in [0, 1], got {alpha!r}: the paper's is 0.4")


def _check_fit(graph: RegionGraph, models: Sequence[ModelGraph], scale: str) -> None:
    if not models:
        raise ValueError("model must be a model graph or several, got none")
    for model in models:
        for name in ("num_classes", "kind", "unit", "background"):
            ours, theirs = getattr(graph, name), getattr(model, name)
            if ours != theirs:
                raise ValueError(f"graph and model must have the same {name}, got {ours!r} and {theirs!r}")
        resized = model.diagonal is not None and not np.isclose(model.diagonal, graph.diagonal)
        if resized and scale == "none":
            raise ValueError(
                f"graph has a diagonal of {graph.diagonal:.1f} pixels and the model's pictures {model.diagonal:.1f}: "
                "resize, measure both with unit='diagonal', or match with scale='estimated'"
            )
