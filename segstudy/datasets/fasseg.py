"""FASSEG frontal faces with the instance annotations of Chopin et al., the graph matching paper's own data.

The photographs come from one repository and the labels from another; both are cloned or unpacked into
`fasseg/`. Verification, in this order: both folders are there; each official number that has a photograph
has a label map; at reading, a label map is 352 x 512 and holds the ids 0..8.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card, Remote
from segstudy.datasets.files import Window, crop, find_folder, missing_data, require_choice, require_mask
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_ids
from segstudy.datasets.pictures import read_rgb
from segstudy.datasets.resizing import require_size, resize_image, resize_labels
from segstudy.datasets.sample import Dataset, Sample

# Numbers 1..20 and 1..50, as in V2 of the FASSEG repository and in FASSEG-instances (70 pairs counted there).
SPLITS = {"train": 20, "test": 50}
# The top folder of a clone is FASSEG-repository, that of an unpacked archive has a branch's name behind it.
PHOTOGRAPHS = {"train": "FASSEG-repository*/V2/Train_RGB", "test": "FASSEG-repository*/V2/Test_RGB"}
ANNOTATIONS = ("FASSEG_instances/annotations", "FASSEG-instances*/FASSEG_instances/annotations")
# (height, width) of all 70 label maps; the photographs are 512 high and 294 to 454 wide, 51 of them 370.
SIZE = (512, 352)
# Ids counted in the label maps; which of two twins is right was seen in them: "right" is the left side of
# the picture.
CLASSES = (
    "background",
    "hair",
    "face",
    "right brow",
    "left brow",
    "right eye",
    "left eye",
    "nose",
    "mouth",
)
# Display colours of this study, not those of the publisher's coloured copies, which are not read.
COLOURS = (
    (40, 40, 40),
    (140, 86, 75),
    (240, 200, 170),
    (230, 159, 0),
    (240, 228, 66),
    (0, 114, 178),
    (86, 180, 233),
    (0, 158, 115),
    (213, 94, 0),
)

GITHUB = "https://github.com"

CARD = Card(
    name="fasseg",
    title="FASSEG frontal faces with instance annotations",
    what="frontal faces, each pixel one of 9 classes; right (image left) and left brow and eye are two",
    how_many="20 training and 50 test photographs, 352 x 512 once resized to match their labels",
    licence="neither repository states one: research use; the faces come from the MIT-CBCL and FEI databases",
    citation=(
        "Khan, Mauro, Leonardi: Multi-class semantic segmentation of faces, ICIP 2015 (photographs); Chopin, "
        "Fasquel, Mouchere, Dahyot, Bloch: Semantic image segmentation based on spatial relationships and "
        "inexact graph matching, IPTA 2020 (labels)"
    ),
    homepage=f"{GITHUB}/massimomauro/FASSEG-repository and {GITHUB}/Jeremy-Chopin/FASSEG-instances",
    layout="""
fasseg/
  FASSEG-repository/V2/Train_RGB/1.bmp ... 20.bmp, Test_RGB/1.bmp ... 50.bmp
  FASSEG_instances/annotations/train/1.bmp ... 20.bmp, test/1.bmp ... 50.bmp
""",
    how_to_get=(
        "python -m segstudy data download fasseg, or clone both repositories into fasseg/. "
        "No checksum is published: the archives are made on request and their bytes may change."
    ),
    remotes=(
        Remote(
            f"{GITHUB}/massimomauro/FASSEG-repository/archive/HEAD.zip", "FASSEG-repository.zip", None, True
        ),
        Remote(
            f"{GITHUB}/Jeremy-Chopin/FASSEG-instances/archive/HEAD.zip", "FASSEG-instances.zip", None, True
        ),
    ),
)


def open_fasseg(root: Path, split: str, supervision: str, *, size: tuple[int, int] | None = None) -> Dataset:
    """Open the FASSEG faces.

    A photograph is stretched to the size of its labels bilinearly: this reproduces the resized copies that
    the labels' authors published to 0.1 grey levels, so it is the geometry the labels were drawn in.

    Parameters
    ----------
    root : Path
        The folder that holds `fasseg/`.
    split : "train" or "test"
    supervision : "full", "image" or "none"
    size : tuple of int, optional
        (height, width) to work at, in place of (512, 352): photographs are resized bilinearly with
        antialiasing from their own size, labels by nearest neighbour, which may lose parts of a few pixels.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where a folder is missing, or holds no photograph.
    StudyError
        Where a photograph has no label map.
    ValueError
        Where `split` is unknown, or `size` is no pair of positive integers.
    """
    require_choice("split", split, SPLITS)
    shape = SIZE if size is None else require_size(size)
    home = Path(root) / CARD.name
    photographs = find_folder(home, PHOTOGRAPHS[split])
    if photographs is None:
        raise missing_data(CARD, home / PHOTOGRAPHS[split])
    annotations = find_folder(home, *ANNOTATIONS)
    if annotations is None and supervision != "none":
        raise missing_data(CARD, home / ANNOTATIONS[0])
    return found_dataset(
        CARD,
        split,
        supervision,
        _samples(photographs, annotations, split, supervision, shape),
        f"{SPLITS[split]} official {split} photographs",
        missing=photographs / "1.bmp",
        classes=CLASSES,
        colours=COLOURS,
        parameters={"size": list(shape)},
    )


def _samples(
    photographs: Path, annotations: Path | None, split: str, supervision: str, size: tuple[int, int]
) -> Iterator[Sample]:
    """Yield the sample of each official number whose photograph is there."""
    for number in range(1, SPLITS[split] + 1):
        photograph = photographs / f"{number}.bmp"
        if not photograph.is_file():
            continue
        masks: list[Path] = []
        if supervision != "none":
            masks = [require_mask(annotations / split / photograph.name, photograph)]
        read_labels = partial(_read_labels, masks[0], size) if masks else None
        read_image = partial(_read_photograph, photograph, size)
        yield Sample(f"{split}-{number:02d}", read_image, read_labels, files=(photograph,), label_files=masks)


def _read_photograph(path: Path, size: tuple[int, int], window: Window | None = None) -> np.ndarray:
    """Return a photograph stretched to `size`."""
    return crop(resize_image(read_rgb(path), size), window)


def _read_labels(path: Path, size: tuple[int, int], window: Window | None = None) -> np.ndarray:
    """Return a label map at `size`."""
    return crop(resize_labels(read_ids(path, SIZE, len(CLASSES)), size), window)
