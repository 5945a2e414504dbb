"""What notebook 01 computes once and keeps: the networks, and the times of the solvers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.graph_matching.planted import solver_times
from segstudy.experiments.graph_matching.trainings import open_parts, train_share
from segstudy.papers.graph_matching.matching import SOLVERS

NOISE = 0.1  # of the timed problems: the true regions stand out, but not by much


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return the trainings of the notebook, one for each share and seed, and the timed problems of every solver.

    Parameters
    ----------
    parameters : dict
        The notebook's: `dataset`, `shares` (percent), `seeds`, `size`, `width`, `epochs`, `device`, `precision`, and
        `times` (pairs of classes and candidates).
    """
    timed = [
        Experiment(solver_times, {"solver": solver, "classes": k, "candidates": m, "noise": NOISE, "seed": 0})
        for k, m in parameters["times"]
        for solver in SOLVERS
    ]
    return [*trained(parameters), *timed]


def trained(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the trainings, the largest share first: shards end at about the same time."""
    training, validation, _ = open_parts(parameters["dataset"])
    data = {"training": training.fingerprint(), "validation": validation.fingerprint()}
    plain = {name: parameters[name] for name in ("dataset", "size", "width", "epochs", "device", "precision")}
    for share in sorted(parameters["shares"], reverse=True):
        for seed in parameters["seeds"]:
            yield Experiment(train_share, plain | {"share": share, "seed": seed}, data)
