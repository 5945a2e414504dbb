"""What the surfaces of a drawn town look like from the air: reflectance in red, green, blue and infrared, and texture.

Many pairs share their colour and differ in class: flat roofs and asphalt, tiles and bare soil, hedges and crowns, grey
cars and the street. Colour alone cannot tell them apart, their surroundings can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Tone = tuple[float, float, float, float]


@dataclass(frozen=True)
class Coat:
    """A surface.

    Parameters
    ----------
    tone : tuple of four floats
        Reflectance in red, green, blue, infrared, 0..1.
    rough : tuple of four floats
        How much it varies, as a share of the tone, from pixel to pixel, and over 0.5 m, 1.5 m and 7 m.
    tint : tuple of four floats
        What is added to the tone where it is dry, worn or stained, over some 3 m.
    spread, hue : float
        By how much the brightness of two such surfaces differs (share), and each of their bands.
    """

    tone: Tone
    rough: tuple[float, float, float, float] = (0.03, 0.03, 0.02, 0.03)
    tint: Tone = (0.0, 0.0, 0.0, 0.0)
    spread: float = 0.12
    hue: float = 0.02


_STONE = (0.05, 0.05, 0.02, 0.035)
_PLANTS = (0.07, 0.10, 0.10, 0.08)
_DRY = (0.03, 0.012, 0.006, -0.04)
_STAIN = (-0.015, -0.015, -0.015, -0.015)

COATS = {
    "asphalt": Coat(
        (0.29, 0.29, 0.30, 0.28), (0.05, 0.04, 0.015, 0.03), (0.006, 0.006, 0.006, 0.006), 0.18, 0.02
    ),
    "pavers": Coat((0.41, 0.395, 0.365, 0.40), (0.06, 0.06, 0.025, 0.03), _STAIN, 0.18, 0.025),
    "concrete": Coat((0.50, 0.49, 0.47, 0.49), _STONE, _STAIN, 0.15),
    "paint": Coat((0.72, 0.72, 0.70, 0.66), (0.06, 0.10, 0.10, 0.05)),
    "lawn": Coat((0.22, 0.29, 0.15, 0.52), _PLANTS, _DRY, 0.18, 0.06),
    "meadow": Coat((0.35, 0.34, 0.20, 0.46), (0.08, 0.13, 0.12, 0.10), _DRY, 0.15, 0.04),
    "soil": Coat((0.36, 0.29, 0.22, 0.38), (0.07, 0.10, 0.08, 0.08), _STAIN, 0.15, 0.05),
    "hedge": Coat((0.14, 0.20, 0.10, 0.46), (0.12, 0.18, 0.14, 0.05), (0, 0, 0, 0), 0.2, 0.06),
    "leaves": Coat((0.15, 0.21, 0.10, 0.53), (0.10, 0.16, 0.16, 0.05), (0.02, 0.01, 0, 0), 0.22, 0.08),
    "needles": Coat((0.09, 0.14, 0.09, 0.36), (0.12, 0.18, 0.14, 0.05), (0, 0, 0, 0), 0.2, 0.06),
    "autumn": Coat((0.34, 0.28, 0.12, 0.52), (0.10, 0.16, 0.16, 0.05), (0.03, -0.02, 0, 0), 0.2, 0.10),
    "twigs": Coat((0.27, 0.24, 0.20, 0.33), (0.20, 0.24, 0.14, 0.05), (0, 0, 0, 0), 0.15, 0.05),
    "tiles": Coat(
        (0.44, 0.22, 0.15, 0.46), (0.06, 0.07, 0.04, 0.05), (-0.05, -0.02, -0.01, -0.04), 0.2, 0.07
    ),
    "brown": Coat((0.30, 0.22, 0.17, 0.36), (0.06, 0.07, 0.04, 0.05), _STAIN, 0.2, 0.05),
    "slate": Coat((0.19, 0.20, 0.22, 0.20), (0.05, 0.05, 0.04, 0.04), _STAIN, 0.2, 0.03),
    "felt": Coat((0.30, 0.30, 0.30, 0.29), _STONE, (0.03, 0.03, 0.03, 0.03), 0.2, 0.03),
    "gravel": Coat((0.46, 0.44, 0.41, 0.45), (0.08, 0.07, 0.03, 0.05), _STAIN, 0.15, 0.02),
    "membrane": Coat((0.56, 0.56, 0.55, 0.53), (0.02, 0.02, 0.02, 0.04), _STAIN, 0.12),
    "planted": Coat((0.29, 0.28, 0.17, 0.42), _PLANTS, (0.03, 0.0, 0.0, -0.03), 0.15, 0.05),
    "glass": Coat((0.10, 0.13, 0.18, 0.10), (0.02, 0.02, 0.02, 0.02), (0, 0, 0, 0), 0.3, 0.1),
    "metal": Coat((0.52, 0.53, 0.54, 0.5), (0.03, 0.05, 0.04, 0.02), (0, 0, 0, 0), 0.25, 0.04),
    "water": Coat((0.09, 0.13, 0.13, 0.03), (0.02, 0.02, 0.03, 0.06), (0, 0, 0, 0), 0.2, 0.08),
    "pool": Coat((0.28, 0.56, 0.62, 0.06), (0.03, 0.05, 0.03, 0.02), (0, 0, 0, 0), 0.1, 0.06),
    "rubble": Coat((0.40, 0.36, 0.31, 0.40), (0.10, 0.11, 0.06, 0.07), (0.02, 0.01, 0.0, 0.01), 0.15, 0.05),
    "plastic": Coat((0.25, 0.33, 0.5, 0.4), (0.02, 0.03, 0.04, 0.03), (0, 0, 0, 0), 0.2, 0.3),
}

# Paint of cars and containers, and how often: greys first, as on real streets.
CARS = ((0.70, 0.70, 0.69), (0.50, 0.51, 0.52), (0.28, 0.28, 0.29), (0.08, 0.08, 0.09), (0.10, 0.14, 0.30),
        (0.40, 0.07, 0.06), (0.12, 0.22, 0.17), (0.60, 0.48, 0.14))  # fmt: skip
CAR_SHARES = (0.19, 0.22, 0.2, 0.17, 0.08, 0.08, 0.04, 0.02)
CRATES = ((0.14, 0.24, 0.42), (0.45, 0.18, 0.12), (0.20, 0.34, 0.24), (0.44, 0.44, 0.43), (0.55, 0.40, 0.16))


def coat(rng: np.random.Generator, name: str) -> Coat:
    """Draw one surface of a kind: its tone, a little lighter or darker and of another hue."""
    kind = COATS[name]
    factor = np.exp(kind.spread * rng.standard_normal() + kind.hue * rng.standard_normal(4))
    return replace(kind, tone=tuple(np.clip(factor * kind.tone, 0.03, 0.85).tolist()))


def lacquer(rng: np.random.Generator, colours: tuple, shares: tuple | None = None) -> Coat:
    """Draw the paint of a car or a container."""
    colour = colours[int(rng.choice(len(colours), p=shares))]
    shine = np.array([*colour, 0.04 + 0.88 * np.mean(colour)])
    shine = shine * np.exp(0.12 * rng.standard_normal() + 0.025 * rng.standard_normal(4))
    return Coat(tuple(np.clip(shine, 0.04, 0.85).tolist()), (0.02, 0.02, 0.02, 0.0))
