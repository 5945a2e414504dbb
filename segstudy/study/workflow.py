"""Start Snakemake on a plan, watch it, and end it with everything below it when this process is to end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from segstudy.datasets import data_root
from segstudy.study.files import read_json, write_json
from segstudy.study.project import Project
from segstudy.study.terminal import Ticker, clock
from segstudy.study.watch import Heartbeat

POLL = 0.5  # seconds between two looks at the jobs' notes


def run_snakemake(
    project: Project, profile: str, rules: list[dict[str, Any]], slots: int, executor: str
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
    """
    state = project.state / profile
    for rule in rules:
        for path in (rule["stamp"], rule["log"], rule["progress"], rule["progress"] + ".inner"):
            Path(path).unlink(missing_ok=True)
    write_json(state / "plan.json", {"jobs": rules})
    with (state / "snakemake.log").open("w") as log:
        process = subprocess.Popen(
            _command(project, slots, executor),
            stdout=log,
            stderr=log,
            env=_environment(project, state / "plan.json"),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        interrupts: list[int] = []
        before = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
        try:
            _watch(process, rules, Heartbeat(state / "heartbeat"), interrupts)
        except BaseException:
            _end_group(process)
            if executor == "slurm":
                _cancel_slurm_jobs()
            print("\nInterrupted: what has finished is kept, and the same command goes on from there.")
            raise
        finally:
            signal.signal(signal.SIGINT, before)


def _environment(project: Project, plan: Path) -> dict[str, str]:
    """Return what Snakemake and every job below it find in their environment."""
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = dict.fromkeys([str(project.root), str(Path(__file__).resolve().parents[2]), *given])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "SEGSTUDY_PLAN": str(plan)}
    environment["SEGSTUDY_DATA"] = str(data_root().resolve())
    environment.pop("SNAKEMAKE_PROFILE", None)  # a person's own profile may say dry-run
    if not os.access(Path.home(), os.W_OK):
        environment["XDG_CACHE_HOME"] = str(project.state / "cache-home")
    return environment


def _command(project: Project, slots: int, executor: str) -> list[str]:
    """Return Snakemake's command line.

    Its own lock is left out: the driver holds one that the system lets go with the process. Stamps of stale reports
    have been removed, so that a missing output is the only reason to run.
    """
    command = [sys.executable, "-m", "snakemake"]
    command += ["--snakefile", str(project.root / "notebooks" / "Snakefile")]
    command += ["--directory", str(project.state), "--workflow-profile", "none"]
    command += [
        "--nolock",
        "--rerun-incomplete",
        "--keep-going",
        "--rerun-triggers",
        "mtime",
        "--quiet",
        "all",
    ]
    command += ["--latency-wait", "5", "--resources", f"slot={slots}"]
    if executor == "local":  # slots decide how many run; threads are fixed by study.yaml
        return [*command, f"gpu={gpus_here()}", "--cores", "1000"]
    if executor == "slurm":
        command += ["--slurm-jobname-prefix", _slurm_prefix()]
        command += [
            "--slurm-init-seconds-before-status-checks",
            "5",
        ]  # 40 by default, long beside a short notebook
    return [*command, "--executor", executor, "--jobs", str(slots)]


def _slurm_prefix() -> str:
    return f"segstudy{os.getpid()}"


def _cancel_slurm_jobs() -> None:
    """Cancel what this run has submitted: Snakemake, ended by a signal, leaves its jobs to Slurm."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            ["squeue", "--me", "--noheader", "--format", "%i %j"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        rows = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
        ours = [row[0] for row in rows if len(row) == 2 and row[1].startswith(_slurm_prefix())]
        if ours:
            subprocess.run(["scancel", *ours], timeout=60, check=True)


def gpus_here() -> int:
    """How many GPUs a local run may use: those that are visible."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip()])
    return len([name for name in os.listdir("/dev") if name.startswith("nvidia") and name[6:].isdigit()])


def _die_with_parent() -> None:
    """On Linux, have the kernel end Snakemake when this process dies, even by kill -9; elsewhere jobs notice."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 = PR_SET_PDEATHSIG


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
    process: subprocess.Popen[bytes], rules: list[dict[str, Any]], heartbeat: Heartbeat, interrupts: list[int]
) -> None:
    """Print what the jobs note until Snakemake has ended.

    Ctrl-C is noted in `interrupts` and raised here: raised where it falls, Python may swallow it (in a finaliser).
    """
    ticker, started = Ticker(), time.monotonic()
    while process.poll() is None:
        time.sleep(POLL)
        if interrupts:
            raise KeyboardInterrupt
        heartbeat.beat()
        for rule in rules:
            cell, inner = read_json(Path(rule["progress"])), read_json(Path(rule["progress"] + ".inner"))
            ticker.tick(rule["name"], clock(time.monotonic() - started), cell, inner)
