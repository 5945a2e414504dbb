"""Image-level labels from a table: a row for each picture, its name and then the classes that it shows."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from segstudy.datasets.files import file_key, require_choice
from segstudy.errors import StudyError


def read_class_list(
    path: Path, classes: Sequence[str], pictures: Collection[str]
) -> dict[str, frozenset[int]]:
    """Read a CSV file of the classes of pictures.

    Parameters
    ----------
    path : Path
        UTF-8, without a row of headings. A row is a picture's name, with or without its suffix, and names of classes;
        a row of a name alone is a picture that shows none of them.
    classes : sequence of str
        The names of the ids 0..C-1.
    pictures : collection of str
        Names as :func:`~segstudy.datasets.files.file_key` gives them.

    Returns
    -------
    dict of str to frozenset of int
        The class ids of each picture.

    Raises
    ------
    StudyError
        The file is missing or not UTF-8, names a picture that is not there or one twice, leaves one out, or names a
        class that there is not; the message gives the line.
    """
    found: dict[str, frozenset[int]] = {}
    for number, row in _rows(path):
        whole = unicodedata.normalize("NFC", row[0])
        name = whole if whole in pictures else file_key(Path(row[0]))
        where = f"{path}, line {number}"
        if name not in pictures:
            raise StudyError(
                f"{where}: there is no picture {row[0]!r} in images/ (a row of headings is not expected)"
            )
        if name in found:
            raise StudyError(f"{where}: the picture {row[0]!r} has a row before")
        try:
            ids = [classes.index(require_choice("class", kind, classes)) for kind in row[1:]]
        except ValueError as error:
            raise StudyError(f"{where}: {error}") from None
        found[name] = frozenset(ids)
    missing = sorted(set(pictures) - set(found))
    if missing:
        raise StudyError(
            f"{path} has no row for {missing[0]!r} and {len(missing) - 1} more pictures of images/"
        )
    return found


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that hold anything, stripped, with their lines."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: it lists the classes of each picture") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} is no CSV file in UTF-8: {error}") from None
    return [(number, [cell for cell in row if cell]) for number, row in rows if any(row)]
