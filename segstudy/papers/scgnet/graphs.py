"""A batch of weighted graphs in three forms, each knowing its degrees and how to propagate features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Graph(Protocol):
    r"""What a layer asks of a batch of B graphs of n nodes with weights :math:`A_{ij} \geq 0`."""

    def degrees(self) -> Tensor:
        """Return (B, n) sums of A along its rows."""
        ...

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return A X for (B, n, d) features."""
        ...


@dataclass(frozen=True)
class DenseGraph:
    """All n^2 weights, and what is added to their diagonal.

    The enhancement stands apart: added to the weights it would be another matrix of n^2 numbers that training keeps.

    Parameters
    ----------
    weights : (B, n, n) Tensor
    enhancement : (B, n) Tensor, optional
        A is `weights` with this added to the diagonal.
    """

    weights: Tensor
    enhancement: Tensor | None = None

    def adjacency(self) -> Tensor:
        """Return A, (B, n, n)."""
        return self.weights if self.enhancement is None else self.weights + self.enhancement.diag_embed()

    def degrees(self) -> Tensor:
        """Return (B, n) sums of A along its rows."""
        sums = self.weights.sum(dim=2)
        return sums if self.enhancement is None else sums + self.enhancement

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return A X for (B, n, d) features."""
        heard = self.weights.to(nodes.dtype) @ nodes
        if self.enhancement is None:
            return heard
        return heard + self.enhancement[..., None].to(nodes.dtype) * nodes


@dataclass(frozen=True)
class SparseGraph:
    """k weights in every row: memory and time grow linearly with the nodes.

    Parameters
    ----------
    neighbours : (B, n, k) int64 Tensor
        Columns of the weights.
    weights : (B, n, k) Tensor
    """

    neighbours: Tensor
    weights: Tensor

    def degrees(self) -> Tensor:
        """Return (B, n) sums of A along its rows."""
        return self.weights.sum(dim=2)

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return A X for (B, n, d) features."""
        total = torch.zeros_like(nodes)
        for rank in range(self.neighbours.shape[2]):  # one neighbour of each node at a time: no (B, n, k, d)
            columns = self.neighbours[..., rank, None].expand_as(nodes)
            total = total + self.weights[..., rank, None].to(nodes.dtype) * nodes.gather(1, columns)
        return total


@dataclass(frozen=True)
class IdentityGraph:
    """A = I, what a network without a graph has in its place: no node hears of another.

    Parameters
    ----------
    like : (B, n, d) Tensor
        Of the batch's shape, type and device.
    """

    like: Tensor

    def degrees(self) -> Tensor:
        """Return (B, n) ones."""
        return torch.ones_like(self.like[..., 0])

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return the features."""
        return nodes
