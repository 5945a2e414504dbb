r"""Mutual information of two segmentations of one picture (Eqs. 18, 19), by the joint distribution of IIC (Ji 2019).

Of two maps of class probabilities, p of one order and q of another, the joint distribution of their classes is

.. math:: P_{cd} = \frac{1}{2HW} \sum_{ij} p_{ijc} q_{ijd} + q_{ijc} p_{ijd}, \qquad
          I = \sum_{cd} P_{cd} (\log P_{cd} - \lambda \log P_c - \lambda \log P_d)

with marginals P_c; at lambda = 1 it is H(p) - H(p | q) of Eq. 19. Eq. 21 adds it to what is minimised, which would make
the two maps independent: its sign is a misprint, the loss is -I.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segstudy.papers.sgseg.superpixels import check_maps, check_weights, require_finite


def joint_distribution(first: Tensor, second: Tensor, radius: int = 0) -> Tensor:
    """Return the joint distribution of the classes in two maps, for each displacement of one against the other.

    Parameters
    ----------
    first, second : (B, k, H, W) Tensor
        Class probabilities of the same pictures.
    radius : int
        Displacements of -radius to radius pixels in both directions; IIC takes 10.

    Returns
    -------
    (D, k, k) Tensor
        Symmetric, each sums to 1; D is (2 radius + 1) squared.

    Raises
    ------
    ValueError
        Shapes that differ, or a radius that leaves no pixel.
    """
    check_maps(first=first, second=second)
    if first.shape != second.shape:
        raise ValueError(
            "first and second must be (B, k, H, W) of one shape, got "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    if not 0 <= radius < min(first.shape[2:]):
        raise ValueError(
            f"radius must be 0 to {min(first.shape[2:]) - 1}, below the picture's sides, got {radius!r}"
        )
    # A convolution with the other map as its kernel is the sum over pictures and pixels, for every displacement.
    sums = F.conv2d(first.transpose(0, 1), second.transpose(0, 1).to(first.dtype), padding=radius)
    joint = sums.flatten(2).permute(2, 0, 1)
    joint = (joint + joint.transpose(1, 2)) / 2
    return joint / joint.sum(dim=(1, 2), keepdim=True)


def mutual_information(first: Tensor, second: Tensor, radius: int = 0, lam: float = 1.0) -> Tensor:
    """Return the mutual information of two maps of class probabilities (Eq. 19), a mean over displacements.

    Parameters
    ----------
    first, second, radius
        As for :func:`joint_distribution`.
    lam : float
        Weight of the entropies of the marginals; IIC takes up to 1.5 against empty classes.

    Returns
    -------
    () Tensor
        In nats; 0 to log k at lam = 1.
    """
    check_weights(lam=lam)
    joint = joint_distribution(first, second, radius)
    marginal = joint.sum(dim=2)
    # p log p with 0 log 0 = 0, and marginals twice: the joint is symmetric.
    mutual = -torch.special.entr(joint).sum(dim=(1, 2)) + 2 * lam * torch.special.entr(marginal).sum(dim=1)
    return require_finite(mutual.mean(), first=first, second=second)
