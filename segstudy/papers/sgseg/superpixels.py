r"""From a map of assignments to superpixels, their features, and back: Eqs. 1, 2, 3 and 6.

An assignment P gives each pixel a probability for each of N superpixels. A superpixel's feature is the weighted mean of
its pixels'; projected back, a pixel has the weighted mean of its superpixels'. Both are products with P as a matrix of
(superpixels x pixels).
"""

from __future__ import annotations

import torch
from torch import Tensor

# A superpixel that no pixel belongs to has features of 0; below so little weight a mean would be noise.
LEAST = 1e-8


def superpixel_features(assignment: Tensor, features: Tensor, hard: bool = False) -> Tensor:
    r"""Return each superpixel's mean features, :math:`F_s = \sum_{hw} P_{hws} F_{hw} / \sum_{hw} P_{hws}` (Eq. 3).

    Parameters
    ----------
    assignment : (B, N, H, W) Tensor
        P, sums to 1 over N.
    features : (B, c, H, W) Tensor
    hard : bool
        Each pixel counts for its likeliest superpixel alone, which no gradient of P passes.

    Returns
    -------
    (B, N, c) Tensor
        0 where a superpixel has no weight.

    Raises
    ------
    ValueError
        Shapes that do not agree.
    """
    check_assignment(assignment, features)
    count = assignment.shape[1]
    flat = features.flatten(2)
    if hard:
        return _hard_means(assignment.argmax(dim=1).flatten(1), flat, count)
    weights = assignment.flatten(2)
    sums = weights @ flat.transpose(1, 2)
    return sums / weights.sum(dim=2, keepdim=True).clamp_min(LEAST)


def _hard_means(labels: Tensor, values: Tensor, count: int) -> Tensor:
    """Return the (B, N, c) means of (B, c, n) values over (B, n) labels."""
    where = labels[:, :, None].expand(-1, -1, values.shape[1])
    sums = values.new_zeros(len(values), count, values.shape[1]).scatter_add(1, where, values.transpose(1, 2))
    sizes = values.new_zeros(len(values), count).scatter_add(1, labels, values.new_ones(labels.shape))
    return sums / sizes[:, :, None].clamp_min(1)


def project(assignment: Tensor, features: Tensor) -> Tensor:
    r"""Return pixels' features, :math:`\tilde M_{ij} = \sum_s P_{ijs} \tilde F_s` (Eq. 6).

    Parameters
    ----------
    assignment : (B, N, H, W) Tensor
    features : (B, N, c) Tensor
        Of superpixels.

    Returns
    -------
    (B, c, H, W) Tensor

    Raises
    ------
    ValueError
        Shapes that do not agree.
    """
    if assignment.ndim != 4 or features.ndim != 3 or assignment.shape[:2] != features.shape[:2]:
        raise ValueError(
            "assignment and features must be (B, N, H, W) and (B, N, c), got "
            f"{tuple(assignment.shape)} and {tuple(features.shape)}"
        )
    return (features.transpose(1, 2) @ assignment.flatten(2)).unflatten(2, assignment.shape[2:])


def soft_image(assignment: Tensor, image: Tensor) -> Tensor:
    """Return the soft-superpixelated image, differentiable in P (Eq. 2): (B, c, H, W) of a (B, c, H, W) image."""
    return project(assignment, superpixel_features(assignment, image))


def hard_image(assignment: Tensor, image: Tensor) -> Tensor:
    """Return the hard-superpixelated image (Eq. 1): each pixel has the mean of its likeliest superpixel."""
    labels = assignment.argmax(dim=1).flatten(1)
    means = superpixel_features(assignment, image, hard=True)
    where = labels[:, :, None].expand(-1, -1, means.shape[2])
    return means.gather(1, where).transpose(1, 2).unflatten(2, image.shape[2:])


def pixel_places(height: int, width: int, like: Tensor) -> Tensor:
    """Return x and y of every pixel from 0 to 1, (2, H, W): the first two of a superpixel's features."""
    rows = torch.linspace(0, 1, height, dtype=like.dtype, device=like.device)
    columns = torch.linspace(0, 1, width, dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1])


def check_assignment(assignment: Tensor, image: Tensor) -> None:
    """Refuse an assignment and an image that do not belong together."""
    if assignment.ndim != 4 or image.ndim != 4:
        raise ValueError(
            f"assignment must be (B, N, H, W) and the image (B, c, H, W), got {tuple(assignment.shape)} and "
            f"{tuple(image.shape)}"
        )
    if assignment.shape[0] != image.shape[0] or assignment.shape[2:] != image.shape[2:]:
        raise ValueError(
            f"assignment and image must be of the same pictures, got shapes {tuple(assignment.shape)} and "
            f"{tuple(image.shape)}"
        )
