"""Charts of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.experiments.claims.ledger import NOTEBOOKS, WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Blue holds, pale blue holds weakly, vermilion does not; greys were not tested. Each number stands in its bar.
COLOURS = dict(
    zip(WORDS, (plots.CYCLE[0], plots.CYCLE[5], plots.CYCLE[1], "#bbbbbb", "#eeeeee"), strict=True)
)
TEXT = dict(zip(WORDS, ("white", "black", "black", "black", "black"), strict=True))


def chart_verdicts(counts: dict[str, pd.DataFrame]) -> Figure:
    """Draw how many claims of each paper got which verdict, a panel for each source.

    Parameters
    ----------
    counts : dict of str to DataFrame
        By source; see :func:`~segstudy.experiments.claims.ledger.count`.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(counts), 1, figsize=(7.2, 2.9 * len(counts)), squeeze=False, sharex=True)
    for ax, (source, table) in zip(axes[:, 0], counts.items(), strict=True):
        left = np.zeros(len(table))
        for word in WORDS:
            values = table[word].to_numpy()
            bars = ax.barh(
                range(len(table)), values, left=left, color=COLOURS[word], edgecolor="black", label=word
            )
            ax.bar_label(bars, [str(v) if v else "" for v in values], label_type="center", color=TEXT[word])
            left += values
        ax.set(yticks=range(len(table)), yticklabels=[NOTEBOOKS[name] for name in table.index], title=source)
        ax.invert_yaxis()
        ax.grid(visible=False, axis="y")
    axes[-1, 0].set_xlabel("claims")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
