"""The claims that trainings answer: each a difference over seeds, a number of steps, or a statistic of the graph.

"Better" is graded by the 95 % interval of the paired difference over seeds. Where claims.csv names no number, the
threshold is in the docstring. The paper's small class is the car; `small` is the rarest class of the data at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from segstudy.experiments.differences import Difference, paired_over_seeds
from segstudy.experiments.scgnet import results
from segstudy.experiments.scgnet.jobs import DEFAULT, SETTINGS
from segstudy.experiments.scgnet.models import HEAD, IDENTITY
from segstudy.experiments.scgnet.results import Groups
from segstudy.experiments.verdicts import (
    FAILS,
    HOLDS,
    NOT_RUN,
    NOT_TESTABLE,
    WEAKLY,
    Verdict,
    all_above,
    all_held,
    grade,
    worst,
)
from segstudy.metrics.paired import half_width
from segstudy.papers.scgnet.network import VARIANTS

ISPRS = "the held-out tiles of Potsdam and Vaihingen are not at hand"
NEITHER, REGULARISED, RESIDUAL, NO_GRAPH, BOTH = SETTINGS


@dataclass(frozen=True)
class Trials:
    """Trainings on one data set, and the questions that claims ask of them.

    Parameters
    ----------
    groups : mapping of str to sequence of trainings
        By the network's name, its setting in Table VII, or its loss; seed by seed.
    classes : sequence of str
    small : str
        The rarest class.
    """

    groups: Groups
    classes: Sequence[str]
    small: str

    def mf1(self, name: str) -> list[float]:
        """Return mF1 of a network, seed by seed; empty where it was not trained."""
        return results.test_mf1(self.groups.get(name, ()), self.classes)

    def difference(self, a: str, b: str, score: str = "mF1") -> Difference:
        """Return the difference a - b of mF1, or of a class's F1, over the seeds that both have."""
        pairs = list(zip(self.groups.get(a, ()), self.groups.get(b, ()), strict=False))
        left, right = ([results.scores(pair[i], self.classes)[score] for pair in pairs] for i in (0, 1))
        return paired_over_seeds(left, right)

    def steps(self, name: str) -> float:
        """Return the median of a network's steps to converge; infinite where most never do, nan without trainings."""
        values = self.groups.get(name, ())
        if not values:
            return np.nan
        target = results.target_score(self.groups[DEFAULT], self.classes)
        return results.median_steps(values, self.classes, target)

    def noise(self, name: str) -> float:
        """Return how unsteadily a network's loss falls, see `results.loss_noise`; nan without trainings."""
        return results.loss_noise(self.groups.get(name, ()))


def isprs_claims() -> list[Verdict]:
    """SC1 to SC4 and SC8: scores on tiles that are handed out by request only."""
    return [Verdict(claim, NOT_TESTABLE, ISPRS) for claim in ("SC1", "SC2", "SC3", "SC4", "SC8")]


def better(claim: str, found: Mapping[str, Difference]) -> Verdict:
    """Judge that every one of some differences is above 0."""
    return Verdict(
        claim, all_above(found.values()), "; ".join(f"{name}: {d}" for name, d in found.items() if d.n)
    )


def convergence_claims(trials: Trials) -> list[Verdict]:
    """SC11, SC13 to SC17, SC23 and SC37: steps to converge, and what the settings of Table VII cost.

    Converged is who reaches 95 % of the default's best validation mF1.
    """
    default, neither = trials.steps(BOTH), trials.steps(NEITHER)
    parts = [
        _fewer("SC11", {"SCG-GCN, 1x1 head": (trials.steps(DEFAULT), trials.steps(HEAD))}),
        _longer("SC13", neither, default, 3),
        _joined(
            _fewer("SC14", {"regularisers alone, neither": (trials.steps(REGULARISED), neither)}),
            better("SC14", _losses(trials, REGULARISED, (trials.small, "mF1"))),
        ),
        _joined(
            _fewer("SC15", {"residual alone, both": (trials.steps(RESIDUAL), default)}),
            better("SC15", _losses(trials, RESIDUAL, ("building", "mF1"))),
        ),
        _fewer(
            "SC16",
            {
                "steps, residual alone, neither": (trials.steps(RESIDUAL), neither),
                "steps, regularisers alone, neither": (trials.steps(REGULARISED), neither),
                "loss noise, residual alone, neither": (trials.noise(RESIDUAL), trials.noise(NEITHER)),
                "loss noise, regularisers alone, neither": (trials.noise(REGULARISED), trials.noise(NEITHER)),
            },
        ),
        better("SC17", {f"both over {n}": trials.difference(BOTH, n) for n in (REGULARISED, RESIDUAL)}),
        _joined(
            better("SC23", _losses(trials, NO_GRAPH, (trials.small, "mF1"))),
            _longer("SC23", trials.steps(NO_GRAPH), default, 3),
        ),
        _fewer("SC37", {"dice, cross-entropy": (trials.steps("dice"), trials.steps("cross-entropy"))}),
    ]
    return parts


