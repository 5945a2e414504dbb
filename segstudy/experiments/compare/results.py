"""Tables of notebook 06: scores with their spread, tests against null baselines, gains of refinements and of graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segstudy.experiments.compare.methods import GRAPHS, METHODS, NULLS, Row
from segstudy.experiments.compare.pictures import NOTHING, TOLD
from segstudy.experiments.compare.refinements import ANY, MATCHED, OF_CLASSES, PLAIN
from segstudy.experiments.compare.trials import CLASSES, EACH, MEASURES, UNNAMED, WHOLE
from segstudy.experiments.differences import paired_over_seeds, spread
from segstudy.metrics import iou_dataset, mean_iou, paired_difference, signed_rank

Runs = Mapping[str, Sequence[Mapping[str, Any]]]  # by method, one for each seed
LEVEL = 0.05


class Pair(NamedTuple):
    """The paired difference of two rows on one task."""

    over_pictures: Any
    over_seeds: Any
    p: float


def by_method(found: Iterable[tuple[dict[str, Any], Mapping[str, Any]]], task: str) -> Runs:
    """Return a task's runs by method, in the order of the seeds, out of pairs of arguments and value."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for arguments, value in found:
        if arguments["task"]["name"] == task:
            for method, run in value.items():
                runs.setdefault(method, []).append(run)
    return runs


def reading_of(run: Mapping[str, Any], whole: bool = False) -> str | None:
    """Return under which names a run is scored: its own classes, or clusters named in one of two ways; maybe none."""
    kinds = run["scores"][PLAIN]
    if CLASSES in kinds:
        return CLASSES
    wanted = WHOLE if whole else EACH
    return wanted if wanted in kinds else None


def by_picture(runs: Sequence[Mapping[str, Any]], refinement: str, measure: str, reading: str) -> np.ndarray:
    """Return a score of each seed's test pictures, (seeds, N)."""
    return np.stack([run["scores"][refinement][reading][measure] for run in runs])


def score_table(runs: Runs, best: Mapping[str, Any], clusters: int, whole: bool) -> pd.DataFrame:
    """Return the scores of a task's methods, grouped by what they were told.

    Parameters
    ----------
    runs : mapping
        See :func:`by_method`.
    best : mapping
        Of :func:`~segstudy.experiments.compare.trials.ceiling`.
    clusters : int
    whole : bool
        Whether clusters are named once for the test set, else picture by picture.

    Returns
    -------
    DataFrame
        "told", "method"; "IoU" by picture, its spread over pictures and over seeds; "IoU over the set", and its spread
        over seeds; "box IoU", "boundary F", "accuracy"; "seeds". Methods with clusters have the ceiling of so many
        clusters above them.
    """
    rows: list[dict[str, Any]] = []
    reading = WHOLE if whole else EACH
    rows.append(_score_row(NOTHING, f"ceiling of {clusters} clusters", [best[reading]]))
    for told in TOLD:
        for name, values in runs.items():
            kind = reading_of(values[0], whole)
            if METHODS[name].told != told or kind is None:
                continue
            rows.append(_score_row(told, name, [run["scores"][PLAIN][kind] for run in values]))
            if MATCHED in values[0]["scores"] and kind == CLASSES:
                scores = [run["scores"][MATCHED][kind] for run in values]
                rows.append(_score_row(told, f"{name} + {MATCHED}", scores))
    return pd.DataFrame(rows)


def _score_row(told: str, name: str, scores: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Any]:
    overall = [mean_iou(iou_dataset(part["counts"].sum(axis=0))) for part in scores]
    each = {measure: np.stack([part[measure] for part in scores]) for measure in MEASURES}
    return {
        "told": told,
        "method": name,
        "IoU": float(np.nanmean(each["IoU"])),
        "std over pictures": spread_of_known(np.nanmean(each["IoU"], axis=0)),
        "std over seeds": spread_of_known(np.nanmean(each["IoU"], axis=1)),
        "IoU over the set": float(np.mean(overall)),
        "its std over seeds": spread_of_known(np.array(overall)),
        "box IoU": float(np.nanmean(each["box IoU"])),
        "boundary F": float(np.nanmean(each["boundary F"])),
        "accuracy": float(np.nanmean(each["accuracy"])),
        "seeds": len(scores),
    }


def spread_of_known(values: np.ndarray) -> float:
    """Return the standard deviation over seeds of what is no nan."""
    return spread(values[~np.isnan(values)])


def compare_rows(runs: Runs, a: Row, b: Row) -> Pair | None:
    """Return by how much the IoU of one (method, refinement) is above another's; None where one did not run."""
    if not all(name in runs and refinement in runs[name][0]["scores"] for name, refinement in (a, b)):
        return None
    return paired(*(by_picture(runs[name], way, "IoU", reading_of(runs[name][0])) for name, way in (a, b)))


