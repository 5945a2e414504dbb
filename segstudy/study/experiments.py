"""A notebook's expensive experiments without the notebook: in shards, on another machine, collected afterwards.

``python -m segstudy experiment 00 --shard 1/4 --cache FILE`` needs torch and the science stack alone.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segstudy.cache import Cache, Experiment
from segstudy.errors import StudyError
from segstudy.progress import track
from segstudy.study.project import Notebook, Project

if TYPE_CHECKING:
    from segstudy.experiments.kept import KeptNetwork


def experiments_of(notebook: Notebook, values: dict[str, Any]) -> list[Experiment]:
    """Return the experiments of a notebook for its parameters' values.

    Raises
    ------
    StudyError
        When study.yaml names none for it, or a module of another package than this one and the project's own.
    """
    if not notebook.experiments:
        raise StudyError(f"{notebook.name} has no experiments; they are named in notebooks/study.yaml")
    return _entry(notebook, "experiments", notebook.experiments)(values)


def networks_of(notebook: Notebook, values: dict[str, Any]) -> list[KeptNetwork]:
    """Return the networks of a notebook that others may take over, for its parameters' values; of most there are none.

    Raises
    ------
    StudyError
        When study.yaml names a module of another package than this one and the project's own.
    """
    return list(_entry(notebook, "networks", notebook.networks)(values)) if notebook.networks else []


def _entry(notebook: Notebook, key: str, named: str) -> Callable[[dict[str, Any]], Any]:
    module, _, function = named.partition(":")
    if not _is_of(notebook.script.parents[2], module.partition(".")[0]):
        raise StudyError(
            f"notebooks/study.yaml, {notebook.name}, {key}: {module} is no module of this study; name one of "
            "segstudy, or of a package in the project's folder"
        )
    return getattr(importlib.import_module(module), function)


def _is_of(root: Path, package: str) -> bool:
    """Whether a package is this one or lies in the project's folder; it is looked for, and not imported."""
    spec = None if package == "__main__" else importlib.util.find_spec(package)
    if spec is None or package == "segstudy":
        return spec is not None
    places = spec.submodule_search_locations or [spec.origin or ""]
    return any(Path(place).resolve().parent == root.resolve() for place in places)


def parse_shard(text: str) -> tuple[int, int]:
    """Read ``i/n`` with 1 <= i <= n."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise StudyError(f"--shard {text}: write i/n with i from 1 to n, for example 1/4")
    return int(index), int(count)


def run_experiments(
    project: Project,
    notebook: Notebook,
    profile: str,
    sets: dict[str, Any],
    shard: tuple[int, int],
    file: Path | None,
) -> int:
    """Compute one shard's experiments, those known already left out; return how many were computed.

    Parameters
    ----------
    project, notebook, profile, sets
        Which experiments: those of the notebook with the profile's parameters and overrides.
    shard : (int, int)
        Which of how many parts, the first is 1.
    file : Path or None
        Where to keep the results too: a file to carry to another machine, which keeps what it holds already
        (other shards, other notebooks), or None for this project's own cache alone.
    """
    from segstudy.experiments.rounds import limited

    project.check_overrides([notebook], sets)
    index, count = shard
    experiments = experiments_of(notebook, notebook.values(profile, sets))[index - 1 :: count]
    cache = Cache(project.state / "cache")
    if file is not None and file.exists():
        cache.collect(file)
    todo = [experiment for experiment in experiments if cache.get(experiment) is None]
    print(
        f"{notebook.name}, {profile}, shard {index}/{count}: {len(experiments)} experiments, {len(todo)} to do",
        flush=True,
    )
    # as many threads as the runner gives: shards that each take every core hold one another up
    with limited(notebook.settings(profile).threads):
        for experiment in track(todo, f"{notebook.name} experiments"):
            entry = cache.run(experiment)
            print(f"  {experiment.name}: {entry.seconds:.1f} s", flush=True)
            if file is not None:
                cache.export(experiments, file)
    if file is not None:
        print(f"{cache.export(experiments, file)} results in {file}")
    return len(todo)
