"""Verdicts on cost from planted numbers, each that a claim can have; and the charts."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.scgnet import cost_claims as judge
from segstudy.experiments.scgnet import scaling, timing
from segstudy.experiments.scgnet.costs import FLOPS, HONEST, OURS, PARAMETERS
from segstudy.experiments.scgnet.figures import costs as figures

matplotlib.use("Agg")
FAILS, HOLDS, NOT_RUN, WEAKLY = judge.FAILS, judge.HOLDS, judge.NOT_RUN, judge.WEAKLY


def costs_of(**columns):
    """Return a table of PSPNet, SegNet, DDCM and SCG-GCN; SCG-GCN's numbers are 1 where none are given."""
    rows = [judge.PSPNET_ROW, judge.SEGNET_ROW, timing.DDCM_ROW, OURS]
    values = {name: columns.get(key, [9, 12, 2, 1]) for key, name in COLUMNS.items()}
    printed = {f"{name}, printed": values[name] for name in (PARAMETERS, FLOPS)}
    return pd.DataFrame({"network": rows, **values, **printed})


COLUMNS = {"parameters": PARAMETERS, "flops": FLOPS, "honest": HONEST}


def times_of(device="cpu", **factors):
    """Return three equal rounds in which SCG-GCN takes 1 s, and others 1 s or the factor of their first word."""
    seconds = [factors.get(row.split()[0].split("-")[0], 1.0) for row in timing.ROWS]
    return {"rows": list(timing.ROWS), "seconds": np.tile(seconds, (3, 1)), "device": device, "threads": 1}


def verdict_of(found, claim):
    assert found.claim == claim and found.evidence
    return found.verdict


@pytest.mark.parametrize(
    ("flops", "honest", "expected"),
    [
        ([9, 12, 2, 1], [9, 12, 2, 1], HOLDS),
        ([9, 12, 2, 1], [8.9, 13, 2, 1], WEAKLY),
        ([10, 11.9, 2, 1], [8.9, 13, 2, 1], FAILS),
        ([18, 24, 2, 2], [18, 24, 2, 2], HOLDS),
    ],
)
def test_flops(flops, honest, expected):
    assert verdict_of(judge.flops_claim(costs_of(flops=flops, honest=honest)), "SC5") == expected


@pytest.mark.parametrize(
    ("values", "expected"), [([5.3, 4.6, 2, 1], HOLDS), ([5.3, 4.4, 2, 1], WEAKLY), ([4, 4, 2, 1], FAILS)]
)
def test_parameters(values, expected):
    found = judge.parameters_claim(costs_of(parameters=values))
    assert verdict_of(found, "SC6") == expected and f"{values[0]:.2f}x" in found.evidence


@pytest.mark.parametrize(
    ("device", "psp", "segnet", "expected"),
    [
        ("cpu", 21, 42, HOLDS),
        ("cpu", 18, 36, WEAKLY),  # Table VI's own times: 17.9 and 35.8
        ("cpu", 25, 35, FAILS),
        ("cpu", 7, 9, FAILS),
        ("NVIDIA A", 21, 42, NOT_RUN),
    ],
)
def test_speed(device, psp, segnet, expected):
    found = judge.speed_claim(times_of(device, PSPNet=psp, SegNet=segnet))
    assert verdict_of(found, "SC7") == expected and f"PSPNet {psp:.1f}x" in found.evidence


@pytest.mark.parametrize(
    ("fewer", "device", "ddcm", "miou", "expected"),
    [
        (0.87, "NVIDIA A", 1.7, (0.01, 0.005, 0.02), HOLDS),
        (0.87, "NVIDIA A", 1.5, (0.01, 0.005, 0.02), WEAKLY),
        (0.87, "NVIDIA A", 1.7, (0.01, -0.005, 0.02), WEAKLY),
        (0.87, "NVIDIA A", 0.9, (0.01, 0.005, 0.02), FAILS),
        (0.89, "NVIDIA A", 1.7, (0.01, 0.005, 0.02), FAILS),
        (0.87, "cpu", 1.7, (0.01, 0.005, 0.02), NOT_RUN),
        (0.87, "NVIDIA A", 1.7, (np.nan,) * 3, NOT_RUN),
        (0.87, "cpu", 1.7, (-0.01, -0.02, -0.005), FAILS),
    ],
)
def test_ddcm(fewer, device, ddcm, miou, expected):
    table = costs_of(parameters=[9, 9, 1 / fewer, 1])
    assert verdict_of(judge.ddcm_claim(table, times_of(device, DDCM=ddcm), miou), "SC9") == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, HOLDS),
        ({"honest": [9, 12, 0.9, 1]}, WEAKLY),
        ({name: [9, 12, 0.9, 1] for name in COLUMNS}, FAILS),
    ],
)
def test_lowest_cost(values, expected):
    assert verdict_of(judge.lowest_cost_claim(costs_of(**values)), "SC10") == expected


