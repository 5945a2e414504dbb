"""Pictures and masks as files: decoded to arrays of one defined form, or an error that names the file.

Every loader of this room reads through these functions. What is wrong with a file of the user's is a
`StudyError`, what is wrong with an argument is a `ValueError`.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from segstudy.datasets.card import Card
from segstudy.errors import MissingData, StudyError, nearest

VOID = 255
"""Label of pixels that are not scored."""

Window = tuple[int, int, int, int]
"""(row, column, height, width) in pixels."""


def require_choice(argument: str, value: str, choices: Iterable[str]) -> str:
    """Return `value` if it is among `choices`; else a ValueError names the argument and the nearest."""
    choices = tuple(choices)
    if value in choices:
        return value
    raise ValueError(f"unknown {argument} {value!r}{nearest(value, choices)}")


def missing_data(card: Card, looked_for: Path) -> MissingData:
    """Return the error of an absent data set: what was looked for, its card, and the way to get it."""
    way = f"python -m segstudy data download {card.name}" if card.remotes else card.how_to_get
    where = "It is looked for under root=, else under $SEGSTUDY_DATA, else under data/."
    return MissingData(
        f"no data set {card.name!r}: {looked_for} is missing. {where}\n\n{card.text()}\n\nTo get it: {way}"
    )


def find_folder(root: Path, *patterns: str) -> Path | None:
    """Return the first folder below `root` that matches one of the glob patterns, in their order, or None."""
    places = (place for pattern in patterns for place in sorted(root.glob(pattern)))
    return next((place for place in places if place.is_dir()), None)


def require_mask(mask: Path, image: Path) -> Path:
    """Return `mask` if it is a file; a StudyError names the picture that lacks it."""
    if not mask.is_file():
        raise StudyError(
            f"{image} has no mask: {mask} is missing. Get the data set again, take the picture away, "
            "or open it with supervision='none'"
        )
    return mask


def crop(array: np.ndarray, window: Window | None) -> np.ndarray:
    """Return the part of `array` inside a window.

    Parameters
    ----------
    array : (H, W, ...) ndarray
    window : tuple of int or None
        (row, column, height, width); None for all of it.

    Returns
    -------
    (height, width, ...) ndarray
        A copy, so that a small window does not keep a large picture in memory.

    Raises
    ------
    ValueError
        Where the window is no four integers, is empty, or reaches outside the array.
    """
    if window is None:
        return array
    try:
        row, column, height, width = map(operator.index, window)
    except (TypeError, ValueError):
        raise ValueError(
            f"window is {window!r}; expected four integers (row, column, height, width)"
        ) from None
    rows, columns = array.shape[:2]
    if min(row, column) < 0 or min(height, width) < 1 or row + height > rows or column + width > columns:
        raise ValueError(
            f"window {window} (row, column, height, width) leaves the picture of {rows} x {columns}"
        )
    return array[row : row + height, column : column + width].copy()


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever PIL finds wrong with it becomes a StudyError that names the file."""
    try:
        with Image.open(path) as picture:
            yield picture
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise StudyError(
            f"{path} cannot be read as a picture: {error}. Get or save the file again"
        ) from error


def read_size(path: Path, upright: bool = False) -> tuple[int, int]:
    """Return (height, width) of a picture from its header; `upright` as in `read_rgb`."""
    with opened(path) as picture:
        # EXIF orientations 5 to 8 are those that exchange the sides (EXIF 2.3, tag 0x0112).
        turned = upright and picture.getexif().get(0x0112) in (5, 6, 7, 8)
        return picture.size if turned else picture.size[::-1]


def load_rgb(path: Path, upright: bool = False) -> Image.Image:
    """Return a picture as an 8-bit RGB PIL image; the conversions are those of `read_rgb`."""
    with opened(path) as picture:
        _require_eight_bits(picture, path)
        if upright:
            picture = ImageOps.exif_transpose(picture)
        if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            paper = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(paper, picture)
        return picture.convert("RGB")


