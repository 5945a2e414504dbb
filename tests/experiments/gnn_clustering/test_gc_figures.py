"""The figures show what they were given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.gnn_clustering import figures
from segstudy.papers.gnn_clustering.settings import combinations

METHODS = [settings.name for settings in combinations()]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_epochs():
    rows = [
        {"data": data, "method": method, "epoch": epoch, "mean": 0.1 * n / 8 + epoch / 1000}
        for data in "ab"
        for n, method in enumerate(METHODS)
        for epoch in (10, 20)
    ]
    table = pd.DataFrame(rows)
    figure = figures.chart_epochs(table.assign(low=table["mean"] - 0.01, high=np.nan))
    left = figure.axes[0]
    assert [line.get_label() for line in left.lines] == METHODS
    assert left.lines[3].get_ydata() == pytest.approx([0.1 * 3 / 8 + 0.01, 0.1 * 3 / 8 + 0.02])
    looks = {(line.get_color(), line.get_marker()) for line in left.lines}
    assert len(looks) == 8


def test_best():
    table = pd.DataFrame({"data": "a", "method": METHODS, "ours": np.linspace(0.1, 0.8, 8), "std": np.nan})
    ax = figures.chart_best(table.assign(published=[0.5] * 7 + [np.nan])).axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(np.linspace(0.1, 0.8, 8))
    assert "no normalisation" in ax.get_yticklabels()[3].get_text()


def test_sweep_has_a_panel_for_each():
    rows = [
        {"sweep": s, "value": v, "data": d, "mean": 0.5, "low": 0.4, "high": 0.6}
        for s in ("x", "y", "z")
        for v in (1.2, 100)
        for d in "ab"
    ]
    figure = figures.chart_sweep(pd.DataFrame(rows), "value")
    shown = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["x", "y", "z"]
    assert [t.get_text() for t in shown[0].get_xticklabels()] == ["1.2", "100"]


def test_examples_and_clusters(rng):
    image = rng.integers(0, 255, (600, 300, 3), dtype=np.uint8)
    truth = np.zeros((600, 300), int)
    row = {
        "image": image,
        "truth": truth,
        "masks": {"NCUT | GCN": truth > 0},
        "scores": {"NCUT | GCN": 0.25},
        "title": "first",
    }
    figure = figures.draw_examples([row, row], np.array([[0, 0, 0], [255, 160, 0]], np.uint8))
    assert [ax.get_title() for ax in figure.axes[:3]] == ["first", "truth", "NCUT | GCN\nIoU 0.25"]
    assert max(figure.axes[0].images[0].get_array().shape) == 256
    figure = figures.draw_clusters(image, {"alpha 2": np.arange(6).reshape(3, 2)})
    assert [ax.get_title() for ax in figure.axes] == ["picture", "alpha 2"]


def test_toy_and_layers():
    weights = np.eye(6)
    weights[0, 1] = weights[1, 0] = 0.4
    left, right = figures.draw_toy(weights, [0, 0, 0, 1, 1, 1]).axes
    assert len(left.lines) == 1
    assert [t.get_text() for t in right.texts[:3]] == ["1.0", "0.4", "0.0"]
    assert [ax.get_title().split(":")[0] for ax in figures.draw_layers().axes] == ["GCN", "GAT", "ARMA"]


def test_running():
    ax = figures.chart_times(pd.DataFrame({"method": ["a", "b"], "seconds": [0.5, 0.25]})).axes[0]
    assert [t.get_text() for t in ax.texts] == ["0.50 s", "0.25 s"]
    loss, entropy = figures.chart_dino([3.0, 2.0], [1.0, 1.5, 1.2], [2.0, 2.1, 2.2], 5.5).axes
    assert loss.lines[0].get_ydata().tolist() == [3.0, 2.0]
    assert entropy.lines[1].get_ydata().tolist() == [1.0, 1.5, 1.2] and len(entropy.texts) == 2
    assert len(figures.draw_attention(np.zeros((8, 8, 3), np.uint8), np.zeros((3, 2, 2))).axes) >= 4
    rows = [
        {"layer": la, "depth": d, "similarity": 0.5, "low": 0.4, "high": 0.6}
        for la in ("GCN", "ARMA")
        for d in (1, 8)
    ]
    assert len(figures.chart_depth(pd.DataFrame(rows)).axes[0].lines) == 2
