"""A cached computation that is ended goes on from the checkpoints of its trainings, to the same result."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent import futures
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from segstudy import training
from segstudy.cache import UNFINISHED, Cache, Experiment
from segstudy.checkpoints import kept_in, next_place
from segstudy.papers.graph_matching import network as graph_matching_network
from segstudy.papers.sgseg.network import SGSeg
from segstudy.papers.sgseg.training import Statistics, UnlabelledBatches, train_sgseg
from segstudy.training import train

EPOCHS = 4
steps: list[tuple[int, int]] = []  # (seed, epoch) of each step that was taken
end_in: dict[str, object] = {}  # "at": the step in which the process ends, "how": with what


def two_trainings(scale: float) -> dict[str, np.ndarray]:
    """Train two small networks, as an experiment does that compares two methods."""
    return {str(seed): _trained(seed, scale) for seed in (0, 1)}


def _trained(seed: int, scale: float) -> np.ndarray:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))

    def batches(epoch: int):
        steps.append((seed, epoch))
        if end_in.get("at") == (seed, epoch):
            raise end_in["how"]
        draw = torch.Generator().manual_seed(epoch)
        yield scale * torch.randn(5, 3, generator=draw), torch.ones(5, 1)

    adam, place = partial(torch.optim.Adam, lr=0.1), next_place(f"seed {seed}")
    train(network, batches, functional.mse_loss, adam, EPOCHS, seed=seed, checkpoint=place)
    return network[0].weight.detach().numpy()


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "CHECKPOINT_PERIOD", 0.0)
    steps.clear()
    end_in.clear()


def run(cache: Cache):
    return cache.run(Experiment(two_trainings, {"scale": 2.0}))


def ended_in(cache: Cache, at: tuple[int, int], how: BaseException) -> None:
    end_in.update(at=at, how=how)
    with pytest.raises(type(how)):
        run(cache)
    end_in.clear()
    steps.clear()


def test_an_ended_experiment_goes_on_where_it_was_to_the_same_result(tmp_path: Path):
    expected = run(Cache(tmp_path / "whole"))
    cache = Cache(tmp_path / "cache")
    ended_in(cache, (1, 2), KeyboardInterrupt())
    resumed = run(cache)
    assert steps == [(1, 2), (1, 3)], "the first training, or an epoch of the second, was computed again"
    for seed in "01":
        assert np.array_equal(resumed.value[seed], expected.value[seed])
    assert resumed.made["resumed"] == "yes" and "resumed" not in expected.made
    assert not list((cache.folder / UNFINISHED).iterdir())


def test_a_damaged_checkpoint_begins_its_training_anew(tmp_path: Path, capsys: pytest.CaptureFixture):
    expected = run(Cache(tmp_path / "whole"))
    cache = Cache(tmp_path / "cache")
    ended_in(cache, (1, 2), KeyboardInterrupt())
    first = min((cache.folder / UNFINISHED).glob("*/*.pt"), key=lambda path: path.stat().st_mtime_ns)
    first.write_bytes(first.read_bytes()[:-100])
    resumed = run(cache)
    assert steps[:EPOCHS] == [(0, epoch) for epoch in range(EPOCHS)]
    assert "the checkpoint of 'seed 0' cannot be read; its training begins anew" in capsys.readouterr().err
    assert np.array_equal(resumed.value["0"], expected.value["0"])


def test_trainings_that_another_experiment_spared_this_one_are_no_hindrance(tmp_path: Path):
    """What an earlier experiment of the process had computed already, this one computes itself when it goes on."""
    with pytest.raises(KeyboardInterrupt), kept_in(tmp_path):
        spared = [next_place("second"), next_place("second")]
        raise KeyboardInterrupt
    with kept_in(tmp_path):
        anew = [next_place("first"), next_place("second"), next_place("second")]
    assert anew[1:] == spared and len(set(anew)) == 3


def test_of_two_processes_at_the_same_computation_one_keeps_checkpoints(tmp_path: Path):
    with kept_in(tmp_path):
        first = next_place("seed 0")
        with futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
            assert other.submit(_asked_in, tmp_path).result() is None
        assert first.parent == tmp_path and tmp_path.is_dir()
    with futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
        assert other.submit(_asked_in, tmp_path).result() == first


def _asked_in(folder: Path) -> Path | None:
    with kept_in(folder):
        return next_place("seed 0")


def test_what_fails_by_itself_leaves_no_checkpoint(tmp_path: Path):
    cache = Cache(tmp_path / "cache")
    ended_in(cache, (1, 2), ValueError("no such class"))
    assert not list((cache.folder / UNFINISHED).iterdir())


def test_a_training_outside_an_experiment_keeps_nothing():
    assert next_place("seed 0") is None
    assert _trained(0, 1.0).shape == (4, 3)


def _unet() -> nn.Module:
    pairs = [(np.full((16, 16, 3), 40 * i, np.uint8), np.eye(16, dtype=np.uint8)) for i in range(4)]
    return graph_matching_network.train_network(pairs, pairs, 2, width=2, epochs=3)[0]


def _sgseg() -> nn.Module:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(4)]
    small = {
        "spnn_widths": (4, 4),
        "cnn_widths": (4, 4),
        "superpixels": 4,
        "k": 2,
        "gnn_width": 4,
        "gnn_blocks": 2,
    }
    network = SGSeg(2, seed=1, **small)
    batches = UnlabelledBatches(images, Statistics.of(images), 2, seed=0)
    train_sgseg(network, batches, 2, pretraining=2)
    return network


@pytest.mark.parametrize("make", [_unet, _sgseg])
def test_a_paper_s_training_gives_the_same_when_it_is_ended_and_when_nothing_is_kept(
    make: Callable[[], nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In SGSeg's second of two trainings, among others: it is ended in the last step of all."""
    steps = []
    monkeypatch.setattr(training, "pulse", lambda: steps.append(0))
    expected = make().state_dict()
    count = len(steps)

    def end() -> None:
        steps.append(0)
        if len(steps) == count:
            raise KeyboardInterrupt

    steps.clear()
    monkeypatch.setattr(training, "pulse", end)
    with pytest.raises(KeyboardInterrupt), kept_in(tmp_path / "kept"):
        make()
    monkeypatch.setattr(training, "pulse", lambda: steps.append(0))
    steps.clear()
    with kept_in(tmp_path / "kept"):
        resumed = make().state_dict()
    assert len(steps) < count / 2, "it began anew"
    assert all(torch.equal(resumed[name], value) for name, value in expected.items())
