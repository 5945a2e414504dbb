"""Reference results: the committed records of real runs, and README's results table made from them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from segstudy.errors import StudyError
from segstudy.study.files import read_run, swap_in, write_text
from segstudy.study.gallery import LARGEST, gallery, keep_figures
from segstudy.study.project import REAL, Project
from segstudy.study.record import OVER
from segstudy.study.state import SAME, changed_since, outdated

KEPT = ("metrics.json", "timings.json", "run.json", "tables")  # and the figures that are drawn
BEGIN, END = "<!-- results: made by `python -m segstudy reference` -->", "<!-- end of results -->"
FIGURES, END_OF_FIGURES = (
    "<!-- figures: made by `python -m segstudy reference` -->",
    "<!-- end of figures -->",
)


def keep(project: Project, profile: str, notebook: str) -> Path:
    """Copy a report's tables, metrics, record and drawn figures into ``reports/reference/<profile>/<notebook>``.

    Returns
    -------
    Path
        That folder.

    Raises
    ------
    StudyError
        Where the report has no record that this version can read.
    """
    report, place = project.report(profile, notebook), project.report("reference", f"{profile}/{notebook}")
    aside = project.state / "work" / f"reference.{profile}.{notebook}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in KEPT:
        if (report / name).is_dir():
            shutil.copytree(report / name, aside / name)
        elif (report / name).is_file():
            shutil.copy(report / name, aside / name)
    record = read_run(report)
    if record is None:
        raise StudyError(
            f"reports/{profile}/{notebook} holds no record that can be kept: run the notebook again"
        )
    for file in keep_figures(report, record, aside):
        print(f"{notebook}: {file} is larger than {LARGEST // 1000} kB and is left out", file=sys.stderr)
    swap_in(aside, place)
    return place


def reference(project: Project, notebook: str) -> dict[str, Any] | None:
    """Return the kept record of a notebook's run on real data, or None."""
    return read_run(project.report("reference", f"{REAL}/{notebook}"))


def references(project: Project) -> list[dict[str, Any]]:
    """Return the records kept, with what has changed of the code that made each.

    ``changed`` are the modules that may give other results, ``edited`` those and the ones that give the same.
    """
    records = []
    for path in sorted((project.root / "reports" / "reference").glob("*/*/run.json")):
        record = read_run(path.parent)
        if record is None or record["notebook"] not in project.notebooks:
            raise StudyError(f"{path.relative_to(project.root)} is no record of a notebook of this study")
        edited = changed_since(project, record)
        records.append(record | {"edited": edited, "changed": edited and outdated(project, record)})
    return records


def results_table(project: Project) -> str:
    """Return README's results as Markdown, a row for each headline; rows of changed code are marked stale.

    A spread over seeds and one over pictures are not the same thing, and stand in columns of their own.
    """
    names = ["notebook", "profile, data", "figure", "ours", *(f"± over {kind} (n)" for kind in OVER)]
    names += ["published", "made by this code"]
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    rows, found, stale = [], [], set()
    for record in references(project):
        stale |= set(record["changed"])
        found += [_found(record, d) for d in record["data"]]
        data = ", ".join(dict.fromkeys(d["name"] for d in record["data"]))
        state = f"stale: {len(record['changed'])} files changed since" if record["changed"] else "yes"
        for row in record["headline"]:
            published = "–" if row["published"] is None else f"{row['published']:g} ({row['source']})"
            cells = [record["notebook"], f"{record['profile']}, {data}", row["name"], f"{row['ours']:.3f}"]
            cells += [_spread(row, kind) for kind in OVER] + [published, state]
            rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n")  # a bar ends a cell
    edited = sorted({module for record in references(project) for module in record["edited"]} - stale)
    if edited:
        found.append(f"\nEdited since, with the same results ([{SAME.name}]({SAME})): {', '.join(edited)}.\n")
    return head + "".join(rows) + ("\nData of these runs:\n\n" + "".join(found) if found else "")


def _spread(row: dict[str, Any], kind: str) -> str:
    told = row.get("over") == kind and row["spread"] is not None
    return f"{row['spread']:.3f} ({row['n']})" if told else "–"


def _found(record: dict[str, Any], data: dict[str, Any]) -> str:
    note = f" ({data['note']})" if data.get("note") else ""
    where = f"{record['notebook']}, {record['profile']}: {data['name']}/{data['split']}"
    return f"- {where}, {data['count']} pictures{note}\n"


def write_results(project: Project) -> None:
    """Write the results table and the gallery between their marks in README.md."""
    path = project.root / "README.md"
    text = path.read_text(encoding="utf-8")
    text = _between(text, BEGIN, END, results_table(project))
    text = _between(text, FIGURES, END_OF_FIGURES, gallery(project.root, references(project)))
    write_text(path, text)


def _between(text: str, begin: str, end: str, content: str) -> str:
    """Return `text` with `content` in place of what stands between two marks."""
    if begin not in text or end not in text:
        raise StudyError(
            f"README.md lacks the marks {begin!r} and {end!r}, between which results are written"
        )
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n\n{content}\n{end}{rest.split(end, 1)[1]}"
