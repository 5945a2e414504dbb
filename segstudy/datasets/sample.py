"""What a method sees of a data set: lazy samples, never more than it was opened for.

A data set is opened with one of three levels of supervision. `"full"` gives masks, `"image"` gives the set
of classes that an image shows and no mask, `"none"` gives pictures alone. The level is enforced where the
data set is built: the reader of the masks is dropped from every sample, so that a weakly supervised method
cannot look by accident.
"""

from __future__ import annotations

import hashlib
import json
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID, Window, require_choice
from segstudy.errors import StudyError
from segstudy.fingerprint import module_closure

_ROOT = Path(__file__).resolve().parents[2]
SUPERVISIONS = ("full", "image", "none")
Reader = Callable[[Window | None], np.ndarray]


def present_classes(labels: np.ndarray) -> frozenset[int]:
    """Return the class ids that a label map holds, `VOID` left out and background kept.

    Parameters
    ----------
    labels : (H, W) int ndarray

    Returns
    -------
    frozenset of int
    """
    return frozenset(int(label) for label in np.unique(labels)) - {VOID}


class Sample:
    """One picture and what is known about it; every access decodes anew and keeps nothing but the size.

    Picture and labels must have one size: whichever is read second raises a StudyError where it has another.

    Parameters
    ----------
    name : str
        Unique within its data set, usable as a file name.
    read_image : callable
        `read_image(window)` returns the (h, w, C) uint8 picture inside the window, the whole picture for
        None. A module-level function with `functools.partial` keeps the sample picklable.
    read_labels : callable or None
        `read_labels(window)` returns the (h, w) int label map; None where there is no mask.
    image_labels : frozenset of int, or callable returning one, or None
        Image-level labels that come from elsewhere than the mask; None: the classes the mask shows.
    files, label_files : sequence of Path
        What `read_image` and `read_labels` read, for the fingerprint; empty for a generated sample.
    read_size : callable, optional
        `read_size()` returns the picture's height and width without decoding it; None: it is decoded.
    drawn_from : str, optional
        What a drawing function was given, where picture and labels are drawn: with its code it decides them.
    """

    def __init__(
        self,
        name: str,
        read_image: Reader,
        read_labels: Reader | None = None,
        image_labels: frozenset[int] | Callable[[], frozenset[int]] | None = None,
        files: Sequence[Path] = (),
        label_files: Sequence[Path] = (),
        read_size: Callable[[], tuple[int, int]] | None = None,
        drawn_from: str | None = None,
    ) -> None:
        self.name = name
        self._drawn_from = drawn_from
        self._read_size = read_size
        self._size: tuple[int, int] | None = None
        self._read_image = read_image
        self._read_labels = read_labels
        self._image_labels = image_labels
        self._files = tuple(files)
        self._label_files = tuple(label_files)

    def __repr__(self) -> str:
        return f"Sample({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle carries: below full supervision the classes, never the way to the mask."""
        if callable(self._image_labels):
            self._image_labels = self._image_labels()
        return vars(self).copy()

    @property
    def image(self) -> np.ndarray:
        """The whole picture, (H, W, C) uint8."""
        return self._agreeing(self._read_image(None))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        if self._size is None:
            self._size = tuple(self._read_size() if self._read_size else self._read_image(None).shape[:2])
        return self._size

    @property
    def labels(self) -> np.ndarray | None:
        """The whole label map, (H, W) int, `VOID` where nothing is scored; None where it may not be seen."""
        return None if self._read_labels is None else self._agreeing(self._read_labels(None))

    def _agreeing(self, array: np.ndarray) -> np.ndarray:
        """Return a whole picture or label map; a StudyError names the sample where its size is not the other's."""
        if self._size is None:
            self._size = tuple(self._read_size()) if self._read_size else array.shape[:2]
        if array.shape[:2] != self._size:
            raise StudyError(
                f"picture and labels of {self.name!r} differ in size, {array.shape[:2]} and {self._size} (height, "
                "width): they do not belong together, or one of the two is turned"
            )
        return array

    @property
    def image_labels(self) -> frozenset[int] | None:
        """The classes that the image shows, or None where they may not be seen."""
        if self._image_labels is None and self._read_labels is not None:
            return present_classes(self._agreeing(self._read_labels(None)))
        if callable(self._image_labels):
            self._image_labels = self._image_labels()
        return self._image_labels

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray | None]:
        """Return picture and labels inside a window.

        BMP, PNG and JPEG have to be decoded whole before they are cropped; a format that stores tiles is
        read in part.

        Parameters
        ----------
        window : tuple of int
            (row, column, height, width) in pixels of `image`.

        Returns
        -------
        image : (height, width, C) uint8 ndarray
        labels : (height, width) int ndarray or None

        Raises
        ------
        ValueError
            Where the window is empty or reaches outside the picture.
        """
        return self._read_image(window), None if self._read_labels is None else self._read_labels(window)

    def restricted(self, supervision: str) -> Sample:
        """Return this sample as a data set opened with `supervision` may show it.

        Parameters
        ----------
        supervision : "full", "image" or "none"

        Returns
        -------
        Sample
            Below `"full"` it holds neither the reader of the mask nor the name of its file.
        """
        if supervision == "full":
            return self
        known = None
        if supervision == "image":
            known = self._image_labels if self._image_labels is not None else _hide(self._read_labels)
        kept = {"read_size": self._read_size, "drawn_from": self._drawn_from}
        return Sample(self.name, self._read_image, None, known, self._files, **kept)

    def digest(self, code: bool = False) -> bytes:
        """Return the sha256 over the name and what can be read: file names and bytes, or arrays.

        Where the drawing `code` is digested elsewhere, what it was given stands for the arrays: drawing takes long.
        """
        total = hashlib.sha256(self.name.encode(errors="surrogateescape") + b"\0")
        if code and self._drawn_from is not None:
            seen = self._read_labels is not None, self._image_labels is not None
            total.update(f"drawn from {self._drawn_from}, seen {seen}".encode())
            return total.digest()
        for path in self._files + self._label_files:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            total.update(os.fsencode(path.name) + b"\0" + content)
        if not self._files:
            arrays = [self.image] if self._read_labels is None else [self.image, self.labels]
            for array in arrays:
                total.update(
                    f"{array.dtype.str} {array.shape} ".encode() + np.ascontiguousarray(array).tobytes()
                )
        if self._read_labels is None and self.image_labels is not None:
            total.update(f"classes {sorted(self.image_labels)}".encode())
        return total.digest()

    def files(self) -> tuple[Path, ...]:
        """Return the files this sample may return the content of; a hidden mask's file is not among them."""
        return self._files + self._label_files