def variant_claims(trials: Trials, tolerance: float = 0.003) -> list[Verdict]:
    """SC24 to SC26, SC33, SC35 and SC36: the variants of Tables III and IX."""
    close = [name for name in VARIANTS if name not in ("SCG_ae-GCN", "SCG-GCN_ns")]
    means = {name: float(np.mean(trials.mf1(name))) for name in close if trials.groups.get(name)}
    span = max(means.values()) - min(means.values()) if means else np.nan
    verdict = NOT_RUN if len(means) < len(close) else HOLDS if span <= tolerance else FAILS
    mixed, directed = "SCG-GCN-GIN", ("SCG_dir-GCN-GIN", "SCG_dir-GCN")
    gains = {
        f"{a} over {b}, {trials.small}": trials.difference(a, b, trials.small)
        for a, b in ((mixed, DEFAULT), directed)
    }
    return [
        Verdict("SC24", verdict, f"mF1 of the five spans {span:.3f}, at most .003 was claimed"),
        better("SC25", dict(list(gains.items())[:1])),
        better("SC26", gains),
        better("SC33", {"SCG_dir-GCN over SCG-GCN": trials.difference("SCG_dir-GCN", DEFAULT)}),
        better("SC35", {"SCG-GCN over SCG_ae-GCN": trials.difference(DEFAULT, "SCG_ae-GCN")}),
        better("SC36", {"SCG-GCN over SCG-GCN_ns": trials.difference(DEFAULT, "SCG-GCN_ns")}),
    ]


def size_claims(trials: Trials, sides: Sequence[int], rates: Mapping[int, float]) -> list[Verdict]:
    """SC18 to SC20: smaller and larger patches, with as many nodes as the map has.

    Parameters
    ----------
    trials : Trials
        With groups named after the patches' sides.
    sides : sequence of int
        Smallest first; the default is the second, as in Table VIII.
    rates : mapping of side to pictures per second
    """
    smallest, default, *larger = sides
    drop = {trials.small: trials.difference(str(default), str(smallest), trials.small)}
    falls = all(rates[a] > rates[b] for a, b in pairwise(sides))
    gains = {side: trials.difference(str(side), str(default)) for side in larger}
    grown = [grade(d.mean, d.low) for d in gains.values()]
    known = all(d.n for d in gains.values())
    verdict = (
        NOT_RUN
        if not known
        else FAILS
        if HOLDS in grown or not falls
        else WEAKLY
        if WEAKLY in grown
        else HOLDS
    )
    shown = "; ".join(f"{side} over {default}: {d}" for side, d in gains.items())
    means = {side: float(np.mean(trials.mf1(str(side)))) for side in sides if trials.groups.get(str(side))}
    best = max(means, key=means.__getitem__) if len(means) == len(sides) else None
    rest = [trials.difference(str(default), str(side)) for side in sides if side != default]
    third = NOT_RUN if best is None else all_above(rest)
    listed = ", ".join(f"{side}: {value:.3f}" for side, value in means.items())
    first = better("SC18", drop)
    first = first._replace(verdict=first.verdict if rates[smallest] > rates[default] else FAILS)
    rate = f"{rates[smallest]:.1f} and {rates[default]:.1f} pictures a second"
    return [
        first._replace(evidence=f"F1 lost by the small graph, {first.evidence}; {rate}"),
        Verdict(
            "SC19",
            verdict,
            f"mF1 of larger patches, {shown}; the rate {'falls' if falls else 'does not fall'}",
        ),
        Verdict("SC20", third, f"mF1 by the patch's side, {listed}"),
    ]


