"""The segmentation networks of Tables 2 to 4 as published: ResNet-101, VGG16 and the wide ResNet-38, each at stride 8.

- ResNet-101 (He et al. 2016) dilated, with DeepLab's four classifiers of dilation 6, 12, 18 and 24 (Chen et al. 2018);
- VGG16 (Simonyan & Zisserman 2015) with DSRG's head: four branches of a dilated and two 1 x 1 layers, summed;
- ResNet-38, model A1 of Wu, Shen, van den Hengel 2016, "Wider or deeper", with the same classifiers as ResNet-101.

For GPUs and real training sets; with frozen features see :class:`~segstudy.papers.dgcn.network.AtrousHead`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from segstudy.nn.backbones import Backbone, backbone
from segstudy.nn.libraries import IMAGENET
from segstudy.nn.stages import LayerStages
from segstudy.nn.trunks import VGG_WIDTHS, seeded, vgg
from segstudy.nn.weights import Weights
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork

RATES = (6, 12, 18, 24)
FC = 1024  # channels of DSRG's fc6 and fc7


def vgg16_trunk() -> Backbone:
    """Build VGG16 without its classifier, at stride 8: two poolings keep the size, the last stage is dilated by 2.

    It gives the maps of the three deepest stages, of 256, 512 and 512 channels, all an eighth of the picture. The
    weights, drawn from the global random state, are torchvision's `features` in number, order and shape.
    """
    stages = vgg((2, 2, 3, 3, 3), ceil_mode=True)  # as Caffe: 321 pixels make 41
    for stage in stages[3:]:
        stage[-1] = nn.MaxPool2d(3, stride=1, padding=1)
    for layer in stages[4]:
        if isinstance(layer, nn.Conv2d):
            layer.dilation = layer.padding = (2, 2)
    return _trunk(stages, (2, 3, 4))


class BranchedHead(nn.Module):
    """DSRG's head on VGG16: for each dilation fc6, 3 x 3, fc7 and fc8, 1 x 1; the branches' scores are summed.

    Parameters
    ----------
    num_classes : int
        C, the background counted.
    channels : int
    dropout : float
    """

    def __init__(self, num_classes: int, channels: int = VGG_WIDTHS[-1], dropout: float = 0.5) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, FC, 3, padding=rate, dilation=rate),
                nn.ReLU(),
                nn.Dropout(dropout),
                nn.Conv2d(FC, FC, 1),
                nn.ReLU(),
                nn.Dropout(dropout),
                nn.Conv2d(FC, num_classes, 1),
            )
            for rate in RATES
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return (B, C, h, w) logits of the deepest of a trunk's maps."""
        return torch.stack([branch(maps[-1]) for branch in self.branches]).sum(dim=0)


class WideBlock(nn.Module):
    """A pre-activated residual block of two 3 x 3 convolutions, or of three where it narrows first.

    Parameters
    ----------
    inputs, widths : int, sequence of int
        Channels; two widths are 3 x 3 and 3 x 3, three are 1 x 1, 3 x 3 and 1 x 1.
    stride, dilation : int
        The dilation of the 3 x 3 convolutions.
    dropout : float
        Before each convolution but the first of a narrowing block.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], stride: int = 1, dilation: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        kernels = (3, 3) if len(widths) == 2 else (1, 3, 1)
        layers: list[nn.Module] = []
        before = inputs
        for index, (width, kernel) in enumerate(zip(widths, kernels, strict=True)):
            step = stride if index == 0 else 1
            reach = dilation if kernel == 3 else 1
            if index:
                layers += [nn.BatchNorm2d(before), nn.ReLU(), nn.Dropout(dropout)]
            padding = reach * (kernel // 2)
            layers.append(
                nn.Conv2d(before, width, kernel, stride=step, padding=padding, dilation=reach, bias=False)
            )
            before = width
        self.first = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.branch = nn.Sequential(*layers)
        self.shortcut = (
            nn.Identity()
            if before == inputs and stride == 1
            else nn.Conv2d(inputs, before, 1, stride=stride, bias=False)
        )

    def forward(self, values: Tensor) -> Tensor:
        """Add the branch to the input, or to a projection of the activated input where sizes differ."""
        active = self.first(values)
        kept = values if isinstance(self.shortcut, nn.Identity) else self.shortcut(active)
        return kept + self.branch(active)


# Blocks, widths, stride of the first, dilation and dropout of each stage of model A1, at stride 8.
STAGES_38 = (
    (3, (128, 128), 2, 1, 0.0),
    (3, (256, 256), 2, 1, 0.0),
    (6, (512, 512), 2, 1, 0.0),
    (3, (512, 1024), 1, 2, 0.0),
    (1, (512, 1024, 2048), 1, 4, 0.3),
    (1, (1024, 2048, 4096), 1, 4, 0.5),
)


def resnet38_trunk() -> Backbone:
    """Build the wide residual network of 38 layers, without its classifier, at stride 8.

    It gives the maps of the last four stages, of 512, 1024, 2048 and 4096 channels. Weights are drawn from the global
    random state.
    """
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1, bias=False)]
    inputs = 64
    for blocks, widths, stride, dilation, dropout in STAGES_38:
        made = []
        for index in range(blocks):
            made.append(WideBlock(inputs, widths, stride if index == 0 else 1, dilation, dropout))
            inputs = widths[-1]
        layers.append(nn.Sequential(*made))
    layers[-1].append(nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU()))
    return _trunk(layers, (3, 4, 5, 6))


def _trunk(layers: Iterable[nn.Module], given: Sequence[int]) -> Backbone:
    """Return a trunk that gives the maps of some of its layers."""
    network = LayerStages(nn.Sequential(*layers), given)
    return Backbone(network, *IMAGENET, "random weights", stages=given)


NAMES = ("ResNet-101", "VGG16", "ResNet-38")


def published_network(
    name: str, num_classes: int, *, weights: Weights = None, seed: int = 0
) -> SegmentationNetwork:
    """Build a network of the paper's tables.

    Parameters
    ----------
    name : "ResNet-101", "VGG16" or "ResNet-38"
    num_classes : int
        C, the background counted.
    weights : str or Path, optional
        Of ResNet-101's trunk, see :func:`~segstudy.nn.backbones.backbone`. The others are drawn from the seed, and take
        a state dictionary by torch's `load_state_dict`.
    seed : int

    Raises
    ------
    ValueError
        The name is unknown, or weights are given where they are not taken.
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {NAMES}, got {name!r}")
    if name == "ResNet-101":
        trunk = backbone("timm:resnet101", weights, seed, stages=(8, 16, 32), output_stride=8)
        head = LastMap(AtrousHead(2048, num_classes, hidden=None, rates=RATES, seed=seed))
        return SegmentationNetwork(trunk, head)
    if weights is not None:
        raise ValueError(f"weights are taken for ResNet-101 alone, got {weights!r} for {name}")
    with seeded(seed):
        if name == "VGG16":
            return SegmentationNetwork(vgg16_trunk(), BranchedHead(num_classes))
        head = AtrousHead(4096, num_classes, hidden=None, rates=RATES, seed=seed)
        return SegmentationNetwork(resnet38_trunk(), LastMap(head))


class LastMap(nn.Module):
    """A head that reads the deepest map alone, as DeepLab's.

    Parameters
    ----------
    head : Module
        Takes a list of maps.
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the head's logits."""
        return self.head(maps[-1:])
