"""Run a plan: write it down, hand it to Snakemake, print progress a person can watch, say how it ended."""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segstudy.errors import StudyError
from segstudy.locks import lock
from segstudy.study.cluster import site_options
from segstudy.study.files import mend_swap, read_run, write_text
from segstudy.study.index import render_index
from segstudy.study.jobs import rules
from segstudy.study.project import Project
from segstudy.study.reference import reference
from segstudy.study.state import NOTHING, Step, plan
from segstudy.study.terminal import print_plan, print_summary
from segstudy.study.workflow import gpus_here, run_snakemake


@dataclass(frozen=True)
class Request:
    """What a person asked for on the command line.

    Parameters
    ----------
    profile : str
    only : list of str or None
        Notebooks by number or name; None: all that have the profile.
    sets : dict
        Parameters given with ``--set``.
    jobs : int
        How many notebooks run at once.
    force, dry_run : bool
    executor : str
        "local" or "slurm".
    slurm : list of str
        "KEY=VALUE", see `segstudy.study.cluster.site_options`.
    """

    profile: str
    only: list[str] | None
    sets: dict[str, Any]
    jobs: int
    force: bool = False
    dry_run: bool = False
    executor: str = "local"
    slurm: list[str] = field(default_factory=list)


def run(project: Project, request: Request) -> int:
    """Bring the reports of a profile up to date; return 0 when every one of them stands.

    Raises
    ------
    StudyError
        Before anything runs: unknown names, ill-typed values, missing data, another run in the same folder.
    """
    chosen = project.select(request.only)
    if request.only is None:
        chosen = [notebook for notebook in chosen if request.profile in notebook.profiles]
    if not chosen:
        raise StudyError(f"no notebook to run: none is named, or none has the profile {request.profile!r}")
    if request.dry_run:
        print_plan(plan(project, request.profile, chosen, request.sets, request.force), request.profile)
        return 0
    with _alone(project):
        for notebook in project.notebooks:
            mend_swap(project.report(request.profile, notebook))
        steps = plan(project, request.profile, chosen, request.sets, request.force)
        print_plan(steps, request.profile)
        for step in steps:  # what failed with other parameters is no news beside a report that is up to date
            if step.action == NOTHING:
                shutil.rmtree(project.failed(request.profile, step.notebook.name), ignore_errors=True)
        shutil.rmtree(project.state / "work", ignore_errors=True)  # of jobs that were ended
        todo, began = [step for step in steps if step.action != NOTHING], datetime.now(UTC)
        if todo:
            _run_rounds(project, request, todo)
        index = write_index(project, request.profile)
        failed = _failures(project, request.profile, todo, began)
        others = [step.notebook.name for step in todo if step.notebook.name not in failed]
        troubles = _troubles(project, request.profile, others)
        return print_summary(project, request.profile, steps, index, failed, troubles)


def _run_rounds(project: Project, request: Request, todo: list[Step]) -> None:
    """Run what comes after others in a second round: in one, Snakemake would leave it out where one of them fails."""
    run_id, site = uuid.uuid4().hex[:12], _site(project, request)
    rounds = [[step for step in todo if bool(step.notebook.after) == last] for last in (False, True)]
    plans = [rules(project, request.profile, steps, run_id) for steps in rounds if steps]
    for jobs in plans:
        _require_machine(jobs, request.executor)
    (project.state / request.profile / "snakemake.log").unlink(missing_ok=True)
    for jobs in plans:
        run_snakemake(project, request.profile, jobs, request.jobs, request.executor, run_id, site)


def _site(project: Project, request: Request) -> dict[str, str]:
    """Return what Slurm is told of every job; a StudyError where it was given and Slurm is not asked."""
    if request.executor == "slurm":
        return site_options(project.root, request.slurm)
    if request.slurm:
        raise StudyError(f"--slurm {request.slurm[0]}: only with --executor slurm")
    return {}


@contextlib.contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Hold the folder's lock."""

    def refuse(who: str) -> None:
        raise StudyError(f"a run is under way in this folder ({who}); wait for it, or end it")

    with lock(project.state / "lock", refuse):
        yield


def _require_machine(jobs: list[dict[str, Any]], executor: str) -> None:
    """Refuse Slurm where it is not, and a local run of what wants more GPUs than there are."""
    if executor == "slurm" and shutil.which("sbatch") is None:
        raise StudyError(
            "--executor slurm: there is no sbatch here; call this on a machine that submits to Slurm"
        )
    for job in jobs:
        if executor == "local" and job["gpus"] and job["gpus"] > gpus_here():
            raise StudyError(
                f"{job['name']} wants {job['gpus']} GPUs (notebooks/study.yaml); {gpus_here()} are seen here"
            )


def _failures(project: Project, profile: str, todo: list[Step], began: datetime) -> dict[str, Any]:
    """Return, by notebook, the record of each run that failed since `began`."""
    records = {step.notebook.name: read_run(project.failed(profile, step.notebook.name)) for step in todo}
    since = began.isoformat(timespec="seconds")
    return {name: record for name, record in records.items() if record and record["started"] >= since}


def _troubles(project: Project, profile: str, names: list[str]) -> dict[str, str]:
    """Return the last lines of the log of each job that left neither a report nor a failed run."""
    state, troubles = project.state / profile, {}
    for name in names:
        if (state / f"{name}.stamp").is_file():
            continue
        logs = [
            log for log in sorted(state.glob(f"{name}.shard*.log")) if not log.with_suffix(".stamp").is_file()
        ]
        texts = [_read(log) for log in [*logs, state / f"{name}.log"]]
        lines = next((text.splitlines()[-5:] for text in texts if text), None)
        lines = lines or _errors(_read(state / "snakemake.log").splitlines(), name)
        troubles[name] = "\n".join(lines) or "no job was started"
    return troubles


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").strip() if log.is_file() else ""


def _errors(lines: list[str], name: str) -> list[str]:
    """Return what Snakemake says of a job that was never started: of the job, else of anything, else its last words."""
    of_job = [index for index, line in enumerate(lines) if line.strip().startswith(f"Error in rule {name}")]
    of_any = [index for index, line in enumerate(lines) if re.search("error|exception", line, re.IGNORECASE)]
    start = next(iter(of_job + of_any), max(len(lines) - 5, 0))
    return [line[:300] for line in lines[start : start + 8]]  # a call of sbatch goes on for lines


def write_index(project: Project, profile: str) -> Path:
    """Write ``reports/<profile>/index.html`` from the records that stand and the reference runs, and return it."""
    runs, missing = [], []
    for name, notebook in project.notebooks.items():
        if profile not in notebook.profiles:
            continue
        record = read_run(project.report(profile, name))
        beside = {"failed": read_run(project.failed(profile, name)), "reference": reference(project, name)}
        if record:
            runs.append(record | {"folder": name} | beside)
        else:
            missing.append({"notebook": name, "title": notebook.title} | beside)
    index = project.root / "reports" / profile / "index.html"
    write_text(index, render_index(profile, runs, missing))
    return index
