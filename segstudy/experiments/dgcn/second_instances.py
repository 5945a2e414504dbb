"""A second instance without a cue: do labels reach it (DG19)?

Where a class of a training picture lies in two pieces or more, the cues on all pieces but the largest are taken away,
as if the classifier had missed them, and the labels grow anew from the same probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from skimage.measure import label

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.views import WeakPicture

LEAST = 9  # places of a piece that counts
GROWTHS = {
    "graph cut": Growth("graph cut"),
    "graph cut, refined H": Growth("graph cut", refined=True),
    "region growing": Growth("region growing", refined=True),
    "label propagation": Growth("label propagation", refined=True),
}


def second_pieces(picture: WeakPicture, truth: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each class in pieces, and where all but the largest piece lie, (h, w) bool."""
    for name in picture.classes:
        parted = label(truth == name, connectivity=2)
        sizes = np.bincount(parted.ravel())[1:]
        others = [i + 1 for i in np.argsort(-sizes, kind="stable")[1:] if sizes[i] >= LEAST]
        if others:
            yield name, np.isin(parted, others)


def reach_of_growth(
    pictures: Sequence[WeakPicture],
    truths: Sequence[np.ndarray],
    own: Sequence[np.ndarray],
    refined: Sequence[np.ndarray],
) -> dict[str, list[int]]:
    """Count how much of the pieces without a cue is labelled right.

    Parameters
    ----------
    pictures : sequence of WeakPicture
        With cues and edges.
    truths : sequence of (h, w) int ndarray
    own, refined : sequence of (h, w, C) float ndarray
        The network's probabilities, and what the dense CRF makes of them.

    Returns
    -------
    dict
        By way of growing, [places labelled right, places].
    """
    counts = {name: np.zeros(2, np.int64) for name in GROWTHS}
    for picture, truth, plain, better in zip(pictures, truths, own, refined, strict=True):
        for name, where in second_pieces(picture, truth):
            cues = np.where(where, VOID, picture.cues).astype(np.uint8)
            for way, growth in GROWTHS.items():
                found = growth(cues, better if growth.refined else plain, picture.edges, picture.classes)
                counts[way] += [int((found[where] == name).sum()), int(where.sum())]
    return {name: count.tolist() for name, count in counts.items()}
