"""pygmtools' solvers, matching without the third constraint, planted problems and their times."""

from __future__ import annotations

import itertools
import random
import sys

import numpy as np
import pytest
import threadpoolctl

from segstudy.cache import Cache, Experiment
from segstudy.errors import StudyError
from segstudy.experiments.graph_matching import planted as planted_module
from segstudy.experiments.graph_matching.planted import planted, solver_times, why_not_run
from segstudy.papers.graph_matching import MissingClassError, ModelGraph, RegionGraph, dense_affinity, match
from segstudy.papers.graph_matching.costs import Problem, build_problem, edge_maxima
from segstudy.papers.graph_matching.heuristics import AFFINITY_SOLVERS, affinity_search, relaxed_search

EMPTY_PRICE = 0.25 * (0.4 + 1.2 * 3)  # of one of four classes


@pytest.fixture
def pygmtools():
    return pytest.importorskip("pygmtools", reason="pygmtools is not installed")


def problem_of(graph, model, candidates="network", occlusion=False):
    maxima = edge_maxima(graph, [model], [1.0])
    return build_problem(graph, model, 0.4, "euclidean", maxima, 1.0, EMPTY_PRICE, occlusion, candidates)


def part_of(graph, keep):
    edges = graph.edges[np.ix_(keep, keep)][:, :, 0]
    return RegionGraph.from_arrays(graph.classes[keep], graph.membership[keep], edges)


def brute_force(graph, model, alpha, most_empty=0):
    """Eq. 4 under constraints 1 and 2 alone with the dense K: the cost of every X, up to so many classes empty."""
    total, classes = dense_affinity(graph, model, alpha).total, model.num_classes
    price, costs = 0.25 * (alpha + 2 * (1 - alpha) * (classes - 1)), {}
    for regions in itertools.product(range(-1, len(graph)), repeat=classes):
        taken = [r for r in regions if r >= 0]
        if len(taken) == len(set(taken)) and classes - len(taken) <= most_empty:
            x = np.zeros((classes, len(graph)))
            x[[c for c in range(classes) if regions[c] >= 0], taken] = 1
            costs[regions] = x.ravel() @ total @ x.ravel() + price * (classes - len(taken))
    return costs


def assert_legal(assignment, regions):
    taken = assignment[assignment >= 0]
    assert len(np.unique(taken)) == len(taken) and assignment.max() < regions


@pytest.mark.parametrize("solver", ["branch_and_bound", "exhaustive"])
@pytest.mark.parametrize("alpha", [0, 0.4, 1])
def test_without_the_third_constraint_the_optimum_is_that_of_all_regions(rng, solver, alpha):
    differing = 0
    for _ in range(8):
        graph, model, _ = planted(3, 2, noise=0.3, seed=rng)
        costs = brute_force(graph, model, alpha)
        found = match(graph, model, alpha, solver=solver, candidates="all")
        assert found.optimal and found.cost == pytest.approx(min(costs.values()), abs=1e-9)
        assert costs[tuple(found.assignment)] == pytest.approx(found.cost, abs=1e-9)
        differing += found.cost < match(graph, model, alpha).cost - 1e-9
    assert differing or alpha == 1


@pytest.mark.parametrize("solver", ["branch_and_bound", "exhaustive"])
@pytest.mark.parametrize("dissimilarity", [0, 0.25])
def test_of_too_few_regions_all_are_used(rng, solver, dissimilarity):
    """Also when an empty class costs nothing, and every region something."""
    for regions in (1, 2, 3):
        graph, model, _ = planted(4, 1, noise=0.5, seed=rng)
        few = part_of(graph, np.arange(regions))
        costs = brute_force(few, model, 0.4, most_empty=4 - regions)
        refund = (0.25 - dissimilarity) / 0.25 * EMPTY_PRICE * (4 - regions)
        found = match(few, model, solver=solver, candidates="all", empty_dissimilarity=dissimilarity)
        assert np.count_nonzero(found.assignment < 0) == 4 - regions
        assert found.optimal and found.cost == pytest.approx(min(costs.values()) - refund, abs=1e-9)
        assert costs[tuple(found.assignment)] - refund == pytest.approx(found.cost, abs=1e-9)
        with pytest.raises(MissingClassError):
            match(few, model, empty="refuse", candidates="all")


