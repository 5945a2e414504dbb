"""The look of the study's charts."""

from __future__ import annotations

from segstudy.plots.palettes import CYCLE


def use_style() -> None:
    """Set matplotlib's defaults to the study's style, for this process; seaborn draws with them too.

    A figure of the default size is 1152 pixels wide and is shown at the full width of its column. Text of
    12 points is then 27 pixels high on a page of 1280 pixels and still 9 on a phone of 390. The colour
    cycle is `CYCLE`, safe for colour-blind readers. Backgrounds are white on dark pages as well. The ids inside
    an SVG are fixed: saved with ``metadata={"Date": None}``, the same figure is the same file.
    """
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 4.0),
            "figure.dpi": 160,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.dpi": 160,
            "savefig.facecolor": "white",
            "svg.hashsalt": "segstudy",  # else the ids in an SVG are random
            "font.size": 12,
            "axes.titlesize": 12,
            "axes.labelsize": 12,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
            "legend.fontsize": 11,
            "legend.frameon": True,  # lines that pass under a legend must not cross its text
            "legend.framealpha": 0.9,
            "legend.edgecolor": "white",
            "axes.facecolor": "white",
            "axes.prop_cycle": cycler(color=CYCLE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.8,
            "lines.linewidth": 2.0,
            "image.cmap": "cividis",
            "image.interpolation": "nearest",  # a label map must not be smoothed
        }
    )
