"""What SGSeg costs by counting: parameters and multiply-adds of its layers, and Table 11's ratios derived from them.

All runs on torch's meta device, where sizes are computed and numbers are not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segstudy.experiments import published
from segstudy.experiments.sgseg.meta import Finite, build
from segstudy.nn.costs import parameters
from segstudy.papers.sgseg.autoregressive import WIDTHS
from segstudy.papers.sgseg.network import NO_SUPERPIXELS, SGSeg, sgseg_loss

NETWORKS = {"spnn": "SPNN", "gnn": "graph network", "cnn": "segmentation network"}
TABLES = {"spnn": "Table 7", "gnn": "Table 8", "cnn": "Tables 9, 10"}
ROWS = ("layers", "blocks", "last", "head")  # what holds several rows of these tables
PRODUCTS, DISTANCES = "products with P (Eqs. 3, 6)", "distances of superpixels (k-nn)"
STEPS = {"training": "Train", "inference": "Inference"}  # and the columns of Table 11
# Operations a second in float32 of the paper's machine (section 4), its maker's figure; float16 on tensor cores does up
# to four times as many.
RTX_3090 = 35.6e12


def count_layers(
    network: dict[str, Any], side: int = 128, bands: int = 3, classes: int = 15
) -> dict[str, Any]:
    """Count what the layers of Tables 7 to 10 hold and do for one picture.

    Parameters
    ----------
    network : dict
        Options of :class:`~segstudy.papers.sgseg.network.SGSeg` that differ from the paper's; it has superpixels and a
        graph network.
    side : int
        Height and width of the picture.
    bands, classes : int

    Returns
    -------
    dict
        "layers": a dict for each row of the tables, in their order, with "network", "table", "layer" (our name),
        "parameters" and "multiply-adds"; the graph's blocks have a row each. "parts": a dict for each of the three
        networks and for what lies between them, with "part", "parameters" and "multiply-adds". A multiply-add is one
        operation; biases, normalisation and activations are left out.
    """
    model = build(network, bands, classes)
    counts, total = _count(model, side, bands)
    layers, parts = [], []
    for name, title in NETWORKS.items():
        part = getattr(model, name)
        parts.append(_row("part", title, part, counts, f"SGSeg.{name}"))
        for path, layer in _rows(part):
            about = {"network": title, "table": TABLES[name]}
            layers.append(about | _row("layer", path, layer, counts, f"SGSeg.{name}.{path}"))
    between = total - sum(part["multiply-adds"] for part in parts)
    features = model.spnn.count * model.spnn.count * model.gnn.first[0].in_features
    for title, found in ((PRODUCTS, between), (DISTANCES, features)):
        parts.append({"part": title, "parameters": 0, "multiply-adds": found})
    return {"layers": layers, "parts": parts}


def expect_ratios(
    network: dict[str, Any], side: int = 128, bands: int = 3, classes: int = 15
) -> dict[str, Any]:
    r"""Derive from multiply-adds how much more SGSeg's steps cost than AC's, which Table 11 prints as times.

    .. math:: r_\text{training} = \frac{\text{SPNN} + \text{GNN} + 2\,\text{CNN}}{2\,\text{AC}}, \qquad
              r_\text{inference} = \frac{\text{SPNN} + \text{GNN} + \text{CNN}}{\text{AC}}

    counted with the products with P, and for training with all losses. The backward pass makes two products of the size
    of each in the forward pass, for either network. Time goes with multiply-adds as long as both networks keep a
    machine equally busy.

    Parameters
    ----------
    network, side, bands, classes
        As for :func:`count_layers`.

    Returns
    -------
    dict
        Lists with an entry for "training" and one for "inference", which stand in "steps": "SGSeg" and "AC",
        multiply-adds of a picture; "ratio"; "ratio, wide", with AC's channels doubled, as where its last block ends in
        1024; "printed", Table 11's ratio; "more", the operations (two a multiply-add) that SGSeg has more; "seconds",
        how much longer Table 11 has it; "speed", operations a second that this takes if the table's times are of one
        picture, the least they can be; and the number "RTX 3090", the most that the paper's machine does in float32.
    """
    model = build(network, bands, classes)
    plain, wide = (_build_ac(network, bands, classes, factor) for factor in (1, 2))
    found: dict[str, Any] = {"steps": list(STEPS), "RTX 3090": RTX_3090}
    for name, one in (("SGSeg", model), ("AC", plain), ("AC, wide", wide)):
        found[name] = [_count(one, side, bands, step == "training")[1] for step in STEPS]
    printed = {whose: [_printed(whose, column) for column in STEPS.values()] for whose in ("SGSeg", "AC")}
    found["ratio"] = [a / b for a, b in zip(found["SGSeg"], found["AC"], strict=True)]
    found["ratio, wide"] = [a / b for a, b in zip(found["SGSeg"], found.pop("AC, wide"), strict=True)]
    found["printed"] = [a / b for a, b in zip(*printed.values(), strict=True)]
    found["more"] = [2 * (a - b) for a, b in zip(found["SGSeg"], found["AC"], strict=True)]
    found["seconds"] = [(a - b) / 1e3 for a, b in zip(*printed.values(), strict=True)]
    found["speed"] = [more / least for more, least in zip(found["more"], found["seconds"], strict=True)]
    return found


def ac_options(network: dict[str, Any]) -> dict[str, Any]:
    """Return the options of AC's network out of those of SGSeg's: its segmentation network alone."""
    return network | {"gnn": NO_SUPERPIXELS, "reconstruct": False}


def _build_ac(network: dict[str, Any], bands: int, classes: int, factor: int) -> SGSeg:
    widths = [factor * width for width in network.get("cnn_widths", WIDTHS)]
    return build(ac_options(network) | {"cnn_widths": widths}, bands, classes)


def _count(
    model: SGSeg, side: int, bands: int, training: bool = False
) -> tuple[dict[str, dict[Any, int]], int]:
    """Return the operations (two a multiply-add) of each layer by its path, and the multiply-adds of all."""
    images = torch.empty(1, bands, side, side, device="meta")
    with torch.no_grad(), Finite(), FlopCounterMode(display=False) as counter:
        if training:
            sgseg_loss(model, images, (0, 1))
        else:
            model.eval()(images)
    # Not counted in the backward pass itself: the counter takes the depth-wise convolutions' for full ones there.
    passes = 3 if training else 1
    return counter.get_flop_counts(), passes * counter.get_total_flops() // 2


def _rows(part: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return what stands in a row of a table each, with its name."""
    found = []
    for name, child in part.named_children():
        several = name in ROWS and isinstance(child, nn.Sequential | nn.ModuleList)
        inner = child.named_children() if several else ()
        found += [(f"{name}.{index}", layer) for index, layer in inner] or [(name, child)]
    return found


def _row(kind: str, name: str, module: nn.Module, counts: dict, path: str) -> dict[str, Any]:
    return {
        kind: name,
        "parameters": parameters(module),
        "multiply-adds": _operations(counts, module, path) // 2,
    }


def _operations(counts: dict, module: nn.Module, path: str) -> int:
    """Return the operations of a layer; a list of layers is called by nobody and has those of its layers."""
    if path in counts:
        return sum(counts[path].values())
    return sum(_operations(counts, child, f"{path}.{name}") for name, child in module.named_children())


def _printed(whose: str, column: str) -> float:
    """Return a time of Table 11 in milliseconds."""
    row = {"SGSeg": "SGSeg (Ours)", "AC": "AC [42]"}[whose]
    return published.lookup("sgseg_table11", row, column)
