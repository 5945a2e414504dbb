"""The check of a GPU machine, tried on the CPU: nothing here is measured."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from gpucheck import driver, measures, notebooks, parts
from gpucheck.compare import TOLERANCES, Case, Errors, compare, random
from gpucheck.results import guarded, in_short, result
from torch import nn

from segstudy.errors import StudyError
from segstudy.experiments.costs import gpu
from segstudy.experiments.scgnet import timing
from segstudy.study import cli

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = ("timm", "torch_geometric", "maxflow", "papermill", "snakemake")
BARE = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None  # importing it fails
"""
PACKAGES = {room: f"segstudy.papers.{room}" for room in parts.ROOMS if room != "nn"} | {"nn": "segstudy.nn"}


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script where some packages are missing; `python3` is the environment of the tests."""
    (folder / "sitecustomize.py").write_text(BARE)
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    words = (str(ROOT / "tests/gpu.sh"), "--output", str(folder / "gpu.json"), *words)
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("machine")
    return call(folder, "--device", "cpu", "--parts", "networks,memory"), folder / "gpu.json"


def test_the_script_skips_by_name_what_a_bare_machine_lacks(done):
    process, file = done
    assert process.returncode == 0, process.stdout + process.stderr
    networks, memory = gpu.read(file)["parts"]
    skipped = {row["name"]: row["note"] for row in networks["results"] if row["state"] == gpu.SKIPPED}
    assert skipped["nn: backbone, timm:tf_efficientnet_lite0"] == "lacks timm"
    states = [row["state"] for row in networks["results"]]
    assert states.count(gpu.OK) > 70 and states.count(gpu.FAILED) == 0 and networks["state"] == gpu.OK
    assert memory["state"] == gpu.SKIPPED and "lacks a GPU" in memory["results"][0]["note"]
    assert "SCGNet, SCG-GIN: ok" in process.stdout


def test_its_file_is_collected_and_holds_no_path(done, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    _, file = done
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "study.yaml").write_text("notebooks: {}\n")
    assert cli.main(["--project", str(tmp_path), "collect", str(file)]) == 0
    assert "data/measured/cpu.json" in capsys.readouterr().out
    assert gpu.collected(tmp_path / gpu.PLACE) == [json.loads(file.read_text())]
    assert str(ROOT) not in file.read_text() and str(file.parent) not in file.read_text()


def test_without_time_each_part_is_listed_and_nothing_fails(tmp_path: Path):
    process = call(tmp_path, "--device", "cpu", "--minutes", "0")
    check = gpu.read(tmp_path / "gpu.json")
    assert process.returncode == 0, process.stderr
    assert [part["part"] for part in check["parts"]] == list(gpu.PARTS)
    assert {part["state"] for part in check["parts"]} == {gpu.NO_TIME}
    assert all(name in check["parts"][-1]["note"] for name in ("05_scgnet did not begin", "07_compare_costs"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path: Path):
    process = call(tmp_path, "--parts", "memory")
    assert process.returncode == 2 and "there is no GPU here" in process.stderr
    assert not (tmp_path / "gpu.json").exists()


def test_the_script_explains_itself_from_any_folder():
    environment = os.environ | {"PYTHON": sys.executable}
    words = [ROOT / "tests/gpu.sh", "--help"]
    done = subprocess.run(words, cwd="/", env=environment, capture_output=True, text=True, check=True)
    assert all(f"--{name}" in done.stdout for name in ("device", "minutes", "output", "parts"))
    assert all(name in " ".join(done.stdout.split()) for name in gpu.PARTS)


def test_a_wrong_call_is_refused(tmp_path: Path):
    process = call(tmp_path, "--parts", "networks,speed")
    assert (
        process.returncode == 2 and "there is no part 'speed'; there are: networks, losses" in process.stderr
    )


def test_a_process_is_ended_with_what_it_started(tmp_path: Path):
    words = f"import os, time; os.fork(); open({str(tmp_path)!r} + f'/{{os.getpid()}}', 'w'); time.sleep(60)"
    assert driver._wait([sys.executable, "-S", "-c", words], 3) is None
    started = [int(path.name) for path in tmp_path.iterdir()]
    assert len(started) == 2
    for _ in range(50):  # the system takes a moment
        if not any(map(alive, started)):
            break
        time.sleep(0.1)
    assert not any(map(alive, started))


def alive(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("entries", "state", "note"),
    [
        ([], gpu.SKIPPED, ""),
        ([result("a"), {"lacks": "scipy"}], gpu.OK, "05 lacks scipy"),
        ([result("a"), {"no time": "ended after 3 s"}], gpu.NO_TIME, "05 ended after 3 s"),
        ([result("a", gpu.FAILED), {"no time": "ended after 3 s"}], gpu.FAILED, "05 ended after 3 s"),
        (
            [result("a"), {"error": "its process ended with code -11"}],
            gpu.FAILED,
            "05 its process ended with code -11",
        ),
    ],
)
def test_what_a_process_left_decides_the_state_of_its_part(entries: list, state: str, note: str):
    found: list = []
    driver._add(found, driver.Job("notebooks", "05", 1), entries, 1.0)
    driver._add(found, driver.Job("notebooks", "06", 1), [result("b", gpu.SKIPPED)], 2.0)
    (part,) = found
    assert (part["state"], part["note"], part["seconds"]) == (state, note, 3.0)
    assert part["results"][-1]["name"] == "b"


def test_notebooks_that_compute_on_the_device_come_first():
    order = [job.notebook for job in driver.JOBS if job.part == "notebooks"]
    assert order[0] == "01_graph_matching" and order[5] == "07_compare_costs" and len(order) == 10


@pytest.mark.parametrize("room", parts.ROOMS)
def test_every_name_of_a_room_has_a_case_or_a_reason(room: str):
    cases = importlib.import_module(f"gpucheck.rooms.{room}")
    covered = {name.partition(", ")[0] for name in cases.NETWORKS | cases.LOSSES}
    public = set(importlib.import_module(PACKAGES[room]).__all__)
    assert public <= covered | set(cases.LEFT_OUT), (
        f"give a case or a reason: {public - covered - set(cases.LEFT_OUT)}"
    )
    assert not covered & set(cases.LEFT_OUT) and all(cases.LEFT_OUT.values())


@pytest.mark.parametrize("room", [room for room in parts.ROOMS if room != "nn"])
def test_every_module_and_loss_of_a_paper_is_within_a_case_or_has_a_reason(room: str):
    cases = importlib.import_module(f"gpucheck.rooms.{room}")
    covered = {name.partition(", ")[0] for name in cases.NETWORKS | cases.LOSSES} | set(cases.LEFT_OUT)
    networks = [case.network for case in (make() for make in cases.NETWORKS.values())]
    covered |= {type(part).__name__ for network in networks for part in network.modules()}
    found = set()
    for about in pkgutil.iter_modules(importlib.import_module(PACKAGES[room]).__path__):
        module = importlib.import_module(f"{PACKAGES[room]}.{about.name}")
        own = [
            value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__
        ]
        found |= {v.__name__ for v in own if inspect.isclass(v) and issubclass(v, nn.Module)}
        found |= {v.__name__ for v in own if inspect.isfunction(v) and v.__name__.endswith("_loss")}
    assert found <= covered, f"give a case or a reason: {found - covered}"


@pytest.mark.parametrize("room", parts.ROOMS)
def test_losses_are_the_cpu_s_in_both_precisions(room: str):
    found = list(parts.comparisons((room,), "LOSSES", "cpu", ""))
    wrong = [row for row in found if row["state"] == gpu.FAILED]
    assert not wrong
    assert len(found) == 2 * len(importlib.import_module(f"gpucheck.rooms.{room}").LOSSES)


def test_an_error_that_is_put_in_is_found():
    def crooked(values: torch.Tensor) -> torch.Tensor:
        return values.exp() * (1 if values.dtype == torch.float64 else 1.01)

    def falsely_derived(values: torch.Tensor) -> torch.Tensor:
        return values.exp() if values.dtype == torch.float64 else 2 * values.exp() - values.exp().detach()

    given = (random(5),)
    errors = compare(Case(given, call=crooked), "cpu", ["float32"])["float32"]
    assert errors == pytest.approx(Errors(0.01, 0.01), rel=1e-3)
    errors = compare(Case(given, call=falsely_derived), "cpu", ["float32"])["float32"]
    assert errors.output < 1e-6 and errors.gradient == pytest.approx(1)
    row, _ = parts._compared("crooked", lambda: Case(given, call=crooked, exact="why"), "cpu")
    assert row["state"] == gpu.FAILED and row["error of outputs"] > TOLERANCES["float32"].output


def test_what_is_not_finite_fails():
    case = Case((random(5),), call=lambda values: values / (0 if values.dtype == torch.float32 else 1))
    row, _ = parts._compared("infinite", lambda: replace(case, exact="why"), "cpu")
    assert row["state"] == gpu.FAILED and "error of outputs" not in row


def test_a_loss_gets_bfloat16_and_the_cpu_the_same_numbers():
    seen = []

    def loss(values: torch.Tensor) -> torch.Tensor:
        seen.append(values.detach().clone())
        return values.square()

    compare(Case((random(7),), call=loss), "cpu", ["bfloat16"])
    expected, found = seen
    assert (found.dtype, expected.dtype) == (torch.bfloat16, torch.float64) and torch.equal(
        found.double(), expected
    )


def test_the_network_of_a_case_stays_as_it_was():
    network = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    compare(Case((random(6, 3),), network), "cpu")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("part", ["clustering", "dense CRF", "times"])
def test_what_is_measured_has_the_columns_of_its_part(part: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(measures.SIZES, "cpu", measures.SIZES["cpu"]._replace(side=32, sides=(32,), rounds=1))
    monkeypatch.setattr(timing, "PRECISIONS", {"bfloat16": torch.bfloat16})  # two would take twice as long
    found = list(parts.PARTS[part]("cpu", ""))
    columns = set(gpu.PARTS[part].numbers) | set(gpu.PARTS[part].texts)
    assert found and all(set(row) == columns | {"name", "state", "note"} for row in found)
    assert {row["state"] for row in found} == {gpu.OK}
    assert all(row[gpu.QUARTILES[0]] <= row["median"] <= row[gpu.QUARTILES[2]] for row in found)


def test_every_part_of_the_file_can_be_run():
    assert list(parts.PARTS) == list(gpu.PARTS) == list(dict.fromkeys(job.part for job in driver.JOBS))


STAND_IN = """
from segstudy.cache import Experiment
from segstudy.errors import MissingData

