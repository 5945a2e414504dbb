"""Picture files of all kinds, each with four quadrants of one colour."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def quadrants(height: int = 40, width: int = 60) -> np.ndarray:
    """Return black, red, green and white, clockwise from the upper left: (height, width, 3) uint8."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, width // 2 :] = (220, 30, 30)
    image[height // 2 :, width // 2 :] = (30, 200, 40)
    image[height // 2 :, : width // 2] = 255
    return image


def write_png16(path: Path, values: np.ndarray) -> None:
    """Write (H, W, 3 or 4) uint16 as a PNG of 16 bits a channel, which PIL does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_turned(path: Path, image: np.ndarray) -> None:
    """Write a JPEG that is stored lying on its side, with the EXIF word that says so (6: turn it clockwise)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(image)).save(path, exif=exif, quality=95)
