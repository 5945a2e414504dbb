"""Generated portraits with the nine regions of FASSEG: pictures for graph matching that need no download.

Nothing of a photograph is in them. Their proportions were measured on the published annotations (see
`faces_parameters`); what is drawn besides, from glasses to stray blobs in a part's colours, makes a small network
err in structure and not at borders alone. A picture is decided by (seed, split, index): it depends neither on the
number of pictures nor on their size, and the three splits draw from disjoint seed streams.

The default set is frozen: `faces.lock.json` holds digests of the parameters and of the pictures of every split, and
a test draws them anew. `python -m segstudy.datasets.faces --freeze` writes the file; that is allowed only before any
method is scored on the set, and a changed file makes every number that was reported on it stale.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import operator
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.faces_drawing import draw
from segstudy.datasets.faces_parameters import draw_parameters
from segstudy.datasets.fasseg import CLASSES, COLOURS
from segstudy.datasets.files import Window, crop, require_choice
from segstudy.datasets.resizing import require_size
from segstudy.datasets.sample import Dataset, Sample

SPLITS = {"train": 20, "val": 10, "test": 50}
SIZE = (160, 112)
SMALLEST = 32  # below, a brow is thinner than a pixel
LOCK = Path(__file__).with_name("faces.lock.json")
LOCK_SIZE = (80, 56)

CARD = Card(
    name="faces",
    title="generated portraits with the nine FASSEG regions",
    what="drawn frontal faces, each pixel one of 9 classes; right (image left) and left brow and eye are two",
    how_many="20 training, 10 validation and 50 test pictures; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/faces.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


def open_faces(
    root: Path,
    split: str,
    supervision: str,
    *,
    size: tuple[int, int] = SIZE,
    count: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Open the generated faces.

    Parameters
    ----------
    root : Path
        Ignored: there are no files.
    split : "train", "val" or "test"
    supervision : "full", "image" or "none"
    size : tuple of int
        (height, width), at least 32 each; the same faces are drawn at every size, stretched to its proportions as
        FASSEG's photographs are to 512 x 352.
    count : int, optional
        How many pictures; by default 20, 10 and 50. The first ones stay the same.
    seed : int
        0 is the frozen set.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        Where `split` is unknown, or `size`, `count` or `seed` is not in its range.
    """
    require_choice("split", split, SPLITS)
    shape = require_size(size, SMALLEST)
    number = SPLITS[split] if count is None else _require_integer("count", count, 1)
    origin = _require_integer("seed", seed, 0)
    return Dataset(
        CARD.name,
        split=split,
        supervision=supervision,
        samples=[_sample(split, index, shape, origin) for index in range(number)],
        classes=CLASSES,
        colours=COLOURS,
        card=CARD,
        note=f"{number} pictures drawn",
        parameters={"size": list(shape), "seed": origin},
    )


def _require_integer(argument: str, value: int, least: int) -> int:
    """Return `value` as an int of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{argument} is {value!r}; expected an integer of at least {least}")
    return number


def _sample(split: str, index: int, size: tuple[int, int], seed: int) -> Sample:
    """Return the sample of one portrait; every portrait shows all classes."""
    read_image = partial(_read, 0, split, index, size, seed)
    read_labels = partial(_read, 1, split, index, size, seed)
    return Sample(f"{split}-{index:03d}", read_image, read_labels, frozenset(range(len(CLASSES))))


def _read(
    which: int, split: str, index: int, size: tuple[int, int], seed: int, window: Window | None = None
) -> np.ndarray:
    """Return a copy of the picture (`which` 0) or its labels (1) within the window."""
    return crop(_portrait(split, index, size, seed)[which], window).copy()


@lru_cache(maxsize=96)  # a training set, at most 70 MB at 512 x 352: drawing takes longer than a step on it
def _portrait(split: str, index: int, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one portrait: (H, W, 3) uint8 picture and (H, W) uint8 labels."""
    shape, texture, sensor = _generators(split, index, seed)
    return draw(draw_parameters(shape), size, texture, sensor)


def _generators(split: str, index: int, seed: int) -> list[np.random.Generator]:
    """Return the three generators of a portrait: its parameters, its textures, its sensor noise."""
    key = (list(SPLITS).index(split), index)
    streams = (np.random.SeedSequence(seed, spawn_key=(*key, purpose)) for purpose in range(3))
    return [np.random.Generator(np.random.PCG64(stream)) for stream in streams]


# The frozen set -------------------------------------------------------------------------------------------------


def digests(split: str) -> dict[str, Any]:
    """Return what the lock holds of one split, drawn now.

    Parameters
    ----------
    split : "train", "val" or "test"

    Returns
    -------
    dict
        `count`; `parameters`, sha256 of all parameters to nine decimals; `pixels`, sha256 of all labels and of the
        pictures in 16 grey levels, drawn at 80 x 56; `areas`, the pixels of each class, and `mean`, the mean colour:
        where processors differ in the last digit of a sine, a pixel may in principle fall on the other side of a
        border (the odds are about 1 in 10^6 for the set), and these two tell such a pixel from another picture.
    """
    parameters, pixels = hashlib.sha256(), hashlib.sha256()
    areas, mean = np.zeros(len(CLASSES), np.int64), np.zeros(3)
    for index in range(SPLITS[split]):
        face = draw_parameters(_generators(split, index, 0)[0])
        parameters.update(json.dumps(_plain(face), sort_keys=True).encode())
        image, labels = _portrait(split, index, LOCK_SIZE, 0)
        pixels.update((image // 16).tobytes() + labels.tobytes())
        areas += np.bincount(labels.ravel(), minlength=len(CLASSES))
        mean += image.mean((0, 1)) / SPLITS[split]
    return {
        "count": SPLITS[split],
        "parameters": parameters.hexdigest(),
        "pixels": pixels.hexdigest(),
        "areas": areas.tolist(),
        "mean": mean.round(2).tolist(),
    }


def _plain(value: Any) -> Any:
    """Return parameters as what JSON can hold, numbers to nine decimals."""
    if isinstance(value, SimpleNamespace):
        return {name: _plain(part) for name, part in vars(value).items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(part) for part in value]
    return value if isinstance(value, str) else round(float(value), 9)


def freeze() -> None:
    """Write `faces.lock.json`: only before any method is scored on the set."""
    content = {"seed": 0, "size": list(LOCK_SIZE), "splits": {split: digests(split) for split in SPLITS}}
    LOCK.write_text(json.dumps(content, indent=2) + "\n")


def main() -> None:
    """Compare the lock with what is drawn now, or rewrite it."""
    parser = argparse.ArgumentParser(description="the frozen generated faces")
    parser.add_argument("--freeze", action="store_true", help="rewrite the lock (see the module's text)")
    if parser.parse_args().freeze:
        freeze()
    frozen = json.loads(LOCK.read_text())["splits"]
    for split in SPLITS:
        print(split, "as frozen" if digests(split) == frozen[split] else "NOT as frozen")


if __name__ == "__main__":
    main()
