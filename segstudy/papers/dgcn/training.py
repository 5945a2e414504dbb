r"""The loop of section 3.1: the network labels its training pictures, the labels grow, the network learns from them.

In each step every picture of the batch gets its labels anew from its first cues, from the probabilities H that the
network gives it now and from the graph of its features, and the network takes a step on

.. math:: L = L_\text{seed} + L_\text{boundary} \qquad \text{(Eqs. 4, 5)}

With a frozen trunk what it sees of the pictures is made once, :func:`~segstudy.papers.dgcn.views.look`, and the head
alone is trained. No mask is within reach here: a `WeakPicture` has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.papers.dgcn.batch_losses import GrowingLoss, LabelLoss
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.views import Maps, Views, WeakPicture
from segstudy.training import History, train

POWER = 0.9
# Of the head's rate: DSRG's new layer, which starts from random weights, learns ten times as fast as the trunk.
TRUNK_RATE = 0.1


class Learner(nn.Module):
    """A trunk or none, and a head: gives the head's answer and the maps from which it came.

    Parameters
    ----------
    head : Module
        Takes a list of maps.
    trunk : Module, optional
        Gives a list of maps, of pictures or, a :class:`~segstudy.papers.dgcn.tail.Tail`, of maps; None: the maps are
        the input.
    """

    def __init__(self, head: nn.Module, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.head, self.trunk = head, trunk

    def forward(self, inputs: Tensor | Maps) -> tuple[Tensor, Maps]:
        """Return the head's answer, and the maps without their gradient."""
        maps = inputs if self.trunk is None else self.trunk(inputs)
        return self.head(maps), [values.detach() for values in maps]


def presence_loss(outputs: tuple[Tensor, Maps], which: Tensor, *, presence: Tensor) -> Tensor:
    """Return the classifier's loss: binary cross-entropy of each object's presence in the pictures `which`."""
    scores, _ = outputs
    return F.binary_cross_entropy_with_logits(scores, presence.to(scores.device)[which[:, 0]])


def train_classifier(
    pictures: Sequence[WeakPicture],
    learner: Learner,
    epochs: int = 12,
    *,
    learning_rate: float = 1e-3,
    batch: int = 16,
    seed: int = 0,
    device: str = "cpu",
    label: str = "classifier",
) -> History:
    """Train a classifier on image-level labels (section 3.2), in place.

    Parameters
    ----------
    pictures : sequence of WeakPicture
        With maps where the learner has no trunk, or a tail of one.
    learner : Learner
        Its head is a :class:`~segstudy.papers.dgcn.classifier.ClassifierHead`.
    epochs, learning_rate, batch, seed, device, label
        Of AdamW, the rate falling with the power .9.

    Raises
    ------
    ValueError
        A class of a picture is none of the head's.
    """
    objects = learner.head.score.out_channels
    presence = torch.zeros(len(pictures), objects)
    for row, picture in zip(presence, pictures, strict=True):
        if picture.classes and not 1 <= min(picture.classes) <= max(picture.classes) <= objects:
            raise ValueError(f"classes must be ids of objects, 1 to {objects}, got {picture.classes}")
        row[[name - 1 for name in picture.classes]] = 1
    loss = partial(presence_loss, presence=presence)
    return _train(pictures, learner, loss, epochs, learning_rate, batch, seed, device, label)


def _train(
    pictures: Sequence[WeakPicture],
    learner: Learner,
    loss: Callable[[Any, Tensor], Tensor],
    epochs: int,
    learning_rate: float,
    batch: int,
    seed: int,
    device: str,
    label: str,
) -> History:
    """Train with AdamW on shuffled views of the pictures, the rate falling with a power of what is left.

    The head has the rate, and a trunk `TRUNK_RATE` of it.
    """
    views = Views(pictures, pictures[0].maps is not None, batch, seed)

    def optimiser(_: Any) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = [{"params": list(learner.head.parameters())}]
        if learner.trunk is not None:
            weights = [p for p in learner.trunk.parameters() if p.requires_grad]
            groups.append({"params": weights, "lr": TRUNK_RATE * learning_rate})
        return torch.optim.AdamW(groups, lr=learning_rate)

    def falling(epoch: int) -> float:
        return (1 - epoch / epochs) ** POWER

    options = {"seed": seed, "device": device, "label": label}
    return train(learner, views, loss, optimiser, epochs, schedule=falling, **options)


def train_network(
    pictures: Sequence[WeakPicture],
    learner: Learner,
    growth: Growth,
    epochs: int = 8,
    *,
    learning_rate: float = 2e-3,
    batch: int = 8,
    seed: int = 0,
    device: str = "cpu",
    label: str = "DGCN",
    **options: Any,
) -> History:
    """Train a segmentation network on labels that grow, in place.

    Parameters
    ----------
    pictures : sequence of WeakPicture
        With cues; with maps where the learner has no trunk, or a tail of one.
    learner : Learner
        Its head is an :class:`~segstudy.papers.dgcn.network.AtrousHead`.
    growth : Growth
    epochs, learning_rate, batch, seed, device, label
        Of AdamW, the rate falling with the power .9.
    **options
        Others of :class:`~segstudy.papers.dgcn.batch_losses.GrowingLoss`.

    Raises
    ------
    ValueError
        See :class:`~segstudy.papers.dgcn.batch_losses.GrowingLoss` and :class:`Views`.
    """
    loss = GrowingLoss(pictures, growth, **options)
    return _train(pictures, learner, loss, epochs, learning_rate, batch, seed, device, label)


def retrain(
    pictures: Sequence[WeakPicture],
    labels: Sequence[np.ndarray],
    learner: Learner,
    epochs: int = 6,
    *,
    learning_rate: float = 2e-3,
    batch: int = 8,
    seed: int = 0,
    device: str = "cpu",
    label: str = "retraining",
) -> History:
    """Train a fresh network on masks, such as those that a trained one predicts on its training pictures (section 4.3).

    Parameters
    ----------
    pictures : sequence of WeakPicture
    labels : sequence of (h, w) int ndarray
        `VOID` is left out.
    learner, epochs, learning_rate, batch, seed, device, label
        As for :func:`train_network`.

    Raises
    ------
    ValueError
        There are not as many labels as pictures.
    """
    if len(labels) != len(pictures):
        raise ValueError(f"labels must be {len(pictures)}, one of each picture, got {len(labels)}")
    return _train(pictures, learner, LabelLoss(labels), epochs, learning_rate, batch, seed, device, label)
