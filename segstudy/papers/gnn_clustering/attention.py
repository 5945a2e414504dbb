r"""Graph attention over thousands of neighbours, exactly, without a score for each edge.

A GAT layer (Velickovic et al. 2018; slides, "Graph Attention Networks") averages the neighbours' features with

.. math:: p_{ij} = \mathrm{softmax}_{j \in N(i)} \mathrm{LeakyReLU}(a_i + b_j), \qquad
          a_i = \alpha_1^\top \Theta x_i, \quad b_j = \alpha_2^\top \Theta x_j.

A score depends on its edge through a sum alone, so its exponential is a product,

.. math:: e^{\mathrm{LeakyReLU}(a_i + b_j)} = e^{a_i} e^{b_j} \;\text{ where } a_i + b_j > 0, \quad
          e^{s a_i} e^{s b_j} \;\text{ elsewhere}, \qquad s = 0.2,

and a node's average is made of two sums over its neighbours, of e^b_j Theta x_j above the threshold and of
e^sb_j Theta x_j below it. On a complete graph, with the b_j sorted, these are running sums: all averages take n log n
steps (:func:`complete_attention`). With edges missing they are products with the matrix that says who is a neighbour
above the threshold, a constant for the gradient (:class:`MaskedAttention`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from segstudy.papers.gnn_clustering.graphs import Graph

KEPT = (
    2**28
)  # bytes of the threshold's matrix that are kept for the gradient; a larger one is made again by blocks
SLOPE = 0.2  # s, of LeakyReLU below 0: GAT's and PyTorch Geometric's


def complete_attention(a: Tensor, b: Tensor, values: Tensor) -> Tensor:
    """Average all nodes' values for each node, in n log n steps.

    Parameters
    ----------
    a, b : (B, heads, n) float Tensor
        The two parts of the scores.
    values : (B, heads, n, f) float Tensor
        What is averaged.

    Returns
    -------
    (B, heads, n, f) Tensor
    """
    b, order = b.sort(dim=2, descending=True)
    values = values.gather(2, order[..., None].expand_as(values))
    asking, above, below = _sides(a, b, values)
    none = torch.zeros_like(above[:, :, :1])
    above = torch.cat([none, above.cumsum(dim=2)], dim=2)
    below = torch.cat([below.flip(2).cumsum(dim=2).flip(2), none], dim=2)
    # How many b_j, from the largest, have a_i + b_j > 0: b is negated to ascend.
    count = torch.searchsorted(-b.detach(), a.detach().contiguous())
    at = count[..., None].expand(*count.shape, above.shape[3])
    return _average(asking, above.gather(2, at), below.gather(2, at))


class MaskedAttention:
    """Average each node's neighbours' values, its own among them, whatever the weights of the edges.

    Parameters
    ----------
    graph : Graph
        Two nodes are neighbours where its weight is not 0.
    heads : int
    """

    def __init__(self, graph: Graph, heads: int) -> None:
        self.graph, self.nodes = graph, graph.nodes
        joined = graph.joined(0, 1)
        self._row = heads * joined.nelement() * joined.element_size()  # bytes
        self._kept = None
        if self._row * self.nodes <= KEPT:
            # One piece of memory for all iterations: to ask the system for it anew took longer than to compute.
            shape = (graph.batch, heads, self.nodes, self.nodes)
            self._kept = graph.joined(0, self.nodes), joined.new_empty(shape)

    def __call__(self, a: Tensor, b: Tensor, values: Tensor) -> Tensor:
        """Return the averages, (B, heads, n, f), of arguments as for :func:`complete_attention`.

        The gradient of one call has to be taken before the next.
        """
        sides = _sides(a, b, values)
        if self._kept is not None:
            joined, passing = self._kept
            with torch.no_grad():
                # where a_i + b_j > 0 and i, j are neighbours
                torch.add(a[..., None], b[:, :, None], out=passing).gt_(0).mul_(joined[:, None])
            return _masked_average(sides, joined, passing, slice(None))
        step = max(1, KEPT // 8 // self._row)
        starts = range(0, self.nodes, step)
        parts = [checkpoint(self._rows, start, step, a, b, sides, use_reentrant=False) for start in starts]
        return torch.cat(parts, dim=2)

    def _rows(
        self, start: int, step: int, a: Tensor, b: Tensor, sides: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """Return the averages of nodes start..start+step-1."""
        rows = slice(start, min(start + step, self.nodes))
        joined = self.graph.joined(rows.start, rows.stop)
        with torch.no_grad():
            passing = (a[:, :, rows, None] + b[:, :, None]).gt_(0).mul_(joined[:, None])
        return _masked_average(sides, joined, passing, rows)


def _masked_average(
    sides: tuple[Tensor, Tensor, Tensor], joined: Tensor, passing: Tensor, rows: slice
) -> Tensor:
    """Average over neighbours for some rows: `joined` (B, r, n), and above the threshold `passing` (B, heads, r, n)."""
    asking, above, below = sides
    heads, width = above.shape[1], above.shape[3]
    sums = passing @ torch.cat([above, below], dim=3)
    # All neighbours' sums less those above the threshold: there e^sb is below e^b, so that nothing is cancelled.
    every = (joined @ below.transpose(1, 2).flatten(2)).unflatten(2, (heads, width)).transpose(1, 2)
    return _average(asking[:, :, rows], sums[..., :width], every - sums[..., width:])


def _sides(a: Tensor, b: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what an average is made of.

    Returns
    -------
    asking : (B, heads, n, 2) Tensor
        e^a and e^sa, each node's divided by its largest possible score, which changes no average: none passes 1.
    above, below : (B, heads, n, f + 1) Tensor
        e^b and e^sb times the values and, in the last column, alone.
    """
    values = torch.cat([values, torch.ones_like(values[..., :1])], dim=3)
    highest = b.detach().amax(dim=2, keepdim=True)
    top = a.detach() + highest
    largest = torch.maximum(top, SLOPE * top)
    asking = torch.stack([a + highest - largest, SLOPE * (a + highest) - largest], dim=3).exp()
    above, below = ((scale * (b - highest)).exp()[..., None] * values for scale in (1.0, SLOPE))
    return asking, above, below


def _average(asking: Tensor, above: Tensor, below: Tensor) -> Tensor:
    """Add both sides and divide by the weights, the last column."""
    sums = asking[..., :1] * above + asking[..., 1:] * below
    return sums[..., :-1] / sums[..., -1:]
