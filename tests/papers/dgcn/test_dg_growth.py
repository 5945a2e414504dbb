"""Labels grown from cues: against networkx's minimum cut, a flood fill, a dense solve, and answers known by hand."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from segstudy.papers.dgcn import (
    graph_cut_labels,
    grow_seeds,
    join_features,
    knn_edges,
    propagate_labels,
    walker_labels,
    walker_probabilities,
)

VOID = 255
ROW = np.array([[0, 1], [1, 2]])
GROW = {"cut": graph_cut_labels, "propagation": propagate_labels, "walker": walker_labels}


def random_picture(seed: int, side: int = 7, classes: int = 4):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.6), (side, side))
    cues = np.full((side, side), VOID)
    present = sorted(rng.choice(np.arange(1, classes), rng.integers(1, classes), replace=False).tolist())
    for name in (0, *present):
        cues[rng.integers(side), rng.integers(side)] = name
    features = torch.from_numpy(rng.normal(size=(side * side, 5)))
    return cues, probabilities, knn_edges(features, 5), present


def price(labels, cues, belief, name, edges, c0, c1):
    """Return what Table 1 charges for a labelling, in the orientation that works, term by term."""
    total = 0.0
    for kept, cue, h in zip(
        labels.ravel(), cues.ravel(), np.clip(belief.ravel(), 1e-6, 1 - 1e-6), strict=True
    ):
        if cue == VOID:
            total += -math.log10(h) if kept else -math.log10(1 - h)
        else:
            total += c1 * (kept != (cue == name))
    return total + sum(c0 * (labels.ravel()[p] != labels.ravel()[q]) for p, q in edges)


def networkx_cut(cues, belief, name, edges, c0, c1):
    graph = nx.DiGraph()
    for p, (cue, h) in enumerate(zip(cues.ravel(), np.clip(belief.ravel(), 1e-6, 1 - 1e-6), strict=True)):
        to_s, to_t = -math.log10(1 - h), -math.log10(h)
        if cue != VOID:
            to_s, to_t = c1 * (cue == name), c1 * (cue != name)
        graph.add_edge("S", p, capacity=to_s)
        graph.add_edge(p, "T", capacity=to_t)
    for p, q in edges:
        graph.add_edge(p, q, capacity=c0)
        graph.add_edge(q, p, capacity=c0)
    value, (source, _) = nx.minimum_cut(graph, "S", "T")
    return value, np.array([p in source for p in range(cues.size)]).reshape(cues.shape)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("c0, c1", [(1.0, 10.0), (0.2, 0.7)])
def test_each_cut_costs_what_networkx_finds_and_its_labels_are_kept_above_theta(seed, c0, c1):
    cues, probabilities, edges, _ = random_picture(seed)
    cues[(cues != VOID) & (cues != 0)] = VOID
    cues[3, 3] = 2  # one object: the labels are its cut
    belief = probabilities[:, :, 2] / (probabilities[:, :, 0] + probabilities[:, :, 2])
    labels = graph_cut_labels(cues, probabilities, edges, [2], theta=0.0, c0=c0, c1=c1)
    value, _ = networkx_cut(cues, belief, 2, edges, c0, c1)
    assert set(np.unique(labels)) <= {0, 2, VOID}
    free = cues != 0  # a cue of the background stays one even where the cut overrules it
    ours = np.where(free, labels == 2, networkx_cut(cues, belief, 2, edges, c0, c1)[1])
    assert price(ours, cues, belief, 2, edges, c0, c1) == pytest.approx(value, abs=1e-6)
    sure = graph_cut_labels(cues, probabilities, edges, [2], theta=0.6, c0=c0, c1=c1)
    np.testing.assert_array_equal(sure == 2, (labels == 2) & (belief > 0.6))


def test_the_t_links_by_hand_both_ways_round():
    # Object, unknown with H = 0.9, background, hardly joined: the middle is the object's; as printed it is not.
    cues = np.array([[1, VOID, 0]])
    probabilities = np.array([[[0.1, 0.9], [0.1, 0.9], [0.9, 0.1]]])
    found = [
        graph_cut_labels(cues, probabilities, ROW, [1], theta=0.0, c0=0.01, printed=printed).tolist()
        for printed in (False, True)
    ]
    assert found == [[[1, 1, 0]], [[1, VOID, 0]]]


def test_theta_hides_the_printed_orientation():
    # With theta 0.7 the printed links can only drop what is sure: what they add has H below it.
    cues, probabilities, edges, present = random_picture(3)
    printed = graph_cut_labels(cues, probabilities, edges, present, theta=0.7, c0=0.0, printed=True)
    assert set(np.unique(printed)) <= {0, *present, VOID}
    unseeded = cues == VOID
    assert not np.isin(printed[unseeded], present).any()


def test_neighbours_pass_a_label_to_a_second_instance_that_region_growing_never_reaches():
    # Two blobs of the same feature, far apart; only the first has a cue.
    features, cues = np.zeros((6, 9, 2)), np.full((6, 9), VOID)
    features[1:4, 1:3, 0] = features[1:4, 6:8, 0] = 1
    features += 0.01 * np.random.default_rng(0).normal(size=features.shape)
    cues[2, 1], cues[0, 4], cues[5, 4] = 1, 0, 0
    blob = features[:, :, 0] > 0.5
    probabilities = np.where(blob[..., None], [0.45, 0.55], [0.6, 0.4])
    edges = knn_edges(torch.from_numpy(features.reshape(-1, 2)), 10)
    cut = graph_cut_labels(cues, probabilities, edges, [1], theta=0.5)
    grown = grow_seeds(cues, probabilities, [1], foreground=0.5, background=0.99)
    assert (cut[1:4, 6:8] == 1).all()
    assert not (grown[1:4, 6:8] == 1).any() and (grown[1:4, 1:3] == 1).all()


def test_several_objects_claim_a_node_and_the_most_probable_has_it():
    cues = np.array([[1, VOID, 2]])
    probabilities = np.array([[[0.0, 0.8, 0.2], [0.0, 0.45, 0.55], [0.0, 0.2, 0.8]]])
    labels = graph_cut_labels(cues, probabilities, ROW, [1, 2], theta=0.3, c0=0.0)
    assert labels.tolist() == [[1, 2, 2]]


def test_cues_below_theta_are_dropped_unless_kept():
    cues = np.array([[1, VOID, 0]])
    probabilities = np.array([[[0.6, 0.4], [0.6, 0.4], [0.9, 0.1]]])
    dropped = graph_cut_labels(cues, probabilities, ROW, [1])
    kept = graph_cut_labels(cues, probabilities, ROW, [1], keep_cues=True)
    assert dropped.tolist() == [[VOID, VOID, 0]] and kept.tolist() == [[1, VOID, 0]]


def test_absent_classes_do_not_starve_the_labels():
    cues = np.array([[1, VOID, 0]])
    probabilities = np.array([[[0.02, 0.18, 0.8]] * 2 + [[0.18, 0.02, 0.8]]])
    assert graph_cut_labels(cues, probabilities, ROW, [1], c0=0.01).tolist() == [[1, 1, 0]]


def flood(cues, present, ids, foreground, background):
    """Grow with a stack, pixel by pixel."""
    height, width = cues.shape
    likely, sure = present.argmax(2), present.max(2)
    labels = cues.copy()
    for index, name in enumerate(ids):
        limit = background if name == 0 else foreground
        ok = (likely == index) & (sure > limit)
        stack = [tuple(at) for at in np.argwhere((cues == name) & ok)]
        seen = set(stack)
        while stack:
            r, c = stack.pop()
            labels[r, c] = name
            for dr in (-1, 0, 1):
                for dc in (-1, 0, 1):
                    at = (r + dr, c + dc)
                    inside = 0 <= at[0] < height and 0 <= at[1] < width
                    if inside and at not in seen and ok[at] and cues[at] in (VOID, name):
                        seen.add(at)
                        stack.append(at)
    return labels


@pytest.mark.parametrize("seed", range(20))
def test_region_growing_equals_a_flood_fill(seed):
    cues, probabilities, _, present = random_picture(seed, side=12)
    chosen = probabilities[:, :, [0, *present]]
    chosen = chosen / chosen.sum(axis=2, keepdims=True)
    for foreground, background in ((0.4, 0.5), (0.85, 0.99), (0.0, 0.0)):
        expected = flood(cues, chosen, [0, *present], foreground, background)
        found = grow_seeds(cues, probabilities, present, foreground=foreground, background=background)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(5))
def test_propagation_equals_a_dense_solve(seed):
    cues, probabilities, edges, present = random_picture(seed)
    n, ids = cues.size, [0, *present]
    weights = np.zeros((n, n))
    weights[edges[:, 0], edges[:, 1]] = weights[edges[:, 1], edges[:, 0]] = 1
    scale = np.diag(weights.sum(1) ** -0.5)
    chosen = probabilities[:, :, ids].reshape(n, -1)
    start = 0.1 * chosen / chosen.sum(1, keepdims=True)
    for node, cue in enumerate(cues.ravel()):
        if cue != VOID:
            start[node] = [float(cue == name) for name in ids]
    solved = 0.1 * np.linalg.solve(np.eye(n) - 0.9 * scale @ weights @ scale, start)
    shares = solved / solved.sum(1, keepdims=True)
    expected = np.where(shares.max(1) > 0.5, np.array(ids)[shares.argmax(1)], VOID).reshape(cues.shape)
    np.testing.assert_array_equal(propagate_labels(cues, probabilities, edges, present, theta=0.5), expected)


@pytest.mark.parametrize("seed", range(5))
def test_a_walker_ends_where_many_walks_do(seed):
    """Grady's equations against the absorbing chain itself: N = (I - Q)^-1, and the chances of absorption N R."""
    cues, probabilities, edges, present = random_picture(seed)
    n, ids, gamma = cues.size, [0, *present], 0.5
    weights = np.zeros((n, n))
    weights[edges[:, 0], edges[:, 1]] = weights[edges[:, 1], edges[:, 0]] = 1
    step = weights / (weights.sum(axis=1, keepdims=True) + gamma)
    taken = gamma / (weights.sum(axis=1) + gamma)
    free = cues.ravel() == VOID
    chosen = probabilities[:, :, ids].reshape(n, -1)
    chosen = chosen / chosen.sum(axis=1, keepdims=True)
    at_cue = (cues.ravel()[:, None] == ids).astype(float)
    absorbed = step[free][:, ~free] @ at_cue[~free] + taken[free, None] * chosen[free]
    expected = at_cue.copy()
    expected[free] = np.linalg.inv(np.eye(free.sum()) - step[free][:, free]) @ absorbed
    found = walker_probabilities(cues, probabilities, edges, present, gamma=gamma)
    np.testing.assert_allclose(found.reshape(n, -1), expected, atol=1e-6)
    labels = walker_labels(cues, probabilities, edges, present, theta=0.6, gamma=gamma).ravel()
    sure = expected.max(axis=1) > 0.6
    np.testing.assert_array_equal(labels, np.where(sure, np.array(ids)[expected.argmax(axis=1)], VOID))
    with pytest.raises(ValueError, match="gamma"):
        walker_probabilities(cues, probabilities, edges, present, gamma=0.0)


