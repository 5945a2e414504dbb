"""What drawn data sets share: how a picture follows from a seed, how a set is opened, and how it is frozen.

A picture is decided by (seed, split, index): it depends neither on the number of pictures nor on their size, and splits
draw from disjoint streams. A frozen set has a lock, digests of its pictures that are committed before any method is
scored on them; a test draws them anew.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.files import Window, crop, require_choice
from segstudy.datasets.resizing import require_size
from segstudy.datasets.sample import Dataset, Sample

SMALLEST = 32  # pixels: below, what is drawn is thinner than one

Draw = Callable[..., tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)  # compared by identity, and so a key of the cache
class Generated:
    """A drawn data set.

    Parameters
    ----------
    card : Card
    splits : mapping of str to int
        How many pictures each holds by default.
    classes : tuple of str
    colours : tuple of three ints each
    draw : callable
        `draw(index, size, scene, sensor)` returns a (H, W, C) uint8 picture and (H, W) uint8 labels. What is in the
        picture comes from the generator `scene`, whatever the size; noise of the pixels from `sensor`, the last one.
    size : tuple of int
        (height, width) by default.
    lock_size : tuple of int
        At which the lock's pictures are drawn.
    streams : int
        How many generators `draw` takes.
    kinds : int
        Image-level labels 1..kinds, index modulo kinds plus 1; 0: the classes that the mask shows.
    """

    card: Card
    splits: Mapping[str, int]
    classes: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    draw: Draw
    size: tuple[int, int] = (224, 224)
    lock_size: tuple[int, int] = (64, 64)
    streams: int = 2
    kinds: int = 0

    def open(
        self,
        root: Path | None,
        split: str,
        supervision: str,
        *,
        size: tuple[int, int] | None = None,
        count: int | None = None,
        seed: int = 0,
    ) -> Dataset:
        """Open the data set.

        Parameters
        ----------
        root : Path
            Ignored: there are no files.
        split : str
            One of its splits.
        supervision : "full", "image" or "none"
        size : tuple of int, optional
            (height, width), at least 32 each; the same scenes are drawn at every size.
        count : int, optional
            How many pictures; by default as many as the split holds. The first ones stay the same.
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
        require_choice("split", split, self.splits)
        shape = require_size(self.size if size is None else size, SMALLEST)
        number = self.splits[split] if count is None else _require_integer("count", count, 1)
        origin = _require_integer("seed", seed, 0)
        return Dataset(
            self.card.name,
            split=split,
            supervision=supervision,
            samples=[_sample(self, split, index, shape, origin) for index in range(number)],
            classes=self.classes,
            colours=self.colours,
            card=self.card,
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


def generators(what: Generated, split: str, index: int, seed: int) -> list[np.random.Generator]:
    """Return the generators of a picture, one for each purpose."""
    key = (list(what.splits).index(split), index)
    streams = (np.random.SeedSequence(seed, spawn_key=(*key, purpose)) for purpose in range(what.streams))
    return [np.random.Generator(np.random.PCG64(stream)) for stream in streams]


def digests(what: Generated, split: str) -> dict[str, Any]:
    """Return what the lock holds of one split, drawn now.

    `pixels` is the sha256 of all labels and of the pictures in 16 grey levels; `areas` and `mean` tell a pixel that a
    processor's last digit moved from another picture.
    """
    pixels, areas, mean = hashlib.sha256(), np.zeros(len(what.classes), np.int64), 0.0
    for index in range(what.splits[split]):
        image, labels = _drawn(what, split, index, what.lock_size, 0)
        pixels.update((image // 16).tobytes() + labels.tobytes())
        areas += np.bincount(labels.ravel(), minlength=len(what.classes))
        mean += image.mean((0, 1)) / what.splits[split]
    count = what.splits[split]
    return {
        "count": count,
        "pixels": pixels.hexdigest(),
        "areas": areas.tolist(),
        "mean": np.round(mean, 2).tolist(),
    }


def lock_of(name: str) -> Path:
    """Return the lock of a drawn set."""
    return Path(__file__).with_name(f"{name}.lock.json")


def freeze(what: Generated) -> None:
    """Write the lock: only before any method is scored on the set; a changed lock makes every such number stale."""
    splits = {split: digests(what, split) for split in what.splits}
    content = {"seed": 0, "size": list(what.lock_size), "splits": splits}
    lock_of(what.card.name).write_text(json.dumps(content, indent=2) + "\n")


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: float) -> np.ndarray:
    """Draw a smooth random field, mean about 0 and deviation about 1, of so many hills across the shorter side.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : tuple of int
        Height and width; the field is the same at every size of the same proportions.
    cells : float

    Returns
    -------
    size float ndarray
    """
    from scipy.ndimage import map_coordinates

    lattice = rng.standard_normal((int(2 * cells) + 5,) * 2)
    short = min(size)
    at = [(np.arange(side) + 0.5) / short * cells + 1 for side in size]
    at = [np.minimum(axis, len(lattice) - 2) for axis in at]
    return 1.5 * map_coordinates(lattice, np.meshgrid(*at, indexing="ij"), order=3, mode="nearest")


def _sample(what: Generated, split: str, index: int, size: tuple[int, int], seed: int) -> Sample:
    readers = (partial(_read, what, which, split, index, size, seed) for which in (0, 1))
    kind = frozenset([index % what.kinds + 1]) if what.kinds else None
    given = {"read_size": partial(tuple, size), "drawn_from": f"{split} {index} {size} {seed}"}
    return Sample(f"{split}-{index:03d}", *readers, kind, **given)


def _read(
    what: Generated,
    which: int,
    split: str,
    index: int,
    size: tuple[int, int],
    seed: int,
    window: Window | None = None,
) -> np.ndarray:
    """Return a copy of the picture (`which` 0) or its labels (1) within the window."""
    return crop(_drawn(what, split, index, size, seed)[which], window).copy()


@lru_cache(maxsize=96)  # a training set: drawing takes longer than a step on it
def _drawn(
    what: Generated, split: str, index: int, size: tuple[int, int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    return what.draw(index, size, *generators(what, split, index, seed))
