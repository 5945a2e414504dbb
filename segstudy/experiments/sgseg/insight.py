"""What happens inside SGSeg on its way to a segmentation: who hears whom, and what features keep apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from segstudy.datasets.files import VOID
from segstudy.papers.sgseg.network import SGSeg
from segstudy.papers.sgseg.superpixels import pixel_places, superpixel_features

PROBED = 400  # pixels of a picture


def separations(maps: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> np.ndarray:
    r"""Return how far pixels of one class are from one another, over how far those of two classes are (claim SG19).

    .. math:: \sqrt{ \operatorname{mean}_{c_i = c_j} \lVert x_i - x_j \rVert^2 /
              \operatorname{mean}_{c_i \ne c_j} \lVert x_i - x_j \rVert^2 }

    Parameters
    ----------
    maps : sequence of (c, S, S) ndarray
    truths : sequence of (S, S) int ndarray
        255 is left out.

    Returns
    -------
    (n,) ndarray
        Below 1 where features tell classes apart; NaN for a picture of one class, or of one value.
    """
    return np.array([_separation(*pair) for pair in zip(maps, truths, strict=True)])


def _separation(values: np.ndarray, truth: np.ndarray) -> float:
    scored = truth != VOID
    points, labels = values[:, scored].T.astype(float), truth[scored]
    # The squared distances of all pairs of n points sum to 2 n times their squared distances from the mean.
    groups = [points[labels == label] for label in np.unique(labels)]
    within = sum(2 * len(g) * ((g - g.mean(axis=0)) ** 2).sum() for g in groups)
    pairs = sum(len(g) ** 2 for g in groups)
    others = len(points) ** 2 - pairs
    if not others:
        return float("nan")
    between = 2 * len(points) * ((points - points.mean(axis=0)) ** 2).sum() - within
    return float(np.sqrt((within / pairs) / (between / others))) if between > 0 else float("nan")


def told(maps: Sequence[np.ndarray], truths: Sequence[np.ndarray], seed: int) -> float:
    """Return the accuracy of a linear classifier that is told the classes: what features hold, whatever the clusters.

    Logistic regression on standardised features of pixels of every other picture, scored on the pictures between.

    Parameters
    ----------
    maps : sequence of (c, S, S) ndarray
        Two at least.
    truths : sequence of (S, S) int ndarray
    seed : int
        Of the pixels drawn.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    halves = [_drawn(maps[start::2], truths[start::2], rng) for start in (0, 1)]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    return float(model.fit(*halves[0]).score(*halves[1]))


def _drawn(
    maps: Sequence[np.ndarray], truths: Sequence[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    points, labels = [], []
    for values, truth in zip(maps, truths, strict=True):
        scored = np.flatnonzero(truth != VOID)
        chosen = rng.choice(scored, min(len(scored), PROBED), replace=False)
        points.append(values.reshape(len(values), -1)[:, chosen].T.astype(float))
        labels.append(truth.ravel()[chosen])
    return np.concatenate(points), np.concatenate(labels)


def edge_spans(assignment: Tensor, neighbours: Tensor) -> np.ndarray:
    """Return the mean length of a graph's edges in a picture over that to the nearest superpixels (claim SG24).

    Parameters
    ----------
    assignment : (B, N, H, W) Tensor
    neighbours : (B, N, k) int64 Tensor

    Returns
    -------
    (B,) ndarray
        1 where each superpixel is joined to the k that lie nearest.
    """
    where = pixel_places(*assignment.shape[2:], like=assignment).expand(len(assignment), -1, -1, -1)
    distances = torch.cdist(*[superpixel_features(assignment, where)] * 2)
    joined = distances.gather(2, neighbours).mean(dim=(1, 2))
    nearest = distances.topk(neighbours.shape[2] + 1, dim=2, largest=False).values[:, :, 1:].mean(dim=(1, 2))
    return (joined / nearest.clamp_min(1e-12)).cpu().numpy()


def reach(network: SGSeg, images: Tensor) -> float:
    """Return how much of a pixel's projected features hangs on pixels farther away than half the picture's side.

    The pixel lies a quarter from the top and the left; what counts is the share of the absolute gradient. SPNN itself
    sees 21 pixels across.

    Parameters
    ----------
    network : SGSeg
        In evaluation mode.
    images : (B, c, S, S) Tensor
        Standardised.
    """
    images = images.clone().requires_grad_()
    side = images.shape[2]
    with torch.enable_grad():
        seen = network.find(images).projected[:, :, side // 4, side // 4]
        (gradient,) = torch.autograd.grad(seen.abs().sum(), images)
    rows, columns = torch.meshgrid(*[torch.arange(side, device=images.device) - side // 4] * 2, indexing="ij")
    far = rows.square() + columns.square() > (side / 2) ** 2
    sizes = gradient.abs().sum(dim=1)
    return float((sizes[:, far].sum(dim=1) / sizes.sum(dim=(1, 2)).clamp_min(1e-12)).mean())
