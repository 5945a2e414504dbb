"""Masks as files: class ids, grey values or colours, never a picture to be looked at.

Transparency is no part of a mask: it is ignored where the colours alone tell the classes apart, and refused where they
do not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segstudy.datasets.files import VOID, Window, crop, label_colours, require_size
from segstudy.datasets.pictures import opened, read_size, require_eight_bits, turn
from segstudy.datasets.tiff import is_jpeg, is_plain, read_tags, read_tiff
from segstudy.errors import StudyError


def read_ids(
    path: Path,
    expected: tuple[int, int],
    num_classes: int,
    window: Window | None = None,
    upright: bool = False,
) -> np.ndarray:
    """Return a mask as class ids: grey levels, bilevel's 0 and 1, or what a palette means.

    Parameters
    ----------
    path : Path
    expected : tuple of int
        (height, width) that the whole mask must have.
    num_classes : int
        Ids must lie in 0..num_classes-1, or be `VOID`.
    window : tuple of int, optional
        (row, column, height, width).
    upright : bool
        Whether the mask is turned as its own EXIF orientation says.

    Returns
    -------
    (H, W) uint8 ndarray

    Raises
    ------
    StudyError
        Where the mask has colours in place of ids, another size, a palette that can be read in two ways, or an id
        that is no class; where it is a JPEG; and where its transparency parts pixels of one colour.
    """
    require_size(path, read_size(path, upright), expected)
    tags = read_tags(path)
    if tags is not None and is_jpeg(tags):
        raise _smeared(path)
    if tags is not None and is_plain(tags, 1):
        ids = read_tiff(path, window)[..., 0]
    else:
        ids = crop(_whole_ids(path, upright), window)
    strange = sorted(label for label in present(ids) if label >= num_classes and label != VOID)
    if strange:
        raise StudyError(
            f"{path} holds the ids {strange[:8]}; expected 0 to {num_classes - 1}, or {VOID} for void. Where these "
            "are grey levels of a picture and no ids, part them at a threshold and save them anew as ids"
        )
    return ids


def _smeared(path: Path) -> StudyError:
    return StudyError(f"{path} is a JPEG, which smears ids: save the mask as PNG from its source")


def _whole_ids(path: Path, upright: bool) -> np.ndarray:
    """Return the ids of a mask that is decoded whole, (H, W) uint8."""
    with opened(path) as picture:
        if picture.format == "JPEG":
            raise _smeared(path)
        picture = turn(_without_alpha(picture, path), upright)
        if picture.mode not in ("L", "P", "1"):
            raise StudyError(
                f"{path} is a {picture.mode} picture; expected class ids, as 8-bit grey or palette"
            )
        values = np.asarray(picture).astype(np.uint8)
        return values if picture.mode != "P" else _meant(path, values, picture.getpalette("RGB"))


def _meant(path: Path, indices: np.ndarray, palette: list[int]) -> np.ndarray:
    """Return the ids that a palette picture means.

    Programs that make files smaller sort a palette anew: the colours stay and the indices change. So the indices are
    the ids only where the colours say the same, as grey levels or as PASCAL VOC's colours of the ids.
    """
    used = present(indices)
    colours = [tuple(colour) for colour in np.reshape(palette, (-1, 3)).tolist()]
    if used[-1] >= len(colours):
        raise StudyError(f"{path} uses entry {used[-1]} of a palette of {len(colours)}: save the mask again")
    colours = [colours[index] for index in used]
    known = ({(id_,) * 3: id_ for id_ in range(256)}, _VOC)
    readings = {tuple(map(ids.get, colours)) for ids in known if set(colours) <= ids.keys()}
    if tuple(used) in readings:
        return indices
    if len(readings) != 1:
        raise StudyError(
            f"{path} has a palette that can be read in two ways: its pixels are the indices {used[:8]} and the "
            f"colours {colours[:8]}. Where the colours are the classes, declare them (colours= of a folder); where "
            "the indices are, save the mask as 8-bit grey"
        )
    table = np.zeros(256, np.uint8)
    table[used] = readings.pop()
    return table[indices]


_VOC = {tuple(colour): id_ for id_, colour in enumerate(label_colours(256).tolist())}


def read_grey(path: Path, expected: tuple[int, int]) -> np.ndarray:
    """Return a mask as (H, W) uint8 grey values (ITU-R 601 of colours); `expected` and errors as in `read_ids`."""
    require_size(path, read_size(path), expected)
    with opened(path) as picture:
        require_eight_bits(picture, path)
        return np.array(_without_alpha(picture, path).convert("L"))


def read_colours(
    path: Path, expected: tuple[int, int], window: Window | None = None, upright: bool = False
) -> np.ndarray:
    """Return a mask as (H, W, 3) uint8 colours; parameters and errors as in `read_ids`."""
    require_size(path, read_size(path, upright), expected)
    tags = read_tags(path)
    if tags is not None and is_plain(tags, 3):
        return read_tiff(path, window)
    with opened(path) as picture:
        require_eight_bits(picture, path)
        return crop(np.array(turn(_without_alpha(picture, path), upright).convert("RGB")), window)


def _without_alpha(picture: Image.Image, path: Path) -> Image.Image:
    """Return a mask without its transparency; refuse one where that parts pixels of one colour."""
    if not picture.has_transparency_data:
        return picture
    codes = np.unique(np.asarray(picture.convert("RGBA")).astype(np.uint32) @ _BYTES)
    colours = codes >> 8
    shared = colours[1:][colours[1:] == colours[:-1]]
    if shared.size:
        colour = tuple(int(shared[0]) >> shift & 255 for shift in (16, 8, 0))
        raise StudyError(
            f"{path} shows the colour {colour} both more and less transparent: transparency tells classes apart there, "
            "and is not read. Save the mask without an alpha channel, each class in a colour of its own"
        )
    if picture.mode == "P":
        return picture
    return picture.convert("L" if picture.mode in ("L", "LA", "La", "1") else "RGB")


_BYTES = np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32)


def present(ids: np.ndarray) -> list[int]:
    """Return the distinct values of a uint8 array, sorted; counting is much faster than sorting pixels."""
    return np.flatnonzero(np.bincount(ids.ravel(), minlength=256)).tolist()
