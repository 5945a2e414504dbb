"""What makes a report stale and what does not: the plan says so, with its reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from miniatures import write_emds5
from toy import Toy


@contextmanager
def edited(toy: Toy, path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text()
    toy.edit(path, old, new)
    try:
        yield
    finally:
        path.write_text(text)


def plan_of(toy: Toy, *words: str) -> dict[str, str]:
    done = toy.run("--dry-run", *words)
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line[:3] in ("00_", "01_")]
    return {name: row for name, row in rows}


def test_a_second_call_has_nothing_to_do(finished: Toy):
    before = finished.report("00_first").stat().st_mtime_ns
    done = finished.run()
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == [
        "Nothing to do: every report is up to date.",
        "Look at reports/smoke/index.html",
    ]
    assert finished.report("00_first").stat().st_mtime_ns == before


def test_a_changed_parameter_is_named(finished: Toy):
    plan = plan_of(finished, "--set", "factor=3")
    assert plan["00_first"].startswith("run") and "parameter factor: 2 -> 3" in plan["00_first"]
    assert plan["01_second"] == "nothing to do"


def test_a_changed_code_cell(finished: Toy):
    with edited(finished, finished.first, "range(20)", "range(21)"):
        plan = plan_of(finished)
    assert plan["00_first"].startswith("run") and "code cells changed" in plan["00_first"]


def test_a_constant_two_modules_away(finished: Toy):
    with edited(finished, finished.root / "toy" / "deep.py", "CONSTANT = 20", "CONSTANT = 21"):
        plan = plan_of(finished)
    assert plan["00_first"].startswith("run") and "modules changed: toy/deep.py" in plan["00_first"]
    assert plan["01_second"] == "nothing to do"


@pytest.mark.parametrize(
    "old, new", [("# comment", "# other words"), ('"""The deep module."""', '"""New words."""')]
)
def test_words_in_a_module_change_nothing(finished: Toy, old: str, new: str):
    with edited(finished, finished.root / "toy" / "deep.py", old, new):
        assert set(plan_of(finished).values()) == {"nothing to do"}


def test_a_module_nobody_imports_changes_nothing(finished: Toy):
    stranger = finished.root / "toy" / "stranger.py"
    stranger.write_text("X = 1\n")
    assert set(plan_of(finished).values()) == {"nothing to do"}
    stranger.unlink()


def test_prose_alone_renders_again_and_executes_nothing(toy: Toy):
    assert toy.run("--only", "00").returncode == 0
    run, marks = json.loads(toy.report("00_first").read_text()), (toy.root / "computed").read_text()
    toy.edit(toy.first, "Words that explain.", "Better words that explain.")
    toy.edit(toy.first, 'if fail == "raise":', '# why\nif fail == "raise":')
    assert plan_of(toy, "--only", "00")["00_first"].startswith("render again")
    done = toy.run("--only", "00")
    assert done.returncode == 0, done.stdout
    again = json.loads(toy.report("00_first").read_text())
    assert again["started"] == run["started"] and again["seconds"] == run["seconds"]
    assert (toy.root / "computed").read_text() == marks
    page = toy.report("00_first", "report.html").read_text()
    assert "Better words that explain." in page and "40.500 ± 0.707" in page
    assert plan_of(toy, "--only", "00")["00_first"] == "nothing to do"


def test_a_changed_data_set_and_a_missing_one(toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    write_emds5(tmp_path / "data")
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path / "data"))
    toy.edit(toy.study, "      smoke: {minutes: 0.1}", "      smoke: {minutes: 0.1, data: [emds5]}")
    assert toy.run("--only", "01").returncode == 0
    assert plan_of(toy, "--only", "01")["01_second"] == "nothing to do"
    picture = sorted((tmp_path / "data" / "emds5" / "EMDS5-Original").iterdir())[0]
    picture.write_bytes(picture.read_bytes() + b" ")
    assert "data changed: emds5" in plan_of(toy, "--only", "01")["01_second"]
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path / "nowhere"))
    refused = toy.run("--force")
    assert refused.returncode == 2
    assert "EMDS-5" in refused.stderr and "data download emds5" in refused.stderr
    assert not toy.report("00_first").exists(), "a notebook ran although the batch was refused"


def test_a_need_that_runs_makes_what_needs_it_stale(toy: Toy):
    toy.edit(toy.study, "  01_second:\n", "  01_second:\n    needs: [00_first]\n")
    assert toy.run().returncode == 0
    assert set(plan_of(toy).values()) == {"nothing to do"}
    plan = plan_of(toy, "--set", "factor=9")
    assert "00_first runs before it" in plan["01_second"]
    assert set(plan_of(toy, "--only", "01")) == {"00_first", "01_second"}
