"""What a learnt graph says: whom a node listens to, how far that is, and whether they are of one class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from segstudy.datasets.files import VOID
from segstudy.papers.scgnet.graphs import DenseGraph, Graph
from segstudy.papers.scgnet.network import SCGNet
from segstudy.papers.scgnet.scg import Constructed

TOP = 9  # relations that Figure 4 shows of each node


def relation_maps(weights: np.ndarray, grid: tuple[int, int], nodes: Sequence[int]) -> np.ndarray:
    """Return what Figure 4 shows: the strongest weights of some nodes, all others 0.

    Parameters
    ----------
    weights : (n, n) ndarray
        A.
    grid : (int, int)
        Rows and columns of nodes.
    nodes : sequence of int
        In raster order.

    Returns
    -------
    (len(nodes), rows, columns) float64 ndarray
        The `TOP` largest weights of each node's row of A, in fractions of the largest.
    """
    maps = []
    for node in nodes:
        row = np.asarray(weights[node], float)
        kept = np.zeros_like(row)
        top = np.argsort(-row, kind="stable")[:TOP]
        kept[top] = row[top] / max(row.max(), 1e-12)
        maps.append(kept.reshape(grid))
    return np.stack(maps)


@torch.no_grad()
def learnt_graph(model: SCGNet, image: Tensor) -> tuple[np.ndarray, tuple[int, int]]:
    """Return A, (n, n), and the grid of nodes of a (C, H, W) picture in [0, 1]; the graph has to be dense."""
    made = _construct(model, image)
    return _dense(made.graph)[0].cpu().numpy(), made.grid


@torch.no_grad()
def graph_statistics(model: SCGNet, image: Tensor, labels: np.ndarray) -> dict[str, float]:
    """Return what claims SC22, SC28, SC30 and SC31 ask of the graph of one picture.

    Parameters
    ----------
    model : SCGNet
        With a dense graph.
    image : (C, H, W) Tensor
        In [0, 1].
    labels : (H, W) int ndarray
        The truth; a node's class is that of most of its pixels.

    Returns
    -------
    dict of str to float
        "diagonal": mean of A_ii, clamped to [0, 1], before the enhancement; "distance": mean distance of the `TOP`
        strongest other nodes, in steps of the grid; "near": that of the 8 neighbours, 1.207; "same" and "other": mean
        weight between nodes of one class and of two, in fractions of the mean weight; "share": how much of its row of
        the normalised A (Eq. 3) is a node's own, mean over nodes; "cosine 0", "cosine 1", ...: mean
        cosine of two nodes' features before the graph network and after each hidden layer.
    """
    made = _construct(model, image)
    weights = _dense(made.graph)[0].cpu()
    n, (rows, columns) = len(weights), made.grid
    latent = made.latent[0]
    source = latent.softmax(dim=1) if model.scg.kind == "directed" else latent
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).double()
    apart = torch.cdist(places, places)
    off = ~torch.eye(n, dtype=torch.bool)
    others = weights.where(off, -torch.inf)
    top = others.topk(min(TOP, n - 1), dim=1).indices
    kinds = torch.from_numpy(node_classes(labels, made.grid))
    known = (kinds[:, None] != VOID) & (kinds[None] != VOID) & off
    alike = kinds[:, None] == kinds[None]
    scale = weights[known].mean().clamp(min=1e-12)
    found = {
        "diagonal": float((source * latent).sum(dim=1).clamp(0, 1).mean()),
        "distance": float(apart.gather(1, top).mean()),
        "near": (1 + 2**0.5) / 2,
        "same": float(weights[known & alike].mean() / scale),
        "other": float(weights[known & ~alike].mean() / scale),
        "share": own_share(weights),
    }
    layers = [made.nodes, *model.propagate(made)[:-1]]
    return found | {f"cosine {depth}": mean_cosine(values[0]) for depth, values in enumerate(layers)}


def own_share(weights: Tensor) -> float:
    r"""Return :math:`\hat A_{ii} / \sum_j \hat A_{ij}`, the mean over nodes; :math:`\hat A` is Eq. 3 of (n, n) weights.

    A layer replaces a node by the mean of its row: at 1 by itself, at 1 / n by the mean of the picture.
    """
    enhanced = weights + torch.eye(len(weights))
    scale = enhanced.sum(dim=1).rsqrt()
    normalised = scale[:, None] * enhanced * scale
    return float((normalised.diagonal() / normalised.sum(dim=1)).mean())


def mean_cosine(nodes: Tensor) -> float:
    """Return the mean cosine of two different nodes' (n, d) features."""
    unit = torch.nn.functional.normalize(nodes.double(), dim=1)
    total, n = unit.sum(dim=0).square().sum(), len(nodes)
    return float((total - unit.square().sum()) / (n * (n - 1)))


def node_classes(labels: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return the class of most scored pixels under each node, (rows * columns,) int64; `VOID` where none is scored.

    Parameters
    ----------
    labels : (H, W) int ndarray
    grid : (int, int)
        Rows and columns of nodes, each above an equal part of the picture.
    """
    height, width = labels.shape
    node = (np.arange(height) * grid[0] // height)[:, None] * grid[1] + np.arange(width) * grid[1] // width
    scored = labels != VOID
    counts = np.zeros((grid[0] * grid[1], int(labels[scored].max(initial=0)) + 1), np.int64)
    np.add.at(counts, (node[scored], labels[scored].astype(np.int64)), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), VOID)


def _construct(model: SCGNet, image: Tensor) -> Constructed:
    return model.eval().construct(image[None].to(next(model.parameters()).device))


def _dense(graph: Graph) -> Tensor:
    if not isinstance(graph, DenseGraph):
        raise ValueError(f"model must build a dense graph, got {type(graph).__name__}")
    return graph.adjacency()
