"""How much memory something takes: what training keeps, exactly, and a process's peak, as the system counts it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

STATUS = Path("/proc/self/status")  # Linux
CALL = """import pickle, sys
answer, sys.stdout = sys.stdout.buffer, sys.stderr  # what the function prints is no part of its result
sys.path = pickle.load(sys.stdin.buffer)
function, arguments = pickle.load(sys.stdin.buffer)
pickle.dump(function(**arguments), answer)"""


def kept_bytes(run: Callable[[], Any], without: Iterable[Tensor] = ()) -> int:
    """Return the bytes that a computation saves for its backward pass.

    A storage that is saved several times, or of which a part is saved, counts once and as a whole.

    Parameters
    ----------
    run : callable
        The forward pass; it must return what holds its graph, such as the loss.
    without : iterable of Tensor
        What is there in any case and does not count: parameters, input.
    """
    sizes: dict[int, int] = {}

    def note(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        held = run()  # while it lives no saved storage is freed, so that no address stands for two of them
    for tensor in without:
        sizes.pop(tensor.untyped_storage().data_ptr(), None)
    del held
    return sum(sizes.values())


def resident_bytes(peak: bool) -> int:
    """Return this process's resident memory, now or, with `peak`, at its highest since the program started.

    Linux tells both in /proc. `ru_maxrss`, which serves elsewhere and for the peak alone, is no use there: a new
    process inherits that of the one that started it. Elsewhere "now" is that peak, too.
    """
    if STATUS.exists():
        name = "VmHWM:" if peak else "VmRSS:"
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(name))
        return 1024 * int(line.split()[1])
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_fresh_process(function: Callable[..., Any], **arguments: Any) -> Any:
    """Return what a module-level function returns in a new Python process, whose peak of memory is its own.

    A program of its own, because `multiprocessing` would run the caller's script a second time.

    Raises
    ------
    RuntimeError
        If the function fails there; with what the process wrote to its standard error.
    """
    sent = pickle.dumps(sys.path) + pickle.dumps((function, arguments))
    done = subprocess.run([sys.executable, "-c", CALL], input=sent, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{function.__name__} failed in its own process: {done.stderr.decode()[-2000:]}")
    return pickle.loads(done.stdout)
