"""Charts of what ran: times, DINO's training and attention, what depth does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def chart_times(table: pd.DataFrame) -> Figure:
    """Draw the seconds of each combination as bars.

    Parameters
    ----------
    table : DataFrame
        Columns method and seconds, of one picture.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 0.5 + 0.33 * len(table)))
    bars = ax.barh(table.method, table.seconds, color=CYCLE[0], height=0.6)
    ax.bar_label(bars, fmt="%.2f s", padding=3, fontsize=9)
    ax.invert_yaxis()
    ax.set(xlabel="seconds for a picture", xlim=(0, 1.15 * table.seconds.max()))
    return figure


def chart_dino(
    losses: Sequence[float], output_entropy: Sequence[float], mean_entropy: Sequence[float], limit: float
) -> Figure:
    """Draw DINO's loss by epoch, and the teacher's entropies by step between the two limits of a collapse.

    Parameters
    ----------
    losses : sequence of float
    output_entropy, mean_entropy : sequence of float
        The mean entropy of outputs, and the entropy of their mean, in nats.
    limit : float
        The logarithm of the number of outputs.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2))
    left.plot(range(1, len(losses) + 1), losses, color=CYCLE[0])
    left.set(xlabel="epoch", ylabel="loss", title="loss")
    right.plot(mean_entropy, color=CYCLE[1], label="of the mean output")
    right.plot(output_entropy, color=CYCLE[2], linestyle="--", label="mean of the outputs'")
    for value, word in ((limit, "all outputs equally likely"), (0.0, "always the same output")):
        right.axhline(value, color="black", linestyle=":", linewidth=1)
        place = {"transform": right.get_yaxis_transform(), "ha": "right", "va": "bottom"}
        right.text(0.98, value + 0.02 * limit, word, fontsize=8, **place)
    right.set(xlabel="step", ylabel="nats", title="the teacher's entropy", ylim=(-0.05 * limit, 1.12 * limit))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_attention(image: np.ndarray, maps: np.ndarray) -> Figure:
    """Draw a picture and where each head of the class token looks.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    maps : (heads, rows, columns) float ndarray

    Returns
    -------
    matplotlib Figure
    """
    titles = ["picture", *(f"head {head + 1}" for head in range(len(maps)))]
    figure, axes = plots.panels([image, *[None] * len(maps)], titles, columns=4)
    for ax, attention in zip(axes[1:], maps, strict=True):
        ax.imshow(attention, cmap="cividis")
    return figure


def chart_depth(table: pd.DataFrame) -> Figure:
    """Draw how alike nodes are against the number of layers.

    Parameters
    ----------
    table : DataFrame
        Columns layer, depth, similarity, low and high.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 3.0))
    for index, (layer, part) in enumerate(table.groupby("layer", sort=False)):
        ax.plot(part.depth, part.similarity, color=CYCLE[index], marker=MARKERS[index], label=layer)
        ax.fill_between(part.depth, part.low, part.high, color=CYCLE[index], alpha=0.15)
    ax.set(xlabel="layers", ylabel="mean cosine of two nodes", xticks=sorted(table.depth.unique()))
    ax.legend(loc="best")
    return figure
