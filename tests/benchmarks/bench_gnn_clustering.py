"""Times and memory of GNN clustering; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest -s tests/benchmarks/bench_gnn_clustering.py

Each test prints what it measured. The comparison runs both sides in turn, several times, in one process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import gc_sparse_oracle as sparse
import numpy as np
import pytest
import torch

from segstudy.papers.gnn_clustering.clustering import cluster_images
from segstudy.papers.gnn_clustering.network import ClusterNet
from segstudy.papers.gnn_clustering.settings import PRESETS, combinations

NODES, ITERATIONS = (784, 1568, 3136, 6272, 12544), 10


def features(n, d, dtype=torch.float32):
    X = torch.randn(1, n, d, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return torch.nn.functional.normalize(X, dim=2)


def sparse_seconds(X, settings):
    """The same model and training on PyTorch Geometric's sparse layers, in float32, its losses as matrix products."""
    ours = ClusterNet(X.shape[2], settings)
    started = time.perf_counter()
    W = sparse.weights_of(X[0], settings)
    edges = W.nonzero().T.contiguous()
    weights = W[edges[0], edges[1]]
    model = sparse.Model(X.shape[2], settings, ours).float()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    for _ in range(settings.iterations):
        optimiser.zero_grad()
        S = model(X[0], edges, weights)
        cut = (S * (W @ S)).sum() / (W.sum(dim=1)[:, None] * S * S).sum()
        joint = S.T @ S
        even = torch.eye(S.shape[1]) / S.shape[1] ** 0.5
        (-cut + torch.linalg.norm(joint / torch.linalg.norm(joint) - even)).backward()
        optimiser.step()
    return time.perf_counter() - started


def test_dense_against_sparse():
    settings, X = replace(PRESETS["deepcut"], dropout=0.0), features(784, 384)
    pairs = [(sparse_seconds(X, settings), cluster_images(X, settings).seconds) for _ in range(7)]
    slow, fast = np.median(pairs[1:], axis=0)
    ratio = np.median([s / f for s, f in pairs[1:]])
    print(f"\n784 nodes, d = 384, 10 iterations: sparse {slow:.3f} s, dense {fast:.3f} s, ratio {ratio:.1f}")
    assert ratio > 1


@pytest.mark.parametrize("d", [64, 384])
def test_growth_of_correlation_clustering(d):
    settings = replace(PRESETS["slides"], objective="cc", iterations=ITERATIONS)
    seconds = []
    for n in NODES:
        X = features(n, d)
        cluster_images(X, settings)
        seconds.append(np.median([cluster_images(X, settings).seconds for _ in range(5)]))
    exponent = np.polyfit(np.log(NODES), np.log(seconds), 1)[0]
    row = ", ".join(f"{n}: {s:.3f} s" for n, s in zip(NODES, seconds, strict=True))
    print(f"\nd = {d}: {row}; exponent {exponent:.2f}")
    assert exponent < 1.15


@pytest.mark.parametrize("settings", combinations(), ids=lambda s: s.name)
def test_memory_of_a_fine_grid(settings):
    """12,544 patches: stride 4 of 448 x 448 pixels, nearly."""
    code = (
        "import resource, torch; from dataclasses import replace;"
        "from segstudy.papers.gnn_clustering.clustering import cluster_images;"
        "from segstudy.papers.gnn_clustering.settings import PRESETS;"
        "X = torch.nn.functional.normalize(torch.randn(1, 12544, 384), dim=2);"
        f"s = replace(PRESETS['slides'], objective={settings.objective!r}, layer={settings.layer!r}, iterations=2);"
        "r = cluster_images(X, s);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, r.seconds)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    memory, seconds = map(float, found.stdout.split())
    print(f"\n{settings.name}, 12,544 nodes: {memory:.2f} GiB, {seconds:.1f} s for 2 iterations")
    assert memory < 4


def test_time_of_the_combinations(benchmark):
    X = features(784, 64)

    def eight():
        return [cluster_images(X, replace(s, iterations=ITERATIONS)).seconds for s in combinations()]

    benchmark.pedantic(eight, rounds=3, warmup_rounds=1)
