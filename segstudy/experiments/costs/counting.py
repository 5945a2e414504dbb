"""Parameters and multiply-adds of the papers' networks: as printed, as a paper counts them, and honest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segstudy.experiments import published
from segstudy.experiments.costs import methods
from segstudy.experiments.costs.inputs import features
from segstudy.nn.costs import honest_flops, parameters, published_flops
from segstudy.papers.dgcn.large_networks import published_network
from segstudy.papers.gnn_clustering import PRESETS, ClusterNet, build_graph


class Network(NamedTuple):
    """A network of a paper, and the (height, width) at which the paper or its notebook runs it."""

    of: str
    create: Callable[[], nn.Module]
    size: tuple[int, int]


NETWORKS = {
    "U-Net": Network("paper 1", methods.unet, (512, 352)),
    "SGSeg": Network("paper 2", methods.sgseg, (128, 128)),
    "AC's CNN": Network("paper 2", methods.autoregressive, (128, 128)),
    "DGCN, VGG16": Network("paper 4", lambda: published_network("VGG16", 21), (321, 321)),
    "DGCN, ResNet-101": Network("paper 4", lambda: published_network("ResNet-101", 21), (321, 321)),
    "DGCN, EfficientNet-Lite0": Network("paper 4", methods.dgcn, (321, 321)),
    "SCG-Net": Network("paper 5", methods.scgnet, (256, 256)),
}
CLUSTERINGS = ("deepcut", "unseggnet", "unsegarmanet")  # paper 3, a network for each picture
NODES, KEYS = 28, 384  # a side, and channels of DINO's keys
BRANCHING = (methods.sgseg, methods.autoregressive)  # ask whether numbers are finite: counted on numbers


def count(names: list[str] | None = None) -> list[dict[str, Any]]:
    """Count what the papers' networks hold and do for one picture, a multiply-add being one operation.

    Parameters
    ----------
    names : list of str, optional
        Of `NETWORKS` and `CLUSTERINGS`; None: all.

    Returns
    -------
    list of dict
        "network", "of", "size" in words, "parameters", "honest" (multiply-adds of convolutions and matrix products),
        "convention" (those of layers alone, as SCG-Net's tables count; None where a network cannot be counted so) and
        "printed" (None where the paper prints none). Of a clustering, a forward pass and the products with its graph.
    """
    wanted = [*NETWORKS, *CLUSTERINGS] if names is None else names
    return [_clustering(name) if name in CLUSTERINGS else _network(name) for name in wanted]


def _network(name: str) -> dict[str, Any]:
    of, create, size = NETWORKS[name]
    model, shape = create().eval(), (3, *size)
    counted = create in BRANCHING
    found = {
        "network": name,
        "of": of,
        "size": f"{size[0]} x {size[1]} pixels",
        "parameters": parameters(model),
    }
    found["honest"] = (
        _on_numbers(lambda: model(torch.rand(1, *shape))) if counted else honest_flops(model, shape)
    )
    found["convention"] = None if counted else published_flops(model, shape)
    return found | {"printed": _printed() if name == "SCG-Net" else None}


def _clustering(preset: str) -> dict[str, Any]:
    settings, given = PRESETS[preset], features(NODES**2, KEYS)[None]
    net = ClusterNet(KEYS, settings)
    held = parameters(net)
    graph = build_graph(given, settings.objective, alpha=settings.alpha, tau=settings.tau)
    about = {"network": f"{preset}, one step forward", "of": "paper 3", "size": f"{NODES} x {NODES} patches"}
    honest = _on_numbers(lambda: net(graph, given))
    return about | {"parameters": held, "honest": honest, "convention": None, "printed": None}


def _on_numbers(call: Callable[[], Any]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() // 2


def _printed() -> float:
    return 1e9 * published.lookup("scgnet_table8", "256 × 256 × 3", "GFLOPs")
