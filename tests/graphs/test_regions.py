"""Regions and their distances against brute force, hand-made pictures and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import cdist

from segstudy.graphs import region_adjacency, region_distances, regions

MAPS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))


def brute_distances(found):
    """Every pixel of every region against every other."""
    pixels = [np.argwhere(found.map == i) for i in range(len(found))]
    return np.array([[cdist(a, b).min() for b in pixels] for a in pixels])


def same_partition(a, b):
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1).shape[1]
    return pairs == len(np.unique(a)) == len(np.unique(b))


def test_regions_of_a_picture_checked_by_hand():
    labels = np.array([[5, 5, 0, 5], [5, 0, 0, 5], [0, 7, 7, 7]], dtype=np.uint8)
    found = regions(labels)
    np.testing.assert_array_equal(found.map, [[0, 0, 1, 2], [0, 1, 1, 2], [3, 4, 4, 4]])
    np.testing.assert_array_equal(found.classes, [5, 0, 5, 0, 7])
    np.testing.assert_array_equal(found.sizes, [3, 3, 2, 1, 3])
    np.testing.assert_allclose(found.centroids, [[1 / 3, 1 / 3], [2 / 3, 5 / 3], [0.5, 3], [2, 0], [2, 2]])
    np.testing.assert_array_equal(
        found.boxes, [[0, 0, 2, 2], [0, 1, 2, 2], [0, 3, 2, 1], [2, 0, 1, 1], [2, 1, 1, 3]]
    )
    assert found.map.dtype == np.int32 and found.classes.dtype == np.uint8 and len(found) == 5


def test_corner_neighbours_join_under_connectivity_two():
    labels = np.array([[1, 0], [0, 1]])
    assert len(regions(labels)) == 4
    np.testing.assert_array_equal(regions(labels, 2).map, [[0, 1], [1, 0]])


@given(MAPS, st.sampled_from([1, 2]))
@settings(max_examples=50, deadline=None)
def test_regions_are_the_components_of_each_class(labels, connectivity):
    found = regions(labels, connectivity)
    structure = ndimage.generate_binary_structure(2, connectivity)
    expected, n = np.zeros(labels.shape, dtype=int), 0
    for value in np.unique(labels):  # scipy's labelling, one class at a time
        component, count = ndimage.label(labels == value, structure)
        expected[component > 0] = component[component > 0] + n
        n += count
    assert same_partition(found.map, expected) and len(found) == n
    np.testing.assert_array_equal(found.classes[found.map], labels)
    np.testing.assert_array_equal(found.sizes, np.bincount(found.map.ravel()))
    first = [np.flatnonzero(found.map == i)[0] for i in range(n)]
    assert first == sorted(first)
    for i, (row, column, height, width) in enumerate(found.boxes):
        inside = found.map[row : row + height, column : column + width] == i
        assert inside.sum() == found.sizes[i] and inside.any(0).all() and inside.any(1).all()
        np.testing.assert_allclose(found.centroids[i], np.argwhere(found.map == i).mean(axis=0))


@given(MAPS, st.sampled_from([1, 2]))
@settings(max_examples=50, deadline=None)
def test_distances_equal_brute_force(labels, connectivity):
    found = regions(labels, connectivity)
    distances = region_distances(found)
    np.testing.assert_allclose(distances, brute_distances(found), atol=1e-12)
    np.testing.assert_array_equal(distances, distances.T)
    assert distances.dtype == np.float64 and not distances.diagonal().any()


def scene(rng, size=48):
    """Large smooth blobs of four classes and a few isolated pixels."""
    labels = ndimage.gaussian_filter(rng.standard_normal((4, size, size)), (0, 5, 5)).argmax(axis=0)
    labels[rng.integers(0, size, 8), rng.integers(0, size, 8)] = 4
    return labels


def test_distances_of_a_blobby_scene(rng):
    found = regions(scene(rng), 2)
    assert len(found) > 12
    np.testing.assert_allclose(region_distances(found), brute_distances(found), atol=1e-12)


def test_touching_and_cornering_regions_are_at_one_and_root_two():
    found = regions(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2]]))
    distances = region_distances(found)
    ids = found.map
    assert distances[ids[0, 0], ids[0, 2]] == 1
    assert distances[ids[1, 1], ids[2, 2]] == np.sqrt(2)


def test_distances_do_not_change_under_translation_rotation_and_mirroring(rng):
    labels = np.pad(scene(rng, 32), 3, constant_values=9)
    found = regions(labels)
    inner = found.classes != 9
    expected = region_distances(found)
    for moved, back in [
        (np.roll(labels, (2, -3), (0, 1)), lambda m: np.roll(m, (-2, 3), (0, 1))),
        (np.rot90(labels), lambda m: np.rot90(m, -1)),
        (labels[::-1], lambda m: m[::-1]),
    ]:
        again = regions(np.ascontiguousarray(moved))
        here = back(again.map).ravel()[
            np.unique(found.map, return_index=True)[1]
        ]  # our region i is their here[i]
        np.testing.assert_array_equal(
            region_distances(again)[np.ix_(here, here)][inner][:, inner], expected[inner][:, inner]
        )


def test_repeating_pixels_stretches_displacements_between_centres(rng):
    labels, s = scene(rng, 20), 3
    small, large = regions(labels), regions(np.kron(labels, np.ones((s, s), dtype=int)))
    before, after = region_distances(small), region_distances(large)
    pixels = [np.argwhere(small.map == i) for i in range(len(small))]

    def stretched(a, b):
        apart = np.abs(a[:, None] - b[None])
        return np.sqrt((np.where(apart > 0, s * (apart - 1) + 1, 0) ** 2).sum(axis=-1)).min()

    np.testing.assert_allclose(after, [[stretched(a, b) for b in pixels] for a in pixels], atol=1e-12)
    other = ~np.eye(len(small), dtype=bool)
    assert (after <= s * before + 1e-9).all() and (after >= s * before - (s - 1) * np.sqrt(2) - 1e-9)[
        other
    ].all()
    np.testing.assert_array_equal(after == 1, before == 1)


@pytest.mark.parametrize("labels", [np.zeros((1, 1), int), np.full((4, 5), 3), np.zeros((1, 7), np.uint8)])
def test_one_region(labels):
    found = regions(labels)
    assert len(found) == 1 and found.sizes[0] == labels.size
    np.testing.assert_array_equal(region_distances(found), [[0.0]])
    edges, borders = region_adjacency(found)
    assert edges.shape == (0, 2) and borders.shape == (0,)


def test_adjacency_of_a_picture_checked_by_hand():
    found = regions(np.array([[1, 1, 2], [1, 1, 2], [3, 3, 4]]))
    edges, borders = region_adjacency(found)
    assert dict(zip(map(tuple, edges.tolist()), borders.tolist(), strict=True)) == {
        (0, 1): 2, (0, 2): 2, (1, 3): 1, (2, 3): 1,
    }  # fmt: skip
    edges, borders = region_adjacency(found, connectivity=2)
    assert dict(zip(map(tuple, edges.tolist()), borders.tolist(), strict=True)) == {
        (0, 1): 4, (0, 2): 4, (0, 3): 1, (1, 2): 1, (1, 3): 1, (2, 3): 1,
    }  # fmt: skip


@given(MAPS, st.sampled_from([1, 2]))
@settings(max_examples=50, deadline=None)
def test_adjacency_equals_counting_pixel_pairs(labels, connectivity):
    found = regions(labels, 1)
    counted = {}
    for p in np.ndindex(labels.shape):
        for q in np.ndindex(labels.shape):
            apart = sorted((abs(p[0] - q[0]), abs(p[1] - q[1])))
            pair = (int(found.map[p]), int(found.map[q]))
            if pair[0] < pair[1] and apart in ([[0, 1]] if connectivity == 1 else [[0, 1], [1, 1]]):
                counted[pair] = counted.get(pair, 0) + 1
    edges, borders = region_adjacency(found, connectivity)
    assert dict(zip(map(tuple, edges.tolist()), borders.tolist(), strict=True)) == counted
    assert edges.tolist() == sorted(edges.tolist())
    if connectivity == 1:
        assert (region_distances(found)[tuple(edges.T)] == 1).all()


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (np.zeros((2, 2)), TypeError, "float64"),
        (np.zeros((2, 2), bool), TypeError, "bool"),
        (np.zeros((0, 3), int), ValueError, r"\(0, 3\)"),
        (np.zeros(4, int), ValueError, r"\(4,\)"),
        (np.array([[0, -1]]), ValueError, "-1"),
    ],
)
def test_bad_labels_are_named(labels, error, words):
    with pytest.raises(error, match=f"labels.*{words}"):
        regions(labels)


def test_bad_connectivity_is_named():
    with pytest.raises(ValueError, match="connectivity.*8"):
        regions(np.zeros((2, 2), int), 8)
    with pytest.raises(ValueError, match="connectivity.*4"):
        region_adjacency(regions(np.zeros((2, 2), int)), 4)


def test_a_real_annotation(data_root):
    from skimage.io import imread

    labels = imread(data_root / "fasseg/FASSEG_instances/annotations/train/1.bmp")
    found = regions(labels if labels.ndim == 2 else labels[..., 0], 2)
    assert found.map.shape == (512, 352) and set(found.classes) == set(range(9))
    distances = region_distances(found)
    # An independent way to the same numbers: the distance transform of each region's complement.
    for i in np.argsort(-found.sizes)[:3]:
        transform = ndimage.distance_transform_edt(found.map != i)
        expected = ndimage.minimum(transform, found.map, np.arange(len(found)))
        np.testing.assert_allclose(distances[i], expected, atol=1e-9)
