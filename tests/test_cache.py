"""The cache gives back what was computed, and only while everything it depends on is the same."""

from __future__ import annotations

import functools
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


class Holder:
    def method(self):
        return 1


def outer():
    def inner():
        return 1

    return inner


UNNAMED = [lambda: 1, outer(), Holder().method, functools.partial(identity, 1), Holder(), len]


@pytest.mark.parametrize(
    "function", UNNAMED, ids=["lambda", "closure", "method", "partial", "object", "builtin"]
)
def test_a_function_that_cannot_be_imported_by_name_is_refused(function):
    with pytest.raises(TypeError, match="module-level function of this study, importable by name"):
        Experiment(function, {}).key()


def test_a_function_of_main_is_refused(monkeypatch: pytest.MonkeyPatch):
    def stray():
        return 1

    stray.__module__, stray.__qualname__ = "__main__", "stray"
    monkeypatch.setattr(sys.modules["__main__"], "stray", stray, raising=False)
    with pytest.raises(TypeError, match="importable by name"):
        Experiment(stray, {}).key()


def test_arguments_that_differ_in_kind_have_different_keys():
    values = [True, 1, 1.0, "1", None, 0.0, -0.0, False, float("nan"), float("inf"), [1], [[1]]]
    assert len({Experiment(identity, {"value": value}).key() for value in values}) == len(values)
    same = [Experiment(identity, {"value": value}).key() for value in (1.5, np.float64(1.5), np.float32(1.5))]
    assert len(set(same)) == 1


def spoil(value):
    value.append(1)
    return len(value)


def test_a_result_whose_arguments_were_changed_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture):
    cache = Cache(tmp_path)
    assert cache.run(Experiment(spoil, {"value": [0]})).value == 2
    assert "spoil is not kept: its arguments changed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "it would be found under arguments it was not computed with"


EDITS = """
from pathlib import Path
import toy.deep


def value(text):
    Path(toy.deep.__file__).write_text(text)
    return 1
"""


@pytest.mark.parametrize("text, words", [("CONSTANT = 3", "its code changed"), ("1x", "toy/deep.py, line 1")])
def test_a_result_whose_code_was_edited_meanwhile_is_not_kept(house, tmp_path: Path, capsys, text, words):
    Path(house.__file__).with_name("edits.py").write_text(EDITS)
    module = importlib.import_module("toy.edits")
    assert Cache(tmp_path / "cache").run(Experiment(module.value, {"text": text})).value == 1
    assert words in capsys.readouterr().err and not (tmp_path / "cache").exists()


def various(kind):
    values = {"plain": ((1, 2), np.float32(0.5), np.bool_(True), float("nan"), [float("inf")], np.str_("a"))}
    odd = {"objects": [np.array([{}], object)], "keys": {"n": {1: 2}}, "mark": {"__array__": "array0"}}
    return (values | odd)[kind]


def test_the_first_call_and_a_hit_give_the_same_values(tmp_path: Path):
    cache, experiment = Cache(tmp_path), Experiment(various, {"kind": "plain"})
    for value in (cache.run(experiment).value, cache.run(experiment).value):
        assert repr(value) == "[[1, 2], 0.5, True, nan, [inf], 'a']"


@pytest.mark.parametrize(
    "kind, words", [("objects", r"result\[0\]"), ("keys", r"result\['n'\]"), ("mark", "dict")]
)
def test_what_cannot_be_kept_is_refused_by_its_place(tmp_path: Path, kind: str, words: str):
    with pytest.raises(TypeError, match=words):
        Cache(tmp_path / "cache").run(Experiment(various, {"kind": kind}))
    assert not (tmp_path / "cache").exists()


def test_an_array_of_objects_is_no_argument():
    with pytest.raises(TypeError, match=r"arguments\['value'\]"):
        Experiment(identity, {"value": np.array(["a"], object)}).key()


def damaged(content: bytes) -> list[bytes]:
    return [b"", content[: len(content) // 2], bytes(len(content)), content[:-1]]


@pytest.mark.parametrize("how", range(4))
def test_a_kept_result_that_cannot_be_read_is_computed_again(house, tmp_path: Path, capsys, how: int):
    cache, experiment = Cache(tmp_path / "cache"), Experiment(house.value, {"factor": 2})
    cache.run(experiment)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(damaged(path.read_bytes())[how])
    assert cache.get(experiment) is None
    assert f"{path.name} counts as absent" in capsys.readouterr().err
    assert cache.run(experiment).value == 40.0 and marks(house) == 2
    assert cache.get(experiment).value == 40.0


def test_export_adds_to_what_the_file_holds(house, tmp_path: Path):
    cache, file = Cache(tmp_path / "cache"), tmp_path / "results.zip"
    experiments = [Experiment(house.value, {"factor": factor}) for factor in (2, 3)]
    for count, experiment in enumerate(experiments, start=1):
        cache.run(experiment)
        assert cache.export([experiment], file) == count
    here = Cache(tmp_path / "here")
    assert here.collect(file) == 2 and all(here.get(experiment) for experiment in experiments)


def test_export_does_not_overwrite_a_file_of_something_else(house, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("words")
    with pytest.raises(StudyError, match=r"thesis\.txt is not a file of kept results"):
        Cache(tmp_path / "cache").export([Experiment(house.value, {"factor": 2})], tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "words"


@pytest.mark.parametrize("how", range(4))
def test_a_file_with_a_damaged_result_is_refused_whole(house, tmp_path: Path, how: int):
    cache, file = Cache(tmp_path / "cache"), tmp_path / "results.zip"
    cache.run(Experiment(house.value, {"factor": 2}))
    cache.export([Experiment(house.value, {"factor": 2})], file)
    with zipfile.ZipFile(file, "a") as archive:
        content = archive.read(archive.namelist()[0])
        archive.writestr("zzz.npz", damaged(content)[how])
    with pytest.raises(StudyError, match="not a file of kept results"):
        Cache(tmp_path / "here").collect(file)
    assert not (tmp_path / "here").exists()


def test_a_file_that_is_no_results_is_refused_and_nothing_is_taken_in(tmp_path: Path):
    (tmp_path / "noise").write_bytes(b"noise")
    with zipfile.ZipFile(tmp_path / "climber.zip", "w") as archive:
        archive.writestr("../climber.npz", b"x")
    for name in ("noise", "climber.zip", "absent"):
        with pytest.raises(StudyError):
            Cache(tmp_path / "cache").collect(tmp_path / name)
    assert not (tmp_path / "cache").exists() and not (tmp_path / "climber.npz").exists()
