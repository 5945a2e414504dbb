"""Panels, pipelines, matrices and score charts: what is drawn, read back from the figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segstudy.plots import chart_scores, draw_pipelines, panels, show_matrix, use_style
from segstudy.plots.panels import GRAPH


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_panels_hold_their_pictures_in_order_under_their_titles():
    pictures = [np.full((4, 6), i, dtype=np.uint8) for i in range(5)]
    _, axes = panels(pictures, list("abcde"), columns=3)
    assert [ax.get_title() for ax in axes] == list("abcde")
    assert [int(ax.images[0].get_array()[0, 0]) for ax in axes] == [0, 1, 2, 3, 4]


def test_an_empty_panel_stays_empty_and_tall_pictures_make_a_tall_figure():
    tall, axes = panels([np.zeros((20, 10)), None], ["a", "b"], columns=2)
    wide, _ = panels([np.zeros((10, 20)), None], ["a", "b"], columns=2)
    assert not axes[1].images and tall.get_figheight() > 2 * wide.get_figheight()


@pytest.mark.parametrize("pictures, titles", [([np.zeros((2, 2))], ["a", "b"]), ([], [])])
def test_panels_without_a_title_each_are_refused(pictures, titles):
    with pytest.raises(ValueError, match="equally many"):
        panels(pictures, titles)


def test_pipelines_fill_the_steps_on_a_graph():
    figure = draw_pipelines([("one", ["image", "graph", "labels"], {1}), ("two", ["image", "labels"], set())])
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert {"one", "two", "image", "graph", "labels"} <= set(texts)
    filled = [
        t.get_text()
        for t in figure.axes[0].texts
        if t.get_bbox_patch() and plt.matplotlib.colors.same_color(t.get_bbox_patch().get_facecolor(), GRAPH)
    ]
    assert filled == ["graph"]


def test_a_matrix_shows_its_numbers_light_on_dark():
    _, ax = plt.subplots()
    show_matrix(ax, np.array([[0.0, 9.6], [9.6, 0.0]]), ["a", "b"], "pixels")
    numbers = {(text.get_position(), text.get_text(), text.get_color()) for text in ax.texts}
    assert ((1, 0), "10", "black") in numbers and ((0, 0), "0", "white") in numbers
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_scores_stand_at_their_means_with_95_percent_intervals():
    rows = [
        ("x", "A", "IoU", 0.5, 0.1, 25),
        ("x", "B", "IoU", 0.7, 0.2, 25),
        ("y", "A", "IoU", 0.4, 0.1, 100),
    ]
    rows += [
        ("y", "B", "IoU", 0.6, 0.1, 100),
        ("x", "C", "recall", 0.9, 0.1, 25),
        ("y", "C", "recall", 0.8, 0.1, 25),
    ]
    table = pd.DataFrame(rows, columns=["data", "method", "measure", "mean", "std over pictures", "pictures"])
    figure = chart_scores(table, ["IoU", "recall"])
    first, second = figure.axes[:2]
    assert [label.get_text() for label in first.get_yticklabels()] == ["A", "B"]
    np.testing.assert_allclose(np.asarray(first.containers[0].lines[0].get_xdata(), float), [0.5, 0.7])
    segments = first.containers[0].lines[2][0].get_segments()
    half = 2.063899 * 0.02  # Student's t of 24 degrees of freedom
    np.testing.assert_allclose(segments[0][:, 0], [0.5 - half, 0.5 + half], rtol=1e-6)
    assert [label.get_text() for label in second.get_yticklabels()] == ["C"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["x", "y"]


def test_titles_stand_where_matplotlib_s_own_search_for_their_place_puts_them():
    use_style()
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), None, rng.random((40, 30))]
    drawn = []
    for search in (False, True):
        figure, axes = panels(pictures, ["one", "two\nlines", "three"], columns=2)
        for ax in axes if search else ():
            ax.set_title(ax.get_title())
            ax._autotitlepos = True
        figure.canvas.draw()
        drawn.append(np.asarray(figure.canvas.buffer_rgba()).copy())
        plt.close(figure)
    assert np.array_equal(*drawn)
