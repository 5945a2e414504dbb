"""The methods that are trained on a user's folder: their settings from the pictures, their networks from a checkpoint.

What a network is built from is kept in the checkpoint as plain values, its `options`; `fresh` makes a segmenter to be
trained, `restored` one with the weights of a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from segstudy.errors import StudyError, nearest
from segstudy.experiments.unet import UNetSegmenter
from segstudy.nn.backbones import backbone
from segstudy.nn.unet import UNet
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork
from segstudy.papers.dgcn.segmenter import DGCN, STAGES
from segstudy.papers.scgnet import VARIANTS, SCGNet
from segstudy.papers.scgnet.segmenter import SCGNetSegmenter
from segstudy.segmenter import Segmenter

Options = dict[str, Any]
LONGEST = 256  # pixels of the longer side at which a U-Net works
PATCH = 224  # pixels of a side of SCG-Net's windows, where the pictures have as many
WIDTH = 16  # channels of the U-Net's first level, as in notebook 01's real profile
TRUNK = "timm:tf_efficientnet_lite0"


@dataclass(frozen=True)
class Trainable:
    """How a method is set up, trained and restored.

    Parameters
    ----------
    supervision : {"full", "image"}
    epochs : int
        Where the user names none.
    options : callable
        Of the pictures' sizes, (n, 2) ints, plain values that build the network.
    fresh : callable
        Of the number of classes, the options, and `epochs`, `seed`, `device`: a segmenter to be fitted.
    network : callable
        Of a fitted segmenter, its network.
    restored : callable
        Of the number of classes, the options and a state dictionary: a segmenter that segments.
    """

    supervision: str
    epochs: int
    options: Callable[[np.ndarray], Options]
    fresh: Callable[..., Segmenter]
    network: Callable[[Any], nn.Module]
    restored: Callable[[int, Options, dict[str, torch.Tensor]], Segmenter]


def _unet_options(sizes: np.ndarray) -> Options:
    typical = np.median(sizes, axis=0)
    factor = min(1.0, LONGEST / typical.max())
    # Four poolings halve the sides.
    return {"size": [max(32, 16 * round(float(side) * factor / 16)) for side in typical], "width": WIDTH}


def _fresh_unet(classes: int, options: Options, **training: Any) -> Segmenter:
    return UNetSegmenter(classes, **options, **training)


def _restored_unet(classes: int, options: Options, state: dict[str, torch.Tensor]) -> Segmenter:
    segmenter = UNetSegmenter(classes, **options)
    segmenter.model_ = _filled(UNet(3, classes, options["width"]), state)
    return segmenter


def _scgnet_options(sizes: np.ndarray) -> Options:
    return {"size": int(min(PATCH, sizes.min())), "patches": 4 * len(sizes), "backbone": TRUNK}


def _fresh_scgnet(classes: int, options: Options, **training: Any) -> Segmenter:
    # Loss and rate of notebook 05 on real pictures: the paper's rate is for 24,000 steps.
    rates = {"loss": "class dice", "learning_rate": 1e-3, "weights": "pretrained"}
    return SCGNetSegmenter(classes, **options, **rates, **training)


def _restored_scgnet(classes: int, options: Options, state: dict[str, torch.Tensor]) -> Segmenter:
    segmenter = SCGNetSegmenter(classes, **options)
    network = SCGNet(classes, 3, **VARIANTS["SCG-GCN"], backbone=options["backbone"])
    segmenter.model_ = _filled(network, state)
    return segmenter


def _dgcn_options(sizes: np.ndarray) -> Options:
    return {"trunk": TRUNK, "side": 321}


def _fresh_dgcn(classes: int, options: Options, **training: Any) -> Segmenter:
    return DGCN(classes, **options, weights="pretrained", **training)


def _restored_dgcn(classes: int, options: Options, state: dict[str, torch.Tensor]) -> Segmenter:
    segmenter = DGCN(classes, **options)
    trunk = backbone(options["trunk"], stages=STAGES, output_stride=8, freeze="all")
    width = state["head.adaptation.0.weight"].shape[1]
    segmenter.network_ = _filled(SegmentationNetwork(trunk, AtrousHead(width, classes)), state)
    return segmenter


def _filled(network: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    network.load_state_dict(state)
    return network.eval()


TRAINABLE = {
    "unet": Trainable("full", 60, _unet_options, _fresh_unet, lambda s: s.model_, _restored_unet),
    "scgnet": Trainable("full", 20, _scgnet_options, _fresh_scgnet, lambda s: s.model_, _restored_scgnet),
    "dgcn": Trainable("image", 8, _dgcn_options, _fresh_dgcn, lambda s: s.network_, _restored_dgcn),
}


def find_trainable(name: str) -> Trainable:
    """Return a trainable method by name; a StudyError says which there are."""
    if name not in TRAINABLE:
        raise StudyError(f"METHOD is {name!r}, which is not trained on labels{nearest(name, TRAINABLE)}")
    return TRAINABLE[name]


def sizes_of(samples: Sequence[Any]) -> np.ndarray:
    """Return the pictures' heights and widths, (n, 2)."""
    return np.array([sample.size for sample in samples])
