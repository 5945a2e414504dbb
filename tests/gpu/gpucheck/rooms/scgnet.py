"""Paper 5. The noise of training is left out: another device draws other numbers."""

from typing import Any

from torch import nn

from gpucheck.compare import Case, labels, pictures, random
from segstudy.papers.scgnet import (
    GAT,
    GCN,
    GIN,
    SCG,
    VARIANTS,
    SCGNet,
    class_dice_loss,
    dice_loss,
    total_loss,
)
from segstudy.papers.scgnet.graphs import DenseGraph
from segstudy.papers.scgnet.losses import cross_entropy_loss
from segstudy.papers.scgnet.network import Prediction

CLASSES, NODES = 4, 12


def layer(kind: type[nn.Module]) -> Case:
    """A layer on a dense graph."""
    weights, enhancement = random(2, NODES, NODES).relu(), random(2, NODES, seed=1).abs()
    return Case(
        (weights, enhancement, random(2, NODES, 5, seed=2)),
        kind(5, 3),
        lambda net, W, more, X: net(DenseGraph(W, more), X),
    )


def construction(**options: Any) -> Case:
    """The graph, as its product with the nodes, the residual and the regularisers."""
    network = SCG(5, CLASSES, **options).eval()
    return Case((random(2, 5, 4, 4),), network, _constructed)


def whole(**options: Any) -> Case:
    """The network in training, without its noise: logits and regularisers."""
    network = SCGNet(CLASSES, backbone="resnet18", hidden=8, **options).train()
    network.backbone.eval()
    network.scg.eval()
    return Case((pictures(2, 64),), network)


def _constructed(network: nn.Module, maps: Any) -> Any:
    made = network(maps)
    return made.graph.propagate(made.nodes), made.residual, made.kl, made.diagonal, made.gamma


def _pixels(loss: Any) -> Case:
    return Case((random(2, CLASSES, 9, 9), labels(2, 9, CLASSES)), call=loss)


def _total() -> Case:
    numbers = random(2).abs()
    given = (random(2, CLASSES, 9, 9), numbers[0], numbers[1], labels(2, 9, CLASSES))
    return Case(
        given, call=lambda logits, kl, diagonal, truth: total_loss(Prediction(logits, kl, diagonal), truth)
    )


NETWORKS = {
    "GCN": lambda: layer(GCN),
    "GIN": lambda: layer(GIN),
    "GAT": lambda: layer(GAT),
    "SCG": construction,
    "SCG, ae": lambda: construction(kind="ae"),
    "SCG, directed": lambda: construction(kind="directed"),
    "SCG, sparse": lambda: construction(neighbours=15),  # all others: rounding picks no other ones
    "SCG, pooled": lambda: construction(nodes=(3, 2), inverse=True, released=True, neighbour_weight=0.5),
    "SCGNet, A = I": lambda: whole(graph=False),
}
NETWORKS |= {f"SCGNet, {name}": lambda o=options: whole(**o) for name, options in VARIANTS.items()}
LOSSES = {
    "dice_loss": lambda: _pixels(dice_loss),
    "class_dice_loss": lambda: _pixels(class_dice_loss),
    "cross_entropy_loss": lambda: _pixels(cross_entropy_loss),
    "total_loss": _total,
}
LEFT_OUT = {
    "diagonal_loss": "the diagonal of SCG's cases",
    "kl_loss": "the kl of SCG's cases",
    "require_loss": "refuses a name",
    "VARIANTS": "each is a case of SCGNet",
    "Patches": "cuts patches out of pictures",
    "SCGNetSegmenter": "SCGNet with its training",
    "predict_labels": "SCGNet on windows of a picture",
    "predict_strips": "SCGNet on windows of a picture",
    "train_scgnet": "steps of SCGNet and its losses",
}
