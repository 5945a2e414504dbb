"""DINO: a network that teaches itself, without labels (the slides' "Feature Extraction With DINO").

Caron et al., Emerging Properties in Self-Supervised Vision Transformers, ICCV 2021. A student and a teacher, equal at
first, see two views of a picture; the student learns to say of one view what the teacher says of the other, and the
teacher follows the student as a moving average. Nothing forbids that both say the same of every picture: centring
keeps one output from winning everywhere, sharpening (the teacher's low temperature) keeps all outputs from being
equally likely; each alone ends in the other's collapse. :class:`DinoRun` keeps the entropies that show both.

| slides | here |
|---|---|
| p_t, p_s (t1, t2, s1, s2) | `teacher`, `student`: (2, N, K) logits, first view and second view |
| C | `centre` |
| tmp_t, tmp_s (which the slides call the teacher's too) | `teacher_temperature`, `student_temperature` |
| l, m | `momentum`, `centre_momentum` |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.papers.gnn_clustering.dino_views import Views
from segstudy.papers.gnn_clustering.dino_vit import ProjectionHead, small_vit, stack_pictures
from segstudy.training import train

WARM_UP = 0.1  # share of the epochs in which the learning rate rises; it then falls to 0 as half a cosine
WEIGHT_DECAY = 0.04  # AdamW's, the original's at the start; biases and norms have none


def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    student_temperature: float = 0.1,
    teacher_temperature: float = 0.04,
) -> Tensor:
    r"""Return the cross-entropy between the teacher's outputs and the student's, for either view from the other.

    For one pair of logits the slides have

    .. math::
        L(p_t, p_s) = -\operatorname{softmax}\!\left(\frac{p_t - C}{tmp_t}\right) \cdot
            \log \operatorname{softmax}\!\left(\frac{p_s}{tmp_s}\right),

    a sum over the K outputs, meant over the batch; and the loss of a batch is
    :math:`\frac{1}{2} L(t_1, s_2) + \frac{1}{2} L(t_2, s_1)`. No gradient reaches the teacher.

    Parameters
    ----------
    student, teacher : (2, N, K) Tensor
        Logits of the first and of the second view; half precision is computed in float32.
    centre : (K,) Tensor
        C; zeros switch centring off.
    student_temperature, teacher_temperature : float
        Above 0. The teacher's is the lower one: its outputs are sharper.

    Returns
    -------
    () Tensor

    Raises
    ------
    ValueError
        Shapes do not match, or a temperature is not above 0.
    """
    if student.ndim != 3 or len(student) != 2 or student.shape != teacher.shape:
        shapes = f"{tuple(student.shape)} and {tuple(teacher.shape)}"
        raise ValueError(f"student and teacher must both be (2, N, K), got {shapes}")
    if centre.shape != student.shape[2:]:
        raise ValueError(
            f"centre must have a number for each of {student.shape[2]} outputs, got {centre.shape}"
        )
    if min(student_temperature, teacher_temperature) <= 0:
        both = f"{student_temperature!r} and {teacher_temperature!r}"
        raise ValueError(f"student_temperature and teacher_temperature must be above 0, got {both}")
    target = teacher_outputs(teacher, centre, teacher_temperature)
    log_p = (at_least_float32(student) / student_temperature).log_softmax(dim=2)
    return -(target * log_p.flip(0)).sum(dim=2).mean()  # the mean over both views is the slides' 0.5 and 0.5


def teacher_outputs(teacher: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Return softmax((p_t - C) / tmp_t), over the last dimension and without a gradient."""
    return ((at_least_float32(teacher.detach()) - centre) / temperature).softmax(dim=-1)


