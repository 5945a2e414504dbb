"""Times and memory of SCG-Net; run by name, it is not part of the tests.

OMP_NUM_THREADS=1 taskset -c 0 python -m pytest -s tests/benchmarks/bench_scgnet.py

Each test prints what it measured. What is compared runs in turn, several times, in one process; a machine that does
something else meanwhile makes the ratios wider, which their percentiles show.
"""

from __future__ import annotations

import pytest
import torch

from segstudy.experiments.scgnet.costs import OURS
from segstudy.experiments.scgnet.scaling import DENSE, SPARSE, growth, measure_scaling, scaling_table
from segstudy.experiments.scgnet.tiles import predict_tile
from segstudy.experiments.scgnet.timing import (
    DDCM_ROW,
    FIXED,
    ROWS,
    TRUNK,
    sizes_table,
    time_networks,
    time_sizes,
    timing_table,
)

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
def test_table_6_side_by_side(device):
    values = time_networks(256, repeats=11 if device == "cpu" else 100, device=device)
    table = timing_table(values).set_index("network")
    print(f"\n{values['device']}, {values['threads']} thread\n{table.round(3).to_string()}")
    networks = table.loc[list(ROWS[:8])]
    assert networks.milliseconds.idxmin() == OURS


def test_against_ddcm():
    """The two differ little: many rounds of them alone."""
    table = timing_table(time_networks(256, repeats=41, rows=(DDCM_ROW, OURS, FIXED, TRUNK))).set_index(
        "network"
    )
    print(f"\n{table.drop(columns=[name for name in table if 'printed' in name]).round(3).to_string()}")
    assert table.loc[OURS, "of DDCM-R50"] <= 0.85
    assert table.loc[FIXED, "of DDCM-R50"] <= 0.95


@pytest.mark.parametrize("device", DEVICES)
def test_frames_of_table_8(device):
    values = time_sizes(repeats=5 if device == "cpu" else 100, device=device)
    table = sizes_table(values)
    print(f"\n{values['device']}\n{table.round(2).to_string()}")
    assert table["frames a second"].is_monotonic_decreasing


def test_growth_with_nodes():
    table = scaling_table(measure_scaling(repeats=3))
    exponents = growth(table)
    print(f"\n{table.round(2).to_string()}\n{exponents.round(2).to_string()}")
    end = exponents.set_index(["block", "measure"])["at the end"]
    for measure in ("training", "kept", "peak"):
        assert end[SPARSE, measure] < 1.4 < end[DENSE, measure]


def test_memory_of_a_tile():
    found = predict_tile(6000, window=448, stride=448)
    print(f"\n6000 x 6000 pixels: {found['seconds']:.0f} s, peak {found['peak'] / 1e9:.2f} GB", end=", ")
    print(f"{found['before'] / 1e9:.2f} GB before")
    assert found["peak"] < 2e9
