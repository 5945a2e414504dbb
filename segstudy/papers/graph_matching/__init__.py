"""Chopin et al. 2020: a network's regions are matched, as a graph, with the relations seen in annotated pictures.

Semantic image segmentation based on spatial relationships and inexact graph matching, IPTA 2020. The way through:
:func:`region_graph` (Eqs. 1 to 3) and :class:`ModelGraph`, :func:`match` (Eqs. 4, 5), :func:`reassign` (Eqs. 6, 7),
and all of it in :class:`GraphMatcher`, which works after any network; :class:`UNetGraphMatching` has the paper's before
it.

| paper | here |
|---|---|
| S | `probabilities` |
| R, R*_c | `RegionGraph.map`, `RegionGraph.classes` |
| A, D | `membership`, `edges` |
| Gr, Gm | `RegionGraph`, `ModelGraph` |
| X | `Matching.assignment` (one-to-one), the classes from `reassign` (many-to-one) |
| K, K_v, K_e | `dense_affinity` |
"""

from segstudy.papers.graph_matching.cleaning import clean_labels
from segstudy.papers.graph_matching.costs import Affinity, dense_affinity
from segstudy.papers.graph_matching.graph import RegionGraph, region_graph
from segstudy.papers.graph_matching.matcher import Analysis, GraphMatcher
from segstudy.papers.graph_matching.matching import Matching, MissingClassError, match
from segstudy.papers.graph_matching.model import ModelGraph, model_graphs
from segstudy.papers.graph_matching.reassignment import reassign
from segstudy.papers.graph_matching.scale import estimate_scale
from segstudy.papers.graph_matching.segmenter import UNetGraphMatching

__all__ = [
    "Affinity",
    "Analysis",
    "GraphMatcher",
    "Matching",
    "MissingClassError",
    "ModelGraph",
    "RegionGraph",
    "UNetGraphMatching",
    "clean_labels",
    "dense_affinity",
    "estimate_scale",
    "match",
    "model_graphs",
    "reassign",
    "region_graph",
]
