"""Generated pictures of eight kinds of objects: weak supervision without a download.

What makes them hard is what makes photographs hard for a method that learns from classes alone. A kind is told by a
part (windows, a sail, a label), the body around it has any colour; a picture shows one or two kinds, each once or
twice; kinds differ in size, a table from a ball fivefold; and two of them never leave their surroundings: a train
stands on rails, a boat on water, and neither is seen without them. How a picture follows from the seed:
`segstudy.datasets.generated`; the default set is frozen in `objects.lock.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import hsv2rgb

from segstudy.datasets.card import Card
from segstudy.datasets.files import label_colours
from segstudy.datasets.generated import Generated, smooth_noise

SPLITS = {"train": 160, "val": 48, "test": 80}
CLASSES = ("background", "train", "boat", "ball", "table", "bottle", "bird", "plant", "cat")
TRAIN, BOAT = 1, 2
SECOND_KIND, SECOND_INSTANCE = 0.45, 0.35  # how often there is one

CARD = Card(
    name="objects",
    title="generated pictures of eight kinds of objects",
    what="one or two of 8 kinds of drawn objects, each once or twice; each pixel is a kind or background",
    how_many="160 training, 48 validation and 80 test pictures; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/objects.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)

Shape = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Kind:
    """What is drawn as one kind.

    Parameters
    ----------
    shape : callable
        `shape(u, v)` returns the object, its telling part, and that part's pattern of 0 to 1, in its own coordinates.
    reach : (float, float)
        Of half its height in shorter sides of the picture.
    hue : float
        Of the part, in [0, 1].
    """

    shape: Shape
    reach: tuple[float, float]
    hue: float


def draw(
    index: int, size: tuple[int, int], scene: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture: (H, W, 3) uint8, and (H, W) uint8 labels; its first kind is `index` modulo 8, plus 1."""
    short = min(size)
    rows, columns = ((np.arange(side) + 0.5 - side / 2) / short for side in size)
    y, x = np.meshgrid(rows, columns, indexing="ij")  # 0 in the middle, 1 across the shorter side
    kinds = _chosen(index, scene)
    picture = _ground(kinds, x, y, size, scene)
    labels = np.zeros(size, np.uint8)
    for kind, centre, reach in _placed(kinds, scene):
        u, v = _own_coordinates(x - centre[0], y - centre[1], reach, scene)
        body, part, pattern = _KINDS[kind - 1].shape(u, v)
        colours = _body(size, scene), _part(_KINDS[kind - 1].hue, pattern, scene)
        for where, colour in zip((body, part), colours, strict=True):
            picture[where] = colour[where]
        labels[body] = kind
    picture *= (1 + scene.uniform(-0.2, 0.2) * x + scene.uniform(-0.2, 0.2) * y)[..., None]
    picture = gaussian_filter(picture, (0.002 * short, 0.002 * short, 0))
    image = 255 * picture + 255 * scene.uniform(0.01, 0.025) * sensor.standard_normal((*size, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), labels


def _chosen(index: int, scene: np.random.Generator) -> list[int]:
    """Return the picture's kinds, once for each instance, the first one first."""
    first = index % len(_KINDS) + 1
    second = int(scene.integers(BOAT + 1, len(_KINDS) + 1))  # not both of those that bring their surroundings
    kinds = [first] + [second] * (scene.random() < SECOND_KIND and second != first)
    return [kind for kind in kinds for _ in range(1 + (scene.random() < SECOND_INSTANCE))]


def _placed(kinds: list[int], scene: np.random.Generator) -> list[tuple[int, np.ndarray, float]]:
    """Return kind, centre and reach of each instance, of ten tries the one that is farthest from the others' edges."""
    found: list[tuple[int, np.ndarray, float]] = []
    for kind in kinds:
        reach = scene.uniform(*_KINDS[kind - 1].reach) * (1 if len(kinds) < 3 else 0.75)
        tries = scene.uniform(-0.36, 0.36, (10, 2))
        room = [
            min((np.hypot(*(at - other)) - reach - far for _, other, far in found), default=0.0)
            for at in tries
        ]
        found.append((kind, tries[int(np.argmax(room))], reach))
    return found


def _own_coordinates(
    dx: np.ndarray, dy: np.ndarray, reach: float, scene: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a little, mirror or not, and scale: 1 is half the object's height."""
    turn, side = scene.uniform(-0.2, 0.2), scene.choice([-1, 1])
    u = (dx * np.cos(turn) + dy * np.sin(turn)) * side / reach
    return u, (dy * np.cos(turn) - dx * np.sin(turn)) / reach


def _colour(hue: float, saturation: float, value: float) -> np.ndarray:
    return hsv2rgb(np.array([hue % 1, saturation, value]))


def _body(size: tuple[int, int], scene: np.random.Generator) -> np.ndarray:
    """Return what any body is made of: a colour out of all, and hardly a texture."""
    tone = _colour(scene.random(), scene.uniform(0.2, 0.7), scene.uniform(0.35, 0.9))
    return tone * (1 + scene.uniform(0.02, 0.08) * smooth_noise(scene, size, 12))[..., None]


def _part(hue: float, pattern: np.ndarray, scene: np.random.Generator) -> np.ndarray:
    """Return what a telling part is made of: two tones of about its kind's hue, in its kind's pattern."""
    hue += scene.uniform(-0.04, 0.04)
    dark, bright = (
        _colour(hue, scene.uniform(0.6, 0.9), scene.uniform(*range_)) for range_ in ((0.2, 0.45), (0.7, 1.0))
    )
    return dark + pattern[..., None] * (bright - dark)


def _ground(
    kinds: list[int], x: np.ndarray, y: np.ndarray, size: tuple[int, int], scene: np.random.Generator
) -> np.ndarray:
    """Return the surroundings, (H, W, 3) of 0..1: rails under trains, water under boats, else one of four grounds."""
    coarse, fine = smooth_noise(scene, size, 4), smooth_noise(scene, size, 28)
    hue, lean = scene.uniform(0, 1), scene.uniform(-0.2, 0.2)
    tone = [
        _colour(0.28 + 0.04 * hue, 0.5, 0.5),  # grass
        _colour(0.11 + 0.03 * hue, 0.35, 0.75),  # sand
        _colour(0.57 + 0.05 * hue, 0.3, 0.85),  # sky
        _colour(hue, 0.12, 0.65),  # wall
    ][int(scene.integers(4))]
    ground = tone * (1 + 0.06 * coarse + scene.uniform(0.03, 0.12) * fine)[..., None]
    if BOAT in kinds:
        waves = np.sin(55 * (y + 0.03 * coarse + 0.02 * np.sin(9 * x)))
        ground = _colour(0.55 + 0.06 * hue, 0.6, 0.55) * (1 + 0.16 * waves + 0.05 * fine)[..., None]
    if TRAIN in kinds:
        ground = _colour(0.08, 0.12, 0.45) * (1 + 0.22 * fine)[..., None]  # gravel
        v = y - lean * x
        sleepers = np.sin(40 * x) > 0.3
        rails = np.abs((v + 0.02 * lean) % 0.16 - 0.08) < 0.012
        ground[sleepers] *= 0.7
        ground[rails] = 0.28
    return np.clip(ground, 0, 1)


def _stripes(values: np.ndarray) -> np.ndarray:
    return (np.sin(values) > 0).astype(float)


def _train(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    body = (np.abs(u) < 2.4) & (np.abs(v) < 1) & (np.abs(u) + 0.4 * np.abs(v) < 2.6)
    return body, body & (np.abs(v + 0.3) < 0.4) & (np.abs(u) < 2.2), _stripes(9 * u)


def _boat(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hull = (v > 0.3) & (v < 1) & (np.abs(u) < 1.7 - 0.8 * (v - 0.3))
    sail = (v > -1) & (v <= 0.3) & (u > -0.1) & (u < 0.9 * (v + 1) - 0.1)
    return hull | sail, sail, _stripes(14 * v)


def _ball(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    far = np.hypot(u, v)
    return far < 1, far < 0.65, _stripes(4 * np.arctan2(v, u))


def _table(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    top = (np.abs(u) < 1.6) & (v > -1) & (v < -0.2)
    legs = (np.abs(np.abs(u) - 1.2) < 0.22) & (v >= -0.2) & (v < 1)
    cloth = top & (np.abs(u) < 0.9)
    return top | legs, cloth, np.abs(_stripes(10 * u) - _stripes(12 * v))


def _bottle(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    belly = (np.abs(u) < 0.42) & (v > -0.3) & (v < 1)
    neck = (np.abs(u) < 0.17) & (v > -1) & (v <= -0.3)
    label = belly & (v > 0.05) & (v < 0.7)
    return belly | neck, label, ((u * 6) % 1 - 0.5) ** 2 + ((v * 6) % 1 - 0.5) ** 2 < 0.09


def _bird(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    body = np.hypot(u / 1.2, (v - 0.2) / 0.65) < 1
    head = np.hypot(u - 1.1, v + 0.45) < 0.45
    beak = (u > 1.4) & (u < 1.9) & (np.abs(v + 0.45) < 0.5 * (1.9 - u))
    wing = np.hypot((u + 0.2) / 0.75, (v - 0.15) / 0.38) < 1
    return body | head | beak, wing, _stripes(9 * (u + v))


def _plant(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pot = (v > 0.35) & (v < 1) & (np.abs(u) < 0.75 - 0.35 * (v - 0.35))
    far, turn = np.hypot(u, v - 0.35), np.arctan2(u, 0.35 - v)
    leaves = (far < 1.3 * (0.55 + 0.45 * np.cos(5 * turn) ** 2)) & (v <= 0.35)
    return pot | leaves, leaves, _stripes(16 * far)


def _cat(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    body = np.hypot((u + 0.3) / 1.2, (v - 0.4) / 0.6) < 1
    head = np.hypot(u - 0.9, v + 0.25) < 0.5
    ears = (v > -1) & (v < -0.5) & (np.abs(np.abs(u - 0.9) - 0.3) < 0.3 * (v + 1) / 0.5)
    face = head | ears
    return body | face, face, ((u * 4) % 1 - 0.5) ** 2 + ((v * 4) % 1 - 0.5) ** 2 < 0.12


_KINDS = (
    Kind(_train, (0.13, 0.19), 0.13),
    Kind(_boat, (0.18, 0.3), 0.95),
    Kind(_ball, (0.07, 0.12), 0.02),
    Kind(_table, (0.2, 0.28), 0.62),
    Kind(_bottle, (0.16, 0.24), 0.45),
    Kind(_bird, (0.12, 0.19), 0.78),
    Kind(_plant, (0.17, 0.27), 0.33),
    Kind(_cat, (0.17, 0.25), 0.08),
)
SET = Generated(CARD, SPLITS, CLASSES, label_colours(len(CLASSES)), draw)
open_objects = SET.open
