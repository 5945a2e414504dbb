"""The method alone: a threshold, then votes on the graph of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import convolve

from segstudy.baselines import Otsu
from segstudy.baselines.common import Unsupervised

GRAPH = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])  # a pixel, and the four that it has an edge to


def vote(labels: np.ndarray) -> np.ndarray:
    r"""Give each pixel the label that most of its neighbourhood has.

    .. math:: y_i = \left[\frac{1}{|N_i|} \sum_{j \in N_i} x_j > \frac{1}{2}\right]

    (Eq. 1), with :math:`N_i` the pixel and its neighbours on the grid.

    Parameters
    ----------
    labels : (H, W) int ndarray
        x, of 0 and 1.

    Returns
    -------
    (H, W) int ndarray
        y.
    """
    return (convolve(labels, GRAPH, mode="nearest") > GRAPH.sum() / 2).astype(labels.dtype)  # Eq. 1


@dataclass(frozen=True)
class Voting(Unsupervised):
    """Otsu's threshold, then so many rounds of votes; without a round it is Otsu's."""

    rounds: int = 1
    k: ClassVar[int] = 2

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Segment a (H, W, C) uint8 image: (H, W) int64, 0 dark and 1 bright."""
        labels = Otsu().segment(image)
        for _ in range(self.rounds):
            labels = vote(labels)
        return labels
