"""The hypothesis graph Gr: what a network's probability map says, as regions and relations (Section II-A)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix

from segstudy.graphs import regions
from segstudy.papers.graph_matching.edges import edge_attributes, require, unit_length
from segstudy.segmenter import check_probabilities

BYTES_A_PAIR = 83  # of regions, at the peak of a matching: 5,386 regions took 2.4 GB
MOST_REGIONS = 5_000  # 2 GB


@dataclass(frozen=True)
class RegionGraph:
    """The complete graph of the n regions of one segmentation, for C classes (the paper's Gr).

    Parameters
    ----------
    map : (H, W) int ndarray
        The region of every pixel, 0..n-1; -1 where the background is no vertex.
    classes : (n,) int64 ndarray
        The class that the network gave each region: region i is a candidate of class classes[i] alone (the sets
        R*_c).
    sizes : (n,) int64 ndarray
        Pixels.
    centroids : (n, 2) float64 ndarray
        Mean row and column, in the unit of the edges.
    membership : (n, C) float64 ndarray
        Mean class probabilities A(v) (Eq. 2).
    edges : (n, n, e) float64 ndarray
        Attributes D of the edges (Eq. 3).
    kind, unit : str
        What the edges measure and in what, see :func:`~segstudy.papers.graph_matching.edges.edge_attributes`.
    background : int or None
        The class that is no vertex, or None when all classes are.
    """

    map: np.ndarray
    classes: np.ndarray
    sizes: np.ndarray
    centroids: np.ndarray
    membership: np.ndarray
    edges: np.ndarray
    kind: str = "minimum"
    unit: str = "pixel"
    background: int | None = None

    @classmethod
    def from_arrays(cls, classes: np.ndarray, membership: np.ndarray, distances: np.ndarray) -> RegionGraph:
        """Make a graph without a picture, for toys: classes (n,), membership (n, C), distances (n, n)."""
        n = len(classes)
        return cls(
            map=np.arange(n)[None],
            classes=np.asarray(classes, dtype=np.int64),
            sizes=np.ones(n, dtype=np.int64),
            centroids=np.stack([np.zeros(n), np.arange(n)], axis=1),
            membership=np.asarray(membership, dtype=float),
            edges=np.asarray(distances, dtype=float)[:, :, None],
        )

    def __len__(self) -> int:
        """Count the regions."""
        return len(self.classes)

    @property
    def num_classes(self) -> int:
        """C."""
        return self.membership.shape[1]

    @property
    def diagonal(self) -> float:
        """Length of the picture's diagonal, in pixels."""
        return unit_length(self.map.shape, "diagonal")

    def paint(self, classes: np.ndarray) -> np.ndarray:
        """Colour the map: (H, W) int64 labels from one class per region, (n,); the background stays itself."""
        classes = np.asarray(classes)
        if classes.shape != (len(self),):
            raise ValueError(
                f"classes must hold one class for each of {len(self)} regions, got {classes.shape}"
            )
        outside = 0 if self.background is None else self.background
        # region -1, no vertex, finds its colour at the end of the table
        return np.append(classes, outside).astype(np.int64)[self.map]


def region_graph(
    label_map: np.ndarray | None,
    probabilities: np.ndarray,
    *,
    connectivity: int = 2,
    background: int | None = None,
    edges: str = "minimum",
    unit: str = "pixel",
) -> RegionGraph:
    r"""Build the hypothesis graph of one segmentation.

    The vertices are the connected components of the map
    :math:`L^*(i,j) = \arg\max_c S(i,j,c)` (Chopin et al. 2020, Eq. 1), with the attributes

    .. math:: A(v)[c] = \frac{1}{|R_v|} \sum_{(i,j) \in R_v} S(i,j,c) \qquad \text{(Eq. 2)}

    and the edges carry the distances of the regions (Eq. 3).

    Parameters
    ----------
    label_map : (H, W) int ndarray or None
        Class ids 0..C-1, if they are not to be the arg max of `probabilities` (None).
    probabilities : (H, W, C) float ndarray, rows sum to 1
        The network's output S.
    connectivity : {1, 2}
        4 or 8 neighbours. The paper does not say which; the authors' later code takes 8.
    background : int or None
        A class that is no vertex. The paper counts the background among its C vertices (None); the authors' later
        code leaves it out (0).
    edges : {"minimum", "centroid", "maximum", "minimum+maximum"}
        The relation D; the paper's is the minimum.
    unit : {"pixel", "diagonal"}
        Pixels, as in the paper, or fractions of the picture's diagonal.

    Returns
    -------
    RegionGraph
        n regions in raster order of their first pixel.

    Raises
    ------
    TypeError
        The labels are no integers, or the probabilities no floats.
    ValueError
        Labels out of range, sizes that differ, an empty map, probabilities that are none, an unknown option, more than
        `MOST_REGIONS` regions.
    """
    check_probabilities(probabilities)
    label_map = probabilities.argmax(axis=2) if label_map is None else label_map  # Chopin et al. 2020, Eq. 1
    _check_labels(label_map, probabilities.shape)
    require("background", background, (None, *range(probabilities.shape[2])))
    found = regions(label_map, connectivity)
    check_memory(len(found))
    attributes = edge_attributes(found, edges, unit)
    keep = np.ones(len(found), dtype=bool) if background is None else found.classes != background
    new_id = np.where(keep, np.cumsum(keep) - 1, -1)
    return RegionGraph(
        map=found.map if keep.all() else new_id[found.map],
        classes=found.classes[keep].astype(np.int64),
        sizes=found.sizes[keep],
        centroids=found.centroids[keep] / unit_length(label_map.shape, unit),
        membership=mean_membership(found.map, probabilities)[keep],
        edges=attributes[np.ix_(keep, keep)],
        kind=edges,
        unit=unit,
        background=background,
    )


def mean_membership(ids: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Average the class probabilities over each region (Chopin et al. 2020, Eq. 2).

    Parameters
    ----------
    ids : (H, W) int ndarray
        Region of every pixel, 0..n-1, none of them empty.
    probabilities : (H, W, C) float ndarray
        The network's output S.

    Returns
    -------
    (n, C) float64 ndarray
        A(v).
    """
    flat, n = ids.ravel(), int(ids.max()) + 1
    # one 1 per pixel in the row of its region: the matrix that sums over regions
    member = csc_matrix((np.ones(flat.size), flat, np.arange(flat.size + 1)), shape=(n, flat.size))
    return (member @ probabilities.reshape(flat.size, -1)) / np.bincount(flat)[:, None]


def check_memory(n: int, what: str = "regions") -> None:
    """Refuse what is speckle rather than regions: graphs are complete, their matrices grow with the square.

    Parameters
    ----------
    n : int
        Rows of a matrix.
    what : str
        What a row stands for.

    Raises
    ------
    ValueError
        More than `MOST_REGIONS` rows.
    """
    if n > MOST_REGIONS:
        raise ValueError(
            f"probabilities show {n} {what}, whose complete graph would take {n**2 * BYTES_A_PAIR / 1e9:.1f} GB "
            f"(at most {MOST_REGIONS} {what}): they are speckled. Give their smoothed map: "
            "matcher.graph(probabilities, label_map=clean_labels(probabilities.argmax(axis=2))), then matcher.correct"
        )


def _check_labels(label_map: np.ndarray, shape: tuple[int, int, int]) -> None:
    if not isinstance(label_map, np.ndarray) or not np.issubdtype(label_map.dtype, np.integer):
        raise TypeError(
            f"label_map must be an integer ndarray, got {getattr(label_map, 'dtype', type(label_map))}"
        )
    if label_map.shape != shape[:2]:
        raise ValueError(
            f"label_map {label_map.shape} and probabilities {shape[:2]} must have the same (H, W)"
        )
    if label_map.min() < 0 or label_map.max() >= shape[2]:
        raise ValueError(
            f"label_map must hold the classes 0..{shape[2] - 1} of probabilities, "
            f"got {label_map.min()}..{label_map.max()}: void has no place in a prediction"
        )
