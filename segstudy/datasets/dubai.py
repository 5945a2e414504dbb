"""Dubai from the air: 72 pictures in 8 tiles, five kinds of land cover, coarse outlines drawn by hand.

Verification, in this order: the folder is there; each picture has a mask; at reading, the mask has its picture's size
and holds no colours but the seven below. The 36 masks of tiles 1 to 4 hold these exactly, without a smeared one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.coloured import match_colours
from segstudy.datasets.files import (
    VOID,
    Window,
    find_folder,
    listed,
    missing_data,
    require_choice,
    require_mask,
)
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_colours
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

# Tiles of each split. None is published. The nine pictures of a tile are neighbours, so a tile is never divided;
# tiles 1 to 4 alone give all three splits, each with all five classes.
SPLITS = {"train": (1, 4, 5, 7), "val": (3, 6), "test": (2, 8)}
PICTURES = 9  # in each tile
FOLDER = "Semantic segmentation dataset"
CLASSES = ("water", "land", "road", "building", "vegetation")
# The colours in the masks; those in the publisher's classes.json are others and stand nowhere else.
COLOURS = ((226, 169, 41), (132, 41, 246), (110, 193, 228), (60, 16, 152), (254, 221, 58))
# "Unlabeled" is grey. Black was left unpainted: a few hundred pixels in tile 3.
TABLE = {
    **{colour: label for label, colour in enumerate(COLOURS)},
    (155, 155, 155): VOID,
    (0, 0, 0): VOID,
}

CARD = Card(
    name="dubai",
    title="Semantic segmentation of aerial imagery, Dubai",
    what=(
        "satellite pictures of Dubai; each pixel water, land, road, building or vegetation. What the publisher calls "
        "unlabeled, and what was left black, is void: not scored"
    ),
    how_many=(
        "72 pictures of 509 x 544 to some 2100 x 1500, 9 in each of 8 tiles; by tiles: train 1, 4, 5, 7, val 3, 6, "
        "test 2, 8"
    ),
    licence="CC0 (public domain)",
    citation="Humans in the Loop, with the Mohammed Bin Rashid Space Centre, Dubai, and the Roia Foundation, 2020",
    homepage="https://www.kaggle.com/datasets/humansintheloop/semantic-segmentation-of-aerial-imagery",
    layout="""
dubai/Semantic segmentation dataset/
  Tile 1/images/image_part_001.jpg ...
  Tile 1/masks/image_part_001.png ...   colours
""",
    how_to_get=(
        "fetch it at https://www.kaggle.com/datasets/humansintheloop/semantic-segmentation-of-aerial-imagery (an "
        "account is needed) and unpack it in dubai/"
    ),
)


def open_dubai(root: Path, split: str, supervision: str) -> Dataset:
    """Open the pictures of Dubai: 0 water, 1 land, 2 road, 3 building, 4 vegetation.

    Parameters
    ----------
    root : Path
        The folder that holds `dubai/`.
    split : "train", "val" or "test"
        By whole tiles, so that no picture's neighbour is in another split.
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset
        Pictures of a size for each tile, give or take a pixel.

    Raises
    ------
    MissingData
        Where the folder is missing, or none of the split's tiles is there.
    StudyError
        Where a picture has no mask.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    home = Path(root) / CARD.name
    folder = find_folder(home, FOLDER, f"*/{FOLDER}")
    if folder is None:
        raise missing_data(CARD, home / FOLDER)
    tiles = SPLITS[split]
    found = [tile for tile in tiles if (folder / f"Tile {tile}").is_dir()]
    return found_dataset(
        CARD,
        split,
        supervision,
        _samples(folder, found, supervision),
        f"{PICTURES * len(tiles)} published pictures ({len(found)} of {len(tiles)} tiles)",
        missing=folder / f"Tile {tiles[0]}",
        classes=CLASSES,
        colours=COLOURS,
    )


def _samples(folder: Path, tiles: list[int], supervision: str) -> Iterator[Sample]:
    """Yield the sample of each picture of the tiles."""
    for tile in tiles:
        for picture in listed(folder / f"Tile {tile}" / "images", "*.jpg"):
            mask = folder / f"Tile {tile}" / "masks" / f"{picture.stem}.png"
            if supervision != "none":
                require_mask(mask, picture)
            name = f"tile{tile}-{picture.stem.removeprefix('image_part_')}"
            read_labels = partial(_read_labels, mask, picture)
            yield Sample(name, partial(read_rgb, picture), read_labels, files=(picture,), label_files=(mask,))


def _read_labels(mask: Path, picture: Path, window: Window | None = None) -> np.ndarray:
    """Return the class ids of a mask's colours."""
    return match_colours(mask, read_colours(mask, read_size(picture), window), TABLE)
