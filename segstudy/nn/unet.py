"""U-Net: an encoder, a decoder, and a bridge between them at every resolution.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015 (Figure 1).
What differs from it here, as in most of its descendants:

- 3 x 3 convolutions are padded with zeros, so that a label map is as large as its image; the paper's are not, and lose
  184 pixels of 572;
- batch normalisation follows every 3 x 3 convolution, which therefore has no bias; the paper has none;
- there is no dropout at the end of the encoder;
- any size from 16 pixels is taken: the paper's layers need one that poolings halve without remainder.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from segstudy.datasets.augmentation import to_input
from segstudy.nn.trunks import check_counts, initialise, normalised_twice, pad_to_multiple, seeded

DEPTH = 4  # poolings; the paper's Figure 1
STRIDE = 2**DEPTH


class UNet(nn.Module):
    r"""U-Net with padded convolutions and batch normalisation.

    With width w, level l = 0..4 works on :math:`2^l w` channels at :math:`2^{-l}` of the resolution. Each level is two
    3 x 3 convolutions with batch normalisation and ReLU; 2 x 2 max pooling leads down, a transposed 2 x 2 convolution
    of stride 2 leads up, where the encoder's features of that level are concatenated before the up-convolved ones; a
    1 x 1 convolution makes the logits. Width 64 with 3 channels and 6 classes has 31,037,958 parameters (31.04 M).

    Parameters
    ----------
    in_channels : int
        Channels of an image, 3 for RGB.
    num_classes : int
    width : int
        Channels of the first level; the paper's is 64.
    seed : int
        Decides the initial weights: normal with variance 2 / (inputs of a unit), as in section 3 of the paper, and no
        bias. The global random state is left as it was.

    Raises
    ------
    ValueError
        Where one of the numbers is smaller than 1.
    """

    def __init__(self, in_channels: int, num_classes: int, width: int = 64, *, seed: int = 0) -> None:
        super().__init__()
        check_counts(in_channels=in_channels, num_classes=num_classes, width=width)
        self.in_channels, self.num_classes, self.width = in_channels, num_classes, width
        widths = [width * 2**level for level in range(DEPTH + 1)]
        convolve = partial(normalised_twice, bias=False)
        with seeded(seed):
            self.encoder = nn.ModuleList(map(convolve, [in_channels, *widths[:-1]], widths))
            self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[-2::-1])
            self.decoder = nn.ModuleList(convolve(2 * w, w) for w in widths[-2::-1])
            self.head = nn.Conv2d(width, num_classes, 1)
            self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of every pixel.

        Where height or width is no multiple of 16, the image is continued to one by reflection, at the bottom and at
        the right, and the logits are cropped: no pixel is lost, and none sees a border sooner than it must.

        Parameters
        ----------
        images : (N, in_channels, H, W) floating point Tensor
            H and W at least 16.

        Returns
        -------
        (N, num_classes, H, W) Tensor

        Raises
        ------
        TypeError
            `images` is not floating point.
        ValueError
            `images` is not of that shape, is smaller, or is a training batch of a single 16 x 16 image.
        """
        height, width = self._check(images)
        features, kept = pad_to_multiple(images, STRIDE), []
        for level, convolve in enumerate(self.encoder):
            features = convolve(functional.max_pool2d(features, 2) if level else features)
            kept.append(features)
        for up, convolve, bridge in zip(self.up, self.decoder, kept[-2::-1], strict=True):
            features = convolve(torch.cat([bridge, up(features)], dim=1))
        return self.head(features)[..., :height, :width]

    def _check(self, images: Tensor) -> tuple[int, int]:
        """Refuse what the layers would refuse in words of their own; return height and width."""
        if not images.is_floating_point():
            raise TypeError(
                f"images must be floating point, got {images.dtype}: scale them, e.g. images / 255"
            )
        shape = tuple(images.shape)
        if images.ndim != 4 or shape[1] != self.in_channels:
            raise ValueError(f"images must be (N, {self.in_channels}, H, W), got shape {shape}")
        if min(shape[2:]) < STRIDE:
            raise ValueError(
                f"images must be at least {STRIDE} x {STRIDE} pixels, got shape {shape}: enlarge them"
            )
        if self.training and shape[0] == 1 and max(shape[2:]) == STRIDE:
            # four poolings leave one number per channel, whose variance batch normalisation cannot take
            raise ValueError(
                f"a training batch of one {STRIDE} x {STRIDE} image cannot be normalised, got shape {shape}: "
                "take more images, or larger ones"
            )
        return shape[2], shape[3]


@torch.no_grad()
def predict_probabilities(model: nn.Module, image: np.ndarray, device: str | None = None) -> np.ndarray:
    """Return a network's class probabilities for one image: the softmax of its logits.

    Parameters
    ----------
    model : Module
        Takes (1, C, H, W) and returns (1, K, H, W) logits; moved to `device`; its mode is put back.
    image : (H, W, C) uint8 ndarray
    device : str, optional
        Where the model is, by default.

    Returns
    -------
    (H, W, K) float32 ndarray, rows sum to 1
    """
    training = model.training
    model.to(device).eval()
    weight = next(model.parameters())
    logits = model(to_input(image)[None].to(weight.device, weight.dtype))
    model.train(training)
    return logits[0].float().softmax(dim=0).permute(1, 2, 0).cpu().numpy()
