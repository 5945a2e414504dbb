"""Feng et al. 2021: a segmentation network that learns from image-level labels, with a graph cut in the loop.

Deep graph cut network for weakly-supervised semantic segmentation, Science China Information Sciences 64:130105. Here
are the ways in which a picture's labels grow from its cues, :func:`graph_cut_labels` (section 3.3) and its rivals
:func:`grow_seeds` and :func:`propagate_labels`, and the losses on what has grown (Eqs. 4, 5).

| paper | here |
|---|---|
| X, Q | `join_features`, `knn_edges` |
| H | `probabilities` |
| C0, C1, theta, K | `c0`, `c1`, `theta`, `k` |
| F, B of class c | positions whose cue is c; whose cue is of another class |
"""

from segstudy.papers.dgcn.graph_cut import graph_cut_labels, join_features, knn_edges
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.losses import balanced_seed_loss, boundary_loss, floored_softmax
from segstudy.papers.dgcn.region_growing import grow_seeds

__all__ = [
    "balanced_seed_loss",
    "boundary_loss",
    "floored_softmax",
    "graph_cut_labels",
    "grow_seeds",
    "join_features",
    "knn_edges",
    "propagate_labels",
]
