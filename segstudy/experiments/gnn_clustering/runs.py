"""What notebook 03 computes once and keeps: one method on all pictures of a data set, from one seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from segstudy.experiments.gnn_clustering.pictures import open_pictures
from segstudy.papers.gnn_clustering.clustering import cluster_images, open_graph
from segstudy.papers.gnn_clustering.network import objective
from segstudy.papers.gnn_clustering.settings import PRESETS, Settings

BATCH = {"cpu": 1, "cuda": 32}  # pictures in work at once


def method(changes: dict[str, Any]) -> Settings:
    """Return the slides' settings with some changed."""
    return replace(PRESETS["slides"], **changes)


def cluster_set(
    dataset: str,
    images: int,
    features: str,
    changes: dict[str, Any],
    seed: int,
    every: int,
    device: str,
    grid: int = 28,
) -> dict[str, Any]:
    """Cluster every picture of a data set with one method.

    Parameters
    ----------
    dataset, images, features
        See :func:`~segstudy.experiments.gnn_clustering.pictures.open_pictures`.
    changes : dict
        Settings that differ from those of the slides.
    seed : int
        Of the first weights and of what is dropped.
    every : int
        Iterations between two assignments that are kept.
    device : str
        As torch names it.
    grid : int
        Rows, and columns, of patches.

    Returns
    -------
    dict
        "labels" (N, T, n) uint8, the likeliest cluster after each recorded iteration; "iterations" (T,); "hard" (N, T),
        the objective of those labels; "losses" (N, iterations); "seconds" of all pictures, features not counted.
    """
    settings = method(changes)
    pictures = open_pictures(dataset, images, features, (grid, grid))
    record = range(every, settings.iterations + 1, every)
    label = f"{dataset}, {settings.name}, seed {seed}"
    batch = BATCH[torch.device(device).type]
    options = {"record": record, "seed": seed, "batch": batch, "device": device, "label": label}
    found = cluster_images(pictures.features, settings, **options)
    labels = found.assignments.argmax(axis=3).astype(np.uint8)
    return {
        "labels": labels,
        "iterations": found.iterations,
        "hard": hard_objective(pictures.features, labels, settings),
        "losses": found.losses.astype(np.float32),
        "seconds": found.seconds,
    }


def hard_objective(features: np.ndarray, labels: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the objective of clusterings that give each patch wholly to one cluster.

    It needs no truth, so that it may choose among the clusterings of a picture.

    Parameters
    ----------
    features : (N, n, d) float32 ndarray
    labels : (N, T, n) int ndarray
    settings : Settings

    Returns
    -------
    (N, T) float64 ndarray
    """
    values = np.empty(labels.shape[:2])
    for i, picture in enumerate(torch.as_tensor(features)):
        graph = open_graph(picture[None], settings)
        for t, found in enumerate(labels[i]):
            assignment = torch.from_numpy(np.eye(settings.clusters, dtype=np.float32)[found])[None]
            values[i, t] = float(objective(assignment, graph, settings))
    return values
