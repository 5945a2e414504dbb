"""Objects in photographs: the pictures of PASCAL VOC 2012 that show one or two things, parted in object and background.

The files are those of `voc`, and so is their verification; which pictures are chosen is decided by their masks alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets import voc
from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID, Window
from segstudy.datasets.found import found_dataset
from segstudy.datasets.sample import Dataset, Sample, present_classes

SPLITS = {"val": voc.SPLITS["val"], "train": voc.SPLITS["train"]}
CLASSES = ("background", "object")
COLOURS = ((40, 40, 40), (230, 159, 0))
# The object's share of the pixels that are scored: below, it is a patch or two of 28 x 28; above, the background is
# the smaller half.
SHARES = (0.05, 0.6)
MOST = 2  # objects in a picture
SPECK = 0.001  # of the picture: what is smaller is a piece of an occluded thing, not a thing

CARD = Card(
    name="voc_objects",
    title="objects in photographs, out of PASCAL VOC 2012, segmentation",
    what=(
        "photographs of one or two things, each pixel background or object (a thing of any of the 20 classes); "
        "outlines are void (255)"
    ),
    how_many=(
        "those pictures of voc whose official mask shows one or two objects, that is connected regions of a class of "
        "at least 0.1 % of the picture, on 5 to 60 % of the pixels that are not void; at most 1449 in the split val, "
        "1464 in train"
    ),
    licence=voc.CARD.licence,
    citation=voc.CARD.citation,
    homepage=voc.CARD.homepage,
    layout=voc.CARD.layout,
    how_to_get="it is a part of voc: python -m segstudy data download voc",
)


def open_voc_objects(root: Path, split: str, supervision: str) -> Dataset:
    """Open the pictures of PASCAL VOC 2012 with one or two objects: 0 background, 1 object, void on outlines.

    The image-level labels are the classes 1..20 of `voc` that the picture shows; `Dataset.image_classes` names them.

    Parameters
    ----------
    root : Path
        The folder that holds `voc/`.
    split : "val" or "train"
    supervision : "full", "image" or "none"
        The masks choose the pictures in any case.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where `voc/` or its list is missing, or no listed picture is chosen.
    StudyError
        Where a picture has no mask, or a mask cannot be read.
    ValueError
        Where `split` is unknown.
    """
    pairs = voc.find_pairs(CARD, root, split, "full")
    samples = (_sample(picture, mask) for picture, mask in pairs)
    return found_dataset(
        CARD,
        split,
        supervision,
        [sample for sample in samples if sample is not None],
        f"{len(pairs)} {split} pictures on disk, those of one or two objects,",
        missing=pairs[0][0].parent,
        classes=CLASSES,
        colours=COLOURS,
        image_classes=voc.CLASSES,
        parameters={"shares": list(SHARES), "most": MOST, "speck": SPECK},
    )


def _sample(picture: Path, mask: Path) -> Sample | None:
    """Return the sample of a picture and its mask, or None where the mask does not show what is looked for."""
    labels = voc.read_classes(mask, picture)
    if not shows_objects(labels):
        return None
    kinds = present_classes(labels) - {0}
    read_labels = partial(_read_labels, mask, picture)
    return Sample(picture.stem, partial(voc.read_rgb, picture), read_labels, kinds, (picture,), (mask,))


def shows_objects(labels: np.ndarray) -> bool:
    """Return whether a label map shows one or two objects of a fair size.

    Parameters
    ----------
    labels : (H, W) uint8 ndarray
        0 background, the classes of things, `VOID`.

    Returns
    -------
    bool
        Whether things cover 5 to 60 % of what is not void, in one or two 8-connected regions of one class each,
        regions of less than 0.1 % of the picture not counted.
    """
    from scipy.ndimage import label

    things = (labels > 0) & (labels != VOID)
    scored = (labels != VOID).sum()
    if not SHARES[0] * scored <= things.sum() <= SHARES[1] * scored or not scored:
        return False
    regions = 0
    for kind in present_classes(labels) - {0}:
        numbered, _ = label(labels == kind, np.ones((3, 3)))
        regions += (np.bincount(numbered.ravel())[1:] >= SPECK * labels.size).sum()
    return 1 <= regions <= MOST


def _read_labels(mask: Path, picture: Path, window: Window | None = None) -> np.ndarray:
    """Return 1 where the mask shows a thing of any class, `VOID` where it says void."""
    ids = voc.read_classes(mask, picture, window)
    return np.where(ids == VOID, VOID, ids > 0).astype(np.uint8)
