"""Graphs over the pixels of an image: the grid with contrast weights for a minimum cut, and affinities within a radius
for a normalised cut.

Nodes are pixels numbered in raster order, node = row x width + column.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from segstudy.graphs.regions import FORWARD, _check_connectivity, _shifted


def grid_edges(shape: tuple[int, int], connectivity: int = 1) -> np.ndarray:
    """List the pairs of neighbouring pixels.

    Parameters
    ----------
    shape : (H, W)
        Of the image.
    connectivity : {1, 2}
        1: pixels that share an edge, 2: those that share a corner too.

    Returns
    -------
    (m, 2) int64 ndarray
        Flat pixel ids, the smaller first, each pair once.

    Raises
    ------
    ValueError
        `connectivity` is neither 1 nor 2, or a side of `shape` is below 1.
    """
    _check_connectivity(connectivity)
    height, width = shape
    if height < 1 or width < 1:
        raise ValueError(f"shape must be (height, width) of at least one pixel, got {shape}")
    ids = np.arange(height * width).reshape(height, width)
    return np.concatenate([np.stack(_shifted(ids, step), axis=1) for step in FORWARD[connectivity]])


def contrast_weights(image: np.ndarray, edges: np.ndarray, sigma: float | None = None) -> np.ndarray:
    r"""Weigh the edges of a pixel graph: heavy inside even areas, light across contrast.

    .. math:: w_{pq} = \exp\!\left(-\frac{\lVert I_p - I_q \rVert^2}{2 \sigma^2}\right) \frac{1}{\lVert p - q \rVert}

    the n-links of Boykov & Jolly 2001 (Section 3, :math:`B_{\{p,q\}}`). The second factor is 1 for pixels that share
    an edge.

    Parameters
    ----------
    image : (H, W) or (H, W, C) ndarray
        Intensities or features, of any scale.
    edges : (m, 2) int ndarray
        Flat pixel ids, as from :func:`grid_edges`.
    sigma : float, optional
        In units of `image`. By default :math:`\sigma^2` is the mean of :math:`\lVert I_p - I_q \rVert^2` over the
        edges: what counts as contrast is then relative to the image, and w does not change when the image is scaled.

    Returns
    -------
    (m,) float64 ndarray
        Above 0 (short of underflow) and at most 1. An even image (:math:`\sigma = 0`) has no contrast: only the
        factor of the distance is left.

    Raises
    ------
    ValueError
        `sigma` is not above 0.
    """
    if sigma is not None and sigma <= 0:
        raise ValueError(f"sigma must be above 0, got {sigma}; leave it out to take it from the image")
    height, width = image.shape[:2]
    colours = np.asarray(image, dtype=np.float64).reshape(height * width, -1)
    contrast = ((colours[edges[:, 0]] - colours[edges[:, 1]]) ** 2).sum(axis=1)
    variance = sigma**2 if sigma is not None else contrast.mean() if len(edges) else 0.0
    rows, columns = np.divmod(edges, width)
    apart = np.hypot(np.diff(rows, axis=1), np.diff(columns, axis=1))[:, 0]
    # Boykov & Jolly 2001, Section 3
    return np.exp(-contrast / (2 * variance if variance > 0 else 1.0)) / apart


def region_affinity(
    features: np.ndarray, positions: np.ndarray, radius: float, sigma_feature: float, sigma_space: float
) -> csr_array:
    r"""Weigh pairs of nodes by likeness and nearness: the graph of a normalised cut.

    .. math:: w_{ij} = \exp\!\left(-\frac{\lVert F_i - F_j \rVert^2}{\sigma_I^2}\right)
              \exp\!\left(-\frac{\lVert X_i - X_j \rVert^2}{\sigma_X^2}\right)
              \;\text{if } \lVert X_i - X_j \rVert \le r, \;\text{else } 0

    Shi & Malik 2000, Eq. 11, with our `features`, `positions`, `sigma_feature`, `sigma_space` for their F, X,
    :math:`\sigma_I, \sigma_X`. A node has no edge to itself.

    Parameters
    ----------
    features : (n, d) ndarray
        Colour, or whatever tells nodes apart.
    positions : (n, 2) ndarray
        Row and column of each node (a pixel, a region's centroid).
    radius : float
        Farthest pair that is joined, in units of `positions`.
    sigma_feature, sigma_space : float
        Scales, in units of `features` and of `positions`.

    Returns
    -------
    (n, n) csr_array
        Symmetric, entries in [0, 1], zero diagonal.

    Raises
    ------
    ValueError
        Lengths differ, or a scale or the radius is not above 0.
    """
    features, positions = np.asarray(features, dtype=np.float64), np.asarray(positions, dtype=np.float64)
    if len(features) != len(positions):
        raise ValueError(
            f"features and positions must be of one length, got {len(features)} and {len(positions)}"
        )
    if min(radius, sigma_feature, sigma_space) <= 0:
        raise ValueError(
            f"radius, sigma_feature, sigma_space must be > 0, got {radius}, {sigma_feature}, {sigma_space}"
        )
    i, j = cKDTree(positions).query_pairs(radius, output_type="ndarray").T
    likeness = ((features[i] - features[j]) ** 2).sum(axis=1) / sigma_feature**2
    nearness = ((positions[i] - positions[j]) ** 2).sum(axis=1) / sigma_space**2
    weights = np.exp(-likeness - nearness)  # Shi & Malik 2000, Eq. 11
    half = csr_array((weights, (i, j)), shape=(len(features), len(features)))
    return csr_array(half + half.T)


def pixel_affinity(
    image: np.ndarray, radius: float = 5.0, sigma_feature: float = 25.0, sigma_space: float = 4.0
) -> csr_array:
    """Weigh pairs of pixels by colour and nearness (Shi & Malik 2000, Eq. 11; see :func:`region_affinity`).

    Parameters
    ----------
    image : (H, W) or (H, W, C) ndarray
        Intensities or colours. An image of 100 x 100 pixels has 0.4 million pairs within 5 pixels.
    radius : float
        Farthest pair that is joined, in pixels (the paper joins those nearer than r).
    sigma_feature : float
        In units of `image`; 25 is a tenth of the range of uint8.
    sigma_space : float
        In pixels.

    Returns
    -------
    (H W, H W) csr_array
        Symmetric, zero diagonal.
    """
    height, width = image.shape[:2]
    positions = np.indices((height, width)).reshape(2, -1).T
    return region_affinity(image.reshape(height * width, -1), positions, radius, sigma_feature, sigma_space)
