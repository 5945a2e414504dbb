"""Windows of large TIFF pictures: only the strips or tiles that a window touches are decoded.

PIL knows a file's layout from its header and decodes it whole. Here each strip or tile is lifted out of the file as a
small TIFF of its own, which PIL decodes: any compression that PIL reads can be read in part, and no other package is
needed. Of uncompressed blocks the rows alone are read. The tags are those of TIFF 6.0, sections 8 and 15.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import TiffImagePlugin

from segstudy.datasets.files import Window, crop, opened
from segstudy.errors import StudyError

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_TABLES, _SUBSAMPLING = 347, 530
# What a block needs to be decoded alone, besides its size and place. What a fourth band means (tag 338) is left out:
# PIL then hands it on as it is.
_KEPT = (_COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _PREDICTOR, _TABLES, _SUBSAMPLING)
_PLAIN = 1  # the code of "no compression"


@dataclass(frozen=True)
class _Layout:
    """Where a TIFF keeps its pixels: a grid of blocks, each a strip as wide as the picture or a tile."""

    size: tuple[int, int]
    samples: int
    block: tuple[int, int]
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    tags: dict[int, Any]


def read_tiff(path: Path, window: Window | None = None) -> np.ndarray:
    """Return the part of an 8-bit TIFF inside a window, as many bands as the file has.

    Parameters
    ----------
    path : Path
    window : tuple of int, optional
        (row, column, height, width); by default the whole picture.

    Returns
    -------
    (height, width, bands) uint8 ndarray

    Raises
    ------
    StudyError
        Where the file cannot be decoded, has no 8 bits a band, or keeps its bands apart.
    ValueError
        Where the window leaves the picture.
    """
    layout = _layout(path)
    crop(np.broadcast_to(np.uint8(0), layout.size), window)  # the check of a window, without a picture
    row, column, height, width = (0, 0, *layout.size) if window is None else window
    result = np.empty((height, width, layout.samples), np.uint8)
    high, wide = layout.block
    across = -(-layout.size[1] // wide)
    with path.open("rb") as file:
        for down in range(row // high, (row + height - 1) // high + 1):
            for along in range(column // wide, (column + width - 1) // wide + 1):
                top, left = max(row, down * high), max(column, along * wide)
                bottom, right = min(row + height, (down + 1) * high), min(column + width, (along + 1) * wide)
                inside = (top - down * high, left - along * wide, bottom - top, right - left)
                part = _read_block(path, file, layout, down * across + along, inside)
                result[top - row : bottom - row, left - column : right - column] = part
    return result


def _layout(path: Path) -> _Layout:
    """Return a TIFF's layout from its header; nothing is decoded."""
    with opened(path) as picture:
        if not hasattr(picture, "tag_v2"):
            raise StudyError(f"{path} is a {picture.format} picture; expected a TIFF")
        tags = dict(picture.tag_v2)
        size = (picture.height, picture.width)
    samples = tags.get(_SAMPLES, 1)
    if set(tags.get(_BITS, (1,))) != {8} or (samples > 1 and tags.get(_PLANAR, 1) != 1):
        raise StudyError(
            f"{path} has {tags.get(_BITS)} bits a band, planar configuration {tags.get(_PLANAR, 1)}; "
            "save it with 8 bits and interleaved bands"
        )
    tiled = _TILE_WIDTH in tags
    block = (
        (tags[_TILE_HEIGHT], tags[_TILE_WIDTH])
        if tiled
        else (min(tags.get(_ROWS, size[0]), size[0]), size[1])
    )
    offsets, counts = (tags[key] for key in ((_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_OFFSETS, _COUNTS)))
    kept = {key: tags[key] for key in _KEPT if key in tags}
    return _Layout(size, samples, block, tiled, offsets, counts, kept)


def _read_block(
    path: Path, file: io.BufferedIOBase, layout: _Layout, index: int, inside: Window
) -> np.ndarray:
    """Return the part of block `index` that lies `inside` it, (height, width, bands)."""
    row, column, height, width = inside
    wide = layout.block[1]
    if layout.tags.get(_COMPRESSION, _PLAIN) == _PLAIN:
        stride = wide * layout.samples
        file.seek(layout.offsets[index] + row * stride)
        data = file.read(height * stride)
        if len(data) < height * stride:
            raise StudyError(f"{path} ends before its last pixel. Get the file again")
        return np.frombuffer(data, np.uint8).reshape(height, wide, -1)[:, column : column + width]
    file.seek(layout.offsets[index])
    data = file.read(layout.counts[index])
    # The last strip has the rows that are left; tiles are always whole.
    start = 0 if layout.tiled else index * layout.block[0]
    high = layout.block[0] if layout.tiled else min(layout.block[0], layout.size[0] - start)
    return _decode(path, data, layout, (high, wide))[row : row + height, column : column + width]


def _decode(path: Path, data: bytes, layout: _Layout, size: tuple[int, int]) -> np.ndarray:
    """Return one compressed block, (height, width, bands), decoded as the only strip of a TIFF of its own."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for key, value in layout.tags.items():
        directory[key] = value
    directory[_HEIGHT], directory[_WIDTH] = size
    directory[_ROWS], directory[_SAMPLES] = size[0], layout.samples
    directory[_BITS] = (8,) * layout.samples
    directory[_OFFSETS], directory[_COUNTS] = 0, len(data)  # 0 from the end of the directory
    file = io.BytesIO()
    directory.save(file)
    file.write(data)
    file.seek(0)
    try:
        with TiffImagePlugin.TiffImageFile(file) as picture:
            return np.asarray(picture).reshape(*size, -1)
    except (OSError, SyntaxError, ValueError) as error:
        raise StudyError(f"{path} cannot be decoded: {error}. Get the file again") from error
