"""How good superpixels are: SPNN's, trained on each picture alone or on all, and classical ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from segstudy.baselines.superpixels import Superpixels
from segstudy.datasets.files import VOID
from segstudy.experiments.parts import spaced
from segstudy.experiments.sgseg.pictures import Pictures, Setup, pictures_of, setup_of
from segstudy.experiments.sgseg.trials import SGSEG, build, judged_batches, pretrain
from segstudy.metrics import achievable_accuracy, boundary_precision, boundary_recall
from segstudy.papers.sgseg.spnn import SPNN
from segstudy.papers.sgseg.spnn_losses import spnn_loss
from segstudy.papers.sgseg.training import Statistics
from segstudy.progress import track

TOLERANCE = 2.0  # pixels, as in notebook 00
SLIC, FELZENSZWALB, SQUARES = "SLIC", "Felzenszwalb", "squares"
AMORTISED, ALONE = "SPNN, amortised", "SPNN, each picture alone"
CLASSICAL = (SQUARES, SLIC, FELZENSZWALB)
SOURCES = (*CLASSICAL, AMORTISED, ALONE)
FEW = 8  # test pictures that SPNN is trained on one by one
RATE_ALONE = 1e-2  # of Adam: RIM's on single pictures


def judge_superpixels(
    setup: dict[str, Any], source: str, seed: int, weights: dict[str, float], few: bool
) -> dict[str, Any]:
    """Make superpixels of the test pictures and judge them.

    Parameters
    ----------
    setup : dict
    source : str
        One of `SOURCES`.
    seed : int
    weights : dict
        Of SPNN's losses that differ: alpha, beta, eta, lam.
    few : bool
        Judge `FEW` pictures, evenly spaced, those that SPNN is trained on one by one, instead of all.

    Returns
    -------
    dict
        "count": (N,) superpixels of each picture; "accuracy", "recall", "precision", "leak" (undersegmentation) and
        "spacing", each (N,). Of an amortised SPNN also "unsure" and "even" after training and "unsure at first" before,
        see :func:`predict_superpixels`.
    """
    settings = setup_of(setup)
    pictures = pictures_of(settings)
    if few:
        pictures = pictures._replace(test=spaced(pictures.test, FEW), truth=spaced(pictures.truth, FEW))
    sure: dict[str, np.ndarray] = {}
    if source == AMORTISED:
        maps, sure = _amortised(settings, pictures, seed, weights)
    else:
        maps = _maps(settings, pictures, source, seed, weights)
    rows = [score_superpixels(t, m) for t, m in zip(pictures.truth, maps, strict=True)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} | sure


def score_superpixels(truth: np.ndarray, superpixels: np.ndarray) -> dict[str, float]:
    """Return number, achievable accuracy, boundary recall and precision, undersegmentation and spacing of superpixels.

    Undersegmentation (Neubert & Protzel 2012) is the share of pixels on the smaller side of each superpixel that a
    border of the truth cuts in two; for the spacing see :func:`uneven_spacing`.
    """
    return {
        "count": float(len(np.unique(superpixels))),
        "accuracy": achievable_accuracy(truth, superpixels),
        "recall": boundary_recall(truth, superpixels, TOLERANCE),
        "precision": boundary_precision(truth, superpixels, TOLERANCE),
        "leak": undersegmentation(truth, superpixels),
        "spacing": uneven_spacing(superpixels),
    }


def uneven_spacing(superpixels: np.ndarray) -> float:
    """Return the spread of superpixels' distances to the nearest other, centre to centre, over their mean.

    0 for a grid, NaN for fewer than three superpixels.
    """
    _, labels = np.unique(superpixels, return_inverse=True)
    labels = labels.reshape(superpixels.shape)
    where = np.indices(labels.shape).reshape(2, -1)
    sizes = np.bincount(labels.ravel())
    centres = np.stack([np.bincount(labels.ravel(), along) / sizes for along in where], axis=1)
    if len(centres) < 3:
        return float("nan")
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.min(axis=1)
    return float(nearest.std() / nearest.mean()) if nearest.mean() > 0 else float("nan")


def undersegmentation(truth: np.ndarray, superpixels: np.ndarray) -> float:
    """Return Neubert and Protzel's undersegmentation error, 0 where no superpixel crosses a border of the truth."""
    scored = truth != VOID
    if not scored.any():
        return float("nan")
    classes, rows = np.unique(truth[scored], return_inverse=True)
    pieces, columns = np.unique(superpixels[scored], return_inverse=True)
    counts = np.zeros((len(classes), len(pieces)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    inside_or_out = np.minimum(counts, counts.sum(axis=0) - counts)
    return float(inside_or_out.sum() / scored.sum())


def _maps(
    setup: Setup, pictures: Pictures, source: str, seed: int, weights: dict[str, float]
) -> Sequence[np.ndarray]:
    classical: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        SQUARES: lambda image: _squares(image.shape[:2], setup.superpixels),
        SLIC: lambda image: Superpixels(setup.superpixels).segment(image),
        FELZENSZWALB: lambda image: _felzenszwalb(image, setup.superpixels),
    }
    if source in classical:
        return [classical[source](image) for image in pictures.test]
    return [
        superpixels_of_one(setup, image, seed, weights)
        for image in track(pictures.test, "superpixels, alone")
    ]


def _amortised(
    setup: Setup, pictures: Pictures, seed: int, weights: dict[str, float]
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Train SPNN on the training pictures; return its superpixels of the test pictures and how sure it is of them."""
    network = build(setup, SGSEG, seed, {})
    _, first = predict_superpixels(network.spnn, pictures, setup.device)
    epochs = setup.pretraining + setup.epochs
    state, _ = pretrain(setup, epochs, seed, True, setup.superpixels, tuple(weights.items()))
    network.spnn.load_state_dict(state)
    maps, sure = predict_superpixels(network.spnn, pictures, setup.device)
    return maps, sure | {"unsure at first": first["unsure"]}


@torch.no_grad()
def predict_superpixels(
    network: SPNN, pictures: Pictures, device: str
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Return the likeliest superpixel of each pixel of the test pictures, and how sure SPNN is of them.

    Returns
    -------
    maps : list of (S, S) ndarray
    sure : dict of str to (n,) ndarray
        Both entropies of Eq. 9 over log N. "unsure": mean over pixels, 0 where each is sure of its superpixel, 1 where
        it knows of none. "even": of the superpixels' weights, 1 where all have the same.
    """
    network = network.to(device).eval()
    maps, pixels, weights = [], [], []
    for images in judged_batches(pictures, device):
        P = network(images).superpixels
        most = np.log(P.shape[1])
        maps += list(P.argmax(dim=1).cpu().numpy())
        pixels += (torch.special.entr(P).sum(dim=1).mean(dim=(1, 2)) / most).tolist()
        weights += (torch.special.entr(P.mean(dim=(2, 3))).sum(dim=1) / most).tolist()
    return maps, {"unsure": np.array(pixels), "even": np.array(weights)}


def superpixels_of_one(
    setup: Setup,
    image: np.ndarray,
    seed: int,
    weights: dict[str, float],
    watch: Callable[[int, np.ndarray], None] | None = None,
) -> np.ndarray:
    """Train SPNN on one picture, standardised by itself, and return its superpixels, (S, S).

    Parameters
    ----------
    setup : Setup
        Its epochs of pretraining, times 16, are the steps.
    image : (S, S, c) uint8 ndarray
    seed : int
    weights : dict
    watch : callable, optional
        `watch(step, superpixels)` is shown the map before every step.
    """
    values = Statistics.of([image]).standardise([image]).to(setup.device)
    network = SPNN(setup.superpixels, image.shape[2], setup.spnn_widths, seed=seed).to(setup.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE_ALONE)
    for step in range(16 * setup.pretraining):
        found = network(values)
        if watch is not None:
            watch(step, found.superpixels.argmax(dim=1)[0].cpu().numpy())
        optimiser.zero_grad()
        spnn_loss(values, found, **weights).backward()
        optimiser.step()
    with torch.no_grad():
        return network.eval()(values).superpixels.argmax(dim=1)[0].cpu().numpy()


def _squares(size: tuple[int, int], count: int) -> np.ndarray:
    """Return about so many squares."""
    side = max(1, round(np.sqrt(size[0] * size[1] / count)))
    rows, columns = (np.arange(n) // side for n in size)
    return rows[:, None] * (columns[-1] + 1) + columns[None]


def _felzenszwalb(image: np.ndarray, count: int) -> np.ndarray:
    """Return Felzenszwalb and Huttenlocher's regions, of the scale that gives about so many, found by bisection."""
    from skimage.segmentation import felzenszwalb

    low, high, best = 1.0, 2000.0, None
    for _ in range(9):
        scale = float(np.sqrt(low * high))
        found = felzenszwalb(image[:, :, :3], scale=scale, sigma=0.5, min_size=4)
        number = len(np.unique(found))
        if best is None or abs(number - count) < abs(len(np.unique(best)) - count):
            best = found
        low, high = (scale, high) if number > count else (low, scale)
    return best
