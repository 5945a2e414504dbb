"""The figures of notebook 04 show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.dgcn import figures


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_the_framework_has_its_eight_boxes():
    ax = figures.draw_framework().axes[0]
    assert len([t for t in ax.texts if t.get_bbox_patch() is not None]) == 8


def test_a_cut_shows_every_probability_and_the_cut_edges_dotted():
    H = np.array([[0.9, 0.2]])
    figure = figures.draw_cut(H, np.array([[1, 255]]), np.array([[0, 1]]), np.array([[1, 0]]))
    left = figure.axes[0]
    assert {".90", ".20"} <= {t.get_text() for t in left.texts}
    assert [line.get_linestyle() for line in left.lines].count(":") == 1


def test_epochs_have_a_panel_for_each_score():
    rows = [
        {"labels": name, "seed": s, "epoch": e, "coverage": 0.5, "mIoU": 0.4, "object precision": 0.6}
        for name in ("cut", "regions")
        for s in (0, 1)
        for e in (1, 2)
    ]
    figure = figures.chart_epochs(pd.DataFrame(rows))
    assert [ax.get_title() for ax in figure.axes] == ["coverage", "mIoU", "object precision"]


def test_ways_stand_one_below_the_other():
    table = pd.DataFrame({"labels": ["a", "b"], "mIoU": [0.1, 0.2], "mIoU, std": [0.01, np.nan]})
    ax = figures.chart_ways(table).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]


def test_labels_are_drawn_beside_each_picture():
    images = [np.zeros((8, 8, 3), np.uint8)] * 2
    labels = [np.array([[0, 1], [255, 1]])] * 2
    colours = np.array([[0, 0, 0], [200, 0, 0]], np.uint8)
    figure = figures.draw_labels(
        images, {"truth": labels, "graph cut": labels}, ("background", "cat"), colours
    )
    assert len(figure.axes) == 6 and [ax.get_title() for ax in figure.axes[:3]] == [
        "picture",
        "truth",
        "graph\ncut",
    ]


def test_activations_lie_over_their_pictures():
    images = [np.zeros((8, 8, 3), np.uint8)] * 2
    figure = figures.draw_activations(images, [np.zeros((2, 2)), np.ones((2, 2))], ["cat", "dog"])
    assert [ax.get_title() for ax in figure.axes[:2]] == ["cat", "dog"]
