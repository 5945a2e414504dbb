"""The pictures of notebook 06: one training and one test set for every method, at one size."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from segstudy.datasets.files import crop
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.datasets.sample import Sample
from segstudy.experiments.parts import open_part, spaced, squares


class Task(NamedTuple):
    """Pictures to learn from, pictures to be judged on, and what a method may know of both.

    Parameters
    ----------
    name : str
        As it is called in tables.
    train, test : str
        Data sets with their splits; the second is read for its scores alone.
    images, tested : int
        Of each, evenly spaced; 0: all.
    longest : int
        Pixels of a picture's longer side; larger ones are shrunk to it.
    patch : int
        Pictures are cut into squares of it that do not overlap; 0: they stay whole.
    clusters : int
        Of a method that is told nothing.
    whole : bool
        Whether classes recur from picture to picture, so that clusters can be named once for the whole test set.
    told : list of str
        What a method may be told here, of `TOLD`.
    matched : bool
        Whether classes lie to one another as in a face, and a class has one region: graph matching applies.
    swap : list of [int, int]
        Classes that a mirrored picture exchanges.
    """

    name: str
    train: str
    test: str
    images: int
    tested: int
    longest: int
    clusters: int
    told: tuple[str, ...]
    patch: int = 0
    whole: bool = True
    matched: bool = False
    swap: tuple[tuple[int, int], ...] = ()


NOTHING, LABELS, CLICKS, FEW, ALL = (
    "nothing",
    "classes of the picture",
    "clicks",
    "few masks",
    "all masks",
)
TOLD = (NOTHING, LABELS, CLICKS, FEW, ALL)
# Of the training pictures; clicks are made in the pictures that are segmented.
SUPERVISION = {NOTHING: "none", LABELS: "image", CLICKS: "none", FEW: "full", ALL: "full"}


def task_of(given: dict[str, Any]) -> Task:
    """Return a task out of plain values; lists become tuples."""
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    plain["swap"] = tuple(tuple(pair) for pair in plain.get("swap", ()))
    unknown = set(plain["told"]) - set(TOLD)
    if unknown:
        raise ValueError(f"told must be of {', '.join(TOLD)}, got {sorted(unknown)}")
    return Task(**plain)


def training_samples(task: Task, told: str) -> list[Sample]:
    """Return the training pictures in memory, with no more of their annotation than a method may be told."""
    return _samples(task.train, task.images, task, SUPERVISION[told])


def test_samples(task: Task) -> list[Sample]:
    """Return the test pictures in memory, with the truth that scores."""
    return _samples(task.test, task.tested, task, "full")


@lru_cache(maxsize=6)  # of two tasks what is told in each of three ways
def _samples(dataset: str, count: int, task: Task, supervision: str) -> list[Sample]:
    if not task.patch:
        return [in_memory(sample, task.longest) for sample in open_part(dataset, count, supervision)]
    parts = [
        shrunk(name, image, labels, None, task.longest)
        for sample in open_part(dataset, 0, supervision)
        for name, image, labels in squares(sample, task.patch)
    ]
    return spaced(parts, count or len(parts))


def in_memory(sample: Sample, longest: int) -> Sample:
    """Return a sample that is read once, its longer side of at most so many pixels."""
    labels = sample.labels
    known = sample.image_labels if labels is None else None
    return shrunk(sample.name, sample.image, labels, known, longest)


def shrunk(
    name: str, image: np.ndarray, labels: np.ndarray | None, known: frozenset[int] | None, longest: int
) -> Sample:
    """Return a sample of a picture and its labels, its longer side of at most so many pixels."""
    factor = longest / max(image.shape[:2])
    if factor < 1:
        size = tuple(max(1, round(side * factor)) for side in image.shape[:2])
        image = resize_image(image, size)
        labels = None if labels is None else resize_labels(labels, size)
    read = None if labels is None else partial(crop, labels)
    return Sample(name, partial(crop, image), read, known, read_size=partial(tuple, image.shape[:2]))
