"""Slurm, beside what each job needs: whose account and which partition, and the end of jobs whose driver ends."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import yaml

from segstudy.errors import StudyError, nearest

SITE = "slurm.yaml"  # in the project's folder, not part of the repository
NO_ACCOUNTS = "accounting_storage/none"
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
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = ["scontrol", "show", "config"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
        if any(line.split() == ["AccountingStorageType", "=", NO_ACCOUNTS] for line in told.splitlines()):
            return ["--slurm-status-command", "squeue"]
    return []


def cancel_jobs(run: str) -> None:
    """Cancel what a run has submitted: Snakemake, ended by a signal, leaves its jobs to Slurm."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            ["squeue", "--me", "--noheader", "--format", "%i %j"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        rows = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
        ours = [row[0] for row in rows if len(row) == 2 and row[1].startswith(f"segstudy-{run}")]
        if ours:
            subprocess.run(["scancel", *ours], timeout=60, check=True)
