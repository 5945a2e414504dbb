"""Where the trainings of one long computation keep what they need to go on, should its process be killed.

A training whose whole state is the network, its optimiser and the epoch, as :func:`segstudy.training.train` keeps it,
asks for its file by :func:`next_place`. One whose loss remembers more, as DGCN's with its growing labels, does not: it
begins anew.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_folder: ContextVar[tuple[Path, Counter[str]] | None] = ContextVar("folder of checkpoints", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Have trainings inside keep their checkpoints in a folder, which stays only where the process is ended.

    Parameters
    ----------
    folder : Path
        Of this computation alone; made when the first checkpoint is kept.
    """
    before = _folder.set((folder, Counter()))
    try:
        yield
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)  # the same again would end alike
        raise
    finally:
        _folder.reset(before)
    shutil.rmtree(folder, ignore_errors=True)


def next_place(label: str) -> Path | None:
    """Return the file of a training's checkpoint; None where nobody asked to keep any. A damaged one is removed.

    Parameters
    ----------
    label : str
        The training's own within the computation; of several with one label, the n-th has the n-th file each time.
    """
    found = _folder.get()
    if found is None:
        return None
    folder, seen = found
    seen[label] += 1
    path = folder / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.{seen[label]}.pt"
    if path.is_file() and not _is_whole(path):
        print(
            f"warning: the checkpoint of {label!r} cannot be read; its training begins anew", file=sys.stderr
        )
        path.unlink(missing_ok=True)
    return path


def _is_whole(path: Path) -> bool:
    """Whether a file that torch saved, a zip, holds what was written: its checksums say so."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
