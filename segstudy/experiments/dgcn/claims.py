"""The paper's claims as verdicts: DG1 to DG29.

What differs between trainings is judged over paired seeds; what differs between labels of one network over seeds too,
by the sign in each. A range that the paper calls stable has its own number in claims.csv, taken here as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from segstudy.experiments.dgcn import jobs
from segstudy.experiments.dgcn.borders import border_f_scores
from segstudy.experiments.dgcn.edges import ALL, CHANCE
from segstudy.experiments.dgcn.results import Networks, class_iou, label_scores, miou
from segstudy.experiments.differences import Difference, paired_over_seeds
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
from segstudy.papers.dgcn.batch_losses import WARM_UP

PUBLISHED_ONLY = {
    "DG4": "ResNet-38 and ResNet-101 take a GPU; their layouts are in the package",
    "DG6": "the paper trained on 10,582 pictures of VOC 2012",
    "DG7": "RRM was not trained",
    "DG14": "COCO is not at hand",
    "DG15": "other published methods were not trained under these conditions",
}
STABLE_K, STABLE_THETA = 0.005, 0.01  # ranges of claims.csv


def judge(
    networks: Networks,
    changed: Mapping[str, Mapping[str, Any]],
    labels: Sequence[Mapping[str, Any]],
    cues: Sequence[Any],
    edges: Mapping[str, np.ndarray],
    classes: Sequence[str],
) -> list[Verdict]:
    """Judge all claims of the paper.

    Parameters
    ----------
    networks : mapping of str to sequence of dict
        What :func:`~segstudy.experiments.dgcn.networks.train_way` returned, by names of `jobs.MAIN`, seed by seed.
    changed : mapping of str to dict
        By names of `jobs.CHANGED`, of the first seed; may be empty.
    labels, cues : sequence of dict
        What `judge_labels` and `judge_cues` returned, seed by seed.
    edges : mapping of str to ndarray
        What `judge_edges` returned.
    classes : sequence of str
    """
    found = _Found(networks, changed, labels, cues, edges, list(classes))
    verdicts = [Verdict(claim, NOT_TESTABLE, why) for claim, why in PUBLISHED_ONLY.items()]
    return verdicts + [getattr(found, name)() for name in dir(found) if name.startswith("dg")]


class _Found:
    """What was measured, with a method for each claim."""

    def __init__(self, networks, changed, labels, cues, edges, classes) -> None:
        self.networks, self.changed = networks, changed
        self.labels, self.cues, self.edges, self.classes = labels, cues, edges, classes

    def _gain(self, a: str, b: str) -> Difference:
        left, right = (self.networks.get(name, ()) for name in (a, b))
        return paired_over_seeds(
            *([miou(v) for v in part[: min(len(left), len(right))]] for part in (left, right))
        )

    def _compare(self, claim: str, a: str, b: str, also: Sequence[str] = ()) -> Verdict:
        gain = self._gain(a, b)
        shown = f"{a} less {b}: {gain}"
        shown += "".join(
            f"; {other} less {b}: {self._gain(other, b)}" for other in also if other in self.networks
        )
        return Verdict(claim, grade(gain.mean, gain.low), shown)

    def _labels(self, name: str, score: str) -> np.ndarray:
        return np.array([label_scores(value["labels"][name])[score] for value in self.labels])

    def _class_gains(self) -> np.ndarray:
        cut, regions = (self.networks.get(name, ()) for name in (jobs.CUT, jobs.DSRG))
        if not cut or not regions:
            return np.full(len(self.classes), np.nan)
        return np.mean([class_iou(a) - class_iou(b) for a, b in zip(cut, regions, strict=False)], axis=0)

    def _trained(self, claim: str, names: Sequence[str], limit: float) -> Verdict:
        """Grade the claim that the mIoU of some trainings, and of the default, stays within a range."""
        found = {name: miou(self.changed[name]) for name in names if name in self.changed}
        if not found:
            return Verdict(claim, NOT_RUN, "its settings were not swept")
        found["default"] = miou(self.networks[jobs.CUT][0])
        shown = ", ".join(f"{name} {score:.3f}" for name, score in found.items())
        width = max(found.values()) - min(found.values())
        verdict = HOLDS if width <= limit else WEAKLY if width <= 2 * limit else FAILS
        return Verdict(
            claim, verdict, f"mIoU {shown}: a range of {width:.3f}, one seed; the claim's {limit:g}"
        )

    def dg1(self) -> Verdict:
        return self._compare("DG1", jobs.CUT, jobs.DSRG, [jobs.REFINED])

    def dg2(self) -> Verdict:
        gains = dict(zip(self.classes, self._class_gains(), strict=True))
        wanted = {"aeroplane", "diningtable"}
        if not wanted <= set(gains):
            return Verdict("DG2", NOT_TESTABLE, "there are no airplanes and tables in these pictures")
        best = sorted(gains, key=lambda name: -np.nan_to_num(gains[name], nan=-1))[:2]
        held = [name in best for name in sorted(wanted)]
        shown = ", ".join(f"{name} {gains[name]:+.3f}" for name in [*best, *sorted(wanted - set(best))])
        return Verdict("DG2", all_held(held), f"the largest gains and these two: {shown}")

    def dg3(self) -> Verdict:
        gains, sizes = self._class_gains()[1:], np.mean([value["sizes"] for value in self.cues], axis=0)[1:]
        known = np.isfinite(gains) & np.isfinite(sizes)
        if known.sum() < 4:
            return Verdict("DG3", NOT_RUN, "too few classes")
        rho = float(spearmanr(gains[known], sizes[known]).statistic)
        areas = [self._labels(name, "coverage") for name in ("theta 0.7", "region growing .85/.99")]
        held = [rho > 0, bool((areas[0] > areas[1]).all())]
        shown = (
            f"rank correlation of gain with size {rho:+.2f} over {int(known.sum())} classes; labelled area "
        )
        return Verdict(
            "DG3", all_held(held), f"{shown}{areas[0].mean():.2f}, of region growing {areas[1].mean():.2f}"
        )

    def dg5(self) -> Verdict:
        return self._compare("DG5", jobs.RETRAINED, jobs.REFINED)

    def dg8(self) -> Verdict:
        names = [name for name in jobs.CUES if name in self.changed]
        if not names:
            return Verdict("DG8", NOT_RUN, "other cues were not tried")
        runs = [self.networks[jobs.CUT][0], *(self.changed[name] for name in names)]
        precision = [label_scores(run["labels"][0])["object precision"] for run in runs]
        scores = [miou(run) for run in runs]
        rho = float(spearmanr(precision, scores).statistic)
        pairs = ", ".join(f"{p:.2f}: {s:.3f}" for p, s in sorted(zip(precision, scores, strict=True)))
        shown = f"mIoU by the cues' precision of objects: {pairs} (one seed); rank correlation {rho:+.2f}"
        return Verdict("DG8", HOLDS if rho > 0.9 else WEAKLY if rho > 0 else FAILS, shown)

    def dg9(self) -> Verdict:
        return self._compare("DG9", jobs.SPREAD, jobs.DSRG)

    def dg10(self) -> Verdict:
        return self._trained("DG10", list(jobs.KS), STABLE_K)

    def dg11(self) -> Verdict:
        return self._trained("DG11", list(jobs.THETAS), STABLE_THETA)

    def dg12(self) -> Verdict:
        precision, recall = (
            np.mean([self._labels(f"theta {t:g}", s) for t in (0.0, 0.3, 0.5, 0.7, 0.9)], axis=1)
            for s in ("object precision", "object recall")
        )
        held = [bool((np.diff(precision) >= 0).all()), bool((np.diff(recall) <= 0).all())]
        shown = f"theta 0 to .9: precision of objects {precision[0]:.2f} to {precision[-1]:.2f}"
        shown += f", recall {recall[0]:.2f} to {recall[-1]:.2f}"
        if "theta 0" in self.changed:
            trained = miou(self.changed["theta 0"]), miou(self.networks[jobs.CUT][0])
            held.append(trained[0] < trained[1])
            shown += f"; mIoU trained with 0 {trained[0]:.3f}, with .7 {trained[1]:.3f} (one seed)"
        return Verdict("DG12", all_held(held), shown)

    def dg13(self) -> Verdict:
        known = {name: miou(self.changed[name]) for name in jobs.BACKGROUNDS if name in self.changed}
        if not known:
            return Verdict("DG13", NOT_RUN, "no second threshold was tried")
        one = miou(self.networks[jobs.CUT][0])
        shown = f"mIoU without a threshold of the background {one:.3f}; with one " + ", ".join(
            f"{name} {score:.3f}" for name, score in known.items()
        )
        held = all(score <= one for score in known.values())
        return Verdict("DG13", WEAKLY if held else FAILS, f"{shown} (one seed)")

    def dg16(self) -> Verdict:
        return self._more(
            "DG16", "mIoU", "theta 0.7", "region growing .85/.99", "labels of the training pictures"
        )

    def _more(self, claim: str, score: str, a: str, b: str, what: str) -> Verdict:
        gain = paired_over_seeds(self._labels(a, score), self._labels(b, score))
        return Verdict(claim, grade(gain.mean, gain.low), f"{what}, {score}, {a} less {b}: {gain}")

    def dg17(self) -> Verdict:
        scores = [label_scores(value["seeds"]) for value in self.cues]
        precision, recall = (np.mean([s[f"object {n}"] for s in scores]) for n in ("precision", "recall"))
        held = [recall < 0.5, precision > 0.8]
        shown = f"cues of objects: precision {precision:.2f}, recall {recall:.2f}"
        shown += " (our words: low is below .5, high above .8)"
        return Verdict("DG17", all_held(held), shown)

    def dg18(self) -> Verdict:
        return self._compare("DG18", jobs.CUT, jobs.STATIC, [jobs.REFINED])

    def dg19(self) -> Verdict:
        reach = {
            way: np.array(
                [value["second"][way][0] / max(value["second"][way][1], 1) for value in self.labels]
            )
            for way in self.labels[0]["second"]
        }
        if not self.labels[0]["second"]["graph cut"][1]:
            return Verdict("DG19", NOT_RUN, "no picture shows a class in two pieces")
        gain = paired_over_seeds(reach["graph cut"], reach["region growing"])
        shown = "of the pieces without a cue labelled right: " + ", ".join(
            f"{way} {share.mean():.3f}" for way, share in reach.items()
        )
        return Verdict("DG19", grade(gain.mean, gain.low), f"{shown}; cut less region growing {gain}")

    def dg26(self) -> Verdict:
        cut, full = (self.networks.get(name, ()) for name in (jobs.CUT, jobs.FULL))
        if not {"train", "boat"} <= set(self.classes) or not cut or not full:
            return Verdict(
                "DG26", NOT_RUN, "there are no trains and boats, or no full supervision to compare with"
            )
        lost = np.mean([class_iou(b) - class_iou(a) for a, b in zip(cut, full, strict=True)], axis=0)
        named = np.isin(self.classes, ["train", "boat"])
        others = ~named & (np.arange(len(lost)) > 0)
        there, else_where = np.nanmean(lost[named]), np.nanmean(lost[others])
        shown = (
            f"IoU that masks would add: trains and boats {there:+.3f}, the other objects {else_where:+.3f}"
        )
        return Verdict("DG26", HOLDS if there > else_where else FAILS, shown)

    def dg20(self) -> Verdict:
        others = [name for name in self.edges if name not in (ALL, CHANCE)]
        gains = {name: paired_difference(self.edges[ALL], self.edges[name]) for name in others}
        shown = f"edges of one class: all layers {np.nanmean(self.edges[ALL]):.3f}; less "
        shown += "; ".join(
            f"{name} {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]" for name, gain in gains.items()
        )
        return Verdict("DG20", all_above(gains.values()), f"{shown} (over pictures)")

    def dg21(self) -> Verdict:
        own, chance = np.nanmean(self.edges[ALL]), np.nanmean(self.edges[CHANCE])
        held = own - chance > 0.1
        shown = f"{own:.3f} of the edges join pixels of one class, {chance:.3f} of random pairs (well above: our .1)"
        return Verdict("DG21", HOLDS if held else WEAKLY if own > chance else FAILS, shown)

    def dg22(self) -> Verdict:
        both = self._labels("theta 0", "mIoU")
        held, shown = [], [f"labels' mIoU with both {both.mean():.3f}"]
        for name in ("t-links only", "n-links only"):
            alone = self._labels(name, "mIoU")
            held.append(bool((both > alone).all()))
            shown.append(f"{name} {alone.mean():.3f}")
        return Verdict("DG22", all_held(held), ", ".join(shown))

    def _by_epoch(self, score: str) -> np.ndarray:
        runs = self.networks.get(jobs.CUT, ())
        return np.array([[label_scores(counts)[score] for counts in run["labels"]] for run in runs])

    def dg23(self) -> Verdict:
        grown = self._by_epoch("mIoU")[:, WARM_UP:]
        if grown.shape[1] < 3:
            return Verdict("DG23", NOT_RUN, "too few epochs")
        rise, last = grown[:, -1] - grown[:, 0], np.abs(grown[:, -1] - grown[:, -2])
        held = [bool((rise > 0).all()), bool((last < np.maximum(rise, 0.01)).all())]
        shown = f"mIoU of the labels from {grown[:, 0].mean():.3f}, when growth begins, to {grown[:, -1].mean():.3f}"
        shown += f"; the last epoch changes {last.mean():.3f}"
        return Verdict("DG23", all_held(held), shown)

    def dg24(self) -> Verdict:
        return self._more(
            "DG24", "accuracy", "theta 0.7", "likeliest", "what is labelled, against labelling all"
        )

    def dg25(self) -> Verdict:
        if jobs.EVEN not in self.changed:
            return Verdict("DG25", NOT_RUN, "one normaliser was not tried")
        two, one = miou(self.networks[jobs.CUT][0]), miou(self.changed[jobs.EVEN])
        return Verdict(
            "DG25", WEAKLY if two > one else FAILS, f"mIoU {two:.3f} with two, {one:.3f} with one (one seed)"
        )

    def dg27(self) -> Verdict:
        runs = [
            run
            for name in (jobs.CUT, jobs.REFINED)
            for run in self.networks.get(name, ())
            if "borders" in run
        ]
        if not runs:
            return Verdict("DG27", NOT_RUN, "no test picture was refined by the CRF")
        plain, smooth = (
            np.array([border_f_scores(np.asarray(run["borders"][kind])) for run in runs])
            for kind in ("test", "crf")
        )
        if np.isnan(plain).any():
            return Verdict("DG27", NOT_RUN, "no two objects touch in these pictures")
        held = [bool((smooth[:, 0] < smooth[:, 1]).all()), bool((smooth[:, 0] < plain[:, 0]).all())]
        shown = "F of borders between two objects and between object and background: plain {:.3f} and {:.3f}"
        shown += ", after the CRF {:.3f} and {:.3f}"
        means = [*plain.mean(axis=0), *smooth.mean(axis=0)]
        return Verdict("DG27", all_held(held), shown.format(*means) + f" (means of {len(runs)} networks)")

    def dg28(self) -> Verdict:
        runs = [run["mended"] for run in self.networks.get(jobs.CUT, ())]
        if not runs:
            return Verdict("DG28", NOT_RUN, "no labels grew")
        wrong, mended, right, lost = np.sum(runs, axis=0)
        shown = f"of the first grown labels that were wrong {mended / max(wrong, 1):.3f} end right"
        shown += f"; of those right {lost / max(right, 1):.3f} end wrong"
        return Verdict("DG28", HOLDS if mended > 0 else FAILS, shown)

    def dg29(self) -> Verdict:
        both = self._labels("theta 0.7", "object precision")
        held, shown = [], [f"precision of objects with both {both.mean():.3f}"]
        for name, word in (("theta 0", "the cut alone"), ("likeliest, H > 0.7", "the threshold alone")):
            alone = self._labels(name, "object precision")
            held.append(bool((both > alone).all()))
            shown.append(f"{word} {alone.mean():.3f}")
        return Verdict("DG29", all_held(held), ", ".join(shown))
