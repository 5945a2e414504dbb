"""From pixels to graphs: regions and their distances, k nearest neighbours, pixel grids and affinities.

A graph is arrays all through this study: an edge list of shape (m, 2) with the weights beside it, or a weight
matrix (n, n). Nothing here imports torch before a function that takes tensors is called.
"""

from segstudy.graphs.grid import contrast_weights, grid_edges, pixel_affinity, region_affinity
from segstudy.graphs.neighbours import nearest_neighbours, undirected_edges
from segstudy.graphs.regions import Regions, region_adjacency, region_distances, regions

__all__ = [
    "Regions",
    "contrast_weights",
    "grid_edges",
    "nearest_neighbours",
    "pixel_affinity",
    "region_adjacency",
    "region_affinity",
    "region_distances",
    "regions",
    "undirected_edges",
]
