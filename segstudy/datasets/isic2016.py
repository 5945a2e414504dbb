"""ISIC 2016, part 3B: dermoscopic pictures of skin lesions, each with its mask beside it.

Verification, in this order: the folder is there; each picture has a mask; at reading, the mask has its picture's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.files import listed, require_choice
from segstudy.datasets.pairs import Pair, pair_dataset, pictures_folder
from segstudy.datasets.sample import Dataset

SPLITS = {"train": 900}
FOLDER = "ISBI2016_ISIC_Part3B_Training_Data"
SUFFIX = "_Segmentation"

CARD = Card(
    name="isic2016",
    title="ISIC 2016, International Skin Imaging Collaboration challenge, part 3B, training data",
    what="dermoscopic photographs of skin lesions of many sizes, with the lesion's mask",
    how_many="900 training pictures; the slides of paper 3 use these alone",
    licence="CC-0",
    citation=(
        "Gutman, Codella, Celebi, Helba, Marchetti, Mishra, Halpern: Skin lesion analysis toward melanoma detection: a "
        "challenge at ISBI 2016, hosted by ISIC, arXiv:1605.01397, 2016"
    ),
    homepage="https://challenge.isic-archive.com/data/",
    layout="""
isic2016/ISBI2016_ISIC_Part3B_Training_Data/
  ISIC_0000000.jpg
  ISIC_0000000_Segmentation.png   255 is lesion
""",
    how_to_get=(
        "fetch the training data of 2016, task 3B, at https://challenge.isic-archive.com/data/ and unpack it in "
        "isic2016/"
    ),
)


def open_isic2016(root: Path, split: str, supervision: str) -> Dataset:
    """Open the training pictures of ISIC 2016, part 3B: 0 background, 1 lesion.

    Parameters
    ----------
    root : Path
        The folder that holds `isic2016/`.
    split : "train"
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the folder is missing or has no picture.
    StudyError
        Where a picture has no mask.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    pictures = pictures_folder(CARD, root, FOLDER, f"*/{FOLDER}")
    return pair_dataset(
        CARD,
        split,
        supervision,
        _pairs(pictures),
        thing="lesion",
        published=SPLITS[split],
        threshold=127,
        missing=pictures / "ISIC_0000000.jpg",
    )


def _pairs(pictures: Path) -> Iterator[Pair]:
    """Yield each picture with its mask, in the order of the names."""
    for picture in listed(pictures, "ISIC_*.jpg"):
        yield Pair(picture.stem, picture, picture.with_name(f"{picture.stem}{SUFFIX}.png"))
