"""What DeepCut and the slides' code do with a mask: the bilateral solver, holes, the largest piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segstudy.postprocess.components import fill_holes, largest_component
from segstudy.postprocess.solver import bilateral_solver


@dataclass(frozen=True)
class SolverSettings:
    """How a mask is refined.

    Parameters
    ----------
    sigma_space, sigma_luma, sigma_chroma, smoothness, confidence
        See :func:`~segstudy.postprocess.bilateral_solver`.
    both_ways : bool
        Whether mask and complement are refined, and the one kept whose share of the picture is nearest the mask's.
    """

    sigma_space: float = 24.0
    sigma_luma: float = 4.0
    sigma_chroma: float = 4.0
    smoothness: float = 256.0
    confidence: float = 0.999
    both_ways: bool = False


DEEPCUT = SolverSettings()  # SAMPL-Weizmann/DeepCut, bilateral_solver.py
SLIDES = SolverSettings(48.0, 8.0, 8.0, both_ways=True)  # Devnetly/Image_Segmentation_With_GNNs


def refine_mask(image: np.ndarray, mask: np.ndarray, settings: SolverSettings = DEEPCUT) -> np.ndarray:
    """Refine a mask along the picture's edges, fill its holes and keep its largest piece.

    The released codes count the background among the pieces and keep the second largest of them all: the same where the
    background is the largest, as it mostly is; a mask of more than that they lose to the background or to a smaller
    piece. They also truncate where our solver rounds, see `bilateral_grid`.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    mask : (H, W) bool ndarray
    settings : SolverSettings

    Returns
    -------
    (H, W) bool ndarray
        The mask itself where nothing would be left of it.

    Raises
    ------
    TypeError, ValueError
        As :func:`~segstudy.postprocess.bilateral_solver`.
    """
    mask = np.asarray(mask, dtype=bool)
    refined = _solve(image, mask, settings)
    if settings.both_ways:
        other = ~_solve(image, ~mask, settings)
        refined = min((refined, other), key=lambda found: abs(found.mean() - mask.mean()))
    return refined if refined.any() else mask


def _solve(image: np.ndarray, mask: np.ndarray, settings: SolverSettings) -> np.ndarray:
    smooth = bilateral_solver(
        image,
        mask,
        settings.confidence,
        sigma_space=settings.sigma_space,
        sigma_luma=settings.sigma_luma,
        sigma_chroma=settings.sigma_chroma,
        smoothness=settings.smoothness,
    )
    return largest_component(fill_holes(smooth > 0.5))
