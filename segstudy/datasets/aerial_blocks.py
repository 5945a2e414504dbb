"""What is built in a block of a drawn town: houses with gardens, blocks of flats, halls, courts, parks, sites."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segstudy.datasets.aerial_yard import CLUTTER, LOW, LOW_THINGS, MARKS, SURFACE, Yard


def _houses(yard: Yard, wide: float, long: float) -> None:
    """Two rows of houses with gardens."""
    rng = yard.rng
    yard.put("flat", wide / 2, long / 2, wide / 2, long / 2, "lawn" if rng.random() < 0.8 else "meadow", LOW)
    count = max(int(long / rng.uniform(14.5, 18)), 1)
    lot, steep = long / count, rng.random() < 0.85
    for side in (0, 1):
        for number in range(count):
            _lot(yard, wide, side, (number + 0.5) * lot, lot, steep)
    if rng.random() < 0.6:
        yard.hedge(wide / 2, long / 2, long / 2, np.pi / 2)


def _lot(yard: Yard, wide: float, side: int, v: float, lot: float, steep: bool) -> None:
    """One house with its drive, its garden and what stands there; `side` 0 looks to the first avenue, 1 to the next."""
    rng = yard.rng

    def at(depth: float) -> float:
        return depth if side == 0 else wide - depth

    front, a, b = rng.uniform(3, 7), rng.uniform(5, lot / 2 - 2.2), rng.uniform(4.8, 6.3)
    back = front + 2 * b
    yard.put("mown", at(wide / 4), v, wide / 4 - 0.3, lot / 2 - 0.3, "lawn", LOW)
    drive = v + (lot / 2 - 1.6) * rng.choice((-1, 1))
    paving = ("pavers", "asphalt", "concrete")[rng.integers(3)]
    yard.put("flat", at(back / 2), drive, back / 2, 1.5, paving, SURFACE)
    yard.put("flat", at(front / 2), v, front / 2, rng.uniform(0.6, 2), "pavers", SURFACE)
    yard.put("flat", at(back + 1.5), v, 1.6, rng.uniform(2, a), "pavers", SURFACE)
    yard.house(at(front + b), v, a, b, np.pi / 2 + rng.normal(0, 0.02), steep, rng.uniform(3, 6))
    if rng.random() < 0.5:
        yard.house(at(back - 2.6), drive, 1.6, 3.0, np.pi / 2, False, 2.6)
    if rng.random() < 0.5:
        yard.car(at(rng.uniform(2.2, 4)), drive, 0.0)
    if rng.random() < 0.4:
        yard.hedge(at(0.6), v, lot / 2 - 3.2, np.pi / 2)
    if rng.random() < 0.5:
        yard.hedge(at(wide / 4), v + lot / 2, wide / 4 - 1, 0.0)
    depth = max(wide / 2 - back, 1.0)
    if depth > 8 and rng.random() < 0.32:
        pool = rng.uniform(back + 4, wide / 2 - 3)
        yard.put("flat", at(pool), v, 2.9, 4.3, "pavers", SURFACE)
        yard.put("flat", at(pool), v, 2.0, 3.4, "pool", CLUTTER, layer=MARKS)
    elif rng.random() < 0.5:
        yard.put("disc", at(back + depth * 0.6), v, rng.uniform(1, 3), rng.uniform(1, 2.5), "soil", LOW)
    if rng.random() < 0.3:  # wood, cuttings, what was left of the building
        size, what = rng.uniform(0.8, 2.2, 2), "rubble" if rng.random() < 0.6 else "soil"
        place = at(back + rng.uniform(0.2, 0.9) * depth), v + rng.uniform(-0.35, 0.35) * lot
        yard.put("heap", *place, *size, what, CLUTTER, 0.9, layer=LOW_THINGS)
    if rng.random() < 0.35:
        yard.house(at(wide / 2 - 2), v + rng.uniform(-4, 4), 1.7, 1.3, 0.0, False, 2.2)
    yard.grove(at(back + depth / 2 + 1), v, depth, lot - 2, rng.poisson(3.6))
    if rng.random() < 0.35:
        yard.tree(at(rng.uniform(0.8, 2.5)), v + rng.uniform(-3, 3), rng.uniform(1.2, 2.6))


def _slabs(yard: Yard, wide: float, long: float) -> None:
    """Long blocks of flats in a lawn, with paths and a row of bays."""
    rng = yard.rng
    yard.put("flat", wide / 2, long / 2, wide / 2, long / 2, "meadow" if rng.random() < 0.5 else "lawn", LOW)
    steep, height = rng.random() < 0.35, rng.uniform(6.5, 9.5)
    if rng.random() < 0.6:  # across, each with its yard behind it; else two along the avenues
        places = [(wide / 2, v, 0.0, 0.43 * wide, 1) for v in np.arange(9, long - 7, rng.uniform(27, 32))]
    else:
        places = [
            (9.5, long / 2, np.pi / 2, 0.42 * long, -1),
            (wide - 9.5, long / 2, np.pi / 2, 0.42 * long, 0),
        ]
    for u, v, turn, a, side in places:
        yard.house(u, v, a * rng.uniform(0.85, 1), rng.uniform(6.3, 7.8), turn, steep, height)
        if side and v + 16 < long:
            _yard_of_a_slab(yard, u, v, turn, a, side)
    for _ in range(rng.poisson(0.8)):  # places to play
        place = rng.uniform(0.15, 0.85, 2) * (wide, long)
        yard.put("disc", *place, *rng.uniform(2, 4.5, 2), "soil" if rng.random() < 0.6 else "rubble", CLUTTER)
    if rng.random() < 0.5:
        yard.crates(rng.uniform(4, wide - 4), rng.uniform(4, long - 4), 1, 0)
    yard.grove(wide / 2, long / 2, wide, long, rng.poisson(42))
    for _ in range(rng.poisson(2)):
        yard.hedge(
            rng.uniform(3, wide - 3), rng.uniform(3, long - 3), rng.uniform(2, 8), rng.integers(2) * np.pi / 2
        )


def _yard_of_a_slab(yard: Yard, u: float, v: float, turn: float, a: float, side: int) -> None:
    """A path along a block of flats and, before most, a row of bays."""
    rng, out = yard.rng, side * np.array([-np.sin(turn), np.cos(turn)])
    yard.put("flat", *(np.array([u, v]) + 9.4 * out), a, 0.9, "pavers", SURFACE, turn=turn)
    if rng.random() < 0.7:
        middle = np.array([u, v]) + 13.5 * out
        yard.put("flat", *middle, a * 0.8, 2.7, "asphalt", SURFACE, turn=turn)
        start = middle - 0.8 * a * np.array([np.cos(turn), np.sin(turn)])
        yard.bays(*start, 1.6 * a, turn, rng.uniform(0.2, 0.8))


def _halls(yard: Yard, wide: float, long: float) -> None:
    """One or two halls, a car park, containers."""
    rng = yard.rng
    yard.put(
        "flat",
        wide / 2,
        long / 2,
        wide / 2,
        long / 2,
        "asphalt" if rng.random() < 0.7 else "concrete",
        SURFACE,
    )
    share = rng.uniform(0.55, 0.72)
    end = share * long
    for part in range(halls := int(rng.integers(1, 3))):
        a, b = wide / 2 - rng.uniform(2, 5), end / halls / 2 - 1.5
        yard.house(wide / 2, 2 + end * (part + 0.5) / halls, a, b, 0.0, False, rng.uniform(5, 9))
    for v in np.arange(end + 7.5, long - 3, 11.5):
        yard.bays(3, v, wide - 6, 0.0, rng.uniform(0.15, 0.85))
    if rng.random() < 0.75:
        yard.crates(rng.uniform(6, wide - 6), rng.uniform(end + 4, long - 4), rng.poisson(4) + 1, 4.5)
    if rng.random() < 0.4:
        place = rng.uniform(6, wide - 6), long - 4
        yard.put(
            "heap", *place, rng.uniform(2, 5), rng.uniform(1.5, 3), "rubble", CLUTTER, 1.6, layer=LOW_THINGS
        )
    yard.put("flat", 1.2, long / 2, 1.2, long / 2, "meadow", LOW)
    yard.put("flat", wide / 2, long - 1.2, wide / 2, 1.2, "lawn", LOW)
    for v in np.arange(4, long, rng.uniform(8, 13)):
        yard.tree(rng.choice((1.3, wide - 1.3)), v, rng.uniform(1.5, 3.2))


def _court(yard: Yard, wide: float, long: float) -> None:
    """Houses wall to wall around a court."""
    rng = yard.rng
    surface, label = ("pavers", SURFACE) if rng.random() < 0.35 else ("lawn", LOW)
    yard.put("flat", wide / 2, long / 2, wide / 2, long / 2, surface, label)
    deep = rng.uniform(5.4, 6.8)
    for u, v, turn, run in (
        (deep, long / 2, np.pi / 2, long), (wide - deep, long / 2, np.pi / 2, long),
        (wide / 2, deep, 0.0, wide - 4 * deep), (wide / 2, long - deep, 0.0, wide - 4 * deep),
    ):  # fmt: skip
        count = max(int(run / rng.uniform(13, 19)), 1)
        for number in range(count):
            at = run * ((number + 0.5) / count - 0.5)
            if rng.random() < 0.93:
                place = u + at * np.cos(turn), v + at * np.sin(turn)
                yard.house(*place, run / count / 2, deep, turn, rng.random() < 0.75, rng.uniform(5, 8))
    room = wide - 4 * deep - 4, long - 4 * deep - 4
    yard.put("flat", wide / 2, long / 2, room[0] / 2, rng.uniform(4, room[1] / 2), "asphalt", SURFACE)
    yard.bays(2 * deep + 3, long / 2 + rng.uniform(-6, 6), room[0], 0.0, 0.6)
    yard.crates(wide / 2, long / 2, rng.poisson(0.8), 6)
    yard.grove(wide / 2, long / 2, *room, rng.poisson(12))


def _park(yard: Yard, wide: float, long: float) -> None:
    """Meadow, paths, groups of trees, a pond or a sandy place to play."""
    rng = yard.rng
    yard.put("flat", wide / 2, long / 2, wide / 2, long / 2, "meadow" if rng.random() < 0.5 else "lawn", LOW)
    for _ in range(3):
        turn = rng.uniform(0, np.pi)
        yard.put(
            "flat",
            *rng.uniform(0.3, 0.7, 2) * (wide, long),
            25,
            rng.uniform(0.8, 1.5),
            "pavers",
            SURFACE,
            turn=turn,
        )
    for _ in range(rng.poisson(1.2)):
        size = rng.uniform(3, 8), rng.uniform(3, 6)
        what = ("water", "soil", "rubble")[rng.integers(3)]
        yard.put("disc", *rng.uniform(0.2, 0.8, 2) * (wide, long), *size, what, CLUTTER, layer=MARKS)
    for _ in range(rng.integers(5, 10)):
        place = rng.uniform(0, 1, 2) * (wide, long)
        yard.grove(*place, 14, 14, rng.poisson(12))


def _site(yard: Yard, wide: float, long: float) -> None:
    """A building site: bare ground, heaps, containers, a shell of concrete."""
    rng = yard.rng
    yard.put("flat", wide / 2, long / 2, wide / 2, long / 2, "rubble", CLUTTER)
    yard.put("disc", *rng.uniform(0.3, 0.7, 2) * (wide, long), 14, 11, "soil", CLUTTER)
    for _ in range(rng.poisson(5)):
        size = rng.uniform(2, 6), rng.uniform(1.5, 4)
        place = rng.uniform(0.08, 0.92, 2) * (wide, long)
        yard.put(
            "heap", *place, *size, "rubble" if rng.random() < 0.5 else "soil", CLUTTER, rng.uniform(1, 3)
        )
    yard.crates(*rng.uniform(0.2, 0.8, 2) * (wide, long), rng.poisson(5), 6)
    yard.house(
        wide / 2, long * rng.uniform(0.3, 0.7), wide * 0.36, rng.uniform(7, 12), 0.0, False, rng.uniform(2, 8)
    )
    for _ in range(rng.poisson(3)):
        yard.car(*rng.uniform(0.05, 0.95, 2) * (wide, long), rng.uniform(0, 3))


# How often each is built, and how.
BLOCKS: tuple[tuple[float, Callable[[Yard, float, float], None]], ...] = (
    (0.37, _houses),
    (0.22, _slabs),
    (0.17, _halls),
    (0.13, _court),
    (0.07, _park),
    (0.04, _site),
)
