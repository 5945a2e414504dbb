"""Reference results: the committed records of real runs, and README's results table made from them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from segstudy.errors import StudyError
from segstudy.study.files import read_run, swap_in, write_text
from segstudy.study.project import Project
from segstudy.study.state import run_modules

KEPT = (
    "metrics.json",
    "timings.json",
    "run.json",
    "tables",
)  # no figure: some show research-only photographs
BEGIN, END = "<!-- results: made by `python -m segstudy reference` -->", "<!-- end of results -->"


def keep(project: Project, profile: str, notebook: str) -> Path:
    """Copy a report's tables, metrics and record into ``reports/reference/<profile>/<notebook>`` and return that."""
    report, place = project.report(profile, notebook), project.report("reference", f"{profile}/{notebook}")
    aside = project.state / "work" / f"reference.{profile}.{notebook}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in KEPT:
        if (report / name).is_dir():
            shutil.copytree(report / name, aside / name)
        elif (report / name).is_file():
            shutil.copy(report / name, aside / name)
    swap_in(aside, place)
    return place


def references(project: Project) -> list[dict[str, Any]]:
    """Return the records kept, each with ``changed``: the modules whose code differs from the code that made it."""
    records = []
    for path in sorted((project.root / "reports" / "reference").glob("*/*/run.json")):
        record = read_run(path.parent)
        if record is None or record["notebook"] not in project.notebooks:
            raise StudyError(f"{path.relative_to(project.root)} is no record of a notebook of this study")
        now, then = run_modules(project, project.notebooks[record["notebook"]]), record["fingerprint"]
        then = {"code": then["code"]} | then["modules"]
        changed = sorted(name for name in set(now) | set(then) if now.get(name) != then.get(name))
        records.append(record | {"changed": changed})
    return records


def results_table(project: Project) -> str:
    """Return README's results as Markdown, a row for each headline; rows of changed code are marked stale."""
    head = "| notebook | profile, data | figure | ours | published | made by this code |\n|---|---|---|---|---|---|\n"
    rows, found = [], []
    for record in references(project):
        found += [_found(record, d) for d in record["data"]]
        data = ", ".join(dict.fromkeys(d["name"] for d in record["data"]))
        state = f"stale: {len(record['changed'])} files changed since" if record["changed"] else "yes"
        for row in record["headline"]:
            spread = f" ± {row['spread']:.3f}" if row["spread"] is not None else ""
            ours = f"{row['ours']:.3f}{spread} (n = {row['n']})"
            published = "–" if row["published"] is None else f"{row['published']:g} ({row['source']})"
            cells = [record["notebook"], f"{record['profile']}, {data}", row["name"], ours, published, state]
            rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n")  # a bar ends a cell
    return head + "".join(rows) + ("\nData of these runs:\n\n" + "".join(found) if found else "")


def _found(record: dict[str, Any], data: dict[str, Any]) -> str:
    note = f" ({data['note']})" if data.get("note") else ""
    where = f"{record['notebook']}, {record['profile']}: {data['name']}/{data['split']}"
    return f"- {where}, {data['count']} pictures{note}\n"


def write_results(project: Project) -> None:
    """Write the results table between its marks in README.md."""
    path = project.root / "README.md"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise StudyError(f"README.md lacks the marks {BEGIN!r} and {END!r} that hold its results table")
    before, rest = text.split(BEGIN, 1)
    write_text(path, f"{before}{BEGIN}\n\n{results_table(project)}\n{END}{rest.split(END, 1)[1]}")
