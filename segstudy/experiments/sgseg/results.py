"""Tables of what notebook 02 trained: accuracy over a whole test set, by method and by change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.differences import Difference, paired_over_seeds, spread
from segstudy.experiments.sgseg.trials import entropy
from segstudy.metrics import assign_clusters, iou_dataset, mean_iou
from segstudy.metrics.paired import paired_difference

COLLAPSED = (
    0.1  # nats of the clusters' entropy over the test set, below which a run has one cluster for everything
)

Trial = Mapping[str, Any]
MEASURES = ("count", "accuracy", "recall", "precision", "leak")  # of superpixels


def accuracy(value: Trial) -> float:
    """Return the pixel accuracy over the test set, clusters named by one assignment over all of it."""
    return float(picture_scores(value)[0].sum() / np.asarray(value["counts"]).sum())


def class_iou(value: Trial) -> float:
    """Return the mean over classes of the IoU over the test set, under the same assignment.

    Where one class has most of the pixels, accuracy says little: one cluster for all is right about all of them, and
    has an IoU of 0 for every other class.
    """
    counts = np.asarray(value["counts"]).sum(axis=0)
    matrix = np.zeros_like(counts)
    for cluster, name in enumerate(assign_clusters(counts)):
        matrix[:, name] += counts[:, cluster] if name >= 0 else 0
    return float(mean_iou(iou_dataset(matrix)))


def gains_over(trials: Mapping[str, Sequence[Trial]], name: str) -> dict[str, Difference]:
    """Return by how much the accuracy of one method is above that of each other, over paired seeds."""
    own = trials.get(name, ())
    return {other: gain_over(own, values) for other, values in trials.items() if own and other != name}


def gain_over(a: Sequence[Trial], b: Sequence[Trial]) -> Difference:
    """Return by how much the accuracy of some runs is above that of others, over the seeds that both have."""
    return paired_over_seeds(*([accuracy(value) for value in part] for part in both_kept(a, b)))


def both_kept(a: Sequence[Trial], b: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Return the runs of the seeds that two have and in which neither collapsed."""
    pairs = [pair for pair in zip(a, b, strict=False) if not any(map(collapsed, pair))]
    return [one for one, _ in pairs], [other for _, other in pairs]


def gain_table(trials: Mapping[str, Sequence[Trial]], name: str) -> pd.DataFrame:
    """Return by how much one method's accuracy is above each other's, with 95 % intervals over seeds and over pictures.

    Over seeds the accuracy is that of the whole test set, which weighs its pixels alike. Over pictures it is each
    picture's, a mean over seeds; these intervals say nothing of other trainings.
    """
    rows = []
    for other, seeds in gains_over(trials, name).items():
        kept = both_kept(trials[name], trials[other])
        if not kept[0]:
            continue
        pictures = paired_difference(*map(_by_picture, kept))
        spans = {"over seeds": (seeds.low, seeds.high), "over pictures": (pictures.low, pictures.high)}
        row = {"less": other, "gain": seeds.mean, "seeds": seeds.n}
        for over, (low, high) in spans.items():
            row |= {f"{over}, from": low, f"{over}, to": high}
        rows.append(row | {"gain, mean over pictures": pictures.mean})
    return pd.DataFrame(rows)


def _by_picture(runs: Sequence[Trial]) -> np.ndarray:
    """Return the accuracy of each picture, a mean over seeds; NaN for a picture without a scored pixel."""
    right, scored = (np.array(part, float) for part in zip(*map(picture_scores, runs), strict=True))
    return (right / np.where(scored > 0, scored, np.nan)).mean(axis=0)


