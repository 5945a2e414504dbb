"""Message passing over a batch of dense weighted graphs: GCN, GIN, and attention (Eqs. 1-5).

A layer takes a graph of every picture of a batch and the features of its nodes. It never asks how the graph is stored:
`segstudy.papers.scgnet.graphs` has a dense one, a sparse one and one without edges.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.papers.scgnet.graphs import DenseGraph, Graph


class GCN(nn.Module):
    r"""Graph convolution, Eqs. 2 and 3: :math:`\hat A X \Theta + b`.

    .. math::
        \hat A = D^{-1/2} (A + I) D^{-1/2}, \qquad D_{ii} = \sum_j (A + I)_{ij}.

    The paper prints :math:`D^{1/2}` on the right, a slip: its reference (Kipf & Welling 2017) has both exponents
    negative. The product is taken as :math:`\hat A (X \Theta)`, whose cost grows with the fewer outgoing channels. The
    activation is left to the network.

    Parameters
    ----------
    inputs, outputs : int
        Channels of a node before and after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, graph: Graph, nodes: Tensor) -> Tensor:
        """Return (B, n, outputs) from a graph and its (B, n, inputs) nodes."""
        scale = (graph.degrees() + 1).rsqrt()[..., None]
        messages = scale * self.linear(nodes)
        return scale * (graph.propagate(messages) + messages) + self.bias


class GIN(nn.Module):
    r"""Graph isomorphism layer, Eq. 5: :math:`((1 + \omega) I + A) X \Theta + b` with a learnt number :math:`\omega`.

    The perceptron of Eq. 4 is one layer here, as Eq. 5 has it; :math:`\omega` starts from 0. Nothing normalises A, so
    that features grow with the number of nodes.

    Parameters
    ----------
    inputs, outputs : int
        Channels of a node before and after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.omega = nn.Parameter(torch.zeros(()))

    def forward(self, graph: Graph, nodes: Tensor) -> Tensor:
        """Return (B, n, outputs) from a graph and its (B, n, inputs) nodes."""
        messages = self.linear(nodes)
        return (1 + self.omega) * messages + graph.propagate(messages) + self.bias


class GAT(nn.Module):
    r"""Attention along the edges, beyond the paper (Velickovic et al. 2018, one head).

    Node i takes :math:`\sum_j \alpha_{ij} x_j \Theta + b`, where :math:`\alpha_{i \cdot}` is the softmax, over the
    nodes j with :math:`A_{ij} > 0` and i itself, of
    :math:`\mathrm{LeakyReLU}_{0.2}(a^T x_i \Theta + b^T x_j \Theta)`. The weights of the edges are not used.

    Parameters
    ----------
    inputs, outputs : int
        Channels of a node before and after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.receive, self.send = nn.Linear(outputs, 1, bias=False), nn.Linear(outputs, 1, bias=False)

    def forward(self, graph: Graph, nodes: Tensor) -> Tensor:
        """Return (B, n, outputs) from a dense graph and its (B, n, inputs) nodes."""
        if not isinstance(graph, DenseGraph):
            raise ValueError(f"graph must be dense for attention, got {type(graph).__name__}: use gcn or gin")
        messages = self.linear(nodes)
        scores = F.leaky_relu(self.receive(messages) + self.send(messages).mT, 0.2)
        itself = torch.eye(nodes.shape[1], dtype=torch.bool, device=nodes.device)
        attention = scores.masked_fill((graph.weights <= 0) & ~itself, -torch.inf).softmax(dim=2)
        return attention.to(messages.dtype) @ messages + self.bias


LAYERS = {"gcn": GCN, "gin": GIN, "gat": GAT}
