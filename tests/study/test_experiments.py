"""Experiments without the notebook: shards, a file for another machine, and what the notebook makes of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy import ROOT, Toy

from segstudy.errors import StudyError
from segstudy.study.experiments import parse_shard


def computed(toy: Toy) -> list[str]:
    path = toy.root / "computed"
    return path.read_text().split() if path.is_file() else []


def test_shards_share_the_work_and_the_notebook_collects_it(toy: Toy):
    for index in ("1/2", "2/2"):
        done = toy.call("experiment", "00", "--profile", "smoke", "--shard", index)
        assert done.returncode == 0, done.stderr
        assert "1 experiments, 1 to do" in done.stdout
    assert sorted(computed(toy)) == ["2", "7"]
    assert toy.run("--only", "00").returncode == 0
    assert sorted(computed(toy)) == ["2", "7"], "the notebook computed what the shards had"


def test_a_file_filled_on_another_machine_is_collected(toy: Toy, tmp_path):
    file = tmp_path / "results.zip"
    far = Toy(tmp_path / "far")
    done = far.call("experiment", "00", "--profile", "smoke", "--cache", str(file))
    assert done.returncode == 0 and "2 results in" in done.stdout
    again = far.call("experiment", "00", "--profile", "smoke", "--cache", str(file))
    assert "2 experiments, 0 to do" in again.stdout and "2 results in" in again.stdout
    assert "2 results from" in toy.call("collect", str(file)).stdout
    assert toy.run("--only", "00").returncode == 0
    assert computed(toy) == []
    caches = json.loads(toy.report("00_first").read_text())["caches"]
    assert [c["experiment"] for c in caches] == ["value(factor=2)"]


def test_a_file_alone_is_enough_to_go_on_from(toy: Toy, tmp_path):
    file = tmp_path / "results.zip"
    toy.call("experiment", "00", "--profile", "smoke", "--shard", "1/2", "--cache", str(file))
    shutil.rmtree(toy.root / "reports")
    done = toy.call("experiment", "00", "--profile", "smoke", "--cache", str(file))
    assert "2 experiments, 1 to do" in done.stdout and "2 results in" in done.stdout
    assert sorted(computed(toy)) == ["2", "7"]


def test_experiments_take_the_threads_of_study_yaml_and_not_every_core(toy: Toy):
    assert toy.call("experiment", "00", "--profile", "smoke").returncode == 0
    kept = sorted((toy.root / "reports" / ".state" / "cache").glob("*.npz"))
    made = [json.loads(str(np.load(path)["record"]))["made"] for path in kept]
    assert [entry["threads"] for entry in made] == ["1", "1"]


def test_shards_and_notebooks_share_one_file(toy: Toy, tmp_path):
    """Each comes from a machine of its own, which knows of the others only by the file."""
    file = tmp_path / "results.zip"
    sizes = 'def sizes(p):\n    return [Experiment(value, {"factor": p["size"]})]\n'
    counts = []
    for number, words in enumerate((["00", "--shard", "1/2"], ["00", "--shard", "2/2"], ["01"])):
        far = Toy(tmp_path / f"far{number}")
        with (far.root / "toy" / "shallow.py").open("a") as stream:
            stream.write(sizes)
        far.edit(far.study, "01_second:", "01_second:\n    experiments: toy.shallow:sizes")
        done = far.call("experiment", *words, "--profile", "smoke", "--cache", str(file))
        assert done.returncode == 0, done.stderr
        counts.append(done.stdout.splitlines()[-1].split()[0])
    assert counts == ["1", "2", "3"]
    assert "3 results from" in toy.call("collect", str(file)).stdout


def test_a_file_of_something_else_is_left_as_it_is(toy: Toy, tmp_path):
    (tmp_path / "thesis.txt").write_text("words")
    words = ("experiment", "00", "--profile", "smoke", "--cache")
    for name in ("thesis.txt", "."):
        done = toy.call(*words, str(tmp_path / name))
        assert done.returncode == 2 and "is not a file of kept results" in done.stderr, done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "words" and computed(toy) == []


def test_the_runner_fills_the_cache_in_shards_before_the_notebook(toy: Toy):
    done = toy.call("run", "--profile", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(computed(toy)) == ["2", "7"]
    logs = sorted((toy.root / "reports" / ".state" / "demo").glob("*.shard*.log"))
    assert len(logs) == 2 and all("1 to do" in log.read_text() for log in logs)


def test_a_failing_shard_is_told_in_the_last_lines(toy: Toy):
    toy.edit(
        toy.root / "toy" / "shallow.py", "return float(CONSTANT * factor)", 'raise RuntimeError("no luck")'
    )
    done = toy.call("run", "--profile", "demo")
    assert done.returncode == 1 and "RuntimeError: no luck" in "".join(done.stdout.splitlines()[-2:])


def test_a_notebook_without_experiments_says_so(toy: Toy):
    done = toy.call("experiment", "01", "--profile", "smoke")
    assert done.returncode == 2 and "01_second has no experiments" in done.stderr


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_an_unfit_shard_is_refused(text: str):
    with pytest.raises(StudyError, match="1/4"):
        parse_shard(text)


ALONE = """
import sys
for name in sys.argv[2:]:
    sys.modules[name] = None  # importing it fails
from segstudy.study.cli import main
words = ["experiment", "00", "--profile", "smoke", "--shard", "1/16", "--set", "images=1"]
sys.exit(main([*words, "--cache", sys.argv[1]]))
"""
ABSENT = [
    "papermill",
    "jupytext",
    "nbformat",
    "nbclient",
    "nbconvert",
    "snakemake",
    "maxflow",
    "pooch",
    "requests",
]


def test_experiments_need_torch_and_the_science_stack_alone(tmp_path: Path):
    """As on a GPU machine without notebooks: the other packages are made unimportable, and 00's grid computes."""
    words = [
        sys.executable,
        "-c",
        ALONE,
        str(tmp_path / "results.zip"),
        *ABSENT,
        "IPython",
        "jinja2",
        "bs4",
        "psutil",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 results in" in done.stdout
