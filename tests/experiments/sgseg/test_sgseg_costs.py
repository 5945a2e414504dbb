"""Counts against counts by hand and against the paper's; times against a clock that is set; bytes against a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from segstudy.experiments.sgseg import costs, memory, timing
from segstudy.experiments.sgseg.meta import Finite, Live, build
from segstudy.papers.sgseg.network import NO_GNN, SGSeg, sgseg_loss
from segstudy.training import PRECISIONS

TINY = {"spnn_widths": (2, 3, 4, 5), "gnn_width": 6, "gnn_blocks": 2, "cnn_widths": (4, 8)}
TINY |= {"superpixels": 11, "k": 3}


def test_layers_by_hand():
    found = costs.count_layers(TINY, side=8, bands=3, classes=2)
    pixels, quarter, nodes, joined = 64, 16, 11, 2 + 3 + 5
    block = {4: 9 * 4 * 4 + 5 * 4 * 4, 8: 9 * 4 * 8 + 5 * 8 * 8}  # 3 x 3, then five 1 x 1; from 4 channels
    expected = {
        "layers.0": ((3 + 2) * 2 * 25 * pixels, 250 + 2 + 4),
        "layers.1": (2 * 3 * 9 * pixels, 54 + 3 + 6),
        "layers.2": (3 * 4 * 9 * pixels, 108 + 4 + 8),
        "layers.3": (4 * 5 * 9 * pixels, 180 + 5 + 10),
        "atrous": (3 * 5 * 9 * pixels, 3 * (45 + 5)),
        "penultimate": (15 * 5 * 9 * pixels, 675 + 5 + 10),
        "head": (5 * 14 * pixels, 70 + 14),
        "first": (joined * 6 * nodes, 60 + 6 + 12),
        "blocks.0": (18 * 6 * nodes, 108 + 6 + 12),
        "blocks.1": (18 * 6 * nodes, 108 + 6 + 12),
        "last.0": (12 * 24 * nodes, 288 + 24 + 48),
        "last.1": (24 * 12 * nodes, 288 + 12 + 24),
        "last.2": (12 * 6 * nodes, 72 + 6),
        "cnn first": (9 * (3 + 6) * 4 * pixels, 324 + 4 + 8),
        # convolutions' weights, six biases, and normalisation after the first, the second and those of the pairs
        "cnn blocks.0": (block[4] * quarter, block[4] + 6 * 4 + 4 * 8),
        "cnn blocks.1": (block[8] * quarter, block[8] + 6 * 8 + 4 * 16),
        "head.0": (8 * 5 * quarter, 45),
        "head.1": (5 * 5 * quarter, 30),
        "reconstruct": (9 * 5 * 3 * pixels, 135 + 3),
    }
    rows = [(row["multiply-adds"], row["parameters"]) for row in found["layers"]]
    assert rows == list(expected.values())
    assert {row["table"] for row in found["layers"]} == {"Table 7", "Table 8", "Tables 9, 10"}
    between = {part["part"]: part["multiply-adds"] for part in found["parts"]}
    assert (
        between[costs.PRODUCTS] == nodes * pixels * (joined + 6) and between[costs.DISTANCES] == 121 * joined
    )
    sums = np.array([(part["multiply-adds"], part["parameters"]) for part in found["parts"]])
    assert np.array_equal(sums[:3].sum(0), np.sum(rows, axis=0)) and not sums[3:, 1].any()


def test_the_paper_s_networks():
    found = costs.count_layers({"places": False})
    by_row = [row["parameters"] for row in found["layers"]]
    assert by_row[:7] == [4992, 74_112, 295_680, 1_181_184, 15_360, 7_079_424, 104_139]
    parts = {part["part"]: part for part in found["parts"]}
    assert [part["parameters"] for part in parts.values()] == [8_754_891, 190_912, 3_388_241, 0, 0]
    assert f"{parts['SPNN']['multiply-adds'] / 1e9:.1f}" == "143.3"
    assert f"{parts['segmentation network']['multiply-adds'] / 1e9:.1f}" == "14.3"


def test_the_ratios_that_the_layers_make():
    found = costs.expect_ratios({})
    parts = {part["part"]: part["multiply-adds"] for part in costs.count_layers({})["parts"]}
    rest = parts["SPNN"] + parts["graph network"] + parts[costs.PRODUCTS]
    cnn = parts["segmentation network"]
    # neither 64 channels of superpixels at its input nor 3 bands at its output
    ac = cnn - (64 * 9 * 64 + 9 * 18 * 3) * 128**2 - (512 * 3 + 18**2 - 15**2) * 64**2
    assert found["AC"][1] == ac and found["SGSeg"][1] == rest + cnn
    assert found["ratio"][1] == pytest.approx((rest + cnn) / ac)
    assert found["ratio"][0] == pytest.approx((rest + 2 * cnn) / (2 * ac), rel=1e-3)
    assert found["ratio, wide"][0] < found["ratio"][0] and found["printed"] == pytest.approx(
        [1.2154, 1.3054], 1e-4
    )
    # 3.02 ms for what SGSeg has more, two operations a multiply-add
    assert (
        found["speed"][1] == pytest.approx(2 * (rest + cnn - ac) / 3.02e-3)
        and found["steps"][1] == "inference"
    )


def test_times_of_steps():
    found = timing.time_steps(TINY, side=16, batch=2, rounds=3)
    assert found["methods"] == ["SGSeg", "AC"] and found["device"] == "cpu" and found["rounds"] == 3
    for step in ("training", "inference"):
        seconds = found[step]["seconds"]
        assert seconds.shape == (3, 2) and (seconds > 0).all()
        ratios = np.percentile(seconds[:, 0] / seconds[:, 1], (25, 50, 75))
        assert found[step]["ratio"] == pytest.approx(ratios.tolist())


def test_a_graph_of_pixels_takes_longer():
    found = timing.time_graphs(12, sides=(6, 32), in_channels=9, width=4, k=3, blocks=2, rounds=3)
    few, many = found["rows"]
    assert [few["pixels"], many["pixels"]] == [36, 1024] and many["seconds"].shape == (3, 3)
    assert many["ratio"][1] > 2 and many["ratio"][0] <= many["ratio"][1] <= many["ratio"][2]


def real_step(options, side, batch, checkpointed=False):
    """Return bytes that autograd keeps on the CPU, told by addresses, and the most that is alive."""
    model = SGSeg(2, **options)
    if checkpointed:
        memory._checkpoint(model, mixed=False)
    images = torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))
    sizes, own = {}, {value.data_ptr() for value in model.parameters()}

    def note(saved):
        sizes[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
        return saved

    with Alive() as live:
        for value in (images, *model.parameters()):
            live.add(value)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
            loss = sum(sgseg_loss(model, images, (0, 5)).values())
        loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return sum(size for place, size in sizes.items() if place not in own), live.peak, gradients


class Alive(Live):
    """Follows storages of tensors with numbers, which answer for themselves."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for value in found if isinstance(found, tuple | list) else [found]:
            if isinstance(value, torch.Tensor):
                self.add(value)
        return found


