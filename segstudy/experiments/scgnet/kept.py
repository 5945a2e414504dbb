"""The networks of notebook 05 that other notebooks may take over, on its first backbone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from segstudy.datasets import open_dataset
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.scgnet.jobs import DEFAULT, compared
from segstudy.experiments.scgnet.models import HEAD, IDENTITY, build_model
from segstudy.experiments.scgnet.results import scores
from segstudy.experiments.weights import filled
from segstudy.papers.scgnet.segmenter import SCGNetSegmenter

KEPT = {DEFAULT: "SCG-GCN", IDENTITY: "SCG-GCN, A = I", HEAD: "SCG-Net's trunk, 1x1 head"}


def networks(parameters: dict[str, Any]) -> Iterator[KeptNetwork]:
    """Yield the networks, seed by seed; `parameters` are the notebook's."""
    part = f"{parameters['dataset']}/train"
    classes = open_dataset(parameters["dataset"], split="train").classes
    score = partial(_mf1, classes=classes)
    for job in compared(parameters):
        if job.arguments["keep"]:
            restored = partial(_restored, arguments=job.arguments, count=len(classes))
            yield KeptNetwork(KEPT[job.arguments["name"]], job, part, "mF1, test", score, restored)


def _mf1(value: Value, classes: Sequence[str]) -> float:
    return scores(value, classes)["mF1"]


def _restored(value: Value, arguments: dict[str, Any], count: int) -> SCGNetSegmenter:
    segmenter = SCGNetSegmenter(count, size=arguments["recipe"]["size"])
    options = {"num_classes": count, "in_channels": value["bands"], "seed": arguments["seed"]}
    segmenter.model_ = filled(build_model(arguments["name"], arguments["trunk"], **options), value["state"])
    return segmenter
