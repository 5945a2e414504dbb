"""What notebook 02 computes once and keeps, by the part of the notebook that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.parts import open_part
from segstudy.experiments.sgseg import parts
from segstudy.experiments.sgseg.costs import count_layers, expect_ratios
from segstudy.experiments.sgseg.memory import measure_memory, plan_batch
from segstudy.experiments.sgseg.pictures import Setup
from segstudy.experiments.sgseg.quality import ALONE, AMORTISED, CLASSICAL, SOURCES, judge_superpixels
from segstudy.experiments.sgseg.timing import time_graphs, time_steps
from segstudy.experiments.sgseg.trials import END_TO_END, NO_GNN, NO_SUPERPIXELS, SGSEG, train_trial

Change = dict[str, Any]
DISJOINT, PRETRAINED = "disjoint", "SPNN first, then all"
SURE = "each pixel sure of a superpixel"
SHUFFLED, ALIGNED = "DiffGCN, places shuffled", "DiffGCN, places aligned"
# One thing changed in SGSeg's training, by the paper's table or claim.
SCHEMES: dict[str, Change] = {
    DISJOINT: {"training": {"scheme": "disjoint"}},
    END_TO_END: {"training": {"scheme": END_TO_END}},
    PRETRAINED: {},
}
BACKBONES: dict[str, Change] = {
    "no GNN": {"network": {"gnn": NO_GNN}},
    "PointNet": {"network": {"gnn": "PointNet"}},
    "DGCNN": {"network": {"gnn": "DGCNN"}},
    "DiffGCN": {},
}
COMPONENTS: dict[str, Change] = {
    "CNN": {"network": {"gnn": NO_SUPERPIXELS}},
    "SPNN, CNN": {"network": {"gnn": NO_GNN}},
    "SPNN, GNN, CNN": {},
}
PAPER_N = 200  # Table 12
NUMBERS, NEIGHBOURS = (1 / 4, 1 / 2, 2.0), (1 / 4, 1 / 2, 2.0)  # of the setup's N and k
OTHERS: dict[str, Change] = {
    "no reconstruction by the CNN": {"network": {"reconstruct": False}},
    "weight decay 1e-4": {"training": {"weight_decay": 1e-4}},
    "hard superpixel features": {"network": {"hard": True}},
    SURE: {"network": {"sure": True}},
    "no total variation": {"loss": {"tv": 0.0}},
    "total variation of weight 1": {"loss": {"tv": 1.0}},
    "mean over neighbours": {"network": {"aggregation": "mean"}},
    "no places in SPNN's input": {"network": {"places": False}},
    SHUFFLED: {"places": parts.SHUFFLED},
    ALIGNED: {"places": parts.ALIGNED},
    "total variation along the graph": {"loss": {"tv": 0.0, "graph_tv": 1.0}},
    "ImageNet's features in the graph": {"describe": parts.IMAGENET},
}
LOSSES: dict[str, dict[str, float]] = {
    "no smoothness": {"alpha": 0.0},
    "no reconstruction": {"beta": 0.0},
    "no edges": {"eta": 0.0},
    "sizes free": {"lam": 0.0},
}


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook trains and measures, each experiment once."""
    found: dict[str, Experiment] = {}
    others = timed_by_number(parameters).values() if parameters["ablations"] else ()
    parts = [part(parameters) for part in (compared, changed, superpixels, tiles)]
    for job in chain(*parts, costs(parameters).values(), others):
        found.setdefault(job.key(), job)
    return list(found.values())


def setup(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what all experiments share, out of the notebook's parameters."""
    return {name: parameters[name] for name in Setup._fields}


def compared(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the rows of Table 1 that run here, once for each seed."""
    for method in parameters["methods"]:
        for seed in parameters["seeds"]:
            yield trial(parameters, method, seed, {})


def changes(parameters: dict[str, Any]) -> dict[str, Change]:
    """Return what is changed in SGSeg, by name: Tables 2 to 6 and what the text argues for."""
    most, k = parameters["superpixels"], parameters["k"]
    numbers = {f"N = {n}": {"network": {"superpixels": n, "k": min(k, n - 1)}} for n in counts(most)}
    near = [max(1, round(share * k)) for share in NEIGHBOURS]
    neighbours = {f"k = {n}": {"network": {"k": n}} for n in near if n < most}
    return SCHEMES | BACKBONES | COMPONENTS | numbers | neighbours | OTHERS


def counts(superpixels: int) -> list[int]:
    """Return the other numbers of superpixels that are tried, of Table 4."""
    return [max(4, round(share * superpixels)) for share in NUMBERS]


def changed(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield SGSeg with one thing changed, with the first seeds."""
    for change in changes(parameters).values():
        for seed in parameters["seeds"][: parameters["ablations"]]:
            yield trial(parameters, SGSEG, seed, change)


def superpixels(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield superpixels by source, SPNN's with a loss left out, and of other numbers; maybe of other pictures."""
    parameters = parameters | parameters["photographs"]
    seed = parameters["seeds"][0]
    for source in SOURCES:
        for few in (True,) if source == ALONE else (False, True):
            yield _superpixels(parameters, source, seed, {}, few)
    if parameters["ablations"]:
        for weights in LOSSES.values():
            yield _superpixels(parameters, AMORTISED, seed, weights, False)
        for count in counts(parameters["superpixels"]):
            other = {"superpixels": count, "k": min(parameters["k"], count - 1)}
            yield _superpixels(parameters | other, AMORTISED, seed, {}, False)


def tiles(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield superpixels by source of single tiles from the air, which SPNN learns from and is judged on."""
    for change in parameters["tiles"]:
        for source in (*CLASSICAL, AMORTISED):
            yield _superpixels(parameters | change, source, parameters["seeds"][0], {}, False)


def costs(parameters: dict[str, Any]) -> dict[str, Experiment]:
    """Return what is counted and timed, by what it is."""
    found = {
        "layers": Experiment(count_layers, {"network": {}}),
        "expected": Experiment(expect_ratios, {"network": {}}),
        "steps": Experiment(time_steps, dict(parameters["timed"])),
        "graphs": Experiment(time_graphs, dict(parameters["graphs"])),
    }
    if parameters["memory"]:
        found["memory"] = Experiment(measure_memory, {"network": {}})
        found["plan"] = Experiment(plan_batch, {"network": {}})
    return found


def timed_by_number(parameters: dict[str, Any]) -> dict[int, Experiment]:
    """Return SGSeg's steps timed beside AC's, by the number of superpixels."""
    timed = parameters["timed"]
    most = timed["network"].get("superpixels", PAPER_N)
    networks = {n: timed["network"] | {"superpixels": n} for n in counts(most)} | {most: timed["network"]}
    return {n: Experiment(time_steps, timed | {"network": network}) for n, network in networks.items()}


def trial(parameters: dict[str, Any], method: str, seed: int, change: Change) -> Experiment:
    """Return one training."""
    given = {"method": method, "seed": seed, "change": change, "shown": parameters["shown"]}
    return _job(train_trial, parameters, given)


def _superpixels(
    parameters: dict[str, Any], source: str, seed: int, weights: dict[str, float], few: bool
) -> Experiment:
    return _job(
        judge_superpixels, parameters, {"source": source, "seed": seed, "weights": weights, "few": few}
    )


def _job(function: Any, parameters: dict[str, Any], given: dict[str, Any]) -> Experiment:
    data = {parameters[part]: _print(parameters[part]) for part in ("train", "test")}
    return Experiment(function, {"setup": setup(parameters)} | given, data)


@lru_cache
def _print(dataset: str) -> str:
    return open_part(dataset, 0, "full").fingerprint()
