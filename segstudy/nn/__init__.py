"""Networks that several papers of this study use."""

from segstudy.nn.unet import UNet, predict_probabilities

__all__ = ["UNet", "predict_probabilities"]
