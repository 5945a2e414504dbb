"""The jobs of a plan, as Snakemake and `segstudy.study.job` need to know them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segstudy.processes import this_process
from segstudy.study.files import write_json
from segstudy.study.project import Project
from segstudy.study.state import RUN, Step
from segstudy.study.surroundings import python_command

SHARD = "shard"
SLOWER = 3  # times longer than expected, and an hour: a cluster asks for a limit to every job
# What Slurm counts in a job beside its notebook: Snakemake and the job itself have 200 MB, and for a moment a process
# that a kernel starts counts as a second kernel.
AROUND_MB = 768
ROOT = Path(__file__).resolve().parents[2]


def rules(
    project: Project, profile: str, todo: list[Step], run: str, gpus: list[str] | None = None
) -> list[dict[str, Any]]:
    """Write a job file for each notebook and each shard of `todo`; return what the Snakefile makes rules of.

    Parameters
    ----------
    project : Project
    profile : str
    todo : list of Step
        What is to be run or rendered, those that others need before them.
    run : str
        A name of this run's own: what its jobs and its driver tell one another lies in a folder of that name.
    gpus : list of str or None
        What its jobs may be lent, see `segstudy.study.devices.lent`.

    Returns
    -------
    list of dict
        name, stamp (its output) and needs (stamps it waits for), relative to the project's state, command, log,
        progress (a file the job tells its cell in), threads, gpus, memory_mb, runtime (minutes),
        priority: reports come in the notebooks' order, but the next notebook's shards begin before a report, which
        only one processor can make: else the last notebook would be alone on all of them, and
        last: whether it is run when all others have ended, as the report of a notebook after others is; shards read
        no record and wait for none.
    """
    names, order = {step.notebook.name for step in todo}, list(project.notebooks)
    found = []
    for place, step in enumerate(sorted(todo, key=lambda step: order.index(step.notebook.name))):
        *shards, report = _rules_of(project, profile, step, names, run, gpus)
        priority = 2 * (len(todo) - place) + 1
        found += [rule | {"priority": priority, "last": False} for rule in shards]
        last = bool(step.notebook.after)
        found.append(report | {"priority": priority - 3 if shards else priority, "last": last})
    return found


def _rules_of(
    project: Project, profile: str, step: Step, names: set[str], run: str, gpus: list[str] | None
) -> Iterator[dict[str, Any]]:
    """Yield a step's shards, then the notebook that waits for them."""
    name = step.notebook.name
    waits = [f"{profile}/{need}.stamp" for need in step.notebook.needs if need in names]
    shards = step.notebook.settings(profile).shards if step.action == RUN else 0
    stamps = []
    for index in range(1, shards + 1):
        words = ["experiment", name, "--profile", profile, "--shard", f"{index}/{shards}"]
        words += [f"--set={key}={json.dumps(value)}" for key, value in step.values.items()]
        job = _job(project, profile, step, f"{name}.shard{index}", run, gpus)
        job |= {"action": SHARD, "words": words}
        rule = _rule(project, profile, step, job) | {"needs": waits}
        stamps.append(rule["stamp"])
        yield rule
    yield _rule(project, profile, step, _job(project, profile, step, name, run, gpus)) | {
        "needs": waits + stamps
    }


def _job(
    project: Project, profile: str, step: Step, name: str, run: str, gpus: list[str] | None
) -> dict[str, Any]:
    """Return what `segstudy.study.job` reads; the file stays in this folder, its paths are this machine's."""
    notebook, settings = step.notebook, step.notebook.settings(profile)
    declared = notebook.parameters
    return {
        "name": name,
        "root": str(project.root),
        "notebook": notebook.name,
        "profile": profile,
        "action": step.action,
        "parameters": step.values,
        "overrides": {key: value for key, value in step.values.items() if value != declared[key].default},
        "parts": step.parts,
        "threads": settings.threads,
        "still_minutes": settings.still_minutes,
        "limit_minutes": settings.limit_minutes,
        "memory_gb": settings.memory_gb,
        "gpus": {"names": gpus, "count": settings.gpus, "folder": str(project.state)},
        "driver": this_process(),
        "work": str(project.state / "work" / f"{profile}.{name}.{run}"),
        "report": str(project.report(profile, notebook.name)),
        "failed": str(project.failed(profile, notebook.name)),
        "cache": str(project.state / "cache"),
        "progress": str(project.state / profile / "runs" / run / f"{name}.progress"),
    }


def _rule(project: Project, profile: str, step: Step, job: dict[str, Any]) -> dict[str, Any]:
    base, settings = project.state / profile / job["name"], step.notebook.settings(profile)
    file = Path(f"{base}.job.json")
    write_json(file, job)
    words = shlex.join([*python_command("segstudy.study.job", [ROOT]), str(file)])
    log = shlex.quote(f"{base}.log")
    ended = f"{{ code=$?; echo ended with exit code $code >>{log}; exit $code; }}"
    return {
        "name": job["name"],
        "stamp": f"{profile}/{job['name']}.stamp",
        "progress": job["progress"],
        "log": f"{base}.log",
        "command": f"{words} >{log} 2>&1 || {ended}",
        "threads": settings.threads,
        "gpus": settings.gpus,
        "memory_mb": int(settings.memory_gb * 1024) + AROUND_MB,
        "runtime": int(settings.limit_minutes or SLOWER * settings.minutes + 60) + 1,
    }
