"""DINO's training algorithm as the slides list it, on the study's one training loop.

What the slides leave open is the original's, scaled down to minutes on two cores. With 500 steps instead of 100,000 the
teacher has to follow faster (momentum 0.9 instead of 0.996: at 0.99 it is a hundred steps behind), and a few prototypes
win for good before the mean of the logits, the slides' centre, has anything to balance: hence
:func:`~segstudy.papers.gnn_clustering.dino.balance_centre`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.papers.gnn_clustering.dino import (
    balance_centre,
    dino_loss,
    output_entropies,
    require_share,
    teacher_outputs,
    update_centre,
    update_teacher,
)
from segstudy.papers.gnn_clustering.dino_views import Views
from segstudy.papers.gnn_clustering.dino_vit import ProjectionHead, small_vit, stack_pictures
from segstudy.training import train

WARM_UP = 0.1  # share of the epochs in which the learning rate rises; it then falls to 0 as half a cosine
WEIGHT_DECAY = 0.04  # AdamW's, what the original starts with; biases and norms have none

CENTRINGS = ("balanced", "mean", "none")


@dataclass(frozen=True)
class DinoRun:
    """What a training leaves, in plain values and arrays.

    Parameters
    ----------
    weights : dict of str to ndarray
        Of the teacher's vision transformer, without the head, by timm's names.
        :func:`~segstudy.papers.gnn_clustering.dino_vit.restore` makes the network again.
    initial : dict of str to ndarray
        The same before the first step: what the training is to be compared with.
    losses : list of float
        Mean over each epoch's steps.
    output_entropy, mean_entropy : list of float
        Of the teacher at every step: see :func:`~segstudy.papers.gnn_clustering.dino.output_entropies`.
    limit : float
        log K, where a collapse to equal outputs ends; a collapse to one output ends at 0.
    seconds : float
        Wall-clock time of the epochs.
    """

    weights: dict[str, np.ndarray]
    initial: dict[str, np.ndarray]
    losses: list[float]
    output_entropy: list[float]
    mean_entropy: list[float]
    limit: float
    seconds: float


def train_dino(
    images: Sequence[np.ndarray],
    *,
    size: int = 64,
    view: int = 48,
    patch: int = 8,
    width: int = 96,
    depth: int = 2,
    prototypes: int = 64,
    epochs: int = 16,
    batch: int = 32,
    learning_rate: float = 2e-3,
    momentum: float = 0.9,
    centre_momentum: float = 0.5,
    temperatures: tuple[float, float] = (0.1, 0.04),
    centring: str = "balanced",
    device: str = "cpu",
    precision: str = "32-true",
    seed: int = 0,
    label: str = "DINO",
) -> DinoRun:
    """Train a small vision transformer without labels.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8 ndarray
        Of one size; two or more.
    size, patch, width, depth : int
        Of the transformer: see :func:`~segstudy.papers.gnn_clustering.dino_vit.small_vit`.
    view : int
        Height and width of a view, a multiple of `patch`. A crop shows things enlarged; in a view of three quarters of
        the picture's size they are as large as in the picture (Touvron et al. 2019), and a step costs half.
    prototypes : int
        K, how many outputs.
    epochs, batch : int
        Passes over the pictures, and pictures in a step.
    learning_rate : float
        AdamW's, the highest.
    momentum, centre_momentum : float
        l and m of the slides.
    temperatures : (float, float)
        The student's and the teacher's; the lower the teacher's, the sharper.
    centring : {"balanced", "mean", "none"}
        Where the centre moves: see :func:`~segstudy.papers.gnn_clustering.dino.balance_centre`; "mean" is the slides',
        the mean of the logits; "none" keeps it at 0, to see what it is for.
    device, precision, label
        See :func:`segstudy.training.train`.
    seed : int
        Of the first weights, the order and the views.

    Returns
    -------
    DinoRun

    Raises
    ------
    ValueError
        There are fewer than two pictures or the batch is of fewer, or a number is out of its range.
    """
    pictures = stack_pictures(images).to(device)
    if len(pictures) < 2 or batch < 2:
        seen = f"got {len(pictures)} and {batch}"
        raise ValueError(f"images and batch must be at least 2, {seen}: centring compares pictures")
    if view < patch or view % patch:
        raise ValueError(f"view must be a multiple of patch, {patch} pixels, got {view!r}")
    student, teacher = (
        nn.Sequential(
            small_vit(size, patch, width, depth, seed=seed), ProjectionHead(width, prototypes, seed=seed)
        )
        for _ in range(2)
    )
    rates = {"momentum": momentum, "centre_momentum": centre_momentum}
    distillation = Distillation(student, teacher, temperatures=temperatures, centring=centring, **rates)
    initial = _arrays(teacher[0])
    history = train(
        distillation,
        TwoViews(pictures, Views(view), batch, seed),
        distillation.loss,
        lambda parameters: _adamw(parameters, learning_rate, distillation),
        epochs,
        schedule=lambda epoch: _rate(epoch, epochs),
        device=device,
        precision=precision,
        seed=seed,
        label=label,
    )
    entropies = [list(values) for values in zip(*distillation.entropies, strict=True)]
    seconds, limit = sum(history.seconds), math.log(prototypes)
    return DinoRun(_arrays(teacher[0]), initial, history.losses, *entropies, limit, seconds)


def _adamw(
    parameters: Iterable[nn.Parameter], learning_rate: float, distillation: Distillation
) -> torch.optim.Optimizer:
    """Return AdamW without decay of biases and norms; after each of its steps teacher and centre follow."""
    free = [parameter for parameter in parameters if parameter.requires_grad]
    decayed = {"params": [p for p in free if p.ndim > 1], "weight_decay": WEIGHT_DECAY}
    others = {"params": [p for p in free if p.ndim <= 1]}
    steps = torch.optim.AdamW([decayed, others], lr=learning_rate, weight_decay=0.0)
    steps.register_step_post_hook(distillation.follow)
    return steps


class Distillation(nn.Module):
    """Student and teacher and what one step does with them; the training loop calls its parts in the slides' order.

    Parameters
    ----------
    student, teacher : Module
        From (N, 3, H, W) pictures to (N, K) logits; of equal weights at first.
    momentum, centre_momentum : float
        l and m of the slides, from 0 to 1.
    temperatures : (float, float)
        The student's and the teacher's.
    centring : {"balanced", "mean", "none"}
        Where the centre moves; "none": it stays at 0.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        *,
        momentum: float,
        centre_momentum: float,
        temperatures: tuple[float, float],
        centring: str,
    ) -> None:
        super().__init__()
        require_share("momentum", momentum)
        require_share("centre_momentum", centre_momentum)
        if centring not in CENTRINGS:
            raise ValueError(f"centring must be one of {CENTRINGS}, got {centring!r}")
        self.student, self.teacher = student, teacher.requires_grad_(False)
        self.momentum, self.centre_momentum = momentum, centre_momentum
        self.temperatures, self.centring = temperatures, centring
        self.centre: Tensor | None = None
        self.logits: Tensor | None = (
            None  # the teacher's of the last step, of which the centre learns after it
        )
        self.entropies: list[tuple[float, float]] = []

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Return the student's and the teacher's (2, N, K) logits of (2, N, 3, H, W) views."""
        both = views.flatten(0, 1)
        with torch.no_grad():
            teacher = self.teacher(both)
        shape = views.shape[:2]
        return self.student(both).unflatten(0, shape), teacher.unflatten(0, shape)

    def loss(self, logits: tuple[Tensor, Tensor], targets: object) -> Tensor:
        """Return the loss of a batch and note the teacher's entropies; there are no targets."""
        student, self.logits = logits
        if self.centre is None:
            # The slides do not say where C starts. At 0 the first outputs were nearly one: all logits share a part.
            self.centre = self._moved(self.logits.new_zeros(self.logits.shape[2]).float(), 0.0)
        outputs = teacher_outputs(self.logits, self.centre, self.temperatures[1])
        self.entropies.append(output_entropies(outputs))
        return dino_loss(student, self.logits, self.centre, *self.temperatures)

    def follow(self, *_: object) -> None:
        """Move the teacher, then the centre: the last two lines of the slides' loop, after the student's step."""
        update_teacher(self.teacher, self.student, self.momentum)
        self.centre = self._moved(self.centre, self.centre_momentum)

    def _moved(self, centre: Tensor, momentum: float) -> Tensor:
        """Return the centre after it has seen the teacher's last logits."""
        if self.centring == "none":
            return centre
        if self.centring == "mean":
            return update_centre(centre, self.logits, momentum)
        return balance_centre(centre, self.logits, momentum, self.temperatures[1])