def well(device):
    return device

def bare(device):
    import nothing_of_this_name

def without_data(device):
    raise MissingData("voc is not here")

def wrong(device):
    raise RuntimeError("a kernel failed in /somewhere/on/this/machine.cu")

def experiments(values):
    chosen = (well, bare, without_data, wrong)[: values["count"]]
    return [Experiment(each, {"device": values["device"]}) for each in chosen]
"""


@pytest.mark.parametrize(
    ("count", "state", "left_out", "note"),
    [
        (1, gpu.OK, 0, ""),
        (3, gpu.OK, 2, "bare: lacks nothing_of_this_name; without_data: MissingData: voc is not here"),
        (4, gpu.FAILED, 2, "wrong: RuntimeError: a kernel failed in machine.cu"),
    ],
)
def test_experiments_run_one_by_one_on_the_device(
    count: int, state: str, left_out: int, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = f"gpu_stand_in_{count}"
    (tmp_path / f"{name}.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    asked = {}

    def values(profile: str, sets: dict) -> dict:
        asked.update(sets, profile=profile)
        return sets | {"count": count}

    notebook = SimpleNamespace(
        name="01",
        parameters={"device": None},
        experiments=f"{name}:experiments",
        values=values,
        script=tmp_path / "notebooks" / "scripts" / "01.py",
    )
    notebook.settings = lambda profile: SimpleNamespace(threads=1)
    (row,) = notebooks._alone(notebook, "cpu")
    assert asked == {"device": "cpu", "profile": "smoke"}
    assert (row["state"], row["left out"], row["experiments"], row["note"]) == (state, left_out, count, note)


def test_errors_are_told_in_one_line_without_paths():
    assert (
        in_short(OSError("cannot\nopen /home-of/some one/x.so: no"))
        == "OSError: cannot open some one/x.so: no"
    )
    assert len(in_short(ValueError("x" * 999))) == 200
    (row,) = guarded("a", lambda: (_ for _ in ()).throw(StudyError("get it")), precision="float32")
    assert row == {"name": "a", "state": gpu.SKIPPED, "note": "StudyError: get it", "precision": "float32"}
