"""One training and all that the notebook reads of it: validation by epoch, test scores by picture, the graph learnt."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import ndimage
from torch import Tensor, nn

from segstudy.datasets import Dataset, open_dataset
from segstudy.datasets.sample import Sample
from segstudy.experiments.scgnet.models import build_model
from segstudy.experiments.scgnet.relations import graph_statistics, learnt_graph
from segstudy.experiments.weights import pictures_in, weights_of
from segstudy.metrics.boundary import boundary_f_score, csurka_tolerance
from segstudy.metrics.confusion import confusion
from segstudy.papers.scgnet.evaluation import mean_f1, score_set
from segstudy.papers.scgnet.network import SCGNet
from segstudy.papers.scgnet.prediction import predict_labels
from segstudy.papers.scgnet.training import Patches, array_sample, in_memory, to_unit, train_scgnet

SHOWN, SHOWN_SIDE = 2, 320  # test pictures whose labels are kept, from the upper left corner
TINY = 16  # pixels: smaller components are specks, not cars


@lru_cache(maxsize=6)
def open_split(dataset: str, split: str, images: int = 0) -> tuple[Dataset, list[Sample]]:
    """Return a split of a data set, or its first pictures (0: all), and the samples in memory."""
    found = open_dataset(dataset, split=split)
    found = found[:images] if images else found
    return found, in_memory(found)


def train_trial(
    dataset: str,
    images: int,
    name: str,
    trunk: str,
    recipe: dict[str, Any],
    seed: int,
    device: str,
    nodes: list[int] | None = None,
    residual: bool = True,
    regularise: bool = True,
    neighbour_weight: float = 1.0,
    keep: bool = False,
) -> dict[str, Any]:
    """Train a network on a data set's training pictures, choose the epoch on "val" and read "test" once.

    Parameters
    ----------
    dataset : str
        With splits "train", "val" and "test".
    images : int
        Of each split, the first ones; 0: all.
    name, trunk
        See :func:`~segstudy.experiments.scgnet.models.build_model`.
    recipe : dict
        "size" and "batch" of patches, "patches" of an epoch, "epochs", "loss", "learning_rate" and "precision".
    seed : int
        Of first weights, patches and noise.
    device : str
    nodes : list of two int, optional
    residual, regularise : bool
        False as in Table VII.
    neighbour_weight : float
        See :class:`~segstudy.papers.scgnet.scg.SCG`.
    keep : bool
        Whether the network is, see :class:`~segstudy.experiments.kept.KeptNetwork`: "state", "seen" and "bands".

    Returns
    -------
    dict
        "losses" (E,); "validation" (E, C, C), confusion matrices; "best", the epoch that was kept; "steps" of an epoch;
        "test" (N, C, C) by picture; "boundary" (N, C), F-scores of borders; "components" (N, C, 2), true and predicted
        ones; "graph", statistics by picture, for a dense graph, and the "weights" of the first one's upper left window
        with their "grid"; "labels", what is predicted in the upper left corner of the first pictures; "seconds" of the
        training.
    """
    training, validation, test = (open_split(dataset, split, images) for split in ("train", "val", "test"))
    classes = training[0].classes
    bands = training[1][0].image.shape[2]
    grid = tuple(nodes) if nodes else None
    model = build_model(name, trunk, len(classes), bands, seed, grid, residual, neighbour_weight)
    patches = Patches(training[1], recipe["size"], recipe["patches"], recipe["batch"], seed)
    matrices: list[np.ndarray] = []

    def validate(model: nn.Module) -> float:
        matrices.append(score_set(model, validation[1], len(classes), **_windows(recipe)))
        return mean_f1(matrices[-1], classes)

    options = _options(recipe) | {"regularise": regularise}
    options |= {
        "validate": validate,
        "device": device,
        "seed": seed,
        "label": f"{dataset}, {name}, seed {seed}",
    }
    started = time.perf_counter()
    history = train_scgnet(model, patches, recipe["epochs"], **options)
    seconds = time.perf_counter() - started
    kept: dict[str, Any] = {}
    if keep:
        kept = {"state": weights_of(model), "seen": pictures_in(training[0], validation[0]), "bands": bands}
    trained = {
        "losses": history.losses,
        "validation": np.stack(matrices),
        "best": history.best_epoch,
        "steps": patches.steps,
        "seconds": seconds,
    }
    return kept | trained | read_test(model, test[1], len(classes), recipe)


def read_test(
    model: nn.Module, samples: list[Sample], num_classes: int, recipe: dict[str, Any]
) -> dict[str, Any]:
    """Return the test part of `train_trial`."""
    found: dict[str, list[Any]] = {"test": [], "boundary": [], "components": [], "graph": [], "labels": []}
    dense = isinstance(model, SCGNet) and model.scg.graph and model.scg.neighbours is None
    for sample in samples:
        truth = sample.labels
        labels = predict_labels(model, sample, **_windows(recipe, overlap=2))
        labels_scored = np.where(truth == 255, 255, labels)
        found["test"].append(confusion(truth, labels, num_classes))
        tolerance = csurka_tolerance(sample.size)
        found["boundary"].append(boundary_f_score(truth, labels, tolerance, num_classes))
        pair = (truth, labels_scored)
        found["components"].append([[_count(m == c) for m in pair] for c in range(num_classes)])
        found["labels"].append(labels[:SHOWN_SIDE, :SHOWN_SIDE])
        if dense:
            image, below = _corner(sample, recipe["size"])
            found["graph"].append(graph_statistics(model, image, below))
    kept: dict[str, Any] = {"labels": found["labels"][:SHOWN]}
    if dense:
        kept["graph"] = {key: [row[key] for row in found["graph"]] for key in found["graph"][0]}
        weights, grid = learnt_graph(model, _corner(samples[0], recipe["size"])[0])
        kept |= {"weights": weights, "grid": list(grid)}
    return kept | {
        "test": np.stack(found["test"]),
        "boundary": np.stack(found["boundary"]),
        "components": np.array(found["components"]),
    }


def _options(recipe: dict[str, Any]) -> dict[str, Any]:
    return {key: recipe[key] for key in ("loss", "learning_rate", "precision")}


def _windows(recipe: dict[str, Any], overlap: int = 1) -> dict[str, Any]:
    """Return the options of a prediction: windows as large as patches, seen once, without flips."""
    return {"window": recipe["size"], "stride": recipe["size"] // overlap, "views": ("identity",)}


def _corner(sample: Sample, size: int) -> tuple[Tensor, np.ndarray]:
    """Return the upper left window of a picture and its labels."""
    height, width = (min(size, side) for side in sample.size)
    image, labels = sample.read((0, 0, height, width))
    return to_unit(image[None])[0], labels


def _count(mask: np.ndarray) -> int:
    """Return how many 4-connected components of a mask have at least `TINY` pixels."""
    parts, _ = ndimage.label(mask)
    return int((np.bincount(parts.ravel())[1:] >= TINY).sum())


def halves_trial(city: str, trunk: str, recipe: dict[str, Any], seed: int, device: str) -> dict[str, Any]:
    """Train SCG-GCN on the left half of a real ISPRS patch and label the right half: an illustration, no evidence.

    Parameters
    ----------
    city : "potsdam" or "vaihingen"
    trunk, recipe, seed, device
        As for :func:`train_trial`.

    Returns
    -------
    dict
        "matrix", the confusion matrix of the right half, and "losses".
    """
    whole = open_dataset("isprs_patches", split=city)
    sample = whole[0]
    half = sample.size[1] // 2
    left, right = (_part(sample, first, half) for first in (0, half))
    model = build_model("SCG-GCN", trunk, len(whole.classes), 3, seed)
    patches = Patches([left], recipe["size"], recipe["patches"], recipe["batch"], seed)
    options = _options(recipe) | {"device": device, "seed": seed, "label": f"{city}, left half"}
    history = train_scgnet(model, patches, recipe["epochs"], **options)
    labels = predict_labels(model, right, **_windows(recipe, overlap=2))
    return {
        "matrix": confusion(right.labels, labels, len(whole.classes)),
        "losses": history.losses,
        "labels": labels,
    }


def _part(sample: Sample, first: int, width: int) -> Sample:
    image, labels = sample.read((0, first, sample.size[0], width))
    return array_sample(f"{sample.name}-{first}", image, labels)
