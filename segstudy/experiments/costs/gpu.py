"""What `tests/gpu.sh` found on GPU machines: its file, which `segstudy collect` takes up.

`data/measured` has one file for each device, named after it. A file is JSON: format, version, date, device, its memory,
versions, the minutes there were, and for each part a state, a note, its seconds and results. A result has a name, a
state, a note, and the columns that `PARTS` lists.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from segstudy.errors import StudyError
from segstudy.files import write_bytes

READS = ("data/measured/*.json",)
PLACE = "data/measured"
FOLDER = Path(__file__).resolve().parents[3] / PLACE
FORMAT, VERSION = "segstudy check of a GPU", 1
OK, FAILED, SKIPPED, NO_TIME = "ok", "failed", "skipped", "no time left"
LONGEST = 500  # letters of a text
TABLE_6, TABLE_8, VARIANTS = "Table VI", "Table VIII", "variants"
QUARTILES = ("lower quartile", "median", "upper quartile")


class Part(NamedTuple):
    """A part of the check.

    Attributes
    ----------
    title : str
    numbers : tuple of str
        Columns of its results; a result may lack some.
    texts : tuple of str
        Likewise.
    """

    title: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...] = ()


ERRORS = ("error of outputs", "tolerated", "error of the gradient", "tolerated in the gradient")
AGAINST = "relative errors against the CPU in float64, outputs and gradient each as one vector"
PARTS = {
    "networks": Part(f"Networks on small inputs: {AGAINST}", ERRORS, ("precision",)),
    "losses": Part(f"Losses: {AGAINST}", ERRORS, ("precision",)),
    "published networks": Part(f"The papers' networks at their own width: {AGAINST}", ERRORS, ("precision",)),
    "times": Part(
        "Milliseconds of a prediction of one picture, and the ratio to the group's first in the same round",
        (*QUARTILES, "ratio, lower quartile", "ratio", "ratio, upper quartile", "pixels a side", "rounds"),
        ("group", "precision"),
    ),
    "clustering": Part(
        "Pictures a second that GNN clustering parts, one after the other and many at once, quartiles of rounds",
        ("at once", "pictures", "patches", "iterations", *QUARTILES, "gain over single", "rounds"),
    ),
    "dense CRF": Part(
        "The dense CRF against the CPU's, and the CPU's time (one thread) by the device's in the same round",
        ("pixels a side", "relative error", "tolerated", "labels alike", *QUARTILES, "rounds"),
    ),
    "memory": Part(
        "Peak memory of SGSeg's training step, allocated and as counted without a GPU",
        ("pictures", "pixels a side", "superpixels", "measured (GiB)", "counted (GiB)"),
        ("precision",),
    ),
    "notebooks": Part(
        "The notebooks' smoke profile on the device", ("experiments", "left out", "seconds"), ("how",)
    ),
}
COMPARED = ("networks", "losses", "published networks")
MEASURED = tuple(name for name in PARTS if name not in COMPARED)
Check = Mapping[str, Any]  # what a file holds, see `read`
HEADER = {
    "date": str,
    "device": str,
    "memory (GiB)": float,
    "versions": dict,
    "minutes": float,
    "parts": list,
}


def is_check(file: Path) -> bool:
    """Whether a file is JSON, if it is anything that `segstudy collect` takes: kept results are a zip."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(64).lstrip().startswith(b"{")


def collect(file: Path, folder: Path) -> Path:
    """Take up a file of `tests/gpu.sh`, in place of an earlier one of the same device; return where it is now.

    Raises
    ------
    StudyError
        The file is none of `tests/gpu.sh`, or is damaged; nothing is taken up then.
    """
    check = read(file)
    place = folder / f"{re.sub('[^a-z0-9]+', '_', check['device'].lower()).strip('_') or 'device'}.json"
    write_bytes(place, (json.dumps(check, indent=1, sort_keys=True) + "\n").encode())
    return place


def collected(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Return what was collected, in the order of the devices' names."""
    return [read(file) for file in sorted(folder.glob("*.json"))]


def read(file: Path) -> dict[str, Any]:
    """Return a check of a GPU that `tests/gpu.sh` wrote.

    Raises
    ------
    StudyError
        The file is another, of another version, or holds what such a file does not: an unknown key, a number that is
        not finite.
    """
    try:
        check = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
        _require(isinstance(check, dict) and check.get("format") == FORMAT, f"its format is not {FORMAT!r}")
        _require(check.get("version") == VERSION, f"its version is {check.get('version')!r}, not {VERSION}")
        _check(check)
    except (ValueError, RecursionError) as error:
        raise StudyError(
            f"{file.name} is not a file that tests/gpu.sh wrote ({error}): run that and collect what it writes"
        ) from error
    return check


def _check(check: dict[str, Any]) -> None:
    """Raise a ValueError that says what is wrong."""
    _require_keys("the file", check, {"format", "version", *HEADER})
    _require(set(check) == {"format", "version", *HEADER}, "it lacks a key")
    for name, kind in HEADER.items():
        _require_kind(name, check[name], kind)
    for name, version in check["versions"].items():
        _require_kind(f"version of {name}", version, str)
    for part in check["parts"]:
        _require_kind("a part", part, dict)
        kind = PARTS.get(part.get("part"))
        _require(kind is not None, f"there is no part {part.get('part')!r}")
        _require_row(part, {"part": str, "seconds": float, "results": list}, (OK, FAILED, SKIPPED, NO_TIME))
        columns = {"name": str} | dict.fromkeys(kind.numbers, float) | dict.fromkeys(kind.texts, str)
        for result in part["results"]:
            _require_kind("a result", result, dict)
            _require_row(result, columns, (OK, FAILED, SKIPPED))
    names = [part["part"] for part in check["parts"]]
    _require(len(set(names)) == len(names), "a part is there twice")


def _require_row(row: dict[str, Any], columns: Mapping[str, type], states: Sequence[str]) -> None:
    """Check a part or a result: its columns, and the state and the note that all have."""
    columns = {"state": str, "note": str} | dict(columns)
    _require_keys(f"{row.get('name', row.get('part'))!r}", row, set(columns))
    for name, value in row.items():
        _require_kind(name, value, columns[name])
    required = {"state", "note"} | {"name", "part", "results"} & set(columns)
    _require(required <= set(row), f"a row lacks {sorted(required - set(row))}")
    _require(row["state"] in states, f"there is no state {row['state']!r}")


def _require_keys(what: str, found: Mapping[str, Any], known: set[str]) -> None:
    _require(set(found) <= known, f"{what} has {sorted(set(found) - known)}, which nobody knows")


def _require_kind(name: str, value: Any, kind: type) -> None:
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(number and math.isfinite(value), f"{name} is no finite number: {value!r}")
    else:
        _require(isinstance(value, kind), f"{name} is no {kind.__name__}: {value!r}")
    if kind is str:
        _require(len(value) <= LONGEST and value.isprintable(), f"{name} is too long, or not printable")


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}, which is no finite number")
