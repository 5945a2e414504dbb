"""Time of the bilateral solver and of the dense CRF; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_postprocess.py --benchmark-only
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segstudy.datasets import open_dataset
from segstudy.experiments.costs.rivals import pydensecrf
from segstudy.postprocess import DSRG_TEST, DSRG_TRAINING, DenseCRF, bilateral_solver, dense_crf


def test_time_of_bilateral_solver(benchmark):
    sample = open_dataset("lesions", split="test", size=(320, 480))[0]
    image, target = sample.image, sample.labels.astype(float)
    benchmark(bilateral_solver, image, target)


@pytest.mark.parametrize("program", ["ours", "pydensecrf2"])
def test_time_of_dense_crf_on_a_picture(benchmark, rng, program):
    """Of 321 x 481 pixels and 21 classes, 5 iterations, the lattice's preparation included."""
    sample = open_dataset("lesions", split="test", size=(321, 481))[0]
    soft = rng.random((321, 481, 21), np.float32) + np.eye(21, dtype=np.float32)[sample.labels.astype(int)]
    soft /= soft.sum(axis=2, keepdims=True)
    settings = replace(DSRG_TEST, iterations=5)
    if program != "ours":
        pytest.importorskip("pydensecrf.densecrf")
    run = dense_crf if program == "ours" else pydensecrf
    benchmark(run, soft, sample.image, settings)


@pytest.mark.parametrize("method", ["exact", "sparse", "lattice"])
def test_time_of_dense_crf_on_a_map(benchmark, rng, method):
    """Of 41 x 41 pixels and 21 classes, 10 iterations, with a kernel that is kept."""
    sample = open_dataset("lesions", split="test", size=(41, 41))[0]
    soft = rng.dirichlet(np.ones(21), (41, 41))
    benchmark(DenseCRF(sample.image, DSRG_TRAINING, method).refine, soft)
