"""What notebook 03 tabulates of its clusterings; a run is an experiment's arguments and what it returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch

from segstudy.experiments.gnn_clustering.beyond import smoothing
from segstudy.experiments.gnn_clustering.jobs import GAP, SWEEPS
from segstudy.experiments.gnn_clustering.results import Results
from segstudy.experiments.gnn_clustering.supervised import halves
from segstudy.metrics import half_width, paired_difference
from segstudy.papers.gnn_clustering.foreground import Targets
from segstudy.papers.gnn_clustering.graphs import affinity
from segstudy.papers.gnn_clustering.settings import Settings

Run = tuple[Mapping[str, Any], Mapping[str, Any]]


def by_method(runs: Sequence[Run], targets: Mapping[str, Targets]) -> dict[tuple[str, str], Results]:
    """Gather the seeds of each data set and method; methods by their printed names."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for arguments, value in runs:
        key = (arguments["dataset"], Settings(**arguments["changes"]).name)
        found.setdefault(key, []).append(value)
    return {key: Results(tuple(values), targets[key[0]]) for key, values in found.items()}


def epoch_curves(scored: Mapping[tuple[str, str], Results]) -> pd.DataFrame:
    """Return the mean IoU after each recorded epoch with its 95 % interval over pictures, seeds averaged."""
    rows = []
    for (data, method), found in scored.items():
        pictures = found.oracle.mean(axis=0)
        for epoch, values in zip(found.iterations, pictures.T, strict=True):
            rows.append({"data": data, "method": method, "epoch": int(epoch)} | _interval(values))
    return pd.DataFrame(rows)


def density_table(features: Mapping[str, np.ndarray], taus: Sequence[float]) -> pd.DataFrame:
    """Return the share of all pairs of patches whose cosine passes tau: columns features, tau, density."""
    rows = []
    for name, values in features.items():
        for tau in taus:
            joined = affinity(torch.from_numpy(values), "dmon", tau=tau)
            rows.append({"features": name, "tau": tau, "density": float(joined.mean())})
    return pd.DataFrame(rows)


def raw_table(runs: Sequence[Run], targets: Mapping[str, Targets]) -> pd.DataFrame:
    """Return the IoU of modularity by layer and tau, at the best epoch and at the last one."""
    rows = []
    for arguments, value in runs:
        means = Results((value,), targets[arguments["dataset"]]).oracle[0].mean(axis=0)
        changes = {"layer": arguments["changes"]["layer"].upper(), "tau": arguments["changes"]["tau"]}
        rows.append(
            {"data": arguments["dataset"]}
            | changes
            | {"IoU, best epoch": means.max(), "IoU, last epoch": means[-1]}
        )
    return pd.DataFrame(rows)


def gap_table(
    runs: Sequence[Run], targets: Mapping[str, Targets], two_means: Mapping[str, Mapping[str, np.ndarray]]
) -> pd.DataFrame:
    """Compare what might close the gap to 2-means on half of the pictures, and read it on the other half.

    Parameters
    ----------
    runs : sequence of (arguments, value)
        Of every data set all of `GAP`, in its order.
    targets : mapping of data set to Targets
    two_means : mapping of data set to mapping of str to (N,) float ndarray
        IoU of 2-means by the features' name.

    Returns
    -------
    DataFrame
        "data", "variant", the "epoch" that is best on the first half, "chosen on", the IoU there, "read on", the IoU on
        the other half, and its mean difference from 2-means with the paired standard error.
    """
    rows = []
    for number, (arguments, value) in enumerate(runs):
        data, found = arguments["dataset"], Results((value,), targets[arguments["dataset"]])
        first, second = halves(found.oracle.shape[1])
        means = found.oracle[0, first].mean(axis=0)
        best = int(means.argmax())
        read = found.oracle[0, second, best]
        row = {"data": data, "variant": list(GAP)[number % len(GAP)], "epoch": int(found.iterations[best])}
        row |= {"chosen on": means[best], "read on": read.mean()}
        for name, values in two_means[data].items():
            d = paired_difference(read, values[second])
            row[f"less 2-means, {name}"] = f"{d.mean:+.3f} ± {d.standard_error:.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