@pytest.mark.parametrize("checkpointed", [False, True])
def test_bytes_without_numbers_are_those_of_a_run(checkpointed):
    kept, peak, _ = real_step(TINY, 16, 3, checkpointed)
    found = memory.measure_step(TINY, 16, 3, classes=2, checkpointed=checkpointed)
    count = sum(value.numel() for value in SGSeg(2, **TINY).parameters())
    # Single numbers, which are asked whether they are finite, come and go.
    assert abs(found["kept"] - kept) < 100 and abs(found["peak"] - (peak + 8 * count)) < 100
    assert found["weights"] == 16 * count


def test_checkpoints_keep_less_and_change_no_gradient():
    plain, again = real_step(TINY, 16, 3), real_step(TINY, 16, 3, checkpointed=True)
    assert again[0] < plain[0] / 2 and again[1] < plain[1]
    for one, other in zip(plain[2], again[2], strict=True):
        torch.testing.assert_close(one, other)


def test_bytes_of_a_superpixel_by_hand():
    options, side, channels = TINY | {"gnn": NO_GNN}, 16, 2 + 3 + 5
    small, large = (memory.measure_step(options | {"superpixels": n}, side, 1, classes=2) for n in (23, 24))
    pixels = side**2  # P alone
    # for Eqs. 3 and 2: sums, weights before and after they are kept from 0, means; the share in Eq. 9, and in a byte
    # whether it is 0
    nodes = 2 * channels + 2 + 2 * 3 + 2 + 1
    assert large["kept"] - small["kept"] == 4 * (pixels + nodes) + 1
    assert small["assignments"] == 1


