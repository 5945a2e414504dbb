"""Generated dermoscopy pictures of skin lesions: clustering without a download.

Skin with fine texture and uneven light; a lesion with an irregular, soft border and several browns; and what disturbs:
hairs across it, gel bubbles, dark corners, a ruler. How a picture follows from the seed: `segstudy.datasets.generated`;
the default set is frozen in `lesions.lock.json`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from segstudy.datasets.card import Card
from segstudy.datasets.generated import Generated, smooth_noise

SPLITS = {"train": 64, "val": 16, "test": 48}
CLASSES = ("background", "lesion")
COLOURS = ((40, 40, 40), (230, 159, 0))

CARD = Card(
    name="lesions",
    title="generated dermoscopy pictures of skin lesions",
    what="one drawn lesion on skin, with hairs, bubbles, dark corners or a ruler; each pixel is lesion or background",
    how_many="64 training, 16 validation and 48 test pictures; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/lesions.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


def draw(
    index: int, size: tuple[int, int], scene: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture: (H, W, 3) uint8, and (H, W) uint8 labels."""
    short = min(size)
    rows, columns = ((np.arange(side) + 0.5 - side / 2) / short for side in size)
    y, x = np.meshgrid(rows, columns, indexing="ij")  # 0 in the middle, 1 across the shorter side
    depth = _depth(x, y, size, scene)
    skin = _skin(size, scene)
    lesion = _lesion(skin, depth, size, scene)
    soft = 1 / (1 + np.exp(np.clip(-depth / scene.uniform(0.01, 0.05), -30, 30)))
    picture = skin + soft[..., None] * (lesion - skin)
    picture *= (1 + scene.uniform(-0.3, 0.3) * x + scene.uniform(-0.3, 0.3) * y)[..., None]
    picture = _disturbed(picture, x, y, size, scene)
    image = 255 * picture + 255 * scene.uniform(0.005, 0.02) * sensor.standard_normal((*size, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), (depth > 0).astype(np.uint8)


def _depth(x: np.ndarray, y: np.ndarray, size: tuple[int, int], scene: np.random.Generator) -> np.ndarray:
    """Return how far inside the lesion a pixel lies, below 0 outside; the border is a wobbling ellipse."""
    centre, turn = scene.uniform(-0.12, 0.12, 2), scene.uniform(0, np.pi)
    radius, slim = scene.uniform(0.16, 0.38), scene.uniform(0.65, 1.0)
    dx, dy = x - centre[0], y - centre[1]
    u, v = dx * np.cos(turn) + dy * np.sin(turn), (dy * np.cos(turn) - dx * np.sin(turn)) / slim
    wobble = scene.uniform(0.02, 0.06) * smooth_noise(scene, size, 4)
    return radius + wobble - np.hypot(u, v)


def _skin(size: tuple[int, int], scene: np.random.Generator) -> np.ndarray:
    """Return skin, (H, W, 3) of 0..1: a tone, patches of red, fine texture."""
    tone = np.array([0.8, 0.62, 0.54]) * scene.uniform(0.75, 1.1) + scene.uniform(-0.04, 0.04, 3)
    patches = scene.uniform(0.01, 0.05) * smooth_noise(scene, size, 3)
    grain = scene.uniform(0.01, 0.025) * smooth_noise(scene, size, 32)
    return tone + grain[..., None] + patches[..., None] * np.array([0.4, 1.0, 1.0])


def _lesion(
    skin: np.ndarray, depth: np.ndarray, size: tuple[int, int], scene: np.random.Generator
) -> np.ndarray:
    """Return the lesion's colours, from hardly darker than skin to nearly black, with a net of pigment."""
    first, second = (skin * (1 - np.array([0.5, 0.75, 0.8]) * scene.uniform(0.25, 1.0)) for _ in range(2))
    blend = np.clip(0.5 + 0.6 * smooth_noise(scene, size, 3) + scene.uniform(-2, 2) * depth, 0, 1)[..., None]
    net = np.exp(-((smooth_noise(scene, size, 14) / 0.35) ** 2)) * scene.uniform(0.0, 0.12)
    return first + blend * (second - first) - net[..., None]


def _disturbed(
    picture: np.ndarray, x: np.ndarray, y: np.ndarray, size: tuple[int, int], scene: np.random.Generator
) -> np.ndarray:
    """Lay hairs, bubbles, dark corners and a ruler over a picture, each where chance has it."""
    short = min(size)
    hairs = np.zeros(size)
    for _ in range(int(scene.integers(0, 14))):
        start, turn, bend = scene.uniform(-0.6, 0.6, 2), scene.uniform(0, np.pi), scene.uniform(-0.8, 0.8)
        u = (x - start[0]) * np.cos(turn) + (y - start[1]) * np.sin(turn)
        v = (y - start[1]) * np.cos(turn) - (x - start[0]) * np.sin(turn) - bend * u**2
        hairs = np.maximum(hairs, np.exp(-((v / 0.005) ** 2)) * (np.abs(u) < scene.uniform(0.15, 0.5)))
    dark = hairs * scene.uniform(0.4, 0.8)
    if scene.random() < 0.3:
        dark = np.maximum(dark, ((np.abs(x % 0.08) < 0.006) & (y > 0.42) & (y < 0.47)) * 0.7)
    if scene.random() < 0.4:
        dark = np.maximum(dark, 1 / (1 + np.exp(np.clip(-(np.hypot(x, y) - 0.62) / 0.02, -30, 30))) * 0.9)
    bright = np.zeros(size)
    for _ in range(int(scene.integers(0, 6))):
        at, radius = scene.uniform(-0.5, 0.5, 2), scene.uniform(0.015, 0.05)
        bright = np.maximum(bright, np.exp(-(((np.hypot(x - at[0], y - at[1]) - radius) / 0.004) ** 2)))
    picture = picture * (1 - dark[..., None]) + 0.25 * bright[..., None]
    return gaussian_filter(picture, (0.003 * short, 0.003 * short, 0))


SET = Generated(CARD, SPLITS, CLASSES, COLOURS, draw)
open_lesions = SET.open
