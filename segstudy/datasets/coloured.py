"""Masks whose classes are colours, as published sets of aerial pictures and users' folders have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from segstudy.errors import StudyError

Colour = tuple[int, int, int]

_WEIGHTS = np.array([1 << 16, 1 << 8, 1], np.int32)


def match_colours(path: Path, picture: np.ndarray, table: Mapping[Colour, int]) -> np.ndarray:
    """Return the label of each pixel's colour.

    Parameters
    ----------
    path : Path
        The mask, for the error.
    picture : (H, W, 3) uint8 ndarray
        Its colours.
    table : mapping of (red, green, blue) to int
        The label of each colour, 0..255.

    Returns
    -------
    (H, W) uint8 ndarray

    Raises
    ------
    StudyError
        Where a colour is not in the table.
    """
    packed = picture.astype(np.int32) @ _WEIGHTS
    known = sorted((int(np.array(colour, np.int32) @ _WEIGHTS), label) for colour, label in table.items())
    codes, labels = (np.array(column) for column in zip(*known, strict=True))
    at = np.searchsorted(codes, packed).clip(max=len(codes) - 1)
    strange = codes[at] != packed
    if strange.any():
        row, column = np.argwhere(strange)[0]
        raise StudyError(
            f"{path} holds the colour {tuple(picture[row, column].tolist())} at row {row}, column {column}, "
            f"{strange.sum()} pixels are of no class; expected {', '.join(map(str, table))}. Save it again: "
            "a copy saved as JPEG smears colours"
        )
    return labels[at].astype(np.uint8)
