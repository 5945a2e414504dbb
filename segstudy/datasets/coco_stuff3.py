"""COCO-Stuff-3: sky, plants and ground in COCO-Stuff 164k, the pictures that IIC keeps for these three.

How the pictures are chosen, found, verified and read: `segstudy.datasets.coco_stuff_curated`. Paper 2, section 4.1,
counts "other" as a fourth label; IIC, whose preparation it takes over, has three and means to score no other pixel, and
so it is here. IIC's code gives unlabelled pixels the id of sky, an oversight as it seems: here they are void, too.
"""

from __future__ import annotations

from pathlib import Path

from segstudy.datasets import coco_stuff
from segstudy.datasets.card import Card
from segstudy.datasets.coco_stuff_curated import open_curated
from segstudy.datasets.sample import Dataset

# Names in IIC's lists; the order is that of coco_stuff.
SPLITS = {"val": 1_432, "train": 35_228, "all": 36_660}
LIST = "Coco164kFew_Stuff_6.txt"
COARSE = ("sky-stuff", "plant-stuff", "ground-stuff")  # in IIC's order

CARD = Card(
    name="coco_stuff3",
    title="COCO-Stuff-3: sky, plants and ground in COCO-Stuff 164k",
    what=(
        "everyday photographs of COCO 2017, each pixel sky, plant or ground; all others are void (255), the fourth "
        "label of paper 2, other, among them"
    ),
    how_many=(
        "those pictures that IIC keeps, of at least 360 x 360 with at least 75 % of the pixels in the three kinds: "
        "35228 train, 1432 val, all: both; by IIC's lists where they are there, else by the rule, from the label maps"
    ),
    licence=coco_stuff.CARD.licence,
    citation=coco_stuff.CARD.citation,
    homepage=coco_stuff.CARD.homepage,
    layout=coco_stuff.CARD.layout.replace(coco_stuff.LIST, LIST),
    how_to_get=coco_stuff.CARD.how_to_get,
)


def open_coco_stuff3(root: Path, split: str, supervision: str) -> Dataset:
    """Open the curated pictures of COCO-Stuff-3: 0 sky, 1 plant, 2 ground, all others void.

    Parameters
    ----------
    root : Path
        The folder that holds `coco_stuff/`.
    split : "val", "train" or "all"
        IIC trains and scores on all.
    supervision : "full", "image" or "none"
        Where IIC's lists are not there, the maps choose the pictures in any case.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where pictures or maps are missing, or none is kept.
    StudyError
        Where a picture has no map, or a map cannot be read.
    ValueError
        Where `split` is unknown.
    """
    return open_curated(CARD, root, split, supervision, COARSE, LIST, SPLITS)
