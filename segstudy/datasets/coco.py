"""COCO 2014: 80 kinds of things and background, masks drawn from the outlines of every instance.

The annotations are one file for each split. An instance's outline is filled, the largest instance first, so that what
is small lies on top; crowds, which are outlined as a whole, are void. A program that fills polygons to fractions of a
pixel, as COCO's own does, differs by single pixels along the outlines. Verification: pictures and annotations are
there; each annotation names a kind of the file; at reading, a run-length code has its picture's number of pixels.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from skimage.draw import polygon

from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID, Window, crop, label_colours, missing_data, require_choice
from segstudy.datasets.found import found_dataset
from segstudy.datasets.pictures import read_rgb
from segstudy.datasets.sample import Dataset, Sample
from segstudy.errors import StudyError

SPLITS = {"train": 82_783, "val": 40_504}
ANNOTATIONS = "annotations/instances_{split}2014.json"
PICTURES = "{split}2014"

CARD = Card(
    name="coco",
    title="COCO 2014, its instances as classes",
    what="everyday photographs, each pixel one of 80 kinds of things or background; crowds are void (255)",
    how_many="82783 training and 40504 validation pictures, at most 640 x 640",
    licence="annotations CC BY 4.0; the photographs are from flickr and under its terms of use",
    citation=(
        "Lin, Maire, Belongie, Hays, Perona, Ramanan, Dollar, Zitnick: Microsoft COCO: Common Objects in Context, "
        "ECCV 2014"
    ),
    homepage="https://cocodataset.org",
    layout="""
coco/
  train2014/COCO_train2014_000000000009.jpg ...   val2014/...
  annotations/instances_train2014.json, instances_val2014.json
""",
    how_to_get=(
        "train2014.zip, val2014.zip and annotations_trainval2014.zip from https://cocodataset.org/#download, "
        "unpacked into the layout above"
    ),
)


def open_coco(root: Path, split: str, supervision: str) -> Dataset:
    """Open COCO 2014.

    Parameters
    ----------
    root : Path
        The folder that holds `coco/`.
    split : "train" or "val"
    supervision : "full", "image" or "none"
        Image-level labels are the kinds that the annotations of a picture name, and background, 0.

    Returns
    -------
    Dataset
        Class k is the k-th kind in the order of the annotations' own ids.

    Raises
    ------
    MissingData
        Where pictures or annotations are missing.
    StudyError
        Where the annotations cannot be read, or name a kind that is not theirs.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    home = Path(root) / CARD.name
    listed, folder = home / ANNOTATIONS.format(split=split), home / PICTURES.format(split=split)
    for needed in (listed, folder):
        if not needed.exists():
            raise missing_data(CARD, needed)
    content = listed.read_bytes()
    names, pictures = _by_picture(content, listed)
    seen = {"annotations": hashlib.sha256(content).hexdigest()} if supervision == "full" else {}
    return found_dataset(
        CARD,
        split,
        supervision,
        [
            _sample(folder / name, size, things)
            for name, size, things in pictures
            if (folder / name).is_file()
        ],
        f"{SPLITS[split]} published {split} pictures",
        missing=folder,
        classes=("background", *names),
        colours=label_colours(1 + len(names)),
        parameters=seen,
    )


def _by_picture(content: bytes, path: Path) -> tuple[list[str], list[tuple[str, tuple[int, int], list[Any]]]]:
    """Return the names of the kinds, and of each picture its file, size and instances: class, crowd, area, outline."""
    try:
        found = json.loads(content)
        kinds = sorted(found["categories"], key=lambda kind: kind["id"])
        class_of = {kind["id"]: index for index, kind in enumerate(kinds, 1)}
        things: dict[int, list[Any]] = {}
        for one in found["annotations"]:
            thing = class_of[one["category_id"]], one["iscrowd"], one["area"], one["segmentation"]
            things.setdefault(one["image_id"], []).append(thing)
        pictures = [
            (one["file_name"], (one["height"], one["width"]), things.get(one["id"], []))
            for one in sorted(found["images"], key=lambda picture: picture["file_name"])
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"{path} holds no instances of COCO ({type(error).__name__}: {error}): unpack it anew"
        ) from None
    return [kind["name"] for kind in kinds], pictures


def _sample(picture: Path, size: tuple[int, int], things: list[Any]) -> Sample:
    known = frozenset({0} | {thing[0] for thing in things})
    read_labels = partial(draw_instances, size, things, picture.name)
    return Sample(picture.stem, partial(read_rgb, picture), read_labels, known, files=(picture,))


def draw_instances(
    size: tuple[int, int], things: list[Any], name: str, window: Window | None = None
) -> np.ndarray:
    """Return the class ids of a picture's instances, (H, W) uint8: the largest below, crowds `VOID`.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    things : list
        Of each instance its class, whether it is a crowd, its area, and its outline: a list of polygons
        [x1, y1, x2, y2, ...], or a run-length code with "counts" along the columns, background first.
    name : str
        For the error.
    window : tuple of int, optional

    Raises
    ------
    StudyError
        Where a run-length code has not as many pixels as the picture.
    """
    labels = np.zeros(size, np.uint8)
    for kind, crowd, _, outline in sorted(things, key=lambda thing: -thing[2]):
        value = VOID if crowd else kind
        if isinstance(outline, dict):
            labels[_decoded(outline["counts"], size, name)] = value
            continue
        for corners in outline:
            x, y = np.reshape(corners, (-1, 2)).T
            labels[polygon(y - 0.5, x - 0.5, size)] = (
                value  # COCO counts from a pixel's corner, not its centre
            )
    return crop(labels, window)


def _decoded(counts: list[int], size: tuple[int, int], name: str) -> np.ndarray:
    if sum(counts) != size[0] * size[1]:
        raise StudyError(
            f"{name}: a run-length code has {sum(counts)} pixels, the picture {size[0] * size[1]}"
        )
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return runs.reshape(size[1], size[0]).T
