"""SLIC + k-means: what superpixels add to k-means on colours, without a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segstudy.baselines import KMeans, Superpixels, superpixel_means
from segstudy.baselines.common import Unsupervised, rgb_colours


@dataclass(frozen=True)
class PieceColours(Unsupervised):
    """SLIC + k-means: superpixels, then k-means on the picture painted with their mean colours.

    Parameters
    ----------
    k : int
        Clusters.
    seed : int
        Of k-means.
    """

    k: int = 4
    seed: int = 0

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster the superpixels of a (H, W, C) uint8 image: (H, W) int64 ids, darkest first."""
        pieces = Superpixels().segment(image)
        painted = superpixel_means(rgb_colours(image), pieces)[pieces]
        return KMeans(self.k, self.seed).segment(np.rint(painted).astype(np.uint8))