def features_table(
    runs: Sequence[Run], baselines: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Targets]
) -> pd.DataFrame:
    """Set the same features before a graph network and before what has none, on every data set.

    Parameters
    ----------
    runs : sequence of (arguments, value)
        NCUT with a GCN, by data set, features and seed.
    baselines : mapping of "data set|features" to what `baseline_set` returned
    targets : mapping of data set to Targets

    Returns
    -------
    DataFrame
        "data", "features", the mean IoU of 2-means, of the eigenvector and of the GCN at its best epoch, with the
        foreground of the oracle; the GCN's gain over either with its 95 % interval over pictures, seeds averaged.
    """
    gathered: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for arguments, value in runs:
        gathered.setdefault((arguments["dataset"], arguments["features"]), []).append(value)
    rows = []
    for (data, features), values in gathered.items():
        ours = Results(tuple(values), targets[data]).scores().mean(axis=0)
        row: dict[str, Any] = {"data": data, "features": features}
        gains = {}
        for short, name in (("2-means", "2-means, features"), ("eigenvector", "normalised cut, eigenvector")):
            known = np.asarray(baselines[f"{data}|{features}"][name]["oracle"])
            row[short], d = known.mean(), paired_difference(ours, known)
            gains[f"GCN less {short}"] = f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
        rows.append(row | {"NCUT | GCN": ours.mean()} | gains | {"seeds": len(values)})
    return pd.DataFrame(rows)


def sweep_table(runs: Sequence[Run], targets: Callable[[str, int], Targets]) -> pd.DataFrame:
    """Return the IoU at the best epoch of every swept setting, and the clusters that are not empty at the last one.

    Parameters
    ----------
    runs : sequence of (arguments, value)
        Of every data set all of `SWEEPS`, in its order.
    targets : callable
        `targets(dataset, side)` returns the truth on a grid of so many patches a side.

    Returns
    -------
    DataFrame
        "sweep", "value", "data", "mean", "low", "high" and "clusters".
    """
    points = [(sweep, value) for sweep, (_, _, values) in SWEEPS.items() for value in values]
    rows = []
    for number, (arguments, value) in enumerate(runs):
        sweep, setting = points[number % len(points)]
        truth = targets(arguments["dataset"], arguments["grid"])
        found = Results((value,), truth, arguments["changes"].get("clusters", 2))
        used = np.mean([len(np.unique(labels)) for labels in np.asarray(value["labels"])[:, -1]])
        row = {"sweep": sweep, "value": setting, "data": arguments["dataset"]}
        rows.append(row | _interval(found.scores()[0]) | {"clusters": used})
    return pd.DataFrame(rows, columns=["sweep", "value", "data", "mean", "low", "high", "clusters"])


def depth_table(features: np.ndarray, depths: Sequence[int], seeds: Sequence[int]) -> pd.DataFrame:
    """Return how alike nodes are by "layer", "depth" and "picture", the mean "similarity" over seeds."""
    rows = []
    for layer, depth in product(("gcn", "arma"), depths):
        values = np.mean([smoothing(features, layer, depth, seed) for seed in seeds], axis=0)
        rows += [
            {"layer": layer.upper(), "depth": depth, "picture": picture, "similarity": value}
            for picture, value in enumerate(values)
        ]
    return pd.DataFrame(rows)


def supervised_table(
    taught: Mapping[str, tuple[np.ndarray, np.ndarray]],
    clustered: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> pd.DataFrame:
    """Return the mean IoU of a U-Net and of clustering, on the half that no network saw and on the other data set.

    Parameters
    ----------
    taught, clustered : mapping of data set to two ndarrays
        As for :func:`~segstudy.experiments.gnn_clustering.experiment_claims.supervised_claims`.
    """
    rows = []
    for data in taught:
        for method, (own, other) in (("U-Net", taught[data]), ("NCUT | GCN", clustered[data])):
            scores = {"IoU, its second half": own.mean(), "IoU, the other data set": other.mean()}
            rows.append({"data": data, "method": method} | scores)
    return pd.DataFrame(rows)


def groups_of_kinds(kinds: Sequence[int], size: int, count: int) -> list[list[int]]:
    """Return up to `count` groups of up to `size` pictures of one kind, by index; kinds of one picture are left out."""
    found = [[i for i, k in enumerate(kinds) if k == kind][:size] for kind in sorted(set(kinds))]
    return [group for group in found if len(group) > 1][:count]


def _interval(values: np.ndarray) -> dict[str, float]:
    """Return the mean over pictures and the ends of its 95 % interval (Student's t); nan for those of one picture."""
    mean = float(values.mean())
    half = float(half_width(values.std(ddof=1), len(values))) if len(values) > 1 else np.nan
    return {"mean": mean, "low": mean - half, "high": mean + half}
