"""Potsdam as IIC cuts it (Ji, Henriques, Vedaldi 2019): each tile halved, in a grid of 15 x 15 patches of 200 x 200.

The files are those of `potsdam`, and so is their verification; the sides of a tile must be multiples of 400, the side
of a patch before it is halved. A patch is read by its own window of the tile, since halving mixes no pixels of two
patches: bilinearly, a pixel is the mean of 2 x 2, and the nearest label is the upper left one of the four, as OpenCV's
`resize` gives both for IIC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segstudy.datasets import potsdam
from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID, Window, crop, require_choice
from segstudy.datasets.found import found_dataset
from segstudy.datasets.isprs import CLASSES, COLOURS, SLACK, read_labels_of
from segstudy.datasets.sample import Dataset, Sample
from segstudy.datasets.tiff import read_tiff
from segstudy.errors import MissingData, StudyError

SIDE = 200
CUT = 2 * SIDE  # of a tile
IN_TILE = 225
# The splits of `potsdam` that make ours. IIC trains on all and scores where the contest gave labels from the first.
SPLITS = {"labelled": ("train", "val", "test"), "all": ("train", "val", "test", "holdout")}

CARD = Card(
    name="potsdam_patches",
    title="Potsdam of the ISPRS contest in patches, as IIC cuts it",
    what=(
        "patches of true orthophotos of a city at 10 cm, red, green, blue and infrared; each pixel one of 6 kinds of "
        "land cover"
    ),
    how_many="225 patches of 200 x 200 in each tile: 5400 labelled, of 24 tiles, 8550 all, of 38",
    licence=potsdam.CARD.licence,
    citation=(
        f"{potsdam.CARD.citation}; the patches: Ji, Henriques, Vedaldi: Invariant Information Clustering for "
        "Unsupervised Image Classification and Segmentation, ICCV 2019"
    ),
    homepage=potsdam.CARD.homepage,
    layout="""
potsdam/
  4_Ortho_RGBIR/top_potsdam_2_10_RGBIR.tif   all four bands: neither 2_Ortho_RGB nor 3_Ortho_IRRG does
  5_Labels_all/top_potsdam_2_10_label.tif    or 5_Labels_for_participants/
""",
    how_to_get=potsdam.CARD.how_to_get,
)


def open_potsdam_patches(root: Path, split: str, supervision: str) -> Dataset:
    """Open the patches: 0 impervious surfaces, 1 building, 2 low vegetation, 3 tree, 4 car, 5 clutter.

    Parameters
    ----------
    root : Path
        The folder that holds `potsdam/`.
    split : "labelled" or "all"
        "all" has the 14 tiles of the contest's hold-out, too; where you lack their labels, open it with supervision
        "none".
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset
        Patches of four bands, (200, 200, 4).

    Raises
    ------
    MissingData
        Where none of the split's tiles is found in four bands.
    StudyError
        Where a tile has no label map, or cannot be cut into patches.
    ValueError
        Where `split` is unknown.
    """
    return open_patches(CARD, root, split, supervision, range(len(CLASSES)), CLASSES, COLOURS)


def open_patches(
    card: Card,
    root: Path,
    split: str,
    supervision: str,
    meaning: Sequence[int],
    classes: Sequence[str],
    colours: Any,
) -> Dataset:
    """Open the patches with the class `meaning[k]` in place of the contest's class k; the rest as above."""
    level = "none" if supervision == "none" else "full"  # a patch's classes are read off its labels
    tiles = []
    for part in SPLITS[require_choice("split", split, SPLITS)]:
        with suppress(MissingData):  # a part of the tiles is enough
            tiles += potsdam.open_potsdam(root, part, level, bands="rgbir")
    tiles.sort(key=lambda tile: tile.name)  # as IIC has them
    table = np.full(256, VOID, np.uint8)
    table[: len(CLASSES)] = meaning
    folder, ending = potsdam.BANDS["rgbir"]
    count = sum(len(potsdam.SPLITS[part]) for part in SPLITS[split]) * IN_TILE
    return found_dataset(
        card,
        split,
        supervision,
        [patch for tile in tiles for patch in _patches(tile, table)],
        f"{count} {split} patches",
        missing=Path(root) / potsdam.CARD.name / folder / f"top_potsdam_2_10_{ending}.tif",
        classes=classes,
        colours=colours,
    )


def _patches(tile: Sample, table: np.ndarray) -> Iterator[Sample]:
    """Yield the patches of a tile, row by row.

    They name no files: a fingerprint would read each tile 225 times over. Without them it is that of the pixels.
    """
    picture, *mask = tile.files()
    if any(side % CUT for side in tile.size):
        raise StudyError(
            f"{picture} is {tile.size[1]} x {tile.size[0]} pixels; expected 6000 x 6000, or other multiples of {CUT}: "
            "get the tile as it is handed out"
        )
    slack = SLACK if tile.name in potsdam.LOOSE else 0
    rows, columns = (side // CUT for side in tile.size)
    for row, column in np.ndindex(rows, columns):
        place = (row * CUT, column * CUT, CUT, CUT)
        read_labels = partial(_read_labels, mask[0], picture, slack, place, table) if mask else None
        read_image = partial(_read_image, picture, place)
        yield Sample(f"{tile.name}_{row:02d}_{column:02d}", read_image, read_labels, read_size=_patch_size)


def _patch_size() -> tuple[int, int]:
    return SIDE, SIDE


def _read_image(picture: Path, place: Window, window: Window | None = None) -> np.ndarray:
    """Return a patch, or what a window shows of it, (h, w, 4) uint8; halves are rounded up."""
    pixels = read_tiff(picture, place, range(4)).reshape(SIDE, 2, SIDE, 2, 4)
    return crop(((pixels.sum((1, 3), np.uint16) + 2) // 4).astype(np.uint8), window)


def _read_labels(
    mask: Path, picture: Path, slack: int, place: Window, table: np.ndarray, window: Window | None = None
) -> np.ndarray:
    """Return the classes of a patch, or of what a window shows of it, (h, w) uint8."""
    return crop(table[read_labels_of(mask, picture, slack, place)[::2, ::2]], window)
