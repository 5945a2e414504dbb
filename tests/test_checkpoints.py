"""A cached computation that is ended goes on from the checkpoints of its trainings, to the same result."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from segstudy import training
from segstudy.cache import UNFINISHED, Cache, Experiment
from segstudy.checkpoints import next_place
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

    train(network, batches, functional.mse_loss, partial(torch.optim.Adam, lr=0.1), EPOCHS, seed=seed)
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
    (first,) = (cache.folder / UNFINISHED).glob("*/0.pt")
    first.write_bytes(first.read_bytes()[:-100])
    resumed = run(cache)
    assert steps[:EPOCHS] == [(0, epoch) for epoch in range(EPOCHS)]
    assert "0.pt cannot be read; its training begins anew" in capsys.readouterr().err
    assert np.array_equal(resumed.value["0"], expected.value["0"])


def test_what_fails_by_itself_leaves_no_checkpoint(tmp_path: Path):
    cache = Cache(tmp_path / "cache")
    ended_in(cache, (1, 2), ValueError("no such class"))
    assert not list((cache.folder / UNFINISHED).iterdir())


def test_a_training_outside_an_experiment_keeps_nothing():
    assert next_place() is None
    assert _trained(0, 1.0).shape == (4, 3)
