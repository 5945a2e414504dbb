"""The toy graph, and the slides' diagrams of the three layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.plots import CYCLE
from segstudy.plots.panels import GRAPH, PLAIN, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLACES = np.array([[0.0, 1.0], [0.0, 0.0], [0.9, 0.5], [1.9, 0.5], [2.8, 1.0], [2.8, 0.0]])


def draw_toy(weights: np.ndarray, labels: Sequence[int]) -> Figure:
    """Draw six nodes with their edges, coloured by cluster, beside their matrix.

    Parameters
    ----------
    weights : (6, 6) float ndarray
        0 to 1.
    labels : sequence of 6 ints

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.0), width_ratios=(1.25, 1))
    for i, j in zip(*np.triu_indices(6, 1), strict=True):
        if weights[i, j] > 0:
            line = PLACES[[i, j]]
            left.plot(*line.T, color="#666666", linewidth=4 * weights[i, j], zorder=1)
    for i, (x, y) in enumerate(PLACES):
        left.scatter(x, y, s=420, color=CYCLE[labels[i]], edgecolors="black", zorder=2)
        left.text(x, y, str(i + 1), ha="center", va="center", zorder=3)
    left.set(xlim=(-0.4, 3.2), ylim=(-0.4, 1.4), title="edges as wide as their weights")
    left.set_axis_off()
    right.grid(False)
    right.imshow(weights, cmap="cividis", vmin=0, vmax=1)
    names = [str(i + 1) for i in range(6)]
    right.set(xticks=range(6), yticks=range(6), xticklabels=names, yticklabels=names, title="W")
    for (i, j), value in np.ndenumerate(weights):
        dark = "white" if value < 0.5 else "black"
        right.text(j, i, f"{value:.1f}", ha="center", va="center", color=dark, fontsize=8)
    return figure


def draw_layers() -> Figure:
    """Draw how a GCN, a GAT and an ARMA layer make a node's new features from its neighbours.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 3.0))
    turns = np.pi * np.array([0.25, 0.75, 1.25, 1.75])
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    fixed = ["1/√(d₁d₂)"] + [""] * 3
    learnt = ["p₁₂ large", "small", "small", "large"]
    _star(axes[0], around, [2.0] * 4, fixed, "GCN: fixed by the graph", "σ(D̃⁻¹ᐟ² W̃ D̃⁻¹ᐟ² X Θ)")
    _star(axes[1], around, [4.5, 1.0, 1.0, 4.5], learnt, "GAT: learnt attention", "Σ p(i, j) Θ xⱼ")
    _stacks(axes[2])
    return figure


def _star(
    ax: Axes, around: np.ndarray, widths: Sequence[float], words: Sequence[str], title: str, formula: str
) -> None:
    for (x, y), width, word in zip(around, widths, words, strict=True):
        ax.plot([0, x], [0, y], color="#666666", linewidth=width, zorder=1)
        ax.scatter(x, y, s=260, color=PLAIN, edgecolors="black", zorder=2)
        if word:
            box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"}
            ax.text(0.55 * x, 0.55 * y, word, ha="center", va="center", fontsize=8, bbox=box, zorder=3)
    ax.scatter(0, 0, s=320, color=GRAPH, edgecolors="black", zorder=4)
    ax.text(0, -1.35, formula, ha="center", va="center", fontsize=9)
    ax.set(xlim=(-1.3, 1.3), ylim=(-1.6, 1.2), title=title)
    ax.title.set_fontsize(10)
    ax.set_axis_off()


def _stacks(ax: Axes) -> None:
    """Draw two stacks that see the input again, averaged."""
    box = {"boxstyle": "round,pad=0.3", "ec": "#444444"}
    arrow = {"arrowstyle": "->", "color": "#444444"}
    ax.text(0, -0.85, "X", ha="center", va="center", bbox=box | {"fc": PLAIN})
    for side, number in ((-0.65, 1), (0.65, 2)):
        text = f"stack {number}\nσ(L̂HΘ + XV)"
        ax.text(side, 0.05, text, ha="center", va="center", fontsize=8, bbox=box | {"fc": GRAPH})
        ax.annotate("", (side, -0.3), (0.15 * side, -0.65), arrowprops=arrow)
        ax.annotate("", (0.2 * side, 0.72), (side, 0.4), arrowprops=arrow)
    ax.text(0, 0.9, "mean", ha="center", va="center", bbox=box | {"fc": PLAIN})
    ax.text(0, -1.35, "1/K Σ stacks, T steps each", ha="center", va="center", fontsize=9)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.6, 1.2), title="ARMA: sees its input again")
    ax.title.set_fontsize(10)
    ax.set_axis_off()
