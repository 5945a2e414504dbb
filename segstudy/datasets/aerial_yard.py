"""Where things are put in a drawn town: houses and what is on their roofs, cars, trees, hedges, containers."""

from __future__ import annotations

import math

import numpy as np

from segstudy.datasets.aerial_canvas import Thing
from segstudy.datasets.aerial_coats import CAR_SHARES, CARS, CRATES, Coat, coat, lacquer
from segstudy.datasets.isprs import CLASSES

SURFACE, BUILDING, LOW, TREE, CAR, CLUTTER = range(len(CLASSES))
GROUND, MARKS, LOW_THINGS, HIGH_THINGS, ON_ROOFS, CROWNS = range(6)  # layers, drawn in this order
FLAT_ROOFS = ("felt", "felt", "gravel", "gravel", "membrane", "planted", "slate")
STEEP_ROOFS = ("tiles", "tiles", "tiles", "brown", "brown", "slate", "felt")
FOLIAGE = ("leaves", "needles", "autumn", "twigs")


class Yard:
    """A place to put things, with its origin and its axes.

    Parameters
    ----------
    rng : numpy.random.Generator
    origin : tuple of float
        Its u and v in the town, metres.
    turn : float
        Of the u axis, radians.
    shift : tuple of float
        Of the town against the scene.
    green : tuple of float
        Shares of the kinds of trees.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        origin: tuple[float, float],
        turn: float,
        shift: tuple[float, float],
        green: tuple[float, ...],
    ) -> None:
        self.rng, self.origin, self.turn, self.shift, self.green = rng, origin, turn, shift, green
        self.things: list[Thing] = []

    def put(
        self,
        shape: str,
        u: float,
        v: float,
        a: float,
        b: float,
        surface: str | Coat,
        label: int,
        height: float = 0.0,
        turn: float = 0.0,
        layer: int = GROUND,
        like: np.random.Generator | None = None,
    ) -> None:
        """Put a thing of half sides `a` along its own axis, `turn` from u, and `b`; `like` draws its surface."""
        surface = surface if isinstance(surface, Coat) else coat(like or self.rng, surface)
        u, v = u + self.origin[0] - self.shift[0], v + self.origin[1] - self.shift[1]
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        x, y = float(u * cos - v * sin), float(u * sin + v * cos)
        seed = int(self.rng.integers(1, 1 << 16))
        turn, height = float(turn + self.turn), float(height)
        self.things.append(Thing(shape, x, y, float(a), float(b), turn, surface, label, height, layer, seed))

    def car(self, u: float, v: float, turn: float) -> None:
        """Put a car, in either direction, a little askew."""
        rng = self.rng
        turn += rng.normal(0, 0.03) + np.pi * rng.integers(2)
        size = rng.uniform(1.95, 2.4), rng.uniform(0.86, 0.98)
        self.put("car", u, v, *size, lacquer(rng, CARS, CAR_SHARES), CAR, turn=turn, layer=LOW_THINGS)

    def row_of_cars(self, start: tuple[float, float], turn: float, long: float, parked: float) -> None:
        """Park cars one behind the other, some nearly touching."""
        at = self.rng.uniform(2, 4)
        while at < long - 2:
            if self.rng.random() < parked:
                self.car(start[0] + at * np.cos(turn), start[1] + at * np.sin(turn), turn)
            at += self.rng.uniform(4.6, 5.6)

    def bays(self, u: float, v: float, long: float, turn: float, parked: float) -> None:
        """Park cars side by side in bays from (u, v) on, the lines between them painted."""
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        count = int(long // 2.5)
        middle = np.array([u, v]) + along * 1.25 * count
        if count < 1:
            return
        self.put("bay", *middle, 1.25 * count, 2.5, "paint", SURFACE, turn=turn, layer=MARKS)
        for number in range(count):
            if self.rng.random() < parked:
                place = np.array([u, v]) + along * 2.5 * (number + 0.5) + across * self.rng.normal(0, 0.25)
                self.car(*place, turn + np.pi / 2)

    def tree(self, u: float, v: float, radius: float) -> None:
        """Plant a tree, unless a house stands there."""
        kind = FOLIAGE[int(self.rng.choice(len(FOLIAGE), p=self.green))]
        height = min(2.2 + 1.5 * radius + self.rng.normal(0, 0.6), 9.6)
        shape = radius, radius * self.rng.uniform(0.85, 1)
        self.put("crown", u, v, *shape, kind, TREE, height, self.rng.uniform(0, 3), CROWNS)
        if any(_inside(self.things[-1], house) for house in self.things if house.layer == HIGH_THINGS):
            self.things.pop()

    def grove(self, u: float, v: float, wide: float, long: float, count: int) -> None:
        """Plant trees in a rectangle around (u, v); their crowns may overlap."""
        for _ in range(count):
            place = u + self.rng.uniform(-wide, wide) / 2, v + self.rng.uniform(-long, long) / 2
            self.tree(*place, self.rng.uniform(1.6, 4.8))

    def house(self, u: float, v: float, a: float, b: float, turn: float, steep: bool, height: float) -> None:
        """Build a house: a steep roof with a chimney and windows, or a flat one with a rim and machines."""
        rng = self.rng
        if steep:
            shape = "gable" if rng.random() < 0.6 else "hip"
            roof = coat(rng, STEEP_ROOFS[rng.integers(len(STEEP_ROOFS))])
            height = min(height, 10.3 - 0.85 * b)
            self.put(shape, u, v, a, b, roof, BUILDING, height, turn, HIGH_THINGS)
        else:
            rim = coat(rng, "metal" if rng.random() < 0.5 else "concrete")
            self.put("flat", u, v, a, b, rim, BUILDING, height, turn, HIGH_THINGS)
            surface = FLAT_ROOFS[rng.integers(len(FLAT_ROOFS))]
            self.put("flat", u, v, a - 0.4, b - 0.4, surface, BUILDING, height, turn, ON_ROOFS)
        self._roof_things(u, v, a, b, turn, steep, height)

    def _roof_things(
        self, u: float, v: float, a: float, b: float, turn: float, steep: bool, height: float
    ) -> None:
        """Put chimneys and windows on a steep roof, machines on a flat one, panels on some of both."""
        rng, cos, sin = self.rng, np.cos(turn), np.sin(turn)

        def put(p: float, q: float, size: tuple[float, float], what: str, top: float) -> None:
            place = u + p * cos - q * sin, v + p * sin + q * cos
            self.put("flat", *place, *size, what, BUILDING, top, turn, ON_ROOFS)

        for _ in range(rng.poisson(0.014 * a * b + 1)):
            p, q = rng.uniform(-0.8, 0.8) * a, rng.uniform(-0.75, 0.75) * b
            if steep:
                top = height + 0.9 * (b - abs(q)) + 0.2
                put(p, q, rng.uniform(0.3, 0.6, 2), ("glass", "brown", "glass")[rng.integers(3)], top)
            else:
                top = height + rng.uniform(0.1, 1.4)
                put(p, q, rng.uniform(0.4, 1.6, 2), ("metal", "glass", "concrete")[rng.integers(3)], top)
        if rng.random() < 0.2 and b > 3:
            top = height + (0.6 * b if steep else 0.3)
            put(rng.uniform(-0.3, 0.3) * a, 0.5 * b, (min(0.5 * a, 3.5), 0.28 * b), "glass", top)

    def crates(self, u: float, v: float, count: int, wide: float) -> None:
        """Put containers, some side by side."""
        turn = self.rng.uniform(0, np.pi)
        for _ in range(count):
            place = u + self.rng.uniform(-wide, wide), v + self.rng.uniform(-wide, wide)
            crate = lacquer(self.rng, CRATES)
            self.put(
                "flat", *place, 3.0, 1.22, crate, CLUTTER, 2.6, turn + self.rng.normal(0, 0.06), LOW_THINGS
            )

    def hedge(self, u: float, v: float, a: float, turn: float) -> None:
        """Plant a hedge."""
        height, wide = self.rng.uniform(0.9, 2.0), self.rng.uniform(0.4, 0.8)
        self.put("bush", u, v, a, wide, "hedge", LOW, height, turn, LOW_THINGS)


def _inside(thing: Thing, house: Thing) -> bool:
    """Tell whether a thing's middle lies within a metre of a house."""
    dx, dy, cos, sin = thing.x - house.x, thing.y - house.y, math.cos(house.turn), math.sin(house.turn)
    return abs(dx * cos + dy * sin) < house.a + 1 and abs(dy * cos - dx * sin) < house.b + 1
