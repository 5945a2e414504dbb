"""Activation maps over pictures (Figure 1), and labels beside the truth (Figure 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_labels
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.plots import overlay, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_activations(
    images: Sequence[np.ndarray], maps: Sequence[np.ndarray], titles: Sequence[str]
) -> Figure:
    """Draw pictures, and under each the activation map of a class it holds, from 0 to 1.

    Parameters
    ----------
    images : sequence of (S, S, 3) uint8 ndarray
    maps : sequence of (h, w) float ndarray
    titles : sequence of str
        The class of each map.

    Returns
    -------
    matplotlib Figure
    """
    figure, axes = panels([*images, *images], [*titles, *[""] * len(titles)], columns=len(images))
    shown = None
    for ax, image, found in zip(axes[len(images) :], images, maps, strict=True):
        extent = (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
        shown = ax.imshow(found, cmap="viridis", vmin=0, vmax=1, alpha=0.75, extent=extent)
    figure.colorbar(shown, ax=axes, label="activation, of its largest", shrink=0.5)
    return figure


def draw_labels(
    images: Sequence[np.ndarray],
    columns: Mapping[str, Sequence[np.ndarray]],
    classes: Sequence[str],
    colours: np.ndarray,
) -> Figure:
    """Draw each picture with the objects of several labellings over it, one row each; background stays as it is.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
    columns : mapping of str to sequence of (h, w) int ndarray
        By title, of any size.
    classes : sequence of str
    colours : (C, 3) uint8 ndarray

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Patch

    drawn, titles, present = [], [], set()
    for row, image in enumerate(images):
        drawn.append(image)
        titles.append("picture" if row == 0 else "")
        for name, labels in columns.items():
            whole = resize_labels(labels[row], image.shape[:2])
            whole = np.where(whole == BACKGROUND, VOID, whole)
            present |= set(np.unique(whole[whole != VOID]).tolist())
            drawn.append(overlay(image, whole, colours, alpha=0.6))
            titles.append(name.replace(" ", "\n", 1) if row == 0 else "")
    figure, _ = panels(drawn, titles, columns=len(columns) + 1)
    keys = [Patch(color=np.asarray(colours)[c] / 255, label=classes[c]) for c in sorted(present)]
    if keys:
        figure.legend(handles=keys, loc="outside lower center", ncols=6)
    return figure
