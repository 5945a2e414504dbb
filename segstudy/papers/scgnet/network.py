"""SCG-Net: backbone, self-constructing graph, graph network, projection (section III-C, Tables II and III)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.backbones import backbone as build_backbone
from segstudy.papers.scgnet.layers import LAYERS
from segstudy.papers.scgnet.scg import SCG, Constructed

# Table III; options of `SCGNet` that differ from its defaults.
VARIANTS: dict[str, dict[str, Any]] = {
    "SCG-GCN": {},
    "SCG-GIN": {"gnn": ("gin", "gin")},
    "SCG-GCN-GIN": {"gnn": ("gcn", "gin")},
    "SCG_ae-GCN": {"scg": "ae"},
    "SCG_dir-GCN": {"scg": "directed"},
    "SCG_dir-GCN-GIN": {"scg": "directed", "gnn": ("gcn", "gin")},
    "SCG-GCN_ns": {"residual": False},
}


class Prediction(NamedTuple):
    """What the network returns in training: logits and the two regularisers.

    Attributes
    ----------
    logits : (B, num_classes, H, W) Tensor
    kl, diagonal : () Tensor
        Eqs. 9 and 10.
    """

    logits: Tensor
    kl: Tensor
    diagonal: Tensor


class SCGNet(nn.Module):
    r"""SCG-Net.

    Features of the backbone become a graph (:class:`~segstudy.papers.scgnet.scg.SCG`); all layers of the graph network
    but the last are followed by batch normalisation and ReLU; the last one's channels are the classes, to which the
    residual :math:`\gamma \hat Z` is added; the map of nodes is enlarged bilinearly to the picture. With 6 classes and
    the first three stages of ResNet-50: 8,736,978 parameters. Pictures are given in [0, 1], as section V-B has them;
    then the backbone takes away the mean and divides by the deviation that its weights were trained with, of which the
    paper says nothing.

    Parameters
    ----------
    num_classes : int
        c.
    in_channels : int
        Bands of a picture.
    backbone : str
        As for :func:`~segstudy.nn.backbones.backbone`; a name alone is torchvision's.
    scg : "vae", "ae" or "directed"
    gnn : sequence of "gcn", "gin" or "gat"
        The layers of the graph network.
    hidden : int
        Channels between them; the paper's d.
    nodes : (int, int), optional
        Rows and columns of nodes; None: one for each pixel of the backbone's map.
    residual : bool
        Whether :math:`\gamma \hat Z` is added.
    weights : str or Path, optional
        Of the backbone.
    stride : int
        The backbone's stage whose map is taken, in pixels a step of the map.
    output_stride, freeze
        As for :func:`~segstudy.nn.backbones.backbone`; an output stride below `stride` makes the map as large as that.
    seed : int
        Of first weights.
    **construction
        `graph`, `adaptive`, `inverse`, `released`, `neighbours` and `neighbour_weight` of
        :class:`~segstudy.papers.scgnet.scg.SCG`.

    Raises
    ------
    StudyError
        The backbone's weights are not there.
    ValueError
        An option is unknown or out of its range.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        backbone: str = "resnet50",
        scg: str = "vae",
        gnn: Sequence[str] = ("gcn", "gcn"),
        hidden: int = 128,
        nodes: tuple[int, int] | None = None,
        residual: bool = True,
        *,
        weights: str | Path | None = None,
        stride: int = 16,
        output_stride: int | None = None,
        freeze: str | None = None,
        seed: int = 0,
        **construction: Any,
    ) -> None:
        super().__init__()
        _require_options(num_classes, gnn, hidden)
        name = backbone if ":" in backbone else f"torchvision:{backbone}"
        self.num_classes, self.residual = num_classes, residual
        options = {"stride": stride, "output_stride": output_stride, "freeze": freeze}
        self.backbone = build_backbone(name, weights, seed, in_channels=in_channels, **options)
        self.stride = min(stride, output_stride or stride)
        with torch.no_grad():
            channels = self.backbone(torch.zeros(1, in_channels, 4 * stride, 4 * stride)).shape[1]
        widths = [channels, *[hidden] * (len(gnn) - 1), num_classes]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.scg = SCG(channels, num_classes, scg, nodes, **construction)
            pairs = zip(gnn, widths[:-1], widths[1:], strict=True)
            self.gnn = nn.ModuleList(LAYERS[kind](inputs, outputs) for kind, inputs, outputs in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths[1:-1])
        self.activation = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor | Prediction:
        """Label pictures.

        Parameters
        ----------
        images : (B, in_channels, H, W) floating point Tensor
            In [0, 1]; H and W at least the stride.

        Returns
        -------
        (B, num_classes, H, W) Tensor, in training a Prediction
            Logits.

        Raises
        ------
        TypeError
            `images` is not floating point.
        ValueError
            `images` is not of that shape.
        """
        self._check(images)
        constructed = self.construct(images)
        labelled = self.propagate(constructed)[-1]
        maps = labelled.mT.unflatten(2, constructed.grid)
        logits = F.interpolate(maps, images.shape[2:], mode="bilinear", align_corners=False)
        return Prediction(logits, constructed.kl, constructed.diagonal) if self.training else logits

    def construct(self, images: Tensor) -> Constructed:
        """Return graph, nodes, residual and regularisers of pictures."""
        try:
            features = self.backbone(images)
        except RuntimeError as error:
            if "too small" not in str(error):
                raise
            raise ValueError(
                f"images of shape {tuple(images.shape)} leave nothing of the backbone's map: enlarge them"
            ) from error
        return self.scg(features)

    def propagate(self, constructed: Constructed) -> list[Tensor]:
        """Return the nodes' features after each layer, (B, n, channels); the last are the logits."""
        values, found = constructed.nodes, []
        for layer, norm in zip(self.gnn, [*self.norms, None], strict=True):
            values = layer(constructed.graph, values)
            if norm is not None:
                values = self.activation(norm(values.flatten(0, 1)).view_as(values))
            found.append(values)
        if self.residual:
            found[-1] = found[-1] + constructed.residual.to(found[-1].dtype)
        return found

    def _check(self, images: Tensor) -> None:
        """Refuse what the layers would refuse in words of their own."""
        if not images.is_floating_point():
            raise TypeError(
                f"images must be floating point, got {images.dtype}: scale them, e.g. images / 255"
            )
        shape, bands = tuple(images.shape), self.backbone.in_channels
        if images.ndim != 4 or shape[1] != bands:
            raise ValueError(f"images must be (B, {bands}, H, W), got shape {shape}")
        if min(shape[2:]) < self.stride:
            raise ValueError(
                f"images must be at least {self.stride} x {self.stride} pixels, a step of the backbone's map, "
                f"got shape {shape}: enlarge them"
            )


def _require_options(num_classes: int, gnn: Sequence[str], hidden: int) -> None:
    for name, value in (("num_classes", num_classes), ("hidden", hidden)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}")
    if isinstance(gnn, str) or not gnn or any(kind not in LAYERS for kind in gnn):
        raise ValueError(f"gnn must be a sequence of {tuple(LAYERS)}, got {gnn!r}")
