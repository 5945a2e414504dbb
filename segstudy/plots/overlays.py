"""Pictures of segmentations: colours over the image, borders, and a legend of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend


def overlay(
    image: np.ndarray,
    labels: np.ndarray,
    colours: np.ndarray,
    alpha: float = 0.5,
    boundaries: bool = True,
    void: int = 255,
) -> np.ndarray:
    """Paint the classes over the image, half transparent, with borders in the full colour.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
        RGB.
    labels : (H, W) int ndarray
        Class ids; `void` and negative ones (clusters without a class) stay unpainted.
    colours : (C, 3) uint8 ndarray
        RGB of each class, for example `palette(C)`.
    alpha : float
        Opacity of the paint, 0 to 1.
    boundaries : bool
        Whether pixels with another label among their 4 neighbours are painted opaque.
    void : int
        Label that is not scored.

    Returns
    -------
    (H, W, 3) uint8 ndarray

    Raises
    ------
    ValueError
        If the shapes do not fit, alpha is out of range, or a label has no colour.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}; of more bands pass three"
        )
    if labels.shape != image.shape[:2]:
        raise ValueError(
            f"labels {labels.shape} and image {image.shape[:2]} must have the same height and width"
        )
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be 0 to 1, got {alpha}")
    painted = _is_class(labels, colours, void)
    opacity = np.where(painted, alpha, 0.0)
    if boundaries:
        opacity[painted & _borders(labels)] = 1.0
    paint = np.asarray(colours)[np.where(painted, labels, 0)]
    mixed = image * (1 - opacity[..., None]) + paint * opacity[..., None]
    return np.rint(mixed).astype(np.uint8)


def colourise(labels: np.ndarray, colours: np.ndarray, void: int = 255) -> np.ndarray:
    """Return a label map in its classes' colours, (H, W, 3) uint8; void and negative labels are white.

    Parameters
    ----------
    labels : (H, W) int ndarray
        Class ids.
    colours : (C, 3) uint8 ndarray
        RGB of each class.
    void : int
        Label that is not scored.
    """
    white = np.full((*labels.shape, 3), 255, dtype=np.uint8)
    return overlay(white, labels, colours, alpha=1.0, boundaries=False, void=void)


def show_segmentation(
    ax: Axes,
    image: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    colours: np.ndarray,
    show_legend: bool = True,
) -> None:
    """Draw the overlay of `labels` on `image` into `ax`, with a legend of the classes present below it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw; its axes are switched off.
    image : (H, W, 3) uint8 ndarray
        RGB.
    labels : (H, W) int ndarray
        Class ids, 255 for void.
    classes : sequence of str
        Name of each class.
    colours : (C, 3) uint8 ndarray
        RGB of each class.
    show_legend : bool
        False in a row of panels that share one `legend`.
    """
    ax.imshow(overlay(image, labels, colours))
    ax.set_axis_off()
    if show_legend:
        present = np.unique(labels[_is_class(labels, colours, void=255)])
        legend(ax, [classes[c] for c in present], np.asarray(colours)[present])


def legend(ax: Axes, classes: Sequence[str], colours: np.ndarray) -> Legend:
    """Put a legend of coloured squares below `ax`, three names to a row.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes to stand under.
    classes : sequence of str
        The names to show.
    colours : (C, 3) uint8 ndarray
        Their RGB, in the same order.

    Raises
    ------
    ValueError
        If there are not as many names as colours.
    """
    from matplotlib.patches import Patch

    if len(classes) != len(colours):
        raise ValueError(f"classes and colours must be equally many, got {len(classes)} and {len(colours)}")
    squares = [
        Patch(facecolor=np.asarray(colour) / 255, edgecolor="#666666", linewidth=0.5, label=name)
        for name, colour in zip(classes, colours, strict=True)
    ]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": min(3, len(squares) or 1)}
    return ax.legend(handles=squares, **place, handlelength=1.0, columnspacing=1.2)


def _is_class(labels: np.ndarray, colours: np.ndarray, void: int) -> np.ndarray:
    """Mask of the pixels that get a colour; every class needs one."""
    painted = (labels != void) & (labels >= 0)
    highest = labels[painted].max(initial=0)
    if highest >= len(colours):
        raise ValueError(f"labels reach {highest}, but there are only {len(colours)} colours")
    return painted


def _borders(labels: np.ndarray) -> np.ndarray:
    """Mask of the pixels with another label among their 4 neighbours."""
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    found = np.zeros(labels.shape, dtype=bool)
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found
