"""What notebook 05 computes once and keeps, by the part of the notebook that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from segstudy.cache import Experiment
from segstudy.datasets import open_dataset
from segstudy.papers.scgnet.losses import PIXEL_LOSSES
from segstudy.papers.scgnet.models import HEAD, IDENTITY
from segstudy.papers.scgnet.network import VARIANTS
from segstudy.papers.scgnet.trials import halves_trial, train_trial

DEFAULT = "SCG-GCN"
# Table VII by its three columns: residual, regularisers, graph; the last row is the default.
SETTINGS: dict[str, dict[str, Any]] = {
    "✗ ✗ ✓": {"residual": False, "regularise": False},
    "✗ ✓ ✓": {"residual": False},
    "✓ ✗ ✓": {"regularise": False},
    "✓ ✓ ✗": {"name": IDENTITY},
    "✓ ✓ ✓": {},
}
ARGUED = ("gamma = 1", "exact inverse")
BEYOND = ("3 layers", "4 layers", "6 layers", "GAT", "sparse, 9 neighbours")
RATIOS = (256 / 448, 512 / 448, 768 / 448)  # Table VIII's sides in fractions of the default's


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook trains, each experiment once.

    Parameters
    ----------
    parameters : dict
        The notebook's.
    """
    found: dict[str, Experiment] = {}
    for part in (compared, settings, variants, sizes, losses, argued, beyond, illustrated):
        for job in part(parameters):
            found.setdefault(job.key(), job)
    return list(found.values())


def compared(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield SCG-GCN and the null baselines, with every backbone and seed."""
    for trunk in parameters["trunks"]:
        for seed in parameters["seeds"]:
            for name in (DEFAULT, IDENTITY, HEAD):
                yield trial(parameters, seed, name=name, trunk=trunk)


def settings(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the rows of Table VII."""
    for change in SETTINGS.values():
        for seed in _few(parameters):
            yield trial(parameters, seed, **change)


def variants(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the rows of Table IX."""
    for name in VARIANTS:
        for seed in _few(parameters):
            yield trial(parameters, seed, name=name)


def sizes(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield patches as much smaller and larger than the default as Table VIII's, nodes as many as the map has."""
    for ratio in (1.0, *RATIOS):
        for seed in _few(parameters):
            yield trial(parameters, seed, size=scaled(parameters["size"], ratio))


def scaled(size: int, ratio: float) -> int:
    """Return a patch's side times a ratio, as a multiple of 16."""
    return round(size * ratio / 16) * 16


def losses(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield SCG-GCN with each loss."""
    for loss in PIXEL_LOSSES:
        for seed in _few(parameters):
            yield trial(parameters, seed, loss=loss)


def argued(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield what the text argues for without measuring it: gamma, and 1 - log Sigma for the inverse."""
    for name in ARGUED:
        for seed in _few(parameters):
            yield trial(parameters, seed, name=name)


def beyond(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield deeper networks, nodes that attend, and a sparse graph."""
    for name in BEYOND:
        for seed in _few(parameters):
            yield trial(parameters, seed, name=name)


def illustrated(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the real ISPRS patches, trained on one half."""
    for city in parameters["cities"]:
        plain = {"city": city, "trunk": parameters["trunks"][0], "recipe": _recipe(parameters)}
        plain["recipe"] |= {"size": min(plain["recipe"]["size"], 256)}
        plain |= {"seed": parameters["seeds"][0], "device": parameters["device"]}
        yield Experiment(halves_trial, plain, _data("isprs_patches", (city,)))


def trial(parameters: dict[str, Any], seed: int, **changes: Any) -> Experiment:
    """Return one training; `changes` are arguments of `train_trial`, or entries of its recipe."""
    recipe = _recipe(parameters)
    recipe |= {key: value for key, value in changes.items() if key in recipe}
    given = {key: value for key, value in changes.items() if key not in recipe}
    plain = {
        "dataset": parameters["dataset"],
        "name": DEFAULT,
        "trunk": parameters["trunks"][0],
        "recipe": recipe,
    }
    plain |= {"residual": True, "regularise": True, "seed": seed, "device": parameters["device"]} | given
    return Experiment(train_trial, plain, _data(parameters["dataset"], ("train", "val", "test")))


def _recipe(parameters: dict[str, Any]) -> dict[str, Any]:
    keys = ("size", "patches", "batch", "epochs", "loss", "learning_rate")
    return {key: parameters[key] for key in keys}


def _few(parameters: dict[str, Any]) -> list[int]:
    return parameters["seeds"][: parameters["ablations"]]


@lru_cache
def _data(dataset: str, splits: tuple[str, ...]) -> dict[str, str]:
    return {f"{dataset}/{split}": open_dataset(dataset, split=split).fingerprint() for split in splits}
