"""The smoke profile of a notebook on the device: the notebook where there is what runs it, else its experiments."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpucheck.results import Result, guarded, result
from segstudy.cache import Cache, Experiment
from segstudy.experiments.costs import gpu

if TYPE_CHECKING:
    from segstudy.study.project import Notebook

ROOT = Path(__file__).resolve().parents[3]
ALONE = "experiments alone"
RUNNERS = ("papermill", "snakemake", "jupytext", "nbconvert", "ipykernel")


def run_notebook(device: str, name: str) -> Iterator[Result]:
    """Run a notebook."""
    from segstudy.study.project import load_project

    notebook = load_project(ROOT).notebooks[name]
    missing = [package for package in RUNNERS if not _here(package)]
    if not missing:
        yield _whole(notebook, device)
    elif notebook.experiments:
        yield from guarded(name, partial(_alone, notebook, device), how=ALONE)
    else:
        yield result(name, gpu.SKIPPED, f"lacks {', '.join(missing)}, and it has no experiments")


def _here(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


def _settings(notebook: Notebook, device: str) -> dict[str, Any]:
    return {"device": device} if "device" in notebook.parameters else {}


def _whole(notebook: Notebook, device: str) -> Result:
    started = time.monotonic()
    words = [sys.executable, "-m", "segstudy", "--project", str(ROOT), "run", "--force", "--jobs", "1"]
    words += ["--profile", "smoke", "--only", notebook.name]
    words += [f"--set={key}={value}" for key, value in _settings(notebook, device).items()]
    code = subprocess.run(words, check=False).returncode
    note = "" if code == 0 else f"segstudy run ended with code {code}: reports/smoke/index.html tells more"
    seconds = time.monotonic() - started
    return result(notebook.name, gpu.FAILED if code else gpu.OK, note, how="whole notebook", seconds=seconds)


def _alone(notebook: Notebook, device: str) -> Iterator[Result]:
    """Compute the experiments one by one: one that lacks a package does not keep the others from running."""
    from segstudy.experiments.rounds import limited
    from segstudy.study.experiments import experiments_of

    started = time.monotonic()
    experiments = experiments_of(notebook, notebook.values("smoke", _settings(notebook, device)))
    with tempfile.TemporaryDirectory() as folder, limited(notebook.settings("smoke").threads):
        found = [row for each in experiments for row in guarded(_name(each), partial(_kept, each, folder))]
    yield summary(notebook.name, found, time.monotonic() - started)


def _kept(experiment: Experiment, folder: str) -> Iterator[Result]:
    Cache(folder).run(experiment)
    yield result(_name(experiment))


def _name(experiment: Experiment) -> str:
    return experiment.function.__name__


def summary(name: str, found: list[Result], seconds: float) -> Result:
    """Return one result of a notebook from those of its experiments: what failed first, or what was lacking."""
    by_state = {
        state: [row for row in found if row["state"] == state] for state in (gpu.FAILED, gpu.SKIPPED, gpu.OK)
    }
    state = gpu.FAILED if by_state[gpu.FAILED] else gpu.OK if by_state[gpu.OK] else gpu.SKIPPED
    told = by_state[gpu.FAILED] or by_state[gpu.SKIPPED]
    note = "; ".join(dict.fromkeys(f"{row['name']}: {row['note']}" for row in told))[: gpu.LONGEST]
    counts = {"experiments": len(found), "left out": len(by_state[gpu.SKIPPED])}
    return result(name, state, note, how=ALONE, seconds=seconds, **counts)
