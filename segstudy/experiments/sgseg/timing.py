"""Times of SGSeg beside AC's, and of a graph of superpixels beside one of pixels, measured alternately in one run.

Times of another machine are no yardstick: what is compared with the paper are ratios. In every round each job runs
once, in an order drawn anew, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segstudy.experiments.rounds import interleave, machine, quartiles
from segstudy.experiments.sgseg.costs import ac_options
from segstudy.nn.trunks import seeded
from segstudy.papers.sgseg.gnn import SuperpixelGNN, superpixel_graph
from segstudy.papers.sgseg.network import SGSeg, sgseg_loss
from segstudy.papers.sgseg.superpixels import pixel_places, project, superpixel_features
from segstudy.papers.sgseg.training import Rates

ORDERS = (0, 5)  # two reading orders; all cost the same


def time_steps(
    network: dict[str, Any],
    side: int = 128,
    batch: int = 2,
    bands: int = 3,
    classes: int = 15,
    rounds: int = 20,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Time a step of training and a prediction of SGSeg and of AC, as Table 11 does.

    Parameters
    ----------
    network : dict
        Options of :class:`~segstudy.papers.sgseg.network.SGSeg` that differ from the paper's; AC is its segmentation
        network alone, which reconstructs nothing.
    side, batch : int
        Of the random pictures: height and width, and how many at once.
    bands, classes : int
    rounds : int
        That count, after one that does not.
    device : str
    seed : int
        Of weights, pictures and orders.

    Returns
    -------
    dict
        For "training" (loss, backward pass and a step of Adam) and "inference" a dict: "seconds": (rounds, 2) ndarray,
        SGSeg's and AC's; "ratio": [lower quartile, median, upper quartile] of SGSeg's time by AC's in the same round.
        "methods": the columns; "batch", "side", "rounds", and "device" and "threads", which the times belong to.
    """
    options = {"SGSeg": network, "AC": ac_options(network)}
    models = {name: SGSeg(classes, bands, seed=seed, **one).to(device) for name, one in options.items()}
    with seeded(seed):
        images = torch.randn(batch, bands, side, side).to(device)
    trained = {name: _training(model, images) for name, model in models.items()}
    found: dict[str, Any] = {"methods": list(models)}
    found["training"] = _compare(trained, "SGSeg", "AC", rounds, seed)
    predicted = {name: _prediction(model, images) for name, model in models.items()}
    found["inference"] = _compare(predicted, "SGSeg", "AC", rounds, seed)
    return found | {"batch": batch, "side": side, "rounds": rounds} | machine(device, torch.get_num_threads())


def time_graphs(
    superpixels: int = 200,
    sides: Sequence[int] = (32, 64),
    in_channels: int = 517,
    width: int = 64,
    k: int = 20,
    blocks: int = 4,
    rounds: int = 5,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Time the k-nn graph and the graph network on superpixels and on the pixels themselves, of one picture.

    Parameters
    ----------
    superpixels : int
        N, of the small graph.
    sides : sequence of int
        Height and width of the pictures, each of whose pixels is a node of the large graph; 64 already takes seconds.
    in_channels : int
        Features of a node, x and y first.
    width, k, blocks : int
        See :class:`~segstudy.papers.sgseg.gnn.SuperpixelGNN` and :func:`~segstudy.papers.sgseg.gnn.superpixel_graph`.
    rounds : int
        That count, after one that does not.
    device : str
    seed : int

    Returns
    -------
    dict
        "nodes": N; "k"; "rounds"; "rows": a dict for each side with "pixels", the nodes of the large graph; "seconds":
        (rounds, 3) ndarray of the graph of superpixels, of the same with Eqs. 3 and 6, which make superpixels of pixels
        and go back, and of the graph of pixels; "ratio" and "ratio, with projections": [lower quartile, median, upper
        quartile] of the graph of pixels by the other two in the same round. "device" and "threads".
    """
    model = SuperpixelGNN(in_channels, "DiffGCN", blocks, width, seed=seed).to(device).eval()
    rows = [_graph_row(model, superpixels, side, in_channels, k, rounds, device, seed) for side in sides]
    return {"nodes": superpixels, "k": k, "rounds": rounds, "rows": rows} | machine(
        device, torch.get_num_threads()
    )


def _graph_row(
    model: SuperpixelGNN,
    superpixels: int,
    side: int,
    channels: int,
    k: int,
    rounds: int,
    device: str,
    seed: int,
) -> dict[str, Any]:
    with seeded(seed):
        places = pixel_places(side, side, like=torch.zeros(1))
        pixels = torch.cat([places, torch.randn(channels - 2, side, side)])[None].to(device)
        assignment = torch.randn(1, superpixels, side, side).mul(4).softmax(dim=1).to(device)
    nodes = superpixel_features(assignment, pixels)
    grid = pixels.flatten(2).transpose(1, 2).contiguous()

    @torch.no_grad()
    def hear(features: Tensor) -> Tensor:
        return model(features, superpixel_graph(features, k))

    jobs = {
        "superpixels": lambda: hear(nodes),
        "with projections": lambda: project(assignment, hear(superpixel_features(assignment, pixels))),
        "pixels": lambda: hear(grid),
    }
    seconds = interleave(jobs, rounds, torch.get_num_threads(), seed)
    return {
        "pixels": side**2,
        "seconds": np.stack([seconds[name] for name in jobs], axis=1),
        "ratio": quartiles(seconds["pixels"] / seconds["superpixels"]),
        "ratio, with projections": quartiles(seconds["pixels"] / seconds["with projections"]),
    }


def _compare(
    jobs: Mapping[str, Callable[[], Any]], one: str, other: str, rounds: int, seed: int
) -> dict[str, Any]:
    seconds = interleave(jobs, rounds, torch.get_num_threads(), seed)
    return {
        "seconds": np.stack(list(seconds.values()), axis=1),
        "ratio": quartiles(seconds[one] / seconds[other]),
    }


def _training(model: SGSeg, images: Tensor) -> Callable[[], None]:
    optimiser = torch.optim.Adam(model.parameters(), lr=Rates().cnn)

    def step() -> None:
        model.train()
        optimiser.zero_grad()
        sum(sgseg_loss(model, images, ORDERS).values()).backward()
        optimiser.step()

    return step


def _prediction(model: SGSeg, images: Tensor) -> Callable[[], Tensor]:
    @torch.no_grad()
    def predict() -> Tensor:
        return model.eval()(images)

    return predict
