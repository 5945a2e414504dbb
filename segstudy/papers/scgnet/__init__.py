"""SCG-Net: a network that builds a graph out of its own features and segments with it (Liu et al. 2020).

Liu, Kampffmeyer, Jenssen, Salberg: SCG-Net: Self-Constructing Graph Neural Networks for Semantic Segmentation,
arXiv:2009.01599. The way through: :class:`SCG` makes the graph (Eqs. 6-13), :class:`GCN` and :class:`GIN` pass messages
along it (Eqs. 2, 3, 5), :class:`SCGNet` is both between a backbone and an enlargement (Tables II and III),
:func:`total_loss` is Eq. 15; `training` and `prediction` are sections V-A and V-B.

| paper | here |
|---|---|
| F, X | `features`, `nodes` |
| M, log Sigma | `mean`, `log_deviation` |
| Z, Z hat, Z bar | `latent`, `residual`, `source` |
| A, gamma | `Graph`, `gamma` |
| n, c, d | `n`, `num_classes`, `hidden` |
| omega | `GIN.omega` |
"""

from segstudy.papers.scgnet.layers import GAT, GCN, GIN
from segstudy.papers.scgnet.losses import class_dice_loss, dice_loss, total_loss
from segstudy.papers.scgnet.network import VARIANTS, SCGNet
from segstudy.papers.scgnet.prediction import predict_labels, predict_strips
from segstudy.papers.scgnet.scg import SCG
from segstudy.papers.scgnet.segmenter import SCGNetSegmenter
from segstudy.papers.scgnet.training import Patches, train_scgnet

__all__ = [
    "GAT",
    "GCN",
    "GIN",
    "SCG",
    "VARIANTS",
    "Patches",
    "SCGNet",
    "SCGNetSegmenter",
    "class_dice_loss",
    "dice_loss",
    "predict_labels",
    "predict_strips",
    "total_loss",
    "train_scgnet",
]
