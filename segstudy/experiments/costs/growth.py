"""How time grows: the methods in one run, and the exponent of each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from segstudy.experiments.costs.methods import SWEEPS, amount_of, size_of
from segstudy.experiments.rounds import interleave, machines

RESAMPLES = 2000
INTERVAL = (2.5, 97.5)


class Exponent(NamedTuple):
    """e where time grows as the size to the power of e.

    Attributes
    ----------
    value, low, high : float
        Least squares on the logarithms of sizes and median times, and the 95 % interval over rounds.
    last : float
        Between the two largest sizes, where what does not grow weighs least.
    """

    value: float
    low: float
    high: float
    last: float


def time_methods(
    sweep: str,
    sides: Sequence[int],
    share: float = 1.0,
    rounds: int = 5,
    threads: int = 1,
    devices: Sequence[str] = ("cpu",),
    seed: int = 0,
) -> dict[str, Any]:
    """Time all methods of a sweep at all sizes, alternately, on the CPU and, those that can, on other devices.

    Parameters
    ----------
    sweep : "pictures" or "graphs"
    sides : sequence of int
        Of pictures in pixels, or of graphs in nodes; rising.
    share : float
        Of the papers' channels.
    rounds, threads, seed
        As for :func:`~segstudy.experiments.rounds.interleave`.
    devices : sequence of str

    Returns
    -------
    dict
        "rows": a dict for each method and device with "method", "device", "of", "amounts" (pixels or nodes) and
        "seconds", a (rounds, sizes) ndarray. "sweep", "sides", "share", "rounds", and "machine" and "threads", which
        the times belong to.

    Raises
    ------
    ValueError
        Fewer than two sizes, or not rising; no rounds; an unknown sweep.
    """
    check_sides(sides)
    if sweep not in SWEEPS:
        raise ValueError(f"sweep must be one of {tuple(SWEEPS)}, got {sweep!r}")
    jobs = {}
    for name, method in SWEEPS[sweep].items():
        for device in devices if method.gpu else devices[:1]:
            make = method.build(share, device)
            for side in sides:
                jobs[name, device, side] = make(size_of(sweep, name, side))
    seconds = interleave(jobs, rounds, threads, seed, f"{sweep}: round")
    rows = []
    for name, device in dict.fromkeys((name, device) for name, device, _ in jobs):
        found = np.stack([seconds[name, device, side] for side in sides], axis=1)
        amounts = [amount_of(sweep, name, side) for side in sides]
        about = {"method": name, "device": device, "of": SWEEPS[sweep][name].of}
        rows.append(about | {"amounts": amounts, "seconds": found})
    settings = {"sweep": sweep, "sides": list(sides), "share": share, "rounds": rounds}
    return {"rows": rows} | settings | machines(threads, list(devices))


def check_sides(sides: Sequence[int]) -> None:
    """Refuse fewer than two sizes, and sizes that do not rise."""
    if len(sides) < 2 or any(b <= a for a, b in zip(sides, sides[1:], strict=False)):
        raise ValueError(f"sides must be two or more, rising, got {list(sides)}: such as [64, 128, 256]")


def exponent(amounts: Sequence[float], values: np.ndarray, seed: int = 0) -> Exponent:
    """Fit the exponent of growth.

    Parameters
    ----------
    amounts : sequence of float
        n sizes, rising.
    values : (rounds, n) float ndarray
        Times, above 0. A round is drawn as a whole: it had one machine.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Exponent
    """
    sizes, values = np.log(np.asarray(amounts, float)), np.asarray(values, float)
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    slopes = np.polyfit(sizes, np.log(np.median(values[drawn], axis=1)).T, 1)[0]
    medians = np.log(np.median(values, axis=0))
    last = (medians[-1] - medians[-2]) / (sizes[-1] - sizes[-2])
    return Exponent(
        float(np.polyfit(sizes, medians, 1)[0]), *np.percentile(slopes, INTERVAL).tolist(), float(last)
    )
