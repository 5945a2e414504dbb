"""The tour of `00_start_here`: its pictures, the marks a person would draw, and the scores of the classical baselines.

A room of its own between the papers' and the study's floors: it uses graphs, baselines and metrics together.

Unsupervised methods return numbered clusters, not classes. Each image's clusters are matched to the classes in its own
truth (`segstudy.metrics.match_clusters_per_image`, an oracle), and k-means and the normalised cut are told how many
classes the image shows. These are upper estimates of what the methods do, the same for each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.color import rgb2lab
from sklearn import cluster

from segstudy.baselines.common import Unsupervised
from segstudy.baselines.graph_cut import seeded_graph_cut
from segstudy.baselines.kmeans import KMeans
from segstudy.baselines.normalised_cut import NormalisedCut
from segstudy.baselines.otsu import Otsu
from segstudy.baselines.superpixels import Superpixels, superpixel_means
from segstudy.cache import Experiment
from segstudy.datasets import VOID, Dataset, open_dataset
from segstudy.datasets.resizing import resize_image, resize_labels
from segstudy.experiments.parts import evenly
from segstudy.graphs import contrast_weights, grid_edges
from segstudy.metrics import (
    achievable_accuracy,
    boundary_recall,
    iou_per_image,
    match_clusters_per_image,
    mean_iou,
)
from segstudy.progress import track

TOLERANCE = 2.0  # pixels within which a border counts as found (Achanta et al. 2012)
PIECES = 200  # superpixels
CUT_WEIGHT = 10.0  # price of a pixel edge without contrast, against one unit of -log probability
BINS = 16  # grey levels of each colour channel in the seeds' colour histogram
CLUSTERERS: dict[str, Callable[[int, int], Any]] = {
    "Otsu": lambda k, seed: Otsu(),
    "k-means": lambda k, seed: KMeans(k, seed),
    "k-means on superpixels": lambda k, seed: PieceMeans(k, seed),
    "normalised cut": lambda k, seed: NormalisedCut(k, seed=seed),
}
METHODS = ("one region", *CLUSTERERS, "squares", "SLIC", "colours of the seeds", "graph cut")


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return the grid of the notebook: every method on every data set, once a seed where the method draws.

    Parameters
    ----------
    parameters : dict
        The notebook's: `datasets` (list of "name/split"), `images` (at most so many of each, 0: all), `longest`
        (pixels), `seeds`.
    """
    grid = []
    for name in parameters["datasets"]:
        fingerprint = {name: open_named(name, parameters["longest"]).fingerprint()}
        for method in METHODS:
            drawn = method not in ("one region", "Otsu", "squares", "SLIC")
            for seed in parameters["seeds"] if drawn else parameters["seeds"][:1]:
                arguments = {"method": method, "dataset": name, "seed": seed}
                arguments |= {key: parameters[key] for key in ("images", "longest")}
                grid.append(Experiment(score, arguments, fingerprint))
    return grid


def score(method: str, dataset: str, images: int, longest: int, seed: int) -> dict[str, Any]:
    """Score one method on one data set.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    dataset : str
        "name/split".
    images : int
        How many images, evenly spaced over the data set; 0 for all.
    longest : int
        Images whose longer side has more pixels are shrunk to it: colours averaged, labels taken from the nearest.
    seed : int
        Of k-means, of the eigensolver, of the drawing of seeds.

    Returns
    -------
    dict
        One float array over the images for each measure: "IoU" (mean over the classes present, matched per image),
        "achievable accuracy" and "boundary recall" (superpixels), or "foreground IoU" (methods with seeds); "seconds".

    Raises
    ------
    ValueError
        For a method that is none of `METHODS`.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it is one of {', '.join(METHODS)}")
    rows: list[dict[str, float]] = []
    for index, (image, labels) in enumerate(_images(dataset, images, longest, f"{method} on {dataset}")):
        started = time.perf_counter()
        row = _score_one(method, image, labels, np.random.default_rng([seed, index]), seed)
        rows.append(row | {"seconds": time.perf_counter() - started})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _score_one(
    method: str, image: np.ndarray, labels: np.ndarray, rng: np.random.Generator, seed: int
) -> dict[str, float]:
    if method in ("squares", "SLIC"):
        pieces = Superpixels(PIECES).segment(image) if method == "SLIC" else squares(labels.shape, PIECES)
        recall = boundary_recall(labels, pieces, TOLERANCE)
        return {"achievable accuracy": achievable_accuracy(labels, pieces), "boundary recall": recall}
    if method in ("graph cut", "colours of the seeds"):
        truth = foreground_of(labels)
        seeds = draw_seeds(truth, rng)
        likely = seed_colours(image, seeds)
        cut = (
            cut_foreground(image, seeds, likely) if method == "graph cut" else (likely > 0.5).astype(np.int64)
        )
        scored = np.where(seeds < 0, truth, VOID)  # a given seed earns nothing
        return {"foreground IoU": float(iou_per_image([scored], [cut], 2)[0, 1])}
    k = len(np.unique(labels[labels != VOID]))
    clusters = np.zeros(labels.shape, dtype=np.int64)
    if method != "one region":
        clusters = CLUSTERERS[method](k, seed).segment(image)
    classes = int(labels[labels != VOID].max()) + 1
    return {"IoU": mean_iou(match_clusters_per_image(labels, clusters, classes)[1])}


def open_named(name: str, longest: int) -> Dataset:
    """Open "name/split" for scoring.

    Generated faces are drawn `longest` pixels high, in FASSEG's proportions (512 x 352). EMDS-5 has no split: the
    pictures by which `NormalisedCut`'s scales were chosen, every fourth, are left out.
    """
    base, _, split = name.partition("/")
    options = {"size": (longest, round(longest * 352 / 512))} if base == "faces" else {}
    dataset = open_dataset(base, split=split or None, **options)
    return dataset.take([i for i in range(len(dataset)) if i % 4]) if base == "emds5" else dataset


def _images(name: str, images: int, longest: int, label: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield image and labels, shrunk so that the longer side has `longest` pixels at most."""
    for sample in track(evenly(open_named(name, longest), images), label):
        yield shrink(sample.image, sample.labels, longest)


