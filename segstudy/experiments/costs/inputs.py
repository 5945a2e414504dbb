"""What the methods are given: pictures, soft maps and graphs, of any size and always the same content."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

from segstudy.datasets import Dataset, open_dataset
from segstudy.datasets.resizing import resize_image

CLASSES = 9
DRAWN, BLOB = 128, 10.0  # pixels of the drawing that is resized, and of its blobs: some 30 regions


def photographs() -> Dataset:
    """Return the generated data set whose first picture all methods are given."""
    return open_dataset("lesions", split="test", size=(DRAWN, DRAWN))


@lru_cache
def picture(height: int, width: int | None = None) -> np.ndarray:
    """Return one generated photograph of a lesion, resized to (H, W, 3) uint8; square where no width is given."""
    return np.ascontiguousarray(resize_image(photographs()[0].image, (height, width or height)))


@lru_cache
def soft_map(side: int, seed: int = 0) -> np.ndarray:
    """Return (side, side, CLASSES) float32 probabilities whose regions are the same at any size."""
    noise = np.random.default_rng(seed).standard_normal((CLASSES, DRAWN, DRAWN))
    scores = torch.tensor(75 * gaussian_filter(noise, (0, BLOB, BLOB)))[None]
    resized = F.interpolate(scores, (side, side), mode="bilinear", align_corners=False)[0]
    return resized.softmax(dim=0).permute(1, 2, 0).float().contiguous().numpy()


def batch(side: int, device: str = "cpu", size: int = 1) -> Tensor:
    """Return (size, 3, side, side) pictures in [0, 1]."""
    one = torch.from_numpy(picture(side)).permute(2, 0, 1).float() / 255
    return one.expand(size, -1, -1, -1).contiguous().to(device)


def features(nodes: int, channels: int, device: str = "cpu", seed: int = 0) -> Tensor:
    """Return (nodes, channels) random features, each of length 1."""
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(nodes, channels, generator=generator), dim=1).to(device)
