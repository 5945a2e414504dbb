"""What a run at the paper's scale takes, from measured steps and the number of them.

A step of training is measured with the paper's channels. On a GPU it has the paper's pictures and batch. On the CPU it
has smaller ones, and its time is multiplied with the pixels that the paper's step has more: an estimate, which assumes
that time goes with pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from segstudy.experiments.costs import methods
from segstudy.experiments.costs.inputs import CLASSES, batch, features
from segstudy.experiments.rounds import interleave, machines
from segstudy.nn.costs import honest_flops
from segstudy.papers.dgcn import balanced_seed_loss, floored_softmax, graph_cut_labels, knn_edges
from segstudy.papers.gnn_clustering import PRESETS, cluster_images
from segstudy.papers.scgnet.losses import total_loss
from segstudy.papers.sgseg.network import sgseg_loss
from segstudy.training import cross_entropy_dice

NODES, KEYS = 784, 384  # of a picture with DINO's keys
ITERATIONS = 100  # of a clustering, the slides'
MAP = 41  # a side of DGCN's map


class Plan(NamedTuple):
    """A run at the paper's scale.

    Attributes
    ----------
    notebook : str
    step : str
        What is measured, one of `STEPS`.
    size : (int, int)
        Height and width of the paper's pictures.
    batch : int
        Pictures in a step.
    steps : int
        Of one run.
    runs : int
        Of the comparison that the notebook is about.
    what : str
        How steps and runs come about.
    """

    notebook: str
    step: str
    size: tuple[int, int]
    batch: int
    steps: int
    runs: int
    what: str


PLANS = (
    Plan(
        "01",
        "U-Net",
        (512, 352),
        2,
        1000,
        50,
        "100 epochs of 20 pictures; 20 seeds of 100, 75, 50 and 25 % of them",
    ),
    Plan("02", "SGSeg", (128, 128), 64, 2560, 5, "20 epochs of 8192 pictures; 5 seeds of SGSeg alone"),
    Plan(
        "03",
        "clustering",
        (224, 224),
        1,
        1740,
        24,
        "840 and 900 pictures, 100 iterations each; 8 methods, 3 seeds",
    ),
    Plan("04", "DGCN's trunk", (321, 321), 1, 21164, 1, "10,582 pictures and their mirror images, once"),
    Plan("04", "DGCN's graph cut", (321, 321), 1, 84656, 5, "10,582 pictures in each of 8 epochs; 5 seeds"),
    Plan("05", "SCG-Net", (448, 448), 4, 120_000, 5, "120 epochs of 4000 patches; 5 seeds"),
)


def time_steps(
    side: int,
    rounds: int,
    names: Sequence[str] | None = None,
    threads: int = 1,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Time one step of each plan.

    Parameters
    ----------
    side : int
        Of the one or two pictures of a step on the CPU; on a GPU they are the plan's.
    names : sequence of str, optional
        Of `STEPS`; None: all.
    rounds, threads, seed
        As for :func:`~segstudy.experiments.rounds.interleave`.
    device : str

    Returns
    -------
    dict
        "rows": a dict for each plan with its fields, "seconds", a (rounds,) ndarray, "scale", the plan's pixels by
        those measured, and "multiply-adds" of the plan's steps of one run, None where the step is not a network's.
        "device", "side", "machine", "threads".
    """
    jobs, scales = {}, {}
    plans = [plan for plan in PLANS if names is None or plan.step in names]
    for plan in plans:
        fixed = plan.step not in TRAINED
        own = fixed or device != "cpu"
        shape = (plan.batch, *plan.size) if own else (1, side, side)
        jobs[plan.step] = STEPS[plan.step](device, *shape)
        scales[plan.step] = 1.0 if own else plan.batch * plan.size[0] * plan.size[1] / side**2
    seconds = interleave(jobs, rounds, threads, seed, "steps: round")
    rows = []
    for plan in plans:
        about = {
            "seconds": seconds[plan.step],
            "scale": scales[plan.step],
            "multiply-adds": multiply_adds(plan),
        }
        rows.append(plan._asdict() | about)
    return {"rows": rows, "device": device, "side": side} | machines(threads, [device])


def multiply_adds(plan: Plan) -> int | None:
    """Return those of all steps of a run; the backward pass makes two products of the size of each forward."""
    if plan.step not in COUNTED:
        return None
    passes = 1 if plan.step not in TRAINED else 3
    return passes * plan.batch * plan.steps * honest_flops(COUNTED[plan.step](), (3, *plan.size))


def _pictures(device: str, count: int, height: int, width: int) -> Tensor:
    return batch(max(height, width), device, count)[:, :, :height, :width].contiguous()


def _trained(
    create: Callable[[], nn.Module], loss: Callable[[nn.Module, Tensor], Tensor], device: str, *shape: int
) -> methods.Call:
    model, images = create().train().to(device), _pictures(device, *shape)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss(model, images).backward()
        optimiser.step()

    return step


def _labels(images: Tensor, classes: int) -> Tensor:
    return (images.mean(dim=1) * classes).long().clamp(0, classes - 1)


def _unet_loss(model: nn.Module, images: Tensor) -> Tensor:
    return cross_entropy_dice(model(images), _labels(images, CLASSES))


def _sgseg_loss(model: nn.Module, images: Tensor) -> Tensor:
    return sum(sgseg_loss(model, images, (0, 5)).values())


def _scgnet_loss(model: nn.Module, images: Tensor) -> Tensor:
    return total_loss(model(images), _labels(images, 6))


def _clustering(device: str, *shape: int) -> methods.Call:
    settings = replace(PRESETS["deepcut"], iterations=ITERATIONS)
    return partial(cluster_images, features(NODES, KEYS)[None], settings, device=device)


def _trunk(device: str, *shape: int) -> methods.Call:
    model = methods.dgcn().trunk.eval().to(device)
    return partial(methods.predict, model, _pictures(device, *shape))


def _growing(device: str, *shape: int) -> methods.Call:
    """A step of the head on kept maps, after the labels of one picture were cut on the graph of its features."""
    head = methods.dgcn().head.train().to(device)
    maps = [torch.rand(1, channels, MAP, MAP, device=device) for channels in (112, 320)]
    optimiser = torch.optim.SGD(head.parameters(), lr=1e-3)
    cues, soft, classes = methods.cut_inputs(MAP)
    edges = knn_edges(features(MAP * MAP, methods.DEEP))

    def step() -> None:
        grown = torch.from_numpy(graph_cut_labels(cues, soft, edges, classes)).long()[None].to(device)
        optimiser.zero_grad()
        balanced_seed_loss(floored_softmax(head(maps)), grown).backward()
        optimiser.step()

    return step


COUNTED = {"U-Net": methods.unet, "SCG-Net": methods.scgnet, "DGCN's trunk": methods.dgcn}
TRAINED = ("U-Net", "SGSeg", "SCG-Net")
STEPS: dict[str, Callable[..., methods.Call]] = {
    "U-Net": partial(_trained, methods.unet, _unet_loss),
    "SGSeg": partial(_trained, methods.sgseg, _sgseg_loss),
    "clustering": _clustering,
    "DGCN's trunk": _trunk,
    "DGCN's graph cut": _growing,
    "SCG-Net": partial(_trained, methods.scgnet, _scgnet_loss),
}
