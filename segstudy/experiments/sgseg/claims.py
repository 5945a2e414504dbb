"""The paper's claims as verdicts: SG1 to SG30.

Methods and changes are compared over paired seeds; superpixels over pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segstudy.experiments.differences import Difference, paired_over_seeds
from segstudy.experiments.sgseg import jobs
from segstudy.experiments.sgseg.quality import AMORTISED, SLIC
from segstudy.experiments.sgseg.results import Trial, accuracy, collapsed, gains_over, largest_entropy
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
LATER = {
    "SG12": "superpixels of other numbers were not judged",
    "SG15": "shuffled coordinates were not tried",
    "SG17": "the spacing of superpixels was not measured",
    "SG19": "distances of features within and between classes were not measured",
    "SG21": "the weight lambda was not swept",
    "SG24": "no far superpixel was changed",
    "SG25": "a graph of pixels was not timed",
    "SG27": "times were not measured side by side",
    "SG30": "no network that aligns coordinates was trained",
}
ALIKE, AGREE = 0.005, 0.9  # claims.csv's half a point; our word for orders that agree
Superpixels = Mapping[str, Mapping[str, np.ndarray]]


def judge(
    trials: Mapping[str, Sequence[Trial]],
    changed: Mapping[str, Sequence[Trial]],
    superpixels: Superpixels,
    losses: Superpixels,
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
    classes : int
    """
    found = _Found(trials, changed, superpixels, losses, classes)
    verdicts = [Verdict(claim, NOT_TESTABLE, why) for claim, why in NOT_HERE.items()]
    verdicts += [Verdict(claim, NOT_RUN, why) for claim, why in LATER.items()]
    return verdicts + [getattr(found, name)() for name in dir(found) if name.startswith("sg")]


class _Found:
    """What was measured, with a method for each claim."""

    def __init__(self, trials, changed, superpixels, losses, classes) -> None:
        self.trials, self.changed = trials, changed
        self.superpixels, self.losses, self.classes = superpixels, losses, classes

    def _runs(self, name: str) -> Sequence[Trial]:
        return self.trials.get(name) or self.changed.get(name) or ()

    def _mean(self, name: str) -> float:
        return float(np.mean([accuracy(value) for value in self._runs(name)]))

    def _gain(self, a: Sequence[Trial], b: Sequence[Trial]) -> Difference:
        count = min(len(a), len(b))
        return paired_over_seeds([accuracy(v) for v in a[:count]], [accuracy(v) for v in b[:count]])

    def _compare(self, claim: str, a: str, b: str) -> Verdict:
        """Judge the claim that one method or change is better than another."""
        left, right = self._runs(a), self._runs(b)
        if not left or not right:
            return Verdict(claim, NOT_RUN, f"{a} and {b} were not both trained")
        gain = self._gain(left, right)
        return Verdict(claim, grade(gain.mean, gain.low), f"accuracy, {a} less {b}: {gain}")

    def _best(self, claim: str, letter: str, than: float) -> Verdict:
        """Judge the claim that the default of a number beats others: those up to `than` times as large, or all."""
        default = self._mean(SGSEG) if self._runs(SGSEG) else float("nan")
        swept = {int(n.split("= ")[1]): self._mean(n) for n in self.changed if n.startswith(f"{letter} = ")}
        judged = {n: score for n, score in swept.items() if n >= than * max(swept)}
        if not judged:
            return Verdict(claim, NOT_RUN, f"{letter} was not swept")
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
        gain = self._gain(self._runs(CNN_ALONE), self._runs(AC))
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

    def sg13(self) -> Verdict:
        return self._compare("SG13", "PointNet", "DGCNN")

    def sg14(self) -> Verdict:
        names = ("PointNet", "DGCNN", "no GNN")
        if not all(self._runs(name) for name in names):
            return Verdict("SG14", NOT_RUN, "the graph networks were not compared")
        gains = {name: self._gain(self._runs(name), self._runs("no GNN")) for name in names[:2]}
        shown = "; ".join(f"{name} {gain}" for name, gain in gains.items())
        return Verdict("SG14", all_above(gains.values()), f"accuracy less no GNN: {shown}")

    def sg16(self) -> Verdict:
        return self._best("SG16", "k", than=0.0)

    def sg18(self) -> Verdict:
        plain = self._runs("no total variation")
        if not plain:
            return Verdict("SG18", NOT_RUN, "no network was trained without total variation")
        smooth = [value["variation"] for value in self._runs(SGSEG)][: len(plain)]
        gain = paired_over_seeds([value["variation"] for value in plain], smooth)
        shown = f"variation of the features over their spread, without the loss less with it: {gain}"
        return Verdict("SG18", grade(gain.mean, gain.low), shown)

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

    def sg26(self) -> Verdict:
        runs = [value for value in self._runs(SGSEG) if not collapsed(value)]
        if not runs:
            return Verdict("SG26", NOT_RUN, "SGSeg was not trained, or collapsed")
        agreement, entropy = (float(np.mean([v[key] for v in runs])) for key in ("agreement", "entropy"))
        most = largest_entropy(self.classes)
        shown = f"two orders agree on {agreement:.3f} of the pixels, entropy {entropy:.2f} of {most:.2f}"
        held = [agreement > AGREE, entropy > most / 2]
        return Verdict("SG26", all_held(held), f"{shown} at most (our words: .9, half)")

    def sg28(self) -> Verdict:
        return self._compare("SG28", SGSEG, AC)

    def sg29(self) -> Verdict:
        return self._compare("SG29", SGSEG, "weight decay 1e-4")
