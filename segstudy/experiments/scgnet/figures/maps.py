"""Figures 4 and 5: relation maps of some nodes, and what networks make of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.datasets.files import VOID

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_relations(image: np.ndarray, maps: np.ndarray, nodes: Sequence[int]) -> Figure:
    """Draw the relation maps of some nodes over the picture, as Figure 4 does.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    maps : (K, rows, columns) float ndarray
        Of :func:`~segstudy.experiments.scgnet.relations.relation_maps`: 0 where a node is not related, 1 where most.
    nodes : sequence of int
        K nodes in raster order.

    Returns
    -------
    matplotlib Figure
        The picture with the nodes ringed, then a map for each.
    """
    from matplotlib.patches import Circle

    rows, columns = maps.shape[1:]
    cell = np.array([image.shape[0] / rows, image.shape[1] / columns])
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) * 0.4
    layers = [image, *(_lit(grey, found, image.shape[:2]) for found in maps)]
    figure, axes = plots.panels(layers, ["picture", *(f"node {node}" for node in nodes)], columns=4)
    for index, node in enumerate(nodes):
        row, column = (np.array(divmod(node, columns)) + 0.5) * cell
        for ax in (axes[0], axes[index + 1]):
            ax.add_patch(Circle((column, row), 0.8 * cell.max(), fill=False, color="white", linewidth=2.5))
            ax.add_patch(Circle((column, row), 0.8 * cell.max(), fill=False, color="black", linewidth=1.0))
        label = {"color": "white", "fontsize": 8, "ha": "center", "va": "center", "weight": "bold"}
        axes[0].text(column, row, str(node), **label)
    return figure


def _lit(grey: np.ndarray, found: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Light up the cells of a map in viridis over a dark picture."""
    from matplotlib import colormaps

    rows = np.arange(size[0]) * found.shape[0] // size[0]
    columns = np.arange(size[1]) * found.shape[1] // size[1]
    grown = found[rows][:, columns]
    weakest = found[found > 0].min(initial=1.0)
    span = max(1.0 - weakest, 1e-9)
    light = colormaps["viridis"](0.2 + 0.8 * (grown - weakest).clip(0) / span)[..., :3] * 255
    share = np.where(grown > 0, 0.85, 0.0)[..., None]
    return np.clip(grey * (1 - share) + light * share, 0, 255).astype(np.uint8)


def draw_scenes(
    images: Sequence[np.ndarray],
    labels: Mapping[str, Sequence[np.ndarray]],
    classes: Sequence[str],
    colours: np.ndarray,
) -> Figure:
    """Draw pictures beside their truth and predictions, as Figure 5 does, a row for each picture.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
    labels : mapping of str to sequence of (H, W) int ndarray
        Truth and predictions by name, picture by picture; void is black.
    classes : sequence of str
    colours : (C, 3) uint8 ndarray

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.patches import Patch

    shown, titles = [], []
    for row, image in enumerate(images):
        shown += [image, *(_painted(found[row], colours) for found in labels.values())]
        titles += ["picture", *labels] if row == 0 else [" "] * (1 + len(labels))
    figure, _ = plots.panels(shown, titles, columns=1 + len(labels))
    patches = [
        Patch(facecolor=colour / 255, edgecolor="black", linewidth=0.5, label=name)
        for name, colour in zip(classes, np.asarray(colours, float), strict=True)
    ]
    if any((found == VOID).any() for maps in labels.values() for found in maps):
        patches.append(Patch(facecolor="black", label="void, not scored"))
    figure.legend(handles=patches, loc="outside lower center", ncols=3)
    return figure


def _painted(labels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Return labels in their classes' colours and void in black: white is a class of ISPRS."""
    return np.where((labels == VOID)[..., None], np.uint8(0), plots.colourise(labels, colours))
