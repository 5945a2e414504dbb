"""Charts of the work behind the scores: the solvers' times, the networks' trainings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from segstudy.experiments.graph_matching.figures.scores import require_columns
from segstudy.plots import CYCLE
from segstudy.plots.charts import MARKERS
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from segstudy.training import History


def chart_times(times: pd.DataFrame) -> Figure:
    """Draw the solvers' times against regions and against classes, and what the inexact ones pay.

    Parameters
    ----------
    times : DataFrame
        Columns solver, classes, regions (classes x candidates of each), seconds, excess (cost over the optimum's,
        as a fraction of it; nan where that is not known) and optimal (bool, whether proven). Of several rows of one
        size the median time and the mean excess are drawn; sizes that were not run are absent.

    Returns
    -------
    matplotlib Figure
        Times at the number of classes that has most sizes, and at the number of candidates that has most; excess
        over all numbers of regions at that number of classes, of solvers that ever lack a proof.

    Raises
    ------
    ValueError
        If a column is missing, or a time is not above 0.
    """
    import matplotlib.pyplot as plt

    require_columns("times", times, ["solver", "classes", "regions", "seconds", "excess", "optimal"], [])
    if not (times.seconds > 0).all():
        raise ValueError(
            f"times.seconds must be above 0, got {times.seconds.min()}: leave out what was not run"
        )
    if times.solver.nunique() > len(CYCLE):
        raise ValueError(f"times holds {times.solver.nunique()} solvers; {len(CYCLE)} can be told apart")
    times = times.assign(candidates=times.regions / times.classes)
    solvers = list(dict.fromkeys(times.solver))
    looks = {
        solver: {"color": colour, "marker": marker, "markersize": 6, "linewidth": 1.6}
        for solver, colour, marker in zip(solvers, CYCLE, MARKERS + "PX*", strict=False)
    }
    classes, candidates = _most_sizes(times, "classes"), _most_sizes(times, "candidates")
    at_classes = times[times.classes == classes]
    figure, axes = plt.subplot_mosaic([["regions", "classes"], ["excess", "excess"]], figsize=(WIDTH, 7.0))
    axes["classes"].sharey(axes["regions"])
    _draw_lines(axes["regions"], at_classes, "regions", "seconds", "median", looks)
    _draw_lines(axes["classes"], times[times.candidates == candidates], "classes", "seconds", "median", looks)
    inexact = set(times[~times.optimal.astype(bool)].solver)
    paid = at_classes[at_classes.solver.isin(inexact)].dropna(subset="excess")
    _draw_lines(axes["excess"], paid.assign(percent=100 * paid.excess), "regions", "percent", "mean", looks)
    axes["regions"].set(
        xscale="log", yscale="log", xlabel="regions", ylabel="time, s", title=f"{classes:g} classes"
    )
    axes["classes"].set(xlabel="classes", title=f"{candidates:g} candidates a class")
    axes["excess"].set(
        xlabel="regions", ylabel="excess cost, %", title=f"inexact solvers, {classes:g} classes"
    )
    _plain_ticks(axes["regions"], at_classes.regions)
    _plain_ticks(axes["classes"], times[times.candidates == candidates].classes)
    figure.legend(*axes["regions"].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _most_sizes(times: pd.DataFrame, fixed: str) -> float:
    """Pick the value of one column at which most sizes were measured; the smaller of equals."""
    counts = times.groupby(fixed).regions.nunique()
    return counts.idxmax()


def _draw_lines(ax: Axes, part: pd.DataFrame, x: str, y: str, summary: str, looks: dict[str, dict]) -> None:
    """Draw a line of every solver that has rows."""
    for solver, look in looks.items():
        line = part[part.solver == solver].groupby(x)[y].agg(summary)
        if len(line):
            ax.plot(line.index, line.to_numpy(float), label=solver, **look)


def _plain_ticks(ax: Axes, sizes: pd.Series) -> None:
    """Write the sizes themselves under an axis, at most six of them."""
    from matplotlib.ticker import NullFormatter

    ticks = sorted(set(sizes))
    ticks = ticks[:: -(-len(ticks) // 6)]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_formatter(NullFormatter())


def chart_curves(histories: Sequence[History]) -> Figure:
    """Draw the trainings of several repeats: the loss, and the validation score with the best epoch of each.

    Parameters
    ----------
    histories : sequence of History
        Of the training loop, validated.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is none, or one was not validated.
    """
    import matplotlib.pyplot as plt

    if not len(histories):
        raise ValueError("histories must hold at least one training, got none")
    for number, history in enumerate(histories):
        if not history.scores:
            raise ValueError(f"histories[{number}] has no validation scores: train with validate=...")
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.7))
    for number, history in enumerate(histories):
        look = {"color": CYCLE[0], "linewidth": 1.2, "alpha": 0.6}
        left.plot(range(1, len(history.losses) + 1), history.losses, **look)
        name = None if number else f"one of {len(histories)} repeats" if len(histories) > 1 else "training"
        right.plot(range(1, len(history.scores) + 1), history.scores, label=name, **look)
        best = history.best_epoch
        mark = {
            "color": CYCLE[1],
            "markersize": 7,
            "markeredgecolor": "white",
            "zorder": 3,
            "linestyle": "none",
        }
        right.plot(best + 1, history.scores[best], "o", label=None if number else "its best epoch", **mark)
    left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="validation score")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
