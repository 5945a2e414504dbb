"""Records and networks of other notebooks, as one that comes after them reads them (``after`` in study.yaml)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segstudy.cache import VARIABLE, Cache
from segstudy.errors import MissingData
from segstudy.experiments.kept import KeptNetwork, Taken
from segstudy.study.experiments import networks_of
from segstudy.study.files import read_run
from segstudy.study.project import REAL, Notebook, Project, load_project
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
    project, profile = _here()

    def read(folder: Path) -> dict[str, Any] | None:
        record = read_run(folder)
        if record is None or record["notebook"] not in project.notebooks:
            return None
        return record | {"changed": outdated(project, record), "folder": folder}

    names = list(notebooks)
    kept = {name: read(project.report("reference", f"{REAL}/{name}")) for name in names}
    return Records(kept, {name: read(project.report(profile, name)) for name in names}, profile)


def _here() -> tuple[Project, str]:
    return load_project(Path(os.environ.get(PROJECT) or ROOT)), os.environ.get(PROFILE) or "demo"


def kept_networks(notebooks: Iterable[str], seeds: Sequence[int]) -> list[Taken]:
    """Return the networks that some notebooks trained in the profile that runs; none is trained for it.

    Parameters
    ----------
    notebooks : iterable of str
        Names.
    seeds : sequence of int
        Those of other seeds are left out.

    Returns
    -------
    list of Taken
        What is kept of today's code, by notebook, with the parameters of its record, or the profile's where it has
        none.
    """
    project, profile = _here()
    cache = Cache(os.environ.get(VARIABLE) or project.state / "cache")
    found = []
    for notebook in (project.notebooks[name] for name in notebooks):
        for network in _networks(project, notebook, profile):
            wanted = network.experiment.arguments["seed"] in seeds
            entry = cache.get(network.experiment) if wanted else None
            if entry is not None:
                found.append(Taken(notebook.name, network, entry.value))
    return found


def _networks(project: Project, notebook: Notebook, profile: str) -> list[KeptNetwork]:
    record = read_run(project.report(profile, notebook.name))
    values = notebook.values(profile, {})
    if record is not None:
        made_with = record["fingerprint"]["parameters"]
        values |= {name: made_with[name] for name in values if name in made_with}
    try:
        return networks_of(notebook, values)
    except MissingData:  # what learned from data that are not here is not here either
        return []
