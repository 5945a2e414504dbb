"""Time and memory against the number of nodes: the graph, dense and sparse, and attention; and of a whole tile.

All blocks see the same (1, 1024, side, side) features, the map of SCG-Net's backbone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.experiments.memory import in_fresh_process, kept_bytes, resident_bytes
from segstudy.experiments.rounds import interleave, limited, machine
from segstudy.experiments.scgnet.attention_blocks import DualAttention, NonLocal
from segstudy.experiments.scgnet.costs import NUM_CLASSES
from segstudy.nn.trunks import seeded
from segstudy.papers.scgnet.layers import GCN
from segstudy.papers.scgnet.scg import SCG

if TYPE_CHECKING:
    import pandas as pd

SIDES = (16, 28, 48, 64, 96)  # 256 to 9216 nodes
CHANNELS, HIDDEN = 1024, 128  # of ResNet-50's third stage; the paper's d
DENSE, SPARSE, NON_LOCAL, DUAL = "SCG and GCN", "SCG and GCN, sparse", "non-local block", "dual attention"
BLOCKS = (DENSE, SPARSE, NON_LOCAL, DUAL)
MEASURES = ("forward", "training", "kept", "peak")
WARM_SIDE = 8  # of the pass that loads what any size needs


class GraphHead(nn.Module):
    """What SCG-Net does between backbone and enlargement: SCG and two GCN layers, with the paper's widths.

    In parts and not as an `SCGNet` without its backbone: to build and drop one moves the process's peak of memory.

    Parameters
    ----------
    neighbours : int, optional
        Of the sparse graph; None: the dense one.
    """

    def __init__(self, neighbours: int | None = None) -> None:
        super().__init__()
        self.scg = SCG(CHANNELS, NUM_CLASSES, neighbours=neighbours)
        self.layers = nn.ModuleList([GCN(CHANNELS, HIDDEN), GCN(HIDDEN, NUM_CLASSES)])
        self.norm, self.activation = nn.BatchNorm1d(HIDDEN), nn.ReLU()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the (B, n, c) logits of the nodes and the two regularisers."""
        constructed = self.scg(features)
        hidden = self.layers[0](constructed.graph, constructed.nodes)
        hidden = self.activation(self.norm(hidden.flatten(0, 1)).view_as(hidden))
        logits = self.layers[1](constructed.graph, hidden) + constructed.residual
        return logits, constructed.kl, constructed.diagonal


def build_block(name: str, neighbours: int, seed: int = 0) -> nn.Module:
    """Return one of `BLOCKS`; `neighbours` are those of the sparse graph."""
    if name not in BLOCKS:
        raise ValueError(f"name must be one of {BLOCKS}, got {name!r}")
    with seeded(seed):
        if name in (NON_LOCAL, DUAL):
            return NonLocal(CHANNELS) if name == NON_LOCAL else DualAttention(CHANNELS)
        return GraphHead(neighbours if name == SPARSE else None)


def measure_scaling(
    sides: Sequence[int] = SIDES,
    neighbours: int = 16,
    blocks: Sequence[str] = BLOCKS,
    repeats: int = 5,
    threads: int = 1,
    seed: int = 0,
    device: str = "cpu",
) -> dict[str, Any]:
    """Measure seconds and memory of blocks on maps of several sizes.

    Parameters
    ----------
    sides : sequence of int
        Rows and columns of the maps, rising.
    neighbours : int
        k, of the sparse graph.
    blocks : sequence of str
        Of `BLOCKS`; they take turns in every round.
    repeats : int
        Rounds that count, after one that does not.
    threads, seed, device
        As for :func:`~segstudy.experiments.scgnet.timing.time_networks`.

    Returns
    -------
    dict
        "nodes", "blocks", "neighbours"; "forward" and "training" (forward and backward): (sides, blocks, repeats)
        seconds; "kept": (sides, blocks) bytes that training saves for the backward pass, beyond weights and input;
        "peak": (sides, blocks) bytes by which a training step raises the memory of a process that holds weights and
        input, on the CPU its resident memory and a new process for each block; "device", "threads".
    """
    networks = [build_block(name, neighbours, seed).to(device) for name in blocks]
    seconds, kept = [], []
    for side in sides:
        features = _features(side, seed, device)
        kept.append([_kept(network, features) for network in networks])
        seconds.append(_seconds(networks, features, repeats, threads, seed))
    settings = {"neighbours": neighbours, "threads": threads, "seed": seed, "device": device}
    run = in_fresh_process if device == "cpu" else _here
    peak = [run(block_peaks, name=name, sides=list(sides), **settings) for name in blocks]
    found = {"nodes": [side**2 for side in sides], "blocks": list(blocks), "neighbours": neighbours}
    forward, training = np.array(seconds).transpose(1, 0, 2, 3)
    found |= {"forward": forward, "training": training, "kept": np.array(kept), "peak": np.array(peak).T}
    return found | machine(device, threads)


