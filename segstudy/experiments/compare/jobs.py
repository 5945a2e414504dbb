"""What notebook 06 computes once and keeps: every method on every task, from every seed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.compare.methods import METHODS, TOGETHER
from segstudy.experiments.compare.trials import ceiling, run_methods
from segstudy.experiments.parts import open_part


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook reads."""
    return [*trained(parameters), *ceilings(parameters)]


def trained(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield every method that may know what a task tells, once for each seed where one changes anything."""
    for task in parameters["tasks"]:
        names = [name for name, method in METHODS.items() if method.told in task["told"]]
        for group in _groups([name for name in names if name not in parameters["without"]]):
            method = METHODS[group[0]]
            recipe = {part: parameters["recipe"][part] for part in (method.reads,) if part}
            for seed in parameters["seeds"] if method.learns else parameters["seeds"][:1]:
                given = {"methods": group, "seed": seed, "recipe": recipe}
                yield Experiment(run_methods, {"task": task} | given, _prints(task))


def _groups(names: list[str]) -> Iterator[list[str]]:
    """Yield methods in their order, those of `TOGETHER` with the first of them."""
    together = [name for name in names if name in TOGETHER]
    for name in names:
        if name not in together:
            yield [name]
        elif name == together[0]:
            yield together


def ceilings(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield what as many clusters could reach at best, of every task."""
    for task in parameters["tasks"]:
        yield Experiment(ceiling, {"task": task, "clusters": task["clusters"]}, _prints(task))


def _prints(task: dict[str, Any]) -> dict[str, str]:
    return {task[part]: _print(task[part]) for part in ("train", "test")}


@lru_cache
def _print(dataset: str) -> str:
    return open_part(dataset).fingerprint()
