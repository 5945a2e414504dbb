"""Published sets of a picture and a binary mask each: what the loaders of such sets have in common."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.files import Window, crop, find_folder, missing_data, require_mask
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_grey
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

COLOURS = ((40, 40, 40), (230, 159, 0))


class Pair(NamedTuple):
    """A picture, its mask, and the image-level class where it comes from elsewhere than the mask."""

    name: str
    picture: Path
    mask: Path
    kind: int | None = None


def pictures_folder(card: Card, root: Path, *folders: str) -> Path:
    """Return the folder of a set's pictures: the first of `folders` below the set's own, else MissingData."""
    home = Path(root) / card.name
    found = find_folder(home, *folders)
    if found is None:
        raise missing_data(card, home / folders[0])
    return found


def pair_dataset(
    card: Card,
    split: str,
    supervision: str,
    pairs: Iterable[Pair],
    *,
    published: int,
    thing: str,
    threshold: int,
    missing: Path,
    **rest: Any,
) -> Dataset:
    """Return the data set of pictures with binary masks: 0 background, 1 the thing.

    Parameters
    ----------
    card : Card
    split : str
    supervision : "full", "image" or "none"
    pairs : iterable of Pair
    published : int
        How many pictures the split has where it was published.
    thing : str
        The name of class 1.
    threshold : int
        A mask's grey value above which a pixel is the thing.
    missing : Path
        What to name where no pair was found.
    **rest
        `Dataset`'s other parameters.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where there is no pair.
    StudyError
        Where a picture has no mask, and the level of supervision needs it.
    """
    return found_dataset(
        card,
        split,
        supervision,
        (_sample(pair, supervision, threshold) for pair in pairs),
        f"{published} published pictures",
        missing=missing,
        classes=("background", thing),
        colours=COLOURS,
        **rest,
    )


def _sample(pair: Pair, supervision: str, threshold: int) -> Sample:
    """Return the sample of a pair; the mask must be there where its pixels or its classes are asked for."""
    name, picture, mask, kind = pair
    if supervision == "full" or (supervision == "image" and kind is None):
        require_mask(mask, picture)
    read_labels = partial(_read_labels, mask, picture, threshold)
    kinds = None if kind is None else frozenset({kind})
    return Sample(name, partial(read_rgb, picture), read_labels, kinds, (picture,), (mask,))


def _read_labels(mask: Path, picture: Path, threshold: int, window: Window | None = None) -> np.ndarray:
    """Return 1 where the mask is lighter than the threshold."""
    return crop((read_grey(mask, read_size(picture)) > threshold).astype(np.uint8), window)
