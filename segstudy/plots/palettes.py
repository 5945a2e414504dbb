"""Colours for classes that stay apart for a reader who is colour-blind.

The base is a dark neutral for the background, the seven chromatic colours of Okabe & Ito ("Color Universal
Design", 2008) and wine from Paul Tol's muted scheme ("Colour Schemes", SRON/EPS/TN/09-002, 2021). Under
simulated deuteranopia and protanopia (Machado, Oliveira & Fernandes 2009) any two of these nine stay at
least 17 units apart in CIELAB.
"""

from __future__ import annotations

import numpy as np

_BASE = np.array(
    [
        (40, 40, 40),  # background, dark neutral
        (230, 159, 0),  # orange
        (86, 180, 233),  # sky blue
        (0, 158, 115),  # bluish green
        (240, 228, 66),  # yellow
        (0, 114, 178),  # blue
        (213, 94, 0),  # vermillion
        (204, 121, 167),  # reddish purple
        (136, 34, 85),  # wine
    ],
    dtype=np.uint8,
)
# Of the mixtures tried (30-55 % towards black, 40-65 % towards white), these keep 25 colours farthest apart.
_TOWARDS_WHITE, _TOWARDS_BLACK = 0.50, 0.35

# Lines and bars on white, strongest contrast first; yellow is too pale for a line.
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#282828")


def palette(n: int) -> np.ndarray:
    """Return `n` colours for classes, the background's first.

    The first nine are safe for colour-blind readers. Beyond them come the eight hues mixed half with white
    (9 .. 16), then mixed 35 % with black (17 .. 24). Those are distinct to normal vision, at least 13 units
    apart in CIELAB; a colour-blind reader also needs the legend or the borders.

    Parameters
    ----------
    n : int
        From 1 to 25.

    Returns
    -------
    (n, 3) uint8 ndarray
        RGB.

    Raises
    ------
    ValueError
        If n is out of range.
    """
    hues = _BASE[1:].astype(float)
    light = hues * (1 - _TOWARDS_WHITE) + 255 * _TOWARDS_WHITE
    dark = hues * (1 - _TOWARDS_BLACK)
    colours = np.rint(np.concatenate([_BASE, light, dark])).astype(np.uint8)
    if not 1 <= n <= len(colours):
        raise ValueError(
            f"n must be 1 to {len(colours)}, got {n}; a data set with more classes brings its colours"
        )
    return colours[:n]
