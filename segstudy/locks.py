"""One process at a time: the system's lock on a file, or a file of its holder's where the file system has no locks.

Some network and container file systems refuse ``flock`` with an error of their own ("No locks available", "Function
not implemented"); that is not the answer of a lock that another process holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from segstudy.processes import has_ended, this_process

PERIOD = 0.5  # seconds between two tries of one who waits


@contextlib.contextmanager
def lock(path: Path, when_held: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock, which is let go at the end.

    The system lets its own lock go with the process, however that ends. Without one, what a process that ended left is
    taken over on its own machine; left by another machine it has to be deleted by hand, and `when_held` says so.

    Parameters
    ----------
    path : Path
        The lock's file; stays, with a word about its last holder.
    when_held : callable
        Called once, with who holds it, where another process does. Raises to give up; returns to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    told = False
    with contextlib.ExitStack() as held:
        while (holder := _take(path, held)) is not None:
            if not told:
                when_held(holder)
            told = True
            time.sleep(PERIOD)
        yield


def _take(path: Path, held: contextlib.ExitStack) -> str | None:
    """Take the lock for as long as `held` is open, or return who has it."""
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return _words(_read(path))
    except OSError:  # of whatever kind: there are no locks here
        file.close()
        return _claim(path.with_name(f"{path.name}.held"), held)
    held.enter_context(file)
    file.truncate(0)
    file.write(_holder())
    file.flush()
    return None


def _claim(path: Path, held: contextlib.ExitStack) -> str | None:
    """Take the lock by making the file `path`, which only one process can."""
    known = _read(path)
    if known is not None and has_ended(known):
        _clear(path, known)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return f"{_words(_read(path))}; if that has ended, delete {path}"
    held.callback(path.unlink, missing_ok=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_holder())
    return None


def _clear(path: Path, known: dict[str, Any]) -> None:
    """Delete what a process that ended left; put it back where another has taken it over just now."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if _read(aside) == known:
            aside.unlink()
        else:
            aside.rename(path)


def _holder() -> str:
    return json.dumps(this_process() | {"since": time.strftime("%H:%M")})


def _read(path: Path) -> dict[str, Any] | None:
    """Return the holder that a lock's file tells of; None where it is missing, just being written, or another's."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"host", "pid", "created", "since"} <= set(found) else None


def _words(holder: dict[str, Any] | None) -> str:
    if holder is None:
        return "another process"
    return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
