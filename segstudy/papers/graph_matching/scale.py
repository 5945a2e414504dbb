"""How large a picture is, compared with the model: an outlook of Chopin et al. 2020, Section IV."""

from __future__ import annotations

import numpy as np

from segstudy.papers.graph_matching.graph import RegionGraph
from segstudy.papers.graph_matching.model import ModelGraph


def estimate_scale(graph: RegionGraph, model: ModelGraph) -> float:
    r"""Estimate how many times larger than the model's the distances of a picture are.

    .. math:: s = \arg\min_s \sum_{a < b} \lvert D(i_a, i_b) - s\, D_m(a, b) \rvert

    over the classes a, b that the picture has, :math:`i_a` being the largest region of a. That is the median of the
    ratios, each counted as often as the model's distance is long, so that a few wrong regions and touching pairs do
    not matter; and s grows with the distances.

    Parameters
    ----------
    graph, model : RegionGraph, ModelGraph
        Of one kind of edge.

    Returns
    -------
    float
        More than 0; 1 where no pair tells.
    """
    by_size = np.argsort(-graph.sizes, kind="stable")
    classes, first = np.unique(graph.classes[by_size], return_index=True)
    a, b = np.triu_indices(len(classes), k=1)
    largest = by_size[first]
    found, expected = graph.edges[largest[a], largest[b]].ravel(), model.edges[classes[a], classes[b]].ravel()
    telling = (expected > 0) & (found > 0)  # nan is not
    if not telling.any():
        return 1.0
    ratios, weights = found[telling] / expected[telling], expected[telling]
    order = np.argsort(ratios)
    below = np.cumsum(weights[order])
    return float(ratios[order][np.searchsorted(below, below[-1] / 2)])
