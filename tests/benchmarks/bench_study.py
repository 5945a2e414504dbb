"""How the runner grows with a study: plans, kept results, the index, Snakemake, what a job costs; run by name.

OMP_NUM_THREADS=1 python -m pytest -s tests/benchmarks/bench_study.py [-k plan] [--write]

Studies of stand-in notebooks, real runner. Each test prints what it measured, and with ``--write`` it keeps that in
data/measured/runner.csv, which notebook 07 shows: leave the machine alone meanwhile. Slurm is one of the machine's
own, see tests/cluster.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from slurm_node import SlurmNode, missing
from toy import ROOT, Toy

from segstudy.cache import Cache, Experiment
from segstudy.files import write_bytes
from segstudy.study.files import read_run
from segstudy.study.index import render_index
from segstudy.study.jobs import rules
from segstudy.study.project import load_project
from segstudy.study.state import plan

TABLE = ROOT / "data" / "measured" / "runner.csv"
SOURCE = "tests/benchmarks/bench_study.py"
COLUMNS = ("what", "size", "median", "lower quartile", "upper quartile", "unit", "n", "machine", "source")
NOW, GROWN = 10, 1000  # notebooks: as many as the study has, and 100 times that
DEPTH = 9  # modules that a stand-in imports, each from the one before
ENTRIES = 10_000  # kept results
ENOUGH = 200  # jobs of Snakemake's that are waited for
ROOMS = ("tour", "graph_matching", "sgseg", "gnn_clustering", "dgcn", "scgnet", "compare", "costs", "images")

SCRIPT = """# %% [markdown]
# # Stand-in {name}

# %% tags=["parameters"]
factor = 2  # what is multiplied

# %%
import time

print(time.time())

# %%
{imports}
from segstudy.study.record import Record

record = Record(seeds=[0])
print(record.metric("stand-in/value", float(factor), "count"))
"""
MODULE = "{above}\n\nCONSTANT = {level}\n"
EXPERIMENTS = '''import time
from pathlib import Path

from segstudy.cache import Experiment
from stand_in.level_1 import CONSTANT


def value(factor):
    """Note when it is called."""
    (Path(__file__).parents[1] / "called").write_text(str(time.time()))
    return float(CONSTANT * factor)


def experiments(parameters):
    """One, of the parameters."""
    return [Experiment(value, {"factor": parameters["factor"]})]
'''


class Many(Toy):
    """A study of stand-in notebooks, which import a package of `DEPTH` modules or, in turn, rooms of this study."""

    def __init__(self, root: Path, count: int, rooms: bool = False) -> None:
        super().__init__(root)
        for path in self.first.parent.glob("*.py"):
            path.unlink()
        (root / "stand_in").mkdir()
        for level in range(1, DEPTH):
            above = f"from stand_in.level_{level + 1} import CONSTANT as ABOVE" if level + 1 < DEPTH else ""
            (root / "stand_in" / f"level_{level}.py").write_text(MODULE.format(above=above, level=level))
        (root / "stand_in" / "jobs.py").write_text(EXPERIMENTS)
        (root / "stand_in" / "__init__.py").touch()
        if rooms:  # their modules count where they lie in the project's folder
            (root / "segstudy").symlink_to(ROOT / "segstudy")
            (root / "data").symlink_to(ROOT / "data")
        self.names = [f"{number:04}_stand_in" for number in range(count)]
        for number, name in enumerate(self.names):
            room = f"from segstudy.experiments.{ROOMS[number % len(ROOMS)]} import jobs"
            imports = room if rooms else "from stand_in.jobs import experiments"
            script = SCRIPT.format(name=name, imports=imports)
            (self.first.parent / f"{name}.py").write_text(script)
        entry = "experiments: stand_in.jobs:experiments, profiles: {smoke: {minutes: 0.1, memory_gb: 1, shards: 1}}"
        entries = "".join(f"  {name}: {{{entry}}}\n" for name in self.names)
        self.study.write_text(f"notebooks:\n{entries}")


@pytest.fixture(scope="module")
def keep(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Print the quartiles of what was measured; with ``--write`` keep them, each in place of what was kept of it."""
    found, machine = {}, f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"

    def note(what: str, size: str, values: list[float], unit: str = "s") -> None:
        lower, median, upper = np.percentile(values, [25, 50, 75])
        numbers = [f"{number:.4g}" for number in (median, lower, upper)]
        found[what, size] = [what, size, *numbers, unit, str(len(values)), machine, SOURCE]
        print(f"\n{what}, {size}: {median:.4g} {unit} [{lower:.4g}, {upper:.4g}], n = {len(values)}")

    yield note
    if request.config.getoption("--write"):
        rows = csv.reader(TABLE.read_text().splitlines()[1:]) if TABLE.is_file() else []
        found = {(row[0], row[1]): row for row in rows} | found
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *found.values()])
        write_bytes(TABLE, text.getvalue().encode())


def seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """Return how long each call took."""
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return found


@pytest.mark.parametrize("rooms", [False, True], ids=["stand-in modules", "this study's modules"])
@pytest.mark.parametrize("count", [NOW, GROWN])
def test_a_dry_plan(tmp_path: Path, keep, count: int, rooms: bool):
    """The whole command, its imports included."""
    many = Many(tmp_path / "study", count, rooms)

    def dry() -> None:
        done = many.run("--dry-run")
        assert done.returncode == 0 and done.stdout.count("never run") == count, done.stdout + done.stderr

    what = "plan of notebooks with this study's modules" if rooms else "plan of notebooks with nine modules"
    found = seconds(dry, 3)
    keep(f"{what}, run --dry-run", f"{count:,} notebooks", found)
    assert np.median(found) < 10


@pytest.mark.parametrize(("place", "looked_up"), [("own", ENTRIES), ("collected", 100)])
def test_lookups_of_kept_results(tmp_path: Path, keep, monkeypatch, place: str, looked_up: int):
    """For one that was collected the whole folder is listed."""
    many = Many(tmp_path / "study", 0)
    monkeypatch.syspath_prepend(str(many.root))
    value = importlib.import_module("stand_in.jobs").value
    asked = [Experiment(value, {"factor": factor}) for factor in range(ENTRIES)]
    cache = fill(Cache(tmp_path / "cache"), asked, place)
    found = seconds(lambda: [cache.get(one) for one in asked[:looked_up]], 3)
    keep(
        f"lookup of {looked_up:,} results, {place}",
        f"{ENTRIES:,} entries, a function with {DEPTH} modules",
        found,
    )


def fill(cache: Cache, asked: list[Experiment], place: str) -> Cache:
    """Keep one result, and the same for all others."""
    cache.run(asked[0])
    (first,) = cache.folder.glob("*.npz")
    key, content = asked[0].key(), first.read_bytes()
    folder = cache.folder if place == "own" else cache.folder / "collected"
    folder.mkdir(exist_ok=True)
    first.unlink()
    for one in asked:
        (folder / first.name.replace(key, one.key())).write_bytes(content)
    return cache


def test_lookups_of_this_study_s_results(tmp_path: Path, keep):
    """An experiment's key is made from all modules that it imports."""
    from segstudy.experiments.scgnet.trials import train_trial

    cache = Cache(tmp_path)
    asked = [Experiment(train_trial, {"seed": seed}) for seed in range(100)]
    modules = len(asked[0].depends_on()[3])
    found = seconds(lambda: [cache.get(one) for one in asked], 3)
    keep(
        f"lookup of {len(asked)} results that are not kept",
        f"no entry, a function with {modules} modules",
        found,
    )


@pytest.mark.parametrize("count", [NOW, GROWN])
def test_the_index(keep, count: int):
    """Cards as those of this study's reference runs, which stand beside each."""
    kept = [read_run(path.parent) for path in sorted((ROOT / "reports/reference/real").glob("*/run.json"))]
    runs = [
        record | {"notebook": f"{number:04}", "folder": f"{number:04}", "failed": None, "reference": record}
        for number, record in ((number, kept[number % len(kept)]) for number in range(count))
    ]
    keep("index page, rendered", f"{count:,} notebooks", seconds(lambda: render_index("real", runs, []), 3))
    keep("index page", f"{count:,} notebooks", [len(render_index("real", runs, []).encode()) / 1e6], "MB")


