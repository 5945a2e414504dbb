"""Regions left over by the matching: both rules against their definitions, carried out by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist

from segstudy.papers.graph_matching import ModelGraph, RegionGraph, match, reassign, region_graph

KINDS = ["minimum", "centroid", "maximum", "minimum+maximum"]


def picture(seed, num_classes=4, size=24):
    """Blobs with soft edges, several regions to a class."""
    rng = np.random.default_rng(seed)
    scores = 20 * gaussian_filter(rng.standard_normal((num_classes, size, size)), (0, 2, 2))
    odds = np.exp(scores)
    return np.moveaxis(odds / odds.sum(axis=0), 0, 2)


def graphs(seed, background=None, edges="minimum"):
    """Build the graph of one such picture and the model of another, all of whose classes are there."""
    probabilities, options = picture(seed), {"background": background, "edges": edges}
    graph = region_graph(probabilities.argmax(axis=2), probabilities, **options)
    return (
        probabilities,
        graph,
        ModelGraph.from_label_maps([picture(seed + 999).argmax(axis=2)], 4, **options),
    )


def test_a_stray_region_joins_what_is_like_it_and_near():
    distances = np.array([[0, 10, 9, 1], [10, 0, 1, 9], [9, 1, 0, 8], [1, 9, 8, 0]], dtype=float)
    membership = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.7, 0.3]])
    graph = RegionGraph.from_arrays([0, 1, 0, 0], membership, distances)
    model = ModelGraph.from_arrays([[0, 10], [10, 0]])
    matching = match(graph, model)
    np.testing.assert_array_equal(matching.assignment, [0, 1])
    # by hand, region 2: class 0 .4 * .424 + .6 * .9 = .710, class 1 .4 * .707 + .6 * .1 = .343
    np.testing.assert_array_equal(reassign(graph, model, matching), [0, 1, 1, 0])
    # with alpha 1 only likeness counts: .424 < .707
    np.testing.assert_array_equal(reassign(graph, model, matching, alpha=1), [0, 1, 0, 0])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("background", [None, 0])
def test_rule_of_the_paper_loop_by_loop(seed, background):
    _, graph, model = graphs(seed, background)
    matching = match(graph, model)
    classes = reassign(graph, model, matching, alpha=0.3)
    matched = {int(i): c for c, i in enumerate(matching.assignment) if i >= 0}
    for k in range(len(graph)):
        costs = {}
        for i, c in matched.items():  # Eq. 6
            likeness = np.linalg.norm(graph.membership[i] - graph.membership[k])
            costs[c] = 0.3 * likeness + 0.7 * graph.edges[i, k, 0] / graph.edges.max()
        assert classes[k] == (matched[k] if k in matched else min(costs, key=costs.get))
    assert len(matched) < len(graph)


def distance(a, b, kind):
    apart = {"minimum": np.min, "maximum": np.max}
    if kind == "centroid":
        return [np.linalg.norm(a.mean(axis=0) - b.mean(axis=0))]
    return [apart[name](cdist(a, b)) for name in kind.split("+")]


def full_cost(pixels, probabilities, model, matching, alpha=0.4):
    """Eq. 4 of one group of pixels per class, from the pixels."""
    cost = 0.0
    for c, own in pixels.items():
        cost += alpha * np.linalg.norm(probabilities[tuple(own.T)].mean(axis=0) - np.eye(4)[c])
        for d, other in pixels.items():
            if c != d:
                gap = np.abs(np.array(distance(own, other, model.kind)) / matching.scale - model.edges[c, d])
                cost += (1 - alpha) * (gap / matching.maxima).mean()
    return cost


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("background", [None, 0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_later_rule_from_the_pixels(seed, background, kind):
    probabilities, graph, model = graphs(seed, background, kind)
    matching = match(graph, model)
    pixels = {c: np.argwhere(graph.map == i) for c, i in enumerate(matching.assignment) if i >= 0}
    assert full_cost(pixels, probabilities, model, matching) == pytest.approx(matching.cost)
    expected = graph.classes.copy()
    leftover = sorted(
        set(range(len(graph))) - set(matching.assignment.tolist()), key=lambda k: -graph.sizes[k]
    )
    for k in leftover:
        own, before = np.argwhere(graph.map == k), full_cost(pixels, probabilities, model, matching)
        merged = {c: pixels | {c: np.vstack([pixels[c], own])} for c in pixels}
        costs = {c: full_cost(m, probabilities, model, matching) for c, m in merged.items()}
        best = min(costs, key=costs.get)
        if costs[best] < before:
            expected[k], pixels = best, merged[best]
        elif background is not None:
            expected[k] = background
    np.testing.assert_array_equal(reassign(graph, model, matching, "many_to_one_or_none"), expected)


def test_several_models_and_scale_are_those_of_the_matching():
    _, graph, model = graphs(5)
    other = ModelGraph.from_label_maps([picture(77).argmax(axis=2)], 4)
    for models in ([model, other], [other, model]):
        matching = match(graph, models, scale="estimated")
        for rule in ("paper", "many_to_one_or_none"):
            several = reassign(graph, models, matching, rule)
            np.testing.assert_array_equal(several, reassign(graph, models[matching.model], matching, rule))


def test_without_a_matched_region_the_network_keeps_its_word():
    graph = RegionGraph.from_arrays([0, 1, 1], np.full((3, 2), 0.5), 50.0 * (1 - np.eye(3)))
    model = ModelGraph.from_arrays([[0, 1], [1, 0]])
    matching = match(graph, model, empty="any", empty_dissimilarity=0)
    np.testing.assert_array_equal(matching.assignment, [-1, -1])
    for rule in ("paper", "many_to_one_or_none"):
        np.testing.assert_array_equal(reassign(graph, model, matching, rule), [0, 1, 1])


def test_what_does_not_belong_together_is_refused():
    _, graph, model = graphs(0)
    matching = match(graph, model)
    small = RegionGraph.from_arrays([0], np.eye(4)[:1], [[0.0]])
    with pytest.raises(ValueError, match="rule must be one of 'paper'"):
        reassign(graph, model, matching, "nearest")
    with pytest.raises(ValueError, match="alpha must lie in"):
        reassign(graph, model, matching, alpha=-1)
    with pytest.raises(ValueError, match="matching must be one of this graph"):
        reassign(small, model, matching)


def test_a_matched_region_takes_the_class_it_stands_for_without_the_third_constraint():
    distances = np.array([[0, 4, 9], [4, 0, 5], [9, 5, 0.0]])
    graph = RegionGraph.from_arrays([0, 0, 0], np.array([[0.6, 0.4], [0.5, 0.5], [0.9, 0.1]]), distances)
    model = ModelGraph.from_arrays(np.array([[0, 5], [5, 0.0]]))
    matching = match(graph, model, candidates="all")
    assert matching.assignment.tolist() == [2, 1]  # of all pairs 5 apart the one whose memberships fit best
    assert reassign(graph, model, matching)[[2, 1]].tolist() == [0, 1]
