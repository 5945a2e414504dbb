"""The networks that are compared: SCG-Net in its variants, and two null baselines that lack the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from segstudy.experiments.backbone_head import BackboneHead
from segstudy.nn.libraries import library_hint
from segstudy.nn.weights import (
    PACKAGED,
    Weights,
    named_weights,
    packaged_weights,
    require_file,
    squeezenet_weights,
)
from segstudy.papers.scgnet.network import VARIANTS, SCGNet

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
# Short names of trunks; see `parse_trunk`.
BACKBONES = {
    "squeezenet": "torchvision:squeezenet1_1",
    "resnet18": "torchvision:resnet18",
    "resnet50": "torchvision:resnet50",
    "lite0": "timm:tf_efficientnet_lite0",
    "lite2": "timm:tf_efficientnet_lite2",
}


def build_model(
    name: str,
    trunk: str,
    num_classes: int,
    in_channels: int,
    seed: int,
    nodes: tuple[int, int] | None = None,
    residual: bool = True,
    neighbour_weight: float = 1.0,
) -> nn.Module:
    """Build a network of the comparison.

    Parameters
    ----------
    name : str
        A key of `CHANGES`, or `HEAD`.
    trunk : str
        See :func:`parse_trunk`.
    num_classes, in_channels, seed : int
    nodes : (int, int), optional
        See :class:`~segstudy.papers.scgnet.network.SCGNet`.
    residual : bool
        False takes the residual away, as Table VII does.
    neighbour_weight : float
        See :class:`~segstudy.papers.scgnet.scg.SCG`; the null baselines have no neighbours.

    Raises
    ------
    StudyError
        The backbone's weights are not there.
    ValueError
        A name is unknown.
    """
    if name not in (*CHANGES, HEAD):
        raise ValueError(f"name must be one of {(*CHANGES, HEAD)}, got {name!r}")
    library, weights = parse_trunk(trunk)
    options = {"backbone": library, "weights": weights, "seed": seed}
    if name == HEAD:
        return BackboneHead(num_classes, in_channels, **options)
    changes = {"nodes": nodes, "neighbour_weight": neighbour_weight} | CHANGES[name]
    changes |= {} if residual else {"residual": False}
    return SCGNet(num_classes, in_channels, **options, **changes)


def parse_trunk(trunk: str) -> tuple[str, Weights]:
    """Read the name of a trunk.

    Parameters
    ----------
    trunk : str
        A key of `BACKBONES`, or a name as :func:`~segstudy.nn.backbones.backbone` takes it; after a comma "random
        weights", "pretrained" or "weights PATH". Without one, SqueezeNet has the Caffe model's weights of ImageNet, all
        others random ones.

    Returns
    -------
    name : str
        For `backbone`.
    weights : str or Path, optional

    Raises
    ------
    StudyError
        SqueezeNet's weights are not there.
    ValueError
        The name or the words after it are unknown.
    """
    short, _, words = trunk.partition(", ")
    name = BACKBONES.get(short, short)
    if ":" not in name:
        raise ValueError(
            f"trunk must be one of {tuple(BACKBONES)} or a network such as 'timm:resnet50', got {short!r}"
            f"{library_hint(short)}"
        )
    if short == "squeezenet" and not words:
        return name, squeezenet_weights()
    return name, named_weights(words) if words else None


def described(trunk: str) -> str:
    """Return what the weights of a trunk are, for reports.

    Raises
    ------
    StudyError
        The weights are not there.
    """
    name, weights = parse_trunk(trunk)
    model = name.partition(":")[2]
    if weights is None:
        return "random weights"
    if weights == "pretrained":
        return packaged_weights(model)[1] if model in PACKAGED else "ImageNet"
    require_file(weights, name)
    return "ImageNet, the Caffe model's" if trunk == "squeezenet" else Path(weights).stem
