"""A piece of the ground that things are drawn on: what covers each pixel, how high it is, and how it slopes.

The canvas knows its place on the ground, and all that is drawn on it is a function of that place: two canvases agree
where they overlap. A thing covers what is lower than itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segstudy.datasets.aerial_coats import Coat

METRES = 0.2  # of ground in a pixel

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Thing:
    """A thing on the ground.

    Parameters
    ----------
    shape : str
        Name of the function that draws it.
    x, y : float
        Centre, in metres right of and below the scene's corner.
    a, b : float
        Half its length and half its width, metres.
    turn : float
        Of its length from the x axis towards the y axis, radians.
    coat : Coat
    label : int
        Its class.
    height : float
        Of its top, its eaves or its crown above the ground, metres.
    layer : int
        Things of a lower layer are drawn first.
    seed : int
        Of what else is drawn at random in it.
    """

    shape: str
    x: float
    y: float
    a: float
    b: float
    turn: float
    coat: Coat
    label: int
    height: float = 0.0
    layer: int = 0
    seed: int = 0


class Canvas:
    """The arrays that are drawn on.

    Parameters
    ----------
    key : int
        Of the scene's textures.
    corner : tuple of int
        Row and column of its first pixel in the scene; may be negative.
    size : tuple of int
    """

    def __init__(self, key: int, corner: tuple[int, int], size: tuple[int, int]) -> None:
        self.corner, self.size = corner, size
        self.y, self.x = (
            (start + np.arange(side) + 0.5) * METRES for start, side in zip(corner, size, strict=True)
        )
        self.albedo = np.zeros((*size, 4), np.float32)
        self.labels = np.zeros(size, np.uint8)
        self.height = np.zeros(size, np.float32)
        self.slope = np.zeros((*size, 2), np.float32)  # metres up per metre along x and y
        # over a pixel, 0.5 m, 1.5 m, 7 m; the last one for stains
        self.noise = [noise(key + n, corner, size, cell) for n, cell in enumerate((1, 2.5, 7, 35, 16))]

    def box(self, thing: Thing, margin: float = 0.0) -> tuple[Box, np.ndarray, np.ndarray] | None:
        """Return the part of the canvas that a thing may cover, and there the place along its length and width."""
        along, across = thing.a + margin, thing.b + margin
        cos, sin = np.cos(thing.turn), np.sin(thing.turn)
        wide, high = abs(along * cos) + abs(across * sin), abs(along * sin) + abs(across * cos)
        rows = slice(*np.searchsorted(self.y, (thing.y - high, thing.y + high)))
        columns = slice(*np.searchsorted(self.x, (thing.x - wide, thing.x + wide)))
        if rows.start == rows.stop or columns.start == columns.stop:
            return None
        dy, dx = self.y[rows, None] - thing.y, self.x[None, columns] - thing.x
        return (rows, columns), dx * cos + dy * sin, dy * cos - dx * sin

    def lay(
        self,
        box: Box,
        mask: np.ndarray,
        thing: Thing,
        height: np.ndarray | float,
        slope: np.ndarray | None = None,
        shade: np.ndarray | float = 1.0,
        coat: Coat | None = None,
    ) -> None:
        """Cover the pixels of a mask that are no higher; `slope` is (h, w, 2) in the directions x and y."""
        coat = coat or thing.coat
        height = np.broadcast_to(np.asarray(height, np.float32), mask.shape)
        seen = mask & (height >= self.height[box])
        texture = 1 + sum(
            weight * field[box][seen] for weight, field in zip(coat.rough, self.noise, strict=False)
        )
        texture *= np.broadcast_to(shade, mask.shape)[seen]
        stain = np.maximum(self.noise[4][box][seen], 0)
        self.albedo[box][seen] = texture[:, None] * np.float32(coat.tone) + stain[:, None] * np.float32(
            coat.tint
        )
        self.labels[box][seen] = thing.label
        self.height[box][seen] = height[seen]
        self.slope[box][seen] = 0 if slope is None else slope[seen]


def noise(key: int, corner: tuple[int, int], size: tuple[int, int], cell: float) -> np.ndarray:
    """Return a smooth random field of mean 0 and deviation about 1 that is the same on every canvas.

    Random numbers at the knots of a grid over the whole scene, between them a cubic B-spline.

    Parameters
    ----------
    key : int
        Another key, another field.
    corner, size : tuple of int
        Of the canvas, in pixels of the scene.
    cell : float
        Pixels between two knots; 1 for a number of its own in each pixel.

    Returns
    -------
    size float32 ndarray
    """
    if cell == 1:
        return _random(key, *(start + np.arange(side) for start, side in zip(corner, size, strict=True)))
    weights, knots = [], []
    for start, side in zip(corner, size, strict=True):
        place = (start + np.arange(side)) / cell
        first = int(np.floor(place[0])) - 1
        at = np.arange(first, int(np.floor(place[-1])) + 3)
        far = np.abs(place[:, None] - at)
        near, outer = 2 / 3 - far**2 + far**3 / 2, np.clip(2 - far, 0, None) ** 3 / 6
        weights.append(np.where(far < 1, near, outer))
        knots.append(at)
    # 0.479 is the mean of the squared weights' sum, for each axis its root
    return (weights[0] @ _random(key, *knots) @ weights[1].T / 0.479).astype(np.float32)


def _random(key: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return a number for each (row, column), uniform with mean 0 and deviation 1, by mixing the bits of its place."""
    bits = (
        rows[:, None] * 0x1F123BB5 + columns[None, :] * 0x5851F42D + (key & 0xFFFFFFFF) * 0x2545F491
    ).astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return ((bits >> np.uint64(40)).astype(np.float32) / 2**24 - 0.5) * np.float32(12**0.5)
