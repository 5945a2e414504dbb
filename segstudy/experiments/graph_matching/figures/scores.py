"""Charts of the scores: Table I of Chopin et al. 2020 beside ours, the gains, the choice of alpha.

All scores are fractions, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AVERAGE = "average"
MEASURES = {"pixelwise": "pixelwise", "box": "bounding box"}
PAPERS_ALPHA = 0.4


def require_columns(name: str, table: pd.DataFrame, columns: Sequence[str], fractions: Sequence[str]) -> None:
    """Refuse a table that is empty, lacks columns, or holds other than fractions in some: a ValueError says which."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"{name} lacks the columns {', '.join(missing)}; it has {', '.join(table.columns)}")
    if table.empty:
        raise ValueError(f"{name} has no row: nothing to draw")
    for column in fractions:
        largest = table[column].abs().max()
        if largest > 1:
            raise ValueError(f"{name}.{column} reaches {largest:g}: give IoU as fractions of 1, not percent")


def chart_table_one(ours: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """Draw the averages of Table I against the share of the training set, ours beside the paper's.

    Parameters
    ----------
    ours : DataFrame
        Columns share (percent), approach, measure ("pixelwise", "box"), class, mean and std (over repeats; may be
        nan). Rows of the class "average" are drawn.
    published : DataFrame
        The same without std; without a row where ours is of other pictures.

    Returns
    -------
    matplotlib Figure
        Ours filled, with bars of one standard deviation; the paper's hollow and dashed.

    Raises
    ------
    ValueError
        If a column or the class "average" is missing, or scores are not fractions.
    """
    import matplotlib.pyplot as plt

    columns = ["share", "approach", "measure", "class", "mean"]
    require_columns("ours", ours, [*columns, "std"], ["mean"])
    ours = _averages("ours", ours)
    if len(published):
        require_columns("published", published, columns, ["mean"])
        published = _averages("published", published)
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 4.2), sharey=True)
    approaches = list(dict.fromkeys(ours.approach))
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        for index, approach in enumerate(approaches):
            side = 1.2 * (index - (len(approaches) - 1) / 2)
            look = {"color": CYCLE[index], "marker": MARKERS[index], "markersize": 7}
            # side by side, the paper's outside, or one hides the other
            for name, table, shift in (("ours ± std", ours, side), ("paper", published, 2.6 * side)):
                part = table[(table.measure == measure) & (table.approach == approach)].sort_values("share")
                if part.empty:
                    continue
                _draw_scores(ax, part, shift, table is ours, {"label": f"{approach}, {name}", **look})
        shares = sorted(set(ours.share) | set(published.share))
        ax.set(title=title, xlabel="share of the training set, %", xticks=shares)
    axes[0].set_ylabel("average IoU")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _averages(name: str, table: pd.DataFrame) -> pd.DataFrame:
    found = table[table["class"] == AVERAGE]
    if found.empty:
        raise ValueError(
            f"{name} has no row of the class {AVERAGE!r}; its classes are {sorted(set(table['class']))}"
        )
    return found


def _draw_scores(ax: Axes, part: pd.DataFrame, shift: float, filled: bool, look: dict) -> None:
    """Draw one approach's scores, ours filled with bars of their spread, the paper's hollow and dashed."""
    place, mean = part.share.to_numpy(float) + shift, part["mean"].to_numpy(float)
    if filled:
        # a single repeat has no spread, and no bar
        spread = part["std"].fillna(0).to_numpy(float)
        ax.errorbar(place, mean, yerr=spread, capsize=3, elinewidth=1.4, **look)
    else:
        ax.plot(place, mean, linestyle=(0, (3, 2)), linewidth=1.4, mfc="white", mew=1.6, **look)


