"""Reference results are records of real runs, and README's table is made from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy import Toy

from segstudy.errors import StudyError
from segstudy.study.project import load_project
from segstudy.study.reference import BEGIN, END, results_table, write_results

ROOT = Path(__file__).resolve().parents[2]


def test_readme_s_results_are_those_of_the_reference_records():
    """Fails when code changed and `python -m segstudy reference` was not run: stale rows have to be marked."""
    table = (ROOT / "README.md").read_text().split(BEGIN)[1].split(END)[0].strip()
    assert table == results_table(load_project(ROOT)).strip()
    assert "00_start_here" in table


@pytest.mark.parametrize("path", sorted((ROOT / "reports" / "reference").glob("*/*/run.json")), ids=str)
def test_a_reference_record_is_whole(path: Path):
    run = json.loads(path.read_text())
    assert (
        run["status"] == "ok" and run["data"] and run["versions"]["torch"] and run["fingerprint"]["modules"]
    )
    metrics = json.loads((path.parent / "metrics.json").read_text())
    assert metrics and all(row["n"] > 0 for row in metrics.values())
    for table in run["tables"]:
        assert (path.parent / table["file"]).is_file()
    for row in run["headline"]:
        assert any(abs(row["ours"] - metric["mean"]) < 1e-12 for metric in metrics.values()), row["name"]


def test_records_are_kept_and_rows_of_changed_code_are_marked(finished: Toy):
    readme = finished.root / "README.md"
    readme.write_text(f"# Toy\n{BEGIN}\nold\n{END}\nafter\n")
    assert finished.call("reference", "smoke").returncode == 0
    text = readme.read_text()
    assert "| 00_first | smoke," in text and "40.500 ± 0.707 (n = 2) | – | yes |" in text
    assert text.endswith(f"{END}\nafter\n") and "old" not in text
    deep = finished.root / "toy" / "deep.py"
    before = deep.read_text()
    deep.write_text(before.replace("20", "22"))
    write_results(load_project(finished.root))
    deep.write_text(before)
    assert "stale: 1 files changed since" in readme.read_text()


def test_a_readme_without_marks_is_left_alone(finished: Toy):
    readme = finished.root / "README.md"
    readme.write_text("# Toy\n")
    with pytest.raises(StudyError, match="marks"):
        write_results(load_project(finished.root))
    assert readme.read_text() == "# Toy\n"
