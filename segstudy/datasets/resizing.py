"""Pictures and label maps at another size: colours averaged, labels never mixed."""

from __future__ import annotations

import operator

import numpy as np
from PIL import Image


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Stretch a picture bilinearly; where it shrinks, the filter widens (antialiasing).

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    size : (int, int)
        New height and width.

    Returns
    -------
    (*size, 3) uint8 ndarray
    """
    height, width = require_size(size)
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def resize_labels(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Stretch a label map: each pixel has the label that lies at its centre; parts of a few pixels may be lost.

    Parameters
    ----------
    labels : (H, W) int ndarray
    size : (int, int)
        New height and width.

    Returns
    -------
    size ndarray
        In the dtype of `labels`.
    """
    at = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(require_size(size), labels.shape, strict=True)
    )
    return labels[np.ix_(*at)]


def require_size(size: tuple[int, int], least: int = 1) -> tuple[int, int]:
    """Return `size` as two ints of at least `least`, or raise a ValueError that says what is expected."""
    try:
        height, width = map(operator.index, size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < least:
        what = f"(height, width), two integers of at least {least} such as (512, 352)"
        raise ValueError(f"size is {size!r}; expected {what}")
    return height, width
