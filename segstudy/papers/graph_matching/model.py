"""The model graph Gm: one vertex per class, and the mean relations of the annotated pictures (Section II-A)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from segstudy.papers.graph_matching.relations import class_relations, mean_relations


@dataclass(frozen=True)
class ModelGraph:
    """The complete graph of C classes (the paper's Gm).

    Parameters
    ----------
    edges : (C, C, e) float64 ndarray
        Mean relation of every two classes; nan where no picture has both, or one is no vertex: nothing is known then,
        and nothing is paid.
    kind, unit : str
        What the edges measure and in what, as in `RegionGraph`.
    background : int or None
        The class that is no vertex.
    diagonal : float or None
        Diagonal of the annotated pictures in pixels, where the edges are in pixels: distances of pictures of another
        size would mean something else. None where that does not matter or is not known.
    """

    edges: np.ndarray
    kind: str = "minimum"
    unit: str = "pixel"
    background: int | None = None
    diagonal: float | None = None

    @classmethod
    def from_arrays(cls, distances: np.ndarray) -> ModelGraph:
        """Make a model without pictures, for toys, from the mean distances (C, C)."""
        return cls(np.asarray(distances, dtype=float)[:, :, None])

    @classmethod
    def from_label_maps(
        cls,
        maps: Iterable[np.ndarray],
        num_classes: int,
        *,
        background: int | None = None,
        edges: str = "minimum",
        unit: str = "pixel",
        ignore_index: int = 255,
    ) -> ModelGraph:
        """Average the relations of the classes over annotated pictures (Section II-A; III-B).

        A class is one region here, of however many parts. The mean of a pair runs over the pictures that hold both
        classes; the authors' later code takes only pictures that hold every class, which is the same on FASSEG.

        Parameters
        ----------
        maps : iterable of (H, W) int ndarray
            Annotations, cleaned of speckle (:func:`~segstudy.papers.graph_matching.cleaning.clean_labels`).
        num_classes : int
            C.
        background, edges, unit
            As in :func:`~segstudy.papers.graph_matching.graph.region_graph`; both graphs must agree.
        ignore_index : int
            Void, which is no region.

        Returns
        -------
        ModelGraph
            The model.

        Raises
        ------
        TypeError
            A map holds no integers.
        ValueError
            No map, an empty map, labels out of range, pictures of several sizes with distances in pixels.
        """
        relations, diagonal = class_relations(maps, num_classes, background, edges, unit, ignore_index)
        return cls(mean_relations(relations), edges, unit, background, diagonal)

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.edges)

    @property
    def membership(self) -> np.ndarray:
        """(C, C) attributes of the vertices: 1 for the own class, 0 for the others."""
        return np.eye(self.num_classes)

    @property
    def vertices(self) -> np.ndarray:
        """Classes that are vertices: all, or all but the background."""
        return np.array([c for c in range(self.num_classes) if c != self.background], dtype=np.int64)


def model_graphs(
    maps: Iterable[np.ndarray],
    num_classes: int,
    count: int,
    seed: int = 0,
    *,
    background: int | None = None,
    edges: str = "minimum",
    unit: str = "pixel",
    ignore_index: int = 255,
) -> list[ModelGraph]:
    """Make several model graphs, for scenes whose relations vary (pose): the paper's outlook in Section IV.

    The pictures are grouped by k-means on their relations, and each group has its own mean.

    Parameters
    ----------
    maps, num_classes, background, edges, unit, ignore_index
        As in :meth:`ModelGraph.from_label_maps`.
    count : int
        Groups, at most as many as pictures. Pictures with equal relations can make fewer.
    seed : int
        Of k-means.

    Returns
    -------
    list of ModelGraph
        One per group, the largest group first.

    Raises
    ------
    TypeError, ValueError
        As :meth:`ModelGraph.from_label_maps`, and for a `count` below 1 or above the number of pictures.
    """
    from sklearn.cluster import KMeans

    relations, diagonal = class_relations(maps, num_classes, background, edges, unit, ignore_index)
    if not 1 <= count <= len(relations):
        raise ValueError(f"count must lie between 1 and the number of maps, {len(relations)}, got {count!r}")
    mean = mean_relations(relations)
    # an unknown relation says nothing about the group: it stands at the mean
    known = np.nan_to_num(np.where(np.isnan(relations), mean, relations)).reshape(len(relations), -1)
    distinct = len(np.unique(known, axis=0))
    group = KMeans(min(count, distinct), n_init=10, random_state=seed).fit_predict(known)
    largest_first = np.argsort(-np.bincount(group), kind="stable")
    return [
        ModelGraph(mean_relations(relations[group == g]), edges, unit, background, diagonal)
        for g in largest_first
    ]
