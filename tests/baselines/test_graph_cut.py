"""The minimum cut against all labellings of a small image, scipy's maximum flow, and pictures checked by hand."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from segstudy.baselines import seeded_graph_cut
from segstudy.errors import StudyError
from segstudy.graphs import contrast_weights, grid_edges


def energy(labels, seeds, edges, weights, foreground=None, unary_weight=1.0):
    """E(A) of Boykov & Jolly, seeds excepted, term by term."""
    total = 0.0
    for node, label in enumerate(labels):
        if foreground is not None and seeds.flat[node] == -1:
            total -= unary_weight * np.log(foreground.flat[node] if label else 1 - foreground.flat[node])
    return total + sum(w for (p, q), w in zip(edges, weights, strict=True) if labels[p] != labels[q])


def all_labellings(seeds):
    free = np.flatnonzero(seeds.ravel() == -1)
    for values in product((0, 1), repeat=len(free)):
        labels = seeds.ravel().copy()
        labels[free] = values
        yield labels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("unary_weight", [None, 0.3, 2.0])
def test_no_labelling_of_nine_pixels_costs_less(seed, unary_weight):
    rng = np.random.default_rng(seed)
    seeds = np.full((3, 3), -1)
    seeds.flat[rng.choice(9, 3, replace=False)] = [0, 1, seed % 2]
    edges = grid_edges((3, 3), 1 + seed % 2)
    weights = rng.random(len(edges)) * 2
    foreground = None if unary_weight is None else rng.uniform(0.05, 0.95, (3, 3))
    terms = (seeds, edges, weights, foreground, unary_weight or 1.0)
    costs = {tuple(labels): energy(labels, *terms) for labels in all_labellings(seeds)}
    cut = seeded_graph_cut(*terms)
    best = min(costs, key=costs.get)
    assert cut.energy == pytest.approx(costs[best]) == pytest.approx(energy(cut.labels.ravel(), *terms))
    assert tuple(cut.labels.ravel()) == best
    assert cut.labels.shape == (3, 3) and cut.labels.dtype == np.uint8


@pytest.mark.parametrize("seed", range(4))
def test_equals_scipys_maximum_flow_on_integers(seed):
    rng = np.random.default_rng(seed)
    seeds = rng.choice([-1, -1, -1, 0, 1], (5, 6))
    edges = grid_edges((5, 6), 2)
    weights, hard, n = rng.integers(0, 12, len(edges)), 15, 30
    source, sink = np.flatnonzero(seeds.ravel() == 1), np.flatnonzero(seeds.ravel() == 0)
    rows = np.concatenate([edges[:, 0], edges[:, 1], np.full(len(source), n), sink])
    columns = np.concatenate([edges[:, 1], edges[:, 0], source, np.full(len(sink), n + 1)])
    capacity = np.concatenate([weights, weights, np.full(len(source) + len(sink), hard)])
    graph = csr_array((capacity.astype(np.int32), (rows, columns)), shape=(n + 2, n + 2))
    cut = seeded_graph_cut(seeds, edges, weights, hard_link=hard)
    assert cut.energy == maximum_flow(graph, n, n + 1).flow_value > 0


def test_equals_scipys_maximum_flow_with_probabilities(rng):
    foreground, edges, scale, n = rng.uniform(0.01, 0.99, (4, 5)), grid_edges((4, 5)), 1e5, 20
    nodes, weights = np.arange(n), rng.random(len(edges))
    rows = np.concatenate([edges[:, 0], edges[:, 1], np.full(n, n), nodes])
    columns = np.concatenate([edges[:, 1], edges[:, 0], nodes, np.full(n, n + 1)])
    links = -np.log(1 - foreground.ravel()), -np.log(foreground.ravel())
    capacity = np.rint(np.concatenate([weights, weights, *links]) * scale).astype(np.int32)
    flow = maximum_flow(csr_array((capacity, (rows, columns)), shape=(n + 2, n + 2)), n, n + 1).flow_value
    cut = seeded_graph_cut(np.full((4, 5), -1), edges, weights, foreground)
    assert cut.energy == pytest.approx(flow / scale, abs=1e-3)


def test_three_by_three_by_hand():
    """A bright column: the cut follows it, at the price of its three faint links."""
    image = np.array([[9, 9, 0], [9, 9, 0], [9, 9, 0]])
    seeds = np.full((3, 3), -1)
    seeds[0, 0], seeds[2, 2] = 1, 0
    edges = grid_edges((3, 3))
    weights = contrast_weights(image, edges)
    # 12 edges, 3 of contrast 81: sigma squared is 20.25, and the faint links exp(-81 / 40.5) = exp(-2).
    cut = seeded_graph_cut(seeds, edges, weights)
    np.testing.assert_array_equal(cut.labels, image > 0)
    assert cut.energy == pytest.approx(3 * np.exp(-2))


def test_a_likely_foreground_pixel_is_foreground():
    # With Table 1 of Feng et al. 2021 as printed, H = 0.9 would end on the background's side.
    cut = seeded_graph_cut(np.array([-1, -1]), np.zeros((0, 2), int), 0.0, np.array([0.9, 0.1]))
    assert cut.labels.tolist() == [1, 0] and cut.energy == pytest.approx(-2 * np.log(0.9))


def test_seeds_beat_probabilities_and_links():
    seeds = np.array([[0, 1, 0]])
    cut = seeded_graph_cut(seeds, grid_edges((1, 3)), 50.0, np.array([[1.0, 0.0, 1.0]]))
    np.testing.assert_array_equal(cut.labels, seeds)
    assert cut.energy == pytest.approx(100)
    weaker = seeded_graph_cut(seeds, grid_edges((1, 3)), 50.0, hard_link=10.0)  # two seeds outvote one
    assert weaker.labels.tolist() == [[0, 0, 0]] and weaker.energy == pytest.approx(10)


def test_exchanging_the_two_sides_exchanges_the_labels(rng):
    seeds, foreground = rng.choice([-1, -1, 0, 1], (6, 7)), rng.uniform(0.05, 0.95, (6, 7))
    edges = grid_edges((6, 7), 2)
    weights = rng.random(len(edges))
    cut = seeded_graph_cut(seeds, edges, weights, foreground)
    other = seeded_graph_cut(np.where(seeds < 0, seeds, 1 - seeds), edges, weights, 1 - foreground)
    np.testing.assert_array_equal(other.labels, 1 - cut.labels)
    assert other.energy == pytest.approx(cut.energy)


def test_ties_and_lonely_nodes_are_background():
    no_edges = np.zeros((0, 2), int)
    assert seeded_graph_cut(np.array([-1]), no_edges, 1.0).labels.tolist() == [0]
    assert seeded_graph_cut(np.array([-1]), no_edges, 1.0, np.array([0.5])).labels.tolist() == [0]
    row = np.array([1, -1, -1, 0])
    assert seeded_graph_cut(row, grid_edges((1, 4)), 1.0).labels.tolist() == [1, 0, 0, 0]


def test_lambda_weighs_regions_against_borders(rng):
    """Noise disappears as lambda falls."""
    truth = np.zeros((16, 16), dtype=int)
    truth[4:12, 4:12] = 1
    flipped = np.where(rng.random((16, 16)) < 0.1, 1 - truth, truth)
    foreground = np.where(flipped == 1, 0.8, 0.2)
    free, edges = np.full((16, 16), -1), grid_edges((16, 16))
    np.testing.assert_array_equal(seeded_graph_cut(free, edges, 0.5, foreground, 10.0).labels, flipped)
    assert (
        (seeded_graph_cut(free, edges, 0.5, foreground, 0.6).labels != truth).sum()
        <= 6
        < (flipped != truth).sum()
    )
    assert not seeded_graph_cut(free, edges, 0.5, foreground, 0.0).labels.any()


def test_certain_probabilities_cost_no_infinity():
    cut = seeded_graph_cut(np.full((1, 2), -1), grid_edges((1, 2)), 1e3, np.array([[1.0, 0.0]]))
    assert np.isfinite(cut.energy) and cut.labels[0, 0] == cut.labels[0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": np.array([[2, 0], [1, 1]])}, "seeds must be.*2"),
        ({"edges": np.array([[0, 4]])}, "edges must join nodes 0 to 3, got ids 0 to 4"),
        ({"edges": np.array([[1, 1]])}, "edges.*itself"),
        ({"weights": -1.0}, "weights.*-1"),
        ({"weights": np.nan}, "weights.*nan"),
        ({"foreground": np.full((1, 4), 0.5)}, r"foreground.*\(1, 4\)"),
        ({"foreground": np.full((2, 2), 1.5)}, "foreground.*1.5"),
        ({"unary_weight": -2.0}, "unary_weight.*-2"),
        ({"hard_link": np.inf}, "hard_link.*inf"),
    ],
)
def test_bad_input_is_named(change, words):
    good = {"seeds": np.full((2, 2), -1), "edges": np.array([[0, 1]]), "weights": 1.0}
    with pytest.raises(ValueError, match=words):
        seeded_graph_cut(**(good | change))


def test_without_pymaxflow_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "maxflow", None)
    with pytest.raises(StudyError, match="pip install PyMaxflow"):
        seeded_graph_cut(np.array([-1]), np.zeros((0, 2), int), 1.0)
