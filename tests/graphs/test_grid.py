"""Pixel graphs against networkx, loops over all pairs, and hand-made images."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from segstudy.graphs import contrast_weights, grid_edges, pixel_affinity, region_affinity


def test_edges_of_two_by_two_pixels():
    assert grid_edges((2, 2)).tolist() == [[0, 1], [2, 3], [0, 2], [1, 3]]
    assert grid_edges((2, 2), 2).tolist() == [[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (3, 4), (6, 5)])
def test_edges_are_the_grid_graph(shape):
    height, width = shape
    graph = nx.grid_2d_graph(height, width)
    expected = {tuple(sorted((a * width + b, c * width + d))) for (a, b), (c, d) in graph.edges}
    edges = grid_edges(shape)
    assert {tuple(edge) for edge in edges.tolist()} == expected and len(edges) == len(expected)
    diagonals = 2 * (height - 1) * (width - 1)
    corner = grid_edges(shape, 2)
    assert len(corner) == len({tuple(edge) for edge in corner.tolist()}) == len(expected) + diagonals
    rows, columns = np.divmod(corner, width)
    assert np.abs(np.diff(rows)).max(initial=0) <= 1 and np.abs(np.diff(columns)).max(initial=0) <= 1
    assert (corner[:, 0] < corner[:, 1]).all()


def test_contrast_of_three_pixels_by_hand():
    image, edges = np.array([[0, 0, 2]], dtype=np.uint8), grid_edges((1, 3))
    # Squared differences 0 and 4; their mean, 2, is sigma squared: exp(-4 / 4).
    np.testing.assert_allclose(contrast_weights(image, edges), [1, np.exp(-1)])
    np.testing.assert_allclose(contrast_weights(image, edges, sigma=1.0), [1, np.exp(-2)])


def test_contrast_equals_a_loop(rng):
    image, edges = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8), grid_edges((5, 6), 2)
    expected = []
    for p, q in edges:
        (a, b), (c, d) = np.unravel_index(p, (5, 6)), np.unravel_index(q, (5, 6))
        difference = image[a, b].astype(float) - image[c, d].astype(float)
        expected.append(np.exp(-(difference @ difference) / (2 * 60.0**2)) / np.hypot(a - c, b - d))
    np.testing.assert_allclose(contrast_weights(image, edges, sigma=60.0), expected)


def test_contrast_is_relative_to_the_image(rng):
    image, edges = rng.random((6, 7)), grid_edges((6, 7), 2)
    weights = contrast_weights(image, edges)
    np.testing.assert_allclose(contrast_weights(3 * image + 5, edges), weights)
    np.testing.assert_allclose(contrast_weights((np.rint(image * 200)).astype(np.uint8), edges),
                               contrast_weights(np.rint(image * 200), edges))  # fmt: skip
    assert ((weights > 0) & (weights <= 1)).all()


def test_an_even_image_has_only_distances():
    edges = grid_edges((3, 3), 2)
    np.testing.assert_allclose(np.unique(contrast_weights(np.full((3, 3), 9), edges)), [1 / np.sqrt(2), 1])
    assert contrast_weights(np.zeros((1, 1)), grid_edges((1, 1))).shape == (0,)


def test_affinity_equals_a_loop_over_pairs(rng):
    features, positions = rng.random((20, 3)), rng.random((20, 2)) * 4
    weights = region_affinity(features, positions, radius=1.5, sigma_feature=0.5, sigma_space=2.0).toarray()
    for i, j in np.ndindex(20, 20):
        f, x = np.linalg.norm(features[i] - features[j]), np.linalg.norm(positions[i] - positions[j])
        expected = np.exp(-(f**2) / 0.25) * np.exp(-(x**2) / 4) if i != j and x <= 1.5 else 0
        assert weights[i, j] == pytest.approx(expected, abs=1e-15)
    np.testing.assert_array_equal(weights, weights.T)


def test_pixel_affinity_joins_pixels_within_the_radius():
    image = np.zeros((4, 5), dtype=np.uint8)
    image[:, 3:] = 25
    weights = pixel_affinity(image, radius=1.0).toarray()
    joined = {tuple(edge) for edge in np.argwhere(np.triu(weights) > 0).tolist()}
    assert joined == {tuple(edge) for edge in grid_edges((4, 5)).tolist()}
    assert weights[0, 1] == pytest.approx(np.exp(-1 / 16)) and weights[2, 3] == pytest.approx(
        np.exp(-1 - 1 / 16)
    )
    colours = np.repeat(image[..., None], 3, axis=2)
    assert pixel_affinity(colours, radius=1.0).toarray()[2, 3] == pytest.approx(np.exp(-3 - 1 / 16))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="connectivity.*3"):
        grid_edges((2, 2), 3)
    with pytest.raises(ValueError, match=r"shape.*\(0, 2\)"):
        grid_edges((0, 2))
    with pytest.raises(ValueError, match="sigma.*-1"):
        contrast_weights(np.zeros((2, 2)), grid_edges((2, 2)), sigma=-1)
    with pytest.raises(ValueError, match="got 3 and 4"):
        region_affinity(np.zeros((3, 1)), np.zeros((4, 2)), 1, 1, 1)
    with pytest.raises(ValueError, match="radius"):
        region_affinity(np.zeros((3, 1)), np.zeros((3, 2)), 0, 1, 1)
