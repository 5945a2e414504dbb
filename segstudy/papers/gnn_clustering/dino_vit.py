"""The network that DINO trains: timm's vision transformer, small, and the head that makes its class token logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 32  # channels of an attention head; DINO's ViT-S has 64 of its 384
HIDDEN, BOTTLENECK = 256, 64  # of the projection head; the original's are 2048 and 256, for 65,536 prototypes
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
        Height and width of a patch, in pixels; divides `size`.
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

    if min(patch, depth) < 1:
        raise ValueError(f"patch and depth must be at least 1, got {patch!r} and {depth!r}")
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
    width, _, patch, _ = weights["patch_embed.proj.weight"].shape
    side = round((weights["pos_embed"].shape[1] - 1) ** 0.5)  # one token is the class's
    depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    model = small_vit(side * patch, patch, width, depth)
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.to(device).eval()


class ProjectionHead(nn.Module):
    """Compare a class token, after two layers, with prototypes: their cosines are the logits p of the slides.

    The head is thrown away after the training. It is the original's with one hidden layer instead of two: a bottleneck
    of length 1 before a linear layer whose rows have length 1.

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
            self.layers = nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, BOTTLENECK))
            self.prototypes = nn.Parameter(torch.randn(prototypes, BOTTLENECK))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (N, prototypes) cosines of (N, width) class tokens."""
        found = functional.normalize(self.layers(tokens), dim=1)
        return functional.linear(found, functional.normalize(self.prototypes, dim=1))


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
