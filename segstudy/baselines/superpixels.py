"""Superpixels: small even pieces of an image, the nodes of a graph far smaller than the pixel grid.

Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods", IEEE TPAMI 34(11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.segmentation import slic

from segstudy.baselines.common import Unsupervised, rgb_colours


@dataclass(frozen=True)
class Superpixels(Unsupervised):
    """SLIC superpixels: k-means on colour and position together, each piece connected.

    Parameters
    ----------
    n : int
        Pieces aimed at; an image gives a few more or fewer.
    compactness : float
        Weight of position against colour (L*a*b*): higher is squarer.
    """

    n: int = 200
    compactness: float = 10.0

    def __post_init__(self) -> None:
        """Refuse fewer than one piece and a compactness of 0 or less."""
        if self.n < 1 or self.compactness <= 0:
            raise ValueError(
                f"n must be 1 or more and compactness above 0, got {self.n} and {self.compactness}"
            )

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cut a (H, W, C) uint8 image into connected pieces: (H, W) int64 ids 0..m-1."""
        pieces = slic(
            rgb_colours(image), self.n, self.compactness, convert2lab=True, start_label=0, channel_axis=-1
        )
        return pieces.astype(np.int64)


def superpixel_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Average an image over each of its pieces.

    Parameters
    ----------
    values : (H, W, C) ndarray
        Colours, probabilities or any features of the pixels.
    labels : (H, W) int ndarray
        Pieces 0..m-1.

    Returns
    -------
    (m, C) float64 ndarray
        `means[labels]` paints the pieces. A piece without a pixel, if ids have a gap, is NaN.

    Raises
    ------
    ValueError
        The two are not of one height and width.
    """
    if values.ndim != 3 or values.shape[:2] != labels.shape:
        raise ValueError(
            f"values must be (H, W, C) over labels (H, W), got {values.shape} and {labels.shape}"
        )
    flat = labels.ravel()
    sums = [np.bincount(flat, weights=values[..., channel].ravel()) for channel in range(values.shape[2])]
    with np.errstate(invalid="ignore"):
        return np.stack(sums, axis=1) / np.bincount(flat)[:, None]
