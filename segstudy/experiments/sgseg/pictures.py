"""The pictures of notebook 02: for training without labels, and apart from them the truth that only scores."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from segstudy.datasets.resizing import resize_labels
from segstudy.experiments.parts import open_part, spaced, squares
from segstudy.papers.sgseg.training import Statistics, resize_bands


class Setup(NamedTuple):
    """What all experiments of the notebook share.

    Parameters
    ----------
    train, test : str
        Data sets with their splits; the second is read for its scores alone.
    images : int
        Of each, pictures or patches, evenly spaced; 0: all.
    patch : int
        Pictures are cut into squares of it that do not overlap; 0: they stay whole.
    side : int
        Pictures or patches are resized to a square of it.
    clusters : int
        As many as there are classes.
    spnn_widths, cnn_widths : tuple of int
    gnn_width, gnn_blocks : int
    superpixels, k : int
        N, and neighbours of each.
    pretraining, epochs, batch : int
    rates : tuple of three floats
        Of SPNN, the graph network, and the segmentation network.
    tv : float
        Weight of Eq. 17; the paper gives none.
    device : str
    """

    train: str
    test: str
    images: int
    patch: int
    side: int
    clusters: int
    spnn_widths: tuple[int, ...]
    cnn_widths: tuple[int, ...]
    gnn_width: int
    gnn_blocks: int
    superpixels: int
    k: int
    pretraining: int
    epochs: int
    batch: int
    rates: tuple[float, float, float]
    tv: float
    device: str


def setup_of(given: dict) -> Setup:
    """Return a setup out of plain values; a cached experiment's lists become tuples."""
    return Setup(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


class Pictures(NamedTuple):
    """Training and test pictures of one size.

    Attributes
    ----------
    train, test : list of (S, S, c) uint8 ndarray
    truth : list of (S, S) int ndarray
        Of the test pictures.
    statistics : Statistics
        Of the training pictures.
    """

    train: list[np.ndarray]
    test: list[np.ndarray]
    truth: list[np.ndarray]
    statistics: Statistics


@lru_cache(maxsize=1)
def open_pictures(train: str, test: str, images: int, patch: int, side: int) -> Pictures:
    """Open what is trained on, without labels, and what is tested on."""
    seen = [resize_bands(image, side) for image, _ in _cut(train, images, patch, "none")]
    judged = _cut(test, images, patch, "full")
    pictures = [resize_bands(image, side) for image, _ in judged]
    truth = [resize_labels(labels, (side, side)) for _, labels in judged]
    return Pictures(seen, pictures, truth, Statistics.of(seen))


def _cut(
    dataset: str, images: int, patch: int, supervision: str
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Return pictures or patches of them with their labels; of patches with labels, those that have any."""
    if not patch:
        return [(sample.image, sample.labels) for sample in open_part(dataset, images, supervision)]
    patches = [
        (image, labels)
        for sample in open_part(dataset, 0, supervision)
        for _, image, labels in squares(sample, patch)
    ]
    return spaced(patches, images or len(patches))


def pictures_of(setup: Setup) -> Pictures:
    """Return the pictures of a setup."""
    return open_pictures(setup.train, setup.test, setup.images, setup.patch, setup.side)
