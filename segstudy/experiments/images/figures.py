"""Figures of notebook 09: maps side by side, a divider between two pictures, agreement, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.experiments.images.methods import METHODS
from segstudy.experiments.images.segmenting import paint
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 5  # pictures in a row
LINE = 255  # grey of the divider


def draw_maps(
    images: Sequence[np.ndarray], maps: Mapping[str, Sequence[np.ndarray]], shown: Sequence[int]
) -> Figure:
    """Draw pictures, each followed by its overlays.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
    maps : mapping of str to sequence of (H, W) int ndarray
        By method, the label map of each picture.
    shown : sequence of int
        The pictures' numbers.
    """
    drawn, titles = [], []
    for index in shown:
        block = [images[index], *(paint(images[index], found[index]) for found in maps.values())]
        named = ["the picture", *(_wrapped(METHODS[name].title) for name in maps)]
        empty = -len(block) % COLUMNS  # the next picture begins a row
        drawn += block + [None] * empty
        titles += named + [""] * empty
    return plots.panels(drawn, titles, columns=COLUMNS)[0]


def _wrapped(title: str) -> str:
    """Return a title in two lines of about the same length, where it is long."""
    words = title.split()
    if len(title) <= 14 or len(words) < 2:
        return title
    half = min(range(1, len(words)), key=lambda i: abs(len(" ".join(words[:i])) - len(title) / 2))
    return " ".join(words[:half]) + "\n" + " ".join(words[half:])


def divide(left: np.ndarray, right: np.ndarray, at: float) -> np.ndarray:
    """Return one picture left of a white line and the other right of it.

    Parameters
    ----------
    left, right : (H, W, 3) uint8 ndarray
    at : float
        Where the line stands, as a share of the width.

    Examples
    --------
    >>> left, right = np.zeros((1, 5, 3), np.uint8), np.full((1, 5, 3), 9, np.uint8)
    >>> divide(left, right, 0.5)[0, :, 0]
    array([  0,   0, 255,   9,   9], dtype=uint8)
    """
    column = round(at * (left.shape[1] - 1))
    whole = right.copy()
    whole[:, :column] = left[:, :column]
    whole[:, column] = LINE
    return whole


def chart_agreement(matrix: np.ndarray, methods: Sequence[str]) -> Figure:
    """Draw the mean over pictures of :func:`~segstudy.experiments.images.results.agreement_matrix`, times 100."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH * 0.75, WIDTH * 0.7))
    titles = [METHODS[name].title for name in methods]
    plots.show_matrix(ax, np.nan_to_num(100 * matrix.mean(axis=2)), titles, "adjusted Rand index, times 100")
    return figure


def chart_seconds(seconds: Mapping[str, np.ndarray]) -> Figure:
    """Draw each method's time for a picture: a point for each picture, a bar at the median; logarithmic."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(WIDTH, 0.6 + 0.32 * len(seconds)))
    for row, values in enumerate(seconds.values()):
        ax.plot(values, np.full(len(values), row), "o", color=plots.CYCLE[0], alpha=0.5, markersize=4)
        ax.plot(np.median(values), row, "|", color=plots.CYCLE[1], markersize=14, markeredgewidth=2)
    titles = [METHODS[name].title for name in seconds]
    ax.set(yticks=range(len(titles)), yticklabels=titles, xscale="log", xlabel="seconds a picture")
    ax.invert_yaxis()
    return figure
