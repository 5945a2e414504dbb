"""The claims that the slides' tables and curves answer: GC1 to GC10.

Scores are at the best epoch with the foreground that the truth chooses, as in the slides; a picture's score is its mean
over seeds, and intervals are over pictures.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from segstudy.experiments.gnn_clustering.results import Results
from segstudy.experiments.verdicts import FAILS, HOLDS, WEAKLY, Verdict, all_above, all_held, listed, worst
from segstudy.metrics import PairedDifference, paired_difference

Key = tuple[str, str]
LAYERS = {
    "ncut": ("GCN", "GAT", "ARMA"),
    "cc": ("GCN (NO Normalization)", "GAT"),
    "dmon": ("GCN", "GAT", "ARMA"),
}
SAME_DMON, SAME_NCUT, MUCH = 0.02, 0.01, 0.05  # of IoU, from claims.csv


def name(objective: str, layer: str) -> str:
    """Return a method's printed name."""
    return f"{objective.upper()} | {layer}"


def difference(results: Mapping[Key, Results], data: str, one: str, other: str) -> PairedDifference:
    """Return the mean IoU of one method less that of another on a data set, with its interval over pictures."""
    scores = (results[data, method].scores().mean(axis=0) for method in (one, other))
    return paired_difference(*scores)


def table_claims(results: Mapping[Key, Results]) -> list[Verdict]:
    """Judge GC1 to GC10.

    Parameters
    ----------
    results : mapping of (data set, method) to Results
        Methods by their printed names; every data set has all eight.

    Returns
    -------
    list of Verdict
    """
    sets = list(dict.fromkeys(data for data, _ in results))
    first = [("ncut", "ARMA", layer) for layer in ("GCN", "GAT")] + [
        ("dmon", "ARMA", la) for la in ("GCN", "GAT")
    ]
    better = {
        "GC1": [(name(o, a), name(o, b)) for o, a, b in first],
        "GC2": [(name(o, LAYERS[o][0]), name(o, "GAT")) for o in LAYERS],
        "GC3": [
            (name("ncut", layer), name(other, known))
            for other in ("cc", "dmon")
            for layer, known in zip(("GCN", "GAT", "ARMA"), LAYERS[other], strict=False)
        ],
    }
    verdicts = [_all_better(claim, results, sets, pairs) for claim, pairs in better.items()]
    alike = {"GC4": ("dmon", "GCN", "GAT", SAME_DMON), "GC5": ("ncut", "GCN", "ARMA", SAME_NCUT)}
    for claim, (objective, one, other, limit) in alike.items():
        found = {
            data: difference(results, data, name(objective, one), name(objective, other)) for data in sets
        }
        verdicts.append(_alike(claim, found, limit, f"{one} less {other}, {objective.upper()}"))
    return verdicts + [_gc6(results), _gc7(results), _gc8(results, sets), _gc9(results), _gc10(results, sets)]


def _all_better(
    claim: str, results: Mapping[Key, Results], sets: list[str], pairs: list[tuple[str, str]]
) -> Verdict:
    """Judge that the first of every pair is better than the second on every data set."""
    found = {
        f"{one} less {other}, {data}": difference(results, data, one, other)
        for data in sets
        for one, other in pairs
    }
    return Verdict(claim, all_above(found.values()), listed(found))


def _alike(claim: str, found: Mapping[str, PairedDifference], limit: float, what: str) -> Verdict:
    """Judge that two methods differ by at most `limit`: weakly where the interval reaches beyond it."""
    grades = []
    for row in found.values():
        beyond = max(abs(row.low), abs(row.high)) > limit
        grades.append(FAILS if abs(row.mean) > limit else WEAKLY if beyond else HOLDS)
    return Verdict(claim, worst(grades), f"{what}, {listed(found)}; limit {100 * limit:.0f}")


def _range(result: Results) -> float:
    """Return how far the mean IoU moves over the recorded epochs."""
    means = result.oracle.mean(axis=(0, 1))
    return float(means.max() - means.min())


def _gc6(results: Mapping[Key, Results]) -> Verdict:
    moved = {key: _range(r) for key, r in results.items() if not key[1].startswith("CC")}
    verdict = (
        HOLDS if min(moved.values()) > MUCH else WEAKLY if np.median(list(moved.values())) > MUCH else FAILS
    )
    shown = f"{100 * min(moved.values()):.1f} to {100 * max(moved.values()):.1f} points"
    return Verdict("GC6", verdict, f"IoU of NCUT and DMON moves over the epochs by {shown}")


def _gc7(results: Mapping[Key, Results]) -> Verdict:
    last = [int((r.best == len(r.iterations) - 1).sum()) for r in results.values()]
    total = sum(len(r.best) for r in results.values())
    earlier = total - sum(last)
    verdict = HOLDS if earlier > 0.5 * total else FAILS
    return Verdict("GC7", verdict, f"the best epoch is before the last in {earlier} of {total} runs")


def _gc8(results: Mapping[Key, Results], sets: list[str]) -> Verdict:
    held, shown = [], []
    for data in sets:
        moved = {key[1]: _range(r) for key, r in results.items() if key[0] == data}
        cc = {method: value for method, value in moved.items() if method.startswith("CC")}
        rest = [value for method, value in moved.items() if method not in cc]
        held += [value < min(rest) for value in cc.values()]
        shown += [f"{method}, {data}: {100 * value:.1f}" for method, value in cc.items()]
        shown.append(f"least of the others, {data}: {100 * min(rest):.1f}")
    return Verdict("GC8", all_held(held), "range over the epochs in points: " + "; ".join(shown))


def _gc9(results: Mapping[Key, Results]) -> Verdict:
    def seconds(layer: str) -> float:
        rows = [r.summary()["seconds of a picture"] for key, r in results.items() if key[1].endswith(layer)]
        return float(np.mean(rows))

    gcn, gat, arma = (seconds(f"| {layer}") for layer in ("GCN", "GAT", "ARMA"))
    verdict = HOLDS if arma > max(gcn, gat) else WEAKLY if arma > gcn else FAILS
    shown = f"a picture takes {gcn:.2f} s with GCN, {gat:.2f} s with GAT, {arma:.2f} s with ARMA (dense, this machine)"
    return Verdict("GC9", verdict, shown)


def _gc10(results: Mapping[Key, Results], sets: list[str]) -> Verdict:
    held, shown = [], []
    for data in sets:
        arma, gcn = (results[data, name("ncut", layer)] for layer in ("ARMA", "GCN"))
        epochs = [float(np.median(r.iterations[r.best])) for r in (arma, gcn)]
        held.append(epochs[0] < epochs[1])
        shown.append(f"{data}: ARMA {epochs[0]:.0f}, GCN {epochs[1]:.0f}")
    return Verdict("GC10", all_held(held), "best epoch, " + "; ".join(shown))
