"""What notebook 04 computes once and keeps, by the part of the notebook that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.dgcn.chain import Chain
from segstudy.experiments.dgcn.cues import cross_validate, judge_cues
from segstudy.experiments.dgcn.edges import judge_edges
from segstudy.experiments.dgcn.grown import judge_labels
from segstudy.experiments.dgcn.networks import Way, train_way
from segstudy.experiments.dgcn.pictures import DRFI
from segstudy.experiments.parts import open_part

CAM, STATIC, DSRG, SPREAD = "activation maps as labels", "static seeds", "region growing", "label propagation"
CUT, REFINED = "graph cut", "graph cut, refined H"
RETRAINED, FULL = "graph cut, refined H, retrained", "full supervision"
# The ways of Table 3 and its neighbours, with every seed; region growing always gets refined probabilities, as DSRG.
MAIN: dict[str, Way] = {
    CAM: Way("activations"),
    STATIC: Way(growth="static seeds"),
    DSRG: Way(growth="region growing", refined=True),
    SPREAD: Way(growth="label propagation", refined=True),
    CUT: Way(),
    REFINED: Way(refined=True),
    RETRAINED: Way("masks", refined=True),
    FULL: Way("truth"),
}
UNREFINED, EVEN, SMOOTH = "region growing, own H", "one normaliser", "no boundary loss"
QUIET, LEARNED = "no saliency", "saliency by DRFI"
DRAWN = 4  # activation maps in Figure 1
SEVERAL, WALKER = "cues at several scales", "random walker"
DEEPER = "last 2 blocks trained"
THETAS = {f"theta {theta:g}": Way(theta=theta) for theta in (0.0, 0.3, 0.5, 0.9)}
KS = {f"K {k}": Way(k=k) for k in (6, 14)}
BACKGROUNDS = {f"background above {share:g}": Way(background=share) for share in (0.7, 0.9)}
CUES = {f"cues above {share:g}": Way(cues=share) for share in (0.1, 0.3, 0.5)}
# One thing changed in the graph cut's training, with the first seed.
CHANGED: dict[str, Way] = {
    **THETAS,
    **KS,
    **CUES,
    **BACKGROUNDS,
    EVEN: Way(balanced=False),
    SMOOTH: Way(boundary=0.0),
    QUIET: Way(saliency=None),
    LEARNED: Way(saliency=DRFI),
    UNREFINED: Way(growth="region growing"),
    WALKER: Way(growth="random walker"),
    SEVERAL: Way(multiscale=True),
    DEEPER: Way(blocks=2),
}


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook reads; what shares a seed's classifier stands together, and its networks first."""
    parts = (poolings, cues, trained, labels, edges)
    found = [job for part in parts for job in part(parameters)]
    return [*sorted(found, key=_turn), *changed(parameters), *whole(parameters)]


def _turn(job: Experiment) -> tuple[int, int]:
    """Return the seed, and first what a network is used for again: of two shards each has one of them and its use."""
    way = job.arguments.get("way")
    if way is None:
        return job.arguments["seed"], 2 if job.function is judge_labels else 9
    first = (MAIN[CUT]._asdict(), MAIN[REFINED]._asdict(), None, MAIN[RETRAINED]._asdict())
    return job.arguments["seed"], first.index(way) if way in first else 9


def chain(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what all experiments share, out of the notebook's parameters."""
    return {name: parameters[name] for name in Chain._fields}


def poolings(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the choice between the classifier's poolings, on image labels of the training pictures."""
    if parameters["folds"]:
        yield _job(cross_validate, parameters, {"seed": parameters["seeds"][0], "folds": parameters["folds"]})


def cues(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield classifier and cues, once for each seed."""
    for seed in parameters["seeds"]:
        yield _job(judge_cues, parameters, {"seed": seed, "drawn": DRAWN})


def trained(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the ways of labelling that the notebook asks for, once for each seed."""
    for seed in parameters["seeds"]:
        for name in parameters["ways"]:
            yield _way(parameters, MAIN[name], seed, name in parameters["refined"])


def changed(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the graph cut's training with one thing changed, those asked for, with the first seed."""
    for name in parameters["beyond"]:
        if name != LEARNED or not parameters["drawn"]:  # the forest knows the masks of drawn objects
            yield _way(parameters, CHANGED[name], parameters["seeds"][0], False)


def labels(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield the labels that one network's probabilities give under many settings, once for each seed."""
    for seed in parameters["seeds"]:
        yield _job(judge_labels, parameters, {"seed": seed})


def edges(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield whom the edges join, which but for the activation maps no seed changes."""
    yield _job(judge_edges, parameters, {"seed": parameters["seeds"][0]})


def whole(parameters: dict[str, Any]) -> Iterator[Experiment]:
    """Yield classifier and networks that are trained with their trunk, once for each of their own seeds."""
    own = parameters | parameters["whole"] | {"frozen": False, "refined": [], "shown": 0}
    for seed in own["seeds"] if parameters["whole"] else ():
        yield _job(judge_cues, own, {"seed": seed, "drawn": 0})
        for name in own["ways"]:
            yield _way(own, MAIN[name], seed, False)


def _way(parameters: dict[str, Any], way: Way, seed: int, crf: bool) -> Experiment:
    given = {"seed": seed, "way": way._asdict(), "crf": crf, "shown": parameters["shown"]}
    return _job(train_way, parameters, given)


def _job(function: Any, parameters: dict[str, Any], given: dict[str, Any]) -> Experiment:
    data = {parameters[part]: _print(parameters[part], parameters["drawn"]) for part in ("train", "test")}
    return Experiment(function, {"chain": chain(parameters)} | given, data)


@lru_cache
def _print(dataset: str, drawn: int) -> str:
    return open_part(dataset, 0, "full", drawn).fingerprint()
