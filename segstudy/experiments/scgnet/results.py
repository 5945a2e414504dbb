"""Tables of what was trained: scores with their spread over seeds, paired differences, steps to converge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.differences import paired_over_seeds, spread
from segstudy.metrics.confusion import pixel_accuracy
from segstudy.metrics.paired import known_mean
from segstudy.papers.scgnet.evaluation import f1_of_classes, mean_f1

Run = tuple[Mapping[str, Any], Mapping[str, Any]]  # an experiment's arguments and what it returned
Groups = Mapping[str, Sequence[Mapping[str, Any]]]  # trainings by their network's name, seed by seed
SHARE = 0.95  # of the default's best validation score: who reaches it has converged


def scores(value: Mapping[str, Any], classes: Sequence[str]) -> dict[str, float]:
    """Return what Tables IV and V print, of the test pictures of one training: OA, F1 of each class, mF1."""
    matrix = np.asarray(value["test"]).sum(axis=0)
    named = dict(zip(classes, map(float, f1_of_classes(matrix)), strict=True))
    return {"OA": pixel_accuracy(matrix)} | named | {"mF1": mean_f1(matrix, classes)}


def by_name(
    runs: Sequence[Run], name: Callable[[Mapping[str, Any]], str]
) -> dict[str, list[Mapping[str, Any]]]:
    """Gather values under the names that `name(arguments)` gives, in the order of the runs."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for arguments, value in runs:
        found.setdefault(name(arguments), []).append(value)
    return found


def score_table(grouped: Groups, classes: Sequence[str]) -> pd.DataFrame:
    """Return the mean over seeds of each score, and the standard deviation of mF1.

    Parameters
    ----------
    grouped : mapping of str to sequence of trainings
        By the row's name.
    classes : sequence of str
    """
    rows = []
    for name, values in grouped.items():
        frame = pd.DataFrame([scores(value, classes) for value in values])
        rows.append(
            {"network": name} | frame.mean().to_dict() | {"std": spread(frame["mF1"]), "seeds": len(frame)}
        )
    return pd.DataFrame(rows)


