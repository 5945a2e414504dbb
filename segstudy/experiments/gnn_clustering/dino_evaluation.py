"""What DINO's features are worth: neighbours of the same class, and where the class token looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from segstudy.papers.gnn_clustering.dino_vit import stack_pictures

BATCH = 64  # pictures described at once


@torch.no_grad()
def picture_features(model: Any, images: Sequence[np.ndarray], pool: str = "class") -> np.ndarray:
    """Describe each picture by one vector.

    Parameters
    ----------
    model : timm VisionTransformer
        On any device; it ends in evaluation mode.
    images : sequence of (H, W, 3) uint8 ndarray
        Of one size.
    pool : {"class", "mean"}
        The class token, or the mean of the patches' tokens, after the last normalisation.

    Returns
    -------
    (N, width) float32 ndarray

    Raises
    ------
    ValueError
        `pool` is unknown, or a picture is smaller than a patch.
    """
    if pool not in ("class", "mean"):
        raise ValueError(f'pool must be "class" or "mean", got {pool!r}')
    model.eval()
    found = []
    for pictures in stack_pictures(images).split(BATCH):
        tokens = model.forward_features(_input(model, pictures))
        found.append(tokens[:, 0] if pool == "class" else tokens[:, 1:].mean(dim=1))
    return torch.cat(found).float().cpu().numpy()


def knn_accuracy(
    train_features: np.ndarray,
    train_labels: np.ndarray,
    test_features: np.ndarray,
    test_labels: np.ndarray,
    k: int = 5,
) -> float:
    """Return the share of test pictures whose k nearest training pictures name their class.

    Nearest by cosine; the majority of the k wins, and among classes of equally many the one with the nearest picture.

    Parameters
    ----------
    train_features, test_features : (N, d) and (M, d) float ndarray
        A row of zeros is equally far from everything.
    train_labels, test_labels : (N,) and (M,) int ndarray
    k : int
        From 1 to N.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ValueError
        Lengths do not match, a feature is not finite, or `k` is outside its range.
    """
    from sklearn.neighbors import NearestNeighbors

    train_labels, test_labels = np.asarray(train_labels), np.asarray(test_labels)
    for features, labels in ((train_features, train_labels), (test_features, test_labels)):
        if np.ndim(features) != 2 or len(features) != len(labels) or not len(labels):
            shapes = f"{np.shape(features)} and {labels.shape}"
            raise ValueError(f"features must be (N, d), N at least 1, with N labels, got {shapes}")
        if not np.isfinite(features).all():
            raise ValueError("features must be finite, got nan or inf")
    if not 1 <= k <= len(train_labels):
        raise ValueError(f"k must be from 1 to {len(train_labels)}, the training pictures, got {k!r}")
    search = NearestNeighbors(n_neighbors=k, metric="cosine").fit(train_features)
    neighbours = train_labels[search.kneighbors(test_features, return_distance=False)]
    votes = (neighbours[:, :, None] == neighbours[:, None, :]).sum(axis=2)  # for the class of each neighbour
    winners = neighbours[
        np.arange(len(votes)), votes.argmax(axis=1)
    ]  # argmax: the first, nearest one of a tie
    return float((winners == test_labels).mean())


@torch.no_grad()
def attention_maps(model: Any, image: np.ndarray) -> np.ndarray:
    r"""Return how much the class token attends to each patch, for each head of the last block.

    The class token's row of :math:`\operatorname{softmax}(q k^\top / \sqrt{d})`, without its own column: the rest of
    the sum is the attention to itself.

    Parameters
    ----------
    model : timm VisionTransformer
        It ends in evaluation mode.
    image : (H, W, 3) uint8 ndarray
        Height and width multiples of the patch.

    Returns
    -------
    (heads, rows, columns) float32 ndarray
        0 to 1; each map's sum is at most 1.

    Raises
    ------
    ValueError
        The picture is smaller than a patch, or no whole number of patches.
    """
    model.eval()
    pictures = _input(model, stack_pictures([image]))
    patch = model.patch_embed.patch_size
    if pictures.shape[2] % patch[0] or pictures.shape[3] % patch[1]:
        shape = tuple(pictures.shape[2:])
        raise ValueError(f"image must be a whole number of patches of {patch} pixels, got {shape}: resize it")
    attention, kept = model.blocks[-1].attn, []
    # timm's fused attention never holds the weights; its other path passes them through this dropout.
    fused, attention.fused_attn = attention.fused_attn, False
    hook = attention.attn_drop.register_forward_hook(lambda _module, _inputs, weights: kept.append(weights))
    try:
        model.forward_features(pictures)
    finally:
        hook.remove()
        attention.fused_attn = fused
    rows, columns = pictures.shape[2] // patch[0], pictures.shape[3] // patch[1]
    return kept[0][0, :, 0, 1:].unflatten(1, (rows, columns)).float().cpu().numpy()


def _input(model: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Return pictures from 0 to 1 as the model takes them, where it is."""
    patch = model.patch_embed.patch_size
    if pictures.shape[2] < patch[0] or pictures.shape[3] < patch[1]:
        shape = tuple(pictures.shape[2:])
        raise ValueError(f"images must be at least a patch of {patch} pixels, got {shape}: enlarge them")
    return (pictures * 2 - 1).to(model.cls_token.device, model.cls_token.dtype)
