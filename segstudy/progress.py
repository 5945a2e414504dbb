"""Progress of long work: a line in the terminal, or a note the runner reads when the work runs inside a
notebook.

The runner sets ``SEGSTUDY_PROGRESS`` to a file; `track` writes into it how far the work is, at most twice a
second, and the runner prints it. Without the variable a tqdm bar is shown, which a terminal and a notebook
both draw.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from segstudy.files import write_bytes

T = TypeVar("T")

VARIABLE = "SEGSTUDY_PROGRESS"
PERIOD = (
    0.5  # seconds between two notes: often enough for a person to watch, too seldom to slow an inner loop
)


def track(iterable: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield the items of `iterable` and tell how far it is.

    Parameters
    ----------
    iterable : iterable
        The work's items, for example epochs or images.
    label : str
        What is counted, as a person would say it: "U-Net, 10 images: epoch".
    total : int, optional
        How many items there are; the length of `iterable` where it has one.
    """
    total = len(iterable) if total is None and hasattr(iterable, "__len__") else total
    if not os.environ.get(VARIABLE):
        from tqdm import tqdm

        # Text, not tqdm's widget: inside a notebook that another program executes, the widget waited forever.
        shown = None if "ipykernel" not in sys.modules else False  # None: shown on a terminal only
        yield from tqdm(iterable, desc=label, total=total, leave=False, mininterval=1.0, disable=shown)
        return
    last = 0.0
    for done, item in enumerate(iterable):
        if time.monotonic() - last >= PERIOD:
            note(label, done, total)
            last = time.monotonic()
        yield item


def pulse() -> None:
    """Tell the runner that the work moves, where there is nothing new to count, such as a batch of an epoch."""
    path = os.environ.get(VARIABLE)
    if path:
        with contextlib.suppress(OSError):
            os.utime(path)


def note(label: str, done: int, total: int | None, detail: str = "") -> None:
    """Write how far the work is into the file named by ``SEGSTUDY_PROGRESS``; do nothing where it is not set.

    A note that cannot be written is left out: it must not stop the work.

    Parameters
    ----------
    label, detail : str
        What is counted, and anything worth a look, such as "loss 0.31".
    done, total : int
        Items finished, and how many there are (None: not known).
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return
    row = {"label": label, "done": done, "total": total, "detail": detail}
    with contextlib.suppress(OSError, TypeError, ValueError):
        write_bytes(Path(path), json.dumps(row, default=int).encode())  # int: numpy's numbers
