"""Cluster pictures: for each a graph of its patches and a small network, trained on nothing but the graph's loss."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from segstudy.papers.gnn_clustering.graphs import MEMORY, Graph, build_graph
from segstudy.papers.gnn_clustering.layers import Dropout
from segstudy.papers.gnn_clustering.network import ClusterNet, message_graph, objective
from segstudy.papers.gnn_clustering.settings import Settings
from segstudy.progress import track


class Clustering(NamedTuple):
    """What became of N pictures of n patches.

    Attributes
    ----------
    assignments : (N, T, n, K) float32 ndarray
        S after each recorded iteration, without dropout; rows sum to 1.
    iterations : (T,) int ndarray
        The recorded ones, counted from 1.
    losses : (N, iterations) float64 ndarray
        Before each step, with dropout.
    seconds : float
        Wall-clock time of all pictures, graphs included, without the assignments that were recorded on the way.
    """

    assignments: np.ndarray
    iterations: np.ndarray
    losses: np.ndarray
    seconds: float


def cluster_images(
    features: np.ndarray | Tensor,
    settings: Settings,
    *,
    record: Sequence[int] | None = None,
    seed: int = 0,
    batch: int = 1,
    device: str = "cpu",
    label: str = "",
) -> Clustering:
    """Cluster the patches of each picture.

    The first weights and what is dropped depend on the seed alone and are the same for every picture, as in the
    released codes; so a picture's result does not depend on the others, nor, but for rounding, on `batch`.

    Parameters
    ----------
    features : (N, n, d) float ndarray or Tensor
        Of the patches; float64 is computed in float64.
    settings : Settings
        For example ``PRESETS["deepcut"]``.
    record : sequence of int, optional
        Iterations after which assignments are kept, from 1; by default the last alone.
    seed : int
    batch : int
        Pictures in work at once. On a CPU one is as fast as any; a GPU wants many.
    device : str
        As torch names it.
    label : str
        What the progress display shows; empty: none is shown.

    Returns
    -------
    Clustering

    Raises
    ------
    TypeError
        The features are not floating point.
    ValueError
        The features are no (N, n, d) array of finite numbers, a picture's patches are all alike, an iteration to record
        is out of range, or the layer does not take the objective's graph (ARMA with correlation clustering).
    """
    values = torch.as_tensor(features)
    if values.ndim != 3:
        raise ValueError(f"features must be (N, n, d), pictures of patches, got shape {tuple(values.shape)}")
    wanted = sorted({settings.iterations} if record is None else set(record))
    if not wanted or wanted[0] < 1 or wanted[-1] > settings.iterations or batch < 1:
        raise ValueError(
            f"record must lie in 1..{settings.iterations} and batch be 1 or more, got {record}, {batch}"
        )
    chunks = values.split(batch)
    parts, losses, seconds = [], [], 0.0
    for chunk in track(chunks, label) if label else chunks:
        assignments, loss, took = _cluster(chunk.to(device), settings, wanted, seed)
        parts.append(assignments)
        losses.append(loss)
        seconds += took
    return Clustering(np.concatenate(parts), np.array(wanted), np.concatenate(losses), seconds)


def _cluster(
    features: Tensor, settings: Settings, wanted: list[int], seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Train B networks together; return their recorded assignments, losses and the seconds of the training."""
    started = time.perf_counter()
    graph = open_graph(features, settings)
    net = ClusterNet(features.shape[2], settings, len(features), seed).to(features)
    prepared = net.prepare(message_graph(features, settings, graph), features)
    rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    optimiser = torch.optim.AdamW(net.parameters(), **rates, fused=True)
    drop = Dropout(torch.Generator().manual_seed(seed))
    losses, kept, aside = [], [], 0.0
    for iteration in range(1, settings.iterations + 1):
        loss = objective(net.assign(prepared, drop), graph, settings)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        losses.append(loss.detach())
        if iteration in wanted:
            before = time.perf_counter()
            with torch.no_grad():
                kept.append(net.assign(prepared).float().cpu().numpy())
            aside += time.perf_counter() - before
    found = torch.stack(losses, dim=1).double().cpu().numpy()
    return np.stack(kept, axis=1), found, time.perf_counter() - started - aside


def open_graph(features: Tensor, settings: Settings, memory: float = MEMORY) -> Graph:
    """Return the graph of the settings' objective for (B, n, d) features, computed by rows where W passes `memory`."""
    return build_graph(features, settings.objective, alpha=settings.alpha, tau=settings.tau, memory=memory)
