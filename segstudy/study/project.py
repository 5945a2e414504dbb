"""What there is to run: the notebooks, and for each profile its parameters, data, threads, memory and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from segstudy.errors import StudyError
from segstudy.study.parameters import (
    Parameter,
    check_value,
    declared_parameters,
    nearest,
    parameters_source,
)

if TYPE_CHECKING:
    import nbformat

PROFILES = ("smoke", "demo", "real", "paper")


@dataclass(frozen=True)
class Settings:
    """One notebook in one profile, as `notebooks/study.yaml` says.

    Parameters
    ----------
    minutes : float
        How long it is expected to take on 2 cores; the last run's time is shown instead where there was one.
    limit_minutes : float
        After this the run is ended and reported as out of time.
    memory_gb : float
        Above this resident memory the run is ended and reported as out of memory.
    threads, gpus : int
        Fixed, so that the same run gives the same numbers however many notebooks run beside it.
    data : tuple of str
        Data sets on disk that the run reads.
    shards : int
        In how many parts the notebook's experiments are computed before it runs; 0: within the notebook.
    parameters : dict
        This profile's overrides of the parameters cell.
    """

    minutes: float = 1.0
    limit_minutes: float = 60.0
    memory_gb: float = 8.0
    threads: int = 1
    gpus: int = 0
    data: tuple[str, ...] = ()
    shards: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)  # one object a notebook
class Notebook:
    """A notebook of the study: its script, what must run before it, and its settings in each profile."""

    name: str
    script: Path
    needs: tuple[str, ...]
    experiments: str | None
    profiles: dict[str, Settings]

    @cached_property
    def cells(self) -> nbformat.NotebookNode:
        """The notebook the script describes."""
        from segstudy.study.notebooks import read_script

        return read_script(self.script)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """What the parameters cell declares."""
        try:
            script = self.script.read_text(encoding="utf-8")
        except OSError:
            raise StudyError(f"notebooks/scripts/{self.script.name} is not there") from None
        return declared_parameters(parameters_source(script, self.name), self.name)

    @property
    def title(self) -> str:
        """The notebook's first heading."""
        from segstudy.study.notebooks import title_of

        return title_of(self.cells)

    def settings(self, profile: str) -> Settings:
        """Return the settings of a profile, or say that the notebook has none for it."""
        if profile not in self.profiles:
            raise StudyError(f"{self.name} has no profile {profile!r}{nearest(profile, self.profiles)}")
        return self.profiles[profile]

    def values(self, profile: str, overrides: dict[str, Any]) -> dict[str, Any]:
        """Return every parameter's value: defaults, then the profile's, then `overrides` that this notebook
        has.
        """
        given = self.settings(profile).parameters
        for name in given:
            if name not in self.parameters:
                where = f"notebooks/study.yaml, {self.name}, {profile}"
                raise StudyError(f"{where}: unknown parameter {name!r}{nearest(name, self.parameters)}")
        given = given | {name: value for name, value in overrides.items() if name in self.parameters}
        values = {name: parameter.default for name, parameter in self.parameters.items()}
        checked = {name: check_value(self.parameters[name], v, self.name) for name, v in given.items()}
        return values | checked


@dataclass(frozen=True)
class Project:
    """The project's folder and its notebooks.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/study.yaml``.
    notebooks : dict of str to Notebook
    """

    root: Path
    notebooks: dict[str, Notebook]

    @property
    def state(self) -> Path:
        """Folder of what the runner remembers; deleting it costs time and no report."""
        return self.root / "reports" / ".state"

    def report(self, profile: str, notebook: str) -> Path:
        """Folder of a notebook's report."""
        return self.root / "reports" / profile / notebook

    def failed(self, profile: str, notebook: str) -> Path:
        """Folder of the last failed run, kept beside the last good report."""
        return self.root / "reports" / profile / "failed" / notebook

    def select(self, only: list[str] | None) -> list[Notebook]:
        """Return the notebooks named by their numbers or names ("00", "00_start_here"), all for None."""
        if only is None:
            return list(self.notebooks.values())
        chosen = []
        for name in only:
            found = [n for n in self.notebooks.values() if n.name == name or n.name.split("_")[0] == name]
            if not found:
                raise StudyError(f"--only {name}: no such notebook{nearest(name, self.notebooks)}")
            chosen += found
        return list(dict.fromkeys(chosen))

    def check_overrides(self, notebooks: list[Notebook], overrides: dict[str, Any]) -> None:
        """Refuse a ``--set`` that none of `notebooks` knows, with the nearest name."""
        known = {name for notebook in notebooks for name in notebook.parameters}
        for name in overrides:
            if name not in known:
                chosen = ", ".join(n.name for n in notebooks)
                raise StudyError(f"--set {name}: no such parameter in {chosen}{nearest(name, known)}")


def load_project(root: Path) -> Project:
    """Read ``root/notebooks/study.yaml``.

    Raises
    ------
    StudyError
        When the file is missing or not as described in `Settings`; the message names the notebook and the
        key.
    """
    path = Path(root) / "notebooks" / "study.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise StudyError(f"there is no notebooks/study.yaml in {Path(root).name or root}") from None
    except yaml.YAMLError as error:
        raise StudyError(f"notebooks/study.yaml: {error}") from None
    notebooks = {name: _notebook(Path(root), name, spec) for name, spec in content["notebooks"].items()}
    for notebook in notebooks.values():
        for need in notebook.needs:
            if need not in notebooks:
                where = f"notebooks/study.yaml: {notebook.name} needs {need!r}"
                raise StudyError(f"{where}, which is not there{nearest(need, notebooks)}")
    return Project(Path(root).resolve(), notebooks)


def _notebook(root: Path, name: str, spec: dict[str, Any]) -> Notebook:
    known = {"needs", "experiments", "profiles"}
    for key in set(spec) - known:
        raise StudyError(f"notebooks/study.yaml, {name}: unknown key {key!r}{nearest(key, known)}")
    profiles = {key: _settings(name, key, value or {}) for key, value in spec.get("profiles", {}).items()}
    script = root / "notebooks" / "scripts" / f"{name}.py"
    return Notebook(name, script, tuple(spec.get("needs", ())), spec.get("experiments"), profiles)


def _settings(name: str, profile: str, values: dict[str, Any]) -> Settings:
    where = f"notebooks/study.yaml, {name}, {profile}"
    if profile not in PROFILES:
        raise StudyError(f"{where}: unknown profile{nearest(profile, PROFILES)}")
    for key in values:
        if key not in Settings.__dataclass_fields__:
            raise StudyError(f"{where}: unknown key {key!r}{nearest(key, Settings.__dataclass_fields__)}")
    return Settings(**(values | {"data": tuple(values.get("data", ()))}))
