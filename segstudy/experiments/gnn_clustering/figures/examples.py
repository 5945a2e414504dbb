"""Pictures with their masks and their clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudy import plots
from segstudy.datasets.resizing import resize_image, resize_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 256  # pixels of a picture's longer side in a figure


def draw_examples(rows: Sequence[Mapping[str, Any]], colours: np.ndarray) -> Figure:
    """Draw pictures, their truth, and the masks of several methods with their scores.

    Parameters
    ----------
    rows : sequence of mapping
        "image" (H, W, 3) uint8, "truth" (H, W) int, "masks" and "scores" by method: (H, W) bool and IoU; "title".
    colours : (2, 3) uint8 ndarray
        Of background and object.

    Returns
    -------
    matplotlib Figure
    """
    pictures, titles = [], []
    for row in rows:
        side = LONGEST / max(row["image"].shape[:2])
        size = tuple(max(1, round(side * length)) for length in row["image"].shape[:2])
        image = resize_image(row["image"], size)
        masks = [resize_labels(np.asarray(mask).astype(int), size) for mask in row["masks"].values()]
        truth = resize_labels(row["truth"], size)
        pictures += [image, *(plots.overlay(image, labels, colours) for labels in (truth, *masks))]
        names = [
            f"{name.replace(' (NO Normalization)', '')}\nIoU {row['scores'][name]:.2f}"
            for name in row["masks"]
        ]
        titles += [row["title"], "truth", *names]
    figure, axes = plots.panels(pictures, titles, columns=2 + len(rows[0]["masks"]))
    for ax in axes:
        ax.title.set_fontsize(8)
    return figure


def draw_clusters(image: np.ndarray, label_maps: Mapping[str, np.ndarray]) -> Figure:
    """Draw a picture and the clusters of its patches, one panel for each clustering.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    label_maps : mapping of str to (rows, columns) int ndarray

    Returns
    -------
    matplotlib Figure
    """
    count = max(int(labels.max()) for labels in label_maps.values()) + 1
    colours = plots.palette(max(count, 2))
    grown = [resize_labels(labels, image.shape[:2]) for labels in label_maps.values()]
    shown = [plots.overlay(image, labels, colours) for labels in grown]
    figure, _ = plots.panels([image, *shown], ["picture", *label_maps], columns=min(5, 1 + len(shown)))
    return figure
