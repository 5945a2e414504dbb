r"""From a map of assignments to superpixels, their features, and back: Eqs. 1, 2, 3 and 6.

An assignment P gives each pixel a probability for each of N superpixels. A superpixel's feature is the weighted mean of
its pixels'; projected back, a pixel has the weighted mean of its superpixels'. Both are products with P as a matrix of
(superpixels x pixels).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from segstudy.nn.trunks import check_images

# A superpixel that no pixel belongs to has features of 0; below so little weight a mean would be noise.
LEAST = 1e-8
# Standardised pictures stay within 20; squares and exponents of so much more would not be finite.
LARGEST = 1e6


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
    TypeError
        They are not floating point.
    ValueError
        Shapes that do not agree.
    """
    check_maps(assignment=assignment, features=features)
    count = assignment.shape[1]
    flat = features.flatten(2).to(assignment.dtype)
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
    weighted = features.to(assignment.dtype).transpose(1, 2) @ assignment.flatten(2)
    return weighted.unflatten(2, assignment.shape[2:])


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


def check_maps(**maps: Tensor) -> None:
    """Refuse, by their names, maps that are not floating (B, c, H, W) of the same pictures."""
    for name, value in maps.items():
        if not value.is_floating_point():
            raise TypeError(f"{name} must be floating point, got {value.dtype}: cast it, e.g. {name}.float()")
        if value.ndim != 4 or min(value.shape) < 1:
            raise ValueError(f"{name} must be (B, c, H, W) and not empty, got shape {tuple(value.shape)}")
    shapes = {name: tuple(value.shape) for name, value in maps.items()}
    if len({(batch, *size) for batch, _, *size in shapes.values()}) > 1:
        shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"{' and '.join(maps)} must be of the same pictures, got shapes {shown}")


def check_pictures(images: Tensor, channels: int, least: int, training: bool) -> None:
    """Refuse pictures that a network cannot take; `least` is also what its map shrinks by."""
    height, width = check_images(images, channels, least)
    largest = images.abs().amax()
    if not largest <= LARGEST:  # nor nan
        raise ValueError(
            f"images must be finite and standardised, within {LARGEST:g}, got values up to {largest:g}: "
            "look for nan or inf in them, see training.Statistics"
        )
    if training and len(images) * (height // least) * (width // least) < 2:
        raise ValueError(
            f"images must be larger or more to train on, batch normalisation has no spread of one value, got shape "
            f"{tuple(images.shape)}"
        )


def check_weights(**weights: float) -> None:
    """Refuse weights of a loss that are not finite, by their names."""
    for name, weight in weights.items():
        if not math.isfinite(weight):
            raise ValueError(f"{name} must be a finite number, got {weight!r}")


def require_finite(loss: Tensor, **given: Tensor) -> Tensor:
    """Return a loss, or refuse what it was computed from where it is not finite."""
    if not loss.isfinite():
        names = [name for name, value in given.items() if not value.isfinite().all()] or given
        raise ValueError(
            f"{' and '.join(names)} must be finite and in range, got a loss of {loss:g}: look for nan or inf, or lower "
            "the learning rate"
        )
    return loss
