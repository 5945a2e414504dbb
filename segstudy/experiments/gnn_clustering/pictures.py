"""The pictures of notebook 03, as the patch features that are clustered and the truth that scores."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from segstudy.datasets import Dataset, open_dataset
from segstudy.datasets.registry import data_root
from segstudy.errors import StudyError
from segstudy.nn.patch_features import centre_features, patch_features, reduce_features, unit_features
from segstudy.nn.weights import SQUEEZENET
from segstudy.papers.gnn_clustering.foreground import Targets, count_objects

GRID = (28, 28)
DIMS = 64  # kept of a picture's features: their inner products change by little, and everything is several times faster
# Features by name: their kind, and whether the picture's mean is subtracted before patches are scaled to length 1.
FEATURES = {
    "colour-texture": ("colour-texture", True),
    "squeezenet": ("squeezenet", True),
    "mix": ("mix", True),
    "mix, raw": ("mix", False),
    "colour-texture, raw": ("colour-texture", False),
    "squeezenet, random weights": ("squeezenet", True),
    "dino": ("dino", False),
}
DINO_WEIGHTS = "weights/dino_vits8.pth"  # under the data root, in timm's names; else timm's hub is asked


class Pictures(NamedTuple):
    """A data set as it is clustered.

    Attributes
    ----------
    features : (N, n, d) float32 ndarray
    targets : Targets
    names : list of str
        Of the pictures.
    described : str
        Which features they are.
    """

    features: np.ndarray
    targets: Targets
    names: list[str]
    described: str


def open_part(dataset: str, images: int) -> Dataset:
    """Open the first pictures of a data set.

    Parameters
    ----------
    dataset : str
        Name and split, for example "emds5/all".
    images : int
        How many, evenly spaced; 0: all.
    """
    name, _, split = dataset.partition("/")
    found = open_dataset(name, split=split or None)
    if not 0 < images < len(found):
        return found
    return found.take(np.linspace(0, len(found) - 1, images).round().astype(int).tolist())


@lru_cache(maxsize=4)  # experiments of one process share them
def open_pictures(
    dataset: str, images: int, features: str, grid: tuple[int, int] = GRID, dims: int = DIMS
) -> Pictures:
    """Describe the patches of a data set's pictures and count their truth.

    Parameters
    ----------
    dataset, images
        See :func:`open_part`.
    features : str
        One of `FEATURES`.
    grid : (int, int)
        Rows and columns of patches.
    dims : int
        Kept of each picture's features. Pictures that are reduced have nothing to do with each other's any more.

    Returns
    -------
    Pictures

    Raises
    ------
    StudyError
        Weights are not there.
    ValueError
        The features are unknown.
    """
    if features not in FEATURES:
        raise ValueError(f"features must be one of {tuple(FEATURES)}, got {features!r}")
    kind, centred = FEATURES[features]
    part = open_part(dataset, images)
    weights = None if "random" in features else weights_of(kind)
    samples = list(part)
    described = patch_features(
        [sample.image for sample in samples], kind, grid=grid, weights=weights, label=f"{dataset}, features"
    )
    values = centre_features(described.values) if centred else unit_features(described.values)
    targets = count_objects((sample.labels for sample in samples), grid)
    name = described.name + (", centred" if centred else "")
    return Pictures(reduce_features(values, dims), targets, [sample.name for sample in samples], name)


def weights_of(kind: str) -> str | Path | None:
    """Return the weights that a kind of features asks for: a file under the data root, or timm's hub."""
    if kind == "dino":
        return data_root() / DINO_WEIGHTS if (data_root() / DINO_WEIGHTS).is_file() else "pretrained"
    if kind == "colour-texture":
        return None
    if not (data_root() / SQUEEZENET).is_file():
        raise StudyError(
            f"SqueezeNet's weights are not there: put the file at {SQUEEZENET} beside the data sets"
        )
    return data_root() / SQUEEZENET