def picture_scores(value: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of each test picture that are right, and those that are scored, (N,) each."""
    counts = np.asarray(value["counts"])
    named = assign_clusters(counts.sum(axis=0))
    right = sum(counts[:, name, cluster] for cluster, name in enumerate(named) if name >= 0)
    return np.asarray(right), counts.sum(axis=(1, 2))


def named_maps(value: Trial) -> list[np.ndarray]:
    """Return the maps that a trial shows, clusters renamed to classes; -1 where a cluster has none."""
    named = assign_clusters(np.asarray(value["counts"]).sum(axis=0))
    return [named[np.asarray(clusters)] for clusters in value["shown"]]


def collapsed(value: Trial) -> bool:
    """Return whether a run gave nearly all test pixels one cluster."""
    return value["entropy"] < COLLAPSED


def used(value: Trial, least: float = 0.01) -> int:
    """Return how many clusters have at least a hundredth of the test pixels."""
    shares = np.asarray(value["counts"]).sum(axis=(0, 1))
    return int((shares / shares.sum() >= least).sum())


def method_table(trials: Mapping[str, Sequence[Trial]]) -> pd.DataFrame:
    """Return accuracy by method: mean and spread over the seeds that did not collapse, and how many did."""
    rows = []
    for name, values in trials.items():
        kept = [value for value in values if not collapsed(value)]
        scores = [accuracy(value) for value in kept]
        rows.append(
            {
                "method": name,
                "accuracy": float(np.mean(scores)) if scores else float("nan"),
                "std over seeds": spread(scores),
                "mean IoU": float(np.mean([class_iou(value) for value in kept])) if kept else float("nan"),
                "seeds": len(values),
                "collapsed": len(values) - len(kept),
                "clusters used": float(np.mean([used(value) for value in values])),
                "agreement of orders": float(np.mean([value.get("agreement", np.nan) for value in values])),
            }
        )
    return pd.DataFrame(rows)


def superpixel_table(sources: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """Return the quality of superpixels by source, means over pictures, and the spread of the first measure."""
    rows = []
    for name, value in sources.items():
        means = {key: float(np.nanmean(value[key])) for key in MEASURES}
        rows.append(
            {
                "superpixels": name,
                "number": means["count"],
                "achievable accuracy": means["accuracy"],
                "std over pictures": float(np.nanstd(value["accuracy"], ddof=1))
                if len(value["count"]) > 1
                else np.nan,
                "boundary recall": means["recall"],
                "boundary precision": means["precision"],
                "undersegmentation": means["leak"],
            }
        )
    return pd.DataFrame(rows)


def tile_table(tiles: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> pd.DataFrame:
    """Return the quality of superpixels of single tiles, a row for each tile and source."""
    parts = [superpixel_table(sources).assign(tile=tile) for tile, sources in tiles.items()]
    return pd.concat(parts, ignore_index=True).set_index("tile").reset_index()


def largest_entropy(classes: int) -> float:
    """Return the entropy of even shares of so many clusters."""
    return entropy(np.full(classes, 1 / classes))


def inside_table(trials: Mapping[str, Sequence[Trial]], names: Sequence[str]) -> pd.DataFrame:
    """Return what the projected features of methods with superpixels hold, means over seeds, beside their accuracy.

    Columns: "told the classes" and "told, of colours", of a linear classifier; "k-means on features"; "apart" and
    "apart, of colours", distances within classes over between; "reach", the share of a pixel's features that comes from
    beyond half a side.
    """
    rows = []
    for name in names:
        runs = trials.get(name, ())
        if runs:
            found = {
                "accuracy": [accuracy(value) for value in runs],
                "k-means on features": [accuracy({"counts": value["counts, k-means"]}) for value in runs],
                "told the classes": [value["told"] for value in runs],
                "told, of colours": [value["told, colours"] for value in runs],
                "apart": [np.nanmean(value["apart"]) for value in runs],
                "apart, of colours": [np.nanmean(value["apart, colours"]) for value in runs],
                "reach": [value["reach"] for value in runs],
            }
            rows.append({"method": name} | {key: float(np.mean(values)) for key, values in found.items()})
    return pd.DataFrame(rows)


def ratio_table(expected: Mapping[str, Any], measured: Mapping[str, Any]) -> pd.DataFrame:
    """Return SGSeg's time over AC's by step: as published, by multiply-adds, and measured with its quartiles."""
    rows = []
    for index, step in enumerate(expected["steps"]):
        low, median, high = measured[step]["ratio"]
        rows.append(
            {
                "step": step,
                "as published": expected["printed"][index],
                "by multiply-adds": expected["ratio"][index],
                "AC twice as wide": expected["ratio, wide"][index],
                "measured": median,
                "from": low,
                "to": high,
            }
        )
    return pd.DataFrame(rows)


def count_table(measured: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """Return SGSeg's time over AC's by the number of superpixels, medians and quartiles of rounds side by side."""
    rows = []
    for count in sorted(measured):
        row: dict[str, float] = {"N": count}
        for step in ("training", "inference"):
            low, median, high = measured[count][step]["ratio"]
            row |= {f"{step} over AC": median, f"{step}, from": low, f"{step}, to": high}
        rows.append(row)
    return pd.DataFrame(rows)


def graph_table(measured: Mapping[str, Any]) -> pd.DataFrame:
    """Return the time of a graph of pixels over that of one of superpixels, by the number of pixels."""
    rows = []
    for row in measured["rows"]:
        low, median, high = row["ratio, with projections"]
        rows.append({"pixels": row["pixels"], "ratio": median, "from": low, "to": high})
    return pd.DataFrame(rows).assign(superpixels=measured["nodes"])


def in_millions(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return counted layers or parts as a table, multiply-adds in millions."""
    table = pd.DataFrame(rows)
    return table.assign(**{"million multiply-adds": table.pop("multiply-adds") / 1e6})


def plan_table(plan: Mapping[str, Any]) -> pd.DataFrame:
    """Return how many pictures at once fit a machine's memory, by precision and checkpoints, in GB (10^9 bytes)."""
    rows = [
        {
            "precision": row["precision"],
            "checkpoints": "yes" if row["checkpointed"] else "no",
            "pictures at once": row["batch"],
            "kept for backward, GB": row["kept"] / 1e9,
            "peak, GB": row["peak"] / 1e9,
            f"below {plan['limit'] / 1e9:g} GB": "yes" if row["fits"] else "no",
        }
        for row in plan["rows"]
    ]
    return pd.DataFrame(rows)