def test_under_occlusion_any_class_may_stay_empty_beside_any_region(rng):
    emptied = {3: 0, 4: 0, 5: 0}
    for regions in [3, 4, 5] * 4:
        graph, model, _ = planted(4, 2, noise=1.5, seed=rng)
        some = part_of(graph, np.arange(regions))
        costs = brute_force(some, model, 0.4, most_empty=4)
        found = match(some, model, candidates="all", empty="any")
        assert found.cost == pytest.approx(min(costs.values()), abs=1e-9)
        assert costs[tuple(found.assignment)] == pytest.approx(found.cost, abs=1e-9)
        emptied[regions] += np.count_nonzero(found.assignment < 0) > max(0, 4 - regions)
    assert min(emptied.values()) > 0


def test_all_candidates_means_that_the_networks_classes_do_not_count(rng):
    graph, model, truth = planted(5, 3, sharpness=1, seed=rng)
    found = match(graph, model, candidates="all")
    np.testing.assert_array_equal(found.assignment, truth)
    relabelled = RegionGraph.from_arrays(rng.integers(0, 5, 15), graph.membership, graph.edges[:, :, 0])
    again = match(relabelled, model, candidates="all", empty="refuse")
    np.testing.assert_array_equal(again.assignment, truth)
    assert again.cost == found.cost
    of_one_class = part_of(relabelled, truth)  # as many regions as classes
    of_one_class.classes[:] = 0
    with pytest.raises(MissingClassError):
        match(of_one_class, model, empty="refuse")
    found = match(of_one_class, model, empty="refuse", candidates="all")
    np.testing.assert_array_equal(found.assignment, np.arange(5))


def test_the_background_that_is_no_vertex_has_no_candidates(rng):
    graph, model, _ = planted(4, 2, noise=0.1, seed=rng)
    keep = np.flatnonzero(graph.classes != 0)
    part = part_of(graph, keep)
    fields = {
        name: getattr(part, name) for name in ("map", "classes", "sizes", "centroids", "membership", "edges")
    }
    found = match(
        RegionGraph(**fields, background=0), ModelGraph(model.edges, background=0), candidates="all"
    )
    assert found.assignment[0] == -1 and (found.assignment[1:] >= 0).all()
    assert_legal(found.assignment, len(part))


def test_a_search_cut_short_never_gives_a_region_two_classes(rng):
    for limit in (0, 1, 5):
        for candidates, regions in ((1, 9), (1, 6), (4, 36)):
            graph, model, _ = planted(9, candidates, noise=1, seed=rng)
            found = match(part_of(graph, np.arange(regions)), model, candidates="all", node_limit=limit)
            assert_legal(found.assignment, regions)
            assert np.count_nonzero(found.assignment < 0) == max(0, 9 - regions)


def test_the_affinity_ranks_all_assignments_as_their_costs(rng, pygmtools, monkeypatch):
    """All X, admissible or not, by pygmtools' own score: constant - cost if a matching, else not above the best."""
    seen = {}
    monkeypatch.setattr(pygmtools, "sm", lambda w, n1, n2, **_: seen.update(w=w) or np.zeros((n1, n2)))
    graph, model, _ = planted(3, 2, noise=0.3, seed=rng)
    for problem in (
        problem_of(graph, model),
        problem_of(graph, model, occlusion=True),
        problem_of(part_of(graph, graph.classes != 1), model),
        problem_of(graph, model, "all"),
        problem_of(part_of(graph, np.arange(2)), model, "all"),
    ):
        affinity_search(problem, "sm")
        _, row = np.unique(problem.owner, return_inverse=True)
        columns = np.where(problem.region < 0, -1 - np.arange(len(row)), problem.region)
        _, column = np.unique(columns, return_inverse=True)
        candidate = {(r, c): i for i, (r, c) in enumerate(zip(row, column, strict=True))}
        sums, others = [], []
        for picks in itertools.permutations(range(column.max() + 1), 3):
            x = np.zeros((3, column.max() + 1))
            x[np.arange(3), picks] = 1
            score = float(pygmtools.utils.compute_affinity_score(x, seen["w"], backend="numpy"))
            choice = [candidate.get(pick) for pick in enumerate(picks)]
            if None in choice:
                others.append(score)
            else:
                choice = np.array(choice)
                surcharge = problem.surcharge * (problem.region[choice] < 0).sum()
                sums.append((score + problem.cost(choice) + surcharge, score))
        np.testing.assert_allclose([total for total, _ in sums], sums[0][0])
        assert (seen["w"] >= 0).all() and max(others, default=0) <= max(score for _, score in sums) + 1e-9


