r"""Saliency without training: robust background detection.

Zhu, Liang, Wei, Sun 2014, "Saliency optimization from robust background detection" (CVPR). A background piece of a
picture is connected with much of the picture's border, an object is not, even one that touches it. Of a superpixel p,

.. math::
    \text{BndCon}(p) &= \frac{\sum_{i \in \text{border}} S(p, i)}{\sqrt{\sum_i S(p, i)}}, \qquad
    S(p, i) = \exp\left(-\frac{d_{geo}(p, i)^2}{2 \sigma_{clr}^2}\right) & \text{(Eqs. 2 to 5)}\\
    w^{bg}(p) &= 1 - \exp\left(-\text{BndCon}(p)^2 / 2\right) & \text{(Eq. 8)}\\
    w^{fg}(p) &= \sum_i d_{app}(p, i)\, \exp\left(-d_{spa}(p, i)^2 / 2 \sigma_{spa}^2\right) w^{bg}(i) & \text{(Eq. 7)}

and the saliency s minimises :math:`\sum_p w^{bg}_p s_p^2 + w^{fg}_p (s_p - 1)^2 + \sum_{p,q} w_{pq} (s_p - s_q)^2`
(Eq. 9). d_app is the distance of mean L*a*b* colours, d_geo the cheapest way along neighbours at these costs, d_spa the
distance of centres in fractions of the longer side.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist

from segstudy.baselines.common import lab_colours
from segstudy.baselines.superpixels import Superpixels, superpixel_means
from segstudy.graphs.regions import region_adjacency, regions

SIGMA_COLOUR = 10.0  # the paper's, of L*a*b* distances
SIGMA_SPACE = 0.25
# The background's terms count five times in the authors' released code (its bgLambda), not in Eq. 9. Without it hardly
# a pixel of a photograph falls below the .06 under which DSRG takes it for background.
BACKGROUND_WEIGHT = 5.0
SMOOTHNESS = 0.1  # mu of Eq. 10: neighbours agree a little even across an edge


def robust_background_saliency(image: np.ndarray, superpixels: int = 200) -> np.ndarray:
    """Return how salient each pixel is, by robust background detection.

    Parameters
    ----------
    image : (H, W, C) uint8 ndarray
        RGB, or grey with C = 1.
    superpixels : int
        SLIC pieces aimed at.

    Returns
    -------
    (H, W) float64 ndarray
        In [0, 1], scaled to reach both; of a picture in which nothing differs: zeros.

    Raises
    ------
    ValueError
        `image` is no picture, or `superpixels` is below 1.
    """
    pieces = regions(Superpixels(superpixels).segment(image)).map
    colours = superpixel_means(lab_colours(image), pieces)
    centres = superpixel_means(np.moveaxis(np.indices(pieces.shape), 0, 2) / max(pieces.shape), pieces)
    border = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    edges, _ = region_adjacency(regions(pieces))
    apart = cdist(colours, colours)
    background = _background_weights(apart, edges, border)
    near = np.exp(-(cdist(centres, centres) ** 2) / (2 * SIGMA_SPACE**2))
    found = _optimise(apart, edges, background, _scaled((apart * near) @ background))
    return _scaled(found)[pieces]


def _background_weights(apart: np.ndarray, edges: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Return w^bg from the boundary connectivity (Eqs. 2 to 5 and 8); pieces at the border are joined to each other."""
    n = len(apart)
    rows, columns = np.triu_indices(len(border), 1)
    ends = np.concatenate([edges.reshape(-1, 2), np.stack([border[rows], border[columns]], axis=1)])
    ends = np.unique(np.sort(ends, axis=1), axis=0)
    costs = apart[ends[:, 0], ends[:, 1]]
    costs = np.maximum(costs - _small_steps(costs, ends, n), 1e-9)  # a cost of 0 would be no edge to scipy
    ways = dijkstra(coo_matrix((costs, ends.T), shape=(n, n)).tocsr(), directed=False)
    alike = np.exp(-(ways**2) / (2 * SIGMA_COLOUR**2))
    connectivity = alike[:, border].sum(axis=1) / np.sqrt(alike.sum(axis=1))
    return 1 - np.exp(-(connectivity**2) / 2)


def _small_steps(costs: np.ndarray, ends: np.ndarray, n: int) -> float:
    """Return the mean over pieces of the cheapest step to a neighbour, which ways are not charged.

    Without it the noise of an even ground adds up along a long way (Wei, Wen, Zhu, Sun 2012, "Geodesic saliency using
    background priors", their small-weight clipping).
    """
    cheapest = np.full(n, np.inf)
    np.minimum.at(cheapest, ends.ravel(), np.repeat(costs, 2))
    return float(cheapest[np.isfinite(cheapest)].mean()) if len(costs) else 0.0


def _optimise(
    apart: np.ndarray, edges: np.ndarray, background: np.ndarray, foreground: np.ndarray
) -> np.ndarray:
    """Minimise Eq. 9: a linear system of as many unknowns as there are pieces."""
    smooth = np.zeros_like(apart)
    one, other = edges.reshape(-1, 2).T
    weights = np.exp(-(apart[one, other] ** 2) / (2 * SIGMA_COLOUR**2)) + SMOOTHNESS
    smooth[one, other] = smooth[other, one] = weights
    system = np.diag(smooth.sum(axis=1) + BACKGROUND_WEIGHT * background + foreground) - smooth
    return np.linalg.solve(system, foreground)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Scale to [0, 1]; what is alike everywhere is 0."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high - low > 1e-9 else np.zeros_like(values)
