"""Potsdam of the ISPRS 2D semantic labelling contest: 38 tiles of 6000 x 6000 at 5 cm, in the split of paper 5.

How tiles are found, verified and read, and what could not be confirmed without them: `segstudy.datasets.isprs`.
"""

from __future__ import annotations

from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.files import require_choice
from segstudy.datasets.isprs import tile_dataset
from segstudy.datasets.sample import Dataset

# Paper 5, section V-C, names validation, local test and hold-out; the 19 others of the 24 labelled tiles train.
SPLITS = {
    "train": (
        "2_10", "2_11", "2_12", "3_10", "3_11", "3_12", "4_11", "4_12", "5_10", "5_12",
        "6_7", "6_8", "6_10", "6_11", "6_12", "7_7", "7_8", "7_9", "7_12",
    ),
    "val": ("4_10", "7_10"),
    "test": ("5_11", "6_9", "7_11"),
    "holdout": (
        "2_13", "2_14", "3_13", "3_14", "4_13", "4_14", "4_15",
        "5_13", "5_14", "5_15", "6_13", "6_14", "6_15", "7_13",
    ),
}  # fmt: skip
# Folder and ending of the pictures.
BANDS = {
    "rgb": ("2_Ortho_RGB", "RGB"),
    "irrg": ("3_Ortho_IRRG", "IRRG"),
    "rgbir": ("4_Ortho_RGBIR", "RGBIR"),
}
# The archives that hold all 38 label maps, then the earlier ones with those of the 24 tiles.
LABELS = ("5_Labels_all", "5_Labels_for_participants")
ERODED = ("5_Labels_all_noBoundary", "5_Labels_for_participants_no_Boundary")
LOOSE = ("potsdam_4_12", "potsdam_6_7")

CARD = Card(
    name="potsdam",
    title="ISPRS 2D semantic labelling contest, Potsdam",
    what="true orthophotos of a city at 5 cm, red, green, blue and infrared; each pixel one of 6 kinds of land cover",
    how_many="38 tiles of 6000 x 6000: 19 train, 2 val, 3 test (local test of paper 5), 14 holdout",
    licence="handed out by request; research use",
    citation=(
        "Rottensteiner, Sohn, Jung, Gerke, Baillard, Benitez, Breitkopf: The ISPRS benchmark on urban object "
        "classification and 3D building reconstruction, ISPRS Annals I-3, 2012, doi:10.5194/isprsannals-I-3-293-2012"
    ),
    homepage="https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx",
    layout="""
potsdam/
  2_Ortho_RGB/top_potsdam_2_10_RGB.tif
  3_Ortho_IRRG/top_potsdam_2_10_IRRG.tif     with bands="irrg"
  4_Ortho_RGBIR/top_potsdam_2_10_RGBIR.tif   with bands="rgbir"
  5_Labels_all/top_potsdam_2_10_label.tif    or 5_Labels_for_participants/
  5_Labels_all_noBoundary/top_potsdam_2_10_label_noBoundary.tif   with eroded=True
""",
    how_to_get=(
        "ask for it at https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx and unpack each archive "
        "into a folder of its own name in potsdam/"
    ),
)


def open_potsdam(
    root: Path, split: str, supervision: str, *, bands: str = "rgb", eroded: bool = False
) -> Dataset:
    """Open the tiles of Potsdam: 0 impervious surfaces, 1 building, 2 low vegetation, 3 tree, 4 car, 5 clutter.

    Parameters
    ----------
    root : Path
        The folder that holds `potsdam/`.
    split : "train", "val", "test" or "holdout"
        "test" is paper 5's local test set, "holdout" the contest's.
    supervision : "full", "image" or "none"
    bands : "rgb", "irrg" or "rgbir"
        The last has four bands.
    eroded : bool
        Whether the labels are those without boundaries, as the contest scores: black there, `VOID` here.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where none of the split's pictures is found.
    StudyError
        Where a picture has no label map.
    ValueError
        Where `split` or `bands` is unknown.
    """
    require_choice("split", split, SPLITS)
    folder, ending = BANDS[require_choice("bands", bands, BANDS)]
    stem = "_label_noBoundary" if eroded else "_label"
    tiles = {
        f"potsdam_{tile}": (
            (folder, f"top_potsdam_{tile}_{ending}.tif"),
            [(place, f"top_potsdam_{tile}{stem}.tif") for place in (ERODED if eroded else LABELS)],
        )
        for tile in SPLITS[split]
    }
    return tile_dataset(
        CARD, root, split, supervision, tiles, {"bands": bands, "eroded": bool(eroded)}, loose=LOOSE
    )
