"""Charts of cost: parameters against FLOPs, growth with nodes, times side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudy.experiments.scgnet.costs import FLOPS, OURS, PARAMETERS, PRINTED_FLOPS, PRINTED_PARAMETERS
from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Where a name stands by its mark in points: to the right, but where that would hide a neighbour.
PLACES = {OURS: (0, -20), "DDCM-R50 [14]": (1, 12), "SegNet [9]": (-11, 0)}
PANELS = {
    "forward": ("prediction", "seconds"),
    "training": ("step of training", "seconds"),
    "kept": ("kept for the backward pass", "MiB"),
    "peak": ("peak of a step of training", "MiB"),
}


def chart_costs(table: pd.DataFrame) -> Figure:
    """Draw FLOPs against parameters, counted as dots and printed as rings around them.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_6`.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 4.4))
    colours = [CYCLE[1] if name == OURS else CYCLE[0] for name in table.network]
    ring = {"facecolors": "none", "edgecolors": "black", "s": 130, "linewidths": 1.2, "label": "printed"}
    ax.scatter(table[PRINTED_PARAMETERS], table[PRINTED_FLOPS], **ring)
    ax.scatter(table[PARAMETERS], table[FLOPS], c=colours, s=35, label="counted here")
    for name, x, y in zip(table.network, table[PARAMETERS], table[FLOPS], strict=True):
        right, up = PLACES.get(name, (11, 0))
        side = "left" if right > 0 else "right" if right < 0 else "center"
        at = {"textcoords": "offset points", "ha": side, "va": "baseline" if up else "center"}
        ax.annotate(name, (x, y), (right, up), fontsize=11, **at)
    ax.set(xscale="log", yscale="log", xlim=(6, 300), ylim=(3, 120))
    ax.set(xlabel="parameters, millions", ylabel="GFLOPs by the paper's count")
    ax.set_xticks([10, 30, 100], ["10", "30", "100"])
    ax.set_yticks([3, 10, 30, 100], ["3", "10", "30", "100"])
    ax.minorticks_off()
    ax.legend(loc="lower right")
    return figure


def chart_scaling(frame: pd.DataFrame) -> Figure:
    """Draw time and memory of each block against the nodes, all axes logarithmic.

    Parameters
    ----------
    frame : DataFrame
        Of :func:`~segstudy.experiments.scgnet.scaling.scaling_table`.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(2, 2, figsize=(WIDTH, 6.2), sharex=True)
    ticks = sorted(frame.nodes.unique())
    for ax, (measure, (title, unit)) in zip(grid.ravel(), PANELS.items(), strict=True):
        scale = 1e-3 if unit == "seconds" else 1  # the table has milliseconds
        for index, (block, part) in enumerate(frame.groupby("block", sort=False)):
            look = {"color": CYCLE[index], "marker": MARKERS[index], "linestyle": "--" if index == 1 else "-"}
            ax.plot(part.nodes, scale * part[measure], label=block, markersize=5, **look)
        ax.set(xscale="log", yscale="log", title=title, ylabel=unit)
        ax.set_xticks(ticks, [str(nodes) for nodes in ticks], rotation=45)
        ax.minorticks_off()
    for ax in grid[1]:
        ax.set_xlabel("nodes")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def chart_times(frame: pd.DataFrame) -> Figure:
    """Draw how many times SCG-GCN's time each network takes: here as bars from 1, as printed as hollow marks.

    Parameters
    ----------
    frame : DataFrame
        Of :func:`~segstudy.experiments.scgnet.timing.timing_table`; its 5th to 95th percentiles are the whiskers.

    Returns
    -------
    matplotlib Figure
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 1.5 + 0.36 * len(frame)))
    heights = range(len(frame))
    spread = [frame.ratio - frame["ratio, low"], frame["ratio, high"] - frame.ratio]
    whiskers = {"elinewidth": 1.5, "capsize": 3}
    bars = {"left": 1.0, "height": 0.6, "color": CYCLE[5], "label": "measured here"}
    ax.barh(heights, frame.ratio - 1, xerr=spread, error_kw=whiskers, **bars)
    for index, kind in enumerate(("CPU", "GPU")):
        hollow = {"facecolors": "none", "edgecolors": CYCLE[index], "marker": MARKERS[2 * index + 1]}
        beside = [height + 0.2 * (2 * index - 1) for height in heights]  # off the whiskers
        ax.scatter(
            frame[f"ratio, printed {kind}"], beside, label=f"printed, {kind}", s=50, zorder=3, **hollow
        )
    for height, words in zip(
        [-1, *heights], ["here", *(f"{ratio:.2f}" for ratio in frame.ratio)], strict=True
    ):
        ax.text(1.02, height, words, transform=ax.get_yaxis_transform(), va="center", fontsize=11)
    ax.axvline(1, color="black", linewidth=1)
    ax.set(xscale="log", xlabel="times SCG-GCN's time", ylim=(len(frame) - 0.4, -0.6))
    highest = frame[["ratio, high", "ratio, printed CPU", "ratio, printed GPU"]].max(axis=None)
    ax.set_xlim(min(0.8, 0.9 * frame["ratio, low"].min()), 1.2 * highest)
    ax.set_xticks([1, 2, 5, 10, 20, 40], ["1", "2", "5", "10", "20", "40"])
    ax.minorticks_off()
    ax.set_yticks(heights, frame.network)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
