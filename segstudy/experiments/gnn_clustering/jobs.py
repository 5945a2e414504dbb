"""What notebook 03 computes once and keeps, by the part of the notebook that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.gnn_clustering.dino_experiment import train_and_compare
from segstudy.experiments.gnn_clustering.null_baselines import baseline_set
from segstudy.experiments.gnn_clustering.pictures import with_centring
from segstudy.experiments.gnn_clustering.runs import cluster_set
from segstudy.experiments.gnn_clustering.supervised import supervised
from segstudy.experiments.parts import open_part
from segstudy.papers.gnn_clustering.settings import combinations

Changes = dict[str, Any]
TRUE_CUT: Changes = {"pooled": False, "learning_rate": 0.01}
# What might close the gap to 2-means on the same features: one thing changed after the other.
GAP: dict[str, tuple[str, Changes]] = {
    "the slides' NCUT | GCN": ("centred", {}),
    "+ ten times the learning rate": ("centred", {"learning_rate": 0.01}),
    "Shi & Malik's sum of ratios": ("centred", {"pooled": False}),
    "+ ten times the learning rate (ratios)": ("centred", TRUE_CUT),
    "+ ARMA (ratios)": ("centred", TRUE_CUT | {"layer": "arma"}),
    "not centred (ratios)": ("raw", TRUE_CUT),
    "not centred, ARMA (ratios)": ("raw", TRUE_CUT | {"layer": "arma"}),
    "not centred, ARMA, no dropout (ratios)": (
        "raw",
        TRUE_CUT | {"layer": "arma", "dropout": 0.0, "root_dropout": 0.0},
    ),
}
SWEEPS: dict[str, tuple[Changes, str, tuple[float, ...]]] = {
    "clusters K (NCUT | GCN)": ({}, "clusters", (2, 3, 4, 6, 8)),
    "alpha (CC | GCN)": ({"objective": "cc"}, "alpha", (1.2, 2.0, 5.0, 10.0, 100.0)),
    "alpha, ten clusters allowed (CC | GCN)": (
        {"objective": "cc", "clusters": 10},
        "alpha",
        (1.2, 2.0, 5.0, 10.0, 100.0),
    ),
    "tau (DMON | GCN)": ({"objective": "dmon"}, "tau", (0.0, 0.3, 0.5, 0.7, 0.8)),
    "patches a side (NCUT | GCN)": ({}, "grid", (14, 20, 28, 40)),
}
RAW_TAUS = (0.0, 0.7, 0.8)
RAW_LAYERS = ("gcn", "arma")


def _place(job: Experiment) -> tuple[bool, str, int, str, int]:
    """Return where a clustering stands: attention first, it is slow; then by pictures, whose features are kept."""
    a = job.arguments
    return a["changes"].get("layer") != "gat", a["features"], a["images"], a["dataset"], a["grid"]


def raw(features: str) -> str:
    """Return the name of the same features without the picture's mean subtracted."""
    return with_centring(features, False)


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook reads, in an order in which shards share the work about evenly.

    Parameters
    ----------
    parameters : dict
        The notebook's; "centring" says whether "features" lose the mean of their picture, None: as the name says.
    """
    parameters = parameters | {"features": with_centring(parameters["features"], parameters["centring"])}
    found = [job for part in (tables, gap, raw_dmon, sweeps, compared) for job in part(parameters)]
    found.sort(key=_place)
    every = [*dino_jobs(parameters), *supervised_jobs(parameters), *found, *baselines(parameters)]
    return list({job.key(): job for job in every}.values())  # the features of the tables are compared, too


def opened(parameters: dict[str, Any]) -> dict[str, str]:
    """Return the features of each data set's table: those of the slides' kinds, and the objects' own."""
    found = dict.fromkeys(parameters["datasets"], parameters["features"])
    return found | ({parameters["objects"]: parameters["object_features"]} if parameters["objects"] else {})


