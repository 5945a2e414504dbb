"""The charts and drawn pictures of real runs that the repository keeps, and README's gallery of them."""

from __future__ import annotations

import io
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from PIL import Image

from segstudy.files import write_bytes

LARGEST = 150_000  # bytes of a figure that the repository keeps
SHOWN = 6  # figures in README's gallery


def keep_figures(report: Path, record: dict[str, Any], place: Path) -> list[str]:
    """Copy a report's drawn figures as PNG into `place`, and return those that are too large even with 256 colours.

    Parameters
    ----------
    report : Path
        Folder of the report.
    record : dict
        Its record. A figure that is not marked as drawn may show pictures of a data set, and stays where it is.
    place : Path
        Folder that gets them under the same names.
    """
    left = []
    for figure in record["figures"]:
        if figure.get("drawn"):
            content = _small((report / figure["file"]).read_bytes())
            if len(content) < LARGEST:
                write_bytes(place / figure["file"], content)
            else:
                left.append(figure["file"])
    return left


def _small(png: bytes) -> bytes:
    """Return a PNG as it is where it is small enough, else in 256 colours."""
    if len(png) < LARGEST:
        return png
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def gallery(root: Path, records: list[dict[str, Any]]) -> str:
    """Return README's gallery as Markdown: `SHOWN` kept figures, those that stand for their notebooks first.

    Parameters
    ----------
    root : Path
        Folder of the project.
    records : list of dict
        The records kept under ``reports/reference``; each notebook gives its next figure in turn.
    """
    turns = zip_longest(*(_kept(root, record) for record in records))
    cells = [cell for cell in chain.from_iterable(turns) if cell][:SHOWN]
    rows = [f"| {' | '.join((cells[i : i + 2] + [''])[:2])} |\n" for i in range(0, len(cells), 2)]
    return "| | |\n|---|---|\n" + "".join(rows) if rows else ""


def _kept(root: Path, record: dict[str, Any]) -> list[str]:
    """Return a table's cell for each kept figure of a record, the one that stands for the notebook first."""
    folder = f"reports/reference/{record['profile']}/{record['notebook']}"
    there = [f for f in record["figures"] if f.get("drawn") and (root / folder / f["file"]).is_file()]
    there.sort(key=lambda figure: figure["file"] != record["headline_figure"])
    return [
        f"![{_plain(f['alt'])}]({folder}/{f['file']}) {record['notebook']}: {_plain(f['caption'])}"
        for f in there
    ]


def _plain(text: str) -> str:
    """Return a text without what would end a cell or a picture's description."""
    return " ".join(text.translate(str.maketrans("|[]", "/()")).split())
