"""GPUs of one machine: each is lent to one job at a time, and without one everything runs on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from toy import ROOT, Toy

from segstudy.study import devices, driver
from segstudy.study.devices import VISIBLE, gpus_here, lent, with_gpus
from segstudy.study.driver import Request
from segstudy.study.project import load_project

SEEN = """
from pathlib import Path
import os, time
seen = Path("../reports") / f"seen.{os.getpid()}"
seen.write_text(f"{device} {os.environ.get('CUDA_VISIBLE_DEVICES')} {time.time()}")
time.sleep(4)
seen.write_text(f"{seen.read_text()} {time.time()}")
"""
BUSY = """
import os, sys, time
from pathlib import Path
from segstudy.study.devices import lent
with lent(["3", "5"], int(sys.argv[1]), Path(sys.argv[2])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


def busy(folder: Path, count: int) -> subprocess.Popen[str]:
    """A job in a process of its own, which keeps its GPUs until its input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", BUSY, str(count), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_each_job_has_a_gpu_of_its_own_and_gets_one_that_an_ended_job_had(tmp_path: Path):
    first, second = busy(tmp_path, 1), busy(tmp_path, 1)
    assert {first.stdout.readline(), second.stdout.readline()} == {"3\n", "5\n"}
    third = busy(tmp_path, 1)
    time.sleep(1)
    first.kill()
    assert third.stdout.readline() in ("3\n", "5\n")
    both = busy(tmp_path, 2)
    for job in (second, third):
        job.communicate()
    assert both.communicate()[0] == "3,5\n"


def test_without_a_gpu_none_is_seen_and_what_slurm_gave_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VISIBLE, "7")
    with lent(None, 1, tmp_path):
        assert os.environ[VISIBLE] == "7"
    with lent(["7"], 0, tmp_path):
        assert os.environ[VISIBLE] == ""


@pytest.mark.parametrize(
    "given, names", [(None, ["0", "1"]), ("4, 2", ["4", "2"]), ("GPU-1a,GPU-2b,-1", ["GPU-1a", "GPU-2b"])]
)
def test_gpus_are_named_as_the_machine_s_own_list_does(given: str | None, names: list[str], monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv(VISIBLE, raising=False)
    if given is not None:
        monkeypatch.setenv(VISIBLE, given)
    assert gpus_here() == names


def test_a_notebook_that_computes_on_a_device_is_told_which(toy: Toy):
    toy.edit(toy.first, 'fail = ""', 'device = "cpu"  # where\nfail = ""')
    toy.edit(toy.study, "smoke: {minutes: 0.1, still", "smoke: {gpus: 2, parameters: {device: cuda}, still")
    project = load_project(toy.root)
    for count, device, wanted in ((0, "cpu", 0), (4, "cuda", 2)):
        placed = with_gpus(project, "smoke", count)
        first, second = placed.notebooks.values()
        assert first.values("smoke", {})["device"] == device and first.settings("smoke").gpus == wanted
        assert second.settings("smoke").gpus == 0, "a notebook without a device needs none"
    assert first.values("smoke", {"device": "cuda:1"})["device"] == "cuda:1"


def test_two_jobs_at_once_compute_on_two_gpus(toy: Toy, monkeypatch: pytest.MonkeyPatch):
    """The machine's GPUs are made up; what each job sees is what it was given."""
    for name in (driver.__name__, devices.__name__):
        monkeypatch.setattr(f"{name}.gpus_here", lambda: ["3", "5", "8"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(toy.root), str(ROOT)]))
    for script in (toy.first, toy.first.with_name("01_second.py")):
        toy.edit(script, '# %% tags=["parameters"]\n', '# %% tags=["parameters"]\ndevice = "cpu"  # where\n')
        script.write_text(f"{script.read_text()}\n# %%{SEEN}")
    assert driver.run(load_project(toy.root), Request("smoke", None, {}, 4, gpus=2)) == 0
    seen = [path.read_text().split() for path in (toy.root / "reports").glob("seen.*")]
    assert sorted(words[:2] for words in seen) == [["cuda", "3"], ["cuda", "5"]]
    assert max(float(words[2]) for words in seen) < min(float(words[3]) for words in seen), (
        "one after another"
    )
    record = json.loads(toy.report("00_first").read_text())
    assert record["parameters"]["device"] == "cuda"