def test_a_threshold_of_the_background_labels_what_no_object_claims():
    H = np.zeros((1, 4, 2))
    H[0, :, 1] = [0.9, 0.4, 0.2, 0.05]
    H[0, :, 0] = 1 - H[0, :, 1]
    cues, none = np.full((1, 4), VOID), np.empty((0, 2), int)
    assert graph_cut_labels(cues, H, none, [1]).tolist() == [[1, VOID, VOID, VOID]]
    assert graph_cut_labels(cues, H, none, [1], background=0.7).tolist() == [[1, VOID, 0, 0]]
    with pytest.raises(ValueError, match="background must be in"):
        graph_cut_labels(cues, H, none, [1], background=1.2)


def test_edges_are_scikit_learn_s_neighbours():
    features = torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    expected = set()
    for node, row in enumerate(
        NearestNeighbors(n_neighbors=9).fit(features).kneighbors(return_distance=False)
    ):
        expected |= {tuple(sorted((node, int(other)))) for other in row}
    assert {tuple(pair) for pair in knn_edges(features, 10).tolist()} == expected
    assert len(knn_edges(features[:4], 10)) == 6  # fewer nodes than neighbours: all are joined


def test_features_of_several_layers_have_the_last_one_s_size_and_length_one_each():
    maps = [torch.randn(3, 8, 8), torch.randn(5, 4, 4)]
    joined = join_features(maps)
    assert joined.shape == (16, 8)
    torch.testing.assert_close(joined[:, :3].norm(dim=1), torch.ones(16))
    torch.testing.assert_close(joined[:, 3:].norm(dim=1), torch.ones(16))
    raw = join_features(maps, unit=False)
    torch.testing.assert_close(raw[:, 3:], maps[1].flatten(1).T)
    with pytest.raises(ValueError, match="maps must be"):
        join_features([])


