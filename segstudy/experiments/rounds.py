"""Times that can be compared: in every round each job runs once, in an order drawn anew, in one process.

Whatever else the machine does meets all jobs alike, and what is reported are ratios within a round. First
rounds are not counted: they choose algorithms and fill caches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from segstudy.progress import track

WARM_UP = 1
QUARTILES = (25, 50, 75)

Key = TypeVar("Key", bound=Hashable)


def interleave(
    jobs: Mapping[Key, Callable[[], Any]],
    rounds: int,
    threads: int = 1,
    seed: int = 0,
    label: str = "",
    warm_up: int = WARM_UP,
) -> dict[Key, np.ndarray]:
    """Time jobs in turn.

    Parameters
    ----------
    jobs : mapping of callable
        A GPU is waited for before and after each.
    rounds : int
        That count, after those that do not.
    threads : int
        Of torch and of the numerical libraries.
    seed : int
        Of the orders.
    label : str
        What the progress display shows; empty: none is shown.
    warm_up : int
        Rounds before, that are not counted.

    Returns
    -------
    dict of (rounds,) float ndarray
        Seconds, by the jobs' keys.

    Raises
    ------
    ValueError
        There are no rounds.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds!r}")
    order, keys = np.random.default_rng(seed), list(jobs)
    seconds = np.empty((warm_up + rounds, len(keys)))
    with limited(threads):
        for number in track(range(len(seconds)), label) if label else range(len(seconds)):
            for index in order.permutation(len(keys)):
                wait()
                started = time.perf_counter()
                jobs[keys[index]]()
                wait()
                seconds[number, index] = time.perf_counter() - started
    return dict(zip(keys, seconds[warm_up:].T.copy(), strict=True))


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let torch, BLAS and OpenMP use so many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def wait() -> None:
    """Wait for a GPU, which works on after a call has returned."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def quartiles(ratios: np.ndarray) -> list[float]:
    """Return lower quartile, median and upper quartile."""
    return np.percentile(ratios, QUARTILES).tolist()


def machine(device: str, threads: int) -> dict[str, Any]:
    """Return what times belong to: the GPU's name or "cpu", and the threads."""
    name = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else device
    return {"device": name, "threads": threads}


def machines(threads: int, devices: list[str]) -> dict[str, Any]:
    """Return what times of several devices belong to: their names, and the threads on the CPU."""
    names = {name: torch.cuda.get_device_name(name) if name == "cuda" else "CPU" for name in devices}
    return {"machine": names, "threads": threads}
