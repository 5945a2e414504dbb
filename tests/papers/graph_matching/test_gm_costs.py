"""The cost of a matching: the paper's figure, the matrix K written out entry by entry, the maximum, the scale."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.papers.graph_matching import ModelGraph, RegionGraph, dense_affinity, estimate_scale
from segstudy.papers.graph_matching.costs import build_problem, edge_maxima


def random_graphs(rng, n, num_classes, attributes=1):
    """Regions with some class each and any edges; relations to the last class unknown."""
    classes = rng.integers(0, num_classes, n)
    edges, expected = (
        rng.uniform(0, 9, (n, n, attributes)),
        rng.uniform(0, 9, (num_classes, num_classes, attributes)),
    )
    edges, expected = edges + np.swapaxes(edges, 0, 1), expected + np.swapaxes(expected, 0, 1)
    edges[np.arange(n), np.arange(n)] = 0
    expected[-1], expected[:, -1] = np.nan, np.nan
    membership = rng.dirichlet(np.ones(num_classes), n)
    places = rng.uniform(0, 9, (n, 2))
    kind = "minimum" if attributes == 1 else "minimum+maximum"
    graph = RegionGraph(np.arange(n)[None], classes, rng.integers(1, 9, n), places, membership, edges, kind)
    return graph, ModelGraph(expected, kind)


def test_figure_4_of_the_paper():
    """Kv[1, 1] = 0.4 in the row and column of 2a, Ke[6, 1] = |16 - 7| = 9 in the row of 3b and the column of 2a."""
    distances, expected = np.full((4, 4), 10.0), np.full((3, 3), 8.0)
    distances[1, 2] = distances[2, 1] = 16  # edge (2, 3) of Gr
    expected[0, 1] = expected[1, 0] = 7  # edge (a, b) of Gm
    membership = np.full((4, 3), 1 / 3)
    membership[1] = 1 - 0.4 / np.sqrt(2), 0.4 / np.sqrt(2), 0  # 0.4 from (1, 0, 0)
    graph = RegionGraph.from_arrays([1, 0, 1, 2], membership, distances)
    total, vertex, edge = dense_affinity(graph, ModelGraph.from_arrays(expected))
    assert total.shape == (12, 12)
    assert vertex[1, 1] == pytest.approx(0.4) and edge[6, 1] == edge[1, 6] == 9
    assert edge.max() == 9 and vertex[6, 1] == 0
    assert total[1, 1] == pytest.approx(0.4 * 0.4) and total[6, 1] == pytest.approx(0.6)  # Eq. 5


@pytest.mark.parametrize("vertex", ["euclidean", "squared"])
@pytest.mark.parametrize("attributes", [1, 2])
def test_affinity_written_out_entry_by_entry(rng, vertex, attributes):
    graph, model = random_graphs(rng, 5, 3, attributes)
    total, vertices, edges = dense_affinity(graph, model, 0.3, vertex)
    K_v, K_e = np.zeros((15, 15)), np.zeros((15, 15, attributes))
    for i in range(5):
        for a in range(3):
            gap = graph.membership[i] - np.eye(3)[a]
            K_v[i + 5 * a, i + 5 * a] = np.linalg.norm(gap) if vertex == "euclidean" else (gap**2).mean()
            for j in range(5):
                for b in range(3):
                    if i != j and a != b and not np.isnan(model.edges[a, b]).any():
                        K_e[i + 5 * a, j + 5 * b] = abs(graph.edges[i, j] - model.edges[a, b])
    maxima = K_e.max(axis=(0, 1))
    np.testing.assert_allclose(vertices, K_v)
    np.testing.assert_allclose(total, 0.3 * K_v + 0.7 * (K_e / maxima).mean(axis=2))
    np.testing.assert_allclose(edge_maxima(graph, [model], [1.0]), maxima)
    np.testing.assert_allclose(edges, K_e[..., 0] if attributes == 1 else (K_e / maxima).mean(axis=2))
    raw = dense_affinity(graph, model, 0.3, vertex, normaliser="none").total
    np.testing.assert_allclose(raw, 0.3 * K_v + 0.7 * K_e.mean(axis=2))


@pytest.mark.parametrize("attributes", [1, 2])
def test_cost_of_a_choice_is_the_quadratic_form_of_the_paper(rng, attributes):
    for _ in range(50):
        n, num_classes = rng.integers(3, 8), rng.integers(1, 4)
        graph, model = random_graphs(rng, n, num_classes, attributes)
        graph.classes[:num_classes] = np.arange(num_classes)
        maxima = edge_maxima(graph, [model], [1.0])
        problem = build_problem(graph, model, 0.4, "euclidean", maxima, 1.0, 0.0, False)
        choice = np.array([rng.choice(np.flatnonzero(problem.owner == c)) for c in range(num_classes)])
        X = np.zeros((n, num_classes))
        X[problem.region[choice], np.arange(num_classes)] = 1
        x = X.ravel(order="F")  # Eq. 4: vec(X)^T K vec(X)
        assert problem.cost(choice) == pytest.approx(x @ dense_affinity(graph, model).total @ x)


def test_only_small_graphs_have_a_dense_matrix(rng):
    graph, model = random_graphs(rng, 1001, 2)
    with pytest.raises(ValueError, match="1001 regions x 2 classes"):
        dense_affinity(graph, model)
    with pytest.raises(ValueError, match="vertex must be one of"):
        dense_affinity(*random_graphs(rng, 3, 2), vertex="cosine")


def test_scale_is_the_ratio_of_the_largest_regions_whatever_the_rest(rng):
    places = rng.uniform(0, 9, (6, 2))
    expected = np.linalg.norm(places[:, None] - places, axis=2)
    extra = np.concatenate([3 * places, rng.uniform(0, 99, (4, 2))])
    distances = np.linalg.norm(extra[:, None] - extra, axis=2)
    toy = RegionGraph.from_arrays([0, 1, 2, 3, 4, 5, 0, 1, 2, 3], np.full((10, 6), 1 / 6), distances)
    sizes = np.array([9] * 6 + [1] * 4)
    graph = RegionGraph(toy.map, toy.classes, sizes, toy.centroids, toy.membership, toy.edges)
    assert estimate_scale(graph, ModelGraph.from_arrays(expected)) == pytest.approx(3)
    sizes[6] = 10  # one class's largest region is a wrong one
    assert estimate_scale(graph, ModelGraph.from_arrays(expected)) == pytest.approx(3)


def test_scale_minimises_the_sum_of_differences(rng):
    for _ in range(20):
        graph, model = random_graphs(rng, 6, 6)
        graph.classes[:] = rng.permutation(6)
        scale = estimate_scale(graph, model)
        a, b = np.triu_indices(6, 1)
        found, expected = graph.edges[a, b, 0], model.edges[graph.classes[a], graph.classes[b], 0]

        def loss(s, found=found, expected=expected):
            return np.nansum(abs(found - s * expected))

        assert loss(scale) <= min(loss(s) for s in np.linspace(0.05, 8, 400)) + 1e-9


def test_without_a_telling_pair_the_scale_is_one():
    alone = RegionGraph.from_arrays([0, 0], np.ones((2, 1)), np.full((2, 2), 4.0))
    assert estimate_scale(alone, ModelGraph.from_arrays([[0.0]])) == 1
    np.testing.assert_array_equal(edge_maxima(alone, [ModelGraph.from_arrays([[0.0]])], [1.0]), [1])
