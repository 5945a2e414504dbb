r"""The permutohedral lattice: sums of a Gaussian kernel over all pairs of points, in time linear in the points.

Adams, Baek & Davis, Fast High-Dimensional Filtering Using the Permutohedral Lattice, Eurographics 2010. The d
features of a point are mapped into the plane of d + 1 coordinates whose sum is 0. It is tiled by simplices, and the
kernel's sum is had in three steps: each point is shared out over the d + 1 corners of its simplex (splat), the
corners are blurred along the d + 1 axes of the lattice (blur), and each point reads its corners again (slice).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


class SparseRows(NamedTuple):
    """A sparse matrix by its rows.

    Attributes
    ----------
    column : (E,) int32 Tensor
        Of each entry.
    start : (R,) int32 Tensor
        At which entry each row begins.
    weight : (E,) float32 Tensor
        Of each entry.
    """

    column: Tensor
    start: Tensor
    weight: Tensor

    def __matmul__(self, values: Tensor) -> Tensor:
        """Multiply with a dense (columns, C) float32 matrix."""
        return embedding_bag(
            self.column, values, self.start, mode="sum", per_sample_weights=self.weight
        )  # several times faster than torch's CSR product where C is a few dozen


class Lattice:
    r"""The lattice of one or several sets of points, prepared once and applied to any values.

    :meth:`filter` gives, up to one factor common to all points, about
    :math:`\sum_j \exp(-\tfrac12 \lVert f_i - f_j \rVert^2) v_j`, the point itself among the j.

    Parameters
    ----------
    features : (B, N, d) float Tensor
        f, in units of the kernel's standard deviation. Each of the B sets has a lattice of its own.

    Raises
    ------
    ValueError
        The features are so many deviations wide that the lattice's points cannot be numbered in 63 bits.
    """

    def __init__(self, features: Tensor) -> None:
        keys, shares, steps = _simplices(features)
        points, corners = keys.shape
        key, order = keys.ravel().sort(stable=True)
        vertices, place, counts = torch.unique_consecutive(key, return_inverse=True, return_counts=True)
        vertex = torch.empty_like(place).scatter_(0, order, place).int()
        weight = shares.ravel()
        row = torch.arange(points, device=keys.device, dtype=torch.int32) * corners
        self._splat = SparseRows((order // corners).int(), (counts.cumsum(0) - counts).int(), weight[order])
        self._slice = SparseRows(vertex, row, weight)
        self._blurs = [_blur(vertices, step) for step in steps]

    def filter(self, values: Tensor) -> Tensor:
        """Sum the values of all points, (B, N, C) float32, weighted by the kernel; of the same shape."""
        blurred = self._splat @ values.reshape(-1, values.shape[-1])
        for blur in self._blurs:
            blurred = blur @ blurred
        return (self._slice @ blurred).reshape(values.shape)


def _elevate(features: Tensor) -> Tensor:
    """Map (P, d) features to the plane of (P, d + 1) coordinates with sum 0 (Adams et al., section 3.1)."""
    d = features.shape[1]
    basis = torch.zeros(d, d + 1)
    for axis in range(d):
        basis[axis, : axis + 1] = 1
        basis[axis, axis + 1] = -(axis + 1)
        basis[axis] /= math.sqrt((axis + 1) * (axis + 2))
    # splat, blur and slice have together the variance of one unit if the lattice is stretched so
    return features @ (basis * (d + 1) * math.sqrt(2 / 3)).to(features)


def _simplices(features: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """Find the simplex of every point.

    Parameters
    ----------
    features : (B, N, d) float Tensor

    Returns
    -------
    keys : (B * N, d + 1) int64 Tensor
        The number of each of its corners.
    shares : (B * N, d + 1) float32 Tensor
        The point's barycentric coordinates: 0 or more, each row sums to 1.
    steps : list of d + 1 ints
        What one step along each axis of the lattice adds to a number.
    """
    sets, count, d = features.shape
    place = _elevate(features.reshape(-1, d).float()) / (d + 1)
    zero = place.round()  # times d + 1: the nearest point whose coordinates are all multiples of d + 1
    offset, order = (place - zero).sort(dim=1, descending=True, stable=True)
    # where the rounded coordinates do not sum to 0, as many of those rounded furthest go one multiple back
    excess = zero.sum(dim=1, keepdim=True).long()
    rank = torch.arange(d + 1, device=place.device) + excess
    back = (rank > d).long() - (rank < 0).long()
    zero = zero.long().scatter_add_(1, order, -back)
    turned = (torch.arange(d + 1, device=place.device) - excess) % (d + 1)
    falling, order = (offset + back).gather(1, turned), order.gather(1, turned)
    shares = torch.cat(
        [1 + falling[:, -1:] - falling[:, :1], (falling[:, :-1] - falling[:, 1:]).flip(1)], dim=1
    )
    strides = _strides((d + 1) * zero[:, :d], sets, d + 1)
    along = sum(strides[:d])
    steps = [(d + 1) * stride - along for stride in strides[:d]] + [-along]
    # from corner to corner: one step back along each axis, those of the smallest offset first
    keys = -torch.tensor(steps, device=place.device)[order.flip(1)].cumsum(1).roll(1, 1)
    keys[:, 0] = 0
    keys += ((d + 1) * zero[:, :d] * torch.tensor(strides[:d], device=place.device)).sum(1, keepdim=True)
    keys += torch.arange(sets, device=place.device).repeat_interleave(count)[:, None] * strides[d]
    return keys, shares, steps


def _strides(coordinates: Tensor, sets: int, margin: int) -> list[int]:
    """Choose the strides that number the lattice's points: of each coordinate, and of the set of points."""
    strides = [1]
    wide = coordinates.amax(dim=0) - coordinates.amin(dim=0) + 4 * margin + 1  # corners, and a step beyond
    for width in wide.tolist():
        strides.append(strides[-1] * width)
    if strides[-1] * (sets + 2) >= 2**62:
        raise ValueError(
            f"the features span {wide.tolist()} steps of the lattice, too many to number: "
            "use larger standard deviations"
        )
    return strides


def _blur(vertices: Tensor, step: int) -> SparseRows:
    """Weigh each vertex 1 and its two neighbours along an axis 1/2; one that no point touches counts as 0."""
    own = torch.arange(len(vertices), device=vertices.device)
    columns, weights = [own], [torch.ones(len(own), device=own.device)]
    for neighbour in (vertices - step, vertices + step):
        at = torch.searchsorted(vertices, neighbour).clamp_(max=len(vertices) - 1)
        columns.append(at)
        weights.append(0.5 * (vertices[at] == neighbour).float())
    return SparseRows(torch.stack(columns, 1).ravel().int(), 3 * own.int(), torch.stack(weights, 1).ravel())
