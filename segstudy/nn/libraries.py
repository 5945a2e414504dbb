"""Networks as timm and torchvision build them: without a classifier, filled with weights, cut at a stage."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from segstudy.nn.stages import LayerStages, TimmStages, last_layers, layer_strides
from segstudy.nn.weights import PACKAGED, Weights, from_the_hub, load_weights, packaged_weights

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation of RGB in [0, 1]
# SqueezeNet's Caffe weights take BGR in 0..255 less this mean (../data/README.md: squeezenet1_1_notop_caffe.pth).
CAFFE_MEAN = (123.0, 117.0, 104.0)  # RGB
TORCH_HUB = "https://download.pytorch.org"


class Kept(NamedTuple):
    """The stages that are returned, None for the last map of all, and the argument that says so."""

    argument: str
    stages: Sequence[int] | None


class Built(NamedTuple):
    """A network, the mean and deviation of each band that it expects, and what its weights are."""

    network: nn.Module
    mean: Sequence[float]
    std: Sequence[float]
    weights: str


def build_timm(model: str, weights: Weights, kept: Kept, output_stride: int | None) -> Built:
    """Build one of timm's networks, filled with its weights, for :func:`~segstudy.nn.backbones.backbone`."""
    import timm
    from huggingface_hub import constants

    if model.partition(".")[0] not in timm.list_models():
        raise ValueError(f"timm knows no model {model!r}: timm.list_models() names them")
    packaged = model.removesuffix(".in1k")  # the tag says ImageNet-1k, which is what the packages have
    hub = weights == "pretrained" and packaged not in PACKAGED
    with from_the_hub(model, constants.ENDPOINT) if hub else nullcontext():
        network = _create_timm(model, output_stride, pretrained=hub)
    described = "pretrained" if hub else "random weights"
    if weights == "pretrained" and not hub:
        path, described = packaged_weights(packaged)
        load_weights(network, path)
    elif weights not in (None, "pretrained"):
        _, described = load_weights(network, Path(weights))
    settings = network.pretrained_cfg
    if kept.stages is not None:
        indices = last_layers(_timm_strides(model, network, output_stride), kept.stages, kept.argument, model)
        network = TimmStages(network, indices, single=kept.argument == "stride")
    return Built(network, settings["mean"], settings["std"], described)


def _create_timm(model: str, output_stride: int | None = None, **options: Any) -> nn.Module:
    import timm

    if model.startswith("vit"):
        options |= {
            "dynamic_img_size": True
        }  # positions are interpolated where the picture's size asks for it
    else:
        options |= {"global_pool": ""}  # the map, not its mean
    if output_stride is None:
        return timm.create_model(model, num_classes=0, **options)
    try:
        return timm.create_model(model, num_classes=0, output_stride=output_stride, **options)
    except (TypeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"timm's {model} takes no output_stride of {output_stride}: it is 8, 16 or 32, for networks such as "
            "timm:resnet50 or timm:tf_efficientnet_lite0; leave it out for others"
        ) from error


def _timm_strides(model: str, network: nn.Module, output_stride: int | None) -> list[int]:
    """Return the strides of the stages as published; a dilated network does not know them any more."""
    if output_stride is not None:
        with torch.random.fork_rng(devices=[]):
            network = _create_timm(model)
    return [stage["reduction"] for stage in network.feature_info]


def build_torchvision(model: str, weights: Weights, kept: Kept, output_stride: int | None) -> Built:
    """Build one of torchvision's networks, filled with its weights, likewise."""
    from torchvision import models

    if model not in models.list_models(module=models):
        raise ValueError(f"torchvision knows no model {model!r}: torchvision.models.list_models() names them")
    if model.startswith(("vit", "swin", "maxvit")):
        raise ValueError(f"torchvision's {model} is a transformer, which makes no such map: use timm's")
    if output_stride is not None:
        raise ValueError(f"output_stride is timm's: use a network of timm's instead of torchvision's {model}")
    hub = weights == "pretrained"
    with from_the_hub(model, TORCH_HUB) if hub else nullcontext():
        whole = models.get_model(model, weights="DEFAULT" if hub else None)
    mean, std = IMAGENET
    described = "pretrained" if hub else "random weights"
    if weights not in (None, "pretrained"):
        missing, described = load_weights(whole, Path(weights), optional=("classifier.", "fc."))
        if model == "squeezenet1_1" and missing:
            mean, std = tuple(value / 255 for value in CAFFE_MEAN), (1 / 255,) * 3
            with torch.no_grad():  # mean and scale stay outside, so that a padding of 0 stays what it was
                whole.features[0].weight.copy_(whole.features[0].weight.flip(1))  # BGR to RGB
    layers = (
        whole.features
        if hasattr(whole, "features")
        else nn.Sequential(*(layer for key, layer in whole.named_children() if key not in ("avgpool", "fc")))
    )
    if kept.stages is not None:
        indices = last_layers(layer_strides(layers), kept.stages, kept.argument, model)
        layers = layers[: indices[0] + 1] if kept.argument == "stride" else LayerStages(layers, indices)
    return Built(layers, mean, std, described)
