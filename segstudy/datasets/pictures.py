"""Pictures as files: decoded to arrays of one defined form, or an error that names the file.

TIFF files are turned as their orientation tag says, which is part of the format (TIFF 6.0, section 8; PIL does the
same). The orientation in the EXIF data of other files is obeyed where the caller asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from segstudy.datasets.files import Window, crop, decoding
from segstudy.datasets.tiff import extra_bands, is_plain, read_tags, read_tiff, upright_size
from segstudy.errors import StudyError

_ORIENTATION = 0x0112


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever PIL finds wrong with it becomes a StudyError that names the file."""
    with decoding(path), Image.open(path) as picture:
        yield picture


def read_size(path: Path, upright: bool = False) -> tuple[int, int]:
    """Return (height, width) of a picture or mask from its header; `upright` as in `read_rgb`."""
    tags = read_tags(path)
    if tags is not None:
        return upright_size(tags)
    with opened(path) as picture:
        # EXIF orientations 5 to 8 are those that exchange the sides (EXIF 2.3, tag 0x0112).
        turned = upright and picture.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
        return picture.size if turned else picture.size[::-1]


def turn(picture: Image.Image, upright: bool) -> Image.Image:
    """Return a picture, where `upright` turned as its own EXIF orientation says."""
    return ImageOps.exif_transpose(picture) if upright else picture


def read_rgb(path: Path, window: Window | None = None, upright: bool = False) -> np.ndarray:
    """Return a picture as RGB.

    Grey is repeated in the three channels, a palette is looked up, transparent pixels are laid on white,
    other colour spaces are converted by PIL; of several frames the first is taken. More than 8 bits a
    channel are refused: what the darkest and lightest values mean is not in the file. So are TIFF files with more
    bands than colours: programs mark a near infrared as transparency.

    Parameters
    ----------
    path : Path
    window : tuple of int, optional
        (row, column, height, width); all but grey and RGB TIFF files are decoded whole first.
    upright : bool
        Whether to turn the picture as its EXIF orientation says, as every viewer does. The published sets
        are read as stored, since their masks are.

    Returns
    -------
    (H, W, 3) uint8 ndarray

    Raises
    ------
    StudyError
        Where the file cannot be decoded, has more than 8 bits a channel, or is a TIFF with bands beside its colours.
    """
    tags = read_tags(path)
    if tags is not None:
        extra = extra_bands(tags)
        if extra:
            raise StudyError(
                f"{path} has {extra} band(s) beside its colours; whether they are transparency, near infrared or "
                "another is not known. Name the bands to read, counted from 0: bands=(0, 1, 2) of a folder reads the "
                "first three, bands=(0, 1, 2, 3) four of them"
            )
        if is_plain(tags, 3):
            return read_tiff(path, window)
        if is_plain(tags, 1):
            return np.repeat(read_tiff(path, window), 3, axis=2)
    with opened(path) as picture:
        require_eight_bits(picture, path)
        picture = turn(picture, upright)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return crop(np.array(picture.convert("RGB")), window)


def require_eight_bits(picture: Image.Image, path: Path) -> None:
    """Refuse 16-bit and floating pictures; PIL opens 16-bit RGB as mode RGB, only its raw mode tells."""
    raw = str(picture.tile[0][3]) if getattr(picture, "tile", None) else ""
    if picture.mode.startswith(("I", "F")) or ";16" in raw:
        raise StudyError(f"{path} has more than 8 bits a channel ({picture.mode} {raw}): save it with 8 bits")
