"""Region graphs, edge attributes, model graphs and cleaning, against brute force and pictures checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from segstudy.graphs import regions
from segstudy.papers.graph_matching import ModelGraph, clean_labels, model_graphs, region_graph
from segstudy.papers.graph_matching.edges import edge_attributes, largest_distances

MAPS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))
FACE = np.array([[0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 2, 0], [0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]])


def soft(labels, num_classes, seed=0):
    """Probabilities whose arg max is `labels`."""
    noise = np.random.default_rng(seed).dirichlet(np.ones(num_classes), labels.shape)
    return 0.55 * np.eye(num_classes)[labels] + 0.45 * noise


def brute(found, reduce):
    pixels = [np.argwhere(found.map == i) for i in range(len(found))]
    values = np.array([[reduce(cdist(a, b)) for b in pixels] for a in pixels])
    np.fill_diagonal(values, 0)
    return values


def test_graph_of_a_picture_checked_by_hand():
    graph = region_graph(FACE, soft(FACE, 3))
    np.testing.assert_array_equal(graph.classes, [0, 1, 2, 1])
    np.testing.assert_array_equal(graph.sizes, [20, 2, 1, 1])
    np.testing.assert_allclose(graph.edges[1, :, 0], [1, 0, 2, 2])
    np.testing.assert_allclose(graph.edges[3, 2, 0], np.hypot(2, 3))
    np.testing.assert_allclose(graph.membership[1], soft(FACE, 3)[1, 1:3].mean(axis=0))
    np.testing.assert_array_equal(graph.paint(graph.classes), FACE)


@given(MAPS, st.sampled_from([1, 2]))
@settings(max_examples=50, deadline=None)
def test_membership_is_the_mean_over_each_region(labels, connectivity):
    probabilities = soft(labels, 4).astype(np.float32)
    graph = region_graph(labels, probabilities, connectivity=connectivity)
    expected = [probabilities[graph.map == i].astype(float).mean(axis=0) for i in range(len(graph))]
    np.testing.assert_allclose(graph.membership, expected, atol=1e-12)
    np.testing.assert_array_equal(graph.classes, graph.membership.argmax(axis=1))


@given(MAPS)
@settings(max_examples=50, deadline=None)
def test_edge_attributes_equal_brute_force(labels):
    found = regions(labels, 2)
    smallest, largest = brute(found, np.min), brute(found, np.max)
    np.testing.assert_allclose(edge_attributes(found)[:, :, 0], smallest)
    np.testing.assert_allclose(largest_distances(found), largest)
    both = edge_attributes(found, "minimum+maximum", "diagonal") * np.hypot(*labels.shape)
    np.testing.assert_allclose(both, np.stack([smallest, largest], axis=2))
    np.testing.assert_allclose(
        edge_attributes(found, "centroid")[:, :, 0], cdist(found.centroids, found.centroids)
    )


@pytest.mark.parametrize("edges", ["minimum", "centroid", "maximum", "minimum+maximum"])
def test_background_leaves_the_graph_and_stays_in_the_picture(edges):
    whole = region_graph(FACE, soft(FACE, 3), edges=edges)
    part = region_graph(FACE, soft(FACE, 3), edges=edges, background=0)
    np.testing.assert_array_equal(part.classes, [1, 2, 1])
    np.testing.assert_allclose(part.edges, whole.edges[1:, 1:])
    np.testing.assert_allclose(part.membership, whole.membership[1:])
    np.testing.assert_array_equal(part.paint(part.classes), FACE)
    assert (part.map[FACE == 0] == -1).all()


def test_lengths_in_diagonals_do_not_change_with_the_unit_of_the_picture():
    near, far = (
        region_graph(m, soft(m, 3), edges="centroid", unit="diagonal") for m in (FACE, np.kron(FACE, TWICE))
    )
    np.testing.assert_allclose(near.edges, far.edges)
    assert not np.allclose(region_graph(FACE, soft(FACE, 3)).edges, near.edges)


TWICE = np.ones((2, 2), dtype=int)


@pytest.mark.parametrize(
    "change, error, says",
    [
        (dict(label_map=FACE.astype(float)), TypeError, "label_map must be an integer"),
        (dict(label_map=FACE[:3]), ValueError, "same \\(H, W\\)"),
        (dict(label_map=FACE + 1), ValueError, "label_map must hold the classes 0..2"),
        (dict(label_map=FACE - 1), ValueError, "label_map must hold the classes 0..2"),
        (dict(probabilities=2 * soft(FACE, 3)), ValueError, "probabilities"),
        (dict(probabilities=soft(FACE, 3) * np.nan), ValueError, "nan"),
        (dict(connectivity=4), ValueError, "connectivity must be 1"),
        (dict(background=3), ValueError, "background must be one of None, 0, 1, 2"),
        (dict(edges="mean"), ValueError, "edges must be one of 'minimum'"),
        (dict(unit="mm"), ValueError, "unit must be one of 'pixel'"),
    ],
)
def test_what_is_no_segmentation_is_refused(change, error, says):
    arguments = {"label_map": FACE, "probabilities": soft(FACE, 3)} | change
    with pytest.raises(error, match=says):
        region_graph(**arguments)
    with pytest.raises(ValueError, match="one class for each of 4 regions"):
        region_graph(FACE, soft(FACE, 3)).paint(np.zeros(3))


def test_model_is_the_mean_over_pictures_that_hold_both_classes():
    near, far = np.zeros((2, 9), dtype=np.uint8), np.zeros((2, 9), dtype=np.uint8)
    near[0, [0, 3, 8]] = 1, 2, 2  # two parts of class 2: the nearer counts
    far[0, [0, 7]] = 1, 2
    lonely = np.full((2, 9), 3, dtype=np.uint8)
    lonely[0, 0] = 255
    model = ModelGraph.from_label_maps([near, far, lonely], 5)
    np.testing.assert_allclose(model.edges[1, 2], [(3 + 7) / 2])
    np.testing.assert_allclose(model.edges[0, 1], [1])
    assert np.isnan(model.edges[3, :3]).all() and np.isnan(model.edges[4]).all()
    np.testing.assert_array_equal(model.edges, np.swapaxes(model.edges, 0, 1))
    np.testing.assert_array_equal(model.membership, np.eye(5))
    np.testing.assert_array_equal(ModelGraph.from_label_maps([far], 3, background=1).vertices, [0, 2])


def test_model_and_region_graph_agree_where_every_class_is_one_region(rng):
    labels = np.zeros((20, 30), dtype=np.uint8)
    labels[2:5, 3:9], labels[10:18, 4:6], labels[8:9, 20:25] = 1, 2, 3
    for edges in ("minimum", "centroid", "maximum", "minimum+maximum"):
        graph = region_graph(labels, soft(labels, 4), edges=edges, unit="diagonal")
        model = ModelGraph.from_label_maps([labels, labels], 4, edges=edges, unit="diagonal")
        order = np.argsort(graph.classes)
        np.testing.assert_allclose(model.edges, graph.edges[np.ix_(order, order)])


def test_several_models_find_the_groups_of_pictures():
    def picture(distance):
        labels = np.zeros((3, 40), dtype=np.uint8)
        labels[1, 2], labels[1, 2 + distance] = 1, 2
        return labels

    models = model_graphs([picture(d) for d in (5, 30, 6, 31, 7)], 3, count=2)
    np.testing.assert_allclose([m.edges[1, 2, 0] for m in models], [6, 30.5])
    assert len(model_graphs([picture(5)] * 3, 3, count=2)) == 1
    for count in (0, 3):
        with pytest.raises(ValueError, match="count must lie between 1 and the number of maps, 2"):
            model_graphs([picture(5), picture(6)], 3, count=count)


@pytest.mark.parametrize(
    "maps, num_classes, error, says",
    [
        ([], 3, ValueError, "maps must hold at least one"),
        ([FACE], 0, ValueError, "num_classes must be a whole number"),
        ([FACE], 2.0, ValueError, "num_classes must be a whole number"),
        ([FACE, FACE], 2, ValueError, "maps\\[0\\] must hold classes 0..1"),
        ([FACE, FACE - 1], 3, ValueError, "maps\\[1\\]"),
        ([FACE.astype(float)], 3, TypeError, "maps\\[0\\] must hold integer"),
        ([np.zeros((0, 4), dtype=int)], 3, ValueError, "at least one pixel"),
        ([FACE, FACE[:2]], 3, ValueError, "maps differ in size"),
    ],
)
def test_what_is_no_annotation_is_refused(maps, num_classes, error, says):
    with pytest.raises(error, match=says):
        ModelGraph.from_label_maps(maps, num_classes)


def test_pictures_of_two_sizes_have_a_model_in_diagonals():
    model = ModelGraph.from_label_maps([FACE, np.kron(FACE, TWICE)], 3, edges="centroid", unit="diagonal")
    np.testing.assert_allclose(
        model.edges, ModelGraph.from_label_maps([FACE], 3, edges="centroid", unit="diagonal").edges
    )


def test_speckle_goes_to_what_lies_around_it():
    labels = np.zeros((20, 20), dtype=np.uint8)
    labels[:, 10:] = 1
    truth = labels.copy()
    labels[3, 3], labels[5, 15], labels[9, 16] = 1, 0, 255
    truth[9, 16] = 255
    cleaned = clean_labels(labels)
    np.testing.assert_array_equal(cleaned, truth)
    assert cleaned.dtype == np.uint8 and labels[3, 3] == 1
    np.testing.assert_array_equal(clean_labels(labels, 0), labels)


@given(
    arrays(np.uint8, (12, 12), elements=st.sampled_from([0, 0, 0, 1, 1, 2, 255])),
    st.sampled_from([0.05, 0.3, 1]),
)
@settings(max_examples=50, deadline=None)
def test_cleaning_leaves_no_small_part_loses_no_class_and_keeps_the_large(labels, fraction):
    cleaned = clean_labels(labels, fraction)
    np.testing.assert_array_equal(np.unique(cleaned), np.unique(labels))
    np.testing.assert_array_equal(cleaned == 255, labels == 255)
    found, before = regions(cleaned, 2), regions(labels, 2)
    for c in np.setdiff1d(labels, [255]):
        sizes = found.sizes[found.classes == c]
        assert sizes.min() >= fraction * sizes.max() or 255 in labels
        largest = before.sizes[before.classes == c].max()
        if (before.sizes[before.classes == c] == largest).sum() == 1:
            kept = before.map == np.flatnonzero((before.classes == c) & (before.sizes == largest))[0]
            assert (cleaned[kept] == c).all() or fraction == 1


@pytest.mark.parametrize("fraction", [-0.1, 5, np.nan])
def test_a_fraction_is_a_fraction(fraction):
    with pytest.raises(ValueError, match="fraction must lie in"):
        clean_labels(FACE, fraction)
    with pytest.raises(TypeError, match="integer"):
        clean_labels(FACE.astype(float))