def block_peaks(
    name: str, sides: Sequence[int], neighbours: int, threads: int, seed: int, device: str = "cpu"
) -> list[int]:
    """Return the bytes that a training step adds at its peak, one for each of rising sides.

    On the CPU to be called in a new process (:func:`~segstudy.experiments.memory.in_fresh_process`), whose
    resident memory is compared with that before the first side; the sides rise because a peak never falls.
    """
    block, found = build_block(name, neighbours, seed).to(device), []
    with limited(threads):
        _step(block, _features(WARM_SIDE, seed, device))
        before = _memory(device, peak=False)
        for side in sides:
            features = _features(side, seed, device)
            if device != "cpu":
                torch.cuda.reset_peak_memory_stats(device)
            _step(block, features)
            found.append(max(0, _memory(device, peak=True) - before - features.nbytes))
            del features
    return found


def scaling_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return what :func:`measure_scaling` found, a line for each block and number of nodes.

    Returns
    -------
    DataFrame
        Columns block, nodes; "forward" and "training", median milliseconds; "kept" and "peak", MiB.
    """
    import pandas as pd

    rows = [
        {
            "block": block,
            "nodes": nodes,
            **{name: 1e3 * np.median(values[name][row, column]) for name in ("forward", "training")},
            **{name: values[name][row, column] / 2**20 for name in ("kept", "peak")},
        }
        for column, block in enumerate(values["blocks"])
        for row, nodes in enumerate(values["nodes"])
    ]
    return pd.DataFrame(rows)


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Return exponents of growth: e where a measure grows as the nodes to the power of e.

    Parameters
    ----------
    table : DataFrame
        Of :func:`scaling_table`.

    Returns
    -------
    DataFrame
        Columns block, measure, "exponent" (least squares in logarithms over all sizes; convolutions, which are linear,
        weigh most in small graphs) and "at the end" (between the two largest sizes).
    """
    import pandas as pd

    rows = []
    for block, part in table.sort_values("nodes").groupby("block", sort=False):
        nodes = np.log(part.nodes.to_numpy(float))
        for name in MEASURES:
            logs = np.log(part[name].to_numpy(float).clip(min=1e-9))
            end = (logs[-1] - logs[-2]) / (nodes[-1] - nodes[-2])
            exponent = np.polyfit(nodes, logs, 1)[0]
            rows.append({"block": block, "measure": name, "exponent": exponent, "at the end": end})
    return pd.DataFrame(rows)


def _features(side: int, seed: int, device: str) -> Tensor:
    """Return a random map as ReLU leaves it, whose gradient is wanted as that of a backbone's map is."""
    with seeded(seed):
        return torch.randn(1, CHANNELS, side, side).relu().to(device).requires_grad_()


def _loss(block: nn.Module, features: Tensor) -> Tensor:
    """Return a number that depends on all that a block returns."""
    found = block(features)
    return sum(values.sum() for values in (found if isinstance(found, tuple) else (found,)))


def _predict(block: nn.Module, features: Tensor) -> None:
    with torch.inference_mode():
        block.eval()(features)


def _step(block: nn.Module, features: Tensor) -> None:
    """Run forward and backward as a step of training does, and drop the gradients."""
    _loss(block.train(), features).backward()
    block.zero_grad()
    features.grad = None


def _kept(block: nn.Module, features: Tensor) -> int:
    return kept_bytes(lambda: _loss(block.train(), features), [features, *block.parameters()])


def _seconds(
    blocks: Sequence[nn.Module], features: Tensor, repeats: int, threads: int, seed: int
) -> np.ndarray:
    """Return the seconds of prediction and of a step of training, blocks in turn: (2, blocks, repeats)."""
    jobs = {
        (work, column): partial(work, block, features)
        for work in (_predict, _step)
        for column, block in enumerate(blocks)
    }
    found = interleave(jobs, repeats, threads, seed)
    return np.stack(list(found.values())).reshape(2, len(blocks), repeats)


def _memory(device: str, peak: bool) -> int:
    """Return the bytes in use, now or at most: resident on the CPU, allocated on a GPU."""
    if device == "cpu":
        return resident_bytes(peak)
    return torch.cuda.max_memory_allocated(device) if peak else torch.cuda.memory_allocated(device)


def _here(function: Callable[..., Any], **arguments: Any) -> Any:
    return function(**arguments)
