"""One job of a run: ``python -m segstudy.study.job JOB.json`` executes a notebook and puts its report in place.

Everything is written in a folder of the job's own. Only a run that ended well takes the report's place, by
rename; any other end is kept whole under ``failed/``, and the last good report stays.
"""

from __future__ import annotations

import errno
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat

from segstudy.processes import has_ended
from segstudy.study.devices import lent
from segstudy.study.execute import KERNEL, Outcome, execute
from segstudy.study.files import mend_swap, read_json, swap_in, write_json, write_text
from segstudy.study.jobs import SHARD
from segstudy.study.kernel import kernel_spec
from segstudy.study.notebooks import code_cells, counted_cells, is_exercise, read_script, title_of
from segstudy.study.project import load_project
from segstudy.study.records import PROFILE, PROJECT
from segstudy.study.report import render_report, scrub_paths
from segstudy.study.state import RENDER, RUN, changed_since, records_fingerprint
from segstudy.study.surroundings import python_command, without_changes
from segstudy.study.watch import KEPT, Watch, end_children

LEAST_FREE = 1 << 18  # bytes: a disk with less has no room for a record


def main(arguments: list[str]) -> int:
    """Run the job described by a JSON file; return 0 when its report stands."""
    job = read_json(Path(arguments[0]))
    if job is None or has_ended(job["driver"]):
        return 75  # the driver has gone: nobody waits for this job
    kept = without_changes(os.environ)  # on a cluster's machine too, which may add to what the driver gave
    os.environ.clear()
    os.environ.update(kept)
    signal.signal(signal.SIGTERM, _end_at_once)
    _adopt_orphans()
    gpus = job["gpus"]
    try:
        with lent(gpus["names"], gpus["count"] if job["action"] != RENDER else 0, Path(gpus["folder"])):
            return {SHARD: _shard, RENDER: _render_again, RUN: _run}[job["action"]](job)
    except Exception as error:  # of any kind: libraries stumble over the half of a file that they could write
        if not _disk_is_full(error, Path(job["root"]) / "reports"):
            raise
        shutil.rmtree(job["work"], ignore_errors=True)  # room for these words, and for what is still to come
        words = f"{os.strerror(errno.ENOSPC)}: make room for {job['root']}/reports"
        print(f"{job['name']}: {words}; {KEPT}", file=sys.stderr)
        return 1


def _disk_is_full(error: Exception, folder: Path) -> bool:
    told = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return told or shutil.disk_usage(folder).free < LEAST_FREE


def _adopt_orphans() -> None:
    """On Linux, have processes that a cell started in a session of their own come back to this one when left."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, 1)  # 36 = PR_SET_CHILD_SUBREAPER


def _end_at_once(*_: object) -> None:
    end_children()
    os._exit(143)


def _shard(job: dict[str, Any]) -> int:
    """Compute a shard of the notebook's experiments in a process of its own, under watch."""
    work = Path(job["work"])
    work.mkdir(parents=True, exist_ok=True)
    words = [*python_command("segstudy", _roots(job)), "--project", job["root"], *job["words"]]
    with _watched(job) as watch:
        code = subprocess.run(words, env=os.environ | _environment(job, work), check=False).returncode
    shutil.rmtree(work, ignore_errors=True)
    if watch.verdict is not None:
        print(f"{job['name']}: {watch.verdict[0]}: {watch.verdict[1]}", file=sys.stderr)
    return code


def _roots(job: dict[str, Any]) -> list[Path]:
    """Return where a job's code lies: the project's modules, and this package."""
    return [Path(job["root"]), Path(__file__).resolve().parents[2]]


def _watched(job: dict[str, Any]) -> Watch:
    def give_up() -> None:
        shutil.rmtree(job["work"], ignore_errors=True)

    limits = job["still_minutes"], job["memory_gb"]
    return Watch(*limits, job["driver"], Path(job["progress"]), give_up, job["limit_minutes"])


def _run(job: dict[str, Any]) -> int:
    work = Path(job["work"])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    script = Path(job["root"]) / "notebooks" / "scripts" / f"{job['notebook']}.py"
    nbformat.write(read_script(script), work / "notebook.ipynb")
    os.environ.update(_environment(job, work))
    write_json(work / ".jupyter" / "kernels" / KERNEL / "kernel.json", kernel_spec(*_roots(job)))
    started, clock = datetime.now(UTC), time.perf_counter()
    outcome = _changed_since_planned(job)
    _note_records(job)
    with _watched(job) as watch:
        if outcome is None:
            outcome = execute(work / "notebook.ipynb", job["overrides"], watch, script.parents[1])
    end_children()  # what a cell started and left behind
    if outcome.status == "ok":
        outcome = _changed_since_planned(job) or outcome
    run = _run_record(job, work, outcome, started) | {
        "seconds": round(time.perf_counter() - clock, 1),
        "peak_memory_mb": round(watch.peak_mb),
    }
    write_json(work / "timings.json", {"seconds": run["seconds"], "cells": outcome.cells})
    return 0 if _publish(job, work, run) == "ok" else 1


def _changed_since_planned(job: dict[str, Any]) -> Outcome | None:
    """Return a failure when the code is no longer the one the plan was made for: its record would not be true."""
    project = load_project(Path(job["root"]))
    changed = changed_since(project, {"notebook": job["notebook"], "fingerprint": job["parts"]})
    if not changed:
        return None
    error = (
        f"the code changed since the run was planned ({', '.join(changed[:3])}); run the same command again"
    )
    return Outcome("failed", {"cell": 0, "heading": "planned with other code", "error": error}, [])


