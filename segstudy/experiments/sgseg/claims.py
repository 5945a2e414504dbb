"""The paper's claims as verdicts: SG1 to SG30.

Methods and changes are compared over paired seeds; superpixels over pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from segstudy.experiments.differences import paired_over_seeds
from segstudy.experiments.sgseg import jobs
from segstudy.experiments.sgseg.quality import AMORTISED, SLIC, SQUARES
from segstudy.experiments.sgseg.results import (
    Trial,
    accuracy,
    collapsed,
    gain_over,
    gains_over,
    largest_entropy,
)
from segstudy.experiments.sgseg.trials import AC, CNN_ALONE, SGSEG, SPNN_ALONE
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
)
from segstudy.metrics.paired import paired_difference

NOT_HERE = {
    "SG2": "a rank among published rows on COCO-Stuff, which is not at hand",
    "SG10": "two sets of labels of the same pictures are needed, as COCO-Stuff has them",
}
ALIKE, AGREE = 0.005, 0.9  # claims.csv's half a point; our word for orders that agree
SLOWER = 1.3  # claims.csv's bound for times over AC's
Superpixels = Mapping[str, Mapping[str, np.ndarray]]


def judge(
    trials: Mapping[str, Sequence[Trial]],
    changed: Mapping[str, Sequence[Trial]],
    superpixels: Superpixels,
    losses: Superpixels,
    numbers: Mapping[int, Mapping[str, np.ndarray]],
    costs: Mapping[str, Any],
    classes: int,
) -> list[Verdict]:
    """Judge all claims of the paper.

    Parameters
    ----------
    trials, changed : mapping of str to sequence of dict
        What :func:`~segstudy.experiments.sgseg.trials.train_trial` returned, by method and by change, seed by seed;
        the second may be empty.
    superpixels, losses : mapping of str to dict
        What :func:`~segstudy.experiments.sgseg.quality.judge_superpixels` returned, by source on the same pictures,
        and with losses left out.
    numbers : mapping of int to dict
        The same of an amortised SPNN by its number of superpixels.
    costs : mapping of str to dict
        What :func:`~segstudy.experiments.sgseg.jobs.costs` measured, by name.
    classes : int
    """
    found = _Found(trials, changed, superpixels, losses, numbers, costs, classes)
    verdicts = [Verdict(claim, NOT_TESTABLE, why) for claim, why in NOT_HERE.items()]
    return verdicts + [getattr(found, name)() for name in dir(found) if name.startswith("sg")]


class _Found:
    """What was measured, with a method for each claim."""

    def __init__(self, trials, changed, superpixels, losses, numbers, costs, classes) -> None:
        self.trials, self.changed, self.numbers, self.costs = trials, changed, numbers, costs
        self.superpixels, self.losses, self.classes = superpixels, losses, classes

    def _runs(self, name: str) -> Sequence[Trial]:
        return self.trials.get(name) or self.changed.get(name) or ()

    def _compare(self, claim: str, a: str, b: str) -> Verdict:
        """Judge the claim that one method or change is better than another."""
        left, right = self._runs(a), self._runs(b)
        if not left or not right:
            return Verdict(claim, NOT_RUN, f"{a} and {b} were not both trained")
        gain = gain_over(left, right)
        return Verdict(claim, grade(gain.mean, gain.low), f"accuracy, {a} less {b}: {gain}")

    def _best(self, claim: str, letter: str, than: float) -> Verdict:
        """Judge the claim that the default of a number beats others: those up to `than` times as large, or all."""
        runs = {int(n.split("= ")[1]): v for n, v in self.changed.items() if n.startswith(f"{letter} = ")}
        swept = {n: _mean(values) for n, values in runs.items()}
        judged = {n: score for n, score in swept.items() if n >= than * max(swept)}
        if not judged or not self._runs(SGSEG):
            return Verdict(claim, NOT_RUN, f"{letter} was not swept")
        # the default with the seeds that the others have: it has more for the comparison of methods
        default = _mean(self._runs(SGSEG)[: min(map(len, runs.values()))])
        shown = ", ".join(f"{letter} {n}: {score:.3f}" for n, score in sorted(swept.items()))
        held = all(score < default for score in judged.values())
        return Verdict(claim, WEAKLY if held else FAILS, f"accuracy {shown}, default {default:.3f}")

    def sg1(self) -> Verdict:
        rivals = gains_over(self.trials, SGSEG)
        if not rivals:
            return Verdict("SG1", NOT_RUN, "SGSeg or all others were not trained")
        shown = "; ".join(f"{name} {gain}" for name, gain in rivals.items())
        return Verdict("SG1", all_above(rivals.values()), f"accuracy of SGSeg less {shown}")

    def sg3(self) -> Verdict:
        return self._compare("SG3", SGSEG, CNN_ALONE)

    def sg4(self) -> Verdict:
        return self._compare("SG4", jobs.END_TO_END, jobs.DISJOINT)

    def sg5(self) -> Verdict:
        return self._compare("SG5", jobs.PRETRAINED, jobs.END_TO_END)

    def sg6(self) -> Verdict:
        if not self._runs(CNN_ALONE) or not self._runs(AC):
            return Verdict("SG6", NOT_RUN, "AC or the network alone was not trained")
        gain = gain_over(self._runs(CNN_ALONE), self._runs(AC))
        near = max(abs(gain.low), abs(gain.high)) <= ALIKE
        word = HOLDS if near else WEAKLY if gain.low < 0 < gain.high else FAILS
        return Verdict("SG6", word, f"accuracy, {CNN_ALONE} less {AC}: {gain}; alike is within {ALIKE:g}")

    def sg7(self) -> Verdict:
        return self._compare("SG7", CNN_ALONE, AC)

    def sg8(self) -> Verdict:
        return self._compare("SG8", SPNN_ALONE, CNN_ALONE)

    def sg9(self) -> Verdict:
        return self._compare("SG9", SGSEG, SPNN_ALONE)

    def sg11(self) -> Verdict:
        return self._best("SG11", "N", than=1.0)

    def sg12(self) -> Verdict:
        if len(self.numbers) < 2:
            return Verdict("SG12", NOT_RUN, "superpixels of other numbers were not judged")
        counts = sorted(self.numbers)
        gains = [
            paired_difference(self.numbers[more][key], self.numbers[fewer][key])
            for fewer, more in pairwise(counts)
            for key in ("recall", "accuracy")
        ]
        shown = "; ".join(
            f"N {n}: recall {np.mean(self.numbers[n]['recall']):.3f}, achievable accuracy "
            f"{np.mean(self.numbers[n]['accuracy']):.3f}"
            for n in counts
        )
        return Verdict("SG12", all_above(gains), shown)

    def sg13(self) -> Verdict:
        return self._compare("SG13", "PointNet", "DGCNN")

    def sg14(self) -> Verdict:
        names = ("PointNet", "DGCNN", "no GNN")
        if not all(self._runs(name) for name in names):
            return Verdict("SG14", NOT_RUN, "the graph networks were not compared")
        gains = {name: gain_over(self._runs(name), self._runs("no GNN")) for name in names[:2]}
        shown = "; ".join(f"{name} {gain}" for name, gain in gains.items())
        return Verdict("SG14", all_above(gains.values()), f"accuracy less no GNN: {shown}")

    def sg15(self) -> Verdict:
        names = ("PointNet", "DGCNN", jobs.SHUFFLED)
        if not all(self._runs(name) for name in (*names, "DiffGCN")):
            return Verdict("SG15", NOT_RUN, "the graph networks were not compared, or no places shuffled")
        gains = {name: gain_over(self._runs("DiffGCN"), self._runs(name)) for name in names}
        shown = "; ".join(f"{name} {gain}" for name, gain in gains.items())
        return Verdict("SG15", all_above(gains.values()), f"accuracy of DiffGCN less {shown}")

    def sg16(self) -> Verdict:
        return self._best("SG16", "k", than=0.0)

    def sg17(self) -> Verdict:
        if AMORTISED not in self.superpixels or SQUARES not in self.superpixels:
            return Verdict("SG17", NOT_RUN, "superpixels were not compared")
        ours, grid = (self.superpixels[name]["spacing"] for name in (AMORTISED, SQUARES))
        gain = paired_difference(ours, grid)
        shown = f"spread of the distance to the nearest superpixel over its mean, {np.nanmean(ours):.2f}, of a grid "
        return Verdict("SG17", grade(gain.mean, gain.low), f"{shown}{np.nanmean(grid):.2f}")

    def sg18(self) -> Verdict:
        plain = self._runs("no total variation")
        if not plain:
            return Verdict("SG18", NOT_RUN, "no network was trained without total variation")
        smooth = [value["variation"] for value in self._runs(SGSEG)][: len(plain)]
        gain = paired_over_seeds([value["variation"] for value in plain], smooth)
        shown = f"variation of the features over their spread, without the loss less with it: {gain}"
        return Verdict("SG18", grade(gain.mean, gain.low), shown)

    def sg19(self) -> Verdict:
        runs = self._runs(SGSEG)
        if not runs:
            return Verdict("SG19", NOT_RUN, "SGSeg was not trained")
        ratios = np.asarray(runs[0]["apart"])
        gain = paired_difference(np.ones_like(ratios), ratios)
        shown = f"distance within classes over between: {np.nanmean(ratios):.3f}"
        colours = f"of the colours themselves {np.nanmean(runs[0]['apart, colours']):.3f}"
        return Verdict("SG19", grade(gain.mean, gain.low), f"{shown}; {colours} (first seed)")

    def sg20(self) -> Verdict:
        if AMORTISED not in self.superpixels or SLIC not in self.superpixels:
            return Verdict("SG20", NOT_RUN, "superpixels were not compared")
        ours, slic = self.superpixels[AMORTISED], self.superpixels[SLIC]
        gains = {key: paired_difference(ours[key], slic[key]) for key in ("accuracy", "precision")}
        shown = "; ".join(f"{key} {g.mean:+.3f} [{g.low:+.3f}, {g.high:+.3f}]" for key, g in gains.items())
        count = f"{ours['count'].mean():.0f} and {slic['count'].mean():.0f} superpixels"
        return Verdict(
            "SG20", all_held(g.low > 0 for g in gains.values()), f"SPNN less SLIC: {shown}; {count}"
        )

    def sg21(self) -> Verdict:
        ours, free = self.superpixels.get(AMORTISED), self.losses.get("sizes free")
        if ours is None or free is None:
            return Verdict("SG21", NOT_RUN, "SPNN was not trained with lambda = 0")
        falls = paired_difference(ours["unsure at first"], ours["unsure"])
        needed = paired_difference(ours["even"], free["even"])
        shown = f"pixels' entropy over log N falls from {np.mean(ours['unsure at first']):.2f} to "
        shown += f"{np.mean(ours['unsure']):.2f}; that of the superpixels' weights is {np.mean(ours['even']):.2f}, "
        shown += f"and {np.mean(free['even']):.2f} with lambda = 0 (our word for near: {AGREE:g})"
        held = [falls.low > 0, np.mean(ours["even"]) > AGREE, needed.low > 0]
        return Verdict("SG21", all_held(held), shown)

    def sg22(self) -> Verdict:
        if "no edges" not in self.losses or AMORTISED not in self.superpixels:
            return Verdict("SG22", NOT_RUN, "SPNN was not trained without the edge loss")
        gain = paired_difference(self.superpixels[AMORTISED]["recall"], self.losses["no edges"]["recall"])
        shown = f"boundary recall with less without: {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
        return Verdict("SG22", grade(gain.mean, gain.low), f"{shown} over pictures")

    def sg23(self) -> Verdict:
        return Verdict(
            "SG23", HOLDS, "the mutual information's gradient reaches every layer of SPNN (a test)"
        )

    def sg24(self) -> Verdict:
        runs, plain = self._runs(SGSEG), self._runs(SPNN_ALONE)
        if not runs or not plain:
            return Verdict("SG24", NOT_RUN, "SGSeg and superpixels without a graph were not both trained")
        count = min(len(runs), len(plain))
        far = [[value["reach"] for value in part[:count]] for part in (runs, plain)]
        gain, span = paired_over_seeds(*far), float(np.mean([value["span"] for value in runs]))
        shown = f"gradient that comes from beyond half a side: {np.mean(far[0]):.3f} with the graph, "
        shown += (
            f"{np.mean(far[1]):.3f} without, {gain}; its edges are {span:.2f} times as long as to the nearest"
        )
        return Verdict("SG24", all_held([gain.low > 0 or (count == 1 and gain.mean > 0), span > 1]), shown)

    def sg25(self) -> Verdict:
        found = self.costs["graphs"]
        rows = [
            (f"{found['nodes']} superpixels against {row['pixels']} pixels", *row["ratio, with projections"])
            for row in found["rows"]
        ]
        shown = "; ".join(f"{name}: {median:.1f} [{low:.1f}, {high:.1f}]" for name, low, median, high in rows)
        shown = (
            f"time of a graph of pixels over one of superpixels, Eqs. 3 and 6 included: {shown} (quartiles)"
        )
        return Verdict("SG25", all_held(low > 1 for _, low, _, _ in rows), shown)

    def sg26(self) -> Verdict:
        runs = [value for value in self._runs(SGSEG) if not collapsed(value)]
        if not runs:
            return Verdict("SG26", NOT_RUN, "SGSeg was not trained, or collapsed")
        agreement, entropy = (float(np.mean([v[key] for v in runs])) for key in ("agreement", "entropy"))
        most = largest_entropy(self.classes)
        shown = f"two orders agree on {agreement:.3f} of the pixels, entropy {entropy:.2f} of {most:.2f}"
        held = [agreement > AGREE, entropy > most / 2]
        return Verdict("SG26", all_held(held), f"{shown} at most (our words: .9, half)")

    def sg27(self) -> Verdict:
        found, counted = self.costs["steps"], self.costs["expected"]["ratio"]
        held, shown = [], []
        for step, by_counting in zip(("training", "inference"), counted, strict=True):
            low, median, high = found[step]["ratio"]
            held.append(high <= SLOWER)
            shown.append(f"{step} {median:.2f} [{low:.2f}, {high:.2f}], {by_counting:.1f} by multiply-adds")
        where = f"{found['side']} x {found['side']}, {found['device']}"
        return Verdict(
            "SG27", all_held(held), f"SGSeg's time over AC's (quartiles): {'; '.join(shown)}; {where}"
        )

    def sg28(self) -> Verdict:
        return self._compare("SG28", SGSEG, AC)

    def sg29(self) -> Verdict:
        return self._compare("SG29", SGSEG, "weight decay 1e-4")

    def sg30(self) -> Verdict:
        runs, aligned = self._runs("DiffGCN"), self._runs(jobs.ALIGNED)
        if not runs or not aligned:
            return Verdict("SG30", NOT_RUN, "no network that aligns places was trained")
        gain = gain_over(aligned, runs)
        word = FAILS if gain.low > 0 else HOLDS if gain.high <= ALIKE else WEAKLY
        return Verdict("SG30", word, f"accuracy, places aligned less as they are: {gain}")


def _mean(runs: Sequence[Trial]) -> float:
    return float(np.mean([accuracy(value) for value in runs]))
