"""The records of other notebooks, as a notebook that comes after them reads them (``after`` in study.yaml)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segstudy.study.files import read_run
from segstudy.study.project import REAL, load_project
from segstudy.study.state import outdated

PROJECT, PROFILE = "SEGSTUDY_PROJECT", "SEGSTUDY_PROFILE"  # set by the job
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Records:
    """Records by notebook, None where there is none; those of two sources, which are never mixed.

    Each is what `run.json` holds and two keys more: ``changed``, the modules whose code differs from the code that made
    it, and ``folder``, where its tables lie.

    Parameters
    ----------
    kept : dict
        The committed records of real runs.
    here : dict
        Those of this run's profile.
    profile : str
        Its name.
    """

    kept: dict[str, dict[str, Any] | None]
    here: dict[str, dict[str, Any] | None]
    profile: str


def read_records(notebooks: Iterable[str]) -> Records:
    """Return the records of some notebooks, those of the profile that runs; by hand, this checkout's demo.

    Parameters
    ----------
    notebooks : iterable of str
        Names; one that the study does not have has no record.
    """
    project = load_project(Path(os.environ.get(PROJECT) or ROOT))
    profile = os.environ.get(PROFILE) or "demo"

    def read(folder: Path) -> dict[str, Any] | None:
        record = read_run(folder)
        if record is None or record["notebook"] not in project.notebooks:
            return None
        return record | {"changed": outdated(project, record), "folder": folder}

    names = list(notebooks)
    kept = {name: read(project.report("reference", f"{REAL}/{name}")) for name in names}
    return Records(kept, {name: read(project.report(profile, name)) for name in names}, profile)
