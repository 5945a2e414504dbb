"""What notebook 05 computes once and keeps, by the part of the notebook that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from segstudy.cache import Experiment
from segstudy.datasets import open_dataset
from segstudy.experiments.scgnet.models import HEAD, IDENTITY, LIGHT, LIGHT_IDENTITY
from segstudy.experiments.scgnet.results import Run, best_validated, by_name
from segstudy.experiments.scgnet.scaling import measure_scaling
from segstudy.experiments.scgnet.tiles import predict_tile
from segstudy.experiments.scgnet.timing import time_networks, time_sizes
from segstudy.experiments.scgnet.trials import halves_trial, train_trial
from segstudy.papers.scgnet.losses import PIXEL_LOSSES
from segstudy.papers.scgnet.network import VARIANTS

Part = Callable[[dict[str, Any]], Iterator[Experiment]]

DEFAULT = "SCG-GCN"
KEPT = (DEFAULT, IDENTITY, HEAD)  # whose weights are kept where nothing is changed, on the first backbone
# Table VII by its three columns: residual, regularisers, graph; the last row is the default.
SETTINGS: dict[str, dict[str, Any]] = {
    "✗ ✗ ✓": {"residual": False, "regularise": False},
    "✗ ✓ ✓": {"residual": False},
    "✓ ✗ ✓": {"regularise": False},
    "✓ ✓ ✗": {"name": IDENTITY},
    "✓ ✓ ✓": {},
}
LONGER = 3
STRIDE = 16  # of every backbone here
OTHERS = "others' weights times"
WEAKER = 0.1  # of the other nodes' weights; validation chooses between this and 1 / n
ARGUED = ("gamma = 1", "exact inverse")
BEYOND = ("3 layers", "4 layers", "6 layers", "GAT", "sparse, 9 neighbours")
RATIOS = (256 / 448, 512 / 448, 768 / 448)  # Table VIII's sides in fractions of the default's


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook trains and measures, each experiment once.

    Parameters
    ----------
    parameters : dict
        The notebook's.
    """
    found: dict[str, Experiment] = {}
    trained = (compared, reasons, weakened, settings, variants, sizes, losses, argued, beyond, illustrated)
    for part in (*trained, timed, frames, scaled, tiled):
        for job in part(parameters):
            found.setdefault(job.key(), job)
    return list(found.values())


