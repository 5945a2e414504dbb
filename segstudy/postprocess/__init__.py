"""What follows a segmentation: smoothing along the picture's edges, and its connected components."""

from segstudy.postprocess.components import count_components, fill_holes, largest_component
from segstudy.postprocess.masks import DEEPCUT, SLIDES, SolverSettings, refine_mask
from segstudy.postprocess.solver import bilateral_solver

__all__ = [
    "DEEPCUT",
    "SLIDES",
    "SolverSettings",
    "bilateral_solver",
    "count_components",
    "fill_holes",
    "largest_component",
    "refine_mask",
]
