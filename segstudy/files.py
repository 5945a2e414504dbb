"""Files that are whole or not there: written aside and renamed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a new path beside `path` to write to; it takes the place of `path` at the end, whole or not at all.

    Where the block raises, on a full disk for example, `path` stays as it was and what was written goes.

    Parameters
    ----------
    path : Path
        Its folder is made where there is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` by way of a file beside it, so that no reader ever sees half of it."""
    with written_aside(path) as aside:
        aside.write_bytes(content)