def paired(a: np.ndarray, b: np.ndarray) -> Pair:
    """Return by how much one row's scores of the same pictures are above another's, both (seeds, N)."""
    means = [np.nanmean(part, axis=0) for part in (a, b)]
    seeds = min(len(a), len(b))
    over_seeds = paired_over_seeds(*(np.nanmean(part[:seeds], axis=1) for part in (a, b)))
    return Pair(paired_difference(*means), over_seeds, signed_rank(means[0] - means[1]))


def null_table(runs: Runs) -> pd.DataFrame:
    """Return each method against the null baseline of its group: gain, intervals, and Holm's corrected test.

    The test is Wilcoxon's over pictures; the correction is for all methods of the group.
    """
    rows = []
    for told, null in NULLS.items():
        group = [name for name in runs if METHODS[name].told == told and name != null]
        ways = [(name, PLAIN) for name in group]
        ways += [(name, MATCHED) for name in (*group, null) if name in runs and METHODS[name].told == told]
        found = {way: compare_rows(runs, way, (null, PLAIN)) for way in ways}
        kept = {way: pair for way, pair in found.items() if pair is not None}
        corrected = holm([pair.p for pair in kept.values()])
        for (way, pair), p in zip(kept.items(), corrected, strict=True):
            rows.append({"told": told, "method": title(way), "less": null} | gains(pair) | {"p, Holm": p})
    return pd.DataFrame(rows)


def gains(pair: Pair) -> dict[str, Any]:
    """Return a paired difference as the columns of a table."""
    pictures, seeds = pair.over_pictures, pair.over_seeds
    return {
        "gain in IoU": pictures.mean,
        "over pictures, from": pictures.low,
        "over pictures, to": pictures.high,
        "over seeds, from": seeds.low,
        "over seeds, to": seeds.high,
        "seeds": seeds.n,
    }


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979); nan stays nan and does not count."""
    values = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    corrected = np.full(len(values), np.nan)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, (len(order) - rank) * values[index])
        corrected[index] = min(1.0, largest)
    return corrected.tolist()


def title(row: Row) -> str:
    """Write a method with its refinement."""
    return row[0] if row[1] == PLAIN else f"{row[0]} + {row[1]}"


def refinement_table(tasks: Mapping[str, Runs]) -> pd.DataFrame:
    """Return what each refinement adds to each method, with the 95 % interval over pictures, of every task."""
    rows = []
    for task, runs in tasks.items():
        for name in runs:
            for way in (*ANY[1:], *OF_CLASSES):
                pair = compare_rows(runs, (name, way), (name, PLAIN))
                if pair is not None:
                    rows.append({"task": task, "method": name, "refinement": way} | gains(pair))
    return pd.DataFrame(rows)


def graph_table(tasks: Mapping[str, Runs]) -> pd.DataFrame:
    """Return what each paper's graph adds to the same method without it, and a word on it, where both ran."""
    rows = []
    for graph, (a, b) in GRAPHS.items():
        for task, runs in tasks.items():
            pair = compare_rows(runs, a, b)
            if pair is not None:
                row = {"graph": graph, "with": title(a), "without": title(b), "task": task} | gains(pair)
                rows.append(row | {"verdict": word(pair.over_pictures.low, pair.over_pictures.high)})
    return pd.DataFrame(rows)


def word(low: float, high: float) -> str:
    """Say what an interval of a difference allows."""
    return "helps" if low > 0 else "harms" if high < 0 else "no difference seen"


def disagreements(runs: Runs) -> np.ndarray:
    """Return how much the methods' labels differ on each test picture, (N,).

    The share of pixels that two methods label differently, mean over all pairs of methods, first seeds.
    """
    maps = [values[0]["maps"] for values in runs.values()]
    pairs = [(a, b) for i, a in enumerate(maps) for b in maps[:i]]
    shares = [[float((m != n).mean()) for m, n in zip(a, b, strict=True)] for a, b in pairs]
    return np.mean(shares, axis=0) if shares else np.zeros(len(maps[0]))


def shown_labels(labels: np.ndarray) -> np.ndarray:
    """Return a kept map with what has no class as void."""
    return np.where(labels == UNNAMED, 255, labels)


def picture_iou(run: Mapping[str, Any], index: int) -> float:
    """Return the IoU of one test picture, unrefined, clusters named by its own truth."""
    return float(run["scores"][PLAIN][reading_of(run)]["IoU"][index])


def seed_scores(runs: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the IoU of each seed, unrefined, mean over the test pictures, clusters named picture by picture."""
    return np.nanmean(by_picture(runs, PLAIN, "IoU", reading_of(runs[0])), axis=1).tolist()
