"""Tables of what was collected from GPU machines, all devices in each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from segstudy.experiments import published
from segstudy.experiments.costs.gpu import (
    COMPARED,
    ERRORS,
    FAILED,
    OK,
    PARTS,
    SKIPPED,
    TABLE_6,
    TABLE_8,
    Check,
)


def overview(checks: Iterable[Check]) -> pd.DataFrame:
    """Return what became of each part on each device.

    Returns
    -------
    DataFrame
        Columns device, date, torch, part, state, how many results are ok, failed and skipped, seconds, and a note.
    """
    rows = []
    for check in checks:
        about = {name: check[name] for name in ("device", "date")} | {
            "torch": check["versions"].get("torch", "")
        }
        for part in check["parts"]:
            states = [result["state"] for result in part["results"]]
            counts = {state: states.count(state) for state in (OK, FAILED, SKIPPED)}
            ends = {"seconds": part.get("seconds", math.nan), "note": part["note"]}
            rows.append(about | {"part": part["part"], "state": part["state"]} | counts | ends)
    return pd.DataFrame(rows)


def not_ok(checks: Iterable[Check]) -> pd.DataFrame:
    """Return the results that failed or were skipped, and why: device, part, name, state, note."""
    columns = ["device", "part", "name", "state", "note"]
    rows = [row for name in PARTS for row in _rows(checks, name) if row["state"] != OK]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(ignore_index=True)


def errors_table(checks: Iterable[Check]) -> pd.DataFrame:
    """Return how far the networks and losses of each room are from the CPU's.

    Returns
    -------
    DataFrame
        Columns device, part, room, precision, cases, and the median and the largest relative error of outputs and of
        the gradient beside what is tolerated, as texts such as "3e-07".
    """
    rows = [row for name in COMPARED for row in _rows(checks, name) if ERRORS[0] in row]
    frame = pd.DataFrame(rows, columns=["device", "part", "name", "precision", *ERRORS])
    frame["room"] = [case.partition(": ")[0] for case in frame["name"]]
    found = []
    for key, cases in frame.groupby(["device", "part", "room", "precision"], sort=False):
        row = dict(zip(("device", "part", "room", "precision"), key, strict=True)) | {"cases": len(cases)}
        for error, tolerated in (ERRORS[:2], ERRORS[2:]):
            row |= {f"{error}, median": cases[error].median(), f"{error}, largest": cases[error].max()}
            row[tolerated] = cases[tolerated].max()
        found.append({name: f"{v:.0e}" if isinstance(v, float) else v for name, v in row.items()})
    return pd.DataFrame(found)


def table(checks: Iterable[Check], name: str) -> pd.DataFrame:
    """Return what a part measured on all devices.

    Parameters
    ----------
    checks : iterable of mapping
        Of :func:`collected`.
    name : str
        Of `MEASURED`.

    Returns
    -------
    DataFrame
        Columns device, name, and those of the part; a number that a result lacks is nan. Of "times" also "ratio,
        printed", the paper's on its GPU, and "frames a second". Empty where nothing was measured.
    """
    part = PARTS[name]
    rows = [row for row in _rows(checks, name) if set(part.numbers) & set(row)]
    frame = pd.DataFrame(rows, columns=["device", "name", *part.texts, *part.numbers])
    if name == "times":
        printed = [_printed_ratio(*row) for row in zip(frame["group"], frame["name"], strict=True)]
        frame["ratio, printed"] = pd.Series(printed, dtype=float)
        frame["frames a second"] = 1e3 / frame["median"]
    return frame


def _rows(checks: Iterable[Check], name: str) -> list[dict[str, Any]]:
    """Return the results of a part on all devices, each with its device and part."""
    return [
        {"device": check["device"], "part": name} | result
        for check in checks
        for part in check["parts"]
        if part["part"] == name
        for result in part["results"]
    ]


def _printed_ratio(group: str, name: str) -> float:
    """Return the printed time of a network, or of a size, by that of its group's first; nan where none is printed."""
    if group == TABLE_6:
        name_of, column, first, power = "scgnet_table6", "Inference time GPU (ms)", "SCG-GCN", 1
    elif group == TABLE_8:
        name_of, column, first, power = "scgnet_table8", "FPS", "256 × 256 × 3", -1
    else:
        return math.nan
    if name not in set(published.table(name_of)["row"]):
        return math.nan
    return (published.lookup(name_of, name, column) / published.lookup(name_of, first, column)) ** power
