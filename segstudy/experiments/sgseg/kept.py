"""The networks of notebook 02 that other notebooks may take over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from segstudy.experiments.iic import IICNet, iic_widths
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.sgseg.jobs import compared, setup
from segstudy.experiments.sgseg.pictures import Setup, setup_of
from segstudy.experiments.sgseg.results import accuracy
from segstudy.experiments.sgseg.trials import AC, CNN_ALONE, IIC, SGSEG, network_options
from segstudy.experiments.weights import filled
from segstudy.papers.sgseg.network import SGSeg
from segstudy.papers.sgseg.segmenter import SGSegSegmenter
from segstudy.papers.sgseg.training import Statistics

KEPT = {SGSEG: "SGSeg", CNN_ALONE: "SGSeg's CNN alone", AC: "AC", IIC: "IIC"}


def networks(parameters: dict[str, Any]) -> Iterator[KeptNetwork]:
    """Yield the networks, seed by seed; `parameters` are the notebook's."""
    settings = setup_of(setup(parameters))
    for job in compared(parameters):
        name = job.arguments["method"]
        if name in KEPT:
            restored = partial(_restored, settings=settings, method=name)
            yield KeptNetwork(KEPT[name], job, settings.train, "accuracy, test", accuracy, restored)


def _restored(value: Value, settings: Setup, method: str) -> SGSegSegmenter:
    bands = len(value["mean"])
    if method == IIC:
        network = IICNet(settings.clusters, bands, iic_widths(settings.cnn_widths[0]))
    else:
        network = SGSeg(settings.clusters, bands, **network_options(settings, method))
    segmenter = SGSegSegmenter(settings.clusters, side=settings.side)
    segmenter.statistics_ = Statistics(value["mean"], value["std"])
    segmenter.network_ = filled(network, value["state"])
    return segmenter
