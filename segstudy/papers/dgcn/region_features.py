r"""What a region of a picture is like, beside its neighbours and beside the picture's border: DRFI's descriptors.

Jiang, Wang, Yuan, Wu, Zheng, Li, "Salient object detection: a discriminative regional feature integration approach",
CVPR 2013, sections 3 and 4. A region has means and histograms of its colours and texture; two regions R and S differ by

.. math:: v(R, S) = \big[\,|m_R - m_S|,\; \chi^2(h_R, h_S)\,\big], \qquad
          \chi^2(h, g) = \sum_b \frac{2 (h_b - g_b)^2}{h_b + g_b}.

*Contrast* is the sum of v over a region's neighbours, each with its share of their area; *backgroundness* is v to a
narrow band along the border of the picture, a pseudo-background; the *property* is where the region lies, its shape,
and how much it varies in itself. The paper's 93 numbers also hold the answers of a bank of filters; texture is told
here by local binary patterns alone.
"""

from __future__ import annotations

import numpy as np
from skimage.color import rgb2hsv
from skimage.feature import local_binary_pattern

from segstudy.baselines.common import grey_levels, lab_colours, rgb_colours
from segstudy.graphs.regions import Regions, region_adjacency

BAND = 15 / 400  # width of the border's band, of the longer side: 15 pixels of the paper's 400
BINS = 8  # of a colour's histogram
LAB_RANGES = ((0.0, 100.0), (-100.0, 100.0), (-100.0, 100.0))
PATTERNS = 10  # uniform local binary patterns of 8 neighbours


def region_features(image: np.ndarray, parted: Regions) -> np.ndarray:
    """Return the descriptor of each region of a picture.

    Parameters
    ----------
    image : (H, W, C) uint8 ndarray
        RGB, or grey with C = 1.
    parted : Regions
        n regions of the picture.

    Returns
    -------
    (n, 54) float64 ndarray
        14 of contrast, 14 of backgroundness, 26 of property.

    Raises
    ------
    ValueError
        `image` is no picture, or its regions have another shape.
    """
    colours, pieces = rgb_colours(image), parted.map
    if pieces.shape != colours.shape[:2]:
        raise ValueError(f"parted must be of the picture's size, {colours.shape[:2]}, got {pieces.shape}")
    channels, codes = _channels(colours)
    band = _band(pieces.shape)
    area = parted.sizes.astype(float)
    means, spreads = _moments(channels, pieces, area)
    hists = [_histograms(code, bins, pieces, area) for code, bins in codes]
    border = _moments(channels, np.where(band, 0, 1), np.array([band.sum(), (~band).sum()], float))[0][:1]
    border_hists = [np.bincount(code[band], minlength=bins)[None] / band.sum() for code, bins in codes]
    edges, borders = region_adjacency(parted)
    near = _neighbour_shares(edges, area)
    contrast = np.zeros((len(area), means.shape[1] + len(hists)))
    for one, other in (edges.T, edges.T[::-1]):
        apart = _apart(means[one], means[other], [(h[one], h[other]) for h in hists])
        np.add.at(contrast, one, near[one, other][:, None] * apart)
    to_border = _apart(means, border, list(zip(hists, border_hists, strict=True)))
    return np.hstack([contrast, to_border, _property(parted, spreads, edges, borders)])


def _channels(colours: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """Return (H, W, 8) values in [0, 1] and coded channels with the number of their codes, for histograms."""
    lab, hsv = lab_colours(colours), rgb2hsv(colours)
    low, high = np.array(LAB_RANGES).T
    scaled = np.clip((lab - low) / (high - low), 0, 1)
    values = np.dstack([colours / 255, scaled, hsv[:, :, :2]])
    codes = [(_binned(values[:, :, i]), BINS) for i in (3, 4, 5, 6, 7)]
    patterns = local_binary_pattern(grey_levels(colours), 8, 1, method="uniform").astype(int)
    return values, [*codes, (patterns, PATTERNS)]


def _binned(values: np.ndarray) -> np.ndarray:
    return np.minimum((values * BINS).astype(int), BINS - 1)


def _band(size: tuple[int, int]) -> np.ndarray:
    wide = max(1, round(BAND * max(size)))
    band = np.ones(size, bool)
    band[wide:-wide, wide:-wide] = False
    return band


def _moments(channels: np.ndarray, pieces: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (n, d) means and variances of regions."""
    flat = pieces.ravel()
    columns = channels.reshape(-1, channels.shape[2]).T
    safe = np.maximum(area, 1)
    means = np.stack([np.bincount(flat, column, len(area)) / safe for column in columns], axis=1)
    squares = np.stack([np.bincount(flat, column**2, len(area)) / safe for column in columns], axis=1)
    return means, np.maximum(squares - means**2, 0)


def _histograms(codes: np.ndarray, bins: int, pieces: np.ndarray, area: np.ndarray) -> np.ndarray:
    joint = pieces.ravel() * bins + codes.ravel()
    return np.bincount(joint, minlength=len(area) * bins).reshape(-1, bins) / np.maximum(area, 1)[:, None]


def _neighbour_shares(edges: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the (n, n) share of each neighbour in the area of all neighbours of a region."""
    shares = np.zeros((len(area), len(area)))
    one, other = edges.T
    shares[one, other], shares[other, one] = area[other], area[one]
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1)


def _apart(left: np.ndarray, right: np.ndarray, hists: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return v of pairs of regions: absolute differences of means, and the chi-squared distance of each histogram."""
    distances = []
    for h, g in hists:
        total = h + g
        safe = np.where(total > 0, total, 1)
        distances.append((2 * (h - g) ** 2 / safe).sum(axis=1))
    return np.hstack([np.abs(left - right), np.stack(distances, axis=1)])


def _property(parted: Regions, spreads: np.ndarray, edges: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Return place, shape and variances of each region: lengths in sides of the picture, areas in its area."""
    size = np.array(parted.map.shape)
    area, count, around = parted.sizes, len(parted), 2 * size.sum()
    low, high = (_quantiles(parted, share) for share in (0.1, 0.9))
    place = np.stack([parted.centroids / size, low / size, high / size], axis=2).reshape(count, 6)
    tall, broad = parted.boxes[:, 2:].T
    length, near = np.zeros(count), np.zeros(count)
    for one, other in (edges.T, edges.T[::-1]):
        np.add.at(length, one, borders)
        np.add.at(near, one, area[other])
    edge = np.concatenate([parted.map[0], parted.map[-1], parted.map[:, 0], parted.map[:, -1]])
    shape = [
        tall / size[0],
        broad / size[1],
        broad / tall,
        area / (tall * broad),
        length / around,
        length / np.sqrt(area),
        np.bincount(edge, minlength=count) / around,
        area / size.prod(),
        near / size.prod(),
        np.bincount(edges.ravel(), minlength=count),
    ]
    return np.column_stack([place, *shape, spreads, spreads.sum(axis=1), np.sqrt(area / size.prod())])


def _quantiles(parted: Regions, share: float) -> np.ndarray:
    """Return the (n, 2) row and column below which a share of a region's pixels lies."""
    flat, starts = parted.map.ravel(), np.concatenate([[0], np.cumsum(parted.sizes)[:-1]])
    chosen = starts + np.minimum((share * parted.sizes).astype(int), parted.sizes - 1)
    grids = (grid.ravel() for grid in np.indices(parted.map.shape))
    return np.stack([grid[np.lexsort((grid, flat))][chosen] for grid in grids], axis=1)
