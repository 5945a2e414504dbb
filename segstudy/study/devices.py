"""The GPUs of this machine, each lent to one job at a time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from segstudy.locks import lock
from segstudy.study.project import Notebook, Project

VISIBLE = "CUDA_VISIBLE_DEVICES"
PERIOD = 0.5  # seconds between two looks for a GPU that has become free
DEVICE = "device"  # the parameter by which a notebook is told where to compute


class _HeldError(Exception):
    """Another job has this GPU."""


def gpus_here() -> list[str]:
    """Return the GPUs that a local run may use, as `VISIBLE` names them: those that torch sees."""
    import torch  # takes seconds, and is asked only where a notebook wants a GPU

    count, given = torch.cuda.device_count(), os.environ.get(VISIBLE, "")
    names = [name.strip() for name in given.split(",")] if given else [str(i) for i in range(count)]
    return names[:count]  # CUDA reads the list to the first entry that is no device


def with_gpus(project: Project, profile: str, count: int) -> Project:
    """Return the study with every notebook that computes on a device put on a GPU of its own, or all on the CPU.

    Parameters
    ----------
    project : Project
    profile : str
        Whose settings change.
    count : int
        How many GPUs there are for the whole run; 0: everything runs on the CPU.
    """
    found = {name: _placed(notebook, profile, count) for name, notebook in project.notebooks.items()}
    return replace(project, notebooks=found)


def _placed(notebook: Notebook, profile: str, count: int) -> Notebook:
    settings = notebook.profiles.get(profile)
    if settings is None or DEVICE not in notebook.parameters:
        return notebook
    given = settings.parameters | {DEVICE: "cuda" if count else "cpu"}
    placed = replace(settings, parameters=given, gpus=max(settings.gpus, 1) if count else 0)
    return replace(notebook, profiles=notebook.profiles | {profile: placed})


@contextlib.contextmanager
def lent(names: list[str] | None, count: int, folder: Path) -> Iterator[None]:
    """Have this process and those below it see `count` GPUs that no other job sees, until the end.

    Parameters
    ----------
    names : list of str or None
        All that there are to lend, see `gpus_here`; None: whoever started this process has seen to it, as Slurm does.
    count : int
        At most so many as there are; 0: no GPU is seen.
    folder : Path
        Where the locks lie, which the system lets go with their process.
    """
    if names is None:
        yield
        return
    with contextlib.ExitStack() as held:
        mine: list[str] = []
        places = cycle(range(len(names)))
        while len(mine) < count:  # enough are free when a job starts, but one that has just ended may linger
            place = next(places)
            if names[place] not in mine and _take(folder, place, held):
                mine.append(names[place])
            elif place == len(names) - 1:
                time.sleep(PERIOD)
        os.environ[VISIBLE] = ",".join(mine)
        yield


def _take(folder: Path, place: int, held: contextlib.ExitStack) -> bool:
    def give_up(_: str) -> None:
        raise _HeldError

    try:
        held.enter_context(lock(folder / f"gpu{place}.lock", give_up))
    except _HeldError:
        return False
    return True
