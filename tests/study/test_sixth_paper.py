"""README's "How to add a paper", done: tests/sixth_paper laid over a copy of the study, and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "tests" / "sixth_paper"
ADDED_TO = (
    "notebooks/study.yaml",
    "data/published/claims.csv",
)  # files that are there: their lines go to the end


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with the sixth paper in it."""
    root = tmp_path_factory.mktemp("study")
    shutil.copytree(ROOT / "segstudy", root / "segstudy", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data" / "published", root / "data" / "published")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns("*.ipynb"))
    for file in [file for file in PAPER.rglob("*") if file.is_file() and "__pycache__" not in file.parts]:
        name = file.relative_to(PAPER).as_posix()
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("a" if name in ADDED_TO else "x") as place:  # "x": it changes no other file
            place.write(file.read_text())
    return root


def call(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "segstudy", "--project", str(root), *words],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_sixth_paper_is_run_judged_and_shown_beside_what_it_prints(study: Path):
    assert "10_voting.ipynb" in call(study, "notebooks")
    call(study, "run", "--profile", "smoke", "--only", "10")
    folder = study / "reports" / "smoke" / "10_voting"
    run = json.loads((folder / "run.json").read_text())
    assert run["status"] == "ok" and run["parameters"]["images"] == 4
    (row,) = run["headline"]
    assert (row["published"], row["over"], row["n"]) == (0.5, "pictures", 4)
    assert [v["claim"] for v in run["verdicts"]] == ["V1"] and "over 4 pictures" in run["verdicts"][0][
        "evidence"
    ]
    assert {"segstudy/papers/voting/segmenter.py", "data/published/voting_table1.csv"} <= set(
        run["fingerprint"]["modules"]
    )
    assert "votes help" in (folder / "report.html").read_text()


def test_a_changed_exercise_is_rendered_and_a_changed_room_makes_the_run_stale(study: Path):
    words = ("run", "--profile", "smoke", "--only", "10")
    assert "nothing to do" in call(study, *words, "--dry-run")
    script = study / "notebooks" / "scripts" / "10_voting.py"
    script.write_text(script.read_text().replace("votes = 3", "votes = 2 + 1"))
    assert "render again" in call(study, *words)
    page = study / "reports" / "smoke" / "10_voting"
    first, solution, check = [
        cell
        for cell in json.loads((page / "notebook.ipynb").read_text())["cells"]
        if cell["cell_type"] == "code"
    ][-3:]
    assert first["execution_count"] and check["execution_count"], "kept from the run"
    assert "2 + 1" in "".join(solution["source"]) and solution["execution_count"] is None, "it was not run"
    room = study / "segstudy" / "papers" / "voting" / "segmenter.py"
    room.write_text(room.read_text().replace("GRAPH.sum() / 2", "GRAPH.sum() / 3"))
    assert "voting/segmenter.py" in call(study, *words, "--dry-run")
