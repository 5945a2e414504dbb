r"""The self-constructing graph: from a feature map to nodes and the weights between them (Eqs. 6-13).

One node is one pixel of the pooled map: `(B, d, h, w)` is flattened to `(B, d, n)` and then transposed. The authors'
public code of a related network reshapes without transposing, so that a node there is d successive numbers of the
raster; the equations speak of pixels.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segstudy.papers.scgnet.graphs import DenseGraph, Graph, IdentityGraph, SparseGraph

KINDS = ("vae", "ae", "directed")
EPSILON = 1e-7  # the paper's, in Eq. 10 and in gamma
CANDIDATES = 1024  # nodes that a row of the sparse graph chooses from
LOG_DEVIATION = 1.0  # section III-A1: log Sigma "is constrained to be smaller than 1"


class Constructed(NamedTuple):
    """What Eq. 6 returns.

    Attributes
    ----------
    graph : Graph
        The enhanced A.
    nodes : (B, n, d) Tensor
        X, the pixels of the pooled map in raster order.
    residual : (B, n, c) Tensor
        The enhanced residual, gamma times Z hat.
    kl, diagonal : () Tensor
        The regularisers of Eqs. 9 and 10, means over the batch.
    gamma : (B,) Tensor
        The adaptive factor.
    latent : (B, n, c) Tensor
        Z.
    grid : (int, int)
        Rows and columns of nodes.
    """

    graph: Graph
    nodes: Tensor
    residual: Tensor
    kl: Tensor
    diagonal: Tensor
    gamma: Tensor
    latent: Tensor
    grid: tuple[int, int]


def to_nodes(maps: Tensor) -> Tensor:
    """Return the pixels of (B, d, h, w) maps as nodes, (B, h w, d) in raster order."""
    return maps.flatten(2).mT


def kl_loss(mean: Tensor, log_deviation: Tensor) -> Tensor:
    r"""Return the divergence from the standard normal, Eq. 9, averaged over the batch.

    .. math::
        L_{kl} = -\frac{1}{2nc} \sum_{ij} (1 + \log \Sigma_{ij}^2 - M_{ij}^2 - \Sigma_{ij}^2)

    Parameters
    ----------
    mean, log_deviation : (B, n, c) Tensor
        :math:`M` and :math:`\log \Sigma`.
    """
    return -0.5 * (1 + 2 * log_deviation - mean**2 - (2 * log_deviation).exp()).mean()


def adaptive_factor(diagonal: Tensor) -> Tensor:
    r"""Return :math:`\gamma = \sqrt{1 + n / (\sum_i A_{ii} + \epsilon)}` of (B, n) diagonals: (B,)."""
    return (1 + diagonal.shape[1] / (diagonal.sum(dim=1) + EPSILON)).sqrt()


def diagonal_loss(diagonal: Tensor, gamma: Tensor) -> Tensor:
    r"""Return the diagonal log term, Eq. 10, averaged over the batch.

    .. math::
        L_{dl} = -\frac{\gamma}{n^2} \sum_i \log(|A_{ii}|_{[0, 1]} + \epsilon)

    Parameters
    ----------
    diagonal : (B, n) Tensor
        :math:`A_{ii}`.
    gamma : (B,) Tensor
    """
    logs = (diagonal.clamp(0, 1) + EPSILON).log().sum(dim=1)
    return (-gamma * logs / diagonal.shape[1] ** 2).mean()


class SCG(nn.Module):
    r"""The SCG module, Eqs. 6-13.

    With pooled features F, :math:`M` a 3 x 3 and :math:`\log \Sigma` a 1 x 1 convolution of F (Eqs. 7, 8), noise
    :math:`\Upsilon` in training and none in evaluation,

    .. math::
        Z = M + \Sigma \Upsilon, \quad \hat Z = M (1 - \log \Sigma), \quad A = \mathrm{ReLU}(Z Z^T),

    where :math:`\log \Sigma` is clamped to at most 1 (section III-A1), in training and, through :math:`\hat Z`, in
    evaluation too; then :math:`A \leftarrow A + \gamma\, \mathrm{diag}(A)` and :math:`\hat Z \leftarrow \gamma \hat Z`.

    Parameters
    ----------
    channels : int
        d, of the feature map.
    num_classes : int
        c, columns of Z.
    kind : "vae", "ae" or "directed"
        "ae": :math:`Z = \hat Z = M`, no divergence (Eqs. 11, 12). "directed": :math:`A = \mathrm{ReLU}(\bar Z Z^T)`
        with :math:`\bar Z` the softmax of the rows of Z (Eq. 13).
    nodes : (int, int), optional
        Rows and columns of nodes, to which the map is pooled, or enlarged, by adaptive means; None: the map's own.
    graph : bool
        False: the identity in place of A, with the same parameters.
    adaptive : bool
        False: :math:`\gamma = 1`.
    inverse : bool
        True: :math:`\hat Z = M / \Sigma`, what :math:`1 - \log \Sigma` stands for (section III-A1).
    released : bool
        True: the divergence counts :math:`c / n` times as much as Eq. 9 prints, as in the authors' public code, which
        divides by :math:`n^2` where Eq. 9 has :math:`n c`.
    neighbours : int, optional
        Keep this many of the largest weights in each row, see `strongest`; None: all.
    neighbour_weight : float
        What the weights between different nodes are multiplied with; 1 as printed. Beyond the paper: in a dense graph
        of n nodes a node's own weight is one of n in its row, however strong, and 1 / n lets it count as much as the
        others together.

    Raises
    ------
    ValueError
        Where `kind` is unknown, a number is below 1, or `neighbour_weight` is negative or not finite.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        kind: str = "vae",
        nodes: tuple[int, int] | None = None,
        *,
        graph: bool = True,
        adaptive: bool = True,
        inverse: bool = False,
        released: bool = False,
        neighbours: int | None = None,
        neighbour_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
        if nodes is not None and (len(nodes) != 2 or min(nodes) < 1):
            raise ValueError(f"nodes must be (rows, columns), each at least 1, got {nodes!r}")
        if neighbours is not None and neighbours < 1:
            raise ValueError(f"neighbours must be at least 1, got {neighbours!r}")
        if not 0 <= neighbour_weight < float("inf"):
            raise ValueError(f"neighbour_weight must be finite and 0 or more, got {neighbour_weight!r}")
        self.kind, self.graph, self.adaptive, self.inverse = kind, graph, adaptive, inverse
        self.released, self.neighbours, self.neighbour_weight = released, neighbours, neighbour_weight
        self.pool = nn.Identity() if nodes is None else nn.AdaptiveAvgPool2d(nodes)
        self.mean = nn.Conv2d(channels, num_classes, 3, padding=1)
        self.log_deviation = None if kind == "ae" else nn.Conv2d(channels, num_classes, 1)

    def forward(self, features: Tensor) -> Constructed:
        """Return graph, nodes, residual and regularisers of (B, d, h, w) features."""
        pooled = self.pool(features)
        # Eq. 7; the graph needs more than bfloat16's eight bits
        mean = to_nodes(self.mean(pooled)).float()
        latent, residual, kl = self._encode(mean, pooled)
        with _full_precision(features):
            source = latent.softmax(dim=2) if self.kind == "directed" else latent  # Eq. 13
            diagonal = (source * latent).sum(dim=2).relu()
            gamma = adaptive_factor(diagonal) if self.adaptive else torch.ones_like(diagonal[:, 0])
            graph = self._decode(source, latent, diagonal, gamma)
            regulariser = diagonal_loss(diagonal, gamma)
        residual = gamma[:, None, None] * residual
        grid = (pooled.shape[2], pooled.shape[3])
        return Constructed(graph, to_nodes(pooled), residual, kl, regulariser, gamma, latent, grid)

    def _encode(self, mean: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return Z, Z hat and the divergence."""
        if self.log_deviation is None:
            return mean, mean, mean.new_zeros(())  # Eqs. 11, 12
        log_deviation = to_nodes(self.log_deviation(pooled)).float().clamp(max=LOG_DEVIATION)  # Eq. 8
        latent = mean
        if self.training:
            latent = mean + log_deviation.exp() * torch.randn_like(mean)
        inverse = (-log_deviation).exp() if self.inverse else 1 - log_deviation
        weight = mean.shape[2] / mean.shape[1] if self.released else 1
        return latent, mean * inverse, weight * kl_loss(mean, log_deviation)

    def _decode(self, source: Tensor, latent: Tensor, diagonal: Tensor, gamma: Tensor) -> Graph:
        """Return the enhanced graph of A = ReLU(source latent^T)."""
        if not self.graph:
            return IdentityGraph(latent)
        more = gamma[:, None] * diagonal
        if self.neighbours is not None:
            return strongest(source, latent, more, self.neighbours, self.neighbour_weight)
        weights = (source @ latent.mT).relu()
        if self.neighbour_weight != 1:  # f W and (1 - f) diag(W): the diagonal keeps what it is
            weights = self.neighbour_weight * weights
            more = more + (1 - self.neighbour_weight) * diagonal
        return DenseGraph(weights, more)


def _full_precision(like: Tensor) -> AbstractContextManager[None]:
    """Switch mixed precision off; the meta device, on which costs are counted, has none."""
    return nullcontext() if like.is_meta else torch.autocast(like.device.type, enabled=False)


def strongest(
    source: Tensor, latent: Tensor, enhancement: Tensor, count: int, neighbour_weight: float = 1.0
) -> SparseGraph:
    r"""Return the graph of the largest weights of each row of :math:`\mathrm{ReLU}(\bar Z Z^T)`, and its diagonal.

    A row chooses among at most `CANDIDATES` nodes, which lie evenly along the raster: all nodes of a graph that is no
    larger, and so many of a larger one that time and memory grow linearly with the nodes.

    Parameters
    ----------
    source, latent : (B, n, c) Tensor
    enhancement : (B, n) Tensor
        What is added to the diagonal, which each row keeps in any case.
    count : int
        Weights of other nodes that a row keeps, where there are so many.
    neighbour_weight : float
        What these are multiplied with.
    """
    nodes = torch.arange(latent.shape[1], device=latent.device)
    candidates = nodes[:: -(-len(nodes) // CANDIDATES)]
    with torch.no_grad():
        products = source @ latent[:, candidates].mT
        products.masked_fill_(candidates == nodes[:, None], -torch.inf)
        chosen = candidates[products.topk(min(count, len(candidates) - 1), dim=2).indices]
    neighbours = torch.cat([nodes.expand(len(latent), -1)[..., None], chosen], dim=2)
    weights = [
        (source * latent.gather(1, column[..., None].expand_as(latent))).sum(dim=2).relu()
        for column in neighbours.unbind(dim=2)
    ]
    weights = [weights[0] + enhancement, *(neighbour_weight * weight for weight in weights[1:])]
    return SparseGraph(neighbours, torch.stack(weights, dim=2))
