"""k-means on colour: what a segmentation can do that knows nothing of where pixels lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn import cluster

from segstudy.baselines.common import Unsupervised, darkest_first, lab_colours

# Pixels that the centres are fitted to, drawn without replacement from a larger image: an aerial tile of 6000 x 6000
# pixels then costs no more to fit than a photograph.
FITTED = 20_000
# Runs from different k-means++ starts, of which the best is kept: a single run can stop in a poor optimum.
STARTS = 4


@dataclass(frozen=True)
class KMeans(Unsupervised):
    r"""Lloyd's k-means on the L*a*b* colours of one image.

    .. math:: \min_{\mu_1 \dots \mu_k} \sum_p \min_c \lVert I_p - \mu_c \rVert^2

    Clusters are numbered by mean lightness, 0 the darkest, so that numbers do not depend on the random start. The
    same seed, image and number of threads give the same result.

    Parameters
    ----------
    k : int
        Clusters; an image of fewer colours gives fewer.
    seed : int
        Of the starts, and of the draw of pixels in a large image.
    """

    k: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a `k` below 1."""
        if self.k < 1:
            raise ValueError(f"k must be 1 cluster or more, got {self.k}")

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster the colours of a (H, W, C) uint8 image: (H, W) int64 ids, darkest first."""
        colours = lab_colours(image)
        pixels = colours.reshape(-1, 3).astype(np.float32)
        fitted = pixels
        if len(pixels) > FITTED:
            fitted = pixels[np.random.default_rng(self.seed).choice(len(pixels), FITTED, replace=False)]
        k = min(self.k, len(np.unique(fitted, axis=0)))
        model = cluster.KMeans(k, n_init=STARTS, random_state=self.seed).fit(fitted)
        return darkest_first(model.predict(pixels).reshape(image.shape[:2]), colours[..., 0])