@dataclass(frozen=True)
class TwoViews:
    """Shuffled batches of two views of each picture; they depend on `seed` and `epoch` alone.

    Parameters
    ----------
    pictures : (N, 3, H, W) Tensor
        0 to 1, on the device where the views are made.
    views : Views
    batch : int
        Pictures in a batch; an incomplete last batch is left out.
    seed : int
    """

    pictures: Tensor
    views: Views
    batch: int
    seed: int

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """Yield (2, batch, 3, size, size) views from -1 to 1, and no targets."""
        number = int(np.random.SeedSequence((self.seed, epoch)).generate_state(1)[0])
        generator = torch.Generator().manual_seed(number)
        order = torch.randperm(len(self.pictures), generator=generator)
        size = min(self.batch, len(order))
        for chosen in order[: len(order) // size * size].split(size):
            pictures = self.pictures[chosen.to(self.pictures.device)]
            yield torch.stack([self.views(pictures, generator) for _ in range(2)]) * 2 - 1, []


def _rate(epoch: int, epochs: int) -> float:
    """Return the factor of the learning rate: up in a line, down as half a cosine."""
    rising = max(1, round(WARM_UP * epochs))
    if epoch < rising:
        return (epoch + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (epoch - rising + 1) / (epochs - rising + 1)))


def _arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy().copy() for name, value in module.state_dict().items()}
