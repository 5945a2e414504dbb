"""PASCAL VOC 2012, its segmentation task: 20 kinds of things and background, with the official lists.

Verification, in this order: the folder is there; the split's list is there; each listed picture that is
there has a mask; at reading, a mask has its picture's size and holds the ids 0..20 or void.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card, Remote
from segstudy.datasets.files import (
    Window,
    find_folder,
    label_colours,
    missing_data,
    require_choice,
    require_mask,
)
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_ids
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

# Pictures in the official lists of the segmentation task (VOC 2012 development kit, "Segmentation Image
# Sets").
SPLITS = {"train": 1464, "val": 1449}
FOLDERS = ("VOCdevkit/VOC2012", "VOC2012")
LIST = "ImageSets/Segmentation/{split}.txt"
# The order is the development kit's (VOCinit.m): class k is the k-th name, 0 the background, 255 void.
CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

CARD = Card(
    name="voc",
    title="PASCAL VOC 2012, segmentation",
    what="everyday photographs, each pixel one of 20 kinds of things, background, or void (255) on outlines",
    how_many="1464 training and 1449 validation pictures, at most 500 x 500",
    licence="the photographs are from flickr and under its terms of use; research use",
    citation=(
        "Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL Visual Object Classes Challenge 2012 "
        "(VOC2012) Results; The PASCAL Visual Object Classes (VOC) Challenge, International Journal of "
        "Computer Vision 88(2), 2010"
    ),
    homepage="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
    layout="""
voc/VOCdevkit/VOC2012/
  ImageSets/Segmentation/train.txt, val.txt
  JPEGImages/2007_000032.jpg ...
  SegmentationClass/2007_000032.png ...   palette, the index is the class
""",
    how_to_get="python -m segstudy data download voc (one archive of 1,999,639,040 bytes)",
    remotes=(
        # The checksum is the one that several public loaders hold for this archive; the publisher prints
        # none.
        Remote(
            "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
            "VOCtrainval_11-May-2012.tar",
            "e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
            True,
        ),
    ),
)


def open_voc(root: Path, split: str, supervision: str) -> Dataset:
    """Open PASCAL VOC 2012.

    Parameters
    ----------
    root : Path
        The folder that holds `voc/`.
    split : "train" or "val"
    supervision : "full", "image" or "none"
        Image-level labels are the ids that the mask shows: background among them, void not.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the folder or the list is missing, or none of the listed pictures is there.
    StudyError
        Where a picture has no mask.
    ValueError
        Where `split` is unknown.
    """
    pairs = find_pairs(CARD, root, split, supervision)
    return found_dataset(
        CARD,
        split,
        supervision,
        [_sample(*pair) for pair in pairs],
        f"{SPLITS[split]} official {split} pictures",
        missing=Path(root) / CARD.name,
        classes=CLASSES,
        colours=label_colours(len(CLASSES)),
    )


def find_pairs(card: Card, root: Path, split: str, supervision: str) -> list[tuple[Path, Path]]:
    """Return picture and mask of each official name whose picture is there, in the order of the list.

    Parameters
    ----------
    card : Card
        Of the data set that is opened, for the error.
    root : Path
        The folder that holds `voc/`.
    split : "train" or "val"
    supervision : "full", "image" or "none"
        With "none" masks may be missing.

    Returns
    -------
    list of (Path, Path)

    Raises
    ------
    MissingData
        Where the folder or the list is missing, or none of the listed pictures is there.
    StudyError
        Where a picture has no mask.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    home = Path(root) / CARD.name
    folder = find_folder(home, *FOLDERS)
    if folder is None:
        raise missing_data(card, home / FOLDERS[0])
    listed = folder / LIST.format(split=split)
    if not listed.is_file():
        raise missing_data(card, listed)
    pairs = [
        (folder / "JPEGImages" / f"{name}.jpg", folder / "SegmentationClass" / f"{name}.png")
        for name in listed.read_text().split()
    ]
    found = [(picture, mask) for picture, mask in pairs if picture.is_file()]
    if not found:
        raise missing_data(card, folder / "JPEGImages")
    if supervision != "none":
        for picture, mask in found:
            require_mask(mask, picture)
    return found


def _sample(picture: Path, mask: Path) -> Sample:
    """Return the sample of a picture and its mask."""
    return Sample(
        picture.stem,
        partial(read_rgb, picture),
        partial(read_classes, mask, picture),
        files=(picture,),
        label_files=(mask,),
    )


def read_classes(mask: Path, picture: Path, window: Window | None = None) -> np.ndarray:
    """Return the class ids of a mask, (H, W) uint8: 0..20, or `VOID`."""
    return read_ids(mask, read_size(picture), len(CLASSES), window)
