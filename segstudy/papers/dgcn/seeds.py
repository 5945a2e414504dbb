"""Seed cues: where a picture's classes are to be found for sure, from activation maps and saliency (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.transform import resize

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.supervision import BACKGROUND

# DSRG's: of a class's largest activation, and of a saliency scaled to [0, 1].
FOREGROUND, LEAST_SALIENT = 0.2, 0.06


def seed_cues(
    activations: np.ndarray,
    saliency: np.ndarray | None,
    classes: Sequence[int],
    *,
    foreground: float = FOREGROUND,
    background: float = LEAST_SALIENT,
) -> np.ndarray:
    """Return the cues of one picture.

    A position is a cue of an object where that object's activation exceeds a share of its largest in the picture, and
    one of the background where the saliency lies below a threshold. Where two cues meet there is none.

    Parameters
    ----------
    activations : (P, h, w) float ndarray
        Class activation maps of the objects that the picture holds; what is negative counts as 0.
    saliency : (h, w) float ndarray or None
        In [0, 1]; None: no position is a cue of the background.
    classes : sequence of int
        The ids of the P objects, 1 or more.
    foreground, background : float
        The two thresholds, in [0, 1].

    Returns
    -------
    (h, w) uint8 ndarray
        Class ids, 0 the background, `VOID` where there is no cue or more than one.

    Raises
    ------
    ValueError
        Shapes that differ, values that are not finite, a saliency or a threshold outside [0, 1], a class given twice.
    """
    activations = np.asarray(activations, dtype=np.float64)
    _check(activations, saliency, classes)
    for name, value in (("foreground", foreground), ("background", background)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    largest = activations.max(axis=(1, 2), initial=0, keepdims=True)
    # above 0 as well: a class that is activated nowhere has no cue
    claims = (activations > foreground * largest) & (activations > 0)
    ids = np.array([BACKGROUND, *classes], np.uint8)
    quiet = np.zeros(activations.shape[1:], bool) if saliency is None else saliency < background
    claims = np.concatenate([quiet[None], claims])
    return np.where(claims.sum(axis=0) == 1, ids[claims.argmax(axis=0)], VOID).astype(np.uint8)


def resize_saliency(saliency: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W) saliency of [0, 1] at a map's size, averaged where it shrinks: float64 in [0, 1]."""
    found = resize(np.asarray(saliency, dtype=np.float64), size, order=1, anti_aliasing=True, mode="edge")
    return np.clip(found, 0, 1)


def _check(activations: np.ndarray, saliency: np.ndarray | None, classes: Sequence[int]) -> None:
    if activations.ndim != 3 or len(activations) != len(classes):
        raise ValueError(
            f"activations must be (P, h, w), a map for each of the {len(classes)} classes, got {activations.shape}"
        )
    if len(set(classes)) != len(classes) or any(not 1 <= name < VOID for name in classes):
        raise ValueError(f"classes must be ids of objects, 1 to {VOID - 1}, each once, got {list(classes)}")
    if not np.isfinite(activations).all():
        raise ValueError("activations must be finite, got nan or infinity: look at the classifier")
    if saliency is None:
        return
    if saliency.shape != activations.shape[1:]:
        raise ValueError(f"saliency must have the maps' shape, {activations.shape[1:]}, got {saliency.shape}")
    if not ((saliency >= 0) & (saliency <= 1)).all():
        raise ValueError(
            f"saliency must be in [0, 1], got {np.nanmin(saliency)} to {np.nanmax(saliency)}: scale it"
        )
