"""A notebook that comes after others: it runs last, reads what records there are, and is stale when one changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from toy import Toy

from segstudy.errors import StudyError
from segstudy.study.project import load_project
from segstudy.study.state import NOTHING, RUN, plan, run_modules

LAST = """# %% [markdown]
# # The last notebook

# %% tags=["parameters"]
names = ["00_first", "01_second"]  # whose records

# %%
from segstudy.study.record import Record
from segstudy.study.records import read_records

record, read = Record(), read_records([*names, "09_nowhere"])
for name, found in read.here.items():
    record.metric(name, float(found is not None), "count")
    record.metric(f"{name}, kept", float(read.kept[name] is not None), "count")
"""
SPEC = """  02_last:
    after: [00_first, 01_second]
    profiles:
      smoke: {minutes: 0.1, still_minutes: 5, memory_gb: 1}
"""


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A toy study of three notebooks, the last after the others."""
    toy = Toy(tmp_path_factory.mktemp("after") / "toy")
    (toy.root / "notebooks" / "scripts" / "02_last.py").write_text(LAST)
    toy.study.write_text(toy.study.read_text() + SPEC)
    return toy


def found(toy: Toy) -> dict[str, float]:
    return {
        n: row["mean"] for n, row in json.loads(toy.report("02_last", "metrics.json").read_text()).items()
    }


def reasons(toy: Toy, *only: str, **sets: object) -> dict[str, tuple[str, ...]]:
    project = load_project(toy.root)
    steps = plan(project, "smoke", project.select(list(only) or None), sets, force=False)
    assert all((step.action == NOTHING) == (not step.reasons) for step in steps)
    return {step.notebook.name: step.reasons for step in steps}


def test_it_runs_though_the_one_before_it_failed_and_makes_do_with_what_is_there(last: Toy):
    done = last.run("--set", "fail=raise")
    assert done.returncode == 1 and "the toy broke" in done.stdout
    assert found(last) == {
        "00_first": 0.0,
        "00_first, kept": 0.0,
        "01_second": 1.0,
        "01_second, kept": 0.0,
        "09_nowhere": 0.0,
        "09_nowhere, kept": 0.0,
    }
    assert reasons(last, "02") == {"02_last": ()}, "what ran before it in the same run does not make it stale"
    assert reasons(last)["02_last"] == ("00_first runs before it",)


def test_a_record_made_since_and_a_change_of_code_make_it_stale(last: Toy):
    last.edit(last.root / "toy" / "deep.py", "CONSTANT = 20", "CONSTANT = 21")
    assert reasons(last, "02") == {"02_last": ("records changed: 00_first",)}, "its marks of stale records"
    last.edit(last.root / "toy" / "deep.py", "CONSTANT = 21", "CONSTANT = 20")
    path = last.report("01_second")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"title": "New words"}))
    assert reasons(last, "02") == {"02_last": ()}
    path.write_text(json.dumps(record | {"verdicts": [{"claim": "X1", "verdict": "holds"}]}))
    assert reasons(last, "02") == {"02_last": ("records changed: 01_second",)}
    kept = last.root / "reports" / "reference" / "real" / "01_second" / "run.json"
    path.write_text(json.dumps(record))
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(record))
    assert reasons(last, "02") == {"02_last": ("records changed: 01_second",)}


def test_the_code_of_networks_that_it_may_take_over_is_code_that_it_runs(last: Toy):
    notebook = load_project(last.root).notebooks["02_last"]
    text = last.study.read_text()
    assert "toy/deep.py" not in run_modules(load_project(last.root), notebook)
    last.edit(last.study, "experiments: toy.shallow:experiments", "networks: toy.shallow:networks")
    project = load_project(last.root)
    assert {"toy/deep.py", "toy/shallow.py"} <= set(run_modules(project, project.notebooks["02_last"]))
    last.study.write_text(text)


def test_it_comes_last_whatever_its_place(last: Toy):
    project = load_project(last.root)
    names = ["02", "01", "00"]
    steps = plan(project, "smoke", project.select(names), {}, force=True)
    assert [step.notebook.name for step in steps] == ["01_second", "00_first", "02_last"]
    assert {step.action for step in steps} == {RUN}


LATE = """from pathlib import Path

from segstudy.cache import Experiment

ROOT = Path(__file__).parents[1]


def value(place):
    if (ROOT / "broken").exists():
        raise ValueError("this shard broke")
    last = ROOT / "reports" / "smoke" / "02_last" / "run.json"
    (ROOT / f"shard of {place}").write_text(str(last.exists()))
    return float(place)


def experiments(parameters):
    return [Experiment(value, {"place": place}) for place in range(2)]
"""


def test_its_shards_wait_for_none_and_one_that_breaks_costs_its_own_report_alone(tmp_path: Path):
    toy = Toy(tmp_path / "toy")
    for name in ("02_last", "03_sharded"):
        (toy.root / "notebooks" / "scripts" / f"{name}.py").write_text(LAST)
    (toy.root / "toy" / "late.py").write_text(LATE)
    sharded = SPEC.replace("02_last:", "03_sharded:\n    experiments: toy.late:experiments")
    toy.study.write_text(
        toy.study.read_text() + SPEC + sharded.replace("memory_gb: 1", "memory_gb: 1, shards: 2")
    )
    (toy.root / "broken").touch()
    done = toy.run("--only", "02,03")
    assert done.returncode == 1 and "this shard broke" in done.stdout
    assert toy.report("02_last").is_file() and not toy.report("03_sharded").is_file()
    (toy.root / "broken").unlink()
    shutil.rmtree(toy.report("02_last").parent)
    done = toy.run("--set", "fail=raise")
    assert done.returncode == 1 and "this shard broke" not in done.stdout
    assert toy.report("03_sharded").is_file(), "a notebook that fails before it costs it nothing"
    seen = [(toy.root / f"shard of {place}").read_text() for place in range(2)]
    assert seen == ["False", "False"], "shards ran when the report of the last round was not there yet"


@pytest.mark.parametrize(
    "spec, words",
    [
        ("after: [03_gone]", "after: '03_gone' is not there"),
        ("after: [02_last]", "after: '02_last' itself comes after others"),
        ("after: [01_second]\n    needs: [00_first]", "write needs or after, not both"),
        ("after: 00_first", "a list is expected there"),
        ("after: [01_second]\n  03_needy:\n    needs: [02_last]", "needs: '02_last' comes after others"),
    ],
)
def test_what_cannot_be_ordered_is_refused(last: Toy, spec: str, words: str):
    text = last.study.read_text()
    last.study.write_text(text.replace("after: [00_first, 01_second]", spec))
    try:
        with pytest.raises(StudyError, match=words.replace("[", r"\[")):
            load_project(last.root)
    finally:
        last.study.write_text(text)
