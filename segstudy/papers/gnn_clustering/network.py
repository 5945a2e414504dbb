"""ClusterNet: one graph layer and two linear ones give every patch its membership of K clusters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from segstudy.papers.gnn_clustering.graphs import Graph, build_graph
from segstudy.papers.gnn_clustering.layers import ACTIVATIONS, ARMA, GAT, GCN, Dropout, linear
from segstudy.papers.gnn_clustering.losses import correlation_loss, dmon_loss, ncut_loss
from segstudy.papers.gnn_clustering.settings import Settings


class ClusterNet(nn.Module):
    """The network of the slides ("In all cases we used the same model structure"), for B pictures at once.

    Graph layer, activation, linear layer, activation, dropout, linear layer, softmax. Every picture has its own
    weights, all drawn alike; gradients do not mix.

    Parameters
    ----------
    in_channels : int
        Features of a patch.
    settings : Settings
    batch : int
        B.
    seed : int
        Of the first weights.

    Examples
    --------
    >>> settings = Settings(objective="ncut", layer="gcn")
    >>> X = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    >>> ClusterNet(4, settings)(build_graph(X, "ncut"), X).shape
    torch.Size([1, 6, 2])
    """

    def __init__(self, in_channels: int, settings: Settings, batch: int = 1, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.settings = settings
        self.layer = _layer(in_channels, settings, batch, generator)
        self.inner = linear(batch, settings.hidden, settings.mlp, generator)
        self.outer = linear(batch, settings.mlp, settings.clusters, generator)

    def prepare(self, graph: Graph, features: Tensor) -> tuple[Any, ...]:
        """Return what the layer computes from graph and features alone, once for all iterations.

        Raises
        ------
        ValueError
            The layer takes no negative weights and the graph has some.
        """
        return self.layer.prepare(graph, features)

    def assign(self, prepared: tuple[Any, ...], drop: Dropout | None = None) -> Tensor:
        """Return S, (B, n, K), rows sum to 1; `drop` is what training drops with."""
        drop = drop or Dropout(None)
        settings = self.settings
        hidden = ACTIVATIONS[settings.activation](self.layer(prepared, drop))
        hidden = ACTIVATIONS[settings.mlp_activation](hidden @ self.inner[0] + self.inner[1])
        hidden = drop(hidden, settings.dropout)
        return (hidden @ self.outer[0] + self.outer[1]).softmax(dim=2)

    def forward(self, graph: Graph, features: Tensor) -> Tensor:
        """Return S for (B, n, d) features: (B, n, K), rows sum to 1; nothing is dropped."""
        return self.assign(self.prepare(graph, features))


def message_graph(features: Tensor, settings: Settings, graph: Graph) -> Graph:
    """Return the graph that messages pass on: the loss's own, or of correlation clustering its edges above 0."""
    if settings.objective == "cc" and settings.positive_edges:
        return build_graph(features, "cc", alpha=settings.alpha, positive=True)
    return graph


def objective(assignment: Tensor, graph: Graph, settings: Settings) -> Tensor:
    """Return the loss of each picture, (B,), that the settings name."""
    if settings.objective == "ncut":
        return ncut_loss(assignment, graph, pooled=settings.pooled)
    if settings.objective == "cc":
        return correlation_loss(assignment, graph)
    return dmon_loss(assignment, graph, doubled=settings.doubled, collapse=settings.collapse)


def _layer(in_channels: int, settings: Settings, batch: int, generator: torch.Generator) -> nn.Module:
    first = (batch, in_channels, settings.hidden, generator)
    if settings.layer == "gcn":
        return GCN(*first, normalise=settings.objective != "cc" or settings.positive_edges)
    if settings.layer == "gat":
        return GAT(*first, heads=settings.heads)
    arma = {"stacks": settings.stacks, "depth": settings.depth, "activation": settings.stack_activation}
    return ARMA(*first, dropout=settings.root_dropout, **arma)
