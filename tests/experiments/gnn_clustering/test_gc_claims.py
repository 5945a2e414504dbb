"""Verdicts on numbers made up so that the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.gnn_clustering import experiment_claims as judge
from segstudy.experiments.gnn_clustering import printed
from segstudy.experiments.gnn_clustering.results import Results, slides_table
from segstudy.experiments.gnn_clustering.table_claims import table_claims
from segstudy.experiments.verdicts import FAILS, HOLDS, NOT_RUN, WEAKLY
from segstudy.papers.gnn_clustering.foreground import Targets
from segstudy.papers.gnn_clustering.settings import combinations

SETS = ("emds5/all", "ph2/all")


class Known(Results):
    """Scores as given: (seeds, N, T)."""

    @property
    def oracle(self):
        return self.runs[0]["scores"]


def known(level, best, rng, seconds=1.0):
    """Twenty pictures around a level, the epoch `best` of three above the others."""
    scores = level + rng.normal(0, 0.002, (2, 20, 3))
    scores -= 0.1
    scores[:, :, best] += 0.1
    labels = np.zeros((20, 3, 4), dtype=int)
    run = {"scores": scores, "iterations": np.array([10, 20, 30]), "seconds": seconds}
    run |= {"labels": labels, "hard": np.zeros((20, 3))}
    return Known((run, run), Targets(np.full((20, 4), 32), np.full((20, 4), 64), (2, 2)))


@pytest.fixture
def results(rng):
    levels = {
        "NCUT | GCN": 0.5,
        "NCUT | GAT": 0.3,
        "NCUT | ARMA": 0.505,
        "DMON | GCN": 0.3,
        "DMON | GAT": 0.295,
    }
    levels |= {"CC | GCN (NO Normalization)": 0.4, "CC | GAT": 0.2, "DMON | ARMA": 0.4}
    found = {}
    for data in SETS:
        for settings in combinations():
            best = 0 if "ARMA" in settings.name else 1
            seconds = 2.0 if "ARMA" in settings.name else 1.0
            found[data, settings.name] = known(levels[settings.name], best, rng, seconds)
    return found


def test_claims_about_the_tables(results):
    verdicts = {v.claim: v.verdict for v in table_claims(results)}
    assert list(verdicts) == [f"GC{i}" for i in range(1, 11)]
    expected = {"GC1": HOLDS, "GC2": HOLDS, "GC3": HOLDS, "GC4": HOLDS, "GC5": HOLDS, "GC6": HOLDS}
    expected |= {"GC7": HOLDS, "GC9": HOLDS, "GC10": HOLDS}
    assert {claim: verdicts[claim] for claim in expected} == expected
    assert verdicts["GC8"] in (WEAKLY, FAILS)  # every method moves alike


def test_claims_about_the_tables_turned_round(results, rng):
    data = SETS[1]
    results[data, "NCUT | ARMA"] = known(0.4, 2, rng)
    results[data, "DMON | GCN"] = known(0.6, 2, rng)
    verdicts = {v.claim: v.verdict for v in table_claims(results)}
    assert [verdicts[c] for c in ("GC1", "GC3", "GC4", "GC5", "GC10")] == [FAILS, FAILS, FAILS, FAILS, WEAKLY]


def test_negative_degrees_and_the_clamp(rng):
    X = rng.normal(0, 1, (3, 30, 5)).astype(np.float32)
    X -= X.mean(axis=1, keepdims=True)
    assert judge.negative_claim(X, 2.0).verdict == HOLDS
    assert judge.negative_claim(np.ones((2, 6, 3), np.float32), 2.0).verdict == FAILS
    assert judge.clamp_claim(X).verdict == HOLDS
    assert judge.clamp_claim(np.abs(X)).verdict == FAILS


def test_features():
    a, b = np.linspace(0.4, 0.6, 20), np.linspace(0.2, 0.4, 20)
    assert judge.features_claim({"mix": [a]}).verdict == "not testable with this data"
    both = {"dino": [a, a], "colour-texture": [b, b]}
    assert judge.features_claim(both).verdict == HOLDS
    assert judge.features_claim({"dino": [b], "colour-texture": [a]}).verdict == FAILS


def test_alpha():
    table = pd.DataFrame({"data": ["a"] * 3, "alpha": [1, 2, 3], "clusters": [9.0, 4.0, 2.0]})
    assert judge.alpha_claim(table).verdict == HOLDS
    assert judge.alpha_claim(table.assign(clusters=[9.0, 4.0, 5.0])).verdict == FAILS
    assert judge.alpha_claim(table.iloc[:0]).verdict == NOT_RUN


def test_density():
    table = pd.DataFrame({"features": ["a"] * 2, "tau": [0.0, 0.7], "density": [0.9, 0.1]})
    assert judge.density_claim(table).verdict == HOLDS
    assert judge.density_claim(table.assign(density=[0.9, 0.8])).verdict == WEAKLY
    assert judge.density_claim(table.assign(density=[0.1, 0.2])).verdict == FAILS


def test_dice_finds_the_two_impossible_values(results):
    verdict = judge.dice_claim(results, printed.printed_tables())
    assert verdict.verdict == WEAKLY
    assert "DMON | GCN on EMD6 (0.483)" in verdict.evidence and "DMON | GAT on EMD6" in verdict.evidence


def test_solver_depth_and_the_classical_cut(rng):
    low, high = np.linspace(0.2, 0.4, 20), np.linspace(0.2, 0.4, 20) + 0.05
    assert judge.solver_claim(low, high, (5.0, 1.0)).verdict == HOLDS
    assert judge.solver_claim(low, high, (1.0, 5.0)).verdict == FAILS
    assert judge.solver_claim(high, low, (5.0, 1.0)).verdict == FAILS
    rows = [
        {"layer": layer, "depth": 8, "picture": i, "similarity": v}
        for layer, base in (("GCN", 0.9), ("ARMA", 0.5))
        for i, v in enumerate(base + rng.normal(0, 0.01, 9))
    ]
    assert judge.depth_claim(pd.DataFrame(rows)).verdict == HOLDS
    assert judge.classical_claim([high, high], [low, low]).verdict == HOLDS
    assert judge.classical_claim([high, low], [low, high]).verdict == FAILS


def test_supervision():
    low, high = np.linspace(0.2, 0.4, 20), np.linspace(0.6, 0.8, 20)
    first, second = judge.supervised_claims({"a": (high, low)}, {"a": (low, low)})
    assert (first.verdict, second.verdict) == (HOLDS, HOLDS)
    first, second = judge.supervised_claims({"a": (low, low)}, {"a": (high, low)})
    assert (first.verdict, second.verdict) == (FAILS, FAILS)
    assert [v.verdict for v in judge.supervised_claims({}, {})] == [NOT_RUN, NOT_RUN]


def test_ours_stand_beside_the_printed_values(results):
    table = slides_table(results)
    theirs = printed.printed_tables()
    part = printed.beside(table[table["data"] == SETS[0]], theirs[theirs["data"] == "EMD6"])
    assert len(part) == 8 and part["IoU: slides"].tolist()[:3] == [0.642, 0.519, 0.649]
    assert part["best epoch: slides"].tolist()[2] == 30 and part["IoU: ours"][0].startswith("0.50")


def test_tables_of_runs(rng):
    from segstudy.experiments.gnn_clustering import tables
    from segstudy.experiments.gnn_clustering.jobs import GAP, SWEEPS

    targets = {"a": Targets(np.tile([64, 0, 0, 0], (4, 1)), np.full((4, 4), 64), (2, 2))}
    right, wrong = np.array([1, 0, 0, 0]), np.array([0, 1, 0, 1])
    labels = np.stack([np.stack([wrong, right])] * 4)
    run = {"labels": labels, "iterations": np.array([10, 20]), "hard": np.zeros((4, 2)), "seconds": 1.0}
    changes = {"objective": "dmon", "layer": "gcn", "tau": 0.7}
    arguments = {"dataset": "a", "changes": changes, "grid": 2}
    assert list(tables.by_method([(arguments, run)] * 2, targets)) == [("a", "DMON | GCN")]
    row = tables.raw_table([(arguments, run)], targets).iloc[0]
    assert (row["layer"], row["IoU, best epoch"], row["IoU, last epoch"]) == ("GCN", 1.0, 1.0)
    found = tables.gap_table([(arguments, run)] * len(GAP), targets, {"a": {"centred": np.full(4, 0.75)}})
    assert found.variant.tolist() == list(GAP) and (found["read on"] == 1.0).all()
    assert found.epoch.unique().tolist() == [20] and found["less 2-means, centred"][0].startswith("+0.250")
    count = sum(len(values) for _, _, values in SWEEPS.values())
    swept = tables.sweep_table([(arguments, run)] * count, lambda data, side: targets[data])
    assert len(swept) == count and (swept.clusters == 2).all() and (swept["mean"] == 1).all()
    assert tables.groups_of_kinds([1, 2, 1, 3, 2, 1], size=2, count=5) == [[0, 2], [1, 4]]
    curves = tables.epoch_curves(tables.by_method([(arguments, run)], targets))
    assert curves["mean"].tolist() == [0.5, 1.0]  # first, the object shares its cluster with as large a patch
    features = rng.normal(size=(2, 20, 3)).astype(np.float32)
    density = tables.density_table({"x": features}, (-0.99, 0.99)).density
    assert density[0] > 0.9 and density[1] < 0.2
    depth = tables.depth_table(features, (1, 2), (0, 1))
    assert len(depth) == 2 * 2 * 2
    pair = {"a": (np.array([0.5]), np.array([0.25]))}
    assert tables.supervised_table(pair, pair).iloc[0].tolist() == ["a", "U-Net", 0.5, 0.25]