def chart_gains(gains: pd.DataFrame) -> Figure:
    """Draw what the matching adds to each class, with 95 % intervals, a panel for each share of the training set.

    Parameters
    ----------
    gains : DataFrame
        Columns share (percent), measure ("pixelwise", "box"), class, difference, low and high (IoU, fractions). The
        classes keep the order of their rows; "average" comes first.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If a column is missing, or differences are not fractions.
    """
    import matplotlib.pyplot as plt

    columns = ["share", "measure", "class", "difference", "low", "high"]
    require_columns("gains", gains, columns, columns[3:])
    shares = sorted(set(gains.share), reverse=True)
    names = sorted(dict.fromkeys(gains["class"]), key=lambda name: name != AVERAGE)
    rows, across = -(-len(shares) // 2), min(2, len(shares))
    size = (WIDTH, rows * (0.29 * len(names) + 0.6) + 0.8)
    share_axes = {"sharex": True, "sharey": True, "squeeze": False}
    figure, grid = plt.subplots(rows, across, figsize=size, **share_axes)
    for ax in grid.ravel()[len(shares) :]:
        ax.set_visible(False)
    for index, (ax, share) in enumerate(zip(grid.ravel(), shares, strict=False)):
        _draw_gains(ax, gains[gains.share == share], names)
        ax.set_title(f"{share:g} % of the training set")
        if index + across >= len(shares):  # the lowest of its column
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("IoU gain of U-Net + GM")
    grid[0, 0].set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.6))
    if names[0] == AVERAGE:
        for ax in grid[:, 0]:
            ax.get_yticklabels()[0].set_fontweight("bold")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_gains(ax: Axes, part: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw two marks a class, and a line at no gain."""
    ax.axvline(0, color="#282828", linewidth=1.2, zorder=1)
    for index, (measure, title) in enumerate(MEASURES.items()):
        found = part[part.measure == measure].set_index("class").reindex(names)
        gain, ends = found.difference.to_numpy(float), found[["low", "high"]].to_numpy(float)
        height = np.arange(len(names)) + (index - 0.5) * 0.36
        look = {"color": CYCLE[index], "fmt": MARKERS[index], "markersize": 5, "elinewidth": 1.6}
        ax.errorbar(
            gain, height, xerr=np.abs(ends - gain[:, None]).T, label=f"{title}, 95 % interval", **look
        )
    if names[0] == AVERAGE:
        ax.axhspan(-0.5, 0.5, color="#EEEEEE", zorder=0)


def chart_alpha(sweep: pd.DataFrame) -> Figure:
    """Draw the IoU against alpha, a row of panels for each share of the training set, a column for each measure.

    Parameters
    ----------
    sweep : DataFrame
        Columns alpha, share (percent), measure ("pixelwise", "box"), split ("validation", "test"), mean, low, high and
        unet: IoU of U-Net + GM with its interval, and that of U-Net alone, as fractions.

    Returns
    -------
    matplotlib Figure
        A dashed line marks the paper's 0.4; rings mark, on both splits, the alpha of the best validation score
        (the smallest of equals).

    Raises
    ------
    ValueError
        If a column is missing, or scores are not fractions.
    """
    import matplotlib.pyplot as plt

    scores = ["mean", "low", "high", "unet"]
    require_columns("sweep", sweep, ["alpha", "share", "measure", "split", *scores], scores)
    shares = sorted(set(sweep.share), reverse=True)
    size = (WIDTH, 2.5 * len(shares) + 1.1)
    figure, grid = plt.subplots(len(shares), 2, figsize=size, sharex=True, squeeze=False)
    for row, share in zip(grid, shares, strict=True):
        for ax, measure in zip(row, MEASURES, strict=True):
            part = sweep[(sweep.share == share) & (sweep.measure == measure)].sort_values("alpha")
            _draw_sweep(ax, part)
        row[0].set_ylabel(f"average IoU,\n{share:g} % of training set")
    for ax, title in zip(grid[0], MEASURES.values(), strict=True):
        ax.set_title(title)
    for ax in grid[-1]:
        ax.set_xlabel(r"$\alpha$, weight of the vertices")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_sweep(ax: Axes, part: pd.DataFrame) -> None:
    """Draw both splits' curves, U-Net's lines, the paper's alpha and validation's choice."""
    validation = part[part.split == "validation"]
    chosen = None if validation.empty else validation.alpha.iloc[validation["mean"].to_numpy().argmax()]
    for index, split in enumerate(("validation", "test")):
        curve, colour = part[part.split == split], CYCLE[index]
        if curve.empty:
            continue
        ax.fill_between(curve.alpha, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(
            curve.alpha,
            curve["mean"],
            MARKERS[index],
            ls="-",
            ms=4,
            color=colour,
            label=f"U-Net + GM, {split}",
        )
        ax.plot(curve.alpha, curve.unet, color=colour, ls=":", label=f"U-Net, {split}")
        best = curve[curve.alpha == chosen]
        ring = {"ms": 13, "mfc": "none", "mec": colour, "mew": 2, "ls": "none"}
        ax.plot(best.alpha, best["mean"], "o", label=None if index else "validation's choice", **ring)
    ax.axvline(PAPERS_ALPHA, color="#666666", ls="--", lw=1.4, zorder=1, label="the paper's 0.4")