def shrink(image: np.ndarray, labels: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return image and labels with a longer side of at most `longest` pixels.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
        Resized bilinearly with antialiasing.
    labels : (H, W) int ndarray
        The label at the nearest pixel.
    longest : int
        In pixels.
    """
    height, width = labels.shape
    factor = longest / max(height, width)
    if factor >= 1:
        return image, labels.astype(np.int64)
    shape = (max(1, round(height * factor)), max(1, round(width * factor)))
    return resize_image(image, shape), resize_labels(labels, shape).astype(np.int64)


def squares(shape: tuple[int, int], n: int) -> np.ndarray:
    """Cut an image of `shape` into about `n` equal squares: what superpixels have to beat."""
    side = max(1.0, np.sqrt(shape[0] * shape[1] / n))
    rows, columns = np.indices(shape)
    across = int(np.ceil(shape[1] / side))
    return (rows // side).astype(np.int64) * across + (columns // side).astype(np.int64)


@dataclass(frozen=True)
class PieceMeans(Unsupervised):
    """k-means on superpixels: what `NormalisedCut` sees, its pieces, colours, places and scales, without its graph.

    Parameters
    ----------
    k : int
        Clusters; an image of fewer superpixels gives fewer.
    seed : int
        Of the starts.
    """

    k: int
    seed: int = 0

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster the pieces of a (H, W, C) uint8 image: (H, W) int64 ids."""
        same = NormalisedCut(self.k)
        pieces = Superpixels(same.n_superpixels).segment(image)
        places = np.moveaxis(np.indices(pieces.shape), 0, -1) / np.hypot(*pieces.shape) / same.sigma_space
        colours = rgb2lab(image) / same.sigma_colour
        nodes = superpixel_means(np.concatenate([colours, places], axis=2), pieces)
        k = min(self.k, len(nodes))
        return cluster.KMeans(k, n_init=4, random_state=self.seed).fit(nodes).labels_[pieces].astype(np.int64)


def foreground_of(labels: np.ndarray) -> np.ndarray:
    """Return 1 where a label map shows any class but the background 0, 0 elsewhere, VOID kept."""
    return np.where(labels == VOID, VOID, (labels > 0).astype(np.int64))


def draw_seeds(truth: np.ndarray, rng: np.random.Generator, count: int = 5, radius: int = 3) -> np.ndarray:
    """Draw discs inside the true foreground and background, as a person would who marks both.

    Parameters
    ----------
    truth : (H, W) int ndarray
        0, 1, VOID.
    rng : numpy.random.Generator
        Chooses the discs' centres.
    count, radius : int
        Discs on each side, and their radius in pixels.

    Returns
    -------
    (H, W) int64 ndarray
        -1 unknown, 0 background, 1 foreground. A disc never leaves its side.
    """
    seeds = np.full(truth.shape, -1, dtype=np.int64)
    rows, columns = np.indices(truth.shape)
    for side in (0, 1):
        inside = np.argwhere(truth == side)
        for row, column in inside[rng.integers(len(inside), size=count)] if len(inside) else ():
            disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
            seeds[disc & (truth == side)] = side
    return seeds


def seed_colours(image: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the probability of foreground from the colours of the seeds alone, (H, W).

    Each side's colour histogram (`BINS` levels a channel, smoothed by its neighbours) gives a likelihood; the two sides
    are equally likely beforehand.
    """
    from scipy.ndimage import gaussian_filter

    binned = (image.astype(np.int64) * BINS) // 256
    likelihood = []
    for side in (0, 1):
        histogram = np.zeros((BINS,) * 3)
        np.add.at(histogram, tuple(binned[seeds == side].T), 1.0)
        smooth = gaussian_filter(histogram, 1.0, mode="nearest")
        likelihood.append((smooth / max(smooth.sum(), 1e-12) + 1e-6)[tuple(np.moveaxis(binned, -1, 0))])
    return likelihood[1] / (likelihood[0] + likelihood[1])


def cut_foreground(image: np.ndarray, seeds: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Return the minimum cut of the pixel grid with the seeds, their colours and the image's contrast, (H, W)."""
    edges = grid_edges(seeds.shape, connectivity=2)
    weights = CUT_WEIGHT * contrast_weights(image, edges)
    return seeded_graph_cut(seeds, edges, weights, foreground=likely).labels.astype(np.int64)
