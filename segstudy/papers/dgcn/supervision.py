"""What every way of growing labels shares: cues, the classes of a picture, and its probabilities over these classes.

A picture's cues and its grown labels are maps of class ids: 0 is the background, 1 to C - 1 are objects, and `VOID` is
what nobody has labelled. Which objects a picture holds is all that the supervision says.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.segmenter import check_probabilities

BACKGROUND = 0


def check_growth(
    cues: np.ndarray, probabilities: np.ndarray, classes: Iterable[int]
) -> tuple[np.ndarray, list[int]]:
    r"""Refuse what no labels can be grown from; return the probabilities over the classes present, and these classes.

    Parameters
    ----------
    cues : (H, W) int ndarray
        Class ids; `VOID` where there is no cue.
    probabilities : (H, W, C) float ndarray
        Of a network, rows sum to 1.
    classes : iterable of int
        The objects that the picture holds, ids 1 to C - 1; none is a picture of background alone.

    Returns
    -------
    present : (H, W, 1 + P) float ndarray
        :math:`H_{u,c} / \sum_{c'} H_{u,c'}` over the background and the P objects, in the order of `classes` sorted.
        Without this a picture's labels starve while the network still believes in objects that are not there.
    classes : list of int
        Sorted, each once.

    Raises
    ------
    TypeError, ValueError
        Probabilities that are none, a class that there cannot be, shapes that differ, a cue of an absent class.
    """
    check_probabilities(probabilities)
    wanted = sorted(set(int(value) for value in classes))
    count = probabilities.shape[2]
    if wanted and not 1 <= wanted[0] <= wanted[-1] < count:
        raise ValueError(f"classes must be ids of objects, 1 to {count - 1}, got {wanted}")
    if np.shape(cues) != probabilities.shape[:2]:
        raise ValueError(
            f"cues must have the shape of the map, {probabilities.shape[:2]}, got {np.shape(cues)}"
        )
    foreign = np.setdiff1d(np.unique(cues), [BACKGROUND, *wanted, VOID])
    if foreign.size:
        raise ValueError(
            f"cues hold the classes {foreign.tolist()}, but the picture's are {wanted}: draw cues of its own classes"
        )
    present = probabilities[:, :, [BACKGROUND, *wanted]].astype(np.float64)
    # 1e-12: where the network gives nothing to any class that is there, nothing is known: all are alike
    present += 1e-12
    return present / present.sum(axis=2, keepdims=True), wanted
