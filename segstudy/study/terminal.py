"""What a run prints: the plan, progress lines, and how it ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from segstudy.study.cluster import SlurmJob
from segstudy.study.files import read_run
from segstudy.study.notebooks import edited_by_hand
from segstudy.study.project import Project
from segstudy.study.state import NOTHING, RENDER, Step

INNER_PERIOD = (
    5.0  # seconds between two lines from inside one cell: a log stays readable, a person sees it move
)


def clock(seconds: float) -> str:
    """Return seconds as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def print_plan(steps: list[Step], profile: str) -> None:
    """Print what is to be done, why, and how long it is expected to take."""
    for step in steps:
        book = step.notebook.script.parents[1] / f"{step.notebook.name}.ipynb"
        if edited_by_hand(book):
            print(
                f"{book.name} may be edited by hand; what runs is its source, scripts/{step.notebook.script.name}"
            )
    width = max((len(step.notebook.name) for step in steps), default=10)
    for step in steps:
        why = "; ".join(step.reasons)
        minutes = f"about {step.minutes:.1f} min" if step.action != NOTHING else ""
        print(f"{step.notebook.name:<{width}}  {step.action:<13} {minutes:<14} {why}".rstrip())
    total = sum(step.minutes for step in steps)
    if total:
        print(f"{profile}: about {total:.1f} minutes of work one after another", flush=True)


class Ticker:
    """Prints a line when a job moves on to another cell, and every few seconds from inside a long one."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Any, Any]] = {}
        self._when: dict[str, float] = {}

    def tick(
        self, name: str, elapsed: str, cell: dict[str, Any] | None, inner: dict[str, Any] | None
    ) -> None:
        """Print what is new, if anything."""
        before = self._shown.get(name, (None, None))
        moved = cell is not None and cell["cell"] != (before[0] or {}).get("cell")
        due = time.monotonic() - self._when.get(name, 0.0) >= INNER_PERIOD
        if not moved and not (inner is not None and inner != before[1] and due):
            return
        self._shown[name], self._when[name] = (cell, inner), time.monotonic()
        place = f"cell {cell['cell']:>3}/{cell['cells']}  {cell['heading']}" if cell else ""
        inside = "" if inner is None or moved else f"  {_count(inner)}"
        print(f"  {name}  {elapsed}  {place}{inside}".rstrip(), flush=True)


def print_queue(jobs: list[SlurmJob], elapsed: str, logs: dict[str, str]) -> None:
    """Print where Slurm's jobs are, each with the path of its log."""
    for job in jobs:
        why = f": it {job.broken}" if job.broken else ""
        print(
            f"  {job.name}  {elapsed}  Slurm job {job.number} {job.state}{why}, log {logs.get(job.name, '')}",
            flush=True,
        )


def _count(inner: dict[str, Any]) -> str:
    total = f"/{inner['total']}" if inner.get("total") else ""
    return f"{inner['label']} {inner['done']}{total} {inner.get('detail', '')}".rstrip()


def print_summary(
    project: Project,
    profile: str,
    steps: list[Step],
    index: Path,
    failed: dict[str, Any],
    troubles: dict[str, str],
) -> int:
    """Print how the run ended; return 0 when every report stands and is new, else 1.

    Parameters
    ----------
    project, profile, steps
        What was planned.
    index : Path
        The page to look at.
    failed : dict
        By notebook, the record of a run that did not end well.
    troubles : dict
        By notebook, the last lines of the log of one that left no record at all.
    """
    where = index.relative_to(project.root).as_posix()
    if all(step.action == NOTHING for step in steps):
        print(f"Nothing to do: every report is up to date.\nLook at {where}")
        return 0
    for step in steps:
        name = step.notebook.name
        if step.action != NOTHING and name not in failed and name not in troubles:
            print(f"{name}: {_done(step, read_run(project.report(profile, name)))}")
    print(f"Look at {where}", flush=True)
    bad = [
        _failure(name, run, f"reports/{profile}/failed/{name}/report.html") for name, run in failed.items()
    ]
    bad += [f"{name}: no report\n    " + text.replace("\n", "\n    ") for name, text in troubles.items()]
    if bad:
        print("\n".join([f"{len(bad)} of {len(steps)} did not finish:", *bad]), flush=True)
    return 1 if bad else 0


def _done(step: Step, record: dict[str, Any] | None) -> str:
    if step.action == RENDER or record is None:
        return "rendered again"
    return f"done in {clock(record['seconds'])}, at most {record['peak_memory_mb']} MB"


def _failure(name: str, run: dict[str, Any], page: str) -> str:
    failure = run["failure"]
    error = failure["error"].strip().splitlines() or [""]
    return f"{name}: {run['status']} in cell {failure['cell'] + 1} ({failure['heading']}): {error[0]}\n    {page}"
