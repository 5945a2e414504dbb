"""What a download tells while it runs: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO


class Progress(Protocol):
    """What a download tells: a message or, with `done` bytes (of `total`, if known), a transfer."""

    def __call__(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show it."""


class Lines:
    """Progress as plain lines: each message, and each tenth of a transfer (each 64 MiB of unknown length)."""

    def __init__(self, stream: TextIO):
        self.stream = stream
        self.last: tuple[str, int] | None = None

    def __call__(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Print a line, unless it would say nothing new."""
        if done is None:
            print(text, file=self.stream, flush=True)
            return
        step = (text, 10 * done // total if total else done >> 26)
        if step != self.last:
            self.last = step
            share = f" of {total:,} bytes ({100 * done // total} %)" if total else " bytes"
            print(f"{text}: {done:,}{share}", file=self.stream, flush=True)


class Bar:
    """Progress as a tqdm bar, for a terminal."""

    def __init__(self, stream: TextIO):
        self.stream = stream
        self.bar = None

    def __call__(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Draw the transfer, or end its bar and print a message."""
        if done is None:
            self._close()
            print(text, file=self.stream, flush=True)
            return
        if self.bar is None or done < self.bar.n:
            self._close()
            self.bar = self._start(text, done, total)
        self.bar.update(done - self.bar.n)
        if done == total:
            self._close()

    def _start(self, text: str, done: int, total: int | None):
        from tqdm import tqdm

        return tqdm(
            desc=text,
            initial=done,
            total=total,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            file=self.stream,
        )

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def progress_on(stream: TextIO | None = None) -> Progress:
    """Return a bar where `stream` (standard error by default) is a terminal, lines elsewhere."""
    stream = stream or sys.stderr
    return Bar(stream) if stream.isatty() else Lines(stream)
