"""Start Snakemake on a plan, watch it, and end it with everything below it when this process is to end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segstudy.datasets import data_root
from segstudy.study.cluster import cancel_jobs, resource_words, status_words
from segstudy.study.files import read_json, write_json
from segstudy.study.project import Project
from segstudy.study.surroundings import with_a_name, without_changes
from segstudy.study.terminal import Ticker, clock
from segstudy.study.watch import Heartbeat

POLL = 0.5  # seconds between two looks at the jobs' notes


def run_snakemake(
    project: Project,
    profile: str,
    rules: list[dict[str, Any]],
    slots: int,
    executor: str,
    run: str,
    site: dict[str, str],
) -> None:
    """Run the rules; how they ended is read from what they leave, not from here.

    Parameters
    ----------
    project : Project
    profile : str
    rules : list of dict
        See `segstudy.study.jobs.rules`.
    slots : int
        How many jobs run at once.
    executor : str
        "local" or one that Snakemake has a plugin for, such as "slurm".
    run : str
        This run's own name, under which its jobs and its sign of life are known; see `segstudy.study.jobs.rules`.
    site : dict of str to str
        What Slurm is told of every job, see `segstudy.study.cluster.site_options`.

    Raises
    ------
    KeyboardInterrupt
        With the signal's number, after Ctrl-C or another signal that asks this process to end: no job is left.
    """
    state = project.state / profile
    shutil.rmtree(
        state / "runs", ignore_errors=True
    )  # of earlier runs: their jobs end when their driver is silent
    for rule in rules:
        for path in (project.state / rule["stamp"], Path(rule["log"])):
            path.unlink(missing_ok=True)
    write_json(state / "plan.json", {"jobs": rules})
    with (state / "snakemake.log").open("a") as log, _noted_signals() as signals:
        process = subprocess.Popen(
            _command(project, slots, executor, run, any(rule["gpus"] for rule in rules), site),
            stdout=log,
            stderr=log,
            env=_environment(project, state / "plan.json"),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            _watch(process, rules, Heartbeat(state / "runs" / run / "heartbeat"), signals)
        except BaseException:
            _end_group(process)
            if executor == "slurm":
                cancel_jobs(run)
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(
                    "\nInterrupted: what has finished is kept, and the same command goes on from there.",
                    flush=True,
                )
            raise


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


def _command(
    project: Project, slots: int, executor: str, run: str, gpus: bool, site: dict[str, str]
) -> list[str]:
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
    command += ["--latency-wait", "5", "--resources", f"slot={slots}"]
    if executor == "local":  # slots decide how many run; threads are fixed by study.yaml
        return [*command, f"gpu={gpus_here() if gpus else 0}", "--cores", "1000"]
    if executor == "slurm":
        command += ["--slurm-jobname-prefix", f"segstudy-{run}"]
        command += [
            "--slurm-init-seconds-before-status-checks",
            "5",
        ]  # 40 by default, long beside a short notebook
        command += status_words() + resource_words(site)
    return [*command, "--executor", executor, "--jobs", str(slots)]


def gpus_here() -> int:
    """How many GPUs a local run may use: those that torch will see, CUDA_VISIBLE_DEVICES read as CUDA does."""
    import torch  # takes seconds, and is asked only where a notebook wants a GPU

    return torch.cuda.device_count()


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
    process: subprocess.Popen[bytes], rules: list[dict[str, Any]], heartbeat: Heartbeat, signals: list[int]
) -> None:
    """Print what the jobs note until Snakemake has ended.

    Ctrl-C is noted in `signals` and raised here: raised where it falls, Python may swallow it (in a finaliser).
    """
    ticker, started = Ticker(), time.monotonic()
    while process.poll() is None:
        time.sleep(POLL)
        if signals:
            raise KeyboardInterrupt(signals[0])
        heartbeat.beat()
        for rule in rules:
            cell, inner = read_json(Path(rule["progress"])), read_json(Path(rule["progress"] + ".inner"))
            ticker.tick(rule["name"], clock(time.monotonic() - started), cell, inner)
