"""The experiments, cached by content: votes and no votes, on the same pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from segstudy.cache import Experiment
from segstudy.datasets import open_dataset
from segstudy.experiments.verdicts import Verdict, grade
from segstudy.metrics import match_clusters_per_image, mean_iou, paired_difference
from segstudy.papers.voting import Voting


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return the grid: the null baseline, which is no round, then the paper's method."""
    return [
        Experiment(score, {"rounds": rounds, "images": parameters["images"]})
        for rounds in (0, parameters["rounds"])
    ]


def score(rounds: int, images: int) -> np.ndarray:
    """Return the mean IoU of each of so many drawn pictures, clusters matched to classes by the truth."""
    dataset = open_dataset("microbes", split="test", count=images, size=(64, 64))
    pairs = [(sample.labels, Voting(rounds).segment(sample.image)) for sample in dataset]
    return np.array([mean_iou(match_clusters_per_image(truth, found, 2)[1]) for truth, found in pairs])


def judge(with_votes: np.ndarray, without: np.ndarray) -> Verdict:
    """Judge claim V1: votes help, where the 95 % interval over pictures of what they add lies above 0."""
    gain = paired_difference(with_votes, without)
    evidence = f"IoU {gain.mean:+.3f} ({gain.low:+.3f}, {gain.high:+.3f}) over {gain.n} pictures"
    return Verdict("V1", grade(gain.mean, gain.low), evidence)