def test_mf1(values: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> list[float]:
    """Return mF1 on the test pictures, seed by seed."""
    return [scores(value, classes)["mF1"] for value in values]


def class_f1(values: Sequence[Mapping[str, Any]], classes: Sequence[str], name: str) -> list[float]:
    """Return the F1 of one class on the test pictures, seed by seed."""
    return [scores(value, classes)[name] for value in values]


def validation_curve(value: Mapping[str, Any], classes: Sequence[str]) -> np.ndarray:
    """Return mF1 on the validation pictures after each epoch: (E,)."""
    return np.array([mean_f1(matrix, classes) for matrix in np.asarray(value["validation"])])


def curve_table(grouped: Groups, classes: Sequence[str]) -> pd.DataFrame:
    """Return what Figure 3 shows: columns network, step, loss, mF1 (validation), low and high over seeds."""
    rows = []
    for name, values in grouped.items():
        curves = np.stack([validation_curve(value, classes) for value in values])
        losses = np.stack([np.asarray(value["losses"]) for value in values])
        for epoch in range(curves.shape[1]):
            at = curves[:, epoch]
            row = {
                "network": name,
                "step": (epoch + 1) * int(values[0]["steps"]),
                "loss": losses[:, epoch].mean(),
            }
            rows.append(row | {"mF1": at.mean(), "low": at.min(), "high": at.max()})
    return pd.DataFrame(rows)


def target_score(default: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> float:
    """Return the validation score at which a training counts as converged.

    The paper does not say what it counts; here it is `SHARE` of the best mF1 of the default's mean curve.
    """
    return SHARE * float(np.mean([validation_curve(value, classes) for value in default], axis=0).max())


def steps_to_converge(value: Mapping[str, Any], classes: Sequence[str], target: float) -> float:
    """Return after how many steps the validation score first reaches the target; nan where it never does."""
    reached = np.flatnonzero(validation_curve(value, classes) >= target)
    return float((reached[0] + 1) * value["steps"]) if len(reached) else np.nan


def median_steps(values: Sequence[Mapping[str, Any]], classes: Sequence[str], target: float) -> float:
    """Return the median of the trainings' steps to a target; infinite where most never reach it."""
    return float(np.median(_steps(values, classes, target)))


def _steps(values: Sequence[Mapping[str, Any]], classes: Sequence[str], target: float) -> np.ndarray:
    """Return each training's steps; one that never gets there counts as longer than any other."""
    return np.nan_to_num([steps_to_converge(value, classes, target) for value in values], nan=np.inf)


def steps_table(grouped: Groups, classes: Sequence[str], target: float) -> pd.DataFrame:
    """Return for each network the median of its steps, or "never", and how many of its trainings reached the target."""
    rows = []
    for name, values in grouped.items():
        steps, median = _steps(values, classes, target), median_steps(values, classes, target)
        shown = median if np.isfinite(median) else "never"
        reached = f"{int(np.isfinite(steps).sum())} of {len(steps)}"
        rows.append({"network": name, "steps": shown, "reached": reached, "loss noise": loss_noise(values)})
    return pd.DataFrame(rows)


def loss_noise(values: Sequence[Mapping[str, Any]]) -> float:
    """Return the deviation of the loss's changes from epoch to epoch, the mean over seeds; nan below three epochs."""
    changes = [np.diff(np.asarray(value["losses"])) for value in values]
    return float(np.mean([c.std() for c in changes])) if changes and len(changes[0]) > 1 else np.nan


def graph_means(values: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return the statistics of the learnt graphs by picture, seeds averaged."""
    keys = values[0]["graph"]
    return {key: np.mean([np.asarray(value["graph"][key]) for value in values], axis=0) for key in keys}


def merged(values: Sequence[Mapping[str, Any]], index: int) -> np.ndarray:
    """Return predicted less true components of a class by picture, seeds averaged: below 0 where things merge."""
    parts = np.mean([np.asarray(value["components"]) for value in values], axis=0)[:, index]
    return parts[:, 1] - parts[:, 0]


def reason_table(
    pairs: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], classes: Sequence[str]
) -> pd.DataFrame:
    """Return test mF1 with the graph and with the identity, setting by setting.

    Parameters
    ----------
    pairs : mapping of str to pair of sequences of trainings
        By the setting's name: with the graph, with the identity; seed by seed.
    classes : sequence of str

    Returns
    -------
    DataFrame
        Columns setting, SCG-GCN and A = I (means over seeds), difference with its interval; of the learnt graph, means
        over nodes, pictures and seeds: A_ii (clamped to [0, 1]), own share (of a node in its row of the normalised A)
        and same / other (weight between nodes of one class against that between nodes of two); seeds.
    """
    rows = []
    for name, (graph, identity) in pairs.items():
        scored = [test_mf1(values, classes) for values in (graph, identity)]
        row = {"setting": name, "SCG-GCN": np.mean(scored[0]), "A = I": np.mean(scored[1])}
        row |= {"difference": str(paired_over_seeds(*scored))}
        learnt = graph_means(graph)
        row |= {"A_ii": learnt["diagonal"].mean(), "own share": learnt["share"].mean()}
        row |= {"same / other": np.nanmean(learnt["same"]) / np.nanmean(learnt["other"])}
        rows.append(row | {"seeds": len(graph)})
    return pd.DataFrame(rows)


def validated(
    candidates: Mapping[Any, Sequence[Mapping[str, Any]]], classes: Sequence[str]
) -> dict[Any, float]:
    """Return mF1 on the validation pictures by candidate: the best epoch's, mean over its trainings."""
    return {
        key: float(np.mean([validation_curve(value, classes).max() for value in values]))
        for key, values in candidates.items()
    }


def best_validated(candidates: Mapping[Any, Sequence[Mapping[str, Any]]], classes: Sequence[str]) -> Any:
    """Return the key whose trainings have the highest mF1 in `validated`."""
    reached = validated(candidates, classes)
    return max(reached, key=reached.__getitem__)


def what_reasons_allow(
    pairs: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], classes: Sequence[str]
) -> str:
    """Return what the first and the last setting of :func:`reason_table` allow to say, in words and numbers.

    The first is the graph as printed, the last the one with weaker weights between different nodes. A deficit or a gain
    is one whose 95 % interval leaves 0 out.
    """
    settings = list(pairs)
    printed, weaker = (pairs[name] for name in (settings[0], settings[-1]))
    before, after = (paired_over_seeds(*(test_mf1(v, classes) for v in pair)) for pair in (printed, weaker))
    share = float(graph_means(weaker[0])["share"].mean())
    numbers = f"Against A = I the graph has {before} as printed and {after} with {settings[-1]} ({after.n} seeds each)."
    if not before.high < 0:
        reading = "As printed there is no clear deficit that would need a reason."
    elif after.high < 0:
        reading = "The deficit stays, so that the neighbours' mass alone does not explain it."
    else:
        reading = (
            "The deficit is not seen any more: it goes with how much a node takes from all others together."
        )
    if after.low > 0:
        gain = "The weaker graph is better than none: what it passes on is of use."
    else:
        gain = f"No gain appears, and a graph in which a node keeps {share:.0%} of its row is close to A = I."
    return f"{numbers} {reading} {gain}"


def depth_table(grouped: Groups, classes: Sequence[str]) -> pd.DataFrame:
    """Return mF1 and the mean cosine of two nodes before the last layer, by the number of layers.

    Parameters
    ----------
    grouped : mapping of str to sequence of trainings
        "3 layers" has three; a name without a number has two.
    classes : sequence of str

    Returns
    -------
    DataFrame
        Columns layers, mF1, std and cosine.
    """
    rows = []
    for name, values in grouped.items():
        layers = int(name.split()[0]) if name[0].isdigit() else 2
        found = np.array(test_mf1(values, classes))
        cosine = float(graph_means(values)[f"cosine {layers - 1}"].mean())
        rows.append({"layers": layers, "mF1": found.mean(), "std": spread(found), "cosine": cosine})
    return pd.DataFrame(rows)


def boundary_table(grouped: Groups, classes: Sequence[str]) -> pd.DataFrame:
    """Return the boundary F-score of each class and their mean, over test pictures and seeds; nan where unknown."""
    rows = []
    for name, values in grouped.items():
        every = np.concatenate([np.asarray(value["boundary"]) for value in values])
        by_class = known_mean(every, axis=0)
        rows.append(
            {"network": name} | dict(zip(classes, by_class, strict=True)) | {"mean": np.nanmean(by_class)}
        )
    return pd.DataFrame(rows)
