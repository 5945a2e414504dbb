r"""The three graph layers of the slides, dense, for B pictures with weights of their own each.

A picture's graph of 784 patches has half a million edges: as a matrix, one product passes all messages, where a sparse
library moves each message by itself. What a layer computes from the graph and the fixed input features alone is
computed once, by `prepare`; an iteration of the training then multiplies with weights only. Each layer equals its
PyTorch Geometric namesake on the same graph.

Parameters have the picture as their first dimension, so that one optimiser trains B networks at once, none of which
knows of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.papers.gnn_clustering.attention import MaskedAttention, complete_attention
from segstudy.papers.gnn_clustering.graphs import Graph

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]
ACTIVATIONS = {"elu": F.elu, "relu": F.relu, "selu": F.selu, "silu": F.silu, "none": lambda values: values}


class GCN(nn.Module):
    r"""Graph convolution (Kipf & Welling 2017, Eq. 2; slides, "Graph Convolutional Networks").

    .. math:: H = \tilde{D}^{-1/2} \tilde{W} \tilde{D}^{-1/2} X \Theta + b

    with W~ the graph with self-loops (of weight 1 where it has none) and D~ its degrees. Without normalisation
    H = W X Theta + b: the graph of correlation clustering has degrees below 0, whose roots do not exist.

    Parameters
    ----------
    batch, in_channels, out_channels : int
    generator : torch.Generator
        Of the first weights, the same for every picture.
    normalise : bool
    """

    def __init__(
        self, batch: int, in_channels: int, out_channels: int, generator: torch.Generator, normalise: bool
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.weight = _each(batch, _glorot((in_channels, out_channels), generator))
        self.bias = _each(batch, torch.zeros(1, out_channels))

    def prepare(self, graph: Graph, features: Tensor) -> tuple[Tensor, ...]:
        """Pass the messages once: the features do not change, and weights may be multiplied afterwards."""
        if not self.normalise:
            return (graph @ features,)
        require_no_negative(graph, "GCN with normalisation", "normalise=False")
        loops = (graph.diagonal == 0).to(features.dtype)[..., None]
        root = (graph.degrees[..., None] + loops).rsqrt()
        scaled = root * features
        return (root * (graph @ scaled + loops * scaled),)

    def forward(self, prepared: tuple[Tensor, ...], drop: Dropout) -> Tensor:
        """Return H: (B, n, out_channels)."""
        return prepared[0] @ self.weight + self.bias


class GAT(nn.Module):
    r"""Graph attention (Velickovic et al. 2018, Eqs. 3 to 5; slides, "Graph Attention Networks").

    Each head averages Theta x_j over the neighbours j, itself among them, with the weights of
    :mod:`~segstudy.papers.gnn_clustering.attention`; the heads are concatenated. A neighbour is whom an edge joins: the
    edges' own weights play no part, as in the released code.

    Parameters
    ----------
    batch, in_channels, out_channels : int
        `out_channels` of all heads together.
    generator : torch.Generator
    heads : int
    """

    def __init__(
        self, batch: int, in_channels: int, out_channels: int, generator: torch.Generator, heads: int
    ) -> None:
        super().__init__()
        if out_channels % heads:
            raise ValueError(f"heads must divide out_channels, got {heads} heads and {out_channels} channels")
        self.heads = heads
        width = out_channels // heads
        self.weight = _each(batch, _glorot((in_channels, out_channels), generator))
        # a_i is of the node that asks, b_j of its neighbour
        self.asking, self.asked = (
            _each(batch, _glorot((heads, width), generator)[:, None]) for _ in range(2)
        )
        self.bias = _each(batch, torch.zeros(1, out_channels))

    def prepare(self, graph: Graph, features: Tensor) -> tuple[Attention, Tensor]:
        """Choose the form of attention: what else it needs depends on the weights."""
        attend = complete_attention if graph.complete else MaskedAttention(graph, self.heads)
        return attend, features

    def forward(self, prepared: tuple[Attention, Tensor], drop: Dropout) -> Tensor:
        """Return H: (B, n, out_channels)."""
        attend, features = prepared
        values = (features @ self.weight).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, n, f)
        a, b = ((values * part).sum(dim=3) for part in (self.asking, self.asked))
        return attend(a, b, values).transpose(1, 2).flatten(2) + self.bias


class ARMA(nn.Module):
    r"""Autoregressive moving average convolution (Bianchi et al. 2021, Eqs. 9, 10; slides, "ARMA").

    .. math:: H = \frac{1}{K} \sum_{k=1}^K H_k^{(T)}, \qquad
              H_k^{(t+1)} = \sigma(\hat{L} H_k^{(t)} \Theta_k^{(t)} + X V_k^{(t)} + b_k^{(t)}), \qquad
              \hat{L} = D^{-1/2} W D^{-1/2}

    K parallel stacks of T layers. Every layer sees the input X again (with dropout), which is what keeps deep stacks
    from smoothing all nodes alike. The slides' update rule prints powers of the matrix and no X V; the layer they name
    has it.

    Parameters
    ----------
    batch, in_channels, out_channels : int
    generator : torch.Generator
    stacks, depth : int
        K and T.
    dropout : float
        Share of X that V does not see.
    activation : str
        sigma, one of `ACTIVATIONS`.
    """

    def __init__(
        self,
        batch: int,
        in_channels: int,
        out_channels: int,
        generator: torch.Generator,
        stacks: int,
        depth: int,
        dropout: float,
        activation: str,
    ) -> None:
        super().__init__()
        self.dropout, self.activation = dropout, ACTIVATIONS[activation]
        first, later, root = (in_channels, out_channels), (out_channels, out_channels), in_channels
        self.weights, self.roots, self.biases = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for step in range(depth):
            shape = later if step else first
            self.weights.append(_each(batch, _glorot((stacks, *shape), generator)))
            self.roots.append(_each(batch, _glorot((stacks, root, out_channels), generator)))
            self.biases.append(_each(batch, torch.zeros(stacks, 1, out_channels)))

    def prepare(self, graph: Graph, features: Tensor) -> tuple[Graph, Tensor, Tensor, Tensor]:
        """Pass the first messages, those of the features; nodes without an edge send and get none."""
        require_no_negative(graph, "ARMA", "a GCN with normalise=False, as the slides do")
        degrees = graph.degrees[..., None]
        root = torch.where(degrees > 0, degrees, 1).rsqrt() * (degrees > 0)
        return graph, root, root * (graph @ (root * features)), features

    def forward(self, prepared: tuple[Graph, Tensor, Tensor, Tensor], drop: Dropout) -> Tensor:
        """Return H: (B, n, out_channels)."""
        graph, root, passed, features = prepared
        passed = passed[:, None]  # all stacks start with the same messages
        for weight, root_weight, bias in zip(self.weights, self.roots, self.biases, strict=True):
            seen = drop(features, self.dropout)[:, None]
            hidden = self.activation(passed @ weight + seen @ root_weight + bias)  # (B, stacks, n, out)
            if weight is not self.weights[-1]:
                passed = _Pass.apply(graph, root, hidden)
        return hidden.mean(dim=1)


class _Pass(torch.autograd.Function):
    """D^-1/2 W D^-1/2 times the hidden features of every stack; symmetric, so that the gradient passes alike."""

    @staticmethod
    def forward(ctx, graph: Graph, root: Tensor, hidden: Tensor) -> Tensor:
        ctx.graph, ctx.root = graph, root
        return _passed(graph, root, hidden)

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[None, None, Tensor]:
        return None, None, _passed(ctx.graph, ctx.root, gradients[0])


def _passed(graph: Graph, root: Tensor, hidden: Tensor) -> Tensor:
    stacks = hidden.shape[1]
    columns = root * hidden.transpose(1, 2).flatten(2)  # (B, n, stacks * f): one product for all stacks
    return (root * (graph @ columns)).unflatten(2, (stacks, -1)).transpose(1, 2)


class Dropout:
    """Dropout whose pattern depends on a seed alone, and is the same for every picture of a batch.

    So a picture's result does not depend on which others are clustered with it; a code that seeds anew before each
    picture, as the released ones, draws the same pattern for each as well.

    Parameters
    ----------
    generator : torch.Generator or None
        On the CPU, whatever the device. None: nothing is dropped.
    """

    def __init__(self, generator: torch.Generator | None) -> None:
        self.generator = generator

    def __call__(self, values: Tensor, share: float) -> Tensor:
        """Set a share of (B, n, d) values to 0 and scale the others by 1 / (1 - share)."""
        if self.generator is None or not share:
            return values
        kept = torch.rand(1, *values.shape[1:], generator=self.generator) >= share
        return values * (kept.to(values) / (1 - share))


def require_no_negative(graph: Graph, layer: str, remedy: str) -> None:
    """Refuse a graph with an edge below 0, whose degrees may have no root."""
    if graph.negative:
        raise ValueError(f"{layer} takes no negative edge weights, and this graph has some: use {remedy}")


def linear(batch: int, in_channels: int, out_channels: int, generator: torch.Generator) -> nn.ParameterList:
    """Return weight (B, in, out) and bias (B, 1, out) of a linear layer, drawn as torch.nn.Linear draws them."""
    bound = 1 / math.sqrt(in_channels)
    shapes = ((in_channels, out_channels), (1, out_channels))
    return nn.ParameterList(_each(batch, _uniform(shape, bound, generator)) for shape in shapes)


def _glorot(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return _uniform(shape, math.sqrt(6 / (shape[-2] + shape[-1])), generator)


def _uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> Tensor:
    return (2 * torch.rand(shape, generator=generator) - 1) * bound


def _each(batch: int, value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.expand(batch, *value.shape).clone())
