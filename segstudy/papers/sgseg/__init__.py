"""Eliasof, Ben Zikri, Treister 2022: unsupervised segmentation through superpixels and graph neural networks (SGSeg).

A network assigns pixels to superpixels (:class:`SPNN`, Eqs. 4, 8 to 13), a graph network lets superpixels hear one
another (:class:`SuperpixelGNN`, Eqs. 5, 14 to 17), and a third labels the pixels from the picture and the superpixels'
features (:class:`AutoregressiveCNN`, Eqs. 7, 18 to 20) so that two reading orders agree. :class:`SGSeg` is the whole,
:class:`SGSegSegmenter` what labels pictures of any size.

| paper | here |
|---|---|
| P, N | `assignment`, `count` or `superpixels` |
| F^SP, F~^SP | `features`, before and after the graph network |
| M~, M^ | `projected`, `probabilities` |
| eta (gamma in Table 12) | `eta` |
| r1, r2 | `orders` |
"""

from segstudy.papers.sgseg.autoregressive import AutoregressiveCNN
from segstudy.papers.sgseg.gnn import SuperpixelGNN, superpixel_graph, total_variation
from segstudy.papers.sgseg.mutual_information import joint_distribution, mutual_information
from segstudy.papers.sgseg.network import SGSeg, sgseg_loss
from segstudy.papers.sgseg.segmenter import SGSegSegmenter
from segstudy.papers.sgseg.spnn import SPNN
from segstudy.papers.sgseg.spnn_losses import (
    clustering_loss,
    edge_loss,
    reconstruction_loss,
    smoothness_loss,
    spnn_loss,
)
from segstudy.papers.sgseg.superpixels import hard_image, project, soft_image, superpixel_features
from segstudy.papers.sgseg.training import train_sgseg

__all__ = [
    "SPNN",
    "AutoregressiveCNN",
    "SGSeg",
    "SGSegSegmenter",
    "SuperpixelGNN",
    "clustering_loss",
    "edge_loss",
    "hard_image",
    "joint_distribution",
    "mutual_information",
    "project",
    "reconstruction_loss",
    "sgseg_loss",
    "smoothness_loss",
    "soft_image",
    "spnn_loss",
    "superpixel_features",
    "superpixel_graph",
    "total_variation",
    "train_sgseg",
]
