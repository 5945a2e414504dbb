"""The networks of notebook 04 that other notebooks may take over: heads on its frozen trunk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from segstudy.experiments.dgcn.chain import Chain, new_trunk
from segstudy.experiments.dgcn.jobs import CUT, DSRG, FULL, MAIN, STATIC, chain, trained
from segstudy.experiments.dgcn.networks import Way
from segstudy.experiments.dgcn.results import miou
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.weights import filled
from segstudy.papers.dgcn.network import AtrousHead, SegmentationNetwork
from segstudy.papers.dgcn.segmenter import DGCN

# By the way in which their training pictures are labelled.
KEPT = {
    MAIN[STATIC]: "static seeds",
    MAIN[DSRG]: "region growing",
    MAIN[CUT]: "DGCN, graph cut",
    MAIN[FULL]: "DGCN's network, masks",
}


def networks(parameters: dict[str, Any]) -> Iterator[KeptNetwork]:
    """Yield the networks, seed by seed; `parameters` are the notebook's. A trunk that is trained is not kept."""
    settings = Chain(**chain(parameters))
    restored = partial(_restored, settings=settings)
    for job in trained(parameters) if settings.frozen else ():
        method = KEPT.get(Way(**job.arguments["way"]))
        if method:
            yield KeptNetwork(method, job, settings.train, "mIoU, test", miou, restored)


def _restored(value: Value, settings: Chain) -> DGCN:
    weights = value["state"]
    channels, classes = weights["adaptation.0.weight"].shape[1], len(weights["classifiers.0.bias"])
    segmenter = DGCN(classes, settings.trunk, weights=settings.weights, side=settings.side, refine=False)
    head = filled(AtrousHead(channels, classes), weights)
    segmenter.network_ = SegmentationNetwork(new_trunk(settings._replace(device="cpu")), head).eval()
    return segmenter
