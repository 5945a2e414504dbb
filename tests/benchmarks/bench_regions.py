"""Times of the region graph on a map of the size of a face annotation; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest tests/benchmarks/bench_regions.py --benchmark-only
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from segstudy.graphs import region_adjacency, region_distances, regions


@pytest.fixture(scope="module", params=[0, 100], ids=["clean", "speckled"])
def label_map(request):
    """Blobs in 512 x 352 pixels, some 30 regions of 7000 boundary pixels, alone or with 100 single pixels."""
    rng = np.random.default_rng(0)
    labels = gaussian_filter(rng.standard_normal((8, 512, 352)), (0, 40, 40)).argmax(axis=0)
    labels[rng.integers(0, 512, request.param), rng.integers(0, 352, request.param)] = 8
    return labels.astype(np.uint8)


@pytest.mark.parametrize("function", [region_distances, region_adjacency], ids=lambda f: f.__name__)
def test_time_of_graph(benchmark, label_map, function):
    found = regions(label_map, 2)
    benchmark.extra_info["regions"] = len(found)
    benchmark(function, found)


def test_time_of_regions(benchmark, label_map):
    benchmark(regions, label_map, 2)
