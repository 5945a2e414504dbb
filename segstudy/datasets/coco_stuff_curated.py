"""The pictures of COCO-Stuff 164k that IIC keeps (Ji, Henriques, Vedaldi 2019), with some coarse labels as classes.

A picture is kept where both sides have at least 360 pixels and at least 75 % of its pixels are of a class. IIC
publishes the names of those it kept. Where its lists are not in the folder, the list is derived: the rule is applied to
the label map of each picture that is there, some ten minutes for the training pictures, and the verdicts are kept until
the program ends. Verification, in this order: the folders of pictures and of maps are there; each picture of the
list, without one each picture, has a map; at reading, a map has its picture's size and the ids 0..181 or void alone.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.coco_stuff_labels import FINE, class_table
from segstudy.datasets.files import (
    VOID,
    Window,
    find_folder,
    label_colours,
    listed,
    missing_data,
    require_choice,
    require_mask,
)
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_ids
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

FOLDER = "coco_stuff"
# Where the publisher's instructions unpack the archives, then other usual places.
PICTURES = ("images/{part}2017", "{part}2017")
MAPS = ("annotations/{part}2017", "stuffthingmaps/{part}2017", "stuffthingmaps_trainval2017/{part}2017")
LIST = "curated/{part}2017/{name}"
PARTS = {"train": ("train",), "val": ("val",), "all": ("train", "val")}
LEAST_SIDE = 360
LEAST_SHARE = 0.75


def open_curated(
    card: Card,
    root: Path,
    split: str,
    supervision: str,
    coarse: tuple[str, ...],
    name: str,
    counts: Mapping[str, int],
) -> Dataset:
    """Open the curated pictures of COCO-Stuff; what it returns and raises is told at `open_coco_stuff`.

    Parameters
    ----------
    card : Card
    root : Path
        The folder that holds `coco_stuff/`.
    split : "val", "train" or "all"
    supervision : "full", "image" or "none"
    coarse : tuple of str
        The coarse labels that are the classes, in their order.
    name : str
        Of the file that lists a part's pictures.
    counts : mapping of str to int
        How many pictures IIC keeps of each split.
    """
    require_choice("split", split, counts)
    home = Path(root) / FOLDER
    lists = {part: home / LIST.format(part=part, name=name) for part in PARTS[split]}
    given = all(path.is_file() for path in lists.values())
    maps_needed = supervision != "none" or not given
    pairs = []
    for part, path in lists.items():
        names = set(path.read_text().split()) if given else None
        pairs += _find_pairs(card, home, part, coarse, names, maps_needed)
    chosen = "by IIC's lists" if given else "by IIC's rule"
    return found_dataset(
        card,
        split,
        supervision,
        [_sample(picture, labels, coarse) for picture, labels in pairs],
        f"{counts[split]} curated {split} pictures, {chosen},",
        missing=home / PICTURES[0].format(part=PARTS[split][0]),
        classes=[label.removesuffix("-stuff") for label in coarse],
        colours=label_colours(1 + len(coarse))[1:],  # the first is black, which is how void is drawn
    )


def _find_pairs(
    card: Card,
    home: Path,
    part: str,
    coarse: tuple[str, ...],
    names: Container[str] | None,
    maps_needed: bool,
) -> list[tuple[Path, Path]]:
    """Return picture and map of each picture of a part that is kept: those of `names`, or for None, by the rule."""
    pictures = _folder(card, home, PICTURES, part)
    maps = _folder(card, home, MAPS, part, maps_needed)
    found = [picture for picture in listed(pictures, "*.jpg") if names is None or picture.stem in names]
    pairs = [(picture, maps / f"{picture.stem}.png") for picture in found]
    if maps_needed:
        for picture, labels in pairs:
            require_mask(labels, picture)
    if names is None:
        pairs = [pair for pair in pairs if is_kept(pair[1], coarse, pair[1].stat().st_mtime_ns)]
    return pairs


def _folder(card: Card, home: Path, places: Sequence[str], part: str, needed: bool = True) -> Path:
    """Return the first place of a part that is there; where none is, an error, or the first place if not needed."""
    places = [place.format(part=part) for place in places]
    found = find_folder(home, *places)
    if found is None and needed:
        raise missing_data(card, home / places[0])
    return found or home / places[0]


@cache
def is_kept(labels: Path, coarse: tuple[str, ...], changed: int) -> bool:
    """Return whether IIC's rule keeps the picture of a label map.

    Parameters
    ----------
    labels : Path
    coarse : tuple of str
        The coarse labels that count.
    changed : int
        When the map was written: a verdict is remembered no longer than its map.

    Returns
    -------
    bool
    """
    size = read_size(labels)
    if min(size) < LEAST_SIDE:
        return False
    classes = class_table(coarse)[read_ids(labels, size, FINE)]
    return bool((classes != VOID).sum() >= LEAST_SHARE * classes.size)


def _sample(picture: Path, labels: Path, coarse: tuple[str, ...]) -> Sample:
    """Return the sample of a picture and its label map."""
    read_labels = partial(_read_classes, labels, picture, coarse)
    return Sample(
        picture.stem, partial(read_rgb, picture), read_labels, files=(picture,), label_files=(labels,)
    )


def _read_classes(
    labels: Path, picture: Path, coarse: tuple[str, ...], window: Window | None = None
) -> np.ndarray:
    """Return the classes of a label map, (H, W) uint8, `VOID` where a pixel is of none."""
    return class_table(coarse)[read_ids(labels, read_size(picture), FINE, window)]
