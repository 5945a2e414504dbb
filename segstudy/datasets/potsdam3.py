"""Potsdam-3: the patches of `potsdam_patches` with IIC's three classes, each of two of the contest's.

How the patches are cut, verified and read: `segstudy.datasets.potsdam_patches`.
"""

from __future__ import annotations

from pathlib import Path

from segstudy.datasets import potsdam_patches
from segstudy.datasets.card import Card
from segstudy.datasets.isprs import COLOURS as CONTEST
from segstudy.datasets.sample import Dataset

SPLITS = potsdam_patches.SPLITS
CLASSES = ("impervious surface or car", "building or clutter", "low vegetation or tree")
COLOURS = (CONTEST[0], CONTEST[1], CONTEST[3])
# Of each of the contest's classes: impervious surfaces, building, low vegetation, tree, car, clutter.
MEANING = (0, 1, 2, 2, 0, 1)

CARD = Card(
    name="potsdam3",
    title="Potsdam-3: Potsdam in patches with three classes, as IIC merges them",
    what=(
        "patches of true orthophotos of a city at 10 cm, red, green, blue and infrared; each pixel impervious surface "
        "or car, building or clutter, low vegetation or tree"
    ),
    how_many=potsdam_patches.CARD.how_many,
    licence=potsdam_patches.CARD.licence,
    citation=potsdam_patches.CARD.citation,
    homepage=potsdam_patches.CARD.homepage,
    layout=potsdam_patches.CARD.layout,
    how_to_get=potsdam_patches.CARD.how_to_get,
)


def open_potsdam3(root: Path, split: str, supervision: str) -> Dataset:
    """Open the patches: 0 impervious surface or car, 1 building or clutter, 2 low vegetation or tree.

    Parameters
    ----------
    root : Path
        The folder that holds `potsdam/`.
    split : "labelled" or "all"
        As of `potsdam_patches`.
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset
        Patches of four bands, (200, 200, 4).

    Raises
    ------
    MissingData
        Where none of the split's tiles is found in four bands.
    StudyError
        Where a tile has no label map, or cannot be cut into patches.
    ValueError
        Where `split` is unknown.
    """
    return potsdam_patches.open_patches(CARD, root, split, supervision, MEANING, CLASSES, COLOURS)
