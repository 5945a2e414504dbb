"""Paper 4. Cues, cuts and growing work on arrays."""

import torch

from gpucheck.compare import Case, labels, pictures, random
from segstudy.nn import backbone
from segstudy.papers.dgcn import (
    AtrousHead,
    ClassifierHead,
    SegmentationNetwork,
    balanced_seed_loss,
    boundary_loss,
    floored_softmax,
)
from segstudy.papers.dgcn.losses import RATIOS
from segstudy.papers.dgcn.tail import split_tail
from segstudy.papers.dgcn.training import presence_loss


def segmentation_head() -> Case:
    """The head on maps of two stages."""
    return Case((_maps(),), AtrousHead(10, 4, 8).eval())


def classifier(pooling: str) -> Case:
    """The classifier's head, and its activation maps."""
    network = ClassifierHead(10, 3, 8, pooling).train()
    return Case((_maps(),), network, lambda net, maps: (net(maps), net.activations(maps)))


def whole() -> Case:
    """Trunk and head."""
    trunk = backbone("torchvision:resnet18", stages=(8, 16))
    return Case((pictures(2, 48),), SegmentationNetwork(trunk, AtrousHead(128 + 256, 4, 8)).eval())


def tail() -> Case:
    """The last blocks of a trunk."""
    trunk = backbone("timm:tf_efficientnet_lite0", stages=(16, 32), output_stride=8, freeze="all")
    before, last = split_tail(trunk, 2)
    with torch.no_grad():
        entered = before(random(2, 112, 6, 6))
    return Case(([random(2, 112, 6, 6), entered],), last.eval())


def _maps() -> list:
    return [random(2, 4, 12, 12), random(2, 6, 9, 9, seed=1)]


def _soft(seed: int = 0):
    return floored_softmax(2 * random(2, 4, 9, 9, seed=seed))


def _dsrg_boundary(probabilities, refined):
    return boundary_loss(probabilities, refined, through=True, ratios=RATIOS)


def _which():
    """Return the pictures of a batch, each with whether it is mirrored, and the epoch."""
    return torch.tensor([[5, 0, 1], [0, 1, 1], [3, 0, 1], [2, 1, 1]])


def _presence(scores, presence, which):
    return presence_loss((scores, []), which, presence=presence.to(scores.dtype))


NETWORKS = {
    "AtrousHead": segmentation_head,
    "ClassifierHead": lambda: classifier("mean"),
    "ClassifierHead, top quarter": lambda: classifier("top quarter"),
    "SegmentationNetwork": whole,
    "Tail": tail,
}
LOSSES = {
    "balanced_seed_loss": lambda: Case((_soft(), labels(2, 9, 4)), call=balanced_seed_loss),
    "boundary_loss": lambda: Case((_soft(), _soft(1)), call=boundary_loss),
    "boundary_loss, DSRG's": lambda: Case((_soft(), _soft(1)), call=_dsrg_boundary),
    "presence_loss": lambda: Case((random(4, 3), random(6, 3).gt(0), _which()), call=_presence),
    "floored_softmax": lambda: Case((random(2, 4, 9, 9),), call=floored_softmax),
}
ON_ARRAYS = "grows labels on arrays: the CPU's"
TRAINS = "steps of the networks and losses above"
AT_FULL_WIDTH = "of the published networks, which have a part of their own"
LEFT_OUT = {
    "BranchedHead": AT_FULL_WIDTH,
    "DGCN": TRAINS,
    "GRAPH_CUT": "options",
    "REGION_GROWING": "options",
    "Growth": "options",
    "LastMap": AT_FULL_WIDTH,
    "Learner": TRAINS,
    "WideBlock": AT_FULL_WIDTH,
    "WeakPicture": "what is known of a picture",
    "class_activation_maps": "those of ClassifierHead, averaged",
    "graph_cut_labels": ON_ARRAYS,
    "grow_seeds": ON_ARRAYS,
    "join_features": "maps laid side by side",
    "knn_edges": "picks the nearest, which rounding may change",
    "link": ON_ARRAYS,
    "look": "what a trunk sees",
    "propagate_labels": ON_ARRAYS,
    "retrain": TRAINS,
    "robust_background_saliency": ON_ARRAYS,
    "seed_cues": ON_ARRAYS,
    "train_classifier": TRAINS,
    "train_network": TRAINS,
    "walker_labels": ON_ARRAYS,
    "walker_probabilities": ON_ARRAYS,
}
