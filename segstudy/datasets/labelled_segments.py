"""COCO's panoptic format as label maps: a PNG for each picture, whose colours number segments, and a list of these.

A pixel's colour is its segment's number, R + 256 G + 65536 B; 0 is unlabelled. Kirillov et al., Panoptic Segmentation,
CVPR 2019. Verification: each picture is listed, and each number in its PNG, which has the picture's size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segstudy.datasets.files import VOID, Window, crop, file_key, require_size
from segstudy.datasets.labelled_polygons import BACKGROUND, labelled_dataset, listed_pictures
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample
from segstudy.errors import StudyError, nearest

PANOPTIC = "panoptic.json"
SEGMENTS = "panoptic"  # the folder of the PNGs


def open_segments(root: Path, supervision: str, classes: Sequence[str] | None = None) -> Dataset:
    """Open a folder of pictures whose labels are panoptic segments.

    Parameters
    ----------
    root : Path
        With `images/`, `panoptic/` with a PNG for each picture, and `panoptic.json`.
    supervision : "full", "image" or "none"
    classes : sequence of str, optional
        Names of the ids 0..C-1; None: a background, and the names that the segments have, sorted.

    Raises
    ------
    StudyError
        The list cannot be read as COCO's, or does not list a picture or a segment of it; a PNG is missing or has
        another size; or a name is not among `classes`.
    """
    pictures = listed_pictures(root)
    content = (root / PANOPTIC).read_bytes()
    found = _listed_segments(content, root / PANOPTIC)
    for path in pictures:
        if file_key(path) not in found:
            raise StudyError(
                f"{root / PANOPTIC} does not list {path.name}: take the picture away, or label it"
            )
    segments = {path: found[file_key(path)] for path in pictures}
    used = {name for _, named in segments.values() for name in named.values()}
    classes = [BACKGROUND, *sorted(used - {BACKGROUND})] if classes is None else list(classes)
    for name in sorted(used - set(classes)):
        raise StudyError(f"{root / PANOPTIC} names a segment {name!r}{nearest(name, classes)}")
    samples = []
    for path, (file, named) in segments.items():
        mask = root / SEGMENTS / file
        if not mask.is_file():
            raise StudyError(f"{mask} is missing: {PANOPTIC} names it for {path.name}")
        table = {number: classes.index(name) for number, name in named.items()}
        picture, labels = partial(read_rgb, path, upright=True), partial(_read_segments, mask, path, table)
        samples.append(Sample(file_key(path), picture, labels, files=(path, mask)))
    return labelled_dataset(
        supervision, samples, classes, "panoptic segments", hashlib.sha256(content).hexdigest()
    )


def _listed_segments(content: bytes, path: Path) -> dict[str, tuple[str, dict[int, str]]]:
    """Return each picture's PNG and the class name of its segments by number, by the picture's name without suffix."""
    try:
        found: dict[str, Any] = json.loads(content)
        names = {kind["id"]: kind["name"] for kind in found["categories"]}
        images = {one["id"]: file_key(Path(one["file_name"])) for one in found["images"]}
        return {
            images[one["image_id"]]: (
                Path(one["file_name"]).name,
                {segment["id"]: names[segment["category_id"]] for segment in one["segments_info"]},
            )
            for one in found["annotations"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"{path} holds no panoptic list of COCO ({type(error).__name__}: {error})") from None


def _read_segments(
    path: Path, picture: Path, table: dict[int, int], window: Window | None = None
) -> np.ndarray:
    """Return the class ids of a PNG of segments, (H, W) uint8, `VOID` where it is 0."""
    colours = read_rgb(path)
    require_size(path, colours.shape[:2], read_size(picture, upright=True))
    numbers, where = np.unique(colours @ np.array([1, 256, 65536]), return_inverse=True)
    unknown = [number for number in numbers.tolist() if number and number not in table]
    if unknown:
        raise StudyError(f"{path} holds segments that {PANOPTIC} does not list, the first is {unknown[0]}")
    ids = np.array([table.get(number, VOID) for number in numbers.tolist()], np.uint8)
    return crop(ids[where].reshape(colours.shape[:2]), window)
