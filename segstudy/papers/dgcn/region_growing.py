"""Seeded region growing, the baseline that the graph cut replaces (Huang et al. 2018, DSRG, section 3.2).

Its rules and numbers are those of the authors' released code (speedinghzl/DSRG).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from skimage.measure import label

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.supervision import BACKGROUND, check_growth


def grow_seeds(
    cues: np.ndarray,
    probabilities: np.ndarray,
    classes: Iterable[int],
    *,
    foreground: float = 0.85,
    background: float = 0.99,
) -> np.ndarray:
    """Grow a picture's labels: what is surely of a class and connected with a cue of that class becomes that class.

    A pixel is a candidate of the most probable of the picture's classes where its probability exceeds the threshold and
    no cue says otherwise. An 8-connected component of candidates that holds an original cue of its class is labelled.

    Parameters
    ----------
    cues : (H, W) int ndarray
        Class ids, `VOID` where there is none. Always the first cues, not labels grown before.
    probabilities : (H, W, C) float ndarray
        Rows sum to 1. DSRG gives those refined by the dense CRF.
    classes : iterable of int
        The objects that the picture holds.
    foreground, background : float
        Thresholds of objects and of the background.

    Returns
    -------
    (H, W) uint8 ndarray
        The cues and what grew from them; `VOID` elsewhere.

    Raises
    ------
    TypeError, ValueError
        See :func:`~segstudy.papers.dgcn.supervision.check_growth`; a threshold outside [0, 1].
    """
    present, wanted = check_growth(cues, probabilities, classes)
    for name, value in (("foreground", foreground), ("background", background)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    likely, sure = present.argmax(axis=2), present.max(axis=2)
    labels = np.asarray(cues).astype(np.uint8)
    for index, name in enumerate([BACKGROUND, *wanted]):
        threshold = background if name == BACKGROUND else foreground
        own = cues == name
        candidates = (likely == index) & (sure > threshold) & ((cues == VOID) | own)
        parts = label(candidates, connectivity=2)
        seeded = np.unique(parts[own & candidates])
        labels[np.isin(parts, seeded[seeded > 0])] = name
    return labels
