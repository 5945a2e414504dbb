"""Records that are whole or not there, folders swapped, half a swap put right."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from segstudy.files import write_bytes


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, so that no reader ever sees half of it."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any | None:
    """Return what `path` holds, or None where it is missing or not JSON (a record that cannot be read is
    none).
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_run(folder: Path) -> dict[str, Any] | None:
    """Return the record of the run kept in `folder`, or None where there is none that this version can read."""
    record = read_json(folder / "run.json")
    needed = {"notebook", "status", "fingerprint", "started", "seconds", "cached_seconds", "failure"}
    return record if isinstance(record, dict) and needed <= set(record) else None


def swap_in(folder: Path, place: Path) -> None:
    """Put `folder` where `place` is; what was there goes only once the new one stands."""
    old = _old(place)
    shutil.rmtree(old, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        os.replace(place, old)
    os.replace(folder, place)
    shutil.rmtree(old, ignore_errors=True)


def mend_swap(place: Path) -> None:
    """Put back what an interrupted `swap_in` had moved aside."""
    old = _old(place)
    if old.exists() and not place.exists():
        os.replace(old, place)
    shutil.rmtree(old, ignore_errors=True)


def _old(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")
