"""Tables of what notebook 02 trained: accuracy over a whole test set, by method and by change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.differences import Difference, paired_over_seeds
from segstudy.experiments.sgseg.trials import entropy
from segstudy.metrics import assign_clusters

COLLAPSED = (
    0.1  # nats of the clusters' entropy over the test set, below which a run has one cluster for everything
)

Trial = Mapping[str, Any]


def accuracy(value: Trial) -> float:
    """Return the pixel accuracy over the test set, clusters named by one assignment over all of it."""
    return float(picture_scores(value)[0].sum() / np.asarray(value["counts"]).sum())


def gains_over(trials: Mapping[str, Sequence[Trial]], name: str) -> dict[str, Difference]:
    """Return by how much the accuracy of one method is above that of each other, over paired seeds."""
    own = [accuracy(value) for value in trials.get(name, ())]
    return {
        other: paired_over_seeds(own, [accuracy(value) for value in values])
        for other, values in trials.items()
        if own and other != name
    }


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
                "std over seeds": float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan"),
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
        means = {key: float(np.nanmean(values)) for key, values in value.items()}
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


def largest_entropy(classes: int) -> float:
    """Return the entropy of even shares of so many clusters."""
    return entropy(np.full(classes, 1 / classes))
