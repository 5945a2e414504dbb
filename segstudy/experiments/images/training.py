"""Train a method on a user's labelled pictures, and score it on some that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segstudy.datasets import Dataset
from segstudy.datasets.files import crop
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.datasets.sample import Sample
from segstudy.errors import StudyError
from segstudy.experiments.images.networks import find_trainable, sizes_of
from segstudy.experiments.images.own_folder import has_masks, open_own
from segstudy.experiments.images.reading import working_size
from segstudy.experiments.images.segmenting import segment_picture
from segstudy.metrics import iou_per_image, mean_iou
from segstudy.segmenter import Segmenter

HELD_OUT = 0.2  # share of the pictures that is scored and takes no part in training, at least one picture
FEWEST = 4  # pictures: two train, one chooses the epoch, one is scored
MEASURE = "IoU of a picture, mean over the classes that truth or prediction show"


def train_on_folder(
    name: str, folder: Path, epochs: int | None, seed: int, device: str
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Train a method.

    Parameters
    ----------
    name : str
        Of :data:`~segstudy.experiments.images.networks.TRAINABLE`.
    folder : Path
        With `images/`, and `masks/` or, for what learns from classes alone, `classes.csv`.
    epochs : int, optional
        None: the method's own number.
    seed : int
        Of weights, order, and which pictures are held out.
    device : str

    Returns
    -------
    card : dict
        Plain values: `method`, `classes`, `colours`, `options`, `epochs`, `seed`, `data` (fingerprint, number of
        pictures, the names of those held out), `scores` (`measure`, `values`, `mean`, `std`, `n` over the held out
        pictures; None without masks), `versions`.
    state : dict of str to Tensor

    Raises
    ------
    StudyError
        The method is not trained on labels, the folder lacks them, or the pictures are too few.
    """
    trainable = find_trainable(name)
    dataset = open_own(folder, trainable.supervision)
    if len(dataset) < FEWEST:
        raise StudyError(f"{folder} has {len(dataset)} pictures; training needs at least {FEWEST}")
    if len(dataset.classes) < 2:
        raise StudyError(f"{folder} has the classes {list(dataset.classes)}; there must be at least 2")
    epochs = trainable.epochs if epochs is None else epochs
    held = max(1, round(HELD_OUT * len(dataset)))
    scored, trained = np.split(np.random.default_rng(seed).permutation(len(dataset)), [held])
    samples = [worked_sample(dataset[int(i)]) for i in trained]
    options = trainable.options(sizes_of(samples))
    training = {"epochs": epochs, "seed": seed, "device": device}
    segmenter = trainable.fresh(len(dataset.classes), options, **training).fit(samples)
    judged = dataset if trainable.supervision == "full" else _with_masks(folder)
    card = {"method": name, "classes": list(dataset.classes), "colours": dataset.colours.tolist()}
    card |= {
        "options": options,
        "epochs": epochs,
        "seed": seed,
        "versions": {"torch": str(torch.__version__)},
    }
    names = [dataset[int(i)].name for i in scored]
    card["data"] = {"fingerprint": dataset.fingerprint(), "pictures": len(dataset), "held out": names}
    card["scores"] = None if judged is None else score(segmenter, [judged[int(i)] for i in scored], judged)
    state = {key: value.cpu() for key, value in trainable.network(segmenter).state_dict().items()}
    return card, state


def worked_sample(sample: Sample) -> Sample:
    """Return a sample in memory at the size at which pictures are worked on, with all that it may show."""
    size = working_size(sample.size)
    image = resize_image(sample.image, size) if size != tuple(sample.size) else sample.image
    labels = sample.labels
    if labels is None:
        return Sample(sample.name, partial(crop, image), None, sample.image_labels)
    return Sample(sample.name, partial(crop, image), partial(crop, resize_labels(labels, size)))


def _with_masks(folder: Path) -> Dataset | None:
    """Return the folder opened for scoring, None where it has no masks."""
    return open_own(folder, "full") if has_masks(folder) else None


def score(segmenter: Segmenter, samples: Sequence[Sample], dataset: Dataset) -> dict[str, Any]:
    """Score a fitted segmenter on labelled pictures, each at its own size.

    Parameters
    ----------
    segmenter : Segmenter
    samples : sequence of Sample
    dataset : Dataset
        Whose classes they have.

    Returns
    -------
    dict
        `measure`, `values` (one for each picture), `mean`, `std` (None for one picture) and `n`.
    """
    count = len(dataset.classes)
    found = [segment_picture(segmenter, sample.image).labels for sample in samples]
    per_picture = iou_per_image([sample.labels for sample in samples], found, count)
    values = [mean_iou(row) for row in per_picture]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    scores = {"measure": MEASURE, "values": values, "mean": float(np.mean(values)), "std": spread}
    return scores | {"n": len(values)}