def test_what_holds_the_assignments():
    found = memory.assignment_holders(TINY, side=16)
    # all of them one tensor, the softmax's output; Eqs. 9 and 10 compute theirs again
    assert found == {"SoftmaxBackward0": 1, "BmmBackward0": 3}


def test_mixed_precision_is_cuda_s():
    """Fake tensors say that they are on a GPU, so that torch's own autocast decides."""
    model = build(TINY, 3, 2)
    with FakeTensorMode(), Finite():
        for module in model.modules():
            for name, value in list(module.named_parameters(recurse=False)):
                setattr(module, name, torch.nn.Parameter(torch.empty(value.shape, device="cuda")))
            for name, value in list(module.named_buffers(recurse=False)):
                setattr(module, name, torch.empty(value.shape, dtype=value.dtype, device="cuda"))
        images = torch.empty(3, 3, 64, 64, device="cuda")
        before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
        try:
            torch.set_autocast_enabled("cuda", True)
            torch.set_autocast_dtype("cuda", torch.bfloat16)
            kept, _ = memory.keep(model, images, mixed=False)
        finally:
            torch.set_autocast_enabled("cuda", before[0])
            torch.set_autocast_dtype("cuda", before[1])
            torch.clear_autocast_cache()
    own = {value.untyped_storage()._cdata for value in model.parameters()}
    expected = sum(size * item for key, (size, item) in kept.items() if key not in own)
    found = memory.measure_step(TINY, 64, 3, classes=2, precision="bf16-mixed")
    assert found["kept"] == pytest.approx(expected, rel=2e-3)
    assert found["kept"] < 0.8 * memory.measure_step(TINY, 64, 3, classes=2)["kept"]


@pytest.fixture
def planted(monkeypatch):
    """Steps that need 100 bytes a picture, half of it in bfloat16, a fifth with checkpoints."""

    def measure(network, side, batch, bands, classes, precision, checkpointed):
        peak = batch * 100 // (1 + (precision == "bf16-mixed")) // (5 if checkpointed else 1)
        return network | {"side": side, "batch": batch, "way": (precision, checkpointed), "peak": peak}

    monkeypatch.setattr(memory, "measure_step", measure)
    return [(precision, again) for precision in PRECISIONS for again in (False, True)]


def test_a_plan_halves_the_batch_until_it_fits(planted):
    rows = memory.plan_batch({}, 16, 8, limit=200)["rows"]
    tried = [[(row["batch"], row["steps"]) for row in rows if row["way"] == way] for way in planted]
    assert tried == [[(8, 1), (4, 2), (2, 4)], [(8, 1)], [(8, 1), (4, 2)], [(8, 1)]]
    assert [row["fits"] for row in rows] == [False, False, True, True, False, True, True]
    hopeless = memory.plan_batch({}, 16, 2, limit=1)["rows"]
    assert [row["batch"] for row in hopeless] == 4 * [2, 1] and not any(row["fits"] for row in hopeless)


def test_memory_is_asked_by_superpixels_and_by_side(planted):
    found = memory.measure_memory({"k": 3}, numbers=(25, 50), sides=(64, 96), batch=2)
    asked = {
        name: [(row.get("superpixels"), row["side"]) for row in rows[::4]] for name, rows in found.items()
    }
    assert asked == {"numbers": [(25, 128), (50, 128)], "sides": [(None, 64), (None, 96)]}
    assert all([row["way"] for row in rows] == 2 * planted and rows[0]["k"] == 3 for rows in found.values())


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision"):
        memory.measure_step(TINY, precision="16")
