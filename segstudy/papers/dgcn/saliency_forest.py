r"""Saliency by learning, without a picture of the target: DRFI's regions, a random forest, several levels.

Jiang et al. 2013 (CVPR), sections 2 and 5. A picture is parted into regions at several levels, coarse and fine
(Felzenszwalb & Huttenlocher 2004). A random forest tells from a region's descriptor,
:func:`~segstudy.papers.dgcn.region_features.region_features`, how salient it is; the maps of the levels are summed,

.. math:: A = \sum_m w_m A_m,

with weights that fit the truth of pictures that the forest has not seen, by least squares, here none below 0. DGCN and
DSRG took maps that the authors of DRFI had trained on photographs with masks. Here the forest is trained on drawn
objects, so that no mask of a photograph is used anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

import numpy as np
from scipy.optimize import nnls
from skimage.segmentation import felzenszwalb
from sklearn.ensemble import RandomForestRegressor

from segstudy.baselines.common import rgb_colours
from segstudy.datasets import open_dataset
from segstudy.datasets.files import VOID
from segstudy.graphs.regions import Regions, regions
from segstudy.papers.dgcn.region_features import region_features
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.progress import track

SCALES = (20.0, 50.0, 100.0, 200.0, 400.0)  # of the parting, fine to coarse
SMOOTHING, SMALLEST = 0.8, 1 / 600  # pixels; share of the picture that a region has at least
PURE = 0.8  # regions with so much of one kind are trained on
FOLDED = 3  # one picture of so many is kept from the forest, for the weights of the levels


class SaliencyForest:
    """DRFI: fit on pictures with masks of what is salient, then call with a picture.

    Parameters
    ----------
    trees : int
        Of the forest; the paper's 200 change little.
    leaf : int
        Regions in a leaf, at least.
    scales : sequence of float
        A level for each.
    seed : int
        Of the forest.

    Raises
    ------
    ValueError
        There is no level, or no tree.
    """

    def __init__(
        self, trees: int = 60, leaf: int = 5, scales: Sequence[float] = SCALES, seed: int = 0
    ) -> None:
        if trees < 1 or leaf < 1 or not scales or min(scales) <= 0:
            raise ValueError(
                f"trees and leaf must be 1 or more and scales above 0, got {trees}, {leaf}, {tuple(scales)}"
            )
        self.trees, self.leaf, self.scales, self.seed = trees, leaf, tuple(scales), seed

    def fit(self, images: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> Self:
        """Train the forest and the weights of the levels.

        Parameters
        ----------
        images : sequence of (H, W, C) uint8 ndarray
        masks : sequence of (H, W) bool ndarray
            What is salient.

        Returns
        -------
        SaliencyForest
            Itself.

        Raises
        ------
        ValueError
            There are fewer than `FOLDED` pictures, not as many masks, or no region of either kind.
        """
        if len(images) < FOLDED or len(images) != len(masks):
            raise ValueError(
                f"there must be at least {FOLDED} pictures and as many masks, got {len(images)} and {len(masks)}"
            )
        features, targets = [], []
        for index in track(range(len(images)), "regions"):
            if index % FOLDED == 0:
                continue
            for parted in self._levels(images[index]):
                pieces = parted.map
                share = np.bincount(pieces.ravel(), masks[index].ravel()) / np.bincount(pieces.ravel())
                pure = (share > PURE) | (share < 1 - PURE)
                features.append(region_features(images[index], parted)[pure])
                targets.append(share[pure] > PURE)
        known = np.concatenate(targets)
        if known.all() or not known.any():
            raise ValueError("masks must show what is salient and what is not; all regions are of one kind")
        self.forest_ = RandomForestRegressor(
            self.trees, min_samples_leaf=self.leaf, max_features="sqrt", random_state=self.seed
        ).fit(np.concatenate(features), known.astype(float))
        kept = range(0, len(images), FOLDED)
        maps = [self._maps(images[i]).reshape(len(self.scales), -1)[:, ::7] for i in kept]
        truth = np.concatenate([masks[i].ravel()[::7] for i in kept]).astype(float)
        self.weights_ = nnls(np.concatenate(maps, axis=1).T, truth)[0]
        return self

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the (H, W) float64 saliency of a (H, W, C) uint8 picture, in [0, 1]."""
        if not hasattr(self, "weights_"):
            raise ValueError("the forest is not trained yet: call fit(images, masks) first")
        return np.clip(np.tensordot(self.weights_, self._maps(image), axes=1), 0, 1)

    def _levels(self, image: np.ndarray) -> list[Regions]:
        """Part a picture at every level."""
        colours = rgb_colours(image)
        smallest = max(1, round(SMALLEST * colours.shape[0] * colours.shape[1]))
        parted = (
            felzenszwalb(colours, scale=scale, sigma=SMOOTHING, min_size=smallest) for scale in self.scales
        )
        return [regions(pieces) for pieces in parted]

    def _maps(self, image: np.ndarray) -> np.ndarray:
        """Return the (levels, H, W) maps before their sum."""
        maps = [
            self.forest_.predict(region_features(image, parted))[parted.map] for parted in self._levels(image)
        ]
        return np.stack(maps)


@lru_cache
def forest_of_drawn_objects(pictures: int = 120, side: int = 160, seed: int = 0) -> SaliencyForest:
    """Return a forest that learned on the first drawn `objects` of the training split; the same for the same numbers.

    Parameters
    ----------
    pictures, side : int
        How many, and the pixels of their sides; it is best called with pictures of about that size.
    seed : int
        Of the forest.
    """
    drawn = open_dataset("objects", split="train", size=(side, side)).take(list(range(pictures)))
    masks = [(sample.labels != BACKGROUND) & (sample.labels != VOID) for sample in drawn]
    return SaliencyForest(seed=seed).fit([sample.image for sample in drawn], masks)