def compared(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield SCG-GCN and the null baselines, with every backbone and seed."""
    for trunk in parameters["trunks"]:
        for seed in parameters["seeds"]:
            for name in KEPT:
                yield trial(parameters, seed, name=name, trunk=trunk)


def reasons(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield what may tell why the graph gains or loses: `suspects`, with the graph and with the identity."""
    for pair in suspects(parameters).values():
        for change in pair:
            yield from suspected(parameters, change)


def suspected(parameters: dict[str, Any], change: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the trainings of one change of `suspects`, seed by seed."""
    for seed in parameters["seeds"][: parameters["why"]]:
        yield trial(parameters, seed, **change)


def suspects(parameters: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the settings of `reasons` by name, for each the changes with the graph and with the identity.

    Beside these stand what `compared` holds, "as above", and the best of `weakened`.
    """
    side = max(1, parameters["size"] // (2 * STRIDE))
    changes = {
        f"{LONGER} times as long": {"epochs": LONGER * parameters["epochs"]},
        "no residual": {"residual": False},
        "a quarter of the nodes": {"nodes": [side, side]},
    }
    found = {name: (change, {"name": IDENTITY} | change) for name, change in changes.items()}
    return found | {"light divergence": ({"name": LIGHT}, {"name": LIGHT_IDENTITY})}


def weakened(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield SCG-GCN with the weights between different nodes multiplied by each of `factors`, with every seed."""
    for factor in factors(parameters):
        for seed in parameters["seeds"]:
            yield trial(parameters, seed, neighbour_weight=factor)


def factors(parameters: dict[str, Any]) -> list[float]:
    """Return what the other nodes' weights are multiplied with; none where the search for reasons is not run."""
    nodes = max(1, parameters["size"] // STRIDE) ** 2
    return [WEAKER, 1 / nodes] if parameters["why"] else []


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
    for side in trial_sides(parameters["size"]):
        for seed in _few(parameters):
            yield trial(parameters, seed, size=side)


def trial_sides(size: int) -> list[int]:
    """Return patch sides that stand for Table VIII's, multiples of 16, smallest first; `size` is the second."""
    return sorted(round(size * ratio / STRIDE) * STRIDE for ratio in (1.0, *RATIOS))


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
    for named in parameters["cities"]:
        data, _, city = named.partition("/")
        plain = {"city": city, "trunk": parameters["trunks"][0], "recipe": _recipe(parameters)}
        plain["recipe"] |= {"size": min(plain["recipe"]["size"], 256)}
        plain |= {"seed": parameters["seeds"][0], "device": parameters["device"]}
        yield Experiment(halves_trial, plain, _data(data, (city,)))


def timed(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the times of Table VI's networks."""
    plain = {
        "size": parameters["timed_size"],
        "repeats": parameters["repeats"],
        "device": parameters["device"],
    }
    yield Experiment(time_networks, plain)


def frames(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the times of SCG-GCN on pictures of Table VIII's sizes, or smaller ones."""
    plain = {"sizes": parameters["timed_sides"], "repeats": parameters["repeats"]}
    yield Experiment(time_sizes, plain | {"device": parameters["device"]})


def scaled(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield time and memory against the number of nodes."""
    yield Experiment(measure_scaling, {"sides": parameters["sides"], "device": parameters["device"]})


def tiled(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the memory of predicting a whole tile."""
    if parameters["tile"]:
        yield Experiment(predict_tile, {"side": parameters["tile"]})


def by_suspect(
    parameters: dict[str, Any], values: Callable[[Part], list[Run]], classes: Sequence[str]
) -> dict[str, tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]]:
    """Return trainings with the graph and with the identity: as above, and for each suspect.

    The last suspect is the weight of the other nodes, with the one of `factors` that validates best. This and "as
    above" have every seed.

    Parameters
    ----------
    parameters : dict
    values : callable
        As for `grouped`.
    classes : sequence of str
        Of the data set.
    """
    if not parameters["why"]:
        return {}
    main = by_name([run for run in values(compared) if run[0]["trunk"] == parameters["trunks"][0]], _name)
    found = {"as above": (main[DEFAULT], main[IDENTITY])}
    for name, pair in suspects(parameters).items():
        parts = [partial(suspected, change=change) for change in pair]
        found[name] = tuple([value for _, value in values(part)] for part in parts)
    weaker = by_factor(parameters, values)
    chosen = best_validated(weaker, classes)
    return found | {f"{OTHERS} {chosen:.3g}": (weaker[chosen], main[IDENTITY])}


def by_factor(
    parameters: dict[str, Any], values: Callable[[Part], list[Run]]
) -> dict[float, list[Mapping[str, Any]]]:
    """Return the trainings of `weakened` by their factor, seed by seed; arguments as for `grouped`."""
    return by_name(values(weakened), lambda arguments: arguments["neighbour_weight"])


def grouped(
    parameters: dict[str, Any], values: Callable[[Part], list[Run]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the trainings by the names under which tables and claims ask for them, seed by seed.

    Parameters
    ----------
    parameters : dict
    values : callable
        `values(part)` returns arguments and values of a part, one of the functions above.

    Returns
    -------
    dict of str to list of trainings
        Networks by their names in `CHANGES` and `HEAD`, settings of Table VII by their marks, sizes by their sides,
        losses by theirs.
    """
    main = [run for run in values(compared) if run[0]["trunk"] == parameters["trunks"][0]]
    network = [run for part in (variants, argued, beyond) for run in values(part)]
    found = by_name(network, _name) | by_name(main, _name)
    found |= by_name(values(sizes), lambda a: str(a["recipe"]["size"]))
    found |= by_name(values(losses), lambda a: a["recipe"]["loss"])
    return found | by_name(values(settings), setting_of)


def setting_of(arguments: Mapping[str, Any]) -> str:
    """Return the marks of a training's row in Table VII."""
    default = {"residual": True, "regularise": True, "name": DEFAULT}
    return next(
        marks
        for marks, change in SETTINGS.items()
        if all(arguments[key] == value for key, value in (default | change).items())
    )


def trial(parameters: dict[str, Any], seed: int, **changes: Any) -> Experiment:
    """Return one training; `changes` are arguments of `train_trial`, or entries of its recipe."""
    recipe = _recipe(parameters)
    plain = {
        "dataset": parameters["dataset"],
        "images": parameters["images"],
        "name": DEFAULT,
        "trunk": parameters["trunks"][0],
        "recipe": recipe,
    }
    plain |= {"residual": True, "regularise": True, "neighbour_weight": 1.0}
    plain |= {"seed": seed, "device": parameters["device"]}
    given = {key: value for key, value in changes.items() if key not in recipe}
    changed = plain | {"recipe": recipe | {key: changes[key] for key in recipe if key in changes}} | given
    keep = changed["name"] in KEPT and changed == plain | {"name": changed["name"]}
    return Experiment(
        train_trial, changed | {"keep": keep}, _data(parameters["dataset"], ("train", "val", "test"))
    )


def _name(arguments: Mapping[str, Any]) -> str:
    return arguments["name"]


def _recipe(parameters: dict[str, Any]) -> dict[str, Any]:
    keys = ("size", "patches", "batch", "epochs", "loss", "learning_rate", "precision")
    return {key: parameters[key] for key in keys}


def _few(parameters: dict[str, Any]) -> list[int]:
    return parameters["seeds"][: parameters["ablations"]]


@lru_cache
def _data(dataset: str, splits: tuple[str, ...]) -> dict[str, str]:
    return {f"{dataset}/{split}": open_dataset(dataset, split=split).fingerprint() for split in splits}