def read_rgb(path: Path, window: Window | None = None, upright: bool = False) -> np.ndarray:
    """Return a picture as RGB.

    Grey is repeated in the three channels, a palette is looked up, transparent pixels are laid on white,
    other colour spaces are converted by PIL; of several frames the first is taken. More than 8 bits a
    channel are refused: what the darkest and lightest values mean is not in the file.

    Parameters
    ----------
    path : Path
    window : tuple of int, optional
        (row, column, height, width); the file is decoded whole first.
    upright : bool
        Whether to turn the picture as its EXIF orientation says, as every viewer does. The published sets
        are read as stored, since their masks are.

    Returns
    -------
    (H, W, 3) uint8 ndarray

    Raises
    ------
    StudyError
        Where the file cannot be decoded or has more than 8 bits a channel.
    """
    return crop(np.array(load_rgb(path, upright)), window)


def _require_eight_bits(picture: Image.Image, path: Path) -> None:
    """Refuse 16-bit and floating pictures; PIL opens 16-bit RGB as mode RGB, only its raw mode tells."""
    raw = str(picture.tile[0][3]) if getattr(picture, "tile", None) else ""
    if picture.mode.startswith(("I", "F")) or ";16" in raw:
        raise StudyError(f"{path} has more than 8 bits a channel ({picture.mode} {raw}): save it with 8 bits")


def read_grey(path: Path, expected: tuple[int, int]) -> np.ndarray:
    """Return a mask as (H, W) uint8 grey values (ITU-R 601 of colours); `expected` as in `read_ids`."""
    with opened(path) as picture:
        _require_eight_bits(picture, path)
        grey = np.asarray(picture.convert("L"))
    return require_shape(path, grey, expected)


def read_ids(path: Path, expected: tuple[int, int], num_classes: int) -> np.ndarray:
    """Return a mask's stored values as class ids: grey levels, palette indices, or bilevel's 0 and 1.

    Parameters
    ----------
    path : Path
    expected : tuple of int
        (height, width) that the mask must have.
    num_classes : int
        Ids must lie in 0..num_classes-1, or be `VOID`.

    Returns
    -------
    (H, W) uint8 ndarray

    Raises
    ------
    StudyError
        Where the mask has colours in place of ids, another size, or an id that is no class.
    """
    with opened(path) as picture:
        if picture.mode not in ("L", "P", "1"):
            raise StudyError(
                f"{path} is a {picture.mode} picture; expected class ids, as 8-bit grey or palette"
            )
        ids = np.asarray(picture).astype(np.uint8)
    require_shape(path, ids, expected)
    strange = sorted(label for label in present(ids) if label >= num_classes and label != VOID)
    if strange:
        raise StudyError(
            f"{path} holds the ids {strange[:8]}; expected 0 to {num_classes - 1}, or {VOID} for void"
        )
    return ids


def present(ids: np.ndarray) -> list[int]:
    """Return the distinct values of a uint8 array, sorted; counting is much faster than sorting pixels."""
    return np.flatnonzero(np.bincount(ids.ravel(), minlength=256)).tolist()


def require_shape(path: Path, array: np.ndarray, expected: tuple[int, int]) -> np.ndarray:
    """Return `array` if its first two sides are `expected`; a StudyError names the file and both sizes."""
    if array.shape[:2] != tuple(expected):
        (height, width), (rows, columns) = array.shape[:2], expected
        raise StudyError(
            f"{path} is {width} x {height} pixels; expected {columns} x {rows}, the size of its picture: "
            "mask and picture do not belong together"
        )
    return array


def label_colours(count: int) -> np.ndarray:
    """Return PASCAL VOC's colours of the label ids 0..count-1.

    The bits of the id are dealt in turn to red, green and blue, highest colour bit first
    (VOClabelcolormap.m of the VOC 2012 development kit): id 1 is (128, 0, 0), id 2 is (0, 128, 0), id 8 is
    (64, 0, 0), id 255 is (224, 224, 192).

    Parameters
    ----------
    count : int
        At most 256.

    Returns
    -------
    (count, 3) uint8 ndarray
    """
    ids = np.arange(count)[:, None]
    channels = np.arange(3)
    # Bit 3k + c of the id becomes bit 7 - k of channel c; an 8-bit id fills k = 0, 1, 2.
    return sum((ids >> (3 * k + channels) & 1) << (7 - k) for k in range(3)).astype(np.uint8)
