"""Sliding windows over pictures of any size, averaged where they overlap and over flipped views (section V-B)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.datasets.sample import Sample
from segstudy.papers.scgnet.training import to_unit
from segstudy.progress import track

VIEWS: dict[str, tuple[int, ...]] = {
    "identity": (),
    "vertical": (2,),
    "horizontal": (3,),
}  # axes that are flipped
STRIDE = 100


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Return where windows begin along one side: every `stride` pixels, the last one at the end."""
    last = max(length - window, 0)
    return [*range(0, last, stride), last]


@torch.no_grad()
def predict_strips(
    model: nn.Module,
    sample: Sample,
    window: int = 448,
    stride: int = STRIDE,
    views: Sequence[str] = tuple(VIEWS),
    *,
    batch: int = 4,
    precision: torch.dtype = torch.float32,
    label: str = "windows",
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the class probabilities of a picture from top to bottom, in strips that no later window changes.

    A pixel's probabilities are the mean over all windows and views that saw it. Only one row of windows is in memory:
    what it takes grows with the picture's width, not with its height.

    Parameters
    ----------
    model : Module
        Takes (B, C, h, w) pictures in [0, 1], returns (B, K, h, w) logits; its mode is put back.
    sample : Sample
        Read in bands as high as a window.
    window, stride : int
        Pixels; a picture smaller than the window is seen as it is.
    views : sequence of str
        Of `VIEWS`.
    batch : int
        Windows in the network at once.
    precision : torch.dtype
        bfloat16 runs the network in mixed precision.
    label : str
        What the progress display shows.

    Yields
    ------
    row : int
        First row of the strip.
    probabilities : (rows, W, K) float32 ndarray

    Raises
    ------
    ValueError
        `stride` is not in 1..window, or a view is unknown.
    """
    _require_windows(window, stride, views)
    height, width = sample.size
    sides = min(window, height), min(window, width)
    tops, lefts = window_starts(height, sides[0], stride), window_starts(width, sides[1], stride)
    training = model.training
    model.eval()
    total, seen = np.zeros((0, 0, 0)), np.zeros((sides[0], width, 1), np.float32)
    for top, following in zip(track(tops, label), [*tops[1:], height], strict=True):
        band = sample.read((top, 0, sides[0], width))[0]
        for first in range(0, len(lefts), batch):
            some = lefts[first : first + batch]
            found = _views(
                model, np.stack([band[:, left : left + sides[1]] for left in some]), views, precision
            )
            if not total.size:
                total = np.zeros((sides[0], width, found.shape[-1]), np.float32)
            for left, values in zip(some, found, strict=True):
                total[:, left : left + sides[1]] += values
                seen[:, left : left + sides[1]] += 1
        done = following - top
        yield top, total[:done] / seen[:done]
        for kept in (total, seen):
            kept[: sides[0] - done] = kept[done:].copy()
            kept[sides[0] - done :] = 0
    model.train(training)


def predict_labels(model: nn.Module, sample: Sample, **options: object) -> np.ndarray:
    """Return the likeliest class of each pixel, (H, W) uint8; options as for `predict_strips`."""
    labels = np.empty(sample.size, np.uint8)
    for row, probabilities in predict_strips(model, sample, **options):
        labels[row : row + len(probabilities)] = probabilities.argmax(axis=2)
    return labels


def _views(model: nn.Module, windows: np.ndarray, views: Sequence[str], precision: torch.dtype) -> np.ndarray:
    """Return the mean probabilities over the views: (B, h, w, K) float32."""
    device = next(model.parameters()).device
    images = to_unit(windows).to(device)
    mean: Tensor | float = 0.0
    for view in views:
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            logits = model(images.flip(VIEWS[view]))
        mean = mean + logits.float().softmax(dim=1).flip(VIEWS[view]) / len(views)
    return mean.movedim(1, 3).cpu().numpy()


def _require_windows(window: int, stride: int, views: Sequence[str]) -> None:
    if not 1 <= stride <= window:
        raise ValueError(f"stride must be from 1 to the window's {window}, got {stride!r}: windows must meet")
    if not views or any(view not in VIEWS for view in views):
        raise ValueError(f"views must be some of {tuple(VIEWS)}, got {views!r}")
