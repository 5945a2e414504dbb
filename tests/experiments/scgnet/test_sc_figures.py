"""The notebook's figures and tables, drawn and made of planted numbers: what they show is what they were given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.scgnet import figures, relations, results

CLASSES = ("road", "car", "clutter")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def value(right, seed=0):
    """Return a training of three epochs, of 10 pixels a class so many right, and 2 test pictures."""
    matrices = np.array([[[r, 10 - r, 0], [10 - r, r, 0], [0, 0, 10]] for r in right])
    return {
        "validation": matrices, "test": matrices[-1:].repeat(2, axis=0), "losses": [1.0, 0.5, 0.2 + seed], "steps": 4,
        "boundary": np.array([[0.2, 0.4, np.nan], [0.4, np.nan, np.nan]]),
        "graph": {"cosine 0": [0.1, 0.3], "cosine 1": [0.4, 0.6], "cosine 2": [0.8, 1.0]},
    }  # fmt: skip


def test_the_module_has_all_boxes_and_no_text_outside():
    figure = figures.draw_module()
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert all(word in words for word in ("log Σ", "ReLU", "γ", "Ẑ", "GNN"))
    frame = figure.get_window_extent()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_relations_light_up_the_strongest_cells():
    image = np.full((40, 40, 3), 200, np.uint8)
    weights = np.zeros((16, 16))
    weights[5, [0, 15]] = 1.0, 0.5
    figure = figures.draw_relations(image, relations.relation_maps(weights, (4, 4), [5]), [5])
    first, second = (ax.images[0].get_array() for ax in figure.axes[:2])
    assert (np.asarray(first) == image).all()
    lit = np.asarray(second)
    assert lit[2, 2].tolist() != lit[20, 20].tolist() == lit[2, 38].tolist()
    assert lit[2, 2].tolist() != lit[38, 38].tolist(), "a stronger relation has another colour"
    assert [ax.get_title() for ax in figure.axes[:2]] == ["picture", "node 5"]


def test_scenes_have_a_row_for_each_picture_and_a_legend():
    image, labels = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    colours = np.array([[255, 255, 255], [0, 0, 255], [255, 0, 0]], np.uint8)
    figure = figures.draw_scenes(
        [image] * 2, {"truth": [labels] * 2, "ours": [labels + 1] * 2}, CLASSES, colours
    )
    assert len([ax for ax in figure.axes if ax.images]) == 6
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CLASSES)
    assert (np.asarray(figure.axes[2].images[0].get_array())[..., :3] == [0, 0, 255]).all()


def test_void_is_black_and_in_the_legend():
    labels, colours = np.full((8, 8), 255), np.array([[255, 255, 255], [0, 0, 255], [0, 255, 0]], np.uint8)
    labels[0] = 0
    figure = figures.draw_scenes([np.zeros((8, 8, 3), np.uint8)], {"truth": [labels]}, CLASSES[:3], colours)
    drawn = np.asarray(figure.axes[1].images[0].get_array())[..., :3]
    assert (drawn[0] == 255).all() and (drawn[1:] == 0).all()
    assert figure.legends[0].get_texts()[-1].get_text() == "void, not scored"


def test_curves():
    table = results.curve_table(
        {"a": [value((5, 7, 9)), value((5, 5, 5), 1)], "b": [value((9, 9, 9))]}, CLASSES
    )
    a = table[table.network == "a"]
    assert a.step.tolist() == [4, 8, 12] and a.loss.iloc[-1] == pytest.approx(0.7)
    assert a.mF1.iloc[-1] == pytest.approx(0.7) and a.low.iloc[-1] == pytest.approx(0.5)
    figure = figures.chart_curves(table, target=0.6)
    left, right = figure.axes
    assert len(left.lines) == 2 and len(right.lines) == 3
    assert right.lines[0].get_ydata() == pytest.approx(a.mF1.to_numpy())


def test_differences_and_depth():
    table = pd.DataFrame([{"name": "x", "mean": 0.1, "low": 0.0, "high": 0.2}, {"name": "y", "mean": -0.1}])
    ax = figures.chart_differences(table, "mF1").axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"] and ax.get_ylim()[
        0
    ] > ax.get_ylim()[1]
    depth = results.depth_table({"SCG-GCN": [value((9, 9, 9))], "3 layers": [value((5, 5, 5))]}, CLASSES)
    assert depth.layers.tolist() == [2, 3] and depth.cosine.tolist() == pytest.approx([0.5, 0.9])
    assert depth.mF1.tolist() == pytest.approx([0.9, 0.5])
    assert len(figures.chart_depth(depth).axes) == 2


def test_score_and_boundary_tables():
    groups = {"a": [value((5, 5, 9)), value((5, 5, 7))], "b": [value((9, 9, 9))]}
    table = results.score_table(groups, CLASSES).set_index("network")
    assert table.mF1["a"] == pytest.approx(0.8) and table["std"]["a"] == pytest.approx(
        np.std([0.9, 0.7], ddof=1)
    )
    assert table.OA["a"] == pytest.approx((28 + 24) / 60) and np.isnan(table["std"]["b"])
    borders = results.boundary_table(groups, CLASSES).set_index("network")
    assert borders.road["a"] == pytest.approx(0.3) and borders.car["a"] == pytest.approx(0.4)
    assert borders["mean"]["a"] == pytest.approx(0.35) and np.isnan(borders.clutter["a"])
