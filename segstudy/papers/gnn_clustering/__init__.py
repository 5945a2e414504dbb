"""DeepCut, UnSegGNet and UnSeGArmaNet: patches of a picture, clustered by a graph network trained on that picture.

Slides "Unsupervised Image Segmentation with GNNs" (Fellah, Mokadem, Mekki, Benyamina), on Aflalo et al. 2023 (DeepCut),
Reddy et al. 2024 (UnSegGNet, UnSeGArmaNet) and Caron et al. 2021 (DINO). The way through: patch features
(`segstudy.nn.patch_features`), :func:`affinity`, :class:`ClusterNet` trained on :func:`ncut_loss`,
:func:`correlation_loss` or :func:`dmon_loss`, all of it in :func:`cluster_images`; the works' settings in
:data:`PRESETS`.

| slides | here |
|---|---|
| X | `features` |
| W, D, d | `weights` or `Graph`, `Graph.degrees` |
| S, k | `assignment`, `Settings.clusters` |
| alpha, tau | `Settings.alpha`, `Settings.tau` |
| epochs | `iterations` |
"""

from segstudy.papers.gnn_clustering.clustering import Clustering, cluster_images
from segstudy.papers.gnn_clustering.graphs import Graph, affinity, build_graph
from segstudy.papers.gnn_clustering.losses import correlation_loss, dmon_loss, ncut_loss
from segstudy.papers.gnn_clustering.network import ClusterNet
from segstudy.papers.gnn_clustering.parts import object_without_k, segment_parts
from segstudy.papers.gnn_clustering.segmenter import GNNClustering
from segstudy.papers.gnn_clustering.settings import PRESETS, Settings

__all__ = [
    "PRESETS",
    "ClusterNet",
    "Clustering",
    "GNNClustering",
    "Graph",
    "Settings",
    "affinity",
    "build_graph",
    "cluster_images",
    "correlation_loss",
    "dmon_loss",
    "ncut_loss",
    "object_without_k",
    "segment_parts",
]