def tables(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the rows of the slides' tables, once for each seed."""
    for dataset, features in opened(parameters).items():
        for settings in combinations():
            changes = {"objective": settings.objective, "layer": settings.layer}
            for seed in parameters["seeds"]:
                yield _job(parameters, dataset, features, changes, seed)


def gap(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield what might close the gap to 2-means, with the first seed."""
    if parameters["beyond"]:
        for dataset in parameters["datasets"]:
            for which, changes in GAP.values():
                name = parameters["features"] if which == "centred" else raw(parameters["features"])
                yield _job(parameters, dataset, name, changes, parameters["seeds"][0])


def raw_dmon(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield modularity on features that are not centred, where tau decides how many edges there are."""
    if parameters["beyond"]:
        for dataset in parameters["datasets"]:
            for layer in RAW_LAYERS:
                for tau in RAW_TAUS:
                    changes = {"objective": "dmon", "layer": layer, "tau": tau}
                    yield _job(
                        parameters, dataset, raw(parameters["features"]), changes, parameters["seeds"][0]
                    )


def sweeps(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield one method with one setting swept, on some of the pictures."""
    if parameters["beyond"]:
        for dataset in parameters["datasets"]:
            for fixed, name, values in SWEEPS.values():
                for value in values:
                    changes, grid = (fixed, int(value)) if name == "grid" else (fixed | {name: value}, 28)
                    few = parameters | {"images": parameters["swept"]}
                    yield _job(few, dataset, parameters["features"], changes, parameters["seeds"][0], grid)


def compared(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield NCUT with a GCN on the features that stand side by side, with every seed on the objects."""
    for dataset, own in opened(parameters).items():
        for features in dict.fromkeys((own, *parameters["compared"])):
            seeds = parameters["seeds"] if dataset == parameters["objects"] else parameters["seeds"][:1]
            for seed in seeds:
                yield _job(parameters, dataset, features, {"objective": "ncut", "layer": "gcn"}, seed)


def baselines(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the null baselines, on the features of the tables, the same without centring, and those compared."""
    for dataset, own in opened(parameters).items():
        kinds = [own, *([raw(own)] if parameters["beyond"] else []), *parameters["compared"]]
        for features in dict.fromkeys(kinds):
            plain = {"dataset": dataset, "images": parameters["images"], "features": features}
            yield Experiment(baseline_set, plain | {"seed": parameters["seeds"][0]}, _data(dataset))


def supervised_jobs(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield a U-Net trained on half of each data set, once for each seed."""
    first, last = parameters["datasets"][0], parameters["datasets"][-1]
    plain = {"images": parameters["images"], "width": parameters["width"], "epochs": parameters["epochs"]}
    for dataset, other in ((first, last), (last, first)) if parameters["epochs"] else ():
        for seed in parameters["seeds"]:
            where = {"dataset": dataset, "other": other, "seed": seed, "device": parameters["device"]}
            yield Experiment(supervised, plain | where, _data(dataset) | _data(other))


def dino_jobs(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield a DINO training for each seed, its features judged."""
    for seed in parameters["seeds"] if parameters["dino"] else ():
        plain = parameters["dino"] | {"seed": seed, "device": parameters["device"]}
        yield Experiment(train_and_compare, plain, _data("microbes/train"))


def _job(
    parameters: dict[str, Any], dataset: str, features: str, changes: Changes, seed: int, grid: int = 28
) -> Experiment:
    changes = {"iterations": parameters["iterations"]} | changes
    arguments = {"dataset": dataset, "images": parameters["images"], "features": features, "changes": changes}
    arguments |= {"seed": seed, "every": parameters["every"], "device": parameters["device"], "grid": grid}
    return Experiment(cluster_set, arguments, _data(dataset))


@lru_cache
def _data(dataset: str) -> dict[str, str]:
    return {dataset: open_part(dataset, 0).fingerprint()}
