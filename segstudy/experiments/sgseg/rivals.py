"""Rows of Table 1 beside SGSeg that the same pictures can be given to: k-means on colours.

AC is SGSeg's segmentation network alone, see `trials.METHODS`; IIC lies in `segstudy.experiments.iic`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def colour_clusters(
    train_images: Sequence[np.ndarray], test_images: Sequence[np.ndarray], clusters: int, seed: int
) -> list[np.ndarray]:
    """Return the k-means clusters of the test pictures' colours, fitted to those of the training pictures."""
    from sklearn.cluster import KMeans

    pixels = np.concatenate([image.reshape(-1, image.shape[2]) for image in train_images]).astype(np.float64)
    rng = np.random.default_rng(seed)
    chosen = pixels[rng.choice(len(pixels), min(len(pixels), 40_000), replace=False)]
    model = KMeans(clusters, n_init=4, random_state=seed).fit(chosen)
    return [
        model.predict(image.reshape(-1, image.shape[2]).astype(np.float64)).reshape(image.shape[:2])
        for image in test_images
    ]
