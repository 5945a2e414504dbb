"""What the unsupervised baselines share: the segmenter's interface, colour spaces, a stable order of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from skimage.color import rgb2gray, rgb2lab


class Unsupervised:
    """A segmenter that learns nothing and clusters each image on its own; a subclass writes `segment`."""

    supervision: ClassVar[str] = "none"
    outputs: ClassVar[str] = "clusters"

    def fit(self, dataset: Sequence[Any]) -> Self:
        """Return the segmenter as it is: there is nothing to learn, and `dataset` is not looked at."""
        return self

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster the pixels of an image.

        Parameters
        ----------
        image : (H, W, C) uint8 ndarray
            RGB (C = 3) or grey (C = 1).

        Returns
        -------
        (H, W) int64 ndarray
            Cluster ids from 0.
        """
        raise NotImplementedError

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Give each pixel wholly to its cluster.

        Parameters
        ----------
        image : (H, W, C) uint8 ndarray
            RGB (C = 3) or grey (C = 1).

        Returns
        -------
        (H, W, K) float32 ndarray
            Zeros and one 1 per pixel. K is the segmenter's `k` where it has one (an image of fewer colours leaves
            clusters empty), else the number of clusters found.
        """
        labels = self.segment(image)
        return np.eye(getattr(self, "k", labels.max() + 1), dtype=np.float32)[labels]


def rgb_colours(image: np.ndarray) -> np.ndarray:
    """Repeat the channel of a grey image three times: (H, W, 3) uint8. Refuses what :func:`lab_colours` refuses."""
    return np.broadcast_to(_checked_image(image), (*image.shape[:2], 3))


def lab_colours(image: np.ndarray) -> np.ndarray:
    """Convert an image to CIE L*a*b*, where Euclidean distances are about as large as they look.

    Parameters
    ----------
    image : (H, W, C) uint8 ndarray
        RGB (C = 3) or grey (C = 1).

    Returns
    -------
    (H, W, 3) float64 ndarray
        L in 0..100, a and b in about -100..100.

    Raises
    ------
    TypeError
        `image` is not uint8.
    ValueError
        `image` is not (H, W, 1) or (H, W, 3), or is empty.
    """
    return rgb2lab(rgb_colours(image))


def grey_levels(image: np.ndarray) -> np.ndarray:
    """Reduce an image to luminance, (H, W) uint8: 0.2125 R + 0.7154 G + 0.0721 B (ITU-R BT.709), rounded.

    Takes and refuses the same images as :func:`lab_colours`.
    """
    image = _checked_image(image)
    return image[..., 0] if image.shape[2] == 1 else np.rint(255 * rgb2gray(image)).astype(np.uint8)


def darkest_first(labels: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Renumber clusters 0.. by mean lightness, so that a cluster's number (and colour) does not depend on chance.

    Parameters
    ----------
    labels : (...) int ndarray
        Cluster ids of 0 or more; gaps are closed.
    lightness : (...) ndarray
        Of the same shape.

    Returns
    -------
    (...) int64 ndarray
        0 is the darkest cluster. Equally light clusters keep their order.
    """
    ids = np.unique(labels, return_inverse=True)[1].ravel()
    means = np.bincount(ids, weights=lightness.ravel()) / np.bincount(ids)
    return np.argsort(np.argsort(means, kind="stable"))[ids].reshape(labels.shape)


def _checked_image(image: np.ndarray) -> np.ndarray:
    if getattr(image, "dtype", None) != np.uint8:
        raise TypeError(f"image must be a uint8 ndarray, got {getattr(image, 'dtype', type(image).__name__)}")
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError(f"image must be (H, W, 3) or (H, W, 1) and not empty, got shape {image.shape}")
    return image
