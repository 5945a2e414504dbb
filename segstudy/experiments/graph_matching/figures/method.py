"""The way through the method, and the model graph over its annotations: Figures 2 and 1 of Chopin et al. 2020."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy import plots
from segstudy.datasets.files import VOID
from segstudy.experiments.graph_matching.figures.drawing import (
    box_changes,
    check_sizes,
    draw_vertices,
    faint,
    innermost,
    near_pairs,
    share_legend,
    show_panel,
)
from segstudy.papers.graph_matching.matcher import Analysis
from segstudy.papers.graph_matching.model import ModelGraph
from segstudy.plots.panels import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85}


def draw_overview(
    image: np.ndarray,
    truth: np.ndarray,
    probabilities: np.ndarray,
    analysis: Analysis,
    model: ModelGraph,
    classes: Sequence[str],
    colours: np.ndarray,
) -> Figure:
    """Draw one picture's way through the method in eight panels (Figure 2 of the paper).

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
        RGB.
    truth : (H, W) int ndarray
        Annotation; the model's vertices are drawn where it has their classes.
    probabilities : (H, W, C) float ndarray
        The network's output S.
    analysis : Analysis
        What :meth:`GraphMatcher.analyse` made of it.
    model : ModelGraph
        Gm.
    classes : sequence of str
        C names.
    colours : (C, 3) uint8 ndarray
        RGB of each class.

    Returns
    -------
    matplotlib Figure
        The graphs show each vertex with its two nearest neighbours only; boxes surround what the method changed.

    Raises
    ------
    ValueError
        If the sizes of image, truth, probabilities and analysis differ.
    """
    graph, network = analysis.graph, probabilities.argmax(axis=2)
    check_sizes(image, truth=truth, probabilities=network, analysis=analysis.labels)
    matched = np.isin(np.arange(len(graph)), analysis.matching.assignment)
    kept = graph.paint(np.where(matched, graph.classes, VOID))
    left_over = len(graph) - int(matched.sum())
    steps = [
        (image, "1 picture"),
        (probabilities.max(axis=2), "2 U-Net's largest\nprobability"),
        (plots.colourise(network, colours), "3 its arg max"),
        (faint(network, colours), f"4 graph Gr of\n{len(graph)} regions"),
        (faint(truth, colours), "5 model graph Gm"),
        (plots.colourise(kept, colours), f"6 one-to-one;\nwhite: {left_over} left over"),
        (plots.colourise(analysis.labels, colours), "7 left-overs\njoined"),
        (plots.colourise(truth, colours), "annotation"),
    ]
    figure, axes = plots.panels(*zip(*steps, strict=True), columns=4)
    axes[1].images[0].set_clim(0, 1)
    draw_vertices(axes[3], graph.map, np.arange(len(graph)), colours[graph.classes])
    vertices = np.intersect1d(model.vertices, truth)
    draw_vertices(axes[4], truth, vertices, colours[vertices])
    for ax in (axes[2], axes[6]):
        box_changes(ax, network, analysis.labels)
    share_legend(figure, classes, colours)
    return figure


def draw_annotations(
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    classes: Sequence[str],
    colours: np.ndarray,
    model: ModelGraph,
) -> Figure:
    """Draw annotated pictures, and the model graph where most of them have its classes (Figure 1 of the paper).

    Each vertex stands at the innermost pixel of where its class is the commonest of the annotations.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
        Shown as they are and annotated, two to a row.
    labels : sequence of (H, W) int ndarray
        Annotations, of one size.
    classes : sequence of str
        C names.
    colours : (C, 3) uint8 ndarray
        RGB of each class.
    model : ModelGraph
        Gm. All edges are drawn; each vertex's to its nearest on the drawing carries the mean distance.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no picture, or sizes differ.
    """
    if not len(images) or len(images) != len(labels):
        raise ValueError(
            f"images and labels must be equally many, and one at least, got {len(images)} and {len(labels)}"
        )
    for image, annotation in zip(images, labels, strict=True):
        check_sizes(images[0], image=image, labels=annotation)
    import matplotlib.pyplot as plt

    rows, columns = -(-len(images) // 2), 2 * min(2, len(images))
    aspect = images[0].shape[0] / images[0].shape[1]
    heights = [WIDTH / columns * aspect + 0.3] * rows + [5.6]
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=heights)
    for number, (image, annotation) in enumerate(zip(images, labels, strict=True)):
        row, column = number // 2, number % 2 * 2
        show_panel(figure.add_subplot(grid[row, column]), image, "picture")
        painted = plots.overlay(image, annotation, colours)
        show_panel(figure.add_subplot(grid[row, column + 1]), painted, "annotation")
    ax = figure.add_subplot(grid[rows, :])
    _draw_model(ax, np.stack(labels), classes, colours, model)
    share_legend(figure, classes, colours)
    return figure


def _draw_model(
    ax: Axes, labels: np.ndarray, classes: Sequence[str], colours: np.ndarray, model: ModelGraph
) -> None:
    """Draw Gm over the commonest class of each pixel of the annotations, (N, H, W)."""
    share = np.stack([(labels == c).mean(axis=0) for c in range(len(classes))])
    # of equally common classes the smaller one, lest an eye vanish in the face
    order = np.argsort(share.sum(axis=(1, 2)), kind="stable")
    usual = order[share[order].argmax(axis=0)]
    unit, form = ("pixels", ".0f") if model.unit == "pixel" else ("diagonals", ".2f")
    kind = model.kind.split("+")[0]
    show_panel(ax, faint(usual, colours), f"model graph Gm: mean {kind} distances, in {unit}")
    vertices = model.vertices[share[model.vertices].any(axis=(1, 2))]
    # a class that is the commonest nowhere stands where it is most common
    most = np.array([np.unravel_index(share[c].argmax(), usual.shape) for c in vertices])
    found = np.isin(vertices, usual)
    places = most.reshape(-1, 2)
    places[found] = innermost(usual, vertices[found])
    rows, columns = np.triu_indices(len(vertices), 1)
    for line in np.stack([places[rows], places[columns]], axis=1):
        ax.plot(line[:, 1], line[:, 0], color="#999999", linewidth=0.5, zorder=1)
    pairs = near_pairs(places, 1)
    plots.draw_graph(ax, places, pairs, colours=colours[vertices], node_size=90)
    for a, b in pairs:
        row, column = (places[a] + places[b]) / 2
        distance = model.edges[vertices[a], vertices[b], 0]
        text = "?" if np.isnan(distance) else f"{distance:{form}}"
        ax.text(column, row, text, ha="center", va="center", fontsize=11, bbox=LABEL, zorder=4)
