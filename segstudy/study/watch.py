"""Watch over a running job: whether it still moves, its memory, and whether anybody still waits for it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from segstudy.processes import has_ended
from segstudy.study.files import write_json

SILENCE = 600.0  # seconds without a sign of life, after which a driver on another machine counts as gone
BEAT = 30.0  # seconds between two signs of life
KEPT = "finished experiments are kept, and the same command goes on from them"
PERIOD = 0.2  # seconds: a kernel that allocates 1 GB/s is caught before it has taken a machine's reserve


class Heartbeat:
    """A file a driver keeps changing, and a job on another machine looks at: no clock is compared.

    Parameters
    ----------
    path : Path
        On a file system that both see.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[str, float] | None = None
        self._beaten = -BEAT

    def beat(self) -> None:
        """Change the file, unless that was done less than `BEAT` seconds ago."""
        if time.monotonic() - self._beaten >= BEAT:
            write_json(self.path, time.time())
            self._beaten = time.monotonic()

    def silent(self) -> bool:
        """Whether the file has not changed for `SILENCE` seconds of looking at it."""
        text = self.path.read_text() if self.path.is_file() else ""
        if self._seen is None or self._seen[0] != text:
            self._seen = (text, time.monotonic())
        return time.monotonic() - self._seen[1] > SILENCE


def end_children() -> None:
    """Kill every process below this one: a kernel runs in a session of its own and would live on."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


class Watch:
    """A thread that ends the kernel of this process when a limit is passed, and everything when the driver has gone.

    Slow is not stuck: on a busy machine everything takes longer. What ends a job is that nothing moves, no new cell and
    no step of progress, for so long on a clock that a sleeping machine stops.

    Parameters
    ----------
    still_minutes, memory_gb : float
        Limits; the first that is passed is in `verdict`.
    driver : dict
        See `segstudy.processes.this_process`.
    progress : Path
        File that tells which cell runs, for the driver to print; the notes of `segstudy.progress` lie beside it.
    on_orphaned : callable
        Called before the process ends because its driver has gone.
    limit_minutes : float, optional
        For the whole job, where the user wants one.
    """

    def __init__(
        self,
        still_minutes: float,
        memory_gb: float,
        driver: dict[str, object],
        progress: Path,
        on_orphaned: Callable[[], None],
        limit_minutes: float | None = None,
    ) -> None:
        self.still_minutes, self.limit_minutes = still_minutes, limit_minutes
        self.memory_gb, self.driver = memory_gb, driver
        self.progress, self.on_orphaned = progress, on_orphaned
        self.heartbeat = Heartbeat(progress.with_name("heartbeat"))
        self._elsewhere = driver["host"] != socket.gethostname()
        self.started = self._moved_at = time.monotonic()
        self._seen: tuple[object, ...] = ()
        self.peak_mb = 0.0
        self.cell = -1
        self.verdict: tuple[str, str] | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def at_cell(self, index: int, cells: int, heading: str) -> None:
        """Note that a cell starts."""
        self.cell = index
        write_json(self.progress, {"cell": index + 1, "cells": cells, "heading": heading})

    def _run(self) -> None:
        while not self._done.wait(PERIOD):
            used = _memory_mb()
            self.peak_mb = max(self.peak_mb, used)
            if has_ended(self.driver) or (self._elsewhere and self.heartbeat.silent()):
                end_children()
                self.on_orphaned()
                os._exit(75)
            if self.verdict is None and used > self.memory_gb * 1024:
                self._end("memory", f"used {used / 1024:.1f} GB; its limit is {self.memory_gb:g} GB")
            elif self.verdict is None:
                self._check_clock(time.monotonic())

    def _check_clock(self, now: float) -> None:
        seen = (self.cell, _changed(self.progress.with_name(f"{self.progress.name}.inner")))
        if seen != self._seen:
            self._seen, self._moved_at = seen, now
        if now - self._moved_at > self.still_minutes * 60:
            still = f"stood still for {self.still_minutes:g} minutes: no new cell, no step of progress"
            self._end("timeout", f"{still}; {KEPT}")
        elif self.limit_minutes is not None and now - self.started > self.limit_minutes * 60:
            self._end("timeout", f"ran longer than its limit of {self.limit_minutes:g} minutes; {KEPT}")

    def _end(self, status: str, why: str) -> None:
        self.verdict = (status, why)
        end_children()


def _changed(note: Path) -> tuple[int, int]:
    """Return what differs each time that a note is written: it is written aside and renamed."""
    try:
        found = note.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)


def _memory_mb() -> float:
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20
