"""The plan of a drawn town: avenues, cross streets, what is built in the blocks between them, and who parks there.

A town has no edge. It is laid out in blocks, each drawn from a seed of its own, so that what stands in a part of it can
be told without the rest: `things` lists what may be seen from a rectangle. Lengths are in metres; u and v are a scene's
own axes, u across its avenues, v along them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from segstudy.datasets.aerial_blocks import BLOCKS
from segstudy.datasets.aerial_canvas import Thing
from segstudy.datasets.aerial_yard import SURFACE, Yard

AVENUE, ACROSS = 66.0, 92.0  # metres between two avenues, and between two cross streets
LANE = 4.0  # half a street's width, with a row of parked cars to each side
WALK = 1.6  # width of a pavement
REACH = 12.0  # by how much a thing may leave its block


@dataclass(frozen=True)
class Town:
    """A scene: its seed, how its avenues run, which blocks and trees are frequent in it."""

    key: int
    turn: float
    shift: tuple[float, float]
    shares: tuple[float, ...]
    green: tuple[float, float, float, float]
    parked: float


def town(key: int, rng: np.random.Generator) -> Town:
    """Draw a scene."""
    usual = np.array([share for share, _ in BLOCKS])
    return Town(
        key=key,
        turn=float(rng.uniform(0, np.pi)),
        shift=(float(rng.uniform(0, 1000)), float(rng.uniform(0, 1000))),
        shares=tuple(rng.dirichlet(14 * usual).tolist()),
        green=tuple(rng.dirichlet([4.0, 1.2, 0.7, 1.0]).tolist()),
        parked=float(rng.uniform(0.08, 0.36)),
    )


def things(place: Town, corner: tuple[float, float], size: tuple[float, float]) -> list[Thing]:
    """Return what may be seen in a rectangle of the scene, in the order in which it is drawn.

    Parameters
    ----------
    place : Town
    corner, size : tuple of float
        y and x of the rectangle's first corner, its height and width, metres.
    """
    half = np.hypot(*size) / 2 + REACH
    u, v = _grid(place, corner[1] + size[1] / 2, corner[0] + size[0] / 2)
    found = []
    for column in range(int((u - half) // AVENUE) - 1, int((u + half) // AVENUE) + 1):
        if not _avenue(place, column) - half < u < _avenue(place, column + 1) + half:
            continue
        for row in range(int((v - half) // ACROSS) - 1, int((v + half) // ACROSS) + 2):
            if _street(place, column, row) - half < v < _street(place, column, row + 1) + half:
                found.extend(_block(place, column, row))
    return sorted(found, key=lambda thing: thing.layer)


def _grid(place: Town, x: float, y: float) -> tuple[float, float]:
    cos, sin = np.cos(place.turn), np.sin(place.turn)
    return x * cos + y * sin + place.shift[0], y * cos - x * sin + place.shift[1]


def _avenue(place: Town, column: int) -> float:
    """Return the u of an avenue's middle."""
    return AVENUE * (column + _dice(place, 1, column).uniform(-0.12, 0.12))


def _street(place: Town, column: int, row: int) -> float:
    """Return the v of a cross street's middle; those of two neighbouring strips do not meet."""
    start = _dice(place, 2, column).uniform(0, 1)
    return ACROSS * (row + start - 0.5 + _dice(place, 3, column, row).uniform(-0.12, 0.12))


def _dice(place: Town, *of: int) -> np.random.Generator:
    return np.random.default_rng([place.key, *(number & 0xFFFFFFFF for number in of)])


@lru_cache(maxsize=512)
def _block(place: Town, column: int, row: int) -> tuple[Thing, ...]:
    """Return what stands in a block and on the streets at its first two sides."""
    rng = _dice(place, 4, column, row)
    left, right = _avenue(place, column), _avenue(place, column + 1)
    low, high = _street(place, column, row), _street(place, column, row + 1)
    yard = Yard(rng, (left, low), place.turn, place.shift, place.green)
    _pave(yard, right - left, high - low, _dice(place, 5, column))
    _traffic(yard, right - left, high - low, place.parked)
    edge = LANE + WALK
    inner = Yard(rng, (left + edge, low + edge), place.turn, place.shift, place.green)
    BLOCKS[int(rng.choice(len(BLOCKS), p=place.shares))][1](
        inner, right - left - 2 * edge, high - low - 2 * edge
    )
    return tuple(yard.things + inner.things)


def _pave(yard: Yard, wide: float, long: float, avenue: np.random.Generator) -> None:
    """Lay the avenue, the cross street, the pavement around the block, marks, manholes and mended places."""
    rng = yard.rng
    kind = "asphalt" if avenue.random() < 0.75 else "pavers"
    yard.put("flat", 0, long / 2, LANE, long / 2 + 9, kind, SURFACE, like=avenue)
    yard.put("flat", wide / 2, 0, wide / 2 - LANE, LANE, "asphalt", SURFACE)
    walk = "pavers" if rng.random() < 0.6 else "concrete"
    yard.put("flat", wide / 2, long / 2, wide / 2 - LANE, long / 2 - LANE, walk, SURFACE)
    if kind == "asphalt" and avenue.random() < 0.8:
        yard.put("dashes", 0, long / 2, long / 2 - 7, 0.09, "paint", SURFACE, turn=np.pi / 2)
    for _ in range(rng.poisson(4)):
        u, v = (
            (rng.uniform(-LANE, LANE), rng.uniform(5, long - 5))
            if rng.random() < 0.6
            else (rng.uniform(6, wide), 0)
        )
        size = rng.uniform(0.4, 3, 2) * (0.4 if rng.random() < 0.3 else 1)
        yard.put("flat", u * 0.7, v, *size, "asphalt" if rng.random() < 0.7 else "felt", SURFACE)
    if rng.random() < 0.5:
        yard.put("zebra", 0, LANE + 3.5, LANE - 0.3, 1.5, "paint", SURFACE)
    if rng.random() < 0.4:
        yard.put("zebra", LANE + 3.5, 0, LANE - 0.3, 1.5, "paint", SURFACE, turn=np.pi / 2)


def _traffic(yard: Yard, wide: float, long: float, parked: float) -> None:
    """Park cars along both streets, let some drive, and plant trees along the pavements."""
    rng = yard.rng
    for side in (-1, 1):
        yard.row_of_cars((side * (LANE - 1.05), 8), np.pi / 2, long - 16, parked)
        yard.row_of_cars((9, side * (LANE - 1.05)), 0.0, wide - 18, 0.7 * parked)
    for _ in range(rng.poisson(1.6)):
        side = rng.choice((-1, 1))
        yard.car(side * 1.35, rng.uniform(6, long - 6), np.pi / 2)
    if rng.random() < 0.5:
        yard.car(rng.uniform(8, wide - 8), rng.choice((-1, 1)) * 1.4, 0.0)
    for side in (-1, 1):
        if rng.random() < 0.65:
            step = rng.uniform(8, 14)
            for v in np.arange(9, long - 9, step):
                if rng.random() < 0.85:
                    yard.tree(side * (LANE + 0.9), v, rng.uniform(1.8, 4.4))
