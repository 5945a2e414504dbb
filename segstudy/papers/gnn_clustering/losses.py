r"""The three objectives of the slides, on soft assignments S of n nodes to K clusters.

Each takes one picture, S (n, K) and W (n, n), or B of them, S (B, n, K) and W as a tensor (B, n, n) or a
:class:`~segstudy.papers.gnn_clustering.graphs.Graph`, and returns a scalar or (B,) losses. W carries no gradient.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from segstudy.papers.gnn_clustering.graphs import DenseGraph, Graph


def ncut_loss(assignment: Tensor, weights: Tensor | Graph, *, pooled: bool = True) -> Tensor:
    r"""Return the relaxed normalised cut with its balance (slides, "DeepCut: NCUT"; Bianchi et al. 2020, Eq. 9).

    .. math:: L = -\frac{\mathrm{Tr}(S^\top W S)}{\mathrm{Tr}(S^\top D S)}
                  + \left\lVert \frac{S^\top S}{\lVert S^\top S \rVert_F} - \frac{I_K}{\sqrt{K}} \right\rVert_F

    The slides lost the minus sign: as printed, the loss would be least where the cut is worst. The first term lies in
    [-1, 0] where W is 0 or more, the second in [0, 2]. Pooled over clusters, the first is least where all nodes are in
    one cluster, which the second forbids by asking for clusters of equal size. Shi & Malik's own k-way cut (2000,
    Eq. 2) is a sum of each cluster's ratio and needs no such term:

    .. math:: L = -\sum_k \frac{S_k^\top W S_k}{d^\top S_k}

    Parameters
    ----------
    assignment : (n, K) or (B, n, K) float Tensor
        S, rows sum to 1.
    weights : (n, n) or (B, n, n) float Tensor, or Graph
        W, symmetric, 0 or more.
    pooled : bool
        The slides' loss; False: Shi & Malik's sum of ratios.

    Returns
    -------
    scalar or (B,) Tensor

    Raises
    ------
    ValueError
        Shapes do not fit, or a picture has no edges: its patches are all alike after centring.
    """
    S, graph, single = _batched(assignment, weights)
    if not bool((graph.degrees.sum(dim=1) > 0).all()):
        raise ValueError(
            "weights must give every picture an edge, got one without: are its patches all alike?"
        )
    within, degrees = _quadratic(graph, S), graph.degrees[..., None]
    if pooled:
        held = (degrees * S.square()).sum(dim=(1, 2))  # Tr(S'DS)
        loss = -within.sum(dim=1) / held + _imbalance(S)  # slides, "DeepCut: NCUT", with the sign put back
    else:
        loss = -(within / (degrees * S).sum(dim=1)).sum(dim=1)  # Shi & Malik 2000, Eq. 2, less K
    return loss[0] if single else loss


def correlation_loss(assignment: Tensor, weights: Tensor | Graph) -> Tensor:
    r"""Return the correlation clustering loss (slides, "DeepCut: Correlation Clustering").

    .. math:: L = -\mathrm{Tr}(W S S^\top)

    Weights below 0 make it pay to part two nodes, so that the number of clusters comes out of W.

    Parameters
    ----------
    assignment : (n, K) or (B, n, K) float Tensor
        S, rows sum to 1.
    weights : (n, n) or (B, n, n) float Tensor, or Graph
        W, symmetric, of both signs. As a :class:`~.graphs.LowRankGraph` the cost is linear in n.

    Returns
    -------
    scalar or (B,) Tensor

    Raises
    ------
    ValueError
        Shapes do not fit.
    """
    S, graph, single = _batched(assignment, weights)
    loss = -_quadratic(graph, S).sum(dim=1)  # slides, "Objective function" of CC; Tr(W S S') = Tr(S' W S)
    return loss[0] if single else loss


def dmon_loss(
    assignment: Tensor, weights: Tensor | Graph, *, doubled: bool = False, collapse: float = 1.0
) -> Tensor:
    r"""Return the modularity loss with its collapse term (slides, "UnSegGNet: DMON"; Tsitsulin et al. 2023, Eq. 7).

    .. math:: L = -\frac{1}{2m} \mathrm{Tr}(S^\top B S)
                  + \frac{\sqrt{K}}{n} \left\lVert \sum_i S_i \right\rVert_F - 1,
              \qquad B = W - \frac{d d^\top}{2m}

    with d the degrees and m the edges, each counted once: 2m is the sum of W. The slides define m as that sum, and so
    do the released codes: their 2m is twice Newman's, which halves the pull of the edges (`doubled`). The first term
    lies in [-1, 1/2], the second in [0, sqrt(K) - 1].

    Parameters
    ----------
    assignment : (n, K) or (B, n, K) float Tensor
        S, rows sum to 1.
    weights : (n, n) or (B, n, n) float Tensor, or Graph
        W, symmetric, 0 or more.
    doubled : bool
        Whether m is the sum of W, as the slides have it.
    collapse : float
        Weight of the second term. UnSegGNet's and UnSeGArmaNet's released term sums S over clusters where it should
        over nodes; it is a constant without a gradient, which is a weight of 0.

    Returns
    -------
    scalar or (B,) Tensor

    Raises
    ------
    ValueError
        Shapes do not fit, or a picture has no edges.
    """
    S, graph, single = _batched(assignment, weights)
    total = graph.degrees.sum(dim=1) * (2 if doubled else 1)
    if not bool((total > 0).all()):
        raise ValueError("weights must give every picture an edge, got one without: lower tau")
    expected = (graph.degrees[..., None] * S).sum(dim=1).square().sum(dim=1) / total  # Tr(S'dd'S) / 2m
    modularity = (_quadratic(graph, S).sum(dim=1) - expected) / total
    n, k = S.shape[1:]
    collapsed = math.sqrt(k) / n * S.sum(dim=1).norm(dim=1) - 1
    loss = -modularity + collapse * collapsed  # slides, "UnSegGNet: DMON"
    return loss[0] if single else loss


def _imbalance(S: Tensor) -> Tensor:
    """Return how far the clusters are from equal and disjoint, the second term of NCUT: (B,)."""
    joint = S.mT @ S
    k = S.shape[2]
    even = torch.eye(k, dtype=S.dtype, device=S.device) / math.sqrt(k)
    return (joint / joint.norm(dim=(1, 2), keepdim=True) - even).norm(dim=(1, 2))


class _Quadratic(torch.autograd.Function):
    """S_k'WS_k of each cluster, whose gradient 2WS_k needs no second product with W."""

    @staticmethod
    def forward(ctx: Any, graph: Graph, S: Tensor) -> Tensor:
        product = graph @ S
        ctx.save_for_backward(product)
        return (S * product).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        (product,) = ctx.saved_tensors
        return None, 2 * gradients[0][:, None] * product


def _quadratic(graph: Graph, S: Tensor) -> Tensor:
    """Return S_k'WS_k: (B, K), of which the sum over clusters is Tr(S'WS)."""
    return _Quadratic.apply(graph, S)


def _batched(assignment: Tensor, weights: Tensor | Graph) -> tuple[Tensor, Graph, bool]:
    """Return S and the graph of B pictures, and whether it was one without a batch."""
    single = assignment.ndim == 2
    S = assignment[None] if single else assignment
    if isinstance(weights, Tensor):
        weights = DenseGraph(weights[None] if weights.ndim == 2 else weights)
    if S.ndim != 3 or S.shape[:2] != (weights.batch, weights.nodes) or S.shape[2] < 2:
        expected = (weights.batch, weights.nodes)
        raise ValueError(
            f"assignment must have a row for each of {expected} (pictures, nodes) and 2 clusters or more, "
            f"got shape {tuple(assignment.shape)}"
        )
    return S, weights, single
