"""Regions of a label map, the distances between them, and which of them touch.

Chopin et al. 2020 turn a segmentation into a graph: every connected component of one class is a vertex
(Section II-A, the set R), and the edge between two components carries the smallest distance between them (Eq. 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects
from scipy.spatial import cKDTree
from skimage.measure import label

# Half of the neighbours of a pixel (row, column offsets); the other half is the same pairs seen from the other end.
FORWARD = {1: ((0, 1), (1, 0)), 2: ((0, 1), (1, 0), (1, 1), (1, -1))}


@dataclass(frozen=True)
class Regions:
    """The connected components of a label map; region ids run 0..n-1 in raster order of their first pixel.

    Parameters
    ----------
    map : (H, W) int32 ndarray
        The region of every pixel.
    classes : (n,) ndarray
        The label that a region's pixels share, in the label map's own dtype.
    sizes : (n,) int64 ndarray
        Pixels.
    centroids : (n, 2) float64 ndarray
        Mean row and column of the pixel centres.
    boxes : (n, 4) int64 ndarray
        Smallest window around a region: row, column, height, width.
    """

    map: np.ndarray
    classes: np.ndarray
    sizes: np.ndarray
    centroids: np.ndarray
    boxes: np.ndarray

    def __len__(self) -> int:
        """Count the regions."""
        return len(self.classes)


def regions(labels: np.ndarray, connectivity: int = 1) -> Regions:
    """Find the connected components of equal label: the vertices of Chopin et al. 2020, from their map L* (Eq. 1).

    No label is special: the background and void are cut into regions like every class. Drop what a method does not
    want by `classes` afterwards.

    Parameters
    ----------
    labels : (H, W) int ndarray
        Class ids, 0 or more.
    connectivity : {1, 2}
        1: pixels that share an edge are connected, 2: those that share a corner too. The paper does not say which.

    Returns
    -------
    Regions
        One entry per component.

    Raises
    ------
    TypeError
        `labels` are not integers.
    ValueError
        `labels` is not 2-D, is empty or holds a negative id; `connectivity` is neither 1 nor 2.
    """
    labels = _checked_labels(labels)
    _check_connectivity(connectivity)
    # background=-1 occurs nowhere, so that class 0 is a class like the others; ids then start at 1.
    ids = label(labels.astype(np.int64), background=-1, connectivity=connectivity).astype(np.int32) - 1
    flat = ids.ravel()
    first = np.unique(flat, return_index=True)[1]
    sizes = np.bincount(flat)
    rows, columns = np.divmod(np.arange(flat.size), labels.shape[1])
    sums = np.stack([np.bincount(flat, weights=axis) for axis in (rows, columns)], axis=1)
    boxes = [(r.start, c.start, r.stop - r.start, c.stop - c.start) for r, c in find_objects(ids + 1)]
    return Regions(ids, labels.ravel()[first], sizes, sums / sizes[:, None], np.array(boxes, dtype=np.int64))


def region_distances(regions: Regions) -> np.ndarray:
    r"""Measure the smallest distance between every two regions, exactly.

    .. math:: D(i, j) = \min_{p \in R_i,\, q \in R_j} \lVert p - q \rVert_2 \qquad \text{(Chopin et al. 2020, Eq. 3)}

    between pixel centres, in pixels: regions that share a pixel edge are at distance 1, those that only share a
    corner at :math:`\sqrt 2`. Moving or turning the picture by right angles, or mirroring it, changes nothing.
    Repeating every pixel s x s times turns a displacement of a > 0 rows (or columns) into s (a - 1) + 1, because
    distances run between centres and not between edges: touching regions stay at distance 1, and every distance obeys
    :math:`s D - (s - 1)\sqrt 2 \le D_s \le s D`.

    Parameters
    ----------
    regions : Regions
        n regions, from :func:`regions`.

    Returns
    -------
    (n, n) float64 ndarray
        Symmetric, zero on the diagonal.

    Notes
    -----
    A closest pair lies on the two boundaries, since from an inner pixel a step towards the other region stays inside
    and is nearer. So only boundary pixels count: one k-d tree per region, asked once for all pixels of all smaller
    regions.
    """
    points, owner = _boundary_pixels(regions.map)
    # Larger regions become trees, smaller ones queries: sorting by boundary length makes the smaller ones one slice.
    order = np.argsort(-np.bincount(owner, minlength=len(regions)), kind="stable")
    rank = np.argsort(order)
    points = points[np.argsort(rank[owner], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rank[owner], minlength=len(regions)))])
    distances = np.zeros((len(regions), len(regions)))
    for i in range(len(regions) - 1):
        tree = cKDTree(points[starts[i] : starts[i + 1]])
        nearest, _ = tree.query(points[starts[i + 1] :])
        row = np.minimum.reduceat(nearest, starts[i + 1 : -1] - starts[i + 1])  # Chopin et al. 2020, Eq. 3
        distances[order[i], order[i + 1 :]] = distances[order[i + 1 :], order[i]] = row
    return distances


def region_adjacency(regions: Regions, connectivity: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """List the pairs of regions that touch, and how long the border between them is.

    Parameters
    ----------
    regions : Regions
        n regions.
    connectivity : {1, 2}
        1 counts pairs of pixels that share an edge, so that the border is a length in pixel edges; 2 counts pairs
        that share a corner too.

    Returns
    -------
    edges : (m, 2) int64 ndarray
        Pairs i < j, in lexicographic order.
    borders : (m,) int64 ndarray
        Neighbouring pixel pairs, one in i and the other in j.

    Raises
    ------
    ValueError
        `connectivity` is neither 1 nor 2.
    """
    _check_connectivity(connectivity)
    pairs = np.concatenate([np.stack(_shifted(regions.map, step), axis=1) for step in FORWARD[connectivity]])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]].astype(np.int64), axis=1)
    codes, borders = np.unique(pairs[:, 0] * len(regions) + pairs[:, 1], return_counts=True)
    return np.stack(np.divmod(codes, len(regions)), axis=1), borders


def _shifted(values: np.ndarray, step: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pair every pixel with the one `step` (rows >= 0, columns) away: two flat arrays, where both lie inside."""
    (dr, dc), (height, width) = step, values.shape
    here = values[: height - dr, max(0, -dc) : width - max(0, dc)]
    there = values[dr:, max(0, dc) : width + min(0, dc)]
    return here.ravel(), there.ravel()


def _boundary_pixels(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the pixels with a 4-neighbour of another region: (b, 2) coordinates and (b,) region ids."""
    edge = np.zeros(ids.shape, dtype=bool)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return np.argwhere(edge), ids[edge]


def _checked_labels(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(
            f"labels must be integer class ids, got {labels.dtype}: cast them, e.g. labels.astype(np.int64)"
        )
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"labels must be a (H, W) map with at least one pixel, got shape {labels.shape}")
    if labels.min() < 0:
        raise ValueError(
            f"labels must be class ids of 0 or more, got {labels.min()}: give that class an id of its own"
        )
    return labels


def _check_connectivity(connectivity: int) -> None:
    if connectivity not in FORWARD:
        raise ValueError(f"connectivity must be 1 (4 neighbours) or 2 (8 neighbours), got {connectivity!r}")
