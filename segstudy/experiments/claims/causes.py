"""Why a claim does not hold, where an experiment of its notebook isolated it: `data/published/ledger/causes.csv`.

A line names the table of the committed record that shows it, the rows and the columns; the numbers are read from there.
A row is named by its first cells, joined by " / "; what is not in the file has no known cause.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from segstudy.errors import StudyError
from segstudy.experiments import published

READS = ("data/published/ledger/causes.csv",)
UNKNOWN = "cause unknown"


@cache
def causes() -> list[dict[str, str]]:
    """Return the lines of the file: claim, cause, notebook, table, and rows and columns, separated by semicolons.

    Raises
    ------
    StudyError
        If the file is not there.
    """
    path = published.FOLDER / "ledger" / "causes.csv"
    if not path.is_file():
        raise StudyError(
            "data/published/ledger/causes.csv is not there: it comes with the repository, check it out again"
        )
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def shown_by(folder: Path, cause: dict[str, str]) -> str:
    """Return the cells that show a cause, "SGSeg: told the classes 0.720", read from a record's table.

    Parameters
    ----------
    folder : Path
        The record's.
    cause : dict
        A line of :func:`causes`.

    Raises
    ------
    ValueError
        If the table, a row or a column is not there.
    """
    path = folder / "tables" / f"{cause['table']}.csv"
    where = f"causes.csv, {cause['claim']}: {cause['notebook']}/{cause['table']}"
    if not path.is_file():
        raise ValueError(f"{where} is no table of the record")
    with path.open(encoding="utf-8") as stream:
        header, *lines = csv.reader(stream)
    texts = []
    for name in cause["rows"].split(";"):
        depth = name.count(" / ") + 1
        found = [line for line in lines if " / ".join(line[:depth]) == name]
        wrong = [column for column in cause["columns"].split(";") if column not in header]
        if len(found) != 1 or wrong:
            raise ValueError(f"{where} has {len(found)} rows {name!r} and lacks the columns {wrong}")
        cells = [
            f"{column} {_short(found[0][header.index(column)])}" for column in cause["columns"].split(";")
        ]
        texts.append(f"{name}: {', '.join(cells)}")
    return "; ".join(texts)


def _short(cell: str) -> str:
    try:
        return str(int(cell)) if cell.isdigit() else f"{float(cell):.3g}" if "." in cell else cell
    except ValueError:  # a text with a point in it
        return cell
