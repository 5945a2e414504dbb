"""The one-to-one matching: equality with brute force, planted answers, an admissible bound, and what may be missing."""

from __future__ import annotations

import itertools
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudy.experiments.graph_matching.planted import planted
from segstudy.papers.graph_matching import MissingClassError, ModelGraph, RegionGraph, dense_affinity, match
from segstudy.papers.graph_matching import matching as matching_module
from segstudy.papers.graph_matching.branch_and_bound import Nodes, Ordered, branch_and_bound, lower_bounds
from segstudy.papers.graph_matching.costs import Problem
from segstudy.papers.graph_matching.heuristics import AFFINITY_SOLVERS, exhaustive_search, relaxed_search

SOLVERS = [
    pytest.param(
        solver, marks=pytest.mark.skipif(find_spec("pygmtools") is None, reason="pygmtools is not installed")
    )
    if solver in AFFINITY_SOLVERS
    else solver
    for solver in matching_module.SOLVERS
]


def random_problem(rng, largest=5):
    """Any non-negative costs: no geometry that a solver could profit from."""
    counts = rng.integers(1, largest, rng.integers(1, 6))
    owner = np.repeat(np.arange(len(counts)), counts)
    pairwise = rng.exponential(1, (len(owner), len(owner))) * rng.integers(0, 2, (len(owner), len(owner)))
    pairwise = np.where(owner[:, None] == owner, 0, pairwise + pairwise.T)
    return Problem(owner, np.arange(len(owner)), rng.exponential(rng.uniform(0, 2), len(owner)), pairwise)


def choices(problem):
    return [
        np.array(c)
        for c in itertools.product(*(np.flatnonzero(problem.owner == k) for k in set(problem.owner)))
    ]


def test_branch_and_bound_and_exhaustive_search_equal_brute_force(rng):
    for _ in range(300):
        problem = random_problem(rng)
        best = min(problem.cost(c) for c in choices(problem))
        for solution in (branch_and_bound(problem), exhaustive_search(problem)):
            assert solution.optimal and solution.cost == pytest.approx(best, abs=1e-9)
            np.testing.assert_array_equal(problem.owner[solution.choice], np.unique(problem.owner))
            assert problem.cost(solution.choice) == solution.cost


def test_matching_minimises_the_quadratic_form_of_the_paper(rng):
    """Eq. 4 with its three constraints, by trying every X with the dense K."""
    for _ in range(30):
        graph, model, _ = planted(3, 3, noise=0.3, seed=rng)
        total = dense_affinity(graph, model, 0.3).total
        costs = {}
        for regions in itertools.permutations(range(9), 3):  # constraints 1 and 2
            if (graph.classes[list(regions)] == np.arange(3)).all():  # constraint 3
                x = np.zeros((3, 9))
                x[np.arange(3), regions] = 1
                costs[regions] = x.ravel() @ total @ x.ravel()
        found = match(graph, model, 0.3)
        assert found.cost == pytest.approx(min(costs.values()))
        assert costs[tuple(found.assignment)] == pytest.approx(found.cost)


def test_bound_is_admissible_and_exact_at_the_end(rng):
    for _ in range(200):
        problem = random_problem(rng, largest=4)
        ordered = Ordered.of(problem)
        classes = len(ordered.starts) - 1
        every = np.array(
            list(itertools.product(*(range(*ordered.of_class(t).indices(99)) for t in range(classes))))
        )
        costs = np.array([problem.cost(ordered.candidate[c]) for c in every])
        for t in range(classes + 1):
            for part in np.unique(every[:, :t], axis=0):
                cost = ordered.unary[part].sum() + ordered.pairwise[np.ix_(part, part)].sum() / 2
                reach = ordered.unary + ordered.pairwise[part].sum(axis=0)
                bound = lower_bounds(ordered, Nodes(part[None], np.array([cost]), reach[None]))[0]
                best = costs[(every[:, :t] == part).all(axis=1)].min()
                assert bound <= best + 1e-9
                assert bound == pytest.approx(best) or t < classes - 1


@pytest.mark.parametrize("size", [(2, 5), (5, 6), (9, 12), (4, 1)])
@pytest.mark.parametrize("alpha", [0, 0.4, 0.9])
def test_a_planted_graph_is_found_again(rng, size, alpha):
    graph, model, truth = planted(*size, sharpness=1, seed=rng)
    found = match(graph, model, alpha)
    if size[0] > 2 or size[1] == 1:
        np.testing.assert_array_equal(found.assignment, truth)
    assert found.optimal and found.cost == pytest.approx(0, abs=1e-9)


