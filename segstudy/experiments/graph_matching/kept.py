"""The networks of notebook 01 that other notebooks may take over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from segstudy.experiments.graph_matching.jobs import trained
from segstudy.experiments.graph_matching.trainings import restore
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.unet import UNetSegmenter

KEPT = {
    100: "U-Net",
    25: "U-Net, few masks",
}  # by the share of the pictures that they learned from, in percent


def networks(parameters: dict[str, Any]) -> Iterator[KeptNetwork]:
    """Yield the networks, seed by seed; `parameters` are the notebook's."""
    restored = partial(_restored, size=tuple(parameters["size"]))
    for job in trained(parameters):
        method = KEPT.get(job.arguments["share"])
        if method:
            part = f"{parameters['dataset']}/train"
            yield KeptNetwork(method, job, part, "IoU, validation", _best_score, restored)


def _best_score(value: Value) -> float:
    return float(value["scores"][value["best_epoch"]])


def _restored(value: Value, size: tuple[int, int]) -> UNetSegmenter:
    segmenter = UNetSegmenter(len(value["weights"]["head.bias"]), size)
    segmenter.model_ = restore(value["weights"])
    return segmenter
