"""What there is to run: the notebooks, and for each profile its parameters, data, threads, memory and limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from segstudy.datasets import dataset_names
from segstudy.errors import StudyError, nearest
from segstudy.study.parameters import (
    Parameter,
    check_value,
    declared_parameters,
    parameters_source,
)

if TYPE_CHECKING:
    import nbformat

PROFILES = ("smoke", "demo", "real", "paper")
REAL = "real"  # the profile whose committed records stand for a notebook
ENTRY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")  # module:function
# yaml.safe_load's own, compiled where PyYAML has it: each job reads the file, and 1,000 notebooks would take over 1 s.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Settings:
    """One notebook in one profile, as `notebooks/study.yaml` says.

    Parameters
    ----------
    minutes : float
        How long it is expected to take on 2 cores; the last run's time is shown instead where there was one.
    still_minutes : float
        A job in which nothing moves for so long, no cell and no step of progress, is ended and reported as out of time.
    limit_minutes : float, optional
        A limit for the whole job, where one is wanted; a cluster is asked for three times `minutes` and an hour else.
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
    still_minutes: float = 30.0
    limit_minutes: float | None = None
    memory_gb: float = 8.0
    threads: int = 1
    gpus: int = 0
    data: tuple[str, ...] = ()
    shards: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)  # one object a notebook
class Notebook:
    """A notebook of the study: its script, what must run before it, and its settings in each profile.

    `needs` are run with it, and well, before it; `after` are those whose records or networks it reads: it waits for
    those that are asked for with it, however they end, and makes do with what there is. `experiments` and `networks`
    are functions, "module:function": of what it computes and keeps, and of the networks among it that others may take
    over.
    """

    name: str
    script: Path
    needs: tuple[str, ...]
    experiments: str | None
    profiles: dict[str, Settings]
    after: tuple[str, ...] = ()
    networks: str | None = None

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
        When the file is missing or not as described in `Settings`; the message names the notebook and the key. When
        the folder's name is not UTF-8, which no record or page can hold.
    """
    try:
        str(Path(root).resolve()).encode()
    except UnicodeEncodeError:
        raise StudyError(f"the folder {str(root)!a} has a name that is not UTF-8: rename it") from None
    path = Path(root) / "notebooks" / "study.yaml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except OSError:
        raise StudyError(f"there is no notebooks/study.yaml in {Path(root).name or root}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"notebooks/study.yaml: {error}") from None
    content = _checked(content, dict, "notebooks/study.yaml")
    specs = _checked(content.get("notebooks"), dict, "notebooks/study.yaml, notebooks")
    notebooks = {str(name): _notebook(Path(root), str(name), spec) for name, spec in specs.items()}
    for name in notebooks:
        _check_needs(notebooks, name, ())
        _check_after(notebooks, name)
    return Project(Path(root).resolve(), notebooks)


def _checked(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """Return `value`, which has to be of a kind."""
    names = {dict: "a mapping", list: "a list", str: "a text", int: "a whole number"}
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise StudyError(f"{where}: {names.get(kind, 'a number')} is expected there, not {value!r}")
    return value


def _check_needs(notebooks: dict[str, Notebook], name: str, above: tuple[str, ...]) -> None:
    """Refuse a need that is not there and notebooks that need one another."""
    where = f"notebooks/study.yaml: {above[-1] if above else name} needs {name!r}"
    if name not in notebooks:
        raise StudyError(f"{where}, which is not there{nearest(name, notebooks)}")
    if name in above:
        raise StudyError(f"{where}, which needs it in turn ({' -> '.join([*above, name])})")
    for need in notebooks[name].needs:
        _check_needs(notebooks, need, (*above, name))


def _check_after(notebooks: dict[str, Notebook], name: str) -> None:
    """Refuse what is not there, and a notebook after one that itself comes after others: there is one last round."""
    where, notebook = f"notebooks/study.yaml, {name}", notebooks[name]
    if notebook.after and notebook.needs:
        raise StudyError(f"{where}: write needs or after, not both")
    for need in notebook.needs:
        if notebooks[need].after:
            raise StudyError(f"{where}, needs: {need!r} comes after others, when all else has ended")
    for other in notebook.after:
        if other not in notebooks:
            raise StudyError(f"{where}, after: {other!r} is not there{nearest(other, notebooks)}")
        if notebooks[other].after:
            raise StudyError(f"{where}, after: {other!r} itself comes after others")
        if notebook.name in notebooks[other].needs:
            raise StudyError(f"{where}, after: {other!r} needs {name!r}")


def _notebook(root: Path, name: str, spec: Any) -> Notebook:
    where = f"notebooks/study.yaml, {name}"
    if not re.fullmatch(r"\w[\w-]*", name):  # it names files and folders, which are to stay in their places
        raise StudyError(f"{where}: a notebook's name is made of letters, digits, - and _ alone")
    known = ("needs", "after", "experiments", "networks", "profiles")
    for key in _checked(spec, dict, where):
        if key not in known:
            raise StudyError(f"{where}: unknown key {key!r}{nearest(str(key), known)}")
    needs, after = (_names(spec.get(key, []), f"{where}, {key}") for key in ("needs", "after"))
    experiments, networks = (_entry(spec.get(key), f"{where}, {key}") for key in ("experiments", "networks"))
    given = _checked(spec.get("profiles", {}), dict, f"{where}, profiles")
    profiles = {
        key: _settings(f"{where}, {key}", key, {} if value is None else value) for key, value in given.items()
    }
    script = root / "notebooks" / "scripts" / f"{name}.py"
    return Notebook(name, script, needs, experiments, profiles, after, networks)


def _entry(value: Any, where: str) -> str | None:
    if value is not None and not ENTRY.fullmatch(_checked(value, str, where)):
        raise StudyError(f"{where}: write module:function, not {value!r}")
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_checked(name, str, where) for name in _checked(value, list, where))


def _settings(where: str, profile: str, values: Any) -> Settings:
    if profile not in PROFILES:
        raise StudyError(f"{where}: unknown profile{nearest(str(profile), PROFILES)}")
    for key in _checked(values, dict, where):
        if key not in Settings.__dataclass_fields__:
            raise StudyError(
                f"{where}: unknown key {key!r}{nearest(str(key), Settings.__dataclass_fields__)}"
            )
    for key in ("minutes", "still_minutes", "limit_minutes", "memory_gb", "threads"):
        kind = int if key == "threads" else (int, float)
        if _checked(values.get(key, 1), kind, f"{where}, {key}") <= 0:
            raise StudyError(f"{where}, {key}: more than 0 is expected there, not {values[key]!r}")
    for key in ("gpus", "shards"):
        if _checked(values.get(key, 0), int, f"{where}, {key}") < 0:
            raise StudyError(f"{where}, {key}: 0 or more is expected there, not {values[key]!r}")
    _checked(values.get("parameters", {}), dict, f"{where}, parameters")
    data = _checked(values.get("data", []), list, f"{where}, data")
    known = dataset_names() if data else ()
    for name in data:
        if name not in known:
            raise StudyError(f"{where}, data: unknown data set {name!r}{nearest(str(name), known)}")
    return Settings(**(values | {"data": tuple(data)}))