@pytest.mark.parametrize("solver", AFFINITY_SOLVERS)
@pytest.mark.parametrize("candidates", ["network", "all"])
def test_pygmtools_gives_a_valid_matching_that_costs_no_less_and_is_far_from_a_guess(
    rng, pygmtools, solver, candidates
):
    excess, guessed = [], []
    for _ in range(10):
        graph, model, _ = planted(6, 4, noise=0.03, seed=rng)
        best = match(graph, model, candidates=candidates)
        found = match(graph, model, solver=solver, candidates=candidates)
        assert_legal(found.assignment, 24)
        assert (found.assignment >= 0).all() and not found.optimal and found.cost >= best.cost - 1e-9
        if candidates == "network":
            np.testing.assert_array_equal(graph.classes[found.assignment], np.arange(6))
        excess.append(found.cost / best.cost - 1)
        problem = problem_of(graph, model)
        guess = np.arange(0, 24, 4) + rng.integers(0, 4, 6)
        guessed.append(problem.cost(guess) / best.cost - 1)
    limit = {"rrwm": 0.05, "ipfp": 0.1, "sm": 0.6}[solver] * (1 if candidates == "network" else 4)
    assert np.mean(excess) < limit * np.mean(guessed)


@pytest.mark.parametrize("solver", AFFINITY_SOLVERS)
def test_pygmtools_touches_no_random_state_and_prints_nothing(rng, pygmtools, solver, capfd):
    np.random.random()  # noqa: NPY002  (away from where a seed would put it)
    before, state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    graph, model, _ = planted(4, 3, noise=0.1, seed=rng)
    first, second = (match(graph, model, solver=solver, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.assignment, second.assignment)
    assert random.getstate() == before
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("solver", AFFINITY_SOLVERS)
@pytest.mark.parametrize("counts", [(1,), (3,), (1, 1, 1), (2, 1, 3)])
def test_where_all_matchings_cost_the_same_pygmtools_still_finds_one(pygmtools, solver, counts):
    owner = np.repeat(np.arange(len(counts)), counts)
    for unary, pair in ((0.0, 0.0), (0.3, 0.0), (0.3, 0.7)):
        pairwise = np.where(owner[:, None] == owner, 0, pair)
        problem = Problem(owner, np.arange(len(owner)), np.full(len(owner), unary), pairwise)
        choice = affinity_search(problem, solver).choice
        np.testing.assert_array_equal(owner[choice], np.arange(len(counts)))


@pytest.mark.parametrize("solver", ["faq", "2opt", *AFFINITY_SOLVERS])
@pytest.mark.parametrize("regions", [3, 5, 8])
def test_heuristics_keep_to_one_class_a_region(rng, solver, regions):
    if solver in AFFINITY_SOLVERS:
        pytest.importorskip("pygmtools", reason="pygmtools is not installed")
    for empty in ("missing", "any"):
        graph, model, _ = planted(4, 2, noise=0.5, seed=rng)
        some = part_of(graph, np.arange(regions))
        best, found = (
            match(some, model, candidates="all", empty=empty, solver=s) for s in ("exhaustive", solver)
        )
        assert_legal(found.assignment, regions)
        assert found.cost >= best.cost - 1e-9


@pytest.mark.parametrize("solver", ["faq", "2opt", *AFFINITY_SOLVERS])
def test_no_heuristic_leaves_a_class_empty_that_could_have_a_region(solver):
    """Of all regions, too few for the classes: as many are used and no cost is below that of the exhaustive search."""
    if solver in AFFINITY_SOLVERS:
        pytest.importorskip("pygmtools", reason="pygmtools is not installed")
    for seed in range(12):
        regions = 1 + seed % 4
        graph, model, _ = planted(5, 1, noise=0.5, seed=seed)
        few = part_of(graph, np.arange(regions))
        for price in (0.0, 0.25):
            options = {"candidates": "all", "empty_dissimilarity": price}
            best, found = (match(few, model, solver=s, **options) for s in ("exhaustive", solver))
            assert_legal(found.assignment, regions)
            assert np.count_nonzero(found.assignment >= 0) == regions
            assert found.cost >= best.cost - 1e-9


def test_a_pick_of_one_region_for_two_classes_is_repaired(rng, monkeypatch):
    graph, model, _ = planted(3, 1, noise=0.3, seed=rng)
    problem = problem_of(graph, model, "all")  # candidates 0, 3, 6 are region 0 as class 0, 1, 2
    ranks = np.array([0, 3, 4, 1, 5, 6, 2, 7, 8])
    monkeypatch.setattr(
        "segstudy.papers.graph_matching.heuristics.quadratic_assignment",
        lambda a, b, method, options: type("R", (), {"col_ind": ranks, "nit": 1}),
    )
    choice = relaxed_search(problem, "faq").choice
    np.testing.assert_array_equal(problem.owner[choice], [0, 1, 2])
    np.testing.assert_array_equal(np.sort(problem.region[choice]), [0, 1, 2])
    cheapest = np.array([0, 3, 6])[problem.unary[[0, 3, 6]].argmin()]
    assert cheapest in choice


def test_what_pygmtools_cannot_do_is_said(rng, monkeypatch):
    graph, model, _ = planted(10, 51, seed=rng)
    if "pygmtools" in sys.modules:
        with pytest.raises(ValueError, match="matrix of 5100 rows"):
            match(graph, model, solver="ipfp")
    monkeypatch.setitem(sys.modules, "pygmtools", None)
    with pytest.raises(StudyError, match="solver 'ipfp' needs pygmtools: pip install pygmtools"):
        match(graph, model, solver="ipfp")


def test_a_planted_truth_stands_as_the_model_has_it_moved_by_the_noise():
    graph, model, truth = planted(6, 5, seed=3)
    np.testing.assert_array_equal(graph.classes[truth], np.arange(6))
    np.testing.assert_array_equal(np.bincount(graph.classes), np.full(6, 5))
    np.testing.assert_allclose(graph.edges[np.ix_(truth, truth)], model.edges)
    np.testing.assert_allclose(graph.membership.sum(axis=1), 1)
    assert (np.diff(graph.classes) < 0).any()  # shuffled
    moved = []
    for noise in (0.001, 0.002):
        graph, model, truth = planted(60, 2, noise=noise, seed=3)
        moved.append(np.std((graph.edges[np.ix_(truth, truth)] - model.edges)[~np.eye(60, dtype=bool)]))
    # the change of a distance is the difference of two steps along one direction
    np.testing.assert_allclose(moved, np.sqrt(2) * np.array([0.001, 0.002]), rtol=0.15)
    first, second, other = (planted(4, 3, noise=0.1, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.edges, second.edges)
    assert not np.array_equal(first.edges, other.edges)
    for sizes in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="classes and candidates must be 1 or more"):
            planted(*sizes)


def test_times_come_with_what_was_found(tmp_path):
    size = {"classes": 5, "candidates": 3, "noise": 0.05, "seed": 4, "problems": 3}
    exact, tried, guessed = (
        solver_times(solver, **size) for solver in ("branch_and_bound", "exhaustive", "2opt")
    )
    problems = [planted(5, 3, 0.05, np.random.default_rng([4, number])) for number in range(3)]
    matchings = [match(graph, model) for graph, model, _ in problems]
    assert exact["cost"] == [m.cost for m in matchings]
    assert exact["found"] == [np.mean(m.assignment == p[2]) for m, p in zip(matchings, problems, strict=True)]
    assert exact["optimal"] == [True] * 3 and exact["excess"] == [0] * 3
    assert tried["cost"] == pytest.approx(exact["cost"]) and tried["nodes"] == [3**5] * 3
    assert guessed["optimal"] == [False] * 3 and min(guessed["excess"]) >= -1e-12
    ratio = np.array(guessed["cost"]) / exact["cost"] - 1
    assert guessed["excess"] == pytest.approx(ratio) and guessed["median"] == np.median(guessed["seconds"])
    kept = Cache(tmp_path).run(Experiment(solver_times, {"solver": "exhaustive"} | size)).value
    timed = {"seconds": kept["seconds"], "median": kept["median"]}
    assert kept == tried | timed and all(s > 0 for s in kept["seconds"])


def test_what_is_too_large_is_not_run_and_an_unknown_optimum_not_claimed():
    for solver, options, says in (
        ("exhaustive", {"limit": 242}, "10^2.4 combinations"),
        ("exhaustive", {"classes": 400, "candidates": 400}, "10^1040.8 combinations"),
        ("2opt", {"classes": 2, "candidates": 76}, "exchanges of 152 candidates"),
        ("rrwm", {"classes": 10, "candidates": 51}, "an affinity matrix of 5100 rows"),
    ):
        size = {"classes": 5, "candidates": 3} | options
        result = solver_times(solver, noise=0.1, seed=0, **size)
        assert says in result.pop("not_run") and set(result.values()) == {None}
    assert solver_times("exhaustive", 5, 3, 0.1, 0, problems=1, limit=243)["nodes"] == [243]
    assert why_not_run("branch_and_bound", [400] * 400) is None
    cut = solver_times("branch_and_bound", 5, 3, 0.5, 0, problems=2, node_limit=0)
    assert cut["excess"] == [None, None] and cut["optimal"] == [False, False]
    assert solver_times("faq", 1, 2, 0.1, 0, problems=1)["excess"] == [None]  # the optimum costs nothing
    with pytest.raises(ValueError, match="solver must be one of"):
        solver_times("simplex", 2, 2, 0.1, 0)


def test_a_timed_run_is_warm_and_single_threaded(monkeypatch):
    calls = []

    def spy(graph, model, **options):
        calls.append(
            (options.get("solver"), [pool["num_threads"] for pool in threadpoolctl.threadpool_info()])
        )
        return match(graph, model, **options)

    monkeypatch.setattr(planted_module, "match", spy)
    with threadpoolctl.threadpool_limits(2):
        solver_times("faq", 3, 2, 0.1, 0, problems=2)
    timed = [threads for solver, threads in calls if solver == "faq"]
    assert len(timed) == 3 and all(set(threads) <= {1} for threads in timed)


@pytest.mark.parametrize("solver", ["faq", "2opt", "rrwm", "ipfp", "sm"])
def test_no_solver_leaves_a_region_free_while_a_class_is_empty(rng, solver):
    if solver in AFFINITY_SOLVERS:
        pytest.importorskip("pygmtools", reason="pygmtools is not installed")
    for _ in range(25):
        regions, classes = int(rng.integers(1, 4)), 4
        points = rng.random((regions, 2))
        distances = np.linalg.norm(points[:, None] - points, axis=2)
        membership = rng.dirichlet(np.ones(classes), regions)
        graph = RegionGraph.from_arrays(membership.argmax(axis=1), membership, distances)
        places = rng.random((classes, 2))
        model = ModelGraph.from_arrays(np.linalg.norm(places[:, None] - places, axis=2))
        options = {"candidates": "all", "empty_dissimilarity": 0.01}  # to stay empty would be cheap
        best = match(graph, model, **options)
        found = match(graph, model, solver=solver, **options)
        assert (found.assignment >= 0).sum() == (best.assignment >= 0).sum() == regions
        assert_legal(found.assignment, regions)
        assert found.cost >= best.cost - 1e-9
