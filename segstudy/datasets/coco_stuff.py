"""COCO-Stuff 164k with its 15 coarse labels of stuff, the pictures that IIC keeps of it.

How the pictures are chosen, found, verified and read: `segstudy.datasets.coco_stuff_curated`.
"""

from __future__ import annotations

from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.coco_stuff_curated import open_curated
from segstudy.datasets.coco_stuff_labels import STUFF
from segstudy.datasets.sample import Dataset

# Names in IIC's lists. The smaller comes first: without the lists its maps are looked through in seconds.
SPLITS = {"val": 2_175, "train": 49_629, "all": 51_804}
LIST = "Coco164kFull_Stuff_Coarse_7.txt"

CARD = Card(
    name="coco_stuff",
    title="COCO-Stuff 164k, 15 coarse labels of stuff",
    what=(
        "everyday photographs of COCO 2017, each pixel one of 15 kinds of stuff (ceiling, floor, food, furniture, raw "
        "material, textile, wall, window, building, ground, plant, sky, solid, structural, water); things and what is "
        "unlabelled are void (255)"
    ),
    how_many=(
        "those pictures that IIC keeps, of at least 360 x 360 with at least 75 % of the pixels in the 15 kinds: 49629 "
        "train, 2175 val, all: both; by IIC's lists where they are there, else by the rule, from the label maps"
    ),
    licence="label maps CC BY 4.0; the photographs are from flickr and under its terms of use",
    citation=(
        "Caesar, Uijlings, Ferrari: COCO-Stuff: Thing and Stuff Classes in Context, CVPR 2018; the labels and pictures "
        "chosen: Ji, Henriques, Vedaldi: Invariant Information Clustering for Unsupervised Image Classification and "
        "Segmentation, ICCV 2019"
    ),
    homepage="https://github.com/nightrome/cocostuff",
    layout=f"""
coco_stuff/
  images/val2017/000000000139.jpg ...        images/train2017/...   or val2017/, train2017/
  annotations/val2017/000000000139.png ...   annotations/train2017/...   or stuffthingmaps/val2017/ ...
    the grey value is the fine label: 0..90 things, 91..181 stuff, 255 unlabelled
  curated/val2017/{LIST}, curated/train2017/{LIST}   IIC's lists, where you have them
""",
    how_to_get=(
        "val2017.zip and train2017.zip from https://cocodataset.org/#download, unpacked in coco_stuff/images/, and "
        "stuffthingmaps_trainval2017.zip, linked at https://github.com/nightrome/cocostuff, unpacked in "
        "coco_stuff/annotations/; IIC's lists are the folder curated/ of the archive that datasets/README.txt of "
        "https://github.com/xu-ji/IIC links. Without them the rule is applied to every label map when the data set is "
        "opened: some ten minutes for train"
    ),
)


def open_coco_stuff(root: Path, split: str, supervision: str) -> Dataset:
    """Open the curated pictures of COCO-Stuff: 0 ceiling to 14 water, void on things and where nothing is labelled.

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
        In the order of IIC's coarse ids 12..26.

    Raises
    ------
    MissingData
        Where pictures or maps are missing, or none is kept.
    StudyError
        Where a picture has no map, or a map cannot be read.
    ValueError
        Where `split` is unknown.
    """
    return open_curated(CARD, root, split, supervision, STUFF, LIST, SPLITS)
