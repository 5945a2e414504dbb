"""What follows a segmentation: the dense CRF, smoothing along the picture's edges, connected components."""

from segstudy.postprocess.components import count_components, fill_holes, largest_component
from segstudy.postprocess.crf import DSRG_TEST, DSRG_TRAINING, CRFSettings, DenseCRF, dense_crf
from segstudy.postprocess.masks import DEEPCUT, SLIDES, SolverSettings, refine_mask
from segstudy.postprocess.solver import bilateral_solver

__all__ = [
    "DEEPCUT",
    "DSRG_TEST",
    "DSRG_TRAINING",
    "SLIDES",
    "CRFSettings",
    "DenseCRF",
    "SolverSettings",
    "bilateral_solver",
    "count_components",
    "dense_crf",
    "fill_holes",
    "largest_component",
    "refine_mask",
]
