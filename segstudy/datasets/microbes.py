"""Generated microscope pictures of microorganisms of eight kinds: clustering without a download.

What makes them hard is what makes real ones hard: transparent bodies about as bright as the water, dark outlines with a
bright halo, debris that is no organism, uneven light, defocus. Kinds differ in shape and texture, never in colour or
brightness, which are drawn for each picture. How a picture follows from the seed: `segstudy.datasets.generated`; the
default set is frozen in `microbes.lock.json`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from segstudy.datasets.card import Card
from segstudy.datasets.generated import Generated, smooth_noise

SPLITS = {"train": 64, "val": 16, "test": 48}
CLASSES = ("background", "microorganism")
COLOURS = ((40, 40, 40), (230, 159, 0))
KINDS = ("rod", "filament", "granular disc", "star", "spiral", "ciliate", "colony", "diatom")

CARD = Card(
    name="microbes",
    title="generated microscope pictures of microorganisms",
    what="one drawn microorganism of 8 kinds in water with debris; each pixel is organism or background",
    how_many="64 training, 16 validation and 48 test pictures, kinds in equal numbers; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/microbes.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


def draw(
    index: int, size: tuple[int, int], scene: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture: (H, W, 3) uint8, and (H, W) uint8 labels; the kind is `index` modulo 8."""
    kind = index % len(KINDS)
    short = min(size)
    rows, columns = ((np.arange(side) + 0.5 - side / 2) / short for side in size)
    y, x = np.meshgrid(rows, columns, indexing="ij")  # 0 in the middle, 1 across the shorter side
    centre, angle = scene.uniform(-0.17, 0.17, 2), scene.uniform(0, 2 * np.pi)
    scale = scene.uniform(0.2, 0.32)
    u = ((x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)) / scale
    v = (-(x - centre[0]) * np.sin(angle) + (y - centre[1]) * np.cos(angle)) / scale
    body, pattern = _SHAPES[kind](u, v, scene)
    light = (
        1
        + 0.06 * smooth_noise(scene, size, 2)
        + scene.uniform(-0.22, 0.22) * x
        + scene.uniform(-0.22, 0.22) * y
    )
    picture = _water(light, scene, size, short) + _organism(body, pattern, scene, size, short)
    picture = gaussian_filter(picture, scene.uniform(0.003, 0.01) * short)
    tint = 1 + scene.uniform(-0.14, 0.14, 3)
    image = 255 * scene.uniform(0.5, 0.78) * picture[..., None] * tint
    image += 255 * scene.uniform(0.01, 0.03) * sensor.standard_normal(
        (*size, 1)
    ) + 2 * sensor.standard_normal((*size, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), body.astype(np.uint8)


def _water(light: np.ndarray, scene: np.random.Generator, size: tuple[int, int], short: int) -> np.ndarray:
    """Return the uneven light with debris in it: specks, clouds and fibres, as dark as an outline."""
    specks = smooth_noise(scene, size, 26) > scene.uniform(2.0, 2.8)
    clouds = np.maximum(smooth_noise(scene, size, 7) - scene.uniform(1.3, 2.0), 0)
    fibres = (np.abs(smooth_noise(scene, size, 3.5)) < 0.02) & (smooth_noise(scene, size, 2.5) > 1.0)
    dark = scene.uniform(0.15, 0.4) * specks + scene.uniform(0.1, 0.3) * fibres
    dark = gaussian_filter(dark.astype(float), 0.004 * short) + scene.uniform(0.0, 0.22) * clouds
    grain = scene.uniform(0.01, 0.03) * smooth_noise(scene, size, 30)
    return light - dark + grain


def _organism(
    body: np.ndarray, pattern: np.ndarray, scene: np.random.Generator, size: tuple[int, int], short: int
) -> np.ndarray:
    """Return what the organism adds to the light: a body hardly darker than water, an outline, a halo, its pattern."""
    outside = (distance_transform_edt(~body) - distance_transform_edt(body)) / short  # below 0 inside
    outline = scene.uniform(0.15, 0.4) * np.exp(-((outside / scene.uniform(0.006, 0.012)) ** 2))
    halo = scene.uniform(0.0, 0.18) * np.exp(-(((outside - 0.02) / 0.015) ** 2))
    inside = 1 / (1 + np.exp(np.clip(outside / 0.004, -30, 30)))
    shade = scene.uniform(0.02, 0.4) + 0.05 * smooth_noise(scene, size, 6)
    return halo - outline - inside * (shade + scene.uniform(0.1, 0.25) * pattern)


def _rod(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    radius = scene.uniform(0.25, 0.4)
    body = np.hypot(np.maximum(np.abs(u) - 1.0, 0), v) < radius
    return body, (np.abs(u - 0.1) < 0.12) * 0.8 + (np.hypot(u - 0.6, v) < 0.18)


def _filament(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    waves, height = scene.uniform(1.5, 2.5), scene.uniform(0.25, 0.45)
    steep = np.hypot(1, height * waves * np.cos(waves * u))
    body = (np.abs(v - height * np.sin(waves * u)) < 0.2 * steep) & (np.abs(u) < 1.7)
    return body, (np.sin(22 * u) > 0.6).astype(float)


def _disc(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    turn = np.arctan2(v, u)
    edge = 0.85 + 0.06 * np.sin(3 * turn + scene.uniform(0, 6))
    places = scene.uniform(-0.6, 0.6, (14, 2))
    grains = sum(np.exp(-((u - a) ** 2 + (v - b) ** 2) / 0.01) for a, b in places)
    return np.hypot(u, v) < edge, np.minimum(grains, 1.5)


def _star(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    arms, far = int(scene.integers(5, 9)), np.hypot(u, v)
    turn = np.arctan2(v, u) * arms / 2
    width = np.abs(np.sin(turn)) * far * 2 / arms
    return ((width < 0.15) & (far < 1.3)) | (far < 0.3), (far < 0.2).astype(float)


def _spiral(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    far, turn = np.hypot(u, v), np.arctan2(v, u) / (2 * np.pi)
    gap = scene.uniform(0.42, 0.52)
    arm = np.abs((far / gap - turn) % 1 - 0.5) * gap
    return (arm < 0.15) & (far < 1.15) & (far > 0.12), (np.sin(30 * far) > 0.5).astype(float)


def _ciliate(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    slim = scene.uniform(0.5, 0.7)
    far, turn = np.hypot(u / 1.15, v / slim), np.arctan2(v / slim, u / 1.15)
    hairs = (np.cos(34 * turn) > 0.75) & (far < 1.14)
    nucleus = np.hypot(u - 0.3, v) < 0.25
    return (far < 1.0) | hairs, nucleus + 0.6 * (np.cos(34 * turn) > 0) * (far > 0.85)


def _colony(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    count = int(scene.integers(7, 12))
    turns, far = scene.uniform(0, 2 * np.pi, count), 0.75 * np.sqrt(scene.uniform(0, 1, count))
    nearest = np.min(
        [np.hypot(u - r * np.cos(t), v - r * np.sin(t)) for t, r in zip(turns, far, strict=True)], axis=0
    )
    return nearest < 0.34, ((nearest > 0.24) & (nearest < 0.32)).astype(float)


def _diatom(u: np.ndarray, v: np.ndarray, scene: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    width = scene.uniform(0.38, 0.5) * (1 - np.minimum(np.abs(u) / 1.4, 1) ** 2)
    ribs = (np.sin(scene.uniform(22, 30) * u) > 0) & (np.abs(v) > 0.08)
    return (np.abs(v) < width) & (np.abs(u) < 1.4), 0.8 * ribs


_SHAPES = (_rod, _filament, _disc, _star, _spiral, _ciliate, _colony, _diatom)
SET = Generated(CARD, SPLITS, CLASSES, COLOURS, draw, kinds=len(KINDS))
open_microbes = SET.open
