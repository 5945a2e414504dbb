"""From a picture and a segmenter to label map, overlay and soft map, and these to files."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from segstudy.datasets.files import file_key, label_colours
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.datasets.sample import Sample
from segstudy.errors import StudyError
from segstudy.experiments.images.reading import read_picture, working_size
from segstudy.files import write_bytes
from segstudy.plots.overlays import overlay
from segstudy.plots.palettes import palette
from segstudy.segmenter import Segmenter

DISTINCT = 25  # labels that `palette` has colours for


@dataclass(frozen=True)
class Segmentation:
    """What a method made of a picture.

    Parameters
    ----------
    labels : (H, W) uint8 ndarray
        At the picture's own size.
    soft : (h, w, C) float16 ndarray, optional
        Probabilities at the size that was worked on.
    seconds : float
        Of the method alone, without reading and writing.
    """

    labels: np.ndarray
    soft: np.ndarray | None
    seconds: float


def segment_picture(segmenter: Segmenter, image: np.ndarray, soft: bool = False) -> Segmentation:
    """Label a picture of any size.

    A picture of more than `MOST` pixels is reduced first and its labels are brought back by nearest neighbour; one with
    a side below `LEAST` is enlarged.

    Parameters
    ----------
    segmenter : Segmenter
        Fitted; its labels are those of highest probability.
    image : (H, W, 3) uint8 ndarray
    soft : bool
        Whether the probabilities are kept.
    """
    worked = _worked(image)
    started = time.perf_counter()
    values = segmenter.probabilities(worked) if soft else None
    labels = segmenter.segment(worked) if values is None else values.argmax(axis=2)
    seconds = time.perf_counter() - started
    kept = None if values is None else values.astype(np.float16)
    return Segmentation(resize_labels(labels, image.shape[:2]).astype(np.uint8), kept, seconds)


def is_resized(size: tuple[int, int]) -> bool:
    """Return whether a picture of (height, width) is worked on at another size than its own."""
    return working_size(size) != tuple(size)


def size_note(size: tuple[int, int]) -> str:
    """Return the sentence that says at which size a picture was worked on; empty where it is its own."""
    if not is_resized(size):
        return ""
    (height, width), (rows, columns) = size, working_size(size)
    way = "reduced" if rows * columns < height * width else "enlarged"
    return (
        f"Worked on at {columns} x {rows} pixels, {way} from {width} x {height}; its labels were brought back by "
        "nearest neighbour."
    )


def readable_samples(paths: Iterable[Path]) -> list[Sample]:
    """Return those picture files that can be read as samples without labels, at the size that is worked on."""
    samples = []
    for path in paths:
        try:
            read_picture(path)
        except StudyError:  # named where the picture's turn comes
            continue
        samples.append(Sample(file_key(path), partial(_read_worked, path), files=(path,)))
    return samples


def _read_worked(path: Path, window: None = None) -> np.ndarray:
    return _worked(read_picture(path)[0])


def _worked(image: np.ndarray) -> np.ndarray:
    """Return a picture at the size that is worked on."""
    return resize_image(image, working_size(image.shape[:2])) if is_resized(image.shape[:2]) else image


def shown_colours(count: int) -> np.ndarray:
    """Return colours for overlays, (count, 3) uint8: those a colour-blind reader can tell apart, while they last."""
    return palette(count) if count <= DISTINCT else label_colours(count)


def paint(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the overlay of labels on a picture, (H, W, 3) uint8."""
    return overlay(image, labels, shown_colours(int(labels.max()) + 1), alpha=0.45)


def label_png(labels: np.ndarray) -> bytes:
    """Return a label map as a palette PNG that can serve as a mask: its colours are PASCAL VOC's of the ids."""
    picture = Image.fromarray(labels, mode="P")
    picture.putpalette(label_colours(256).tobytes())
    return encode(picture, "PNG")


def encode(picture: Image.Image, kind: str, **options: int) -> bytes:
    """Return a picture in a file format that PIL knows by `kind`."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def write_segmentation(folder: Path, name: str, image: np.ndarray, found: Segmentation) -> np.ndarray:
    """Write ``labels/NAME.png``, ``overlays/NAME.png`` and, where it was kept, ``soft/NAME.npz`` (``probabilities``).

    Each file is written aside and renamed.

    Parameters
    ----------
    folder : Path
        Of one method.
    name : str
    image : (H, W, 3) uint8 ndarray
    found : Segmentation

    Returns
    -------
    (H, W, 3) uint8 ndarray
        The overlay.
    """
    painted = paint(image, found.labels)
    write_bytes(folder / "labels" / f"{name}.png", label_png(found.labels))
    write_bytes(folder / "overlays" / f"{name}.png", encode(Image.fromarray(painted), "PNG"))
    if found.soft is not None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, probabilities=found.soft)
        write_bytes(folder / "soft" / f"{name}.npz", buffer.getvalue())
    return painted


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for the outputs of each file: its stem, numbered where another has it, whatever the case.

    Examples
    --------
    >>> distinct_names([Path("a/cat.jpg"), Path("b/cat.png"), Path("b/Cat.png"), Path("cat-2.png")])
    ['cat', 'cat-2', 'Cat-3', 'cat-2-2']
    """
    taken: set[str] = set()
    names = []
    for path in paths:
        name, number = path.stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
