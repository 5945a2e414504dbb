"""The trainings of notebook 01: which pictures train, validate and test, and one network for each share and seed.

The paper trains on the 20 pictures of FASSEG's training set and takes 10 of the other 50 for validation and 40 for the
test; 75, 50 and 25 % of training and validation set are drawn at random, again for each repeat (Section III-B). Which
10 validate is not said: here every fifth. How many validate at 50 % is not printed: 5, by proportion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segstudy.datasets import Dataset, open_dataset
from segstudy.experiments.weights import filled, pictures_in, weights_of
from segstudy.nn.unet import UNet
from segstudy.papers.graph_matching.network import prepare, train_network
from segstudy.progress import track

VALIDATION = range(4, 50, 5)  # of FASSEG's 50 test pictures, counted from 0
TWINS = ((3, 4), (5, 6))  # right and left brow, right and left eye; `faces` has the same classes
# Generated faces are drawn so large, in FASSEG's proportions.
FACES_SIZE = (128, 88)


def open_parts(name: str) -> tuple[Dataset, Dataset, Dataset]:
    """Open a data set's training, validation and test pictures.

    Parameters
    ----------
    name : {"fasseg", "faces"}

    Returns
    -------
    training, validation, test : Dataset
        20, 10 and 40 pictures.

    Raises
    ------
    MissingData
        Where FASSEG is not there.
    ValueError
        For another name.
    """
    if name == "faces":
        parts = (open_dataset(name, split=split, size=FACES_SIZE) for split in ("train", "val", "test"))
        training, validation, test = parts
        return training, validation, test.take(range(40))
    if name != "fasseg":
        raise ValueError(f"dataset is {name!r}; this study's protocol is for 'fasseg' and 'faces'")
    training, others = (open_dataset(name, split=split) for split in ("train", "test"))
    rest = [i for i in range(len(others)) if i not in VALIDATION]
    return training, others.take(i for i in VALIDATION if i < len(others)), others.take(rest)


def draw(share: int, seed: int, training: int, validation: int) -> tuple[list[int], list[int]]:
    """Draw the pictures that train and validate.

    Parameters
    ----------
    share : int
        Percent of both sets: 100, 75, 50 or 25 in the paper, which are 20, 15, 10, 5 and 10, 7, 5, 2 pictures.
    seed : int
        Of the repeat.
    training, validation : int
        How many there are.

    Returns
    -------
    training, validation : list of int
        Ascending indices; at 100 % all of them.

    Raises
    ------
    ValueError
        Where no picture would be left of either.
    """
    counts = [available * share // 100 for available in (training, validation)]
    if not 0 < share <= 100 or 0 in counts:
        raise ValueError(f"share must leave a picture to train and one to validate, got {share!r} percent")
    rng = np.random.default_rng((seed, share))
    drawn = (
        rng.choice(available, count, replace=False)
        for available, count in zip((training, validation), counts, strict=True)
    )
    first, second = (sorted(indices.tolist()) for indices in drawn)
    return first, second


def train_share(
    dataset: str,
    share: int,
    seed: int,
    size: list[int],
    width: int,
    epochs: int,
    device: str,
    precision: str,
) -> dict[str, Any]:
    """Train one network on a share of a training set, with labels cleaned of speckle.

    Parameters
    ----------
    dataset : str
        See :func:`open_parts`.
    share, seed : int
        See :func:`draw`; the seed is that of the training too.
    size : list of int
        Height and width at which the network works.
    width, epochs, device, precision
        See :func:`~segstudy.papers.graph_matching.network.train_network`.

    Returns
    -------
    dict
        "weights", "training" and "validation" (indices), "losses", "scores", "best_epoch"; "seen", see
        :class:`~segstudy.experiments.kept.KeptNetwork`.
    """
    parts = open_parts(dataset)[:2]
    chosen = draw(share, seed, *map(len, parts))
    label = f"{share} %, seed {seed}"
    training, validation = (
        [prepare(part[i], (size[0], size[1])) for i in track(indices, f"{label}: pictures")]
        for part, indices in zip(parts, chosen, strict=True)
    )
    swap, classes = TWINS, len(parts[0].classes)
    options = {"width": width, "epochs": epochs, "device": device, "precision": precision}
    model, history = train_network(
        training, validation, classes, swap=swap, seed=seed, label=label, **options
    )
    return {
        "weights": weights_of(model),
        "seen": pictures_in(*(part.take(indices) for part, indices in zip(parts, chosen, strict=True))),
        "training": chosen[0],
        "validation": chosen[1],
        "losses": history.losses,
        "scores": history.scores,
        "best_epoch": history.best_epoch,
    }


def restore(weights: dict[str, np.ndarray], device: str = "cpu") -> UNet:
    """Make the network again whose weights :func:`train_share` returned, in evaluation mode."""
    width, channels = weights["encoder.0.0.weight"].shape[:2]
    return filled(UNet(channels, len(weights["head.bias"]), width), weights).to(device)
