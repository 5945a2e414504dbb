"""From covered ground to an aerial photograph: sun and sky, cast shadows, haze, the lens, the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from segstudy.datasets.aerial_canvas import METRES, Canvas

TALLEST = 11.0  # metres; nothing is higher, so no shadow is longer than the lowest sun makes it
SUN = np.float32([1.0, 0.97, 0.90, 1.0])
SKY = np.float32([0.17, 0.21, 0.28, 0.12])
HAZE = np.float32([0.028, 0.034, 0.045, 0.012])


@dataclass(frozen=True)
class Light:
    """What a scene is seen in: the sun's azimuth and elevation (radians), exposure, balance, haze, blur, noise."""

    azimuth: float
    elevation: float
    exposure: float
    balance: tuple[float, float, float, float]
    haze: float
    blur: float
    grain: float


def light(rng: np.random.Generator) -> Light:
    """Draw the light of a scene; the sun stands 40 to 60 degrees high."""
    return Light(
        azimuth=rng.uniform(0, 2 * np.pi),
        elevation=np.radians(rng.uniform(40, 60)),
        exposure=rng.uniform(0.8, 1.2),
        balance=tuple(np.exp(rng.normal(0, 0.04, 4)).tolist()),
        haze=rng.uniform(0.3, 1.5),
        blur=rng.uniform(0.45, 0.75),
        grain=rng.uniform(0.006, 0.014),
    )


def margin(elevation: float = np.radians(40)) -> int:
    """Return by how many pixels a canvas must exceed the picture for the shadows that fall into it."""
    return int(np.ceil(TALLEST / np.tan(elevation) / METRES)) + 4


def photograph(canvas: Canvas, sky: Light) -> np.ndarray:
    """Return the light that reaches the sensor, (H, W, 4) float32 of about 0..1, without its noise."""
    flat = np.sin(sky.elevation)
    towards = np.array([np.cos(sky.azimuth), np.sin(sky.azimuth)]) * np.cos(sky.elevation)
    steep = np.sqrt(1 + (canvas.slope**2).sum(axis=2))
    facing = np.clip((flat - canvas.slope @ towards.astype(np.float32)) / steep, 0, None)
    lit = facing * (1 - gaussian_filter(_shadow(canvas.height, sky), 0.6))
    picture = canvas.albedo * (lit[..., None] * SUN * 1.15 + SKY * (0.6 + 0.4 / steep[..., None]))
    picture = sky.exposure * np.float32(sky.balance) * picture + sky.haze * HAZE
    picture = gaussian_filter(picture, (sky.blur, sky.blur, 0))
    return np.clip(picture, 0, None) ** np.float32(0.75)


def _shadow(height: np.ndarray, sky: Light) -> np.ndarray:
    """Return 1 where the line to the sun meets something higher, else 0.

    The highest ray that is blocked above a pixel is found by doubling: after n steps it is known for all places within
    2^n pixels towards the sun.
    """
    drop = METRES * np.tan(sky.elevation)  # of the ray in a pixel's length
    blocked, reach = height, 1
    while reach * drop < TALLEST:
        step = np.rint(reach * np.array([np.sin(sky.azimuth), np.cos(sky.azimuth)])).astype(int)
        blocked = np.maximum(blocked, _moved(blocked, step) - np.float32(np.hypot(*step) * drop))
        reach *= 2
    return (blocked > height + 0.25).astype(np.float32)


def _moved(array: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return the array's values from `step` (rows, columns) further on, 0 from outside."""
    result = np.zeros_like(array)
    here = tuple(slice(max(-n, 0), side - max(n, 0)) for n, side in zip(step, array.shape, strict=True))
    there = tuple(slice(max(n, 0), side - max(-n, 0)) for n, side in zip(step, array.shape, strict=True))
    result[here] = array[there]
    return result
