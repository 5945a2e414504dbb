"""Run a plan: write it down, hand it to Snakemake, print progress a person can watch, say how it ended."""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segstudy.errors import StudyError
from segstudy.locks import lock
from segstudy.study.cluster import Queue, SlurmJob, site_options
from segstudy.study.devices import gpus_here, with_gpus
from segstudy.study.files import mend_swap, read_run, write_text
from segstudy.study.index import render_index
from segstudy.study.jobs import rules
from segstudy.study.project import Project
from segstudy.study.reference import reference
from segstudy.study.state import NOTHING, Step, plan
from segstudy.study.terminal import print_plan, print_summary
from segstudy.study.watch import KEPT
from segstudy.study.workflow import Machines, run_snakemake


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
    gpus : int or None
        How many GPUs of this machine the jobs share, each one of its own; 0: all on the CPU; None: as study.yaml says.
    """

    profile: str
    only: list[str] | None
    sets: dict[str, Any]
    jobs: int
    force: bool = False
    dry_run: bool = False
    executor: str = "local"
    slurm: list[str] = field(default_factory=list)
    gpus: int | None = None


def run(project: Project, request: Request) -> int:
    """Bring the reports of a profile up to date; return 0 when every one of them stands.

    Raises
    ------
    StudyError
        Before anything runs: unknown names, ill-typed values, missing data, another run in the same folder.
    """
    if request.gpus is not None:
        project = with_gpus(project, request.profile, request.gpus)
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
        todo = [step for step in steps if step.action != NOTHING]
        before = _failures(project, request.profile, todo)
        jobs = _run_rounds(project, request, todo) if todo else []
        failed = {n: r for n, r in _failures(project, request.profile, todo).items() if r != before.get(n)}
        others = [step.notebook.name for step in todo if step.notebook.name not in failed]
        troubles = _troubles(project, request.profile, others, jobs)
        index = write_index(project, request.profile, jobs, troubles)
        return print_summary(project, request.profile, steps, index, failed, troubles)


def _run_rounds(project: Project, request: Request, todo: list[Step]) -> list[SlurmJob]:
    """Run reports after others in a second round: in one, Snakemake would leave them out where one of them fails.

    Returns
    -------
    list of SlurmJob
        What Slurm was given, where it was asked.
    """
    profile, run_id, machines = request.profile, uuid.uuid4().hex[:12], _machines(project, request, todo)
    planned = rules(project, profile, todo, run_id, machines.gpus)
    (project.state / profile / "snakemake.log").unlink(missing_ok=True)
    for rule in planned:
        for path in (project.state / rule["stamp"], Path(rule["log"])):
            path.unlink(missing_ok=True)
    jobs: list[SlurmJob] = []

    def tell() -> None:
        jobs[:] = machines.queue.jobs.values() if machines.queue else ()
        write_index(project, profile, jobs, {})

    for last in (False, True):
        ready = [rule for rule in planned if rule["last"] == last]
        if last:
            ready = [rule for rule in ready if _has_what_it_needs(project, rule)]
        if ready:
            run_snakemake(project, profile, ready, run_id, machines, tell)
    return jobs


def _has_what_it_needs(project: Project, rule: dict[str, Any]) -> bool:
    """Say whether all that a job waits for is there: Snakemake would refuse a whole round for one that is not."""
    return all((project.state / stamp).is_file() for stamp in rule["needs"])


def _machines(project: Project, request: Request, todo: list[Step]) -> Machines:
    """Return what the jobs run on; a StudyError where it is not there."""
    if request.executor == "slurm":
        if shutil.which("sbatch") is None:
            raise StudyError(
                "--executor slurm: there is no sbatch here; call this on a machine that submits to Slurm"
            )
        queue = Queue(project.state / request.profile / "snakemake.log")
        return Machines("slurm", request.jobs, None, site_options(project.root, request.slurm), queue)
    if request.slurm:
        raise StudyError(f"--slurm {request.slurm[0]}: only with --executor slurm")
    return Machines("local", request.jobs, _gpus(request, todo), {}, None)


def _gpus(request: Request, todo: list[Step]) -> list[str] | None:
    """Return the GPUs that a local run lends to its jobs; None where none was asked for."""
    wanted = {step.notebook.name: step.notebook.settings(request.profile).gpus for step in todo}
    if not request.gpus and not any(wanted.values()):
        return None if request.gpus is None else []
    found = gpus_here()
    if request.gpus is not None and request.gpus > len(found):
        raise StudyError(f"--gpus {request.gpus}: {len(found)} are seen here")
    lendable = found[: request.gpus]
    for name, count in wanted.items():
        if count > len(lendable):
            why = f"{len(lendable)} are seen here; --gpus 0 computes on the CPU"
            raise StudyError(f"{name} wants {count} GPUs (notebooks/study.yaml); {why}")
    return lendable


@contextlib.contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Hold the folder's lock."""

    def refuse(who: str) -> None:
        raise StudyError(f"a run is under way in this folder ({who}); wait for it, or end it")

    with lock(project.state / "lock", refuse):
        yield