def _note_records(job: dict[str, Any]) -> None:
    """Note the records that the notebook will read as they are now: those before it have made theirs since the plan."""
    project = load_project(Path(job["root"]))
    notebook = project.notebooks[job["notebook"]]
    if notebook.after:
        job["parts"]["records"] = records_fingerprint(project, job["profile"], notebook)


def _environment(job: dict[str, Any], work: Path) -> dict[str, str]:
    threads = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
        ),
        str(job["threads"]),
    )
    return threads | {
        "SEGSTUDY_OUT": str(work),
        "SEGSTUDY_CACHE": job["cache"],
        PROJECT: job["root"],
        PROFILE: job["profile"],
        "SEGSTUDY_PROGRESS": f"{job['progress']}.inner",
        "PYTHONHASHSEED": "0",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # torch's deterministic algorithms on CUDA ask for it
        "MPLBACKEND": "Agg",
        "MATPLOTLIBRC": os.devnull,  # no style of the user's, no start-up file or profile either
        "IPYTHONDIR": str(work / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(work / ".jupyter" / "config"),
        "JUPYTER_DATA_DIR": str(
            work / ".jupyter"
        ),  # no kernel but the one of this interpreter, no page template
    }


def _run_record(job: dict[str, Any], work: Path, outcome: Outcome, started: datetime) -> dict[str, Any]:
    kept = read_json(work / "kept.json") or {}
    (work / "kept.json").unlink(missing_ok=True)
    for name in (".ipython", ".jupyter"):
        shutil.rmtree(work / name, ignore_errors=True)
    defaults: dict[str, Any] = {"seeds": [], "data": [], "features": "none", "device": "cpu", "headline": []}
    defaults |= {
        "verdicts": [],
        "tables": [],
        "figures": [],
        "headline_figure": None,
        "caches": [],
        "cached_seconds": 0.0,
    }
    failure = outcome.failure
    if failure is not None:
        failure = failure | {"error": scrub_paths(failure["error"], Path(job["root"]))}
    return (defaults | kept) | {
        "notebook": job["notebook"],
        "title": title_of(nbformat.read(work / "notebook.ipynb", as_version=4)),
        "profile": job["profile"],
        "status": outcome.status,
        "failure": failure,
        "parameters": job["parameters"],
        "threads": job["threads"],
        "versions": job["parts"]["environment"] | {"platform": platform.system()},
        "started": started.isoformat(timespec="seconds"),
        "fingerprint": job["parts"],
    }


def _publish(job: dict[str, Any], work: Path, run: dict[str, Any]) -> str:
    """Render the page and put the folder in place: the report's where the run is ok, else the failed one's.

    A page that cannot be rendered does not cost the run: notebook, metrics and tables are kept with the failed ones.
    """
    _scrub(work / "notebook.ipynb", Path(job["root"]))
    notebook = nbformat.read(work / "notebook.ipynb", as_version=4)
    try:
        page = render_report(notebook, run, Path(job["root"]))
    except Exception as error:  # of any kind: hours of computing hang on it
        traceback.print_exc()
        failure = {"cell": 0, "heading": "rendering the page", "error": f"{type(error).__name__}: {error}"}
        run = run | {"status": "failed", "failure": failure}
        page = f"<!doctype html><title>{job['notebook']}</title><p>The page could not be rendered; the notebook and "
        page += "its results are in this folder.</p>"
    write_json(work / "run.json", run)
    write_text(work / "report.html", page)
    swap_in(work, Path(job["report"] if run["status"] == "ok" else job["failed"]))
    if run["status"] == "ok":
        shutil.rmtree(job["failed"], ignore_errors=True)
    return run["status"]


def _scrub(path: Path, root: Path) -> None:
    """Take this machine's paths out of everything the notebook printed."""
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("text/")]:
                output.data[kind] = scrub_paths(output.data[kind], root)
            if output.output_type == "stream":
                output.text = scrub_paths(output.text, root)
            elif output.output_type == "error":
                output.traceback = [scrub_paths(line, root) for line in output.traceback]
                output.evalue = scrub_paths(output.evalue, root)
    nbformat.write(notebook, path)


def _render_again(job: dict[str, Any]) -> int:
    """Put new prose around the outputs of the kept run: nothing is executed.

    An exercise's cell that has changed since, which no result depends on, is shown without output.
    """
    place, work = Path(job["report"]), Path(job["work"])
    mend_swap(place)
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(place, work)
    script = Path(job["root"]) / "notebooks" / "scripts" / f"{job['notebook']}.py"
    new, old = read_script(script), nbformat.read(work / "notebook.ipynb", as_version=4)
    kept = {cell.id: cell for cell in old.cells if "injected-parameters" in cell.metadata.get("tags", [])}
    pairs = list(zip(counted_cells(new), counted_cells(old), strict=True))
    solved = {cell.source: cell for cell in code_cells(old) if is_exercise(cell)}
    pairs += [(c, solved[c.source]) for c in code_cells(new) if is_exercise(c) and c.source in solved]
    for cell, executed in pairs:
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    at = next(i for i, cell in enumerate(new.cells) if "parameters" in cell.metadata.get("tags", []))
    new.cells[at + 1 : at + 1] = list(kept.values())
    nbformat.write(new, work / "notebook.ipynb")
    run = read_json(work / "run.json") | {"title": title_of(new), "fingerprint": job["parts"]}
    return 0 if _publish(job, work, run) == "ok" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
