"""Where the trainings of one long computation keep what they need to go on, should its process be killed."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path

_places: ContextVar[Iterator[Path] | None] = ContextVar("places of checkpoints", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Have each training inside keep its checkpoint in a folder, which stays only where the process is ended.

    What runs inside has to make the same trainings in the same order each time: the n-th goes on from the n-th file.

    Parameters
    ----------
    folder : Path
        Of this computation alone; made when the first checkpoint is kept.
    """
    before = _places.set(folder / f"{number}.pt" for number in count())
    try:
        yield
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)  # the same again would end alike
        raise
    finally:
        _places.reset(before)
    shutil.rmtree(folder, ignore_errors=True)


def next_place() -> Path | None:
    """Return the file for the next training; None where nobody asked to keep any. A damaged one is removed."""
    places = _places.get()
    if places is None:
        return None
    path = next(places)
    if path.is_file() and not _is_whole(path):
        print(
            f"warning: the checkpoint {path.name} cannot be read; its training begins anew", file=sys.stderr
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
