"""GNN clustering as a segmenter: a picture in, clusters of its pixels out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional as F

from segstudy.baselines.common import Unsupervised, rgb_colours
from segstudy.nn.patch_features import centre_features, patch_features, reduce_features, unit_features
from segstudy.nn.weights import Weights
from segstudy.papers.gnn_clustering.clustering import cluster_images
from segstudy.papers.gnn_clustering.foreground import corner_background
from segstudy.papers.gnn_clustering.settings import CENTRED, PRESETS, Settings


@dataclass(frozen=True)
class GNNClustering(Unsupervised):
    """Cluster the patches of each picture with a graph network of its own; nothing is learnt beforehand.

    Cluster 0 is the one that holds most of the picture's corners, and all of a picture of a single colour.

    Parameters
    ----------
    settings : Settings
    features : str
        A kind of :func:`~segstudy.nn.patch_features`, or a network by name.
    weights : str or Path, optional
        Of the features' network.
    grid : (int, int)
        Rows and columns of patches.
    seed : int
        Of the clustering, and of the features' network without weights.
    device : str
    stages : tuple of int, optional
        Of a network by name.
    centre : bool, optional
        Whether the picture's mean is subtracted from the features of its patches; None: for the kinds in `CENTRED`.
    """

    settings: Settings = field(default=PRESETS["slides"])
    features: str = "colour-texture"
    weights: Weights = None
    grid: tuple[int, int] = (28, 28)
    seed: int = 0
    device: str = "cpu"
    stages: tuple[int, ...] | None = None
    centre: bool | None = None

    @property
    def k(self) -> int:
        """Clusters."""
        return self.settings.clusters

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the memberships of each pixel, bilinear between patches: (H, W, K) float32, rows sum to 1.

        A picture of one colour is cluster 0 altogether: there is nothing to part.
        """
        if (image == image[:1, :1]).all():
            return np.eye(self.k, dtype=np.float32)[np.zeros(image.shape[:2], dtype=np.int64)]
        options = {"grid": self.grid, "stages": self.stages, "weights": self.weights}
        options |= {"seed": self.seed, "device": self.device}
        described = patch_features([rgb_colours(image)], self.features, **options)
        centre = self.features in CENTRED if self.centre is None else self.centre
        values = reduce_features((centre_features if centre else unit_features)(described.values))
        found = cluster_images(values, self.settings, seed=self.seed, device=self.device).assignments[0, 0]
        first = int(corner_background(found.argmax(axis=1), self.k, described.grid))
        order = [first, *(cluster for cluster in range(self.k) if cluster != first)]
        planes = torch.from_numpy(found[:, order]).T.reshape(1, self.k, *described.grid)
        grown = F.interpolate(planes, image.shape[:2], mode="bilinear", align_corners=False)
        return grown[0].permute(1, 2, 0).contiguous().numpy()

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster a (H, W, C) uint8 image: (H, W) int64 ids."""
        return self.probabilities(image).argmax(axis=2)