@pytest.mark.parametrize("kind", ["cut", "growing", "propagation", "walker"])
def test_bad_input_is_refused_and_odd_input_has_a_defined_answer(kind):
    def grow(cues, probabilities, edges, classes):
        if kind == "growing":
            return grow_seeds(cues, probabilities, classes)
        return GROW[kind](cues, probabilities, edges, classes)

    cues, probabilities, edges, present = random_picture(1)
    for wrong, argument in (
        ((cues, np.where(probabilities > 0.5, np.nan, probabilities), edges, present), "probabilities"),
        ((cues[:3], probabilities, edges, present), "cues"),
        ((cues, probabilities, edges, [0]), "classes"),
        ((cues, probabilities, edges, [9]), "classes"),
        ((np.where(cues == VOID, 3, cues), probabilities, edges, [1]), "cues"),
    ):
        with pytest.raises(ValueError, match=argument):
            grow(*wrong)
    nothing = np.full(cues.shape, VOID)
    assert set(np.unique(grow(nothing, probabilities, edges, []))) <= {0, VOID}
    everything = grow(nothing, probabilities, edges, [1, 2, 3])
    assert set(np.unique(everything)) <= {0, 1, 2, 3, VOID}
    one = grow(cues[:1, :1], probabilities[:1, :1], edges[:0], present)
    assert one.shape == (1, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_thresholds_out_of_range_are_refused(value):
    cues, probabilities, edges, present = random_picture(1)
    for grow in GROW.values():
        with pytest.raises(ValueError, match="theta"):
            grow(cues, probabilities, edges, present, theta=value)
    with pytest.raises(ValueError, match="foreground"):
        grow_seeds(cues, probabilities, present, foreground=value)


def test_a_thousand_random_inputs_give_labels_of_the_picture_s_classes():
    for seed in range(1000):
        cues, probabilities, edges, present = random_picture(seed, side=4, classes=3 + seed % 4)
        if seed % 5 == 0:  # probabilities of exactly 0 and 1
            probabilities = np.eye(probabilities.shape[2])[probabilities.argmax(axis=2)]
        for labels in (
            graph_cut_labels(cues, probabilities, edges, present),
            grow_seeds(cues, probabilities, present),
            propagate_labels(cues, probabilities, edges, present),
            walker_labels(cues, probabilities, edges, present),
        ):
            assert labels.dtype == np.uint8 and set(np.unique(labels)) <= {0, *present, VOID}