def test_nine_classes_of_twelve_candidates_at_every_noise_take_few_nodes(rng):
    for noise in (0, 0.05, 0.1, 0.4, 1):
        graph, model, truth = planted(9, 12, noise, seed=rng)
        found = match(graph, model)
        assert found.optimal and found.nodes < 20_000
        np.testing.assert_array_equal(graph.classes[found.assignment], np.arange(9))
        if noise <= 0.05:
            assert (found.assignment == truth).sum() >= 8


@given(st.integers(0, 10**6), st.floats(0, 1), st.sampled_from(["euclidean", "squared"]))
@settings(max_examples=40, deadline=None)
def test_the_order_of_regions_does_not_matter(seed, alpha, vertex):
    rng = np.random.default_rng(seed)
    graph, model, _ = planted(4, 4, noise=0.2, seed=rng)
    order = rng.permutation(16)
    shuffled = RegionGraph.from_arrays(
        graph.classes[order], graph.membership[order], graph.edges[np.ix_(order, order)][:, :, 0]
    )
    first, second = (match(g, model, alpha, vertex=vertex) for g in (graph, shuffled))
    assert first.cost == pytest.approx(second.cost, abs=1e-9)
    if alpha > 0.01:
        np.testing.assert_array_equal(first.assignment, order[second.assignment])


def test_a_node_limit_ends_the_search_and_says_so(rng):
    graph, model, _ = planted(9, 12, noise=1, seed=rng)
    full = match(graph, model)
    assert full.nodes > 20
    for limit in (0, 1, 20):
        cut = match(graph, model, node_limit=limit)
        assert not cut.optimal and cut.nodes <= limit and cut.cost >= full.cost - 1e-9
        np.testing.assert_array_equal(graph.classes[cut.assignment], np.arange(9))


@pytest.mark.parametrize("method", ["faq", "2opt"])
def test_heuristics_give_a_valid_matching_that_costs_no_less_and_often_the_same(rng, method):
    equal = 0
    for seed in range(20):
        graph, model, _ = planted(4, 3, noise=0.05, seed=rng)
        best, found = match(graph, model), match(graph, model, solver=method, seed=seed)
        np.testing.assert_array_equal(graph.classes[found.assignment], np.arange(4))
        assert found.cost >= best.cost - 1e-9 and not found.optimal
        equal += np.isclose(found.cost, best.cost)
    assert equal >= 10


def test_a_pick_of_scipy_that_is_no_matching_is_repaired(rng, monkeypatch):
    problem = random_problem(np.random.default_rng(3))
    monkeypatch.setattr(
        "segstudy.papers.graph_matching.heuristics.quadratic_assignment",
        lambda a, b, method, options: type("R", (), {"col_ind": np.arange(len(a)), "nit": 1}),
    )
    choice = relaxed_search(problem, "faq").choice
    np.testing.assert_array_equal(problem.owner[choice], np.unique(problem.owner))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_class_without_a_region_stays_empty_at_a_price(rng, solver):
    graph, model, truth = planted(4, 2, sharpness=1, seed=rng)
    keep = graph.classes != 2
    part = RegionGraph.from_arrays(
        graph.classes[keep], graph.membership[keep], graph.edges[np.ix_(keep, keep)][:, :, 0]
    )
    found = match(part, model, empty_dissimilarity=0.5, solver=solver)
    assert found.assignment[2] == -1
    assert found.cost >= 0.5 * (0.4 + 1.2 * 3) - 1e-9
    if solver == "branch_and_bound":
        np.testing.assert_array_equal(np.flatnonzero(keep)[found.assignment[[0, 1, 3]]], truth[[0, 1, 3]])
        assert found.cost == pytest.approx(0.5 * (0.4 + 1.2 * 3))
    with pytest.raises(MissingClassError, match="no region of class 2") as caught:
        match(part, model, empty="refuse", solver=solver)
    assert caught.value.classes == (2,)


def test_an_occluded_class_is_left_empty_and_its_false_region_is_not_taken():
    places = np.array([[0, 0], [0, 10], [10, 0], [10, 10], [5, 5]], dtype=float)
    model = ModelGraph.from_arrays(np.linalg.norm(places[:, None] - places, axis=2))
    for true in (places[4], np.array([60.0, 60.0])):  # in its place, or far away
        moved = np.vstack([places[:4], true])
        graph = RegionGraph.from_arrays(
            np.arange(5), np.eye(5), np.linalg.norm(moved[:, None] - moved, axis=2)
        )
        assert match(graph, model).assignment[4] == 4
        found = match(graph, model, empty="any")
        np.testing.assert_array_equal(found.assignment, [0, 1, 2, 3, 4 if true[0] == 5 else -1])
        exhaustive = match(graph, model, empty="any", solver="exhaustive")
        assert found.optimal and found.cost == pytest.approx(exhaustive.cost)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_region_at_all_is_a_defined_result(solver):
    nothing = RegionGraph.from_arrays(np.zeros(0), np.zeros((0, 3)), np.zeros((0, 0)))
    model = ModelGraph.from_arrays(np.ones((3, 3)))
    for candidates in ("network", "all"):
        found = match(nothing, model, solver=solver, candidates=candidates)
        np.testing.assert_array_equal(found.assignment, [-1, -1, -1])
        assert found.cost == pytest.approx(3 * 0.25 * (0.4 + 1.2 * 2))
    background_only = RegionGraph(np.full((2, 2), -1), *[getattr(nothing, k) for k in FIELDS], background=0)
    lone = ModelGraph(np.full((3, 3, 1), np.nan), background=0)
    assert match(background_only, lone).cost == pytest.approx(2 * 0.25 * (0.4 + 1.2))


