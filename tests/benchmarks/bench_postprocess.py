"""Time of the bilateral solver on a picture of 480 x 320; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_postprocess.py --benchmark-only
"""

from __future__ import annotations

from segstudy.datasets import open_dataset
from segstudy.postprocess import bilateral_solver


def test_time_of_bilateral_solver(benchmark):
    sample = open_dataset("lesions", split="test", size=(320, 480))[0]
    image, target = sample.image, sample.labels.astype(float)
    benchmark(bilateral_solver, image, target)