def graph_claims(trials: Trials) -> list[Verdict]:
    """SC22, SC28, SC30 and SC31: what the learnt graph joins; over test pictures, seeds averaged.

    SC22 asks whether the nine strongest relations of a node reach farther than its eight neighbours do.
    """
    values = trials.groups[DEFAULT]
    found = results.graph_means(values)
    far, alike = found["distance"] - found["near"], found["same"] - found["other"]
    parts = [
        _over_pictures(
            "SC22", far, f"mean distance {found['distance'].mean():.1f} steps, of the neighbours 1.2"
        ),
        _over_pictures(
            "SC31",
            alike,
            f"mean weight: one class {found['same'].mean():.2f}, two classes {found['other'].mean():.2f}",
        ),
    ]
    deep = trials.groups.get("6 layers")
    if deep:
        smooth = results.graph_means(deep)
        depths = sorted(key for key in smooth if key.startswith("cosine"))
        rise = smooth[depths[-1]] - smooth[depths[1]]
        row = ", ".join(f"{smooth[key].mean():.2f}" for key in depths)
        parts.append(_over_pictures("SC28", rise, f"mean cosine of two nodes by depth: {row}"))
    else:
        parts.append(Verdict("SC28", NOT_RUN, "no deeper network was trained"))
    free = trials.groups.get(RESIDUAL)
    if free:
        without = results.graph_means(free)["diagonal"]
        shown = (
            f"mean clamped A_ii {found['diagonal'].mean():.2f} with the term, {without.mean():.2f} without"
        )
        parts.append(_over_pictures("SC30", found["diagonal"] - without, shown))
    else:
        parts.append(Verdict("SC30", NOT_RUN, "not trained without the term"))
    return parts


def other_claims(trials: Trials, ran: Sequence[str]) -> list[Verdict]:
    """SC27, SC29, SC32, SC34, SC39 and SC40.

    Parameters
    ----------
    trials : Trials
    ran : sequence of str
        Backbones and layers that trained.
    """
    deeper = {
        f"2 layers over {n}": trials.difference(DEFAULT, n) for n in ("3 layers", "4 layers", "6 layers")
    }
    gamma = {"gamma over 1": trials.difference(DEFAULT, "gamma = 1")}
    noise = {name: trials.noise(name) for name in (DEFAULT, "gamma = 1", "exact inverse")}
    index = list(trials.classes).index(trials.small)
    lost = results.merged(trials.groups[DEFAULT], index)
    fewer = f"predicted less true components of {trials.small}: {lost.mean():+.1f} a picture; DDCM was not trained here"
    gains = {c: trials.difference(DEFAULT, IDENTITY, c) for c in ("mF1", trials.small)}
    return [
        better("SC27", deeper),
        Verdict("SC29", WEAKLY if lost.mean() < 0 else FAILS, fewer),
        _joined(
            better("SC32", gamma),
            _fewer("SC32", {"loss noise, gamma, 1": (noise[DEFAULT], noise["gamma = 1"])}),
        ),
        _fewer("SC34", {"loss noise, 1 - log, inverse": (noise[DEFAULT], noise["exact inverse"])}),
        Verdict(
            "SC39", HOLDS if len(ran) >= 4 else NOT_RUN, "trained without other change: " + ", ".join(ran)
        ),
        better("SC40", {f"over A = I, {name}": d for name, d in gains.items()}),
    ]


def _losses(trials: Trials, setting: str, scores: Sequence[str]) -> dict[str, Difference]:
    """Return what a setting loses against both terms; a score that the data has no class for is left out."""
    known = [score for score in scores if score == "mF1" or score in trials.classes]
    return {f"{score} lost": trials.difference(BOTH, setting, score) for score in known}


def _fewer(claim: str, pairs: Mapping[str, tuple[float, float]]) -> Verdict:
    """Judge that the first number of every pair is below the second."""
    if any(np.isnan(pair).any() for pair in pairs.values()):
        return Verdict(claim, NOT_RUN, "not trained")
    held = [a < b for a, b in pairs.values()]
    shown = "; ".join(f"{name}: {_number(a)} and {_number(b)}" for name, (a, b) in pairs.items())
    return Verdict(claim, all_held(held), shown)


def _longer(claim: str, steps: float, default: float, ratio: float) -> Verdict:
    """Judge that some steps are more than so many times the default's."""
    if np.isnan(steps) or np.isnan(default) or np.isinf(default):
        return Verdict(claim, NOT_RUN, "not trained, or the default did not converge")
    found = steps / default
    verdict = HOLDS if found > ratio else WEAKLY if found > 1 else FAILS
    return Verdict(
        claim,
        verdict,
        f"{_number(steps)} steps against {_number(default)}, more than {ratio:g} times claimed",
    )


def _over_pictures(claim: str, values: np.ndarray, shown: str) -> Verdict:
    """Judge that a mean over pictures is above 0, by its 95 % interval of Student's t."""
    half = half_width(values.std(ddof=1), len(values)) if len(values) > 1 else np.inf
    return Verdict(claim, grade(float(values.mean()), float(values.mean() - half)), shown)


def _joined(first: Verdict, second: Verdict) -> Verdict:
    """Return the weaker of two verdicts with the evidence of both."""
    return Verdict(
        first.claim, worst([first.verdict, second.verdict]), f"{first.evidence}; {second.evidence}"
    )


def _number(value: float) -> str:
    return "never" if np.isinf(value) else f"{value:g}" if value >= 10 else f"{value:.3g}"
