r"""Normalised cuts: split a weighted graph into parts that are alike inside and tell apart from the rest.

Shi & Malik 2000, "Normalized cuts and image segmentation", IEEE TPAMI 22(8). A cut is judged by what it severs,
relative to what each side has to do with the whole:

.. math:: \mathrm{Ncut}(A, B) = \frac{\mathrm{cut}(A, B)}{\mathrm{assoc}(A, V)}
                              + \frac{\mathrm{cut}(A, B)}{\mathrm{assoc}(B, V)}
          \qquad \text{(Eq. 2)}

with cut the weight between A and B, and assoc(A, V) that between A and all nodes. The best cut is NP-hard to find; with
real numbers in place of two labels it is the second eigenvector of (Eq. 6)

.. math:: (D - W)\, y = \lambda D y, \qquad D = \mathrm{diag}(W \mathbf{1}),

whose eigenvalue is a lower bound of every two-way Ncut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from segstudy.baselines.common import Unsupervised, darkest_first, lab_colours
from segstudy.baselines.superpixels import Superpixels, superpixel_means

# Up to so many nodes a dense solver is used: about as fast as Lanczos, and right for repeated eigenvalues.
DENSE = 400
# Lanczos finds so many eigenvectors more than asked for, and keeps so many vectors to find them. The first eigenvalues
# of an image's graph lie close together, and it is slow to tell the last wanted one from the first unwanted: a face of
# 100 x 100 pixels took 20 s with no spare and scipy's 20 vectors, 6 to 14 s with 60 vectors, 0.4 s with both.
SPARE, KRYLOV = 6, 60
# Least weight of the superpixel graph: below some 1e-15 connected parts become separate to the eigensolver.
FAINTEST = 1e-6


def normalised_cut(
    weights: csr_array | np.ndarray, k: int = 2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a graph into k parts by the first eigenvectors of its normalised Laplacian.

    Two parts: the second eigenvector is cut at the threshold of least Ncut (the paper tries some evenly spaced ones, we
    try all). More parts: k-means on the first k eigenvectors, a row per node. A graph that falls into k or more
    components is cut along them at no cost: the k - 1 heaviest are parts of their own, the rest is the last.

    Parameters
    ----------
    weights : (n, n) csr_array or ndarray
        W, symmetric, 0 or more, every node with some weight.
    k : int
        Parts, 1 to n.
    seed : int
        Of the Lanczos start and of k-means.

    Returns
    -------
    labels : (n,) int64 ndarray
        Parts 0..k-1 in order of their first node.
    eigenvalues : (k,) float64 ndarray
        Ascending, in [0, 2]; the first is 0.
    eigenvectors : (n, k) float64 ndarray
        Columns y with y'Dy = 1; the entry largest in size (the first of equals) is positive. Of a graph in several
        components those of eigenvalue 0 are one of many bases.

    Raises
    ------
    ValueError
        `weights` is not square, symmetric, finite and 0 or more; a node has no weight; k is not 1 to n.

    Examples
    --------
    Two pairs of friends who barely know each other:

    >>> weights = np.array([[0, 1, 0.1, 0], [1, 0, 0, 0], [0.1, 0, 0, 1], [0, 0, 1, 0]])
    >>> labels, eigenvalues, _ = normalised_cut(weights, 2)
    >>> labels, round(ncut_value(weights, labels), 4), eigenvalues.round(4)
    (array([0, 0, 1, 1]), 0.0952, array([0.    , 0.0909]))
    """
    weights = _checked_weights(weights)
    if not 1 <= k <= weights.shape[0]:
        raise ValueError(f"k must be 1 to {weights.shape[0]} parts for as many nodes, got {k}")
    eigenvalues, eigenvectors = _eigenvectors(weights, k, seed)
    count, component = connected_components(weights, directed=False)
    if count >= k:
        heaviest = np.argsort(-np.bincount(component, weights=weights.sum(axis=1)), kind="stable")
        labels = np.minimum(np.argsort(heaviest), k - 1)[component]
    elif k == 2:
        labels = _best_threshold(weights, eigenvectors[:, 1])
    else:
        labels = KMeans(k, n_init=10, random_state=seed).fit(eigenvectors * np.sqrt(weights.sum())).labels_
    _, first = np.unique(labels, return_index=True)
    return np.argsort(np.argsort(first))[labels].astype(np.int64), eigenvalues, eigenvectors


def ncut_value(weights: csr_array | np.ndarray, labels: np.ndarray) -> float:
    r"""Judge a partition into k parts (Shi & Malik 2000, Eq. 2 for k = 2).

    .. math:: \mathrm{Ncut}(A_1, \dots, A_k) = \sum_c \frac{\mathrm{cut}(A_c, V \setminus A_c)}{\mathrm{assoc}(A_c, V)}

    Parameters
    ----------
    weights : (n, n) csr_array or ndarray
        As for :func:`normalised_cut`.
    labels : (n,) int ndarray
        A part per node, any ids.

    Returns
    -------
    float
        0 (nothing is cut) to the number of parts.

    Raises
    ------
    ValueError
        Bad `weights` as in :func:`normalised_cut`, or not one label per node.
    """
    weights = _checked_weights(weights)
    if np.shape(labels) != (weights.shape[0],):
        raise ValueError(
            f"labels must be one part for each of {weights.shape[0]} nodes, got shape {np.shape(labels)}"
        )
    part = np.unique(labels, return_inverse=True)[1]
    edges = weights.tocoo()
    severed = np.bincount(part[edges.row], weights=edges.data * (part[edges.row] != part[edges.col]))
    return float(
        (severed / np.bincount(part, weights=weights.sum(axis=1))).sum()
    )  # Shi & Malik 2000, Equation 2


