"""Windows of large TIFF pictures: only the strips or tiles that a window touches are decoded.

PIL knows a file's layout from its header and decodes it whole, up to a number of pixels. Here each strip or tile is
lifted out of the file as a small TIFF of its own, which PIL decodes: any compression that PIL reads can be read in
part, and no other package is needed. Of uncompressed blocks the rows alone are read. The tags are those of TIFF 6.0,
sections 8, 14 and 15.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import TiffImagePlugin

from segstudy.datasets.files import Window, crop, decoding
from segstudy.errors import StudyError

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS, _PLANAR, _PREDICTOR = 273, 274, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_TABLES, _SUBSAMPLING = 347, 530
# What a block needs to be decoded alone, besides its size and place.
_KEPT = (_COMPRESSION, _FILL_ORDER, _TABLES, _SUBSAMPLING)
# Compressions; the newer JPEG and WebP have colours inside, the others know bytes alone.
_PLAIN, _OLD_JPEG, _JPEG, _WEBP = 1, 6, 7, 50001
_GREY, _RGB, _YCBCR = 1, 2, 6  # photometric interpretations
# How many bands make the colours of each interpretation: grey (either way round), RGB, palette, CMYK, YCbCr, CIELab.
_COLOURS = {0: 1, _GREY: 1, _RGB: 3, 3: 1, 5: 4, _YCBCR: 3, 8: 3}
_DIFFERENCES = 2  # the predictor that stores each value's difference from the one to its left
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF


@dataclass(frozen=True)
class _Layout:
    """Where a TIFF keeps its pixels: a grid of blocks, each a strip as wide as the picture or a tile."""

    size: tuple[int, int]  # as stored
    orientation: int
    samples: int
    block: tuple[int, int]
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    tags: dict[int, Any]


def read_tags(path: Path) -> dict[int, Any] | None:
    """Return the tags of a TIFF's first picture, or None where the file is no TIFF; nothing is decoded."""
    with decoding(path), path.open("rb") as file:
        header = file.read(8)
        if header[:4] not in _MAGIC:
            return None
        if 43 in header[2:4]:
            header += file.read(8)
        directory = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(directory.next)
        directory.load(file)
        tags = dict(directory)
    if not {_WIDTH, _HEIGHT} <= tags.keys():
        raise StudyError(
            f"{path} cannot be read as a picture: its header is broken. Get or save the file again"
        )
    return tags


def upright_size(tags: dict[int, Any]) -> tuple[int, int]:
    """Return (height, width) of a TIFF once it is turned as its orientation says."""
    size = tags[_HEIGHT], tags[_WIDTH]
    return size[::-1] if _turns(tags.get(_ORIENTATION, 1))[0] else size


def extra_bands(tags: dict[int, Any]) -> int:
    """Return how many bands a TIFF has beside those of its colours."""
    samples = tags.get(_SAMPLES, 1)
    return samples - _COLOURS.get(tags.get(_PHOTOMETRIC), samples)


def is_jpeg(tags: dict[int, Any]) -> bool:
    """Return whether a TIFF's pixels are stored as JPEG, in either of its two ways, which keeps no value exactly."""
    return tags.get(_COMPRESSION) in (_OLD_JPEG, _JPEG)


def is_plain(tags: dict[int, Any], bands: int) -> bool:
    """Return whether a TIFF holds 8 bits of grey (1 band) or RGB (3) and nothing else, as `read_tiff` gives them."""
    photometric = tags.get(_PHOTOMETRIC)
    coloured = photometric == _RGB or (photometric == _YCBCR and tags.get(_COMPRESSION) == _JPEG)
    meant = coloured if bands == 3 else photometric == _GREY
    return meant and tags.get(_SAMPLES, 1) == bands and _is_interleaved(tags)


def _is_interleaved(tags: dict[int, Any]) -> bool:
    """Return whether a TIFF has 8 bits a band and each pixel's bands side by side."""
    apart = tags.get(_SAMPLES, 1) > 1 and tags.get(_PLANAR, 1) != 1
    return set(tags.get(_BITS, (1,))) == {8} and not apart


def _turns(orientation: int) -> tuple[bool, bool, bool]:
    """Return whether the stored picture is transposed, then its rows and its columns reversed, to stand upright."""
    return orientation in (5, 6, 7, 8), orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)


