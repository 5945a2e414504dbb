"""The method after the network: fit to annotations, then correct probability maps (Chopin et al. 2020, Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.papers.graph_matching.cleaning import clean_labels
from segstudy.papers.graph_matching.edges import KINDS, UNITS, require
from segstudy.papers.graph_matching.graph import RegionGraph, region_graph
from segstudy.papers.graph_matching.matching import Matching, check_alpha, match
from segstudy.papers.graph_matching.model import model_graphs
from segstudy.papers.graph_matching.reassignment import RULES, reassign


class Analysis(NamedTuple):
    """One picture's way through the method.

    The regions, their one-to-one matching, the final class of each region (n,), and the labels (H, W).
    """

    graph: RegionGraph
    matching: Matching
    classes: np.ndarray
    labels: np.ndarray


class GraphMatcher:
    """Corrects any network's class probabilities by the spatial relations of the annotated pictures.

    Defaults are the paper's choices, and where it makes none, those of the modules' docstrings.

    Parameters
    ----------
    alpha : float in [0, 1]
        Weight of the vertices against the edges (Eq. 5).
    connectivity : {1, 2}
        Of the regions: 4 or 8 neighbours.
    background : int or None
        A class that is no vertex.
    edges, unit : str
        See :func:`~segstudy.papers.graph_matching.graph.region_graph`.
    vertex, normaliser, scale, empty, empty_dissimilarity, node_limit
        See :func:`~segstudy.papers.graph_matching.matching.match`.
    rule : {"paper", "many_to_one_or_none"}
        See :func:`~segstudy.papers.graph_matching.reassignment.reassign`.
    models : int
        Model graphs; of several the best-matching is taken.
    clean : float in [0, 1]
        Parts of an annotation under this fraction of their class's largest are speckle
        (:func:`~segstudy.papers.graph_matching.cleaning.clean_labels`); 0 keeps them.
    seed : int
        Of the grouping of pictures into several models.

    Attributes
    ----------
    models_ : list of ModelGraph
        After `fit`.
    measures : dict
        `background`, `edges` and `unit`, on which both graphs have to agree.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 0, 0, 0, 0], [0, 1, 0, 2, 0], [0, 0, 0, 0, 0]])
    >>> matcher = GraphMatcher().fit([truth], num_classes=3)
    >>> bool((matcher.segment(np.eye(3)[truth]) == truth).all())
    True
    """

    def __init__(
        self,
        alpha: float = 0.4,
        *,
        connectivity: int = 2,
        background: int | None = None,
        edges: str = "minimum",
        unit: str = "pixel",
        vertex: str = "euclidean",
        normaliser: str = "maximum",
        scale: str = "none",
        empty: str = "missing",
        empty_dissimilarity: float = 0.25,
        node_limit: int = 1_000_000,
        rule: str = "paper",
        models: int = 1,
        clean: float = 0.05,
        seed: int = 0,
    ):
        check_alpha(alpha)
        require("rule", rule, RULES)
        require("edges", edges, KINDS)
        require("unit", unit, UNITS)
        self.alpha, self.vertex, self.rule = alpha, vertex, rule
        self.connectivity, self.clean, self.models, self.seed = connectivity, clean, models, seed
        self.measures = {"background": background, "edges": edges, "unit": unit}
        self._matching = {
            "normaliser": normaliser,
            "scale": scale,
            "empty": empty,
            "empty_dissimilarity": empty_dissimilarity,
            "node_limit": node_limit,
        }

    def fit(self, label_maps: Iterable[np.ndarray], num_classes: int) -> Self:
        """Learn the model graph from annotations.

        Parameters
        ----------
        label_maps : iterable of (H, W) int ndarray
            Class ids 0..C-1, and 255 for void.
        num_classes : int
            C. A class that no picture has is matched by its probabilities alone.

        Returns
        -------
        GraphMatcher
            Itself.

        Raises
        ------
        TypeError, ValueError
            As :meth:`~segstudy.papers.graph_matching.model.ModelGraph.from_label_maps`; a map that is void everywhere;
            maps of one class and void alone, as masks of 0 and 255 are.
        """
        cleaned = [clean_labels(labels, self.clean, self.connectivity) for labels in label_maps]
        _check_annotated(cleaned)
        self.models_ = model_graphs(cleaned, num_classes, self.models, self.seed, **self.measures)
        return self

    def graph(self, probabilities: np.ndarray, label_map: np.ndarray | None = None) -> RegionGraph:
        """Return the hypothesis graph of one picture's probabilities, as :func:`region_graph` makes it.

        `label_map` (H, W) stands in for their arg max, for example one that a median filter has smoothed.
        """
        return region_graph(label_map, probabilities, connectivity=self.connectivity, **self.measures)

    def correct(
        self, graph: RegionGraph, alpha: float | None = None, solver: str = "branch_and_bound"
    ) -> tuple[Matching, np.ndarray]:
        """Match a hypothesis graph with the model and reassign what is left over.

        Parameters
        ----------
        graph : RegionGraph
            From :meth:`graph`.
        alpha : float in [0, 1], optional
            In place of the matcher's own.
        solver : str
            See :func:`~segstudy.papers.graph_matching.matching.match`.

        Returns
        -------
        matching : Matching
        classes : (n,) int64 ndarray
            Final class of each region.

        Raises
        ------
        ValueError
            Before `fit`, or where graph and model do not fit together.
        MissingClassError
            With empty="refuse", where a class has no region.
        """
        if not hasattr(self, "models_"):
            raise ValueError("GraphMatcher has no model yet: call fit(label_maps, num_classes) first")
        alpha = self.alpha if alpha is None else alpha
        matching = match(graph, self.models_, alpha, vertex=self.vertex, solver=solver, **self._matching)
        return matching, reassign(graph, self.models_, matching, self.rule, alpha, vertex=self.vertex)

    def analyse(self, probabilities: np.ndarray) -> Analysis:
        """Segment one picture, keeping all steps.

        Parameters
        ----------
        probabilities : (H, W, C) float ndarray, rows sum to 1
            A network's output.

        Returns
        -------
        Analysis
            Regions, matching, classes, labels.

        Raises
        ------
        TypeError, ValueError
            Probabilities that are none, or of other classes or another size than the annotations; before `fit`.
        MissingClassError
            With empty="refuse", where a class has no region.
        """
        graph = self.graph(probabilities)
        matching, classes = self.correct(graph)
        return Analysis(graph, matching, classes, graph.paint(classes))

    def segment(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the corrected labels, (H, W) int64, of one picture's probabilities; see :meth:`analyse`."""
        return self.analyse(probabilities).labels


def _check_annotated(label_maps: list[np.ndarray]) -> None:
    """Refuse annotations that say nothing of how classes lie to each other."""
    shown = [set(np.unique(labels).tolist()) for labels in label_maps]
    for number, found in enumerate(shown):
        if found == {VOID}:
            raise ValueError(f"label_maps[{number}] is void ({VOID}) everywhere: leave it out")
    every = set().union(*shown)
    if VOID in every and len(every) == 2:
        raise ValueError(
            f"label_maps hold class {min(every)} and void ({VOID}) alone: if these are masks of 0 and 255, write 1 in "
            "place of 255"
        )
