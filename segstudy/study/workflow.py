"""Start Snakemake on a plan, watch it, and end it with everything below it when this process is to end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segstudy.datasets import data_root
from segstudy.study.cluster import Queue, cancel_jobs, resource_words, status_words
from segstudy.study.files import read_json, write_json
from segstudy.study.project import Project
from segstudy.study.surroundings import with_a_name, without_changes
from segstudy.study.terminal import Ticker, clock, print_queue
from segstudy.study.watch import Heartbeat

POLL = 0.5  # seconds between two looks at the jobs' notes


@dataclass(frozen=True)
class Machines:
    """What the jobs of a run run on.

    Parameters
    ----------
    executor : str
        "local" or one that Snakemake has a plugin for, such as "slurm".
    slots : int
        How many jobs run at once.
    gpus : list of str or None
        What a local run lends to its jobs, see `segstudy.study.devices.lent`.
    site : dict of str to str
        What Slurm is told of every job, see `segstudy.study.cluster.site_options`.
    queue : Queue or None
        Slurm's, told of and kept up to date.
    """

    executor: str
    slots: int
    gpus: list[str] | None
    site: dict[str, str]
    queue: Queue | None


def run_snakemake(
    project: Project,
    profile: str,
    rules: list[dict[str, Any]],
    run: str,
    machines: Machines,
    on_news: Callable[[], object],
) -> None:
    """Run the rules; how they ended is read from what they leave, not from here.

    Parameters
    ----------
    project : Project
    profile : str
    rules : list of dict
        See `segstudy.study.jobs.rules`.
    run : str
        This run's own name, under which its jobs and its sign of life are known; see `segstudy.study.jobs.rules`.
    machines : Machines
    on_news : callable
        Called when a job of Slurm's queue has another state.

    Raises
    ------
    KeyboardInterrupt
        With the signal's number, after Ctrl-C or another signal that asks this process to end: no job is left.
    """
    state = project.state / profile
    _forget_others(state / "runs", run, machines.executor)
    write_json(state / "plan.json", {"jobs": rules})
    with (state / "snakemake.log").open("a") as log, _noted_signals() as signals:
        process = subprocess.Popen(
            _command(project, run, machines),
            stdout=log,
            stderr=log,
            env=_environment(project, state / "plan.json"),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            _watch(
                process,
                rules,
                Heartbeat(state / "runs" / run / "heartbeat"),
                signals,
                machines.queue,
                on_news,
            )
        except BaseException:
            _end_group(process)
            if machines.executor == "slurm":
                cancel_jobs(run)
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(
                    "\nInterrupted: what has finished is kept, and the same command goes on from there.",
                    flush=True,
                )
            raise


def _forget_others(runs: Path, run: str, executor: str) -> None:
    """End what earlier runs left behind: jobs of Slurm's at once, others when they find their driver silent."""
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if folder.name != run:
            if executor == "slurm":
                cancel_jobs(folder.name)
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Note the signals that ask to end: Ctrl-C, a closed terminal, a system that shuts down or a cluster's time limit.

    Those that this process was started to ignore (by nohup, or in the background) stay ignored.
    """
    noted: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    heeded = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    for number in heeded:
        signal.signal(number, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)


def _environment(project: Project, plan: Path) -> dict[str, str]:
    """Return what Snakemake and every job below it find in their environment."""
    environment = with_a_name(without_changes(os.environ), project.state / "cache-home")
    environment.pop("SNAKEMAKE_PROFILE", None)  # a person's own profile may say dry-run
    return environment | {"SEGSTUDY_PLAN": str(plan), "SEGSTUDY_DATA": str(data_root().resolve())}


def _command(project: Project, run: str, machines: Machines) -> list[str]:
    """Return Snakemake's command line.

    Its own lock is left out: the driver holds one that the system lets go with the process. Stamps of stale reports
    have been removed, so that a missing output is the only reason to run.
    """
    command = [sys.executable, "-m", "snakemake"]
    command += ["--snakefile", str(project.root / "notebooks" / "Snakefile")]
    command += ["--directory", str(project.state), "--workflow-profile", "none"]
    command += ["--nolock", "--rerun-incomplete", "--keep-going", "--rerun-triggers", "mtime"]
    command += [
        "--quiet",
        "host",
        "progress",
        "reason",
    ]  # "rules" and "all" would hide errors, such as Slurm's refusals
    command += ["--latency-wait", "5", "--resources", f"slot={machines.slots}"]
    if machines.executor == "local":  # slots decide how many run; threads are fixed by study.yaml
        return [*command, f"gpu={len(machines.gpus or ())}", "--cores", "1000"]
    if machines.executor == "slurm":
        command += ["--slurm-jobname-prefix", f"segstudy-{run}"]
        command += [
            "--slurm-init-seconds-before-status-checks",
            "5",
        ]  # 40 by default, long beside a short notebook
        command += status_words() + resource_words(machines.site)
    return [*command, "--executor", machines.executor, "--jobs", str(machines.slots)]


def _die_with_parent() -> None:
    """On Linux, have the kernel end Snakemake when this process dies, even by kill -9; elsewhere jobs notice."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(
            1, signal.SIGKILL
        )  # 1 = PR_SET_PDEATHSIG; after SIGTERM it would wait for its jobs


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _watch(
    process: subprocess.Popen[bytes],
    rules: list[dict[str, Any]],
    heartbeat: Heartbeat,
    signals: list[int],
    queue: Queue | None,
    on_news: Callable[[], object],
) -> None:
    """Print what the jobs note, and what Slurm does with them, until Snakemake has ended.

    Ctrl-C is noted in `signals` and raised here: raised where it falls, Python may swallow it (in a finaliser).
    """
    ticker, started, logs = Ticker(), time.monotonic(), {rule["name"]: rule["log"] for rule in rules}
    ended = False
    while not ended:
        ended = process.poll() is not None
        time.sleep(POLL)
        if signals:
            raise KeyboardInterrupt(signals[0])
        heartbeat.beat()
        for rule in rules:
            cell, inner = read_json(Path(rule["progress"])), read_json(Path(rule["progress"] + ".inner"))
            ticker.tick(rule["name"], clock(time.monotonic() - started), cell, inner)
        if queue is not None and (news := queue.look(at_once=ended)):
            print_queue(news, clock(time.monotonic() - started), logs)
            on_news()
