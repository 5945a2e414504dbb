"""Connected components of a mask."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import label


def largest_component(mask: np.ndarray, connectivity: int = 1) -> np.ndarray:
    """Keep the largest connected component, of equal ones the first.

    Parameters
    ----------
    mask : (H, W) bool ndarray
    connectivity : {1, 2}
        4 or 8 neighbours.

    Returns
    -------
    (H, W) bool ndarray
        Of an empty mask: empty.
    """
    ids = label(mask, connectivity=connectivity)
    sizes = np.bincount(ids.ravel())[1:]
    return ids == 1 + sizes.argmax() if len(sizes) else np.zeros(np.shape(mask), dtype=bool)


def count_components(mask: np.ndarray, connectivity: int = 1) -> int:
    """Count the connected components of a mask."""
    return int(label(mask, connectivity=connectivity).max(initial=0))


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """Add to a mask what it surrounds."""
    return ndimage.binary_fill_holes(mask)
