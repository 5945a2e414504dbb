"""PASCAL VOC 2012 with the augmented training list: 10,582 pictures, the masks that VOC lacks drawn by SBD.

Every weakly supervised paper on VOC trains on it. The pictures are those of `voc`; the list and the masks come from the
Semantic Boundaries Dataset, in the layout in which they are passed on. Verification: as of `voc`; a listed picture
without a mask is an error unless image-level labels are enough and its annotation, VOC's own XML file, is there.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from segstudy.datasets import voc
from segstudy.datasets.card import Card
from segstudy.datasets.files import find_folder, label_colours, missing_data, require_choice, require_mask
from segstudy.datasets.found import found_dataset
from segstudy.datasets.sample import Dataset, Sample
from segstudy.errors import StudyError

SPLITS = {"train": 10_582}
LIST = "ImageSets/Segmentation/train_aug.txt"
MASKS = "SegmentationClassAug"

CARD = Card(
    name="voc_aug",
    title="PASCAL VOC 2012, augmented training list",
    what=f"{voc.CARD.what}; masks beyond VOC's own are SBD's",
    how_many="10582 training pictures",
    licence=voc.CARD.licence,
    citation=(
        "Hariharan, Arbelaez, Bourdev, Maji, Malik: Semantic Contours from Inverse Detectors, ICCV 2011; "
        + voc.CARD.citation
    ),
    homepage="http://home.bharathh.info/pubs/codes/SBD/download.html",
    layout=f"""
voc/VOCdevkit/VOC2012/
  {LIST}   a name a row, or a picture's path and then its mask's
  JPEGImages/2007_000032.jpg ...
  {MASKS}/2007_000032.png ...    the grey value is the class
  Annotations/2007_000032.xml ...            in place of masks where image-level labels are enough
""",
    how_to_get=(
        f"pictures: python -m segstudy data download voc; {Path(LIST).name} and {MASKS}/ are passed on with the code "
        "of most segmentation networks for VOC: put them into the layout above"
    ),
)


def open_voc_aug(root: Path, split: str, supervision: str) -> Dataset:
    """Open PASCAL VOC 2012 with the augmented training list.

    Parameters
    ----------
    root : Path
        The folder that holds `voc/`.
    split : "train"
    supervision : "full", "image" or "none"
        Image-level labels are the ids that the mask shows or, for a picture without one, the kinds that its annotation
        names, background with them.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the folder or the list is missing, or none of the listed pictures is there.
    StudyError
        Where a picture has no mask, and no annotation that could do.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    home = Path(root) / voc.CARD.name
    folder = find_folder(home, *voc.FOLDERS)
    if folder is None:
        raise missing_data(CARD, home / voc.FOLDERS[0])
    listed = folder / LIST
    if not listed.is_file():
        raise missing_data(CARD, listed)
    names = [Path(row.split()[0]).stem for row in listed.read_text().splitlines() if row.strip()]
    pictures = [folder / "JPEGImages" / f"{name}.jpg" for name in names]
    return found_dataset(
        CARD,
        split,
        supervision,
        [_sample(folder, picture, supervision) for picture in pictures if picture.is_file()],
        f"{SPLITS[split]} listed training pictures",
        missing=folder / "JPEGImages",
        classes=voc.CLASSES,
        colours=label_colours(len(voc.CLASSES)),
    )


def _sample(folder: Path, picture: Path, supervision: str) -> Sample:
    """Return the sample of a picture: with its mask, else with what its annotation names."""
    mask = folder / MASKS / f"{picture.stem}.png"
    annotation = folder / "Annotations" / f"{picture.stem}.xml"
    read_image = partial(voc.read_rgb, picture)
    if supervision == "image" and not mask.is_file() and annotation.is_file():
        files = (picture, annotation)
        return Sample(picture.stem, read_image, None, partial(annotated_classes, annotation), files)
    if supervision != "none":
        require_mask(mask, picture)
    read_labels = partial(voc.read_classes, mask, picture)
    return Sample(picture.stem, read_image, read_labels, files=(picture,), label_files=(mask,))


def annotated_classes(path: Path) -> frozenset[int]:
    """Return the class ids that a VOC annotation names, 0 among them; a StudyError says where it cannot be read."""
    try:
        named = {found.findtext("name", "") for found in ElementTree.parse(path).iter("object")}
        return frozenset({0} | {voc.CLASSES.index(name) for name in named})
    except (ElementTree.ParseError, ValueError) as error:
        raise StudyError(f"{path} is no annotation of PASCAL VOC: {error}") from None
