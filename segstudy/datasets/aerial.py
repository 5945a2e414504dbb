"""Generated aerial photographs of a town: six kinds of land cover at 20 cm, without a download.

What makes them hard is what makes real ones hard: roofs as grey as the street, gardens half hidden by crowns, cars
that nearly touch, shadows of one sun over all of it. A larger `size` shows more ground. A scene is drawn in squares of
256 x 256, each a function of its place alone, so that a window costs no more than the squares it touches. Which
surfaces there are: `segstudy.datasets.aerial_coats`; the plan of a town: `aerial_town`, `aerial_blocks`,
`aerial_yard`; how it is drawn and seen: `aerial_canvas`, `aerial_drawing`, `aerial_camera`. The default set is frozen
in `aerial.lock.json`.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from segstudy.datasets import aerial_camera
from segstudy.datasets.aerial_canvas import METRES, Canvas
from segstudy.datasets.aerial_drawing import draw_thing
from segstudy.datasets.aerial_town import things, town
from segstudy.datasets.card import Card
from segstudy.datasets.files import Window, crop, require_choice
from segstudy.datasets.generated import Generated, generators
from segstudy.datasets.isprs import CLASSES, COLOURS
from segstudy.datasets.sample import Dataset, Sample

SPLITS = {"train": 64, "val": 16, "test": 32}
SIDE = 256  # pixels of a square's side
BANDS = {"rgb": [0, 1, 2], "irrg": [3, 0, 1], "rgbir": [0, 1, 2, 3]}

CARD = Card(
    name="aerial",
    title="generated aerial photographs of a town",
    what=(
        "a drawn town from above at 20 cm, in red, green, blue and infrared; each pixel impervious surface, building, "
        "low vegetation, tree, car or clutter"
    ),
    how_many="64 training, 16 validation and 32 test pictures of 256 x 256, each of another town; any size with size=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/aerial.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


def draw(
    index: int, size: tuple[int, int], scene: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture: (H, W, 4) uint8 in red, green, blue, infrared, and (H, W) uint8 labels."""
    keys = tuple(int(stream.integers(1 << 40)) for stream in (scene, sensor))
    return tuple(_window(keys, size, which, None) for which in (0, 1))


SET = Generated(CARD, SPLITS, CLASSES, COLOURS, draw, size=(SIDE, SIDE), lock_size=(SIDE, SIDE))


def open_aerial(
    root: Path | None,
    split: str,
    supervision: str,
    *,
    size: tuple[int, int] | None = None,
    count: int | None = None,
    seed: int = 0,
    bands: str = "rgb",
) -> Dataset:
    """Open the pictures: 0 impervious surfaces, 1 building, 2 low vegetation, 3 tree, 4 car, 5 clutter.

    Parameters
    ----------
    root : Path
        Ignored: there are no files.
    split : "train", "val" or "test"
    supervision : "full", "image" or "none"
    size : tuple of int, optional
        (height, width), at least 32 each, by default 256; more pixels show more ground.
    count : int, optional
        How many pictures; by default as many as the split holds. The first ones stay the same.
    seed : int
        0 is the frozen set.
    bands : "rgb", "irrg" or "rgbir"

    Returns
    -------
    Dataset
        Its samples' `read` draws the squares of 256 x 256 that the window touches and no more.

    Raises
    ------
    ValueError
        Where `split` or `bands` is unknown, or `size`, `count` or `seed` is not in its range.
    """
    require_choice("bands", bands, BANDS)
    plain = SET.open(
        root, split, "none", size=size, count=count, seed=seed
    )  # it checks the rest, and draws nothing
    return Dataset(
        CARD.name,
        split=split,
        supervision=supervision,
        samples=[_sample(split, index, plain.parameters, bands) for index in range(len(plain))],
        classes=CLASSES,
        colours=COLOURS,
        card=CARD,
        note=plain.note,
        parameters={**plain.parameters, "bands": bands},
    )


def _sample(split: str, index: int, parameters: dict, bands: str) -> Sample:
    """Return the sample of a picture, which is drawn when it is read."""
    streams = generators(SET, split, index, parameters["seed"])
    keys = tuple(int(stream.integers(1 << 40)) for stream in streams)
    size = tuple(parameters["size"])
    readers = partial(_read_image, keys, size, bands), partial(_window, keys, size, 1)
    given = {"read_size": partial(tuple, size), "drawn_from": f"{keys} {size} {bands}"}
    return Sample(f"{split}-{index:03d}", *readers, **given)


def _read_image(
    keys: tuple[int, int], size: tuple[int, int], bands: str, window: Window | None = None
) -> np.ndarray:
    """Return the bands of a picture inside a window."""
    return np.ascontiguousarray(_window(keys, size, 0, window)[..., BANDS[bands]])


def _window(
    keys: tuple[int, int], size: tuple[int, int], which: int, window: Window | None = None
) -> np.ndarray:
    """Return the picture (`which` 0) or the labels (1) inside a window, from the squares it touches."""
    crop(np.broadcast_to(np.uint8(0), size), window)  # the check of a window, without a picture
    row, column, height, width = (0, 0, *size) if window is None else window
    result = np.empty((height, width, 4) if which == 0 else (height, width), np.uint8)
    for down in range(row // SIDE, (row + height - 1) // SIDE + 1):
        for along in range(column // SIDE, (column + width - 1) // SIDE + 1):
            top, left = max(row, down * SIDE), max(column, along * SIDE)
            bottom, right = min(row + height, (down + 1) * SIDE), min(column + width, (along + 1) * SIDE)
            square = _square(keys, size, down, along)[which]
            part = square[
                top - down * SIDE : bottom - down * SIDE, left - along * SIDE : right - along * SIDE
            ]
            result[top - row : bottom - row, left - column : right - column] = part
    return result


@lru_cache(maxsize=128)  # a training and a validation set; 42 MB
def _square(
    keys: tuple[int, int], size: tuple[int, int], down: int, along: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a square, or what of it lies in the scene: (h, w, 4) uint8 picture and (h, w) uint8 labels."""
    corner = (down * SIDE, along * SIDE)
    extent = tuple(min(SIDE, side - start) for side, start in zip(size, corner, strict=True))
    picture, labels, grain = render(keys[0], corner, extent)
    sensor = np.random.default_rng([keys[1], down, along]).standard_normal((SIDE, SIDE, 4), np.float32)
    picture = 255 * (picture + grain * (0.5 + picture) * sensor[: extent[0], : extent[1]])
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), labels


def render(
    key: int, corner: tuple[int, int], extent: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw any rectangle of a scene.

    Parameters
    ----------
    key : int
        The scene's.
    corner, extent : tuple of int
        First row and column, height and width, in pixels.

    Returns
    -------
    picture : (h, w, 4) float32 ndarray
        Of about 0..1, as the lens throws it on the sensor.
    labels : (h, w) uint8 ndarray
    grain : float
        Deviation of the sensor's noise.
    """
    dice = np.random.default_rng(key)
    place, sky = town(key, dice), aerial_camera.light(dice)
    edge = aerial_camera.margin(sky.elevation)
    canvas = Canvas(key, tuple(start - edge for start in corner), tuple(side + 2 * edge for side in extent))
    for thing in things(place, (canvas.y[0], canvas.x[0]), tuple(METRES * side for side in canvas.size)):
        draw_thing(canvas, thing)
    inner = (slice(edge, -edge),) * 2
    return aerial_camera.photograph(canvas, sky)[inner], canvas.labels[inner].copy(), sky.grain