@pytest.mark.parametrize(
    ("device", "seconds", "expected"),
    [
        ("NVIDIA GeForce GTX 1080 Ti", 0.039, HOLDS),
        ("NVIDIA A", 0.039, WEAKLY),
        ("NVIDIA A", 0.041, FAILS),
        ("cpu", 0.039, HOLDS),
        ("cpu", 0.5, "not testable with this data"),
    ],
)
def test_real_time(device, seconds, expected):
    values = {"sizes": [256, 448], "seconds": np.array([[9.0, seconds]] * 3), "device": device, "threads": 2}
    found = judge.real_time_claim(values)
    assert verdict_of(found, "SC12") == expected and f"{1 / seconds:.1f} frames" in found.evidence
    assert ("the CPU (2 threads)" if device == "cpu" else device) in found.evidence
    assert judge.real_time_claim(values | {"sizes": [256, 512]}).verdict == NOT_RUN


def test_same_parameters():
    table = pd.DataFrame({"nodes": [256, 784], PARAMETERS: [8.736978, 8.736978]})
    found = judge.same_parameters_claim(table)
    assert verdict_of(found, "SC21") == HOLDS and "8,736,978 parameters with 256, 784 nodes" in found.evidence
    table.loc[1, PARAMETERS] = 8.736979
    assert judge.same_parameters_claim(table).verdict == FAILS


def scaling_of(ours, nodes=(256, 784, 9216)):
    """Return measurements in which attention takes 100 bytes at every size, and SCG what is given."""
    bytes_ = np.full((len(nodes), 4), 100.0)
    bytes_[:, 0] = ours
    zeros = np.ones((len(nodes), 4, 2))
    found = {"nodes": list(nodes), "blocks": list(scaling.BLOCKS), "forward": zeros, "training": zeros}
    return found | {"kept": bytes_, "peak": bytes_[::1], "device": "cpu", "threads": 1}


@pytest.mark.parametrize(
    ("ours", "expected"), [([50, 60, 99], HOLDS), ([50, 60, 101], WEAKLY), ([50, 101, 99], FAILS)]
)
def test_memory(ours, expected):
    found = judge.memory_claim(scaling_of(ours))
    assert verdict_of(found, "SC38") == expected
    assert ("at every size" in found.evidence) == (expected == HOLDS)
    one = scaling_of(50)
    one["peak"] = one["kept"].copy()
    one["peak"][:, 3] = 49  # one block of two, one measure of two
    assert judge.memory_claim(one).verdict == FAILS


def test_charts():
    table = costs_of()
    ax = figures.chart_costs(table).axes[0]
    assert [text.get_text() for text in ax.texts] == table.network.tolist()
    ring, dots = ax.collections
    assert np.array_equal(ring.get_offsets(), dots.get_offsets())
    frame = scaling.scaling_table(scaling_of(50))
    axes = figures.chart_scaling(frame).axes
    assert [len(ax.lines) for ax in axes] == [4] * 4
    assert axes[0].lines[0].get_ydata().tolist() == [1.0] * 3 and axes[0].get_ylabel() == "seconds"
    times = timing.timing_table(times_of(FCN8s=13.7))
    figure = figures.chart_times(times)
    assert [text.get_text() for text in figure.axes[0].texts][:3] == ["here", "1.00", "13.70"]
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    assert len(bars) == 10 and bars[1] == pytest.approx(12.7)
