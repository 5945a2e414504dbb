"""Vaihingen of the ISPRS 2D semantic labelling contest: 33 tiles of some 2100 x 2100 at 9 cm, in the split of paper 5.

How tiles are found, verified and read, and what could not be confirmed without them: `segstudy.datasets.isprs`.
"""

from __future__ import annotations

from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.files import require_choice
from segstudy.datasets.isprs import tile_dataset
from segstudy.datasets.sample import Dataset

# Paper 5, section V-C. It names areas 7 and 9 as validation, and there is no area 9; the loader of its authors' DDCM
# network, whose split they say they follow, has 7 and 28. The 10 others of the 16 labelled areas train.
SPLITS = {
    "train": (1, 3, 11, 13, 17, 23, 26, 32, 34, 37),
    "val": (7, 28),
    "test": (5, 15, 21, 30),
    "holdout": (2, 4, 6, 8, 10, 12, 14, 16, 20, 22, 24, 27, 29, 31, 33, 35, 38),
}
# The archive that holds all 33 label maps, then the folders with those of the 16 areas.
LABELS = ("ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE", "gts_for_participants")
ERODED = ("ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE", "gts_eroded_for_participants")

CARD = Card(
    name="vaihingen",
    title="ISPRS 2D semantic labelling contest, Vaihingen",
    what="true orthophotos of a small town at 9 cm, infrared, red and green; each pixel one of 6 kinds of land cover",
    how_many="33 tiles of some 2100 x 2100: 10 train, 2 val, 4 test (local test of paper 5), 17 holdout",
    licence="handed out by request by the DGPF and ISPRS; research use, with acknowledgement of the DGPF",
    citation=(
        "Cramer: The DGPF-test on digital airborne camera evaluation - overview and test design, Photogrammetrie - "
        "Fernerkundung - Geoinformation 2/2010, pages 73-82"
    ),
    homepage="https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx",
    layout="""
vaihingen/
  ISPRS_semantic_labeling_Vaihingen/top/top_mosaic_09cm_area1.tif
  ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE/top_mosaic_09cm_area1.tif   or .../gts_for_participants/
  ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE/top_mosaic_09cm_area1_noBoundary.tif
    with eroded=True
""",
    how_to_get=(
        "ask for it at https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx and unpack each archive "
        "into a folder of its own name in vaihingen/"
    ),
)


def open_vaihingen(root: Path, split: str, supervision: str, *, eroded: bool = False) -> Dataset:
    """Open the tiles of Vaihingen: 0 impervious surfaces, 1 building, 2 low vegetation, 3 tree, 4 car, 5 clutter.

    Parameters
    ----------
    root : Path
        The folder that holds `vaihingen/`.
    split : "train", "val", "test" or "holdout"
        "test" is paper 5's local test set, "holdout" the contest's.
    supervision : "full", "image" or "none"
    eroded : bool
        Whether the labels are those without boundaries, as the contest scores: black there, `VOID` here.

    Returns
    -------
    Dataset
        Pictures of three bands: infrared, red, green.

    Raises
    ------
    MissingData
        Where none of the split's pictures is found.
    StudyError
        Where a picture has no label map.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    ending = "_noBoundary" if eroded else ""
    tiles = {
        f"vaihingen_area{area}": (
            ("top", f"top_mosaic_09cm_area{area}.tif"),
            [(place, f"top_mosaic_09cm_area{area}{ending}.tif") for place in (ERODED if eroded else LABELS)],
        )
        for area in SPLITS[split]
    }
    return tile_dataset(CARD, root, split, supervision, tiles, {"eroded": bool(eroded)})
