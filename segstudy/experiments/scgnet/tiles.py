"""Time and memory of predicting a tile as large as Potsdam's, which is drawn window by window."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from segstudy.datasets.files import Window
from segstudy.experiments.memory import in_fresh_process, resident_bytes
from segstudy.experiments.rounds import limited
from segstudy.experiments.scgnet.costs import NUM_CLASSES
from segstudy.papers.scgnet.network import SCGNet
from segstudy.papers.scgnet.prediction import predict_labels


class Tile:
    """A picture without labels that exists where it is read: stripes and a texture, as RGB.

    Parameters
    ----------
    side : int
        Height and width in pixels.
    seed : int
        Moves the texture.
    """

    def __init__(self, side: int, seed: int = 0) -> None:
        self.size = (side, side)
        self._shift = int(np.random.default_rng(seed).integers(256))

    def read(self, window: Window) -> tuple[np.ndarray, None]:
        """Return the (h, w, 3) uint8 picture of a window, and that it has no labels."""
        row, column, height, width = window
        y = np.arange(row, row + height, dtype=np.uint32)[:, None]
        x = np.arange(column, column + width, dtype=np.uint32)
        bands = ((y // 60) * 37 + (x // 90) * 59, (x ^ y) + self._shift, x * y // 97)
        return np.stack([band.astype(np.uint8) for band in bands], axis=2), None


def predict_tile(
    side: int = 6000,
    window: int = 448,
    stride: int = 448,
    backbone: str = "resnet50",
    seed: int = 0,
    threads: int = 1,
) -> dict[str, Any]:
    """Measure seconds and peak memory of labelling a generated tile with SCG-GCN, one view, on the CPU.

    Parameters
    ----------
    side : int
        Height and width of the tile.
    window, stride, seed, threads : int
    backbone : str

    Returns
    -------
    dict
        "seconds" of the prediction; "peak", bytes of the resident memory of a new process that does nothing else, what
        torch itself takes included; "before", the same before the prediction; "side", "window", "stride", "threads".
    """
    arguments = {"side": side, "window": window, "stride": stride, "backbone": backbone, "seed": seed}
    arguments["threads"] = threads
    return in_fresh_process(tile_cost, **arguments)


def tile_cost(side: int, window: int, stride: int, backbone: str, seed: int, threads: int) -> dict[str, Any]:
    """Do what :func:`predict_tile` measures; to be called in a new process."""
    model, tile = SCGNet(NUM_CLASSES, backbone=backbone, seed=seed), Tile(side, seed)
    before = resident_bytes(peak=True)
    with limited(threads):
        started = time.perf_counter()
        predict_labels(model, tile, window=window, stride=stride, views=("identity",))
        seconds = time.perf_counter() - started
    found = {"seconds": seconds, "peak": resident_bytes(peak=True), "before": before}
    return found | {"side": side, "window": window, "stride": stride, "threads": threads}
