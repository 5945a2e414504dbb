"""EMDS-6, microorganisms under the microscope: 21 kinds, a folder for each, the successor of EMDS-5.

The folders are laid out as the code of paper 3's slides reads them (Devnetly/Image_Segmentation_With_GNNs,
src/dataset); masks and pictures are paired by their order in their kind's folder. Verification, in this order: both
folders are there; each kind has as many masks as pictures; at reading, the mask has its picture's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.emds5 import THRESHOLD
from segstudy.datasets.files import find_folder, listed, require_choice
from segstudy.datasets.pairs import Pair, pair_dataset, pictures_folder
from segstudy.datasets.sample import Dataset
from segstudy.errors import StudyError

SPLITS = {"all": 840}
PICTURES = ("EMDS5-Original", "EMDS6-Original")  # the sixth version's folders are named after the fifth
MASKS = ("EMDS5-Ground Truth", "EMDS6-Ground Truth")

CARD = Card(
    name="emds6",
    title="EMDS-6, Environmental Microorganism Data Set, sixth version",
    what="microscope pictures of 21 kinds of microorganisms, with a mask of the organisms in the picture",
    how_many="840 pictures, 40 of each kind, of various sizes; no official split",
    licence="none is stated with the article (it is open access): research use",
    citation=(
        "Zhao, Li, Rahaman, Xu, Ma, Yang, Sun, Jiang, Xu, Grzegorzek: EMDS-6: Environmental Microorganism Image "
        "Dataset Sixth Version, Frontiers in Microbiology 13: 829027, 2022"
    ),
    homepage="https://figshare.com/articles/dataset/EMDS6/17125025/1",
    layout="""
emds6/
  EMDS5-Original/KIND/*.png       a folder for each kind
  EMDS5-Ground Truth/KIND/*.png   light is organism, in the same order
""",
    how_to_get="fetch it at https://figshare.com/articles/dataset/EMDS6/17125025/1 and unpack it in emds6/",
)


def open_emds6(root: Path, split: str, supervision: str) -> Dataset:
    """Open EMDS-6: 0 background, 1 microorganism; the image-level label is the kind, 1.. in the order of the folders.

    Parameters
    ----------
    root : Path
        The folder that holds `emds6/`.
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
        Where a kind has not as many masks as pictures.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    pictures = pictures_folder(CARD, root, *PICTURES, *(f"*/{name}" for name in PICTURES))
    kinds = sorted({path.parent for path in listed(pictures, "*/*.png")})
    return pair_dataset(
        CARD,
        split,
        supervision,
        (pair for number, kind in enumerate(kinds, 1) for pair in _pairs(kind, number, supervision)),
        thing="microorganism",
        published=SPLITS[split],
        threshold=THRESHOLD,
        missing=pictures,
        image_classes=("background", *(kind.name for kind in kinds)),
    )


def _pairs(kind: Path, number: int, supervision: str) -> Iterator[Pair]:
    """Yield the pictures of one kind with their masks, in the order of the names."""
    found = listed(kind, "*.png")
    folder = find_folder(kind.parent.parent, *MASKS)
    masks = listed(folder / kind.name, "*.png") if folder else []
    if supervision == "full" and len(masks) != len(found):
        raise StudyError(
            f"{kind.name} of emds6 has {len(found)} pictures and {len(masks)} masks: they are paired by order"
        )
    for picture, mask in zip(found, masks or found, strict=supervision == "full"):
        yield Pair(picture.stem, picture, mask, number)
