"""What the notebook trains DINO for: is the network worth more than its first weights, and where does it look?"""

from __future__ import annotations

from typing import Any

import numpy as np

from segstudy.datasets import Dataset, open_dataset
from segstudy.experiments.gnn_clustering.dino_evaluation import attention_maps, knn_accuracy, picture_features
from segstudy.papers.gnn_clustering.dino_training import train_dino
from segstudy.papers.gnn_clustering.dino_vit import restore

SIZE = 64  # pixels of a side
HELD = 0.6  # share of a head's attention that its mask holds, DINO's own figures' threshold
SHOWN = 5  # the test picture of the attention maps


def train_and_compare(pictures: int, epochs: int, tested: int, seed: int, device: str) -> dict[str, Any]:
    """Train DINO on generated microbes and judge its features by the kinds of microbes, which it never saw.

    Parameters
    ----------
    pictures, epochs : int
        Of the training.
    tested : int
        Test pictures. The split's own 48 tell a share to 7 points (standard error), 480 to 2.
    seed : int
    device : str

    Returns
    -------
    dict
        "losses" by epoch; "output_entropy" and "mean_entropy" by step, and "limit", their largest value; "knn_trained"
        and "knn_initial", the share of test pictures whose five nearest training pictures name their kind, with the
        trained weights and with the first ones; "image" and "attention", a test picture and its maps, and
        "attention_iou", the IoU of the best head's mask with the object, the mean over the test pictures; "seconds".
    """
    training = open_dataset("microbes", split="train", size=(SIZE, SIZE), count=pictures)
    test = open_dataset("microbes", split="test", size=(SIZE, SIZE), count=tested)
    run = train_dino([s.image for s in training], size=SIZE, epochs=epochs, seed=seed, device=device)
    trained, initial = (restore(weights, device) for weights in (run.weights, run.initial))
    maps = [attention_maps(trained, sample.image) for sample in test]
    fits = [_best_head(found, sample.labels == 1) for found, sample in zip(maps, test, strict=True)]
    return {
        "losses": run.losses,
        "output_entropy": run.output_entropy,
        "mean_entropy": run.mean_entropy,
        "limit": run.limit,
        "knn_trained": _accuracy(trained, training, test),
        "knn_initial": _accuracy(initial, training, test),
        "image": test[SHOWN].image,
        "attention": maps[SHOWN],
        "attention_iou": float(np.mean(fits)),
        "seconds": run.seconds,
    }


def _accuracy(model: Any, training: Dataset, test: Dataset) -> float:
    parts = []
    for part in (training, test):
        parts.append(picture_features(model, [sample.image for sample in part]))
        parts.append(np.array([min(sample.image_labels) for sample in part]))
    return knn_accuracy(*parts)


def _best_head(maps: np.ndarray, truth: np.ndarray) -> float:
    """Return the IoU with the object of the head that fits best, each head's mask holding `HELD` of its attention."""
    cell = truth.shape[0] // maps.shape[1]
    scores = []
    for head in maps.reshape(len(maps), -1):
        order = np.argsort(-head)
        mask = np.zeros(len(head), dtype=bool)
        mask[order[: np.searchsorted(head[order].cumsum(), HELD * head.sum()) + 1]] = True
        grown = np.kron(mask.reshape(maps.shape[1:]), np.ones((cell, cell))) > 0
        scores.append((grown & truth).sum() / (grown | truth).sum())
    return max(scores)
