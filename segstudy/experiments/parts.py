"""Parts of data sets, as a notebook's parameters name them: "name/split", so many pictures or squares of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeVar

import numpy as np

from segstudy.datasets import Dataset, open_dataset
from segstudy.datasets.files import VOID
from segstudy.datasets.sample import Sample

Item = TypeVar("Item")


def open_part(dataset: str, images: int = 0, supervision: str = "full", drawn: int = 0) -> Dataset:
    """Open pictures of a data set.

    Parameters
    ----------
    dataset : str
        Name and split, for example "emds5/all"; without a split the data set's own choice.
    images : int
        How many, see :func:`evenly`.
    supervision : {"full", "image", "none"}
        See :func:`~segstudy.datasets.open_dataset`.
    drawn : int
        Pixels of a side at which a drawn data set is drawn; 0: as it is, or as it is drawn by itself.
    """
    name, _, split = dataset.partition("/")
    options = {"size": (drawn, drawn)} if drawn else {}
    return evenly(open_dataset(name, split=split or None, supervision=supervision, **options), images)


def evenly(dataset: Dataset, images: int) -> Dataset:
    """Return so many of a data set's pictures, evenly spaced; 0, or more than there are: all."""
    return dataset.take(spaced(range(len(dataset)), images)) if 0 < images < len(dataset) else dataset


def spaced(items: Sequence[Item], count: int) -> list[Item]:
    """Return so many of some items, or all where there are fewer, evenly spaced."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)]


def squares(sample: Sample, side: int) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Cut a picture into squares that do not overlap; of an annotated one, those where anything is labelled.

    Parameters
    ----------
    sample : Sample
    side : int
        Of a square, in pixels; what is left over at the right and at the bottom is dropped.

    Yields
    ------
    name : str
        The picture's, with row and column of the square.
    image : (side, side, c) uint8 ndarray
    labels : (side, side) int ndarray, optional
    """
    image, labels = sample.image, sample.labels
    rows, columns = (size // side for size in image.shape[:2])
    for row, column in product(range(rows), range(columns)):
        window = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
        if labels is None or (labels[window] != VOID).any():
            yield f"{sample.name}, {row}, {column}", image[window], None if labels is None else labels[window]
