"""EMDS-5, microorganisms under the microscope: 21 kinds, the kind in each file name.

Verification, in this order: both folders are there; each picture's name tells its class; it has a
multi-object mask; at reading, the mask has its picture's size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from segstudy.datasets.card import Card, Remote
from segstudy.datasets.files import listed, require_choice
from segstudy.datasets.pairs import Pair, pair_dataset, pictures_folder
from segstudy.datasets.sample import Dataset
from segstudy.errors import StudyError

# The publisher defines no split. 21 classes of 20 pictures (README.txt of the data set).
SPLITS = {"all": 420}
# The archive of the publisher's repository has one folder around these.
PICTURES = ("EMDS5-Original", "*/EMDS5-Original")
MASKS = "EMDS5-GTM"
NAME = re.compile(r"EMDS5-g(\d\d)-\d\d")
# The masks are anti-aliased (grey at the outline; one of 168 is stored as RGB): the middle of 0..255
# divides them.
THRESHOLD = 127
# Names and spelling as in the README.txt of the data set; the class number 1..21 is in the file name after
# the g.
ORGANISMS = (
    "Actinophrys",
    "Arcella",
    "Aspidisca",
    "Codosiga",
    "Colpoda",
    "Epistylis",
    "Euglypha",
    "Paramecium",
    "Rotifera",
    "Vorticella",
    "Noctiluca",
    "Ceratium",
    "Stentor",
    "Siprostomum",
    "Keratella Quadrala",
    "Euglena",
    "Gymnodinium",
    "Gonyaulax",
    "Phacus",
    "Stylongchia",
    "Synchaeta",
)

CARD = Card(
    name="emds5",
    title="EMDS-5, Environmental Microorganism Data Set, fifth version",
    what="microscope pictures of 21 kinds of microorganisms, with a mask of all organisms in the picture",
    how_many="420 pictures, 20 of each kind, of various sizes; no official split",
    licence="none is stated with the files (the article is open access): research use",
    citation=(
        "Li, Li, Yao, Zhang, Rahaman, Xu, Kulwa, Lu, Zhu, Jiang: EMDS-5: Environmental Microorganism image "
        "dataset Fifth Version for multiple image analysis tasks, PLoS ONE 16(5): e0250631, 2021"
    ),
    homepage="https://doi.org/10.1371/journal.pone.0250631",
    layout="""
emds5/
  EMDS5-Original/EMDS5-g01-01.png ...   g01 to g21 is the kind
  EMDS5-GTM/EMDS5-g01-01-GTM.png ...    multi-object mask, light is organism
""",
    how_to_get=(
        "python -m segstudy data download emds5, or clone https://github.com/NEUZihan/EMDS-5 into emds5/. "
        "No checksum is published: the archive is made on request and its bytes may change."
    ),
    remotes=(Remote("https://github.com/NEUZihan/EMDS-5/archive/HEAD.zip", "EMDS-5.zip", None, True),),
)


def open_emds5(root: Path, split: str, supervision: str) -> Dataset:
    """Open EMDS-5.

    Masks are binary: 0 background, 1 microorganism. The image-level label is the kind of organism, 1..21,
    out of the file name; `Dataset.image_classes` names it.

    Parameters
    ----------
    root : Path
        The folder that holds `emds5/`.
    split : "all"
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the folder of pictures is missing or empty.
    StudyError
        Where a picture has no mask, or a name without a class 01..21.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    pictures = pictures_folder(CARD, root, *PICTURES)
    return pair_dataset(
        CARD,
        split,
        supervision,
        _pairs(pictures),
        thing="microorganism",
        published=SPLITS[split],
        threshold=THRESHOLD,
        missing=pictures / "EMDS5-g01-01.png",
        image_classes=("background", *ORGANISMS),
    )


def _pairs(pictures: Path) -> Iterator[Pair]:
    """Yield each picture with its mask and kind, in the order of the names."""
    for picture in listed(pictures, "*.png"):
        mask = pictures.parent / MASKS / f"{picture.stem}-GTM.png"
        yield Pair(picture.stem, picture, mask, _kind(picture))


def _kind(picture: Path) -> int:
    """Return the class number 1..21 in a picture's name."""
    match = NAME.fullmatch(picture.stem)
    if match is None or not 1 <= int(match[1]) <= len(ORGANISMS):
        raise StudyError(
            f"{picture} is not named like EMDS5-g01-01.png, with a class from g01 to g{len(ORGANISMS)}"
        )
    return int(match[1])
