"""A user's folder of labelled pictures, opened with the names and colours that its small tables give.

Labels are masks, outlines that :mod:`segstudy.datasets.labelled_polygons` draws, or COCO's panoptic segments, see
:mod:`segstudy.datasets.labelled_segments`. Beside `images/` and `masks/` or
`classes.csv`, which :mod:`segstudy.datasets.folder` reads, there may be `labels.csv`: a row for each class in the order
of the ids, its name, or its name and the red, green and blue it has in the masks.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from segstudy.datasets import Dataset, open_dataset
from segstudy.datasets.labelled_polygons import BACKGROUND, COCO, has_polygons, open_polygons
from segstudy.datasets.labelled_segments import PANOPTIC, open_segments
from segstudy.errors import StudyError

LABELS, CLASSES = "labels.csv", "classes.csv"


def open_own(folder: Path, supervision: str) -> Dataset:
    """Open a folder for training or scoring.

    Parameters
    ----------
    folder : Path
    supervision : "full" or "image"
        Image-level labels are read from `classes.csv`, where there is one, else from the masks.

    Raises
    ------
    StudyError
        There are no labels of that kind, or the tables leave open which id a name has.
    """
    if supervision == "full" and not has_masks(folder):
        raise StudyError(
            f"{folder} has no masks/, one for each picture of images/, of the same name, as PNG; nor outlines: {COCO} "
            f"of COCO, or images/NAME.json of Labelme; nor {PANOPTIC} of COCO with panoptic/NAME.png"
        )
    options: dict[str, Any] = _declared(folder / LABELS) if (folder / LABELS).is_file() else {}
    outlined = has_masks(folder) and not (folder / "masks").is_dir()
    if outlined and not (supervision == "image" and (folder / CLASSES).is_file()):
        read = open_segments if (folder / PANOPTIC).is_file() else open_polygons
        return read(folder, supervision, options.get("classes"))
    if supervision == "image" and (folder / CLASSES).is_file():
        if "colours" in options:
            options = {"classes": [name for name in options["colours"] if name != "void"]}
        if not options:
            if has_masks(folder):
                raise StudyError(
                    f"{folder} has masks or outlines and {CLASSES}, but no {LABELS}: name the classes there, a row "
                    "each, in the order of the ids"
                )
            options["classes"] = _named(folder / CLASSES)
        options["listed_in"] = CLASSES
    return open_dataset("folder", folder, split="all", supervision=supervision, **options)


def has_masks(folder: Path) -> bool:
    """Return whether a folder tells the class of each pixel: by `masks/`, outlines, or panoptic segments."""
    return (folder / "masks").is_dir() or has_polygons(folder) or (folder / PANOPTIC).is_file()


def _declared(path: Path) -> dict[str, Any]:
    """Return `classes` or `colours`, as `open_folder` takes them, from a table of classes."""
    rows = _rows(path)
    if all(len(row) == 1 for row in rows):
        return {"classes": [row[0] for row in rows]}
    try:
        return {"colours": {name: (int(red), int(green), int(blue)) for name, red, green, blue in rows}}
    except ValueError:
        raise StudyError(
            f"{path}: each row is a name, or each is a name and its red, green and blue, as in 'road,128,64,128'"
        ) from None


def _named(path: Path) -> list[str]:
    """Return the background and the classes that a list of pictures names, sorted."""
    return [BACKGROUND, *sorted({name for row in _rows(path) for name in row[1:]} - {BACKGROUND})]


def _rows(path: Path) -> list[list[str]]:
    """Return the rows that hold anything, stripped."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[cell.strip() for cell in row if cell.strip()] for row in csv.reader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} is no CSV file in UTF-8: {error}") from None
    return [row for row in rows if row]
