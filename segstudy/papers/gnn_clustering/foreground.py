"""Which cluster is the object? A clustering does not say, and the works answer differently.

`oracle`: the cluster whose IoU with the truth is higher, as the slides and UnSegGNet score. It knows the truth, so that
a score under it is an upper bound of what a user gets. `corner`: the picture's corners are background, as in DeepCut;
it knows nothing. Scores are taken at the picture's pixels with every patch one square of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_labels

RULES = ("oracle", "corner")
CELL = 8  # pixels along a patch's side


class Targets(NamedTuple):
    """The truth of N pictures as their patches see it.

    Attributes
    ----------
    objects : (N, n) int ndarray
        Pixels of the object in each patch, 0 to 64.
    scored : (N, n) int ndarray
        Pixels of each patch that are not void.
    grid : (int, int)
        Rows and columns of patches.
    """

    objects: np.ndarray
    scored: np.ndarray
    grid: tuple[int, int]

    def take(self, indices: Iterable[int]) -> Targets:
        """Return the truth of some of the pictures."""
        kept = list(indices)
        return Targets(self.objects[kept], self.scored[kept], self.grid)


def count_objects(masks: Iterable[np.ndarray], grid: tuple[int, int]) -> Targets:
    """Count each patch's object pixels.

    Parameters
    ----------
    masks : iterable of (H, W) int ndarray
        0 background, 1 object, `VOID` where nothing is scored; each is stretched to 8 pixels a patch.
    grid : (int, int)
        Rows and columns of patches.

    Returns
    -------
    Targets
    """
    rows, columns = grid
    objects, scored = [], []
    for mask in masks:
        cells = resize_labels(mask, (CELL * rows, CELL * columns)).reshape(rows, CELL, columns, CELL)
        objects.append((cells == 1).sum(axis=(1, 3)).ravel())
        scored.append((cells != VOID).sum(axis=(1, 3)).ravel())
    return Targets(np.array(objects), np.array(scored), grid)


def iou(chosen: np.ndarray, targets: Targets) -> np.ndarray:
    """Return each picture's IoU of the object with the patches chosen for it.

    Parameters
    ----------
    chosen : (N, ..., n) bool ndarray
    targets : Targets

    Returns
    -------
    (N, ...) float ndarray
        nan where the picture shows no object and none was chosen.
    """
    objects, scored = _spread(targets, chosen.ndim - 2)
    both = (chosen * objects).sum(axis=-1)
    union = (chosen * scored).sum(axis=-1) + objects.sum(axis=-1) - both
    return np.divide(both, union, out=np.full(both.shape, np.nan), where=union > 0)


def oracle_iou(labels: np.ndarray, clusters: int, targets: Targets) -> np.ndarray:
    """Return the IoU of the clusters that together fit the object best.

    Of two clusters that is the better one; of more, every choice is tried that leaves some of the picture out.

    Parameters
    ----------
    labels : (N, ..., n) int ndarray
        0..clusters-1. A picture in one cluster is scored as if all were object.
    clusters : int
        Up to some 12: there are 2^clusters choices.
    targets : Targets

    Returns
    -------
    (N, ...) float ndarray
    """
    member = labels[..., None, :] == np.arange(clusters)[:, None]  # (N, ..., K, n)
    objects, scored = _spread(targets, labels.ndim - 1)
    patches, size, held = (
        member.sum(axis=-1),
        (member * scored).sum(axis=-1),
        (member * objects).sum(axis=-1),
    )
    choices = np.array(list(product((0, 1), repeat=clusters)))[1:-1]
    taken, both = size @ choices.T, held @ choices.T
    union = taken + objects.sum(axis=-1) - both
    scores = np.divide(both, union, out=np.zeros(both.shape), where=union > 0)
    whole, single = patches @ choices.T == labels.shape[-1], (patches > 0).sum(axis=-1, keepdims=True) == 1
    return np.where(whole & ~single, 0, scores).max(axis=-1)


def _spread(targets: Targets, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return objects and scored with so many axes of length 1 between pictures and patches."""
    shape = (len(targets.objects), *[1] * axes, -1)
    return targets.objects.reshape(shape), targets.scored.reshape(shape)


def grow(mask: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return the pixels of a picture of that size that lie in chosen patches: (n,) bool becomes (H, W) bool."""
    return resize_labels(mask.reshape(grid), size)


def corner_background(labels: np.ndarray, clusters: int, grid: tuple[int, int]) -> np.ndarray:
    """Return the cluster that most of the four corners belong to; of two with as many, cluster 0 or the lower.

    With two clusters that is DeepCut's rule: 1 is the object unless more than two corners are 1.

    Parameters
    ----------
    labels : (..., n) int ndarray
    clusters : int
    grid : (int, int)

    Returns
    -------
    (...) int ndarray
    """
    rows, columns = grid
    corners = labels[..., [0, columns - 1, (rows - 1) * columns, rows * columns - 1]]
    return (corners[..., None] == np.arange(clusters)).sum(axis=-2).argmax(axis=-1)


def corner_mask(labels: np.ndarray, clusters: int, grid: tuple[int, int]) -> np.ndarray:
    """Return the patches that are not of the corners' cluster: (..., n) bool."""
    return labels != corner_background(labels, clusters, grid)[..., None]
