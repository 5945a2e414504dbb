"""Edge attributes: the relation D between two regions of a map.

The paper takes the smallest distance (Chopin et al. 2020, Eq. 3) and calls the distance of the centres of gravity
inappropriate (Section III-B); the authors' later code uses the smallest and the largest distance, half and half.
Every attribute is an array of shape (n, n, e), so that one cost serves all of them: e is 2 for
"minimum+maximum" and 1 for the others.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

from segstudy.graphs import Regions, region_distances

KINDS = ("minimum", "centroid", "maximum", "minimum+maximum")
UNITS = ("pixel", "diagonal")


def edge_attributes(found: Regions, kind: str = "minimum", unit: str = "pixel") -> np.ndarray:
    """Measure the relation between every two regions.

    Parameters
    ----------
    found : Regions
        n regions.
    kind : {"minimum", "centroid", "maximum", "minimum+maximum"}
        Smallest distance of two pixels (Chopin et al. 2020, Eq. 3), distance of the centres of gravity, largest
        distance of two pixels, or smallest and largest as two attributes. The authors' later code takes as largest
        distance that of the farthest pixel of one region to the nearest of the other, which depends on the order of
        the two; ours does not.
    unit : {"pixel", "diagonal"}
        Pixels, or fractions of the picture's diagonal as in the authors' later code.

    Returns
    -------
    (n, n, e) float64 ndarray
        Symmetric in the first two axes, zero on their diagonal.

    Raises
    ------
    ValueError
        Unknown `kind` or `unit`.
    """
    require("edges", kind, KINDS)
    measures = {"minimum": region_distances, "centroid": _centre_distances, "maximum": largest_distances}
    attributes = np.stack([measures[name](found) for name in kind.split("+")], axis=2)
    return attributes / unit_length(found.map.shape, unit)


def unit_length(shape: tuple[int, int], unit: str) -> float:
    """Return how many pixels one unit of length is in a picture of this (H, W)."""
    require("unit", unit, UNITS)
    return float(np.hypot(*shape)) if unit == "diagonal" else 1.0


def require(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Refuse a value that is not one of the allowed ones, with a ValueError that names both."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def largest_distances(found: Regions) -> np.ndarray:
    """Measure the largest distance between a pixel of one region and one of another, exactly.

    Parameters
    ----------
    found : Regions
        n regions.

    Returns
    -------
    (n, n) float64 ndarray
        In pixels; zero on the diagonal by convention.

    Notes
    -----
    A farthest pair lies on the corners of the two convex hulls, and those are among the first and last pixels of
    the regions' rows.
    """
    corners = [_corners(points) for points in _row_ends(found)]
    starts = np.concatenate([[0], np.cumsum([len(points) for points in corners])[:-1]])
    points = np.concatenate(corners)
    far = np.maximum.reduceat(np.maximum.reduceat(cdist(points, points), starts, axis=0), starts, axis=1)
    np.fill_diagonal(far, 0)
    return far


def _centre_distances(found: Regions) -> np.ndarray:
    return cdist(found.centroids, found.centroids)


def _row_ends(found: Regions) -> list[np.ndarray]:
    """First and last pixel of every region in every row it touches: n arrays (k, 2) of row and column."""
    height, width = found.map.shape
    keys = (found.map.astype(np.int64) * height + np.arange(height)[:, None]).ravel()
    # raster order: a key's first pixel is the leftmost of that region in that row; mirrored, the rightmost
    rows, first = np.unique(keys, return_index=True)
    last = keys.size - 1 - np.unique(keys[::-1], return_index=True)[1]
    ends = np.stack([np.tile(rows % height, 2), np.concatenate([first, last]) % width], axis=1)
    region = np.tile(rows // height, 2)
    order = np.argsort(region, kind="stable")
    return np.split(ends[order], np.cumsum(np.bincount(region))[:-1])


def _corners(points: np.ndarray) -> np.ndarray:
    """Keep the corners of the convex hull; points on one line, which have no area, are kept as they are."""
    if len(points) < 4:
        return points
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return points
