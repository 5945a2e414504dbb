"""One real patch of each ISPRS city, 512 x 512: enough to look at and to try a loader with, too little to train on.

Verification, in this order: the city's folder of pictures is there; a picture has a label map; at reading, the label
map has its picture's size and holds the ids 0..6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.files import Window, listed, require_choice, require_mask
from segstudy.datasets.found import found_dataset
from segstudy.datasets.isprs import CLASSES, COLOURS
from segstudy.datasets.masks import read_ids
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

# The split is the city; both patches come from training tiles of `potsdam` (2_10) and `vaihingen` (area 1).
SPLITS = {"potsdam": 1, "vaihingen": 1}
FOLDER = "pseudo_{city}_dataset"

CARD = Card(
    name="isprs_patches",
    title="a patch of Potsdam and a patch of Vaihingen",
    what="two patches of the ISPRS contest's tiles, Potsdam in red, green, blue, Vaihingen in infrared, red, green",
    how_many="2 patches of 512 x 512, one each in the splits potsdam and vaihingen",
    licence="that of the tiles they are cut from; research use",
    citation="MMSegmentation contributors, whose tests hold them; the tiles: see potsdam and vaihingen",
    homepage="https://github.com/open-mmlab/mmsegmentation",
    layout="""
isprs_patches/
  pseudo_potsdam_dataset/img_dir/2_10_0_0_512_512.png     and ann_dir/ of the same name
  pseudo_vaihingen_dataset/img_dir/area1_0_0_512_512.png  ids: 0 boundary, not scored, 1..6 the classes
""",
    how_to_get=(
        "copy the two folders from tests/data of https://github.com/open-mmlab/mmsegmentation into isprs_patches/"
    ),
)


def open_isprs_patches(root: Path, split: str, supervision: str) -> Dataset:
    """Open a city's patch: 0 impervious surfaces, 1 building, 2 low vegetation, 3 tree, 4 car, 5 clutter.

    Parameters
    ----------
    root : Path
        The folder that holds `isprs_patches/`.
    split : "potsdam" or "vaihingen"
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the city's pictures are missing.
    StudyError
        Where a picture has no label map.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    city = Path(root) / CARD.name / FOLDER.format(city=split)
    return found_dataset(
        CARD,
        split,
        supervision,
        _samples(city, supervision),
        f"{SPLITS[split]} published patch",
        missing=city / "img_dir",
        classes=CLASSES,
        colours=COLOURS,
    )


def _samples(city: Path, supervision: str) -> Iterator[Sample]:
    """Yield the sample of each picture, in the order of the names."""
    for picture in listed(city / "img_dir", "*.png"):
        mask = city / "ann_dir" / picture.name
        if supervision != "none":
            require_mask(mask, picture)
        read_labels = partial(_read_labels, mask, picture)
        yield Sample(
            picture.stem, partial(read_rgb, picture), read_labels, files=(picture,), label_files=(mask,)
        )


def _read_labels(mask: Path, picture: Path, window: Window | None = None) -> np.ndarray:
    """Return the ids less one; the boundary's 0 becomes `VOID`, 255, by itself."""
    return read_ids(mask, read_size(picture), len(CLASSES) + 1, window) - np.uint8(1)
