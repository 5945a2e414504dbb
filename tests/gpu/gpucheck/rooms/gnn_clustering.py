"""Paper 3. Weights of edges are given: a threshold makes an edge of what rounding changes."""

from dataclasses import replace

import torch

from gpucheck.compare import Case, pictures, random
from segstudy.papers.gnn_clustering import (
    PRESETS,
    ClusterNet,
    Settings,
    affinity,
    correlation_loss,
    dmon_loss,
    ncut_loss,
)
from segstudy.papers.gnn_clustering.dino import dino_loss
from segstudy.papers.gnn_clustering.dino_vit import ProjectionHead, small_vit
from segstudy.papers.gnn_clustering.graphs import DenseGraph
from segstudy.papers.gnn_clustering.settings import combinations

NODES, CHANNELS, BATCH = 14, 8, 2
FLOAT32 = "cluster_images has no mixed precision, and the gradient of ARMA's messages is written for one type"
WORKS = {name: PRESETS[name] for name in ("deepcut", "deepcut-cc", "unseggnet", "unsegarmanet")}


def clustering(settings: Settings) -> Case:
    """One network on a graph of patches."""
    features = random(BATCH, NODES, CHANNELS)
    positive = settings.objective == "cc" and settings.positive_edges
    weights = affinity(
        features.double(), settings.objective, alpha=settings.alpha, tau=settings.tau, positive=positive
    )
    network = ClusterNet(CHANNELS, replace(settings, clusters=3), BATCH).train()
    exact = FLOAT32 if settings.layer == "arma" and settings.depth > 1 else ""
    return Case((features, weights), network, lambda net, X, W: net(DenseGraph(W.detach()), X), exact)


def transformer() -> Case:
    """The network that DINO trains, head and all."""
    network = torch.nn.Sequential(small_vit(16, 4, 32, 1), ProjectionHead(32, 6))
    return Case((pictures(4, 16),), network.train())


def head() -> Case:
    """The head alone."""
    return Case((random(4, 32),), ProjectionHead(32, 6).train())


def _soft() -> torch.Tensor:
    return (_features()[..., :1] * torch.tensor([1.0, -1.0, 0.0])).softmax(dim=2)


def _weights(kind: str) -> torch.Tensor:
    return affinity(_features(), kind, tau=0.0)


def _features() -> torch.Tensor:
    """Return two groups of patches, which memberships follow: no loss is a small difference of large numbers."""
    group = torch.arange(NODES)[:, None] % 2
    return random(BATCH, NODES, CHANNELS) + 4 * group - 2


NETWORKS = {f"ClusterNet, {settings.name}": lambda s=settings: clustering(s) for settings in combinations()}
NETWORKS |= {f"ClusterNet, {name}": lambda s=settings: clustering(s) for name, settings in WORKS.items()}
NETWORKS |= {"small_vit": transformer, "ProjectionHead": head}
LOSSES = {
    "ncut_loss": lambda: Case((_soft(), _weights("ncut")), call=lambda S, W: ncut_loss(S, W.detach())),
    "ncut_loss, Shi and Malik's": lambda: Case(
        (_soft(), _weights("ncut")), call=lambda S, W: ncut_loss(S, W.detach(), pooled=False)
    ),
    "correlation_loss": lambda: Case(
        (_soft(), _weights("cc")), call=lambda S, W: correlation_loss(S, W.detach())
    ),
    "dmon_loss": lambda: Case((_soft(), _weights("dmon")), call=lambda S, W: dmon_loss(S, W.detach())),
    "dino_loss": lambda: Case((random(2, 4, 6), random(2, 4, 6, seed=1), random(6, seed=2)), call=dino_loss),
}
LEFT_OUT = {
    "PRESETS": "each is a case of ClusterNet",
    "Distillation": "two of small_vit with its head, and dino_loss",
    "Clustering": "what cluster_images returns",
    "GNNClustering": "cluster_images for pictures",
    "Graph": "what the networks and losses are given",
    "Settings": "options",
    "affinity": "makes the weights that the cases are given",
    "build_graph": "makes the weights that the cases are given",
    "cluster_images": "steps of ClusterNet and its losses; timed",
    "object_without_k": "works on arrays, after cluster_images",
    "segment_parts": "works on arrays, after cluster_images",
}
