"""Outlines that a person drew, as label maps: one COCO file for all pictures, or a Labelme file beside each.

COCO's instances are drawn the largest first, so that what is small lies on top; Labelme's shapes in the order of their
file, as Labelme's own converter does. Verification: each picture has its outlines, and the size that they were drawn at
is the picture's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segstudy.datasets.coco import draw_instances
from segstudy.datasets.files import VOID, file_key, label_colours, listed, require_size
from segstudy.datasets.folder import CARD, SUFFIXES
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample
from segstudy.errors import StudyError, nearest

COCO = "annotations.json"
BACKGROUND = "background"
NOT_SCORED = ("void", "__ignore__")  # the second is Labelme's
_BACKGROUNDS = (BACKGROUND, "_background_")  # the second is Labelme's

# The size that outlines were drawn at, (height, width), and of each outline its label, crowd, area and polygons.
Outlined = tuple[tuple[int, int], list[tuple[str, bool, float, Any]]]


def has_polygons(root: Path) -> bool:
    """Return whether a folder has outlines: `annotations.json`, or a JSON file beside a picture of `images/`."""
    return (root / COCO).is_file() or bool(listed(root / "images", "*.json"))


def open_polygons(root: Path, supervision: str, classes: Sequence[str] | None = None) -> Dataset:
    """Open a folder of pictures whose labels are outlines.

    Parameters
    ----------
    root : Path
        With `images/`, and `annotations.json` (COCO) or `images/NAME.json` for each `images/NAME.jpg` (Labelme).
    supervision : "full", "image" or "none"
    classes : sequence of str, optional
        Names of the ids 0..C-1; None: the background, which is what no outline holds, and the outlines' names sorted.
        Outlines named "void" or "__ignore__" are not scored.

    Raises
    ------
    StudyError
        A file cannot be read as such annotations, a picture has none or another size, or a name is not among `classes`.
    """
    paths = listed_pictures(root)
    sources = [root / COCO] if (root / COCO).is_file() else [path.with_suffix(".json") for path in paths]
    seen = hashlib.sha256()
    outlined: dict[str, Outlined] = {}
    for source in sources:
        content = _content(source)
        seen.update(content)
        read = _coco if source.name == COCO else partial(_labelme, name=source.stem)
        outlined |= _understood(read, content, source)
    by_picture = {path: _of(path, outlined, sources[0]) for path in paths}
    used = {label for _, things in by_picture.values() for label, *_ in things}
    if classes is None:
        classes = [BACKGROUND, *sorted(used - {*_BACKGROUNDS, *NOT_SCORED})]
    ids = {name: index for index, name in enumerate(classes)}
    ids |= dict.fromkeys(_BACKGROUNDS, 0) | dict.fromkeys(NOT_SCORED, VOID)
    for label in sorted(used - ids.keys()):
        raise StudyError(f"{sources[0]} and others name an outline {label!r}{nearest(label, classes)}")
    samples = [_sample(path, size, things, ids) for path, (size, things) in by_picture.items()]
    return labelled_dataset(supervision, samples, classes, "outlines", seen.hexdigest())


def listed_pictures(root: Path) -> list[Path]:
    """Return the pictures of a folder's `images/`; a StudyError where there is none."""
    paths = [path for path in listed(root / "images") if path.suffix.lower() in SUFFIXES]
    if not paths:
        raise StudyError(f"{root / 'images'} holds no picture ({', '.join(SUFFIXES)})")
    return paths


def labelled_dataset(
    supervision: str, samples: Sequence[Sample], classes: Sequence[str], kind: str, digest: str
) -> Dataset:
    """Return a user's pictures as a data set; `digest` is of the labels, which are of a `kind`, such as "outlines"."""
    return Dataset(
        CARD.name,
        split="all",
        supervision=supervision,
        samples=samples,
        classes=classes,
        colours=label_colours(len(classes)),
        card=CARD,
        note=f"{len(samples)} pictures with {kind} read",
        parameters={"classes": list(classes), kind: digest},
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: each picture of images/ needs its outlines") from None


def _understood(
    read: Callable[[Any], dict[str, Outlined]], content: bytes, path: Path
) -> dict[str, Outlined]:
    """Return what `read` makes of a JSON file; a StudyError names the file where it is none of its kind."""
    try:
        return read(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(
            f"{path} holds no outlines of COCO or Labelme ({type(error).__name__}: {error})"
        ) from None


def _coco(found: dict[str, Any]) -> dict[str, Outlined]:
    """Return the outlines of a COCO file by the pictures' names without suffix."""
    names = {kind["id"]: kind["name"] for kind in found["categories"]}
    things: dict[int, list[Any]] = {}
    for one in found["annotations"]:
        thing = names[one["category_id"]], bool(one.get("iscrowd")), one["area"], one["segmentation"]
        things.setdefault(one["image_id"], []).append(thing)
    return {
        file_key(Path(one["file_name"])): ((one["height"], one["width"]), things.get(one["id"], []))
        for one in found["images"]
    }


def _labelme(found: dict[str, Any], name: str) -> dict[str, Outlined]:
    """Return the outlines of a Labelme file; a rectangle is two corners."""
    things = []
    for index, shape in enumerate(found["shapes"]):
        points, kind = np.array(shape["points"], float), shape.get("shape_type", "polygon")
        if kind == "rectangle":
            (left, top), (right, bottom) = points
            points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        elif kind != "polygon":
            raise ValueError(f"a shape of type {kind!r}, which is no area: draw it as a polygon")
        # In place of the area, by which the largest are drawn first: the order of the file.
        things.append((shape["label"], False, -float(index), [points.ravel().tolist()]))
    return {file_key(Path(name)): ((found["imageHeight"], found["imageWidth"]), things)}


def _of(path: Path, outlined: dict[str, Outlined], source: Path) -> Outlined:
    """Return a picture's outlines; they must be there and of its size."""
    if file_key(path) not in outlined:
        raise StudyError(f"{source} does not list {path.name}: take the picture away, or outline it")
    size, things = outlined[file_key(path)]
    require_size(source, size, read_size(path, upright=True))
    return size, things


def _sample(path: Path, size: tuple[int, int], things: list[Any], ids: dict[str, int]) -> Sample:
    drawn = [(ids[label], crowd, area, outline) for label, crowd, area, outline in things]
    read_labels = partial(draw_instances, size, drawn, path.name)
    return Sample(file_key(path), partial(read_rgb, path, upright=True), read_labels, files=(path,))
