"""The relations of the classes in annotated pictures, of which a model graph is the mean (Section II-A)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from segstudy.graphs import Regions
from segstudy.papers.graph_matching.edges import edge_attributes, require, unit_length


def class_relations(
    maps: Iterable[np.ndarray],
    num_classes: int,
    background: int | None,
    kind: str,
    unit: str,
    ignore_index: int,
) -> tuple[np.ndarray, float | None]:
    """Measure the relations of the classes in each picture: (N, C, C, e), nan where unknown, and the diagonal."""
    if not isinstance(num_classes, int | np.integer) or num_classes < 1:
        raise ValueError(f"num_classes must be a whole number of 1 or more, got {num_classes!r}")
    require("background", background, (None, *range(num_classes)))
    maps = [_checked_map(labels, number, num_classes, ignore_index) for number, labels in enumerate(maps)]
    if not maps:
        raise ValueError("maps must hold at least one annotated picture, got none: a model needs an example")
    diagonals = {unit_length(labels.shape, "diagonal") for labels in maps}
    if unit == "pixel" and len(diagonals) > 1:
        raise ValueError(
            f"maps differ in size (diagonals {min(diagonals):.1f} to {max(diagonals):.1f} pixels): resize them, or "
            "measure with unit='diagonal'"
        )
    relations = np.stack(
        [_relations(labels, num_classes, background, kind, unit, ignore_index) for labels in maps]
    )
    return relations, diagonals.pop() if unit == "pixel" else None


def mean_relations(relations: np.ndarray) -> np.ndarray:
    """Average (N, C, C, e) over the pictures that know a relation; nan where none does."""
    known = ~np.isnan(relations)
    with np.errstate(invalid="ignore"):
        return np.where(known, relations, 0).sum(axis=0) / known.sum(axis=0)


def _relations(
    labels: np.ndarray, num_classes: int, background: int | None, kind: str, unit: str, ignore_index: int
) -> np.ndarray:
    """Take each class as one region, whatever its parts, and measure."""
    present, ids, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    ids = ids.reshape(labels.shape).astype(np.int32)
    places = [np.bincount(ids.ravel(), weights=axis.ravel()) for axis in np.indices(labels.shape)]
    boxes = np.zeros((len(present), 4), dtype=np.int64)  # no relation reads them
    attributes = edge_attributes(
        Regions(ids, present, sizes, np.stack(places, 1) / sizes[:, None], boxes), kind, unit
    )
    kept = [k for k, c in enumerate(present) if c != ignore_index and c != background]
    relations = np.full((num_classes, num_classes, attributes.shape[2]), np.nan)
    relations[np.ix_(present[kept], present[kept])] = attributes[np.ix_(kept, kept)]
    return relations


def _checked_map(labels: np.ndarray, number: int, num_classes: int, ignore_index: int) -> np.ndarray:
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"maps[{number}] must hold integer class ids, got {labels.dtype}")
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"maps[{number}] must be (H, W) with at least one pixel, got shape {labels.shape}")
    wrong = (labels != ignore_index) & ((labels < 0) | (labels >= num_classes))
    if wrong.any():
        raise ValueError(
            f"maps[{number}] must hold classes 0..{num_classes - 1} or void {ignore_index}, got {labels[wrong][0]}"
        )
    return labels