def _failures(project: Project, profile: str, todo: list[Step]) -> dict[str, Any]:
    """Return, by notebook, the record of its last failed run.

    Which are new is seen by comparing with those before the run: clocks of a cluster's machines may differ.
    """
    records = {step.notebook.name: read_run(project.failed(profile, step.notebook.name)) for step in todo}
    return {name: record for name, record in records.items() if record}


def _troubles(project: Project, profile: str, names: list[str], jobs: list[SlurmJob]) -> dict[str, str]:
    """Return what is known of each job that left neither a report nor a failed run: what Slurm did, its log's end."""
    state, troubles = project.state / profile, {}
    for name in names:
        if (state / f"{name}.stamp").is_file():
            continue
        broken = [
            f"{job.name}: Slurm's job {job.number} {job.broken} ({job.state}); {KEPT}"
            for job in jobs
            if job.broken and job.name.partition(".")[0] == name
        ]
        logs = [
            log for log in sorted(state.glob(f"{name}.shard*.log")) if not log.with_suffix(".stamp").is_file()
        ]
        texts = [_read(log) for log in [*logs, state / f"{name}.log"]]
        lines = next((text.splitlines()[-5:] for text in texts if text), [])
        if not lines and not broken:
            lines = _errors(_read(state / "snakemake.log").splitlines(), name)
        troubles[name] = "\n".join(broken + lines) or "no job was started"
    return troubles


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").strip() if log.is_file() else ""


def _errors(lines: list[str], name: str) -> list[str]:
    """Return what Snakemake says of a job that was never started: of the job, else of anything, else its last words."""
    of_job = [index for index, line in enumerate(lines) if line.strip().startswith(f"Error in rule {name}")]
    of_any = [index for index, line in enumerate(lines) if re.search("error|exception", line, re.IGNORECASE)]
    start = next(iter(of_job + of_any), max(len(lines) - 5, 0))
    return [line[:300] for line in lines[start : start + 8]]  # a call of sbatch goes on for lines


def write_index(
    project: Project, profile: str, jobs: Sequence[SlurmJob] = (), troubles: dict[str, str] | None = None
) -> Path:
    """Write ``reports/<profile>/index.html``, and return it.

    It shows the records that stand, the reference runs, and of the last run Slurm's jobs and what left no record.
    """
    runs, missing = [], []
    for name, notebook in project.notebooks.items():
        if profile not in notebook.profiles:
            continue
        record = read_run(project.report(profile, name))
        beside = {"failed": read_run(project.failed(profile, name)), "reference": reference(project, name)}
        beside["trouble"] = (troubles or {}).get(name)
        if record:
            runs.append(record | {"folder": name} | beside)
        else:
            missing.append({"notebook": name, "title": notebook.title} | beside)
    index = project.root / "reports" / profile / "index.html"
    logs = (project.state / profile).relative_to(project.root).as_posix()
    queue = [{"name": j.name, "number": j.number, "state": j.state, "broken": j.broken} for j in jobs]
    queue = [job | {"log": f"{logs}/{job['name']}.log"} for job in queue]
    write_text(index, render_index(profile, runs, missing, queue))
    return index