def _hide(read_labels: Reader | None) -> Callable[[], frozenset[int]] | None:
    """Return a function that gives a mask's classes and nothing else: the mask is in its closure alone."""
    return None if read_labels is None else lambda: present_classes(read_labels(None))


class Dataset(Sequence[Sample]):
    """Samples in a fixed order, with their classes and where they come from.

    Parameters
    ----------
    name, split : str
    supervision : "full", "image" or "none"
        Enforced here: each sample is stripped of what the level does not allow.
    samples : iterable of Sample
    classes : sequence of str
        Names of the label ids 0..C-1.
    colours : (C, 3) uint8 array_like
        A display colour for each class.
    card : Card
    image_classes : sequence of str, optional
        Names of the ids in `image_labels` where they are not `classes` (a binary mask of one of many
        species).
    note : str
        How much of the published data set was found.
    parameters : mapping, optional
        Options that change what the samples return, as plain values: they are part of the fingerprint.

    Raises
    ------
    ValueError
        Where `supervision` is unknown, or `colours` does not hold one colour for each class.
    """

    def __init__(
        self,
        name: str,
        *,
        split: str,
        supervision: str,
        samples: Iterable[Sample],
        classes: Sequence[str],
        colours: Any,
        card: Card,
        image_classes: Sequence[str] | None = None,
        note: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.supervision = require_choice("supervision", supervision, SUPERVISIONS)
        self.name, self.split, self.card, self.note = name, split, card, note
        self.classes = tuple(classes)
        self.image_classes = self.classes if image_classes is None else tuple(image_classes)
        self.colours = np.asarray(colours, dtype=np.uint8)
        if self.colours.shape != (len(self.classes), 3):
            raise ValueError(
                f"colours has shape {self.colours.shape}; expected {(len(self.classes), 3)}, one per class"
            )
        self.parameters = dict(parameters or {})
        self.loader: Path | None = None  # the module that opened it, where `open_dataset` did
        self._samples = tuple(sample.restricted(supervision) for sample in samples)

    def __len__(self) -> int:
        return len(self._samples)

    def __repr__(self) -> str:
        return f"<{self.name}/{self.split}: {len(self)} samples, supervision {self.supervision!r}>"

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Dataset: ...

    def __getitem__(self, index: int | slice) -> Sample | Dataset:
        if isinstance(index, slice):
            return self.take(range(*index.indices(len(self))))
        return self._samples[operator.index(index)]

    def take(self, indices: Iterable[int]) -> Dataset:
        """Return the data set of the samples at `indices`, in that order.

        Parameters
        ----------
        indices : iterable of int

        Returns
        -------
        Dataset
            With the same supervision, classes, card and note: the note tells of what was opened.
        """
        subset = object.__new__(Dataset)
        vars(subset).update(vars(self), _samples=tuple(self._samples[operator.index(i)] for i in indices))
        return subset

    def files(self) -> list[Path]:
        """Return the files whose content the samples can return, in order; empty for a generated data set."""
        return [path for sample in self for path in sample.files()]

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of all the samples can return: parameters, names, file names and bytes.

        The code that opened the set is part of it: another loader may read another mask out of the same file, and
        drawn pictures count by this code and what it was given. The fingerprint depends on the order of the samples,
        and neither on where the files lie nor on their order on disk. Below full supervision it covers the pictures
        and the image-level labels that are given, not the masks.
        """
        code = module_closure(self.loader, _ROOT) if self.loader else {}
        total = hashlib.sha256(json.dumps([self.parameters, code], sort_keys=True).encode())
        for sample in self:
            total.update(sample.digest(code=bool(code)))
        return total.hexdigest()

    def plot(self, index: int, ax: Any = None) -> Any:
        """Draw one sample, its labels over the picture where it has any, and return the matplotlib axes."""
        import matplotlib.pyplot as plt

        from segstudy.plots import overlay

        sample = self[index]
        ax = plt.subplots()[1] if ax is None else ax
        image, labels = sample.image, sample.labels
        ax.imshow(image if labels is None else overlay(image, labels, self.colours))
        ax.set_title(sample.name)
        ax.set_axis_off()
        return ax