@dataclass(frozen=True)
class NormalisedCut(Unsupervised):
    r"""Normalised cut of a graph of superpixels.

    Every two SLIC superpixels are joined by Shi & Malik's weight (their Eq. 11) without a radius, for mean L*a*b*
    colours F and centroids X in units of the image's diagonal:

    .. math:: w_{ij} = e^{-\lVert F_i - F_j \rVert^2 / \sigma_I^2}\; e^{-\lVert X_i - X_j \rVert^2 / \sigma_X^2}

    Clusters are numbered by mean lightness, 0 the darkest.

    Parameters
    ----------
    k : int
        Parts; an image of fewer superpixels gives fewer.
    n_superpixels : int
        Superpixels aimed at.
    sigma_colour : float
        In L*a*b* units. 10 and a `sigma_space` of 0.6 were the best compromise over training images of faces, microbes
        and photographs (8 to 24 and 0.15 to 2 tried); narrower space cuts even backgrounds in two.
    sigma_space : float
        In image diagonals.
    seed : int
        Of the eigensolver's start and of k-means.
    """

    k: int = 2
    n_superpixels: int = 300
    sigma_colour: float = 10.0
    sigma_space: float = 0.6
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a `k` below 1 and scales of 0 or less."""
        if self.k < 1 or min(self.sigma_colour, self.sigma_space) <= 0:
            raise ValueError(f"k must be 1 or more and both sigmas above 0, got {self}")

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cut a (H, W, C) uint8 image: (H, W) int64 ids, darkest first."""
        pieces = Superpixels(self.n_superpixels).segment(image)
        colours = lab_colours(image)
        weights = self._weights(colours, pieces)
        k = min(self.k, len(weights))
        parts = normalised_cut(weights, k, self.seed)[0] if k > 1 else np.zeros(len(weights), dtype=np.int64)
        return darkest_first(parts[pieces], colours[..., 0])

    def _weights(self, colours: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Weigh all pairs of superpixels: (m, m), zero diagonal."""
        places = np.moveaxis(np.indices(pieces.shape), 0, -1) / np.hypot(*pieces.shape)
        means, centroids = superpixel_means(colours, pieces), superpixel_means(places, pieces)
        likeness = cdist(means, means, "sqeuclidean") / self.sigma_colour**2
        nearness = cdist(centroids, centroids, "sqeuclidean") / self.sigma_space**2
        weights = np.maximum(np.exp(-likeness - nearness), FAINTEST)  # Shi & Malik 2000, Equation 11
        np.fill_diagonal(weights, 0)
        return weights


def _eigenvectors(weights: csr_array, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Solve (D - W) y = lambda D y for the k smallest eigenvalues."""
    scale = 1 / np.sqrt(weights.sum(axis=1))
    n = weights.shape[0]
    # Shi & Malik 2000, Equation 7: D^-1/2 (D - W) D^-1/2 z = lambda z with z = D^1/2 y, that is 1 - lambda for the
    # matrix below, whose largest eigenvalues Lanczos finds fastest.
    similarity = diags_array(scale) @ weights @ diags_array(scale)
    if n <= DENSE or k >= n - 1:
        values, z = eigh(similarity.toarray(), subset_by_index=(n - k, n - 1))
    else:
        start = np.random.default_rng(seed).standard_normal(n)
        wanted = min(k + SPARE, n - 1)
        values, z = eigsh(similarity, wanted, which="LA", v0=start, ncv=min(n, KRYLOV + 2 * wanted))
    order = np.argsort(-values)[:k]
    y = z[:, order] * scale[:, None]
    size = np.abs(y)
    # Entries equal up to rounding count as equal, else rounding would choose the sign.
    largest = (size >= size.max(axis=0) * (1 - 1e-6)).argmax(axis=0)
    return np.maximum(1 - values[order], 0), y * np.sign(y[largest, np.arange(k)])


def _best_threshold(weights: csr_array, y: np.ndarray) -> np.ndarray:
    """Split nodes in two where y passes the threshold of least Ncut; all n - 1 are tried in one pass over the edges."""
    order = np.argsort(y, kind="stable")
    rank = np.argsort(order)
    edges = weights.tocoo()
    low, high = rank[edges.row], rank[edges.col]
    # An edge is cut by every threshold between its ends: it enters the running sum at one and leaves at the other.
    upward = low < high
    step = np.bincount(low[upward], weights=edges.data[upward], minlength=len(y))
    step -= np.bincount(high[upward], weights=edges.data[upward], minlength=len(y))
    severed = np.cumsum(step)[:-1]
    below = np.cumsum(weights.sum(axis=1)[order])
    ncut = severed / below[:-1] + severed / (below[-1] - below[:-1])  # Shi & Malik 2000, Equation 2
    return (rank > ncut.argmin()).astype(np.int64)


def _checked_weights(weights: csr_array | np.ndarray) -> csr_array:
    weights = csr_array(weights, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise ValueError(f"weights must be square, a row and a column per node, got shape {weights.shape}")
    if not (np.isfinite(weights.data) & (weights.data >= 0)).all():
        raise ValueError(
            f"weights must be finite and 0 or more, got {weights.data.min()} to {weights.data.max()}"
        )
    if abs(weights - weights.T).max() > 1e-9 * weights.max():
        raise ValueError("weights must be symmetric, got w_ij != w_ji: take (W + W.T) / 2")
    degrees = weights.sum(axis=1)
    if not degrees.all():
        raise ValueError(
            f"every node needs some weight, node {degrees.argmin()} has none: join it or drop it"
        )
    return weights
