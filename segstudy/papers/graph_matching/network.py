"""The network before the matching: a U-Net trained on few pictures (Chopin et al. 2020, Section III-B).

The paper says: U-Net, 100 epochs, validation pictures. The rest of the recipe below was chosen here, on the ten
validation pictures of FASSEG alone, at 160 x 112 pixels and width 16, with 10 and with 20 training pictures and two
or three seeds of each. Tried beside it: batches of 1 and 4; learning rates of 5e-4 and 2e-3, constant or falling;
class weights in the cross-entropy; stronger changes or none; no mirroring; moving averages of the weights; width 24;
a size of 208 x 144. Between seeds the pixelwise IoU differs by .01, and most of these do not differ by more: with 20
pictures means lay between .72 and .75, with 10 between .70 and .74 (.62 with batches of 1). The recipe below had .743
(three seeds, standard deviation .001) and .729 (two), and the highest box IoU after matching, .79 and .78.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from segstudy.checkpoints import next_place
from segstudy.datasets.augmentation import Augmentation, Batches
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.datasets.sample import Sample
from segstudy.metrics.iou import iou_per_image
from segstudy.nn.unet import UNet, predict_probabilities
from segstudy.papers.graph_matching.cleaning import clean_labels
from segstudy.training import History, cross_entropy_dice, train

LEARNING_RATE = 1e-3  # Adam's
BATCH = 2
CHANGES = {"rotation": 5.0, "scale": 0.05, "translation": 0.03}

Pair = tuple[np.ndarray, np.ndarray]


def prepare(sample: Sample, size: tuple[int, int]) -> Pair:
    """Return a sample's picture and its labels, cleaned of speckle, at the (height, width) of the network."""
    return resize_image(sample.image, size), resize_labels(clean_labels(sample.labels), size)


def train_network(
    training: Sequence[Pair],
    validation: Sequence[Pair],
    num_classes: int,
    *,
    width: int = 64,
    epochs: int = 100,
    swap: tuple[tuple[int, int], ...] | None = None,
    seed: int = 0,
    device: str = "cpu",
    precision: str = "32-true",
    label: str = "U-Net",
) -> tuple[UNet, History]:
    """Train a U-Net and keep the epoch that validates best.

    Cross-entropy and Dice, Adam, mild changes of colour and place. The score of an epoch is the mean IoU over the
    validation pictures and classes; a class that the network misses counts 0.

    Parameters
    ----------
    training, validation : sequence of (image, labels)
        (H, W, C) uint8 and (H, W) int ndarrays of one size, 255 for void.
    num_classes : int
        Of the labels.
    width, epochs : int
        Channels of the first level, passes over the training pictures.
    swap : tuple of pairs of int, optional
        Ids of left and right twins: pictures are then mirrored too. None: they are not.
    seed : int
        Of the first weights, the order and the changes.
    device, precision : str
        See :func:`segstudy.training.train`.
    label : str
        What the progress display shows.

    Returns
    -------
    model : UNet
    history : History
    """
    model = UNet(training[0][0].shape[2], num_classes, width, seed=seed)
    history = train(
        model,
        Batches(training, BATCH, seed, Augmentation(**CHANGES, swap=swap)),
        cross_entropy_dice,
        partial(torch.optim.Adam, lr=LEARNING_RATE),
        epochs,
        validate=partial(validation_score, pairs=validation),
        device=device,
        precision=precision,
        seed=seed,
        checkpoint=next_place(label),
        label=label,
    )
    return model, history


def validation_score(model: UNet, pairs: Sequence[Pair]) -> float:
    """Return the mean IoU over pictures and classes; a class that a picture has and the network misses counts 0."""
    found = [predict_probabilities(model, image).argmax(axis=2) for image, _ in pairs]
    return float(np.nanmean(iou_per_image([labels for _, labels in pairs], found, model.num_classes)))


def predict(model: UNet, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Predict at another size and scale the probabilities back, bilinearly.

    Parameters
    ----------
    model : UNet
        A trained one.
    image : (H, W, C) uint8 ndarray
        Of any size.
    size : (int, int)
        Height and width at which the network was trained.

    Returns
    -------
    (H, W, num_classes) float32 ndarray, rows sum to 1
    """
    small = predict_probabilities(model, resize_image(image, size))
    if image.shape[:2] == tuple(size):
        return small
    planes = torch.from_numpy(small).permute(2, 0, 1)[None]
    grown = functional.interpolate(planes, image.shape[:2], mode="bilinear", align_corners=False)
    return grown[0].permute(1, 2, 0).contiguous().numpy()
