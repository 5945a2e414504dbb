"""What methods cost: times in turn, exponents, memory, counts, other programs, and the plans of the papers' runs."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.text import Text

from segstudy.experiments.costs import (
    counting,
    figures,
    growth,
    inputs,
    jobs,
    memory,
    methods,
    results,
    rivals,
)
from segstudy.experiments.costs import whole as scale
from segstudy.graphs import regions

ROOT = Path(__file__).resolve().parents[3]
ASKED = {
    "device": "cpu",
    "pictures": [32, 48],
    "graphs": [8, 12],
    "share": 1 / 16,
    "rounds": 2,
    "threads": 1,
    "seed": 0,
}
ASKED |= {
    "repeats": 1,
    "steps": ["U-Net"],
    "counted": ["U-Net"],
    "rivals": {"matching, FAQ": 27},
    "step_side": 32,
    "step_rounds": 1,
}


def test_exponent_of_a_power_and_its_interval(rng):
    amounts = np.array([100.0, 400.0, 1600.0])
    exact = growth.exponent(amounts, np.tile(3 * amounts**1.5, (4, 1)))
    assert np.allclose(exact, 1.5)
    noisy = growth.exponent(amounts, amounts**1.5 * rng.lognormal(0, 0.2, (9, 3)))
    assert noisy.low < 1.5 < noisy.high and noisy.high - noisy.low < 0.4
    hidden = growth.exponent(amounts, np.tile(amounts**1.5 + 1e4, (4, 1)))
    assert hidden.value < hidden.last < 1.5  # a constant weighs least at the end


@pytest.mark.parametrize("sides", [[64], [64, 64], [96, 64]])
def test_sizes_must_rise(sides):
    with pytest.raises(ValueError, match="sides must be two or more, rising"):
        growth.time_methods("pictures", sides)


def test_regions_of_the_soft_map_are_as_many_at_any_size():
    counts = [len(regions(inputs.soft_map(side).argmax(axis=2), 2)) for side in (64, 128, 192)]
    assert counts[1] > 20 and max(counts) - min(counts) < 0.2 * counts[1]


def test_a_node_count_by_hand_and_reach():
    assert methods.amount_of("pictures", "U-Net", 48) == 48**2
    assert methods.amount_of("graphs", "DeepCut", 12) == 144
    assert methods.amount_of("graphs", "FAQ (scipy)", 12) == 18


@pytest.mark.parametrize("sweep", methods.SWEEPS)
def test_every_method_is_timed_and_has_its_row(sweep):
    values = growth.time_methods(sweep, ASKED[sweep], 1 / 16, 1)
    assert [row["method"] for row in values["rows"]] == list(methods.SWEEPS[sweep])
    assert all(row["seconds"].shape == (1, 2) for row in values["rows"])
    table = results.growth_table(values)
    assert set(table["interval"]) <= {results.ABOVE, results.WITHIN, results.BELOW}
    every = list(methods.SWEEPS[sweep])
    groups = {f"from {first}": every[first : first + 6] for first in range(0, len(every), 6)}
    figure = figures.chart_growth(values, groups, every[0])
    written = [text for ax in figure.axes for text in ax.texts]
    assert {text.get_text() for text in written} == set(every)
    figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in written]  # without their lines
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_peak_memory_of_a_known_block():
    def touched(size: int) -> np.ndarray:
        """Pages of its own: numpy's may come from what the tests before have freed, and add nothing."""
        block = np.frombuffer(mmap.mmap(-1, size), np.uint8)
        block[:: mmap.PAGESIZE] = 1
        return block

    def small():
        return touched(2**20)

    def large():
        return touched(2**26)

    # The system may take pages of libraries away meanwhile, which hides what is added: never the other way round.
    added = max(memory._in_child(memory._added, small, large) for _ in range(5))
    assert 60 * 2**20 < added < 70 * 2**20


def test_a_child_that_fails_is_told():
    with pytest.raises(memory.StudyError, match="_added ended with status"):
        memory._in_child(memory._added, None, None)


def test_memory_of_a_full_affinity_grows_with_the_square(monkeypatch):
    kept = {"normalised cut": methods.GRAPHS["normalised cut"]}
    monkeypatch.setitem(methods.SWEEPS, "graphs", kept)
    few, many = np.max(memory._peaks("graphs", [24, 48], 1.0, 3)["normalised cut"], axis=0)
    assert many > 8 * few > 0  # 16 times the entries


def test_counts_are_those_of_the_literature():
    (row,) = counting.count(["U-Net"])
    assert row["parameters"] == pytest.approx(31.04e6, rel=1e-3) and row["printed"] is None
    assert row["honest"] > row["convention"]  # transposed convolutions are no layers of the convention


