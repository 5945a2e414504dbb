"""Tiny copies of the published layouts, as the publishers name and code their files.

Each writer returns the arrays it wrote by sample name, `(image, labels)`, for a test to compare with.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from segstudy.datasets.files import label_colours

Pair = tuple[np.ndarray, np.ndarray]


def quadrants(height: int, width: int, ids: tuple[int, int, int, int] = (0, 1, 2, 3)) -> np.ndarray:
    """A label map of four quadrants, read left to right and top to bottom."""
    labels = np.empty((height, width), np.uint8)
    middle, centre = height // 2, width // 2
    labels[:middle, :centre], labels[:middle, centre:] = ids[:2]
    labels[middle:, :centre], labels[middle:, centre:] = ids[2:]
    return labels


def photograph(seed: int, height: int, width: int) -> np.ndarray:
    """An RGB picture of noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, array: np.ndarray, mode: str | None = None) -> Path:
    """Write an array as a picture, folders and all; JPEG at its best quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(array)
    options = {"quality": 100, "subsampling": 0} if path.suffix == ".jpg" else {}
    (picture if mode is None else picture.convert(mode)).save(path, **options)
    return path


def write_fasseg(
    root: Path, train: int = 3, test: int = 2, clone: str = "FASSEG-repository"
) -> dict[str, Pair]:
    """FASSEG: photographs 370 wide, label maps 352 wide; background, hair, face and a mouth that moves."""
    written = {}
    for split, count in (("train", train), ("test", test)):
        for number in range(1, count + 1):
            image = photograph(number, 512, 370)
            labels = quadrants(512, 352)
            labels[400 : 400 + 10 * number, 150:200] = 8
            save(root / f"fasseg/{clone}/V2/{split.capitalize()}_RGB/{number}.bmp", image)
            save(root / f"fasseg/FASSEG_instances/annotations/{split}/{number}.bmp", labels)
            written[f"{split}-{number:02d}"] = image, labels
    return written


def write_voc(root: Path) -> dict[str, Pair]:
    """VOC 2012: two training pictures and one for validation, palette masks with void between the things."""
    home = root / "voc/VOCdevkit/VOC2012"
    lists = {"train": ["2007_000032", "2007_000039"], "val": ["2007_000033"]}
    written = {}
    for split, names in lists.items():
        for seed, name in enumerate(names):
            image, labels = np.full((20, 30, 3), 40 + 50 * seed, np.uint8), quadrants(20, 30, (0, 1, 15, 20))
            labels[9:11] = 255
            save(home / f"JPEGImages/{name}.jpg", image)
            save_palette(home / f"SegmentationClass/{name}.png", labels)
            written[name] = image, labels
        listed = home / f"ImageSets/Segmentation/{split}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(f"{name}\n" for name in names))
    return written


def save_palette(path: Path, labels: np.ndarray) -> Path:
    """Write a palette PNG as PASCAL VOC does: the indices are the labels, each in its colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels).convert("P")
    picture.putdata(labels.ravel().tolist())
    picture.putpalette(label_colours(256).ravel().tolist())
    picture.save(path)
    return path


def write_emds5(root: Path) -> dict[str, Pair]:
    """EMDS-5: two kinds, masks with a soft edge (127 and 128 beside it), one of them stored as RGB."""
    written = {}
    for seed, name in enumerate(("EMDS5-g01-01", "EMDS5-g01-02", "EMDS5-g21-07")):
        image = photograph(seed, 24, 36)
        grey = np.zeros((24, 36), np.uint8)
        grey[5:15, 5:9], grey[5:15, 9], grey[5:15, 10], grey[5:15, 11:20] = 127, 128, 200, 255
        save(root / f"emds5/EMDS5-Original/{name}.png", image)
        save(root / f"emds5/EMDS5-GTM/{name}-GTM.png", grey, "RGB" if seed == 1 else None)
        written[name] = image, (grey > 127.5).astype(np.uint8)
    return written


def write_ph2(root: Path) -> dict[str, Pair]:
    """PH2: two cases, bilevel masks as its BMPs are, a folder of regions that is not read."""
    written = {}
    for seed, name in enumerate(("IMD002", "IMD010")):
        case = root / f"ph2/PH2Dataset/PH2 Dataset images/{name}"
        image, labels = photograph(seed, 28, 38), np.zeros((28, 38), np.uint8)
        labels[4:20, 6 : 20 + seed] = 1
        save(case / f"{name}_Dermoscopic_Image/{name}.bmp", image)
        save(case / f"{name}_lesion/{name}_lesion.bmp", labels * 255, "1")
        save(case / f"{name}_roi/{name}_R1_Label3.bmp", labels)
        written[name] = image, labels
    return written


def write_folder(root: Path, masks: bool = True) -> dict[str, Pair]:
    """A user's own folder: two pictures, masks of the ids 0..3."""
    written = {}
    for seed, name in enumerate(("cat", "dog")):
        image, labels = photograph(seed, 12, 16), quadrants(12, 16)
        save(root / f"images/{name}.png", image)
        if masks:
            save(root / f"masks/{name}.png", labels)
        written[name] = image, labels
    return written


def deep_png(path: Path, values: np.ndarray) -> Path:
    """Write (H, W, 3) uint16 values as a PNG of 16 bits a channel (PNG specification, sections 5 and 11)."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def truncate(path: Path) -> Path:
    """Cut a file in half, as a broken download leaves it."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path
