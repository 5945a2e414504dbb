"""What the five papers print: their result tables and their claims, read from `data/published/*.csv`.

A result table is long: one printed value per line, with its row, column and unit. The printed string is
kept; the number in it, where there is one, stands beside it. `data/published/NOTES.md` tells how the files
were made, what each paper contradicts, and which cells are uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from segstudy.errors import StudyError, nearest

if TYPE_CHECKING:
    import pandas as pd

# The files this module reads, relative to the repository: part of the fingerprint of every run that imports
# it.
READS = ("data/published/*.csv",)

# Beside this file in a wheel (setup.py puts them there), at the top of a checkout.
FOLDERS = (
    Path(__file__).with_name("published_tables"),
    Path(__file__).resolve().parents[2] / "data" / "published",
)
FOLDER = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[-1])
TIDY = ("table", "row", "column", "value", "unit")
CLAIMS = ("id", "paper", "where", "claim", "predicate", "by_its_own_numbers")

# SCG-Net prints two F1 scores with a minus sign. An F1 cannot be negative, and the differences printed
# beside them (-0.3 and -2.2 points from 0.880) fit the positive values exactly.
WRONG_SIGNS = {
    ("scgnet_table7", "γ·Ẑ: ✗ | Lkl + Ldl: ✗ | SCG: ✓", "Car"),
    ("scgnet_table8", "256 × 256 × 3", "Car"),
}
SIGN_NOTE = (
    "printed with a minus sign, which an F1 cannot have; the printed difference fits the value without"
)


def tables() -> list[str]:
    """Return the names of the published tables, sorted, such as "graph_matching_table1".

    Raises
    ------
    StudyError
        If `data/published` is not there.
    """
    return sorted(path.stem for path in _files() if path.stem != "claims")


def table(name: str) -> pd.DataFrame:
    """Return a published table.

    Parameters
    ----------
    name : str
        One of `tables()`.

    Returns
    -------
    pandas.DataFrame
        Of a result table, the columns ``table, row, column, value, unit`` as printed (strings; "-" is a
        printed dash, "" a value lost in transcription), then ``number`` (float; nan where no plain number
        is printed, as for "9k", "4.1x" or "ResNet50") and ``correction`` (why the number differs from the
        printed value; "" where it does not). Of a table of hyper-parameters or layers, the printed table as
        it is, all strings.

    Raises
    ------
    ValueError
        If there is no such table; the message has the nearest name.
    StudyError
        If `data/published` is not there.
    """
    import pandas as pd

    _check_name("table", name, tables())
    frame = _read(FOLDER / f"{name}.csv")
    if tuple(frame.columns) != TIDY:
        return frame
    wrong = [
        (name, row, column) in WRONG_SIGNS for row, column in zip(frame["row"], frame["column"], strict=True)
    ]
    number = pd.to_numeric(frame["value"], errors="coerce").astype(float)
    frame["number"] = number.where([not w for w in wrong], number.abs())
    frame["correction"] = [SIGN_NOTE if w else "" for w in wrong]
    return frame


def claims(paper: str | None = None) -> pd.DataFrame:
    """Return the papers' claims that an experiment can check.

    Parameters
    ----------
    paper : str, optional
        Of this paper only: "graph_matching", "sgseg", "gnn_clustering", "dgcn" or "scgnet".

    Returns
    -------
    pandas.DataFrame
        Columns ``id, paper, where, claim, predicate, by_its_own_numbers``, all strings, in the papers'
        order. The last begins with H (holds), P (partly), C (contradicted) or N (no number printed).

    Raises
    ------
    ValueError
        If there is no such paper.
    StudyError
        If `data/published` is not there.
    """
    _files()
    frame = _read(FOLDER / "claims.csv")[list(CLAIMS)]
    if paper is None:
        return frame
    _check_name("paper", paper, frame["paper"].unique())
    return frame[frame["paper"] == paper].reset_index(drop=True)


def lookup(name: str, row: str, column: str) -> float:
    """Return one published number.

    Parameters
    ----------
    name : str
        One of `tables()`, a result table.
    row, column : str
        As they stand in the file, for example ``lookup("graph_matching_table1", "50 | U-Net + GM",
        "Bounding box | R-br")``.

    Returns
    -------
    float
        In the table's unit; nan where the paper prints a dash or the value is lost.

    Raises
    ------
    ValueError
        If there is no such table, row or column, if the table is no result table, or if the cell holds text.
    """
    frame = table(name)
    if "number" not in frame:
        raise ValueError(f"{name} lists settings, not results: read it with table({name!r})")
    _check_name("row", row, frame["row"].unique())
    cells = frame[frame["row"] == row].set_index("column")
    _check_name("column", column, cells.index)
    value, number = cells.loc[column, "value"], float(cells.loc[column, "number"])
    if number != number and value not in ("-", ""):
        raise ValueError(f"{name}, {row}, {column} prints {value!r}, which is no plain number")
    return number


def _files() -> list[Path]:
    files = sorted(FOLDER.glob("*.csv"))
    if not files:
        raise StudyError(
            "data/published holds no tables: it comes with the repository, check the files out again"
        )
    return files


def _read(path: Path) -> pd.DataFrame:
    """Read every cell as the printed string: "none" and "" are values here, not gaps."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def _check_name(kind: str, name: str, known: Iterable[str]) -> None:
    known = list(known)
    if name not in known:
        raise ValueError(f"there is no {kind} {name!r}{nearest(name, known)}")