def test_clustering_counts_features_and_graph():
    (row,) = counting.count(["deepcut"])
    nodes, keys = counting.NODES**2, counting.KEYS
    assert row["honest"] >= nodes * keys * 64 + nodes**2 * 64


@pytest.mark.parametrize("name", ["matching, FAQ", "matching, vertices alone", "GCN, dense", "GCN, sparse"])
def test_rivals_answer_the_same_problem(name):
    found = rivals.time_rival(name, 45, 1, rivals.version(name))
    (what,) = found["agreement"]
    number = found["agreement"][what]
    assert number < 1e-5 if what == "largest difference" else number >= 1 - 1e-9


def test_edge_convolution_is_pyg_s():
    assert rivals.time_rival("edge convolution", 45, 1, "any")["agreement"]["largest difference"] < 1e-5


def test_the_normalised_cuts_part_the_same_graph():
    found = rivals.time_rival("normalised cut", 64, 1, "any")["agreement"]
    assert found["parts"] > 1 and found["Ncut, ours"] > 0 and found["Ncut, theirs"] > 0


def test_the_other_crf_agrees():
    pytest.importorskip("pydensecrf.densecrf")
    found = rivals.time_rival("dense CRF", 64, 1, "any")["agreement"]
    assert found["same labels"] > 0.99
    assert found["mean error, ours"] <= found["mean error, theirs"] + 1e-4


def test_a_program_that_is_missing_reads_not_installed(monkeypatch):
    absent = rivals.RIVALS["dense CRF"]._replace(package="no-such-package")
    monkeypatch.setitem(rivals.RIVALS, "dense CRF", absent)
    asked = ASKED | {"rivals": {"dense CRF": 64, "matching, FAQ": 27}}
    assert "rival, dense CRF" not in jobs.named(asked)
    table = results.rival_table(asked["rivals"], {}).set_index("comparison")
    assert table.loc["dense CRF", "answers"] == results.MISSING
    assert table.loc["matching, FAQ", "answers"] == "not run"


def test_an_unknown_rival_is_refused():
    with pytest.raises(ValueError, match="rivals must be some of .*'dense crf'"):
        jobs.named(ASKED | {"rivals": {"dense crf": 64}})


def test_experiments_have_keys_and_memory_can_be_left_out():
    assert len({job.key() for job in jobs.experiments(ASKED)}) == len(jobs.experiments(ASKED))
    assert not any(name.startswith("memory") for name in jobs.named(ASKED | {"repeats": 0}))


def test_hours_by_hand():
    row = scale.PLANS[0]._asdict() | {
        "seconds": np.array([1.0, 2.0, 3.0]),
        "scale": 9.0,
        "multiply-adds": None,
    }
    table = results.whole_table({"rows": [row]})
    assert table["hours a run"][0] == pytest.approx(1000 * 9 * 2 / 3600)
    assert table["hours, all runs"][0] == pytest.approx(50 * 5)


def test_multiply_adds_of_a_training_step_are_three_passes():
    plan = scale.PLANS[0]._replace(size=(16, 16), batch=2, steps=5)
    forward = counting.honest_flops(methods.unet(), (3, 16, 16))
    assert scale.multiply_adds(plan) == 3 * 2 * 5 * forward


def test_steps_are_timed_and_scaled():
    values = scale.time_steps(32, 1, ["U-Net", "DGCN's graph cut"])
    network, cut = values["rows"]
    assert network["scale"] == pytest.approx(2 * 512 * 352 / 32**2) and cut["scale"] == 1
    assert network["seconds"].shape == (1,) and cut["multiply-adds"] is None


def test_plans_are_those_of_the_paper_profile():
    study = yaml.safe_load((ROOT / "notebooks" / "study.yaml").read_text())["notebooks"]
    paper = {
        name[:2]: about["profiles"]["paper"]["parameters"]
        for name, about in study.items()
        if name[0:2] < "06"
    }
    plans = {(plan.notebook, plan.step): plan for plan in scale.PLANS}
    one, two, five = plans["01", "U-Net"], plans["02", "SGSeg"], plans["05", "SCG-Net"]
    assert list(one.size) == paper["01"]["size"]
    assert one.steps == paper["01"]["epochs"] * 20 // one.batch
    assert one.runs == len(paper["01"]["seeds"]) * sum(paper["01"]["shares"]) / 100
    assert (
        two.steps * two.batch == (paper["02"]["epochs"] + paper["02"]["pretraining"]) * paper["02"]["images"]
    )
    assert (two.batch, two.runs) == (paper["02"]["batch"], len(paper["02"]["seeds"]))
    assert paper["03"]["iterations"] == scale.ITERATIONS
    assert five.steps * five.batch == paper["05"]["epochs"] * paper["05"]["patches"]
    assert five.size == (paper["05"]["size"],) * 2 and five.runs == len(paper["05"]["seeds"])
