"""The null baseline of SCG-Net: its trunk without the graph."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.backbones import backbone as build_backbone
from segstudy.papers.scgnet.network import Prediction


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