def read_tiff(path: Path, window: Window | None = None, bands: Sequence[int] | None = None) -> np.ndarray:
    """Return the part of an 8-bit TIFF inside a window, turned as its orientation tag says.

    Parameters
    ----------
    path : Path
    window : tuple of int, optional
        (row, column, height, width) of the upright picture; by default all of it.
    bands : sequence of int, optional
        Which bands to return, counted from 0, in this order; by default all the file has.

    Returns
    -------
    (height, width, bands) uint8 ndarray
        As stored: what a band means (tags 262 and 338) is not looked at, but for the colours that JPEG encodes.

    Raises
    ------
    StudyError
        Where the file cannot be decoded, has no 8 bits a band, keeps its bands apart, or has not all of `bands`.
    ValueError
        Where the window leaves the picture.
    """
    layout = _layout(path)
    chosen = list(range(layout.samples) if bands is None else bands)
    if max(chosen) >= layout.samples:
        raise StudyError(
            f"{path} has {layout.samples} band(s), counted from 0; bands={tuple(chosen)} asks for band {max(chosen)}"
        )
    transposed, rows_reversed, columns_reversed = _turns(layout.orientation)
    high, wide = layout.size[::-1] if transposed else layout.size
    crop(np.broadcast_to(np.uint8(0), (high, wide)), window)  # the check of a window, without a picture
    row, column, height, width = (0, 0, high, wide) if window is None else window
    row = high - row - height if rows_reversed else row
    column = wide - column - width if columns_reversed else column
    if transposed:
        row, column, height, width = column, row, width, height
    stored = _read_stored(path, layout, (row, column, height, width), chosen)
    upright = stored.transpose(1, 0, 2) if transposed else stored
    return np.ascontiguousarray(upright[:: -1 if rows_reversed else 1, :: -1 if columns_reversed else 1])


def _read_stored(path: Path, layout: _Layout, window: Window, bands: list[int]) -> np.ndarray:
    """Return bands inside a window of the picture as it is stored, (height, width, bands)."""
    row, column, height, width = window
    result = np.empty((height, width, len(bands)), np.uint8)
    high, wide = layout.block
    across = -(-layout.size[1] // wide)
    with path.open("rb") as file:
        for down in range(row // high, (row + height - 1) // high + 1):
            for along in range(column // wide, (column + width - 1) // wide + 1):
                top, left = max(row, down * high), max(column, along * wide)
                bottom, right = min(row + height, (down + 1) * high), min(column + width, (along + 1) * wide)
                inside = (top - down * high, left - along * wide, bottom - top, right - left)
                part = _read_block(path, file, layout, down * across + along, inside)
                result[top - row : bottom - row, left - column : right - column] = part[..., bands]
    return result


def _layout(path: Path) -> _Layout:
    """Return a TIFF's layout from its header; nothing is decoded."""
    tags = read_tags(path)
    if tags is None:
        raise StudyError(f"{path} is no TIFF, and bands are read from TIFF files alone: save it as one")
    size = (tags[_HEIGHT], tags[_WIDTH])
    if not _is_interleaved(tags):
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
    places = (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_OFFSETS, _COUNTS)
    if not {*places} <= tags.keys():
        raise StudyError(
            f"{path} cannot be read as a picture: its header is broken. Get or save the file again"
        )
    offsets, counts = (tags[key] for key in places)
    samples, orientation = tags.get(_SAMPLES, 1), tags.get(_ORIENTATION, 1)
    return _Layout(size, orientation, samples, block, tiled, offsets, counts, tags)


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
    (height, width), samples = size, layout.samples
    coloured = layout.tags[_COMPRESSION] in (_JPEG, _WEBP)
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for key in _KEPT:
        if key in layout.tags:
            directory[key] = layout.tags[key]
    # PIL knows some numbers of bands only. Compressions of bytes are told of one grey band as wide as all together.
    shown, wide = (samples, width) if coloured else (1, width * samples)
    directory[_PHOTOMETRIC] = layout.tags[_PHOTOMETRIC] if coloured else _GREY
    directory[_HEIGHT], directory[_WIDTH], directory[_ROWS] = height, wide, height
    directory[_SAMPLES], directory[_BITS] = shown, (8,) * shown
    directory[_OFFSETS], directory[_COUNTS] = 0, len(data)  # 0 from the end of the directory
    file = io.BytesIO()
    directory.save(file)
    file.write(data)
    file.seek(0)
    with decoding(path), TiffImagePlugin.TiffImageFile(file) as picture:
        block = np.asarray(picture).reshape(height, width, samples)
    if layout.tags.get(_PREDICTOR) == _DIFFERENCES and not coloured:
        block = np.cumsum(block, axis=1, dtype=np.uint8)
    return block