def at_least_float32(values: Tensor) -> Tensor:
    """Return half precision as float32, and anything else as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    r"""Move the teacher's weights towards the student's: :math:`\theta_t \leftarrow l \theta_t + (1 - l) \theta_s`.

    Parameters
    ----------
    teacher, student : Module
        Of the same parameters; the teacher's change in place.
    momentum : float
        l, from 0 (a copy of the student) to 1 (nothing changes).

    Raises
    ------
    ValueError
        `momentum` is outside 0..1.
    """
    _require_share("momentum", momentum)
    for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
        old.mul_(momentum).add_(new, alpha=1 - momentum)


def update_centre(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    r"""Return :math:`m C + (1 - m) \operatorname{mean}(\operatorname{cat}(t_1, t_2))`.

    Parameters
    ----------
    centre : (K,) Tensor
        C.
    teacher : (2, N, K) Tensor
        The teacher's logits t1 and t2.
    momentum : float
        m, from 0 to 1.

    Returns
    -------
    (K,) Tensor

    Raises
    ------
    ValueError
        `momentum` is outside 0..1.
    """
    _require_share("centre_momentum", momentum)
    return momentum * centre + (1 - momentum) * at_least_float32(teacher.detach()).mean(dim=(0, 1))


def output_entropies(outputs: Tensor) -> tuple[float, float]:
    r"""Return the mean entropy of the outputs and the entropy of the mean output, in nats.

    Each lies between 0 and :math:`\log K`. Collapse to one output: both are 0. Collapse to equal outputs: both are
    :math:`\log K`. Without collapse the second is the larger: different pictures get different outputs.

    Parameters
    ----------
    outputs : (..., K) Tensor
        Rows sum to 1.
    """
    rows = outputs.flatten(0, -2)
    return float(torch.special.entr(rows).sum(1).mean()), float(torch.special.entr(rows.mean(0)).sum())


@dataclass(frozen=True)
class DinoRun:
    """What a training leaves; plain values and arrays.

    Parameters
    ----------
    weights : dict of str to ndarray
        Of the teacher's vision transformer, without the head, by timm's names; the teacher is the better of the two in
        the original. :func:`~segstudy.papers.gnn_clustering.dino_vit.restore` makes the network again.
    losses : list of float
        Mean over each epoch's steps.
    output_entropy, mean_entropy : list of float
        Of the teacher at every step: see :func:`output_entropies`.
    limit : float
        log K, where a collapse to equal outputs ends; a collapse to one output ends at 0.
    seconds : float
        Wall-clock time of the epochs.
    """

    weights: dict[str, np.ndarray]
    losses: list[float]
    output_entropy: list[float]
    mean_entropy: list[float]
    limit: float
    seconds: float


class SelfDistillation(nn.Module):
    """Student and teacher, and what a step does with them; the study's one training loop calls it.

    Parameters
    ----------
    student, teacher : Module
        From pictures to logits; the teacher starts as a copy of the student.
    """

    def __init__(
        self, make: Any, prototypes: int, *, momentum, centre_momentum, temperatures, centring
    ) -> None:
        super().__init__()
        self.student, self.teacher = make(), make()
        self.teacher.requires_grad_(False)
        self.register_buffer("centre", torch.zeros(prototypes))
        self.momentum, self.centre_momentum, self.temperatures = momentum, centre_momentum, temperatures
        self.centring = centring
        self.entropies = []

    def forward(self, views: Tensor):
        flat = views.flatten(0, 1)
        student = self.student(flat)
        with torch.no_grad():
            teacher = self.teacher(flat)
        return student.unflatten(0, views.shape[:2]), teacher.unflatten(0, views.shape[:2])

    def loss(self, logits, targets):
        self.logits = logits[1]
        if not self.entropies and self.centring:
            self.centre.copy_(logits[1].mean((0, 1)))
        s, t = self.temperatures
        self.entropies.append(output_entropies(teacher_outputs(logits[1], self.centre, t)))
        return dino_loss(*logits, self.centre, s, t)

    def follow(self, *_):
        update_teacher(self.teacher, self.student, self.momentum)
        if self.centring:
            self.centre.copy_(update_centre(self.centre, self.logits, self.centre_momentum))


@dataclass(frozen=True)
class TwoViews:
    pictures: Tensor
    views: Views
    batch: int
    seed: int

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, list]]:
        generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence((self.seed, epoch)).generate_state(1)[0])
        )
        order = torch.randperm(len(self.pictures), generator=generator)
        for chosen in order.split(self.batch):
            if len(chosen) < min(self.batch, len(order)):
                break
            pictures = self.pictures[chosen.to(self.pictures.device)]
            pair = torch.stack([self.views(pictures, generator) for _ in range(2)])
            yield pair * 2 - 1, []


def _require_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value!r}")


def train_dino(
    images,
    *,
    size=64,
    patch=8,
    width=96,
    depth=4,
    prototypes=256,
    epochs=20,
    batch=32,
    learning_rate=1e-3,
    momentum=0.99,
    centre_momentum=0.9,
    student_temperature=0.1,
    teacher_temperature=0.04,
    centring=True,
    views=None,
    device="cpu",
    precision="32-true",
    seed=0,
    label="DINO",
    clip=None,
    wd=WEIGHT_DECAY,
):
    def make():
        return nn.Sequential(
            small_vit(size, patch, width, depth, seed=seed), ProjectionHead(width, prototypes, seed=seed)
        )

    model = SelfDistillation(
        make,
        prototypes,
        momentum=momentum,
        centre_momentum=centre_momentum,
        temperatures=(student_temperature, teacher_temperature),
        centring=centring,
    )

    def optimiser(params):
        params = [p for p in params if p.requires_grad]
        o = torch.optim.AdamW(
            [
                {"params": [p for p in params if p.ndim > 1]},
                {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=learning_rate,
            weight_decay=wd,
        )
        if clip:
            o.register_step_pre_hook(
                lambda *_: torch.nn.utils.clip_grad_norm_(model.student.parameters(), clip) and None
            )
        o.register_step_post_hook(model.follow)
        return o

    def schedule(e):
        w = max(1, round(WARM_UP * epochs))
        return (e + 1) / w if e < w else 0.5 * (1 + math.cos(math.pi * (e - w + 1) / (epochs - w + 1)))

    pictures = stack_pictures(images).to(device)
    h = train(
        model,
        TwoViews(pictures, views or Views(size), batch, seed),
        model.loss,
        optimiser,
        epochs,
        schedule=schedule,
        device=device,
        precision=precision,
        seed=seed,
        label=label,
    )
    o, m = zip(*model.entropies)
    return DinoRun(
        {k: v.cpu().numpy() for k, v in model.teacher[0].state_dict().items()},
        h.losses,
        list(o),
        list(m),
        math.log(prototypes),
        sum(h.seconds),
    )
