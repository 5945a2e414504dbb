"""The pictures of notebook 03, as the patch features that are clustered and the truth that scores."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from segstudy.datasets.registry import data_root
from segstudy.experiments.parts import open_part
from segstudy.nn.describers import KINDS
from segstudy.nn.libraries import library_hint
from segstudy.nn.patch_features import centre_features, patch_features, reduce_features, unit_features
from segstudy.nn.weights import Weights, named_weights, squeezenet_weights
from segstudy.papers.gnn_clustering.foreground import Targets, count_objects
from segstudy.papers.gnn_clustering.settings import CENTRED

GRID = (28, 28)
MEAN_OUT, RAW = "centred", "raw"  # words of a name of features
DIMS = 64  # kept of a picture's features: their inner products change by little, and everything is several times faster
DINO_WEIGHTS = "weights/dino_vits8.pth"  # under the data root, in timm's names; else timm's hub is asked


class Features(NamedTuple):
    """What a name of features says; the first three are arguments of :func:`~segstudy.nn.patch_features`.

    Attributes
    ----------
    kind : str
    stages : tuple of int, optional
    weights : str or Path, optional
    centre : bool
        Whether the picture's mean is subtracted before patches are scaled to length 1.
    """

    kind: str
    stages: tuple[int, ...] | None
    weights: Weights
    centre: bool


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


@lru_cache(maxsize=4)  # experiments of one process share them
def open_pictures(
    dataset: str, images: int, features: str, grid: tuple[int, int] = GRID, dims: int = DIMS
) -> Pictures:
    """Describe the patches of a data set's pictures and count their truth.

    Parameters
    ----------
    dataset, images
        See :func:`~segstudy.experiments.parts.open_part`.
    features : str
        See :func:`parse_features`.
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
    kind, stages, weights, centre = parse_features(features)
    samples = list(open_part(dataset, images))
    options = {"grid": grid, "stages": stages, "weights": weights, "label": f"{dataset}, features"}
    described = patch_features([sample.image for sample in samples], kind, **options)
    values = (centre_features if centre else unit_features)(described.values)
    targets = count_objects((sample.labels for sample in samples), grid)
    name = described.name + (", centred" if centre else "")
    return Pictures(reduce_features(values, dims), targets, [sample.name for sample in samples], name)


def parse_features(name: str) -> Features:
    """Read a name of features.

    Parameters
    ----------
    name : str
        A kind of :func:`~segstudy.nn.patch_features` or a network by name, then, each after a comma and only where it
        differs from what the kind does by itself: "stages 16 and 32" of a network; "random weights", "pretrained" or
        "weights PATH"; "centred" or "raw". For example "mix, raw", "timm:tf_efficientnet_lite2, stages 16 and 32".

    Raises
    ------
    StudyError
        The kind's own weights are not there.
    ValueError
        A word is unknown.
    """
    kind, *words = name.split(", ")
    if kind not in KINDS and ":" not in kind:
        raise ValueError(
            f"features must be one of {KINDS} or a network such as 'timm:tf_efficientnet_lite2', got "
            f"{kind!r}{library_hint(kind)}"
        )
    found: dict[str, Any] = {"stages": None, "centre": kind in CENTRED}
    for word in words:
        if word in (RAW, MEAN_OUT):
            found["centre"] = word == MEAN_OUT
        elif numbers := re.fullmatch(r"stages? (\d+(?: and \d+)*)", word):
            found["stages"] = tuple(int(number) for number in numbers[1].split(" and "))
        else:
            found["weights"] = named_weights(word)
    weights = found.pop("weights") if "weights" in found else weights_of(kind)
    return Features(kind, weights=weights, **found)


def with_centring(name: str, centre: bool | None) -> str:
    """Return the name of the same features with or without the picture's mean subtracted; None: `name` as it is."""
    if centre is None:
        return name
    plain = ", ".join(word for word in name.split(", ") if word not in (RAW, MEAN_OUT))
    return (
        plain
        if (plain.partition(", ")[0] in CENTRED) == centre
        else f"{plain}, {MEAN_OUT if centre else RAW}"
    )


def weights_of(kind: str) -> Weights:
    """Return a kind's own weights: a file under the data root, or those that the network's library knows."""
    if kind == "colour-texture":
        return None
    if kind in ("squeezenet", "mix"):
        return squeezenet_weights()
    if kind == "dino" and (data_root() / DINO_WEIGHTS).is_file():
        return data_root() / DINO_WEIGHTS
    return "pretrained"
