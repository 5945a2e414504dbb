"""How each shape of a thing is drawn: flat ground, boxes, roofs, cars, crowns, heaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segstudy.datasets.aerial_canvas import METRES, Canvas, Thing
from segstudy.datasets.aerial_coats import COATS


def draw_thing(canvas: Canvas, thing: Thing) -> None:
    """Draw a thing on a canvas; what lies outside is left out."""
    _SHAPES[thing.shape](canvas, thing)


def _flat(canvas: Canvas, thing: Thing) -> None:
    """Ground, a line, a box, a flat roof: level, with straight sides."""
    if found := canvas.box(thing):
        box, p, q = found
        canvas.lay(box, (np.abs(p) < thing.a) & (np.abs(q) < thing.b), thing, thing.height)


def _disc(canvas: Canvas, thing: Thing) -> None:
    """A pond or a bed: level, with a wavy outline."""
    if found := canvas.box(thing, 0.3 * thing.a):
        box, p, q = found
        canvas.lay(box, _far(p / thing.a, q / thing.b, thing.seed, 0.1) < 1, thing, thing.height)


def _mown(canvas: Canvas, thing: Thing) -> None:
    """A lawn with the stripes of a mower."""
    if found := canvas.box(thing):
        box, p, q = found
        stripes = 1 + 0.05 * np.sign(np.sin(q * np.pi / 1.1))
        canvas.lay(box, (np.abs(p) < thing.a) & (np.abs(q) < thing.b), thing, thing.height, None, stripes)


def _bay(canvas: Canvas, thing: Thing) -> None:
    """Lines of parking bays, 2.5 m apart, across the length."""
    if found := canvas.box(thing):
        box, p, q = found
        lines = np.abs((p - 1.25) % 2.5 - 1.25) > 1.25 - 0.09
        canvas.lay(box, lines & (np.abs(p) < thing.a) & (np.abs(q) < thing.b), thing, thing.height)


def _dashes(canvas: Canvas, thing: Thing) -> None:
    """A broken line along the length."""
    if found := canvas.box(thing):
        box, p, q = found
        canvas.lay(box, (p % 6 < 3) & (np.abs(p) < thing.a) & (np.abs(q) < thing.b), thing, thing.height)


def _zebra(canvas: Canvas, thing: Thing) -> None:
    """A crossing: bars along the width."""
    if found := canvas.box(thing):
        box, p, q = found
        canvas.lay(box, (p % 1 < 0.5) & (np.abs(p) < thing.a) & (np.abs(q) < thing.b), thing, thing.height)


def _gable(canvas: Canvas, thing: Thing) -> None:
    """A roof of two planes, the ridge along the length."""
    _roof(canvas, thing, lambda p, q: np.where(np.abs(p) < thing.a, thing.b - np.abs(q), -1.0))


def _hip(canvas: Canvas, thing: Thing) -> None:
    """A roof of four planes."""
    _roof(canvas, thing, lambda p, q: np.minimum(thing.b - np.abs(q), thing.a - np.abs(p)))


def _roof(canvas: Canvas, thing: Thing, inside: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """A roof that rises by the distance `inside` its eaves, with courses of tiles and a light ridge."""
    found = canvas.box(thing)
    if not found:
        return
    box, p, q = found
    steep = 0.45 + 0.4 * (thing.seed % 7) / 7
    depth = inside(p, q)
    ends = thing.b - np.abs(q) > depth + 1e-6  # of the two planes at the ends
    down = np.where(ends, np.sign(p), np.sign(q)) * -steep
    along, across = np.where(ends, down, 0), np.where(ends, 0, down)
    cos, sin = np.cos(thing.turn), np.sin(thing.turn)
    slope = np.dstack([along * cos - across * sin, along * sin + across * cos])
    ridge = np.abs(np.where(ends, 9, q)) < 0.16
    courses = 1 + 0.05 * np.sin(depth * 2 * np.pi / 0.7) + 0.12 * ridge - 0.1 * (depth < 0.25)
    canvas.lay(box, depth > 0, thing, thing.height + steep * depth, slope, courses)


def _car(canvas: Canvas, thing: Thing) -> None:
    """A car: body, dark windows around a lighter roof."""
    found = canvas.box(thing)
    if not found:
        return
    box, p, q = found
    s, t = p / thing.a, q / thing.b
    cabin = -0.15 - 0.2 * (thing.seed % 3)  # further back in some
    body = s**4 + t**4 < 1
    glass = (np.abs(s - cabin) < 0.56) & (np.abs(t) < 0.86) & body
    roof = (np.abs(s - cabin + 0.04) < 0.33) & (np.abs(t) < 0.68)
    shine = 1 + 0.10 * np.cos(3 * t) - 0.10 * (np.abs(s) > 0.9)
    canvas.lay(box, body & ~glass, thing, 0.8, None, shine)
    canvas.lay(box, glass & ~roof, thing, 1.2, coat=COATS["glass"])
    canvas.lay(box, roof & glass, thing, 1.45, None, 1.08)


def _crown(canvas: Canvas, thing: Thing) -> None:
    """A tree: a lobed, ragged crown of clumps of leaves."""
    found = canvas.box(thing, 0.35 * thing.a)
    if not found:
        return
    box, p, q = found
    clump, grain = canvas.noise[2][box], canvas.noise[1][box]
    far = _far(p / thing.a, q / thing.b, thing.seed, 0.13) + 0.07 * clump + 0.05 * grain
    dome = np.sqrt(np.clip(1 - far**2, 0, None))
    top = thing.height * (0.5 + 0.5 * dome) + 0.45 * clump + 0.15 * grain
    slope = 0.65 * _slope(canvas, thing.height * 0.5 * dome + 0.5 * clump + 0.12 * grain)
    canvas.lay(box, far < 1, thing, np.maximum(top, 1.5), slope, 0.72 + 0.34 * dome)


def _heap(canvas: Canvas, thing: Thing) -> None:
    """A heap of soil, rubble or cuttings."""
    found = canvas.box(thing, 0.35 * thing.a)
    if not found:
        return
    box, p, q = found
    far = _far(p / thing.a, q / thing.b, thing.seed, 0.15) + 0.05 * canvas.noise[1][box]
    top = thing.height * np.clip(1 - far, 0, None) + 0.12 * canvas.noise[1][box]
    canvas.lay(box, far < 1, thing, np.maximum(top, 0.05), _slope(canvas, top))


def _bush(canvas: Canvas, thing: Thing) -> None:
    """A hedge or a row of bushes: straight, with a ragged edge and a bumpy top."""
    found = canvas.box(thing, 0.3)
    if not found:
        return
    box, p, q = found
    ragged = 0.12 * canvas.noise[1][box] + 0.1 * canvas.noise[2][box]
    inside = np.minimum(thing.a - np.abs(p), thing.b - np.abs(q)) + ragged
    top = thing.height * np.clip(inside / 0.5, 0.3, 1) + 0.12 * canvas.noise[1][box]
    canvas.lay(box, inside > 0, thing, np.maximum(top, 0.1), 0.8 * _slope(canvas, top))


def _far(s: np.ndarray, t: np.ndarray, seed: int, lobes: float) -> np.ndarray:
    """Return the distance from the centre as a share of a wavy outline's radius."""
    turn = np.arctan2(t, s)
    wave = sum(np.sin(n * turn + seed * phase) / n for n, phase in ((2, 0.7), (3, 1.9), (5, 3.1)))
    return np.hypot(s, t) / (1 + lobes * wave)


def _slope(canvas: Canvas, top: np.ndarray) -> np.ndarray:
    """Return how a surface rises along x and y, (h, w, 2); a strip one pixel wide is level."""
    along_y, along_x = (
        np.gradient(top, METRES, axis=axis) if top.shape[axis] > 1 else 0 * top for axis in (0, 1)
    )
    return np.dstack([along_x, along_y])


_SHAPES = {
    "flat": _flat,
    "disc": _disc,
    "mown": _mown,
    "bay": _bay,
    "dashes": _dashes,
    "zebra": _zebra,
    "gable": _gable,
    "hip": _hip,
    "car": _car,
    "crown": _crown,
    "heap": _heap,
    "bush": _bush,
}
