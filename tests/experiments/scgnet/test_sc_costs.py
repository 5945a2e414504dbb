"""Tables VI and VIII against what is printed; times, on tiny pictures, by their shapes and by planted seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from segstudy.experiments import published
from segstudy.experiments.scgnet import costs, timing


@pytest.fixture(scope="module")
def tables():
    return costs.table_6(), costs.table_8()


def test_table_6_has_the_printed_digits_in_the_printed_order(tables):
    table = tables[0]
    assert table.network.tolist() == published.table("scgnet_table6")["row"].drop_duplicates().tolist()
    for name in (costs.PARAMETERS, costs.FLOPS):
        assert table[name].round(2).tolist() == table[f"{name}, printed"].tolist()
        assert (table[name] != table[f"{name}, printed"]).all()  # ours are not the printed ones copied
    assert table["same printed digits"].all() and (table.mIoU == "not run").all()
    last = table.iloc[-1]
    assert last[costs.PARAMETERS] == 8.736978 and last[costs.PRINTED_FLOPS] == 4.47
    assert last[costs.HONEST] == pytest.approx(4.5189, abs=5e-5)  # FACTS: the products of the graph included


def test_table_8_says_where_the_digits_differ(tables):
    table = tables[1]
    assert table.pixels.tolist() == [256, 448, 512, 768] and table.nodes.tolist() == [256, 784, 1024, 2304]
    assert table["same printed digits"].tolist() == [True, True, True, False]
    assert table.note.tolist() == ["", "", "", "39.341 where 39.4 is printed"]
    assert table[costs.PRINTED_FLOPS].tolist() == [4.37, 13.4, 17.5, 39.4]
    # the paper's count grows as the pixels; the honest one faster, by the products of the graph
    counted, honest = (table[name] / table.pixels**2 for name in (costs.FLOPS, costs.HONEST))
    assert np.allclose(counted / counted[0], 1) and (np.diff(honest) > 0).all()


def test_no_column_mixes_ours_and_the_printed(tables):
    for table in tables:
        printed = [name for name in table if "printed" in name and name != "same printed digits"]
        assert printed and all(name.removesuffix(", printed") in table for name in printed)


@pytest.mark.parametrize(
    ("ours", "printed", "same"), [(44.396, "44.40", True), (44.394, "44.40", False), (39.341, "39.4", False)]
)
def test_digits_are_compared_as_printed(ours, printed, same):
    assert costs.same_digits(ours, printed) is same


class Spy(nn.Module):
    """A network that notes how it was called."""

    def __init__(self, calls, name):
        super().__init__()
        self.calls, self.name = calls, name

    def forward(self, images):
        inside = torch.is_inference_mode_enabled() and not self.training
        low = torch.is_autocast_enabled("cpu")
        self.calls.append((self.name, tuple(images.shape), inside, torch.get_num_threads(), low))
        return images


@pytest.fixture
def calls(monkeypatch):
    noted = []
    monkeypatch.setattr(timing, "build", lambda row, nodes=None, seed=0: Spy(noted, (row, nodes)))
    monkeypatch.setattr(timing, "ResNet50", lambda stages: Spy(noted, "trunk"))
    return noted


def test_networks_take_turns_in_every_round(calls):
    before = torch.get_num_threads()
    values = timing.time_networks(32, repeats=3, threads=before + 1, batch=2, precision="bfloat16")
    assert torch.get_num_threads() == before
    assert values["rows"] == list(timing.ROWS) and len(values["rows"]) == 10
    assert values["seconds"].shape == (3, 10) and (values["seconds"] > 0).all()
    rounds = [calls[first : first + 10] for first in range(0, len(calls), 10)]
    assert len(rounds) == timing.WARM_UP + 3
    for one in rounds:
        assert len({name for name, *_ in one}) == 10
        assert {tuple(rest) for _, *rest in one} == {((2, 3, 32, 32), True, before + 1, True)}
    assert len({tuple(name for name, *_ in one) for one in rounds}) > 1  # in another order
    assert values["device"] == "cpu" and values["batch"] == 2 and values["precision"] == "bfloat16"


def test_some_rows_alone(calls):
    rows = (timing.DDCM_ROW, costs.OURS, timing.FIXED, timing.TRUNK)
    values = timing.time_networks(32, repeats=1, rows=rows)
    assert values["rows"] == list(rows) and values["seconds"].shape == (1, 4)
    names = {name for name, *_ in calls}
    assert names == {(timing.DDCM_ROW, None), (costs.OURS, None), (costs.OURS, (28, 28)), "trunk"}
    assert timing.timing_table(values).network.tolist() == list(rows)
    with pytest.raises(ValueError, match="rows must be some of"):
        timing.time_networks(32, rows=("DDCM",))


def test_the_networks_are_the_real_ones():
    built = {row: costs.build(row) for row in ("GCN [12]", costs.OURS)}
    assert sum(p.numel() for p in built[costs.OURS].parameters()) == 8_736_978
    assert sum(p.numel() for p in built["GCN [12]"].parameters()) == 23_838_644


def test_sizes_are_timed_with_one_network(calls):
    values = timing.time_sizes((32, 64), repeats=2)
    assert values["seconds"].shape == (2, 2) and not calls[0][-1]
    assert {shape for _, shape, *_ in calls} == {(1, 3, 32, 32), (1, 3, 64, 64)}
    table = timing.sizes_table(
        {"sizes": [448, 100], "seconds": np.array([[0.1, 1.0], [0.1, 2.0], [0.3, 9.0]])}
    )
    assert table["frames a second"].tolist() == pytest.approx([10, 0.5])
    assert table["frames a second, printed"].tolist()[0] == 113
    assert np.isnan(table["frames a second, printed"][1])


def test_bad_settings_are_refused(calls):
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        timing.time_sizes((32,), repeats=0)
    with pytest.raises(ValueError, match="float16"):
        timing.time_sizes((32,), precision="float16")


def test_ratios_are_of_the_same_round():
    """A machine that is ten times slower in every second round changes times and no ratio."""
    seconds = np.outer([1, 10, 1, 10, 1], np.arange(1, 11)) * 1e-3
    table = timing.timing_table({"rows": list(timing.ROWS), "seconds": seconds}).set_index("network")
    assert table.loc["U-Net [8]", "milliseconds"] == 1
    ours = 1 + timing.ROWS.index(costs.OURS)
    for name in ("ratio", "ratio, low", "ratio, high"):
        assert table[name].tolist() == pytest.approx([value / ours for value in range(1, 11)])
    assert table.loc["FCN8s [7]", "ratio, printed CPU"] == pytest.approx(6353 / 161)
    assert table.loc["FCN8s [7]", "ratio, printed GPU"] == pytest.approx(20.68 / 6.08)
    assert table.loc[timing.DDCM_ROW, "of DDCM-R50"] == 1
    share = table["share of the trunk"].dropna()
    assert list(share.index) == [timing.DDCM_ROW, costs.OURS, timing.FIXED]
    assert share.tolist() == pytest.approx([10 / 7, 10 / 8, 10 / 9])
    assert pd.isna(table.loc[timing.TRUNK, "ratio, printed CPU"])
