"""A lock is held by one process at a time, on file systems with and without locks of their own."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segstudy.locks import lock


class Held(Exception):
    """What a test's caller raises to give up."""


def give_up(who: str) -> None:
    raise Held(who)


@pytest.fixture(params=[None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's file system as it is, and with each answer of one that has no locks."""

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("locks")
def test_a_lock_is_held_once_and_free_afterwards(tmp_path: Path):
    for _ in range(2):
        with (
            lock(tmp_path / "lock", give_up),
            pytest.raises(Held, match=f"process {os.getpid()} on "),
            lock(tmp_path / "lock", give_up),
        ):
            pass
    with contextlib.suppress(ZeroDivisionError), lock(tmp_path / "lock", give_up):
        raise ZeroDivisionError
    with lock(tmp_path / "lock", give_up):
        pass


@pytest.mark.usefixtures("locks")
def test_who_waits_is_told_once_and_gets_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told, first = [], contextlib.ExitStack()
    first.enter_context(lock(tmp_path / "lock", give_up))
    naps = iter([lambda: None, first.close])
    monkeypatch.setattr("segstudy.locks.time.sleep", lambda _: next(naps)())
    with lock(tmp_path / "lock", told.append):
        assert len(told) == 1


@pytest.mark.usefixtures("locks")
def test_what_a_killed_process_left_is_taken_over(tmp_path: Path):
    """It dies while it holds the lock, by the same means as this process would take it."""
    code = "from segstudy.locks import _holder; print(_holder())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (tmp_path / "lock.held").write_text(done.stdout)
    with lock(tmp_path / "lock", give_up), pytest.raises(Held), lock(tmp_path / "lock", give_up):
        pass


def test_what_another_machine_left_names_the_file_to_delete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    held = tmp_path / "lock.held"
    held.write_text(json.dumps({"host": "elsewhere", "pid": 7, "created": 1.0, "since": "12:00"}))
    words = f"process 7 on elsewhere, since 12:00; if that has ended, delete {held}"
    with pytest.raises(Held, match=words), lock(tmp_path / "lock", give_up):
        pass
    held.write_text("")  # the moment between making and writing it
    with pytest.raises(Held, match="another process"), lock(tmp_path / "lock", give_up):
        pass
