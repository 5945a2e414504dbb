"""Training as section V-A tells it: Adam with AMSGrad, two learning rates, two schedules, random patches, flips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.datasets.files import crop
from segstudy.datasets.sample import Sample
from segstudy.papers.scgnet.losses import PIXEL_LOSSES, total_loss
from segstudy.training import History, train

LEARNING_RATE = 8.5e-5 / math.sqrt(2)
WEIGHT_DECAY = 2e-5
STEP_EPOCHS, STEP_FACTOR = 15, 0.85
POWER, MAX_ITERATIONS = 0.9, 1e8
PATCH, PATCHES, BATCH = 448, 4000, 4


def make_optimiser(
    model: nn.Module, learning_rate: float = LEARNING_RATE, weight_decay: float = WEIGHT_DECAY
) -> torch.optim.Adam:
    """Return Adam with AMSGrad in the paper's three groups.

    Biases, those of batch normalisation among them, learn at twice the rate and without decay; the scales of batch
    normalisation without decay; all others with it.

    Parameters
    ----------
    model : Module
    learning_rate, weight_decay : float
    """
    normalised = {
        id(module.weight) for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)
    }
    biases, scales, others = [], [], []
    for name, parameter in model.named_parameters():
        group = biases if name.endswith("bias") else scales if id(parameter) in normalised else others
        group.append(parameter)
    groups = [
        {"params": others, "weight_decay": weight_decay},
        {"params": scales, "weight_decay": 0.0},
        {"params": biases, "weight_decay": 0.0, "lr": 2 * learning_rate},
    ]
    return torch.optim.Adam(groups, lr=learning_rate, amsgrad=True)


def schedule(epoch: int, steps: int) -> float:
    r"""Return what the learning rates are multiplied with.

    .. math::
        0.85^{\lfloor e / 15 \rfloor} (1 - t / 10^8)^{0.9}, \qquad t = e \cdot \mathrm{steps}

    The polynomial part is .999 after a hundred epochs of a thousand steps.

    Parameters
    ----------
    epoch : int
        e, from 0.
    steps : int
        In an epoch.
    """
    return STEP_FACTOR ** (epoch // STEP_EPOCHS) * (1 - epoch * steps / MAX_ITERATIONS) ** POWER


@dataclass(frozen=True)
class Patches:
    """Random windows of labelled pictures, flipped at random: `patches(epoch)` depends on `seed` and `epoch` alone.

    Every window of every picture is as likely as any other. Up and down and left and right are flipped with
    probability .5 each.

    Parameters
    ----------
    samples : sequence of Sample
        With labels. They are read window by window; small pictures are better kept in memory first (`in_memory`).
    size : int
        Height and width of a patch; where a picture is smaller, its own.
    count : int
        Patches in an epoch.
    batch : int
    seed : int

    Raises
    ------
    ValueError
        There is no sample, a sample has no labels, or a number is below 1.
    """

    samples: Sequence[Sample]
    size: int = PATCH
    count: int = PATCHES
    batch: int = BATCH
    seed: int = 0

    def __post_init__(self) -> None:
        if not len(self.samples):
            raise ValueError("samples must not be empty")
        for name in ("size", "count", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        height, width = np.array([sample.size for sample in self.samples]).T
        if len(self.samples) > 1 and min(height.min(), width.min()) < self.size:
            raise ValueError(
                f"size is {self.size}, but the smallest picture is {height.min()} x {width.min()} pixels: "
                "take smaller patches"
            )
        windows = np.maximum(height - self.size + 1, 1) * np.maximum(width - self.size + 1, 1)
        object.__setattr__(self, "_sizes", np.stack([height, width], axis=1))
        object.__setattr__(self, "_share", windows / windows.sum())

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-self.count // self.batch)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (N, C, size, size) float32 patches in [0, 1] and (N, size, size) int64 labels."""
        rng = np.random.default_rng((self.seed, epoch))
        for first in range(0, self.count, self.batch):
            images, labels = zip(
                *(self._patch(rng) for _ in range(min(self.batch, self.count - first))), strict=True
            )
            yield to_unit(np.stack(images)), torch.from_numpy(np.stack(labels).astype(np.int64))

    def _patch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        index = int(rng.choice(len(self.samples), p=self._share))
        sides = np.minimum(self._sizes[index], self.size)
        row, column = rng.integers(0, self._sizes[index] - sides + 1)
        image, labels = self.samples[index].read((int(row), int(column), int(sides[0]), int(sides[1])))
        if labels is None:
            raise ValueError('samples must have labels: open the data set with supervision="full"')
        for axis in (0, 1):
            if rng.random() < 0.5:
                image, labels = np.flip(image, axis), np.flip(labels, axis)
        return image, labels


def to_unit(images: np.ndarray) -> Tensor:
    """Turn (N, H, W, C) uint8 images into (N, C, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).movedim(3, 1).float().div(255).contiguous()


def in_memory(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples whose pictures and labels are decoded once and kept."""
    return [array_sample(sample.name, sample.image, sample.labels) for sample in samples]


def array_sample(name: str, image: np.ndarray, labels: np.ndarray | None = None) -> Sample:
    """Return the sample of a (H, W, C) uint8 picture, and of its (H, W) labels, that are in memory."""
    read_labels = None if labels is None else partial(crop, labels)
    return Sample(name, partial(crop, image), read_labels, read_size=partial(tuple, image.shape[:2]))


def train_scgnet(
    model: nn.Module,
    patches: Patches,
    epochs: int,
    *,
    loss: str = "dice",
    regularise: bool = True,
    learning_rate: float = LEARNING_RATE,
    validate: Callable[[nn.Module], float] | None = None,
    **options: Any,
) -> History:
    """Train SCG-Net on Eq. 15.

    Parameters
    ----------
    model : SCGNet
        Trained in place.
    patches : Patches
    epochs : int
    loss : str
        A key of `PIXEL_LOSSES`; "dice" is the paper's.
    regularise : bool
        Whether the divergence and the diagonal term are part of the loss.
    learning_rate : float
    validate : callable, optional
        See :func:`segstudy.training.train`; the epoch of the highest score is kept.
    **options
        `device`, `precision`, `seed`, `checkpoint`, `label` and `fabric` of :func:`segstudy.training.train`.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        The loss is unknown.
    """
    require_loss(loss)
    return train(
        model,
        patches,
        partial(total_loss, pixel=PIXEL_LOSSES[loss], regularise=regularise),
        lambda _: make_optimiser(model, learning_rate),  # its groups go by the parameters' names
        epochs,
        validate=validate,
        schedule=partial(schedule, steps=patches.steps),
        **options,
    )


def require_loss(loss: str) -> None:
    """Refuse a loss that is no key of `PIXEL_LOSSES`."""
    if loss not in PIXEL_LOSSES:
        raise ValueError(f"loss must be one of {tuple(PIXEL_LOSSES)}, got {loss!r}")
