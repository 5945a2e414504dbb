"""Feng et al. 2021: a segmentation network that learns from image-level labels, with a graph cut in the loop.

Deep graph cut network for weakly-supervised semantic segmentation, Science China Information Sciences 64:130105. Here
are a classifier's activation maps and the cues drawn from them (section 3.2), the ways in which a picture's labels grow
from its cues, :func:`graph_cut_labels` (section 3.3) and its rivals :func:`grow_seeds`, :func:`propagate_labels` and
:func:`walker_labels`, the losses on what has grown (Eqs. 4, 5), the loop of all this, :func:`train_network`, and the
whole as a segmenter, :class:`DGCN`.

| paper | here |
|---|---|
| X, Q | `join_features`, `knn_edges` |
| H | `probabilities` |
| C0, C1, theta, K | `c0`, `c1`, `theta`, `k` |
| F, B of class c | positions whose cue is c; whose cue is of another class |
"""

from segstudy.papers.dgcn.background_detection import robust_background_saliency
from segstudy.papers.dgcn.classifier import ClassifierHead, class_activation_maps
from segstudy.papers.dgcn.graph_cut import graph_cut_labels, join_features, knn_edges
from segstudy.papers.dgcn.growing import GRAPH_CUT, REGION_GROWING, Growth
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.losses import balanced_seed_loss, boundary_loss, floored_softmax
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork
from segstudy.papers.dgcn.random_walker import walker_labels, walker_probabilities
from segstudy.papers.dgcn.region_growing import grow_seeds
from segstudy.papers.dgcn.seeds import seed_cues
from segstudy.papers.dgcn.segmenter import DGCN
from segstudy.papers.dgcn.training import Learner, retrain, train_classifier, train_network
from segstudy.papers.dgcn.views import WeakPicture, link, look

__all__ = [
    "DGCN",
    "GRAPH_CUT",
    "REGION_GROWING",
    "AtrousHead",
    "ClassifierHead",
    "Growth",
    "Learner",
    "SegmentationNetwork",
    "WeakPicture",
    "balanced_seed_loss",
    "boundary_loss",
    "class_activation_maps",
    "floored_softmax",
    "graph_cut_labels",
    "grow_seeds",
    "join_features",
    "knn_edges",
    "link",
    "look",
    "propagate_labels",
    "retrain",
    "robust_background_saliency",
    "seed_cues",
    "train_classifier",
    "train_network",
    "walker_labels",
    "walker_probabilities",
]
