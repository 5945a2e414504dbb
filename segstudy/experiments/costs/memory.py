"""Peak memory of every method: what one call adds to the resident memory of a process that holds its input.

A process of its own imports everything. For each method it forks: the child builds the method, calls it once on a size
below the smallest, and forks for every size; the grandchild makes the small call again, which loads the pages of the
libraries, and then the one that counts. A fork's peak starts from what it holds, so that building is not in it. On a
GPU the allocator tells the peak itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from segstudy.errors import StudyError
from segstudy.experiments.costs.growth import check_sides
from segstudy.experiments.costs.methods import SWEEPS, amount_of, size_of
from segstudy.experiments.memory import resident_bytes
from segstudy.experiments.rounds import limited
from segstudy.progress import track

SMALLEST = 16  # of the call that loads what any size needs; U-Net takes no smaller picture


def measure_memory(
    sweep: str, sides: Sequence[int], share: float = 1.0, repeats: int = 3, devices: Sequence[str] = ("cpu",)
) -> dict[str, Any]:
    """Measure the memory that one call of each method takes at its peak.

    Parameters
    ----------
    sweep, sides, share, devices
        As for :func:`~segstudy.experiments.costs.growth.time_methods`; the CPU is the first device.
    repeats : int
        Processes for each method and size.

    Returns
    -------
    dict
        "rows": a dict for each method and device with "method", "device", "of", "amounts" and "bytes", a (repeats,
        sizes) list of lists. "sweep", "sides", "share", "repeats".

    Raises
    ------
    StudyError
        The process fails; with what it wrote.
    """
    check_sides(sides)
    settings = {"sweep": sweep, "sides": list(sides), "share": share, "repeats": repeats}
    rows = []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    for name, method in track(SWEEPS[sweep].items(), f"memory, {sweep}: method") if "cuda" in devices else ():
        if method.gpu:
            rows.append(_row(sweep, name, "cuda", sides, [_on_gpu(sweep, name, sides, share)] * repeats))
    done = subprocess.run(
        [sys.executable, "-m", "segstudy.experiments.costs.memory"],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise StudyError(f"measuring memory failed in its process: {done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    return {"rows": [_row(sweep, n, "cpu", sides, found[n]) for n in SWEEPS[sweep]] + rows} | settings


def _row(sweep: str, name: str, device: str, sides: Sequence[int], peaks: list[list[int]]) -> dict[str, Any]:
    about = {"method": name, "device": device, "of": SWEEPS[sweep][name].of, "bytes": peaks}
    return about | {"amounts": [amount_of(sweep, name, side) for side in sides]}


def _on_gpu(sweep: str, name: str, sides: Sequence[int], share: float) -> list[int]:
    make, found = SWEEPS[sweep][name].build(share, "cuda"), []
    for side in sides:
        call = make(size_of(sweep, name, side))
        call()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        found.append(torch.cuda.max_memory_allocated() - before)
    return found


def _peaks(sweep: str, sides: list[int], share: float, repeats: int) -> dict[str, list[list[int]]]:
    """Return the bytes of each method, in a process that has computed nothing yet: threads do not survive a fork."""
    with limited(1):
        return {name: _in_child(_of_method, sweep, name, sides, share, repeats) for name in SWEEPS[sweep]}


def _of_method(sweep: str, name: str, sides: list[int], share: float, repeats: int) -> list[list[int]]:
    make = SWEEPS[sweep][name].build(share, "cpu")
    small, *calls = (make(size_of(sweep, name, side)) for side in (max(SMALLEST, sides[0] // 2), *sides))
    small()
    return [[_in_child(_added, small, call) for call in calls] for _ in range(repeats)]


def _added(small: Callable[[], Any], call: Callable[[], Any]) -> int:
    small()
    before = resident_bytes(peak=False)
    call()
    return max(0, resident_bytes(peak=True) - before)


def _in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a fork of this process, as JSON has it."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.write(write, json.dumps(function(*arguments)).encode())
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    status = os.waitpid(child, 0)[1]
    if status:
        raise StudyError(f"{function.__name__} ended with status {status}")
    return json.loads(answer)


if __name__ == "__main__":
    print(json.dumps(_peaks(**json.load(sys.stdin))))
