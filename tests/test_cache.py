"""The cache gives back what was computed, and only while everything it depends on is the same."""

from __future__ import annotations

import importlib
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import DEEP, SHALLOW

from segstudy.cache import Cache, Experiment
from segstudy.errors import StudyError


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An importable package whose function `value` depends on a constant in another module."""
    package = tmp_path / "house" / "toy"
    package.mkdir(parents=True)
    for name, text in {"__init__.py": "", "deep.py": DEEP, "shallow.py": SHALLOW}.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "house"))
    for name in [name for name in sys.modules if name.split(".")[0] == "toy" and name != "toy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "toy", raising=False)
    importlib.invalidate_caches()
    return importlib.import_module("toy.shallow")


def marks(house) -> int:
    path = Path(house.__file__).parents[1] / "computed"
    return len(path.read_text().splitlines()) if path.is_file() else 0


def test_a_result_is_computed_once_and_keeps_its_time(house, tmp_path: Path):
    cache, experiment = Cache(tmp_path / "cache"), Experiment(house.value, {"factor": 2})
    first, again = cache.run(experiment), cache.run(experiment)
    assert first.value == again.value == 40.0 and marks(house) == 1
    assert again.seconds == first.seconds and again.made["torch"] == torch.__version__.split("+")[0]


def test_other_arguments_data_or_code_compute_anew(house, tmp_path: Path):
    cache, experiment = Cache(tmp_path / "cache"), Experiment(house.value, {"factor": 2}, {"faces": "f00"})
    cache.run(experiment)
    cache.run(Experiment(house.value, {"factor": 3}, {"faces": "f00"}))
    cache.run(Experiment(house.value, {"factor": 2}, {"faces": "f01"}))
    assert marks(house) == 3
    deep = Path(house.__file__).with_name("deep.py")
    deep.write_text(DEEP.replace("# comment", "# other words"))
    cache.run(experiment)
    assert marks(house) == 3, "a comment two modules away made the result stale"
    deep.write_text(DEEP.replace("20", "21"))
    cache.run(experiment)
    assert marks(house) == 4, "a constant two modules away did not make the result stale"


def test_another_version_of_torch_computes_anew(house, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache, experiment = Cache(tmp_path / "cache"), Experiment(house.value, {"factor": 2})
    cache.run(experiment)
    monkeypatch.setattr("segstudy.cache._torch_version", lambda: "0.1")
    assert cache.get(experiment) is None


def test_results_filled_on_another_machine_are_collected(
    house, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    experiments = [Experiment(house.value, {"factor": factor}) for factor in (2, 3)]
    with monkeypatch.context() as there:
        there.setattr("segstudy.cache._torch_version", lambda: "0.1")
        far = Cache(tmp_path / "far")
        for experiment in experiments:
            far.run(experiment)
        assert far.export(experiments, tmp_path / "results.zip") == 2
    shutil.rmtree(tmp_path / "far")
    here = Cache(tmp_path / "here")
    assert here.get(experiments[0]) is None
    assert here.collect(tmp_path / "results.zip") == 2
    entry = here.run(experiments[0])
    assert marks(house) == 2, "it was computed again"
    assert entry.collected and entry.made["torch"] == "0.1" and entry.value == 40.0
    assert not here.run(Experiment(house.value, {"factor": 4})).collected


def test_own_results_come_before_collected_ones(house, tmp_path: Path):
    experiment, cache = Experiment(house.value, {"factor": 2}), Cache(tmp_path / "cache")
    cache.run(experiment)
    cache.export([experiment], tmp_path / "results.zip")
    cache.collect(tmp_path / "results.zip")
    assert not cache.get(experiment).collected


def test_arrays_and_nested_values_come_back(tmp_path: Path, rng: np.random.Generator):
    value = {"iou": rng.random((3, 2)), "names": ["a", None], "nested": {"n": np.int64(3), "flags": [True]}}
    cache, experiment = Cache(tmp_path), Experiment(identity, {"value": value})
    cache.run(experiment)
    back = cache.run(experiment).value
    np.testing.assert_array_equal(back["iou"], value["iou"])
    assert back["names"] == ["a", None] and back["nested"] == {"n": 3, "flags": [True]}


def identity(value):
    return value


def test_equal_arrays_have_one_key_and_others_another(rng: np.random.Generator):
    a = rng.random((4, 4))
    keys = [Experiment(identity, {"value": x}).key() for x in (a, a.copy(), a.astype(np.float32), a[:2], a.T)]
    assert keys[0] == keys[1] and len(set(keys)) == 4


@pytest.mark.parametrize(
    "value, words", [(torch.zeros(2), "torch"), ({1: 2}, "dict"), ([object()], r"\[0\]")]
)
def test_what_cannot_be_keyed_is_refused_by_name(value, words: str):
    with pytest.raises(TypeError, match=words):
        Experiment(identity, {"value": value}).key()


def test_a_file_that_is_no_results_is_refused_and_nothing_is_taken_in(tmp_path: Path):
    (tmp_path / "noise").write_bytes(b"noise")
    with zipfile.ZipFile(tmp_path / "climber.zip", "w") as archive:
        archive.writestr("../climber.npz", b"x")
    for name in ("noise", "climber.zip", "absent"):
        with pytest.raises(StudyError):
            Cache(tmp_path / "cache").collect(tmp_path / name)
    assert not (tmp_path / "cache").exists() and not (tmp_path / "climber.npz").exists()
