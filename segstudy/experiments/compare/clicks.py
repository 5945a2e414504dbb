r"""Interactive segmentation: a person clicks once into each class of a picture, and a minimum cut does the rest.

Boykov & Jolly 2001: what the clicks' brush touches is fixed, colours near a class's own are likelier to be of it, and a
border costs less where colours differ. Several classes are cut one against all others, as DGCN does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from scipy.spatial.distance import cdist

from segstudy.baselines import seeded_graph_cut
from segstudy.baselines.common import lab_colours
from segstudy.datasets.files import VOID
from segstudy.graphs.grid import contrast_weights, grid_edges

UNKNOWN = -1
BRUSH = 3.0  # pixels around a click that are marked with it
# Chosen on sixteen training pictures each of FASSEG, VOC and dubai.
COLOUR, PLACE = 6.0, 0.25  # how far a colour (in L*a*b*) and a place (of the picture's diagonal) reach
SMOOTH = 8.0  # price of a border between two equal colours, against one unit of -log probability


def click(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return what a person would mark who clicks once into each class that a picture shows.

    A click lies deep within the largest region of its class: at least half as far from the border as can be.

    Parameters
    ----------
    labels : (H, W) int ndarray
        The truth.
    count : int
        Classes; what lies above, such as void, is not clicked.
    rng : Generator
        Chooses among the places that are deep enough.

    Returns
    -------
    (H, W) int64 ndarray
        A class within `BRUSH` pixels of its click, elsewhere `UNKNOWN`.
    """
    marked = np.full(labels.shape, UNKNOWN)
    rows, columns = np.indices(labels.shape)
    for kind in np.unique(labels[labels < min(count, VOID)]):
        regions, _ = label(labels == kind)
        region = regions == 1 + np.bincount(regions[regions > 0])[1:].argmax()
        depth = distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
        row, column = rng.choice(np.argwhere(depth >= depth.max() / 2))
        near = (rows - row) ** 2 + (columns - column) ** 2 <= BRUSH**2
        marked[near & region] = kind
    return marked


class Clicked:
    """Segment a picture from clicks.

    Parameters
    ----------
    num_classes : int
    cut : bool
        Whether labels are those of minimum cuts; else each pixel takes its likeliest class, without a graph.
    """

    supervision: ClassVar[str] = "none"
    outputs: ClassVar[str] = "classes"

    def __init__(self, num_classes: int, cut: bool) -> None:
        self.num_classes, self.cut = num_classes, cut
        self._marked: np.ndarray | None = None

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Return the segmenter as it is: it learns from the clicks alone."""
        return self

    def mark(self, marked: np.ndarray) -> Self:
        """Take the clicks of the picture that comes next; see :func:`click`."""
        self._marked = marked
        return self

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the class probabilities of the (H, W, C) uint8 image that was marked: (H, W, num_classes) float64.

        Of a cut they are 0 and 1.

        Raises
        ------
        ValueError
            The picture was not marked.
        """
        if self._marked is None or self._marked.shape != image.shape[:2]:
            raise ValueError(
                f"call mark(clicks) with clicks of the picture's shape, {image.shape[:2]}, first"
            )
        soft = likelihoods(image, self._marked, self.num_classes)
        if not self.cut:
            return soft
        return np.eye(self.num_classes)[cut_classes(image, self._marked, soft)]

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return the class of each pixel of the (H, W, C) uint8 image that was marked: (H, W) int64."""
        return self.probabilities(image).argmax(axis=2)


def likelihoods(image: np.ndarray, marked: np.ndarray, count: int) -> np.ndarray:
    r"""Return how likely each class is at each pixel, from the nearest mark of each class.

    .. math:: p_i(c) \propto \max_{j \in M_c}
        \exp\left(-\frac{\|I_i - I_j\|^2}{2 \sigma_I^2} - \frac{\|x_i - x_j\|^2}{2 \sigma_x^2}\right)

    I are colours in L*a*b*, x places; a class without a mark has probability 0.
    """
    shape = marked.shape
    places = np.indices(shape).reshape(2, -1).T / (PLACE * np.hypot(*shape))
    colours = lab_colours(image).reshape(-1, 3) / COLOUR
    described = np.concatenate([colours, places], axis=1)
    nearest = np.full((marked.size, count), np.inf)
    for kind in np.unique(marked[marked != UNKNOWN]):
        own = described[marked.ravel() == kind]
        nearest[:, kind] = cdist(described, own, "sqeuclidean").min(axis=1)
    relative = np.exp(-0.5 * (nearest - nearest.min(axis=1, keepdims=True)))
    return (relative / relative.sum(axis=1, keepdims=True)).reshape(*shape, count)


def cut_classes(image: np.ndarray, marked: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Return the class of each pixel by one minimum cut for each class that is marked, (H, W) int64.

    Borders cost what :func:`~segstudy.graphs.grid.contrast_weights` says, `SMOOTH` times. A pixel that several cuts
    take, or none, has its likeliest class among them.
    """
    edges = grid_edges(marked.shape)
    weights = SMOOTH * contrast_weights(lab_colours(image), edges)
    taken = np.zeros(soft.shape, bool)
    for kind in np.unique(marked[marked != UNKNOWN]):
        seeds = np.where(marked == UNKNOWN, UNKNOWN, marked == kind)
        taken[:, :, kind] = seeded_graph_cut(seeds, edges, weights, soft[:, :, kind]).labels
    wanted = np.where(taken.any(axis=2, keepdims=True), taken, True)
    return np.where(wanted, soft, -1.0).argmax(axis=2)
