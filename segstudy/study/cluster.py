"""Slurm, beside what each job needs: whose account it is, where the jobs are, and their end with the driver."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from segstudy.errors import StudyError, nearest

SITE = "slurm.yaml"  # in the project's folder, not part of the repository
NO_ACCOUNTS = "accounting_storage/none"
QUEUE_PERIOD = 10.0  # seconds between two questions to Slurm, which every user of a cluster asks
UNDER_WAY = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD")
# What Slurm calls a job that it ended itself, in a person's words.
ENDED_BY_SLURM = {
    "TIMEOUT": "passed the time that it had asked for",
    "DEADLINE": "passed its deadline",
    "OUT_OF_MEMORY": "took more memory than it had asked for",
    "NODE_FAIL": "ran on a machine that went down",
    "BOOT_FAIL": "was given a machine that did not start",
    "PREEMPTED": "made room for a job that goes before it",
    "CANCELLED": "was cancelled",
}
# "Job 3 has been submitted with SLURM jobid 12 (log: .../rule_01_graph_matching.shard2/12.log)."
SUBMITTED = re.compile(r"has been submitted with SLURM jobid (\d+) \(log: (.*/rule_([^/]+)/[^/]*)\)")
SQUEUE = ("squeue", "--noheader", "--states=all", "--format", "%i %T %r")
MEMORY = re.compile("exceeded .*memory|oom.?kill|out of memory", re.IGNORECASE)
# What a site may ask for, and the resource that Snakemake's plugin reads it from.
KEYS = {
    "account": "slurm_account",
    "partition": "slurm_partition",
    "qos": "qos",
    "constraint": "constraint",
    "extra": "slurm_extra",  # further words for sbatch
}


def site_options(root: Path, given: list[str]) -> dict[str, str]:
    """Return what a site asks for, by key: from `SITE`, and over it what was given on the command line.

    Parameters
    ----------
    root : Path
        The project's folder.
    given : list of str
        "KEY=VALUE" each, with a key of `KEYS`.

    Raises
    ------
    StudyError
        An unknown key, or a file that is no mapping of texts.
    """
    path = root / SITE
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{SITE}: {error}") from None
    if not isinstance(found, dict):
        raise StudyError(f"{SITE}: write lines of `key: value`, with keys of {', '.join(KEYS)}")
    options = {str(key): str(value) for key, value in found.items()}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise StudyError(f"--slurm {text}: write KEY=VALUE, with a key of {', '.join(KEYS)}")
        options[key] = value
    for key in options:
        if key not in KEYS:
            raise StudyError(f"Slurm option {key!r} is unknown{nearest(key, KEYS)}")
    return options


def resource_words(options: dict[str, str]) -> list[str]:
    """Return the words of Snakemake's command line that hand a site's options to every job."""
    words = [f"{KEYS[key]}={value!r}" for key, value in options.items()]
    return ["--default-resources", *words] if words else []


def status_words() -> list[str]:
    """Return the words that make Snakemake ask squeue how jobs end, where Slurm keeps no accounts.

    By default it asks sacct, which then answers with nothing, for ever.
    """
    told = (_ask("scontrol", "show", "config") or "").splitlines()
    if any(line.split() == ["AccountingStorageType", "=", NO_ACCOUNTS] for line in told):
        return ["--slurm-status-command", "squeue"]
    return []


def cancel_jobs(run: str) -> None:
    """Cancel what a run has submitted: Snakemake, ended by a signal, leaves its jobs to Slurm."""
    told = _ask("squeue", "--me", "--noheader", "--format", "%i %j") or ""
    rows = [line.split(maxsplit=1) for line in told.splitlines()]
    ours = [row[0] for row in rows if len(row) == 2 and row[1].startswith(f"segstudy-{run}")]
    if ours:
        _ask("scancel", *ours)


@dataclass
class SlurmJob:
    """A job that Slurm was given.

    Parameters
    ----------
    name : str
        As in the plan, such as "01_graph_matching.shard2".
    number : str
        Slurm's.
    log : Path
        What Slurm itself had to say; the job's own words lie elsewhere.
    state : str
        Slurm's word, such as "PENDING", with its reason where it gives one.
    """

    name: str
    number: str
    log: Path
    state: str = ""

    @property
    def under_way(self) -> bool:
        """Whether its state may change."""
        return self.state.partition(" ")[0] in ("", *UNDER_WAY)

    @property
    def broken(self) -> str | None:
        """What Slurm did to it, in a person's words, where it did not leave it to end by itself."""
        return ENDED_BY_SLURM.get(self.state.partition(" ")[0])

    def ask(self, queue: dict[str, str]) -> None:
        """Bring the state up to date: from Slurm's queue, or where it has left that, from what is still known."""
        state = queue.get(self.number) or _last_state(self.number)
        if state.startswith("FAILED") and (why := self._killed_for_memory()):
            state = f"OUT_OF_MEMORY ({why})"  # without control groups Slurm calls it a failure
        self.state = state

    def _killed_for_memory(self) -> str | None:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return None
        return next((line for line in lines if MEMORY.search(line)), None)


class Queue:
    """What became of a run's jobs, as Snakemake's log and Slurm tell of them.

    Parameters
    ----------
    log : Path
        Of Snakemake.
    """

    def __init__(self, log: Path) -> None:
        self.jobs: dict[str, SlurmJob] = {}
        self._log, self._read = log, 0
        self._asked = -QUEUE_PERIOD

    def look(self, at_once: bool = False) -> list[SlurmJob]:
        """Return the jobs of which there is news; none where Slurm was asked a short while ago, or does not answer."""
        if not at_once and time.monotonic() - self._asked < QUEUE_PERIOD:
            return []
        self._asked = time.monotonic()
        new = self._submitted()
        before = {number: job.state for number, job in self.jobs.items() if job.under_way}
        told = _ask(*SQUEUE, f"--jobs={','.join(before)}") if before else None
        if told is None:
            return []
        rows = [line.split(maxsplit=2) for line in told.splitlines()]
        states = {row[0]: _words(*row[1:]) for row in rows if len(row) > 1}
        for number in before:
            self.jobs[number].ask(states)
        return [self.jobs[n] for n, state in before.items() if n in new or self.jobs[n].state != state]

    def _submitted(self) -> set[str]:
        """Read on in the log; return the numbers of the jobs that were submitted since."""
        if not self._log.is_file():
            return set()
        with self._log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        found = SUBMITTED.findall(whole.decode(errors="replace"))
        self.jobs |= {number: SlurmJob(name, number, Path(log)) for number, log, name in found}
        return {number for number, _, _ in found}


def _last_state(number: str) -> str:
    """Return how a job that has left the queue ended, as far as Slurm still knows."""
    told = dict(re.findall(r"(JobState|Reason)=(\S+)", _ask("scontrol", "show", "job", number) or ""))
    if "JobState" in told:
        return _words(told["JobState"], told.get("Reason", ""))
    # forgotten, minutes after its end: the accounts know, where there are any
    words = (_ask("sacct", "--noheader", "--allocations", "--format=State", f"--jobs={number}") or "").split()
    return words[0] if words else "ENDED"


def _words(state: str, reason: str = "") -> str:
    return state if reason in ("", "None", "(null)") else f"{state} ({reason})"


def _ask(*words: str) -> str | None:
    """Return what a command of Slurm's answers; None where it fails, as while its controller restarts."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    return None