FIELDS = ("classes", "sizes", "centroids", "membership", "edges")


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_class_takes_its_surest_region(solver):
    graph = RegionGraph.from_arrays(
        [0, 0, 0], [[0.6, 0.4], [0.9, 0.1], [0.7, 0.3]], np.ones((3, 3)) - np.eye(3)
    )
    found = match(graph, ModelGraph.from_arrays(np.zeros((2, 2))), solver=solver)
    np.testing.assert_array_equal(found.assignment, [1, -1])


def test_of_several_models_the_best_matching_one_is_taken(rng):
    graph, model, truth = planted(5, 3, sharpness=1, seed=rng)
    _, other, _ = planted(5, 3, seed=rng)
    for models, expected in (([other, model], 1), ([model, other, other], 0)):
        found = match(graph, models)
        assert found.model == expected and found.cost == pytest.approx(0, abs=1e-9)
        np.testing.assert_array_equal(found.assignment, truth)


@given(st.integers(0, 10**6), st.floats(0.05, 50))
@settings(max_examples=40, deadline=None)
def test_an_estimated_scale_makes_the_size_of_the_picture_irrelevant(seed, factor):
    graph, model, _ = planted(4, 3, noise=0.1, seed=seed)
    larger = RegionGraph.from_arrays(graph.classes, graph.membership, factor * graph.edges[:, :, 0])
    first, second = (match(g, model, scale="estimated") for g in (graph, larger))
    np.testing.assert_array_equal(first.assignment, second.assignment)
    assert first.cost == pytest.approx(second.cost) and second.scale == pytest.approx(factor * first.scale)


def test_without_the_estimate_a_larger_picture_is_matched_wrongly():
    places = np.array([[0, 0], [0, 30], [30, 0], [0, 90], [0, 50]], dtype=float)  # three times the model's
    model = ModelGraph.from_arrays(np.linalg.norm(places[:4, None] - places[:4], axis=2) / 3)
    graph = RegionGraph.from_arrays(
        [0, 1, 2, 3, 3], np.eye(4)[[0, 1, 2, 3, 3]], np.linalg.norm(places[:, None] - places, axis=2)
    )
    assert match(graph, model).assignment[3] == 4
    assert match(graph, model, scale="estimated").assignment[3] == 3


@pytest.mark.parametrize(
    "change, says",
    [
        (dict(alpha=1.1), "alpha must lie in"),
        (dict(alpha=np.nan), "alpha must lie in"),
        (dict(vertex="cosine"), "vertex must be one of"),
        (dict(normaliser="sum"), "normaliser must be one of"),
        (dict(scale="auto"), "scale must be one of"),
        (dict(empty="never"), "empty must be one of"),
        (dict(candidates="some"), "candidates must be one of"),
        (dict(empty_dissimilarity=-1), "empty_dissimilarity must be finite"),
        (dict(solver="simplex"), "solver must be one of"),
        (dict(node_limit=-1), "node_limit must be 0 or more"),
        (dict(solver="exhaustive", node_limit=3), "would try 81 combinations"),
        (dict(model=[]), "got none"),
        (dict(model=ModelGraph.from_arrays(np.zeros((3, 3)))), "same num_classes, got 4 and 3"),
        (dict(model=ModelGraph(np.zeros((4, 4, 1)), kind="maximum")), "same kind"),
        (dict(model=ModelGraph(np.zeros((4, 4, 1)), unit="diagonal")), "same unit"),
        (dict(model=ModelGraph(np.zeros((4, 4, 1)), background=0)), "same background"),
        (
            dict(model=ModelGraph(np.zeros((4, 4, 1)), diagonal=500.0)),
            "diagonal of 12.0 pixels and the model's",
        ),
    ],
)
def test_what_does_not_fit_is_refused(rng, change, says):
    graph, model, _ = planted(4, 3, seed=rng)
    with pytest.raises(ValueError, match=says):
        match(**({"graph": graph, "model": model} | change))
