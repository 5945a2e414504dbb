"""Attention against loops, bytes against a count by hand, measurements on small maps."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from segstudy.experiments import rounds
from segstudy.experiments.memory import in_fresh_process, kept_bytes, resident_bytes
from segstudy.experiments.scgnet import scaling
from segstudy.experiments.scgnet.attention_blocks import (
    ChannelAttention,
    DualAttention,
    NonLocal,
    PositionAttention,
)
from segstudy.experiments.scgnet.tiles import Tile, predict_tile
from segstudy.papers.scgnet import SCGNet, predict_labels


def drawn(block):
    """Give a block weights that are not zero, in float64."""
    torch.manual_seed(0)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.double()


def pixels(maps):
    """Return the vectors of all pixels of a (C, h, w) map, in raster order."""
    return [maps[:, row, column] for row in range(maps.shape[1]) for column in range(maps.shape[2])]


def linear(layer, vector):
    weight = layer.weight[:, :, 0, 0]
    return torch.stack([(row * vector).sum() + bias for row, bias in zip(weight, layer.bias, strict=True)])


def attend(block, maps):
    """Return for each pixel the mean of all values, weighted by the exponentials of query times key."""
    vectors, found = pixels(maps), []
    for one in vectors:
        query = linear(block.query, one)
        weights = [math.exp(float(query @ linear(block.key, other))) for other in vectors]
        values = [weight * linear(block.value, other) for weight, other in zip(weights, vectors, strict=True)]
        found.append(sum(values) / sum(weights))
    return vectors, found


@pytest.fixture
def features():
    return torch.randn(2, 8, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def as_map(vectors):
    return torch.stack(vectors, dim=1).view(-1, 2, 3)


@torch.no_grad()
def test_the_non_local_block_is_its_loop(features):
    block = drawn(NonLocal(8))
    assert block.query.out_channels == 4
    for one, found in zip(features, block(features), strict=True):
        vectors, gathered = attend(block, one)
        expected = [linear(block.out, value) + x for value, x in zip(gathered, vectors, strict=True)]
        torch.testing.assert_close(found, as_map(expected))


@torch.no_grad()
def test_position_attention_is_its_loop(features):
    block = drawn(PositionAttention(8))
    assert block.query.out_channels == 1
    for one, found in zip(features, block(features), strict=True):
        vectors, gathered = attend(block, one)
        expected = [block.alpha * value + x for value, x in zip(gathered, vectors, strict=True)]
        torch.testing.assert_close(found, as_map(expected))


@torch.no_grad()
def test_channel_attention_is_its_loop_and_the_sum_is_both(features):
    block = drawn(ChannelAttention())
    for one, found in zip(features, block(features), strict=True):
        for channel in range(8):
            weights = [math.exp(float((one[channel] * other).sum())) for other in one]
            mean = sum(weight * other for weight, other in zip(weights, one, strict=True)) / sum(weights)
            torch.testing.assert_close(found[channel], block.beta * mean + one[channel])
    both = drawn(DualAttention(8))
    torch.testing.assert_close(both(features), both.position(features) + both.channel(features))


def test_new_blocks_change_nothing_and_too_few_channels_are_refused(features):
    for block in (NonLocal(8), PositionAttention(8), ChannelAttention()):
        torch.testing.assert_close(block.double()(features), features)
    for build in (NonLocal, PositionAttention, DualAttention):
        with pytest.raises(ValueError, match="channels"):
            build(1)


def test_kept_bytes_are_those_counted_by_hand():
    x, w = torch.randn(4, 8, requires_grad=True), torch.randn(8, 16, requires_grad=True)
    # x @ w saves x and w; the square its input (4 x 16); the exponential its output
    assert kept_bytes(lambda: (x @ w).square()) == 4 * (32 + 128 + 64)
    assert kept_bytes(lambda: (x @ w).square(), [w]) == 4 * (32 + 64)
    assert kept_bytes(lambda: (x @ w).exp(), [x, w]) == 4 * 64
    assert kept_bytes(lambda: x + 1) == 0
    # one storage that is saved three times, once in part
    assert kept_bytes(lambda: [x.square(), x.T.square(), x[:1].square()]) == 4 * 32
    with torch.no_grad():
        assert kept_bytes(lambda: (x @ w).square()) == 0


def test_what_the_graph_keeps_grows_as_its_nodes_squared_and_the_sparse_one_as_its_nodes():
    """Two matrices of n x n single numbers are most of what the dense head keeps at 1024 nodes."""
    found = {}
    for name in (scaling.DENSE, scaling.SPARSE):
        block = scaling.build_block(name, neighbours=4)
        maps = [scaling._features(side, 0, "cpu") for side in (16, 32)]
        found[name] = [scaling._kept(block, one) for one in maps]
    small, large = found[scaling.SPARSE]
    assert large / small == pytest.approx(4, rel=0.02)
    small, large = found[scaling.DENSE]
    assert large - 4 * small > 0.9 * 4 * (1024**2 - 4 * 256**2)  # a matrix at least, beyond what is linear
    assert found[scaling.SPARSE][1] < large


def test_the_head_is_the_network_s(features):
    """The same weights make the same logits as SCG-Net between its backbone and the enlargement."""
    network, head = SCGNet(6).train(), scaling.GraphHead()
    head.scg.load_state_dict(network.scg.state_dict())
    head.layers.load_state_dict(network.gnn.state_dict())
    maps = scaling._features(5, 0, "cpu")
    torch.manual_seed(3)
    constructed = network.scg(maps)
    expected = network.propagate(constructed)[-1]
    torch.manual_seed(3)
    logits, kl, diagonal = head.train()(maps)
    torch.testing.assert_close(logits, expected)
    assert kl == constructed.kl and diagonal == constructed.diagonal


def test_measuring_returns_what_it_says(monkeypatch):
    monkeypatch.setattr(scaling, "in_fresh_process", scaling._here)  # a new process takes seconds
    timed = scaling._seconds
    monkeypatch.setattr(
        scaling, "_seconds", lambda *given: timed(*given) + np.array([0, 1000])[:, None, None]
    )
    blocks = (scaling.DENSE, scaling.NON_LOCAL)
    measured = scaling.measure_scaling((4, 6, 9), neighbours=3, blocks=blocks, repeats=4)
    assert measured["nodes"] == [16, 36, 81] and measured["blocks"] == list(blocks)
    for name in ("forward", "training"):
        assert measured[name].shape == (3, 2, 4) and (measured[name] > 0).all()
    assert measured["forward"].max() < 1000 < measured["training"].min()
    assert measured["kept"].shape == measured["peak"].shape == (3, 2)
    assert (np.diff(measured["kept"], axis=0) > 0).all() and (measured["peak"] >= 0).all()
    table = scaling.scaling_table(measured)
    assert list(table.columns) == ["block", "nodes", *scaling.MEASURES] and len(table) == 6
    assert table.training[1] == pytest.approx(1e3 * np.median(measured["training"][1, 0]))
    assert table.kept[4] == measured["kept"][1, 1] / 2**20 and table.block[4] == scaling.NON_LOCAL
    with pytest.raises(ValueError, match="name must be one of"):
        scaling.build_block("transformer", 3)


def test_blocks_and_their_two_works_take_turns(monkeypatch):
    clock, calls = [0.0], []

    def works(kind, seconds):
        def work(block, features):
            first = (kind, block) not in calls
            calls.append((kind, block))
            clock[0] += 1000 if first else seconds * block

        return work

    monkeypatch.setattr(rounds.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(scaling, "_predict", works("forward", 1))
    monkeypatch.setattr(scaling, "_step", works("training", 3))
    seconds = scaling._seconds([5, 7], torch.zeros(1), 2, 1, 0)
    assert seconds.tolist() == [[[5, 5], [7, 7]], [[15, 15], [21, 21]]]
    every = {("forward", 5), ("training", 5), ("forward", 7), ("training", 7)}
    assert len(calls) == 12 and all(set(calls[start : start + 4]) == every for start in (0, 4, 8))


def test_planted_exponents_are_found():
    nodes = np.array([256, 784, 2304])
    columns = {
        "forward": nodes**2.0,
        "training": nodes**1.0,
        "kept": 3 * nodes**1.5,
        "peak": nodes + 1e9 * (nodes > 784),
    }
    table = scaling.growth(pd.DataFrame({"block": "a", "nodes": nodes, **columns}))
    exponents = table.set_index("measure").exponent
    assert exponents[["forward", "training", "kept"]].tolist() == pytest.approx([2, 1, 1.5])
    assert table.set_index("measure")["at the end"]["kept"] == pytest.approx(1.5)
    assert table.set_index("measure")["at the end"]["peak"] > 10


def test_a_fresh_process_does_not_inherit_the_peak_of_this_one():
    ballast = np.ones(300 * 2**17)  # 300 MiB, touched
    here = resident_bytes(peak=True)
    assert here > ballast.nbytes and resident_bytes(peak=False) <= here
    settings = {"neighbours": 3, "threads": 1, "seed": 0}
    (found,) = in_fresh_process(scaling.block_peaks, name=scaling.NON_LOCAL, sides=[32], **settings)
    assert 2 * 4 * 1024**2 < found < 200 * 2**20  # its attention and the gradient of that are 4 MiB each


def test_windows_of_a_tile_are_parts_of_it_and_its_prediction_is_measured():
    tile = Tile(200, seed=1)
    whole, labels = tile.read((0, 0, 200, 200))
    assert labels is None and whole.shape == (200, 200, 3) and whole.dtype == np.uint8
    assert np.array_equal(tile.read((50, 70, 30, 40))[0], whole[50:80, 70:110])
    assert whole.std(axis=(0, 1)).min() > 10 and not np.array_equal(
        whole, Tile(200, seed=2).read((0, 0, 200, 200))[0]
    )
    found = predict_tile(96, window=64, stride=64, backbone="squeezenet1_1")
    assert found["seconds"] > 0 and found["peak"] >= found["before"] > 2**20
    model = SCGNet(6, backbone="squeezenet1_1")
    assert predict_labels(model, tile, window=64, stride=64).shape == (200, 200)


def test_a_fresh_process_keeps_prints_apart_and_tells_of_a_failure(tmp_path: Path):
    """Run as a script without a main guard, as a notebook's script is: `multiprocessing` would refuse that."""
    script = tmp_path / "script.py"
    script.write_text(
        "from segstudy.experiments.memory import in_fresh_process, resident_bytes\n"
        "print(in_fresh_process(resident_bytes, peak=True) > 2**20)\n"
        "in_fresh_process(print, sep=3)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    words = [sys.executable, str(script)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n" and done.returncode == 1
    assert "RuntimeError: print failed in its own process" in done.stderr
    assert in_fresh_process(print, end="no part of the result") is None
