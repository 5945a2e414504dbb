"""What the two cities of the ISPRS 2D semantic labelling contest share: classes, colours, tiles and how they are read.

The tiles are handed out by request and were not at hand: folders, file names and splits are those that public code for
them and paper 5 (SCG-Net, Liu et al. 2020, section V-C) use. Verification, in this order: a folder of the data set is
there; each listed tile that has a picture has a label map; at reading, the label map has its picture's size and no
colours but the seven. Windows are read without decoding a tile: `segstudy.datasets.tiff`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.coloured import match_colours
from segstudy.datasets.files import VOID, Window, missing_data, require_mask, require_size
from segstudy.datasets.found import found_dataset
from segstudy.datasets.pictures import read_size
from segstudy.datasets.sample import Dataset, Sample
from segstudy.datasets.tiff import read_tiff
from segstudy.errors import StudyError

CLASSES = ("impervious surfaces", "building", "low vegetation", "tree", "car", "clutter")
# The contest's own colours; black is the boundary in the eroded label maps, three pixels to each side.
COLOURS = ((255, 255, 255), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0))
TABLE = {**{colour: label for label, colour in enumerate(COLOURS)}, (0, 0, 0): VOID}
# How far a channel may lie from 0 or 255 in the two Potsdam label maps that are off the colours: 4_12 was saved with
# loss, 24,850 colours such as (9, 222, 221), and most cars of 6_7 are (252, 255, 0). Public code that thresholds all 71
# label maps at 127 counted no channel within 40 of the threshold.
SLACK = 87

Place = tuple[str, str]
"""(name of the folder, name of the file)."""


def tile_dataset(
    card: Card,
    root: Path,
    split: str,
    supervision: str,
    tiles: Mapping[str, tuple[Place, Sequence[Place]]],
    parameters: Mapping[str, object],
    loose: Sequence[str] = (),
) -> Dataset:
    """Return the data set of the listed tiles whose pictures are found, in folders at any depth.

    Parameters
    ----------
    card : Card
    root : Path
        The folder that holds the data set's folder.
    split : str
    supervision : "full", "image" or "none"
    tiles : mapping of str to (place, sequence of places)
        For each name where its picture is, and where its label map may be, the first one found is read.
    parameters : mapping
        The options, for the fingerprint.
    loose : sequence of str
        Names of tiles whose label colours may be off by `SLACK`.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where no listed picture is found.
    StudyError
        Where a picture has no label map.
    """
    home = Path(root) / card.name
    files = {(path.parent.name, path.name): path for path in sorted(home.rglob("*.tif"))}
    folder, file = next(iter(tiles.values()))[0]
    if not files:
        raise missing_data(card, home / folder / file)
    return found_dataset(
        card,
        split,
        supervision,
        _samples(home, files, tiles, supervision, loose),
        f"{len(tiles)} published {split} tiles",
        missing=home / folder / file,
        classes=CLASSES,
        colours=COLOURS,
        parameters=parameters,
    )


def _samples(
    home: Path,
    files: Mapping[Place, Path],
    tiles: Mapping[str, tuple[Place, Sequence[Place]]],
    supervision: str,
    loose: Sequence[str],
) -> Iterator[Sample]:
    """Yield the sample of each listed tile whose picture is there."""
    for name, (place, labels) in tiles.items():
        if place not in files:
            continue
        picture = files[place]
        mask = next((files[label] for label in labels if label in files), home.joinpath(*labels[0]))
        if supervision != "none":
            require_mask(mask, picture)
        read_labels = partial(read_labels_of, mask, picture, SLACK if name in loose else 0)
        read = {"read_image": partial(read_tiff, picture), "read_size": partial(read_size, picture)}
        yield Sample(name, read_labels=read_labels, files=(picture,), label_files=(mask,), **read)


def read_labels_of(mask: Path, picture: Path, slack: int = 0, window: Window | None = None) -> np.ndarray:
    """Return the class ids of a label map inside a window.

    Parameters
    ----------
    mask, picture : Path
        A coloured label map and the picture it belongs to.
    slack : int
        How far a channel may lie from 0 or 255.
    window : tuple of int, optional
        (row, column, height, width).

    Returns
    -------
    (height, width) uint8 ndarray
        0..5, `VOID` where the label map is black.

    Raises
    ------
    StudyError
        Where the sizes differ, or a colour is none of the seven.
    """
    require_size(mask, read_size(mask), read_size(picture))
    colours = read_tiff(mask, window)
    if colours.shape[2] != 3:
        raise StudyError(f"{mask} has {colours.shape[2]} bands; expected red, green and blue")
    if slack:
        whole = np.where(colours > 127, np.uint8(255), np.uint8(0))
        close = np.where(whole > 0, 255 - colours, colours) <= slack
        colours = np.where(close.all(axis=2, keepdims=True), whole, colours)
    return match_colours(mask, colours, TABLE)
