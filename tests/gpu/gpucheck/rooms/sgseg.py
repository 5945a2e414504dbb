"""Paper 2. Every superpixel hears all others, so that rounding does not choose other neighbours."""

import torch

from gpucheck.compare import Case, pictures, random
from segstudy.papers.sgseg import (
    SPNN,
    AutoregressiveCNN,
    SGSeg,
    SuperpixelGNN,
    clustering_loss,
    edge_loss,
    joint_distribution,
    mutual_information,
    project,
    reconstruction_loss,
    sgseg_loss,
    smoothness_loss,
    soft_image,
    spnn_loss,
    superpixel_features,
    total_variation,
)
from segstudy.papers.sgseg.gnn import graph_total_variation
from segstudy.papers.sgseg.spnn import Assignment

COUNT, SIDE = 12, 16
SURE = 10  # times the first weights: superpixels then differ, as after some training, by more than rounding
SMALL = {
    "superpixels": COUNT,
    "k": COUNT - 1,
    "spnn_widths": (4, 6),
    "cnn_widths": (4, 6),
    "gnn_width": 4,
    "gnn_blocks": 2,
}


def superpixels() -> Case:
    """The network that assigns pixels."""
    return Case((_images(),), SPNN(COUNT, widths=(4, 6)).train())


def graph_network(kind: str) -> Case:
    """A graph network on features and all other nodes as neighbours."""
    return Case((random(2, COUNT, 9), _others()), SuperpixelGNN(9, kind, 2, 4).train())


def segmentation(order: int | None) -> Case:
    """The segmentation network in a reading order."""
    network = AutoregressiveCNN(5, 4, widths=(4, 6)).train()
    return Case((random(2, 5, SIDE, SIDE), order), network)


def whole(orders: tuple[int, int] | None = None) -> Case:
    """A prediction, or all parts of the loss in two reading orders."""
    network = SGSeg(4, **SMALL)
    network.spnn.head.weight.data *= SURE
    if orders is None:
        return Case((_images(),), network.eval())
    return Case((_images(), orders), network.train(), sgseg_loss)


def _others() -> torch.Tensor:
    """Return all other superpixels of each, (2, COUNT, COUNT - 1)."""
    nodes = torch.arange(COUNT).expand(COUNT, -1)
    return nodes[~torch.eye(COUNT, dtype=torch.bool)].view(1, COUNT, -1).expand(2, -1, -1)


def _images() -> torch.Tensor:
    return 4 * pictures(2, SIDE) - 2


def _assigned(seed: int = 0) -> torch.Tensor:
    return (2 * random(2, COUNT, SIDE, SIDE, seed=seed)).softmax(dim=1)


def _three() -> tuple[torch.Tensor, ...]:
    return tuple(random(2, 3, SIDE, SIDE, seed=seed) for seed in range(3))


def _spnn_loss(image: torch.Tensor, *found: torch.Tensor) -> torch.Tensor:
    return spnn_loss(image, Assignment(*found))


NETWORKS = {
    "SPNN": superpixels,
    "SuperpixelGNN, PointNet": lambda: graph_network("PointNet"),
    "SuperpixelGNN, DGCNN": lambda: graph_network("DGCNN"),
    "SuperpixelGNN, DiffGCN": lambda: graph_network("DiffGCN"),
    "AutoregressiveCNN, unmasked": lambda: segmentation(None),
    "AutoregressiveCNN, order 3": lambda: segmentation(3),
    "SGSeg": whole,
    "sgseg_loss": lambda: whole((0, 5)),
}
LOSSES = {
    "clustering_loss": lambda: Case((_assigned(),), call=clustering_loss),
    "smoothness_loss": lambda: Case((_assigned(), _images()), call=smoothness_loss),
    "reconstruction_loss": lambda: Case(_three(), call=reconstruction_loss),
    "edge_loss": lambda: Case(_three(), call=edge_loss),
    "spnn_loss": lambda: Case((_images(), _assigned(), *_three()[:2]), call=_spnn_loss),
    "joint_distribution": lambda: Case((_assigned(), _assigned(1), 1), call=joint_distribution),
    "mutual_information": lambda: Case((_assigned(), _assigned(), 1), call=mutual_information),
    "total_variation": lambda: Case((random(2, 5, SIDE, SIDE),), call=total_variation),
    "graph_total_variation": lambda: Case((random(2, COUNT, 5), _others()), call=graph_total_variation),
    "superpixel_features": lambda: Case((_assigned(), _images()), call=superpixel_features),
    "project": lambda: Case((_assigned(), random(2, COUNT, 5)), call=project),
    "soft_image": lambda: Case((_assigned(), _images()), call=soft_image),
}
LEFT_OUT = {
    "Objective": "sgseg_loss as a module",
    "SGSegSegmenter": "SGSeg for pictures of any size",
    "hard_image": "picks the likeliest, which rounding may change",
    "superpixel_graph": "picks the nearest, which rounding may change; SGSeg's cases take all",
    "train_sgseg": "steps of sgseg_loss",
}
