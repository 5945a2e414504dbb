"""What every loader needs: checks of arguments and files, windows, and errors that say what to do.

Pictures are read in `segstudy.datasets.pictures`, masks in `segstudy.datasets.masks`. What is wrong with a file of the
user's is a `StudyError`, what is wrong with an argument is a `ValueError`.
"""

from __future__ import annotations

import operator
import os
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

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
    """Return the first folder below `root` that matches one of the glob patterns, in their order, or None.

    `__MACOSX`, where archives made on a Mac keep attributes under the same names, is no such folder.
    """
    places = (place for pattern in patterns for place in sorted(root.glob(pattern)))
    return next((place for place in places if place.is_dir() and "__MACOSX" not in place.parts), None)


def listed(folder: Path, pattern: str = "*") -> list[Path]:
    """Return the files of a folder that match a glob pattern, sorted.

    Hidden ones are left out: archives made on a Mac hold a `._NAME` beside each file, with its attributes.
    """
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith(".") and path.is_file())


def file_key(path: Path) -> str:
    r"""Return a file's name without its suffix, the same however a system writes it.

    Accented letters are composed (NFC; Mac file systems take them apart), bytes that are no UTF-8 are written as
    ``\xe9``, so that the name can be printed and stored.
    """
    name = os.fsencode(path.stem).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", name)


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
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever PIL finds wrong with a file into a StudyError that names it."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise StudyError(
            f"{path} is too large to be decoded whole: {error}. Save it as a TIFF of 8 bits in strips or tiles with no "
            "more bands than colours, which is read window by window, or cut it into smaller pictures"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise StudyError(
            f"{path} cannot be read as a picture: {error}. Get or save the file again"
        ) from error


def require_size(path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Refuse a mask whose (height, width) is not its picture's; a StudyError names the file and both sizes."""
    if tuple(size) != tuple(expected):
        (height, width), (rows, columns) = size, expected
        raise StudyError(
            f"{path} is {width} x {height} pixels; expected {columns} x {rows}, the size of its picture: "
            "mask and picture do not belong together"
        )


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
