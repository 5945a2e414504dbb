"""Networks that several papers of this study use."""

from segstudy.nn.backbones import Backbone, backbone
from segstudy.nn.patch_features import (
    PatchFeatures,
    centre_features,
    patch_features,
    reduce_features,
    unit_features,
)
from segstudy.nn.unet import UNet, predict_probabilities

__all__ = [
    "Backbone",
    "PatchFeatures",
    "UNet",
    "backbone",
    "centre_features",
    "patch_features",
    "predict_probabilities",
    "reduce_features",
    "unit_features",
]
