"""Picture files of any kind as 8-bit RGB, and the size at which they are worked on."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from segstudy.datasets.pictures import opened, read_rgb, turn
from segstudy.datasets.tiff import extra_bands, read_tags

MOST = 1_000_000  # pixels that are worked on; a larger picture is reduced first
LEAST = 32  # pixels of a side below which superpixels, patches and networks have nothing to hold on to
ENDS = (1.0, 99.0)  # percentiles of deep grey levels that become black and white: stray pixels decide nothing


def read_picture(path: Path) -> tuple[np.ndarray, str]:
    """Read a picture upright, as every viewer shows it.

    Grey is repeated, transparency laid on white, and of several frames the first is taken, as by
    :func:`~segstudy.datasets.pictures.read_rgb`. More than 8 bits are reduced: colours by their upper 8 bits, grey
    levels and real numbers from the 1st to the 99th percentile.

    Parameters
    ----------
    path : Path

    Returns
    -------
    image : (H, W, 3) uint8 ndarray
    note : str
        What was done to its values, as a sentence; empty where nothing was.

    Raises
    ------
    StudyError
        The file cannot be decoded, is larger than PIL decodes, or is a TIFF with bands beside its colours.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", Image.DecompressionBombWarning
        )  # a large picture is reduced, not refused
        tags = read_tags(path)
        if tags is None or not extra_bands(tags):
            with opened(path) as picture:
                deep = _depth(picture)
                if deep:
                    return _shallow(turn(picture, upright=True)), f"{deep}."
        return read_rgb(path, upright=True), ""


def _depth(picture: Image.Image) -> str:
    """Return what is done to a picture of more than 8 bits, empty where it has no more.

    PIL opens 16-bit colours as mode RGB or RGBA, of the upper 8 bits; only the raw mode tells.
    """
    if picture.mode.startswith(("I", "F")):
        return "Grey levels of more than 8 bits were stretched from the 1st to the 99th percentile"
    raw = str(picture.tile[0][3]) if getattr(picture, "tile", None) else ""
    return "Of 16 bits a colour the upper 8 were taken" if ";16" in raw else ""


def _shallow(picture: Image.Image) -> np.ndarray:
    """Return a deep picture as (H, W, 3) uint8."""
    if not picture.mode.startswith(("I", "F")):
        colours = picture.convert("RGBA")
        return np.array(
            Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")
        )
    values = np.asarray(picture).astype(float)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, ENDS) if known.size else (0.0, 0.0)
    if low == high:  # most pixels are alike: the few others are all there is to see
        low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    levels = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12), 0, 1)
    return np.repeat(np.rint(255 * levels).astype(np.uint8)[..., None], 3, axis=2)


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width at which a picture is worked on: its own, between `LEAST` a side and `MOST` in all.

    Examples
    --------
    >>> working_size((375, 500)), working_size((3, 2)), working_size((6000, 6000))
    ((375, 500), (32, 32), (1000, 1000))
    """
    height, width = (max(LEAST, side) for side in size)
    factor = min(1.0, math.sqrt(MOST / (height * width)))
    return max(LEAST, round(height * factor)), max(LEAST, round(width * factor))
