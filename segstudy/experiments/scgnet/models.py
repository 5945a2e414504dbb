"""The networks that are compared: SCG-Net in its variants, and two null baselines that lack the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.datasets.registry import data_root
from segstudy.errors import StudyError
from segstudy.nn.backbones import backbone as build_backbone
from segstudy.nn.weights import SQUEEZENET
from segstudy.papers.scgnet.network import VARIANTS, Prediction, SCGNet

HEAD = "1x1 head"
IDENTITY = "A = I"
LIGHT, LIGHT_IDENTITY = "light divergence", "A = I, light divergence"
# What each name changes in SCG-GCN; the settings of Table VII, what the text argues, and what lies beyond the paper.
CHANGES: dict[str, dict[str, Any]] = VARIANTS | {
    IDENTITY: {"graph": False},
    LIGHT: {"released": True},
    LIGHT_IDENTITY: {"graph": False, "released": True},
    "gamma = 1": {"adaptive": False},
    "exact inverse": {"inverse": True},
    "3 layers": {"gnn": ("gcn",) * 3},
    "4 layers": {"gnn": ("gcn",) * 4},
    "6 layers": {"gnn": ("gcn",) * 6},
    "GAT": {"gnn": ("gat", "gat")},
    "sparse, 9 neighbours": {"neighbours": 9},
}
# Backbones by name: the library's name, and whether weights of ImageNet are loaded.
BACKBONES = {
    "squeezenet": ("torchvision:squeezenet1_1", True),
    "resnet18": ("torchvision:resnet18", False),
    "resnet50": ("torchvision:resnet50", False),
    "resnet50, pretrained": ("torchvision:resnet50", "pretrained"),
}


class BackboneHead(nn.Module):
    """The null baseline: the backbone, a 1 x 1 convolution to the classes, and the enlargement.

    Parameters
    ----------
    num_classes, in_channels : int
    backbone : str
    weights : str or Path, optional
        As for :func:`~segstudy.nn.backbones.backbone`.
    stride : int
        Pixels a step of the backbone's map.
    seed : int
        Of first weights.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        backbone: str = "torchvision:resnet50",
        *,
        weights: str | Path | None = None,
        stride: int = 16,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone, weights, seed, in_channels=in_channels, stride=stride)
        with torch.no_grad():
            channels = self.backbone(torch.zeros(1, in_channels, 4 * stride, 4 * stride)).shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.head = nn.Conv2d(channels, num_classes, 1)

    def forward(self, images: Tensor) -> Tensor | Prediction:
        """Return logits as :class:`~segstudy.papers.scgnet.network.SCGNet` does; its regularisers are 0."""
        maps = self.head(self.backbone(images))
        logits = F.interpolate(maps, images.shape[2:], mode="bilinear", align_corners=False)
        none = logits.new_zeros(())
        return Prediction(logits, none, none) if self.training else logits


def build_model(
    name: str,
    trunk: str,
    num_classes: int,
    in_channels: int,
    seed: int,
    nodes: tuple[int, int] | None = None,
    residual: bool = True,
) -> nn.Module:
    """Build a network of the comparison.

    Parameters
    ----------
    name : str
        A key of `CHANGES`, or `HEAD`.
    trunk : str
        A key of `BACKBONES`.
    num_classes, in_channels, seed : int
    nodes : (int, int), optional
        See :class:`~segstudy.papers.scgnet.network.SCGNet`.
    residual : bool
        False takes the residual away, as Table VII does.

    Raises
    ------
    StudyError
        The backbone's weights are not there.
    ValueError
        A name is unknown.
    """
    for argument, value, known in (("name", name, (*CHANGES, HEAD)), ("trunk", trunk, BACKBONES)):
        if value not in known:
            raise ValueError(f"{argument} must be one of {tuple(known)}, got {value!r}")
    library, pretrained = BACKBONES[trunk]
    weights = _squeezenet_weights() if pretrained is True else pretrained or None
    options = {"backbone": library, "weights": weights, "seed": seed}
    if name == HEAD:
        return BackboneHead(num_classes, in_channels, **options)
    changes = {"nodes": nodes} | CHANGES[name] | ({} if residual else {"residual": False})
    return SCGNet(num_classes, in_channels, **options, **changes)


def described(trunk: str) -> str:
    """Return what the weights of a key of `BACKBONES` are, for reports."""
    return {True: "ImageNet, the Caffe model's", False: "random weights"}.get(BACKBONES[trunk][1], "ImageNet")


def _squeezenet_weights() -> Path:
    path = data_root() / SQUEEZENET
    if not path.is_file():
        raise StudyError(
            f"SqueezeNet's weights are not there: put the file at {SQUEEZENET} beside the data sets"
        )
    return path
