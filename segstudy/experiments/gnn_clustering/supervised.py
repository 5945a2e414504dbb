"""The supervised comparator: a small U-Net trained on half of a data set, tested on the other half and elsewhere."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from segstudy.datasets.augmentation import Augmentation, Batches
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.datasets.sample import Sample
from segstudy.experiments.parts import open_part
from segstudy.nn.unet import UNet, predict_probabilities
from segstudy.training import cross_entropy_dice, train

SIZE = (112, 112)  # half of the clustering's: enough for one object, four times as fast
LEARNING_RATE, BATCH = 1e-3, 8
CHANGES = {"rotation": 180.0, "scale": 0.2, "translation": 0.1}


def halves(count: int) -> tuple[list[int], list[int]]:
    """Return the indices on which choices are made, or networks trained, and those on which results are read.

    Every second picture: of EMDS-5 both halves hold every kind of organism.
    """
    return list(range(0, count, 2)), list(range(1, count, 2))


def supervised(
    dataset: str, other: str, images: int, width: int, epochs: int, seed: int, device: str
) -> dict[str, Any]:
    """Train a U-Net on one half of a data set; return its IoU on the other half and on another data set.

    Parameters
    ----------
    dataset, other : str
        See :func:`~segstudy.experiments.parts.open_part`.
    images : int
        Of either, 0: all.
    width, epochs : int
        Of the U-Net; all epochs are trained, no picture is spent on choosing one.
    seed : int
    device : str

    Returns
    -------
    dict
        "own" and "other": the (n,) IoU of the object in each picture; "losses" by epoch.
    """
    samples = list(open_part(dataset, images))
    training, test = ([samples[i] for i in half] for half in halves(len(samples)))
    net = UNet(3, 2, width, seed=seed)
    history = train(
        net,
        Batches([_prepare(sample) for sample in training], BATCH, seed, Augmentation(**CHANGES, swap=())),
        cross_entropy_dice,
        partial(torch.optim.Adam, lr=LEARNING_RATE),
        epochs,
        device=device,
        seed=seed,
        label=f"U-Net, {dataset}",
    )
    scores = {"own": _scores(net, test), "other": _scores(net, list(open_part(other, images)))}
    return scores | {"losses": history.losses}


def _prepare(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    return resize_image(sample.image, SIZE), (resize_labels(sample.labels, SIZE) == 1).astype(np.uint8)


def _scores(net: UNet, samples: list[Sample]) -> np.ndarray:
    values = []
    for sample in samples:
        image, truth = _prepare(sample)
        found = predict_probabilities(net, image).argmax(axis=2) == 1
        values.append((found & (truth == 1)).sum() / max((found | (truth == 1)).sum(), 1))
    return np.array(values)
