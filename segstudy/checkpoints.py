"""Where the trainings of one long computation keep what they need to go on, should its process be killed.

A training whose whole state is the network, its optimiser and the epoch, as :func:`segstudy.training.train` keeps it,
asks for its file by :func:`next_place`. One beside which something else is remembered does not, and begins anew: DGCN's
loss with its growing labels, SCG-Net's validation, of which an experiment keeps what it saw in each epoch.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path

LOCK = "lock"
_kept: ContextVar[_Kept | None] = ContextVar("kept checkpoints", default=None)


class _Kept:
    """The folder of one computation, locked and made when the first training asks for its file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, Counter[str]()
        self.held = ExitStack()
        self.mine: bool | None = None  # None: nobody has asked yet

    def claim(self) -> bool:
        """Whether the folder is this process's alone."""
        if self.mine is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.held.enter_context((self.folder / LOCK).open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.mine = True
            except OSError:  # another process is at the same computation, or there are no locks here
                self.mine = False
        return self.mine

    def clear(self) -> None:
        """Remove the folder."""
        if self.mine:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Have trainings inside keep their checkpoints in a folder, which stays only where the process is ended.

    Where another process is at the same computation, or the file system has no locks, nothing is kept.

    Parameters
    ----------
    folder : Path
        Of this computation alone; made when the first training asks for its file.
    """
    kept = _Kept(folder)
    before = _kept.set(kept)
    with kept.held:
        try:
            yield
        except Exception:
            kept.clear()  # the same again would end alike
            raise
        finally:
            _kept.reset(before)
        kept.clear()


def are_kept_in(folder: Path) -> bool:
    """Whether a process that was ended left checkpoints in a folder."""
    return any(folder.glob("*.pt"))


def next_place(label: str) -> Path | None:
    """Return the file of a training's checkpoint; None where nobody asked to keep any. A damaged one is removed.

    Parameters
    ----------
    label : str
        The training's own within the computation; of several with one label, the n-th has the n-th file each time.
    """
    kept = _kept.get()
    if kept is None or not kept.claim():
        return None
    kept.seen[label] += 1
    path = kept.folder / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.{kept.seen[label]}.pt"
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