@pytest.mark.parametrize("count", [NOW, GROWN])
def test_snakemake_s_graph(tmp_path: Path, keep, count: int):
    """A shard and a notebook for each step, as the driver plans them; but a job tells the time alone."""
    many = Many(tmp_path / "study", count)
    project, told, given = load_project(many.root), tmp_path / "told", tmp_path / "plan.json"
    planned = rules(project, "smoke", plan(project, "smoke", project.select(None), {}, False), "run")
    jobs = [rule | {"command": f"date +%s.%N >> {told}"} for rule in planned]
    given.write_text(json.dumps({"jobs": jobs}))
    words = f"--snakefile {ROOT}/notebooks/Snakefile --workflow-profile none --nolock --rerun-triggers mtime "
    words += f"--quiet all --cores 1000 --resources slot={os.cpu_count()} --directory"
    first, between = [], []
    for repeat in range(3):
        command = [sys.executable, "-m", "snakemake", *words.split(), str(tmp_path / str(repeat))]
        started = time.time()
        with subprocess.Popen(command, env=os.environ | {"SEGSTUDY_PLAN": str(given)}) as process:
            while process.poll() is None and len(lines(told)) < ENOUGH:
                time.sleep(0.2)
            process.kill()  # asked to end, it would first run the rest
        times = lines(told)
        told.unlink()
        first.append(times[0] - started)
        between += list(np.diff(times[:ENOUGH]))
    keep("Snakemake, from its start to the first job", f"{len(jobs):,} jobs", first)
    keep("Snakemake, from job to job", f"{len(jobs):,} jobs", between)


def lines(path: Path) -> list[float]:
    """Return the times that jobs told."""
    return [float(line) for line in path.read_text().splitlines()] if path.is_file() else []


@pytest.mark.parametrize("count", [1, GROWN])
def test_what_a_job_costs_here(tmp_path: Path, keep, count: int):
    measure_jobs(tmp_path, keep, count, 7, "local")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    """A Slurm of one node."""
    if missing():
        pytest.skip(missing())
    node = SlurmNode(tmp_path_factory.mktemp("cluster") / "slurm")
    try:
        node.open()
        yield node
    except TimeoutError as error:
        pytest.skip(f"Slurm does not start here: {error}")
    finally:
        node.close()


def test_what_a_job_costs_through_slurm(tmp_path: Path, keep, node: SlurmNode):
    measure_jobs(tmp_path, keep, 1, 5, "slurm")


def measure_jobs(place: Path, keep, count: int, repeats: int, executor: str) -> None:
    """From the plan on disk to what a shard calls, which takes no time, and from there to the notebook's first cell."""
    many = Many(place / "study", count)
    name, state = many.names[0], many.root / "reports" / ".state" / "smoke"
    shards, cells, whole = [], [], []
    for repeat in range(repeats):
        words = ["--only", name, "--set", f"factor={repeat}", "--executor", executor, "--jobs", "1"]
        started = time.time()
        done = many.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        submitted, called = (state / "plan.json").stat().st_mtime, float((many.root / "called").read_text())
        cell = float(first_output(many.report(name, "notebook.ipynb")))
        shards.append(called - submitted)
        cells.append(cell - called)
        whole.append(submitted - started)
    size = f"a study of {count:,}, {executor}"
    keep("from the command to its plan", size, whole)
    keep("from the plan to a shard's first line", size, shards)
    keep("from a shard's last line to the notebook's first cell", size, cells)


def first_output(notebook: Path) -> str:
    """Return what the first cell that printed anything printed."""
    cells = json.loads(notebook.read_text())["cells"]
    text = next(output["text"] for cell in cells for output in cell.get("outputs", []) if "text" in output)
    return "".join(text)
