"""Times of graph matching: one picture of a face annotation's size, and every solver side by side; run by name.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_graph_matching.py --benchmark-only
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from segstudy.experiments.graph_matching.planted import planted, why_not_run
from segstudy.papers.graph_matching import ModelGraph, match, reassign, region_graph
from segstudy.papers.graph_matching.heuristics import AFFINITY_SOLVERS
from segstudy.papers.graph_matching.matching import SOLVERS


@pytest.fixture(scope="module")
def picture():
    """Probabilities of 9 classes in 512 x 352 pixels with 30 regions, and a model of another such picture."""
    rng = np.random.default_rng(0)

    def blobs():
        scores = 300 * gaussian_filter(rng.standard_normal((9, 512, 352)), (0, 40, 40))
        odds = np.exp(scores - scores.max(axis=0))
        return np.ascontiguousarray(np.moveaxis(odds / odds.sum(axis=0), 0, 2), dtype=np.float32)

    probabilities, labels = blobs(), blobs().argmax(axis=2)
    assert 27 <= len(region_graph(None, probabilities)) <= 40
    return probabilities, ModelGraph.from_label_maps([labels], 9)


def test_time_of_one_picture(benchmark, picture):
    probabilities, model = picture

    def whole():
        graph = region_graph(None, probabilities)
        matching = match(graph, model)
        return graph, reassign(graph, model, matching)

    graph, _ = benchmark(whole)
    benchmark.extra_info["regions"] = len(graph)


@pytest.mark.parametrize("solver", SOLVERS)
def test_time_of_solvers_on_one_picture(benchmark, picture, solver):
    probabilities, model = picture
    _compare(benchmark, solver, region_graph(None, probabilities), model)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [(5, 6), (6, 11), (9, 4), (9, 12), (9, 30)], ids="{0[0]}x{0[1]}".format)
def test_time_of_solvers_on_a_planted_problem(benchmark, size, solver):
    graph, model, truth = planted(*size, noise=0.05)
    matching = _compare(benchmark, solver, graph, model)
    benchmark.extra_info.update(found=int((matching.assignment == truth).sum()))


def _compare(benchmark, solver, graph, model):
    """Time one solver, after a first round that is not counted, and note what its matching costs beyond the best."""
    if solver in AFFINITY_SOLVERS:
        pytest.importorskip("pygmtools", reason="pygmtools is not installed")
    reason = why_not_run(solver, np.bincount(graph.classes).tolist())
    if reason is not None:
        pytest.skip(reason)
    optimum = match(graph, model)
    matching = benchmark.pedantic(
        lambda: match(graph, model, solver=solver, node_limit=2_000_000),
        rounds=5,
        iterations=1,
        warmup_rounds=1,
    )
    excess = matching.cost / optimum.cost - 1
    benchmark.extra_info.update(cost=matching.cost, excess=excess, nodes=matching.nodes)
    return matching


@pytest.mark.parametrize("noise", [0, 0.02, 0.05, 0.1, 0.2, 0.4, 1])
def test_time_of_planted_problem(benchmark, noise):
    problems = [planted(9, 12, noise, seed)[:2] for seed in range(5)]
    found = benchmark.pedantic(lambda: [match(*p) for p in problems], rounds=5, iterations=1)
    benchmark.extra_info.update(problems=len(problems), nodes=[m.nodes for m in found])


@pytest.mark.parametrize(
    "size",
    [(9, 30), (9, 100), (9, 200), (12, 12), (12, 30), (15, 20), (15, 30), (18, 12)],
    ids="{0[0]}x{0[1]}".format,
)
def test_time_by_size(benchmark, size):
    problem = planted(*size, noise=0.2)[:2]
    found = benchmark.pedantic(lambda: match(*problem), rounds=3, iterations=1)
    benchmark.extra_info.update(nodes=found.nodes, optimal=found.optimal)
