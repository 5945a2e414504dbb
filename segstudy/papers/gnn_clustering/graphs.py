r"""Graphs of patches: three affinities of inner products, each as a matrix that need not be stored.

A picture's n patches have features X, one row a patch, and every affinity of the slides is a function of the inner
products G = X X^T, entry by entry:

.. math:: W = \frac{\max(0, G)}{\max G} \quad \text{(NCUT)}, \qquad
          W = G - \frac{\max G}{\alpha} \quad \text{(CC)}, \qquad
          W_{ij} = [\cos(x_i, x_j) > \tau] \quad \text{(DMON)}.

All that clustering needs of W is its product with a few columns, its rows' sums and its diagonal. So W is a small
interface, :class:`Graph`, kept in the cheapest exact form: the correlation affinity has rank d + 1 and is never built
(:class:`LowRankGraph`, linear in n); the others are stored (:class:`DenseGraph`) or, where memory forbids, computed
block of rows by block of rows in each product (:class:`RowGraph`).

Everything is batched: (B, n, d) features are B pictures with a graph each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property

import torch
from torch import Tensor

AFFINITIES = ("ncut", "cc", "dmon")
MEMORY = 2**31  # bytes: a graph whose W takes more is computed row by row; 23,170 nodes of float32
BLOCK = 2**26  # bytes of W in work at a time


class Graph:
    """A symmetric matrix of edge weights W for each of B pictures, known by what it does.

    A subclass gives `rows`; it overrides what it can do faster.

    Parameters
    ----------
    like : (B, n, ...) float Tensor
        Whose batch, nodes, dtype and device are the graph's.
    """

    def __init__(self, like: Tensor) -> None:
        self.batch, self.nodes = like.shape[:2]
        self._like = like

    def rows(self, start: int, stop: int) -> Tensor:
        """Return rows start..stop-1 of W: (B, stop - start, n)."""
        raise NotImplementedError

    def __matmul__(self, columns: Tensor) -> Tensor:
        """Multiply W with (B, n, k) columns, without a gradient."""
        return torch.cat([block @ columns for _, block in self.blocks()], dim=1)

    @cached_property
    def degrees(self) -> Tensor:
        """The sums of the rows of W: (B, n)."""
        return (self @ torch.ones_like(self._like[..., :1]))[..., 0]

    @cached_property
    def diagonal(self) -> Tensor:
        """The weights of the self-loops: (B, n)."""
        parts = [block[:, :, span].diagonal(dim1=1, dim2=2) for span, block in self.blocks()]
        return torch.cat(parts, dim=1)

    @cached_property
    def complete(self) -> bool:
        """Whether every two nodes are joined, that is no weight is 0."""
        return all(bool(block.all()) for _, block in self.blocks())

    @cached_property
    def negative(self) -> bool:
        """Whether a weight is below 0."""
        return any(bool((block < 0).any()) for _, block in self.blocks())

    def dense(self) -> Tensor:
        """Return W itself: (B, n, n)."""
        return self.rows(0, self.nodes)

    def joined(self, start: int, stop: int) -> Tensor:
        """Return 1 where nodes start..stop-1 have a neighbour, each node itself among its own: (B, stop - start, n)."""
        found = (self.rows(start, stop) != 0).to(self._like.dtype)
        found[:, :, start:stop].diagonal(dim1=1, dim2=2).fill_(1)
        return found

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield all rows of W, some at a time, with their place."""
        step = max(1, BLOCK // (self.batch * self.nodes * self._like.element_size()))
        for start in range(0, self.nodes, step):
            stop = min(start + step, self.nodes)
            yield slice(start, stop), self.rows(start, stop)


class DenseGraph(Graph):
    """A graph whose W is stored.

    Parameters
    ----------
    weights : (B, n, n) float Tensor
        W, symmetric.

    Raises
    ------
    ValueError
        `weights` is not square, not symmetric or not finite.
    """

    def __init__(self, weights: Tensor) -> None:
        super().__init__(weights)
        if weights.ndim != 3 or weights.shape[1] != weights.shape[2]:
            raise ValueError(f"weights must be (B, n, n), one square a picture, got {tuple(weights.shape)}")
        self.weights = weights
        # The losses' gradient is written for a symmetric W. Half of the digits may be rounding.
        tolerance = torch.finfo(weights.dtype).eps ** 0.5 * weights.abs().amax(dim=(1, 2), keepdim=True)
        for span, block in self.blocks():
            if not bool(block.isfinite().all()):
                raise ValueError("weights must be finite, got inf or nan")
            apart = (block - weights[:, :, span].mT).abs()
            if bool((apart > tolerance).any()):
                raise ValueError(
                    f"weights must be symmetric, got entries that differ from their mirror by {float(apart.max()):g}: "
                    "take (W + W^T) / 2"
                )

    def rows(self, start: int, stop: int) -> Tensor:
        """Return rows start..stop-1 of W: (B, stop - start, n)."""
        return self.weights[:, start:stop]

    def __matmul__(self, columns: Tensor) -> Tensor:
        """Multiply W with (B, n, k) columns."""
        return self.weights @ columns


class RowGraph(Graph):
    """A graph whose W is computed anew in every product, a block of rows at a time.

    Parameters
    ----------
    left : (B, n, d) float Tensor
        X, or its rows divided by their lengths.
    weigh : callable
        What becomes of a block of inner products, which it may overwrite.
    """

    def __init__(self, left: Tensor, weigh: Callable[[Tensor], Tensor]) -> None:
        super().__init__(left)
        self._left, self._weigh = left, weigh

    def rows(self, start: int, stop: int) -> Tensor:
        """Return rows start..stop-1 of W: (B, stop - start, n)."""
        return self._weigh(self._left[:, start:stop] @ self._left.mT)


class LowRankGraph(Graph):
    r"""The correlation affinity :math:`W = X X^\top - c\,\mathbf{1}\mathbf{1}^\top`, exact, and never built.

    Its product with k columns takes some 2 n d k multiplications instead of n^2 k.

    Parameters
    ----------
    features : (B, n, d) float Tensor
        X.
    shift : (B,) float Tensor
        c of each picture.
    """

    def __init__(self, features: Tensor, shift: Tensor) -> None:
        super().__init__(features)
        self.features, self.shift = features, shift

    def rows(self, start: int, stop: int) -> Tensor:
        """Return rows start..stop-1 of W: (B, stop - start, n)."""
        return self.features[:, start:stop] @ self.features.mT - self.shift[:, None, None]

    def __matmul__(self, columns: Tensor) -> Tensor:
        """Multiply W with (B, n, k) columns."""
        common = self.shift[:, None, None] * columns.sum(dim=1, keepdim=True)
        return self.features @ (self.features.mT @ columns) - common

    @property
    def complete(self) -> bool:
        """True: correlation clustering joins every two patches, for or against."""
        return True

    @cached_property
    def diagonal(self) -> Tensor:
        """The weights of the self-loops: (B, n)."""
        return self.features.square().sum(dim=2) - self.shift[:, None]


def affinity(
    features: Tensor, kind: str, *, alpha: float = 5.0, tau: float = 0.7, positive: bool = False
) -> Tensor:
    """Return the weight matrix of a picture's patches; the module's text has the equations.

    Parameters
    ----------
    features : (n, d) or (B, n, d) float Tensor
        X, of one picture or of several.
    kind : {"ncut", "cc", "dmon"}
    alpha : float
        Of "cc": the fewer, the more the weights are shifted down, and the more clusters pay. The slides take 5.
    tau : float
        Of "dmon", in [-1, 1): the cosine above which two patches are joined. The slides name 0.7.
    positive : bool
        Of "cc": weights below 0 become 0, as in the graph that DeepCut's network passes messages on.

    Returns
    -------
    (n, n) or (B, n, n) float Tensor
        W, symmetric.

    Raises
    ------
    TypeError
        `features` is no floating-point tensor.
    ValueError
        An argument is out of its range, or the features are not finite.

    Examples
    --------
    Two patches alike and one apart:

    >>> X = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 1.0]])
    >>> affinity(X, "ncut").tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    batched = features if features.ndim == 3 else features[None]
    graph = build_graph(batched, kind, alpha=alpha, tau=tau, positive=positive, memory=math.inf)
    return graph.dense() if features.ndim == 3 else graph.dense()[0]


def build_graph(
    features: Tensor,
    kind: str,
    *,
    alpha: float = 5.0,
    tau: float = 0.7,
    positive: bool = False,
    memory: float = MEMORY,
) -> Graph:
    """Return the graph of :func:`affinity` in the cheapest form that is exact.

    Parameters
    ----------
    features, kind, alpha, tau, positive
        As for :func:`affinity`; features (B, n, d).
    memory : float
        Bytes that W may take. More, and it is computed by rows.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError, ValueError
        As :func:`affinity`.
    """
    _check(features, kind, alpha, tau)
    if kind == "dmon":
        lengths = features.norm(dim=2, keepdim=True)
        left = features / lengths.where(lengths > 0, 1)  # the cosine with a patch of zeros is 0
        weigh = _threshold(tau)
    else:
        # The largest inner product is that of the longest row with itself (Cauchy and Schwarz).
        largest = features.square().sum(dim=2).amax(dim=1)
        left = features
        if kind == "cc" and not positive:
            return LowRankGraph(features, largest / alpha)
        weigh = _shifted(largest / alpha) if kind == "cc" else _scaled(largest)
    batch, nodes = features.shape[:2]
    by_rows = RowGraph(left, weigh)
    if batch * nodes * nodes * features.element_size() > memory:
        return by_rows
    # A product's two halves can differ in the last bit, of which a threshold makes an edge one way.
    inner = left @ left.mT
    return DenseGraph(weigh(torch.maximum(inner, inner.mT)))


def _scaled(largest: Tensor) -> Callable[[Tensor], Tensor]:
    divisor = largest.where(largest > 0, 1)[:, None, None]  # a picture of zeros has no edges
    return lambda inner: inner.clamp_(min=0).div_(divisor)  # slides, "DeepCut: NCUT"


def _shifted(shift: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda inner: inner.sub_(shift[:, None, None]).clamp_(min=0)


def _threshold(tau: float) -> Callable[[Tensor], Tensor]:
    return lambda cosines: (cosines > tau).to(cosines.dtype)  # slides, "UnSegGNet: DMON"


def _check(features: Tensor, kind: str, alpha: float, tau: float) -> None:
    if not isinstance(features, Tensor) or not features.is_floating_point():
        raise TypeError(
            f"features must be a floating-point tensor, got {getattr(features, 'dtype', type(features))}"
        )
    if features.ndim != 3 or 0 in features.shape:
        raise ValueError(
            f"features must be (n, d), one row a patch, or a batch of such, got {tuple(features.shape)}"
        )
    if not features.isfinite().all():
        raise ValueError(
            "features must be finite, got inf or nan: find the picture that gives it before building a graph"
        )
    if kind not in AFFINITIES:
        raise ValueError(f"kind must be one of {AFFINITIES}, got {kind!r}")
    if not alpha > 0:
        raise ValueError(f"alpha must be above 0, got {alpha}")
    if not -1 <= tau < 1:
        raise ValueError(f"tau is a cosine, -1 or more and below 1, got {tau}")
