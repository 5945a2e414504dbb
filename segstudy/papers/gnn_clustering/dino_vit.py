"""The network that DINO trains: timm's vision transformer, small, and the head that makes its class token logits.

Two things differ from the original's, which has days and a million pictures. Patches are made by a few convolutions
(:class:`ConvolutionalStem`), and the head normalises over the batch (:class:`ProjectionHead`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 32  # channels of an attention head; DINO's ViT-S has 64 of its 384
HIDDEN, BOTTLENECK = 256, 64  # of the projection head; the original's are 2048 and 256, for 65,536 prototypes
PATCHES = (2, 4, 8, 16, 32)  # pixels
# What timm's models carry: pictures from -1 to 1 instead of ImageNet's statistics, which generated ones lack.
NORMALISATION = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def small_vit(size: int, patch: int, width: int, depth: int, *, seed: int = 0) -> Any:
    """Return a small vision transformer with random weights.

    Parameters
    ----------
    size : int
        Height and width of a picture for which the position embedding is laid out, in pixels. Other sizes are taken
        as well: the embedding is then interpolated.
    patch : int
        Height and width of a patch, in pixels; a power of two that divides `size`.
    width : int
        Channels of a token, a multiple of 32: each attention head has 32.
    depth : int
        Blocks.
    seed : int
        Decides the weights; the global random state is left as it was.

    Returns
    -------
    timm VisionTransformer
        (N, 3, H, W) pictures from -1 to 1 become (N, width) class tokens.

    Raises
    ------
    ValueError
        The numbers do not fit together.
    """
    from timm.models.vision_transformer import VisionTransformer

    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth!r}")
    if patch not in PATCHES:
        raise ValueError(f"patch must be one of {PATCHES}: each convolution halves the grid; got {patch!r}")
    if size < patch or size % patch:
        raise ValueError(f"size must be a multiple of patch, {patch} pixels, got {size!r}")
    if width < HEAD_WIDTH or width % HEAD_WIDTH:
        raise ValueError(
            f"width must be a multiple of {HEAD_WIDTH}, the channels of an attention head, got {width!r}"
        )
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global generator
        torch.default_generator.manual_seed(seed)
        model = VisionTransformer(
            img_size=size,
            patch_size=patch,
            embed_dim=width,
            depth=depth,
            num_heads=width // HEAD_WIDTH,
            num_classes=0,
            dynamic_img_size=True,
            weight_init="jax",
        )
        model.patch_embed.proj = ConvolutionalStem(patch, width)
    model.pretrained_cfg = NORMALISATION
    return model


def restore(weights: dict[str, np.ndarray], device: str = "cpu") -> Any:
    """Make a small vision transformer again from its weights, in evaluation mode.

    Parameters
    ----------
    weights : dict of str to ndarray
        As in :class:`~segstudy.papers.gnn_clustering.dino.DinoRun`.
    device : str

    Returns
    -------
    timm VisionTransformer
    """
    width = weights["cls_token"].shape[2]
    kernels = [name for name in weights if name.startswith("patch_embed.") and weights[name].ndim == 4]
    patch = 2 ** (len(kernels) - 1)  # the last one is 1 x 1
    side = round((weights["pos_embed"].shape[1] - 1) ** 0.5)  # one token is the class's
    depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    model = small_vit(side * patch, patch, width, depth)
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.to(device).eval()


class ConvolutionalStem(nn.Module):
    """Make tokens of a picture: its own light taken away, then 3 x 3 convolutions, each of which halves the grid.

    Xiao et al., Early Convolutions Help Transformers See Better, NeurIPS 2021: with labels, too, a transformer on these
    pictures' raw patches stays at chance for the hundreds of steps in which one with such a stem learns the kinds. Two
    changes. Each channel of a picture first has mean 0 and variance 1: light and tint are the easiest way to tell one
    picture from another, and what DINO finds first. And groups of all channels instead of batches are normalised, so
    that one picture's tokens are the same whatever stands beside it, and before any training.

    It stands in the place of timm's linear projection, ``patch_embed.proj``.

    Parameters
    ----------
    patch : int
        Height and width of a patch, 2 to the number of convolutions.
    width : int
        Channels of a token; halved from convolution to convolution, backwards.
    """

    def __init__(self, patch: int, width: int) -> None:
        super().__init__()
        halvings = patch.bit_length() - 1
        channels = [3, *(max(1, width >> back) for back in reversed(range(halvings)))]
        layers: list[nn.Module] = [nn.InstanceNorm2d(3)]
        for before, after in pairwise(channels):
            layers.append(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            layers += [nn.GroupNorm(1, after), nn.GELU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, width, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (N, width, H / patch, W / patch) tokens of (N, 3, H, W) pictures."""
        return self.layers(pictures)


class ProjectionHead(nn.Module):
    """Compare a class token, after two layers, with prototypes: their cosines are the logits p of the slides.

    The head is thrown away after the training. It is the original's with one hidden layer instead of two: a bottleneck
    of length 1 before a linear layer whose rows have length 1. Both layers are normalised over the batch, which the
    original offers for the hidden ones: all class tokens are nearly one at first, and the sharpest teacher finds
    nothing to tell apart in what they share. A batch needs two pictures or more.

    Parameters
    ----------
    width : int
        Channels of the class token.
    prototypes : int
        How many logits, at least 2.
    seed : int
        Decides the weights; the global random state is left as it was.
    """

    def __init__(self, width: int, prototypes: int, *, seed: int = 0) -> None:
        super().__init__()
        if prototypes < 2:
            raise ValueError(f"prototypes must be at least 2, got {prototypes!r}: one has no entropy")
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Linear(width, HIDDEN),
                _batch_norm(HIDDEN),
                nn.GELU(),
                nn.Linear(HIDDEN, BOTTLENECK),
                _batch_norm(BOTTLENECK),
            )
            self.prototypes = nn.Parameter(torch.randn(prototypes, BOTTLENECK))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, prototypes) cosines of (N, width) class tokens."""
        found = functional.normalize(self.layers(tokens), dim=1)
        return functional.linear(found, functional.normalize(self.prototypes, dim=1))


def _batch_norm(channels: int) -> nn.Module:
    """Normalise by the batch at hand alone, student and teacher each by its own; nothing is learnt or kept."""
    return nn.BatchNorm1d(channels, affine=False, track_running_stats=False)


def stack_pictures(images: Sequence[np.ndarray]) -> Tensor:
    """Return the (N, 3, H, W) float32 tensor, 0 to 1, of (H, W, 3) uint8 pictures of one size.

    Raises
    ------
    TypeError
        A picture is not uint8.
    ValueError
        There is none, or they are not of one shape (H, W, 3).
    """
    if not len(images):
        raise ValueError("images is empty: pass at least one (H, W, 3) picture")
    shapes = sorted({np.shape(image) for image in images})
    if len(shapes) > 1 or len(shapes[0]) != 3 or shapes[0][2] != 3:
        raise ValueError(
            f"images must all have one shape (H, W, 3), got {shapes[:4]}: resize or convert them"
        )
    if any(np.asarray(image).dtype != np.uint8 for image in images):
        raise TypeError("images must be uint8 pictures, 0 to 255")
    return torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float().div(255)
