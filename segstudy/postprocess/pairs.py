"""Every pair of pixels written down: the dense CRF's kernel on a small map, whole or without its small entries."""

from __future__ import annotations

import torch
from torch import Tensor

from segstudy.postprocess.permutohedral import SparseRows

CUT = 1e-3  # of the kernel's maximum, 1: on 41 x 41 maps of photographs 99.4 % of the labels stay as they are
MAX_PIXELS = 128 * 128  # of one picture: 1 GiB a matrix


def pair_weights(features: list[tuple[float, Tensor]], cut: float = 0.0) -> Tensor:
    r"""Add up Gaussian kernels over all pairs of pixels, each normalised symmetrically.

    .. math:: W = \sum_m w_m D_m^{-1/2} K_m D_m^{-1/2}, \quad
              K_{ij} = \exp(-\tfrac12 \lVert f_i - f_j \rVert^2), \quad D_{ii} = \sum_j K_{ij}

    Parameters
    ----------
    features : list of (float, (B, N, d) float32 Tensor)
        w and f of each kernel, f in units of its standard deviation.
    cut : float
        Entries of K below it count as 0.

    Returns
    -------
    (B, N, N) float32 Tensor

    Raises
    ------
    ValueError
        There are more than `MAX_PIXELS` pixels.
    """
    if features[0][1].shape[1] > MAX_PIXELS:
        raise ValueError(
            f"a picture of {features[0][1].shape[1]} pixels has too many pairs to write down (at most "
            f'{MAX_PIXELS} pixels); use method="lattice"'
        )
    total = 0
    for weight, feature in features:
        # distances by subtraction: by the matrix product they lose half the digits
        apart = torch.cdist(feature, feature, compute_mode="donot_use_mm_for_euclid_dist")
        kernel = apart.square_().mul_(-0.5).exp_()
        kernel[kernel < cut] = 0
        scale = kernel.sum(dim=2).rsqrt()
        total = total + kernel.mul_(weight * scale[:, :, None]).mul_(scale[:, None, :])
    return total


def keep_nonzero(matrices: Tensor) -> SparseRows:
    """Store (B, N, N) matrices as one sparse matrix with them along its diagonal."""
    sets, size = matrices.shape[:2]
    picture, row, column = matrices.nonzero(as_tuple=True)
    counts = torch.bincount(picture * size + row, minlength=sets * size)
    start = counts.cumsum(0) - counts
    return SparseRows((picture * size + column).int(), start.int(), matrices[picture, row, column])
