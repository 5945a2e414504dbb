"""Graphs are drawn where their vertices are."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from segstudy.plots import draw_graph

matplotlib.use("Agg")
POSITIONS = np.array([[0, 0], [0, 10], [5, 10]])  # row, column
EDGES = np.array([[0, 1], [1, 2]])


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_rows_run_down_and_columns_across(ax):
    draw_graph(ax, POSITIONS, EDGES)
    lines, points = ax.collections
    np.testing.assert_array_equal(points.get_offsets(), [[0, 0], [10, 0], [10, 5]])
    np.testing.assert_array_equal(lines.get_segments(), [[[0, 0], [10, 0]], [[10, 0], [10, 5]]])
    assert ax.yaxis_inverted()
    assert not ax.axison
    draw_graph(ax, POSITIONS, EDGES)
    assert ax.yaxis_inverted()  # drawn twice, not turned twice


def test_larger_weights_are_thicker(ax):
    edges = np.array([[0, 1], [1, 2], [0, 2]])
    draw_graph(ax, POSITIONS, edges, weights=np.array([0.0, 5.0, 10.0]))
    np.testing.assert_allclose(ax.collections[0].get_linewidths(), [0.6, 2.3, 4.0])
    draw_graph(ax, POSITIONS, edges, weights=np.full(3, 7.0))
    np.testing.assert_allclose(ax.collections[2].get_linewidths(), [2.3] * 3)


def test_vertices_take_their_colours(ax):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=np.uint8)
    draw_graph(ax, POSITIONS, EDGES, colours=colours)
    np.testing.assert_allclose(ax.collections[1].get_facecolors()[:, :3], np.eye(3))


def test_an_image_keeps_its_own_axes(ax):
    ax.imshow(np.zeros((6, 12)))
    limits = ax.get_xlim(), ax.get_ylim()
    draw_graph(ax, POSITIONS, EDGES)
    ax.figure.canvas.draw()
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    assert ax.axison


def test_a_graph_without_edges_is_drawn(ax):
    draw_graph(ax, POSITIONS, np.empty((0, 2)), weights=np.empty(0))
    ax.figure.canvas.draw()
    assert len(ax.collections[0].get_segments()) == 0


def test_bad_input_is_refused(ax):
    with pytest.raises(ValueError, match=r"positions must be \(n, 2\)"):
        draw_graph(ax, np.zeros((3, 3)), EDGES)
    with pytest.raises(ValueError, match="edges join vertices 0 to 3, but there are 3"):
        draw_graph(ax, POSITIONS, np.array([[0, 3]]))
    with pytest.raises(ValueError, match="one value for each of the 2 edges, got 1"):
        draw_graph(ax, POSITIONS, EDGES, weights=np.ones(1))
