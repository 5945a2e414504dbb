"""What students get holds no answer, and nbgrader itself gives full marks to answers and none to blanks."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.study import handout
from segstudy.study.handout import BEGIN, POINTS, STUB, make_handout, student_notebook, teacher_notebook
from segstudy.study.notebooks import code_cells, is_exercise, notebook_text, read_script, tags
from segstudy.study.project import load_project

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "notebooks" / "scripts").glob("*.py"))

TINY = """# %% [markdown]
# # Two sums

# %%
numbers = [1, 2, 3]

# %% [markdown]
# **1.** (easy) Their sum, as `total`.

# %% tags=["solution"]
total = sum(numbers)

# %% tags=["check"]
assert total == 6, "1 + 2 + 3"

# %% [markdown]
# **2.** (hard) The sum of their squares, as `squares`.

# %% tags=["solution"]
squares = sum(n**2 for n in numbers)
print(squares)

# %% tags=["check"]
assert squares == 14, "1 + 4 + 9"
"""


def script(folder: Path, text: str) -> nbformat.NotebookNode:
    (folder / "tiny.py").write_text(text)
    return read_script(folder / "tiny.py")


def names(source: str, kind: type) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_notebook_has_three_levels_and_checks_that_a_blank_answer_fails(path: Path):
    notebook = read_script(path)
    marks = [c.metadata["nbgrader"] for c in teacher_notebook(notebook, path.stem).cells if is_exercise(c)]
    assert {row["points"] for row in marks if row["grade"]} == set(POINTS.values())
    assert len({row["grade_id"] for row in marks}) == len(marks)
    known: set[str] = set()
    cells = code_cells(notebook)
    for cell, check in zip(cells, [*cells[1:], None], strict=True):
        new = names(cell.source, ast.Store) - known
        if "solution" in tags(cell):
            assert new & names(check.source, ast.Load), "the check asks for nothing that the answer names"
        if not is_exercise(cell):
            known |= new


def test_students_get_no_answer_and_the_teacher_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handout, "PICTURES", 1)
    notebooks = load_project(ROOT).select(["00"])
    make_handout(notebooks, tmp_path / "course")
    (name,) = (notebook.name for notebook in notebooks)
    students, teacher = tmp_path / "course" / "students", tmp_path / "course" / "teacher"
    theirs = nbformat.read(students / f"{name}.ipynb", as_version=4)
    whole = nbformat.read(teacher / "source" / name / f"{name}.ipynb", as_version=4)
    for notebook in (theirs, whole):
        nbformat.validate(notebook)
    script = read_script(ROOT / "notebooks" / "scripts" / f"{name}.py")
    for cell, blank, solved in zip(script.cells, theirs.cells, whole.cells, strict=True):
        if "solution" in tags(cell):
            assert blank.source == STUB and cell.source in solved.source and solved.source.startswith(BEGIN)
        else:
            assert blank.source == solved.source == cell.source
    faces = open_dataset("folder", root=students / "pictures" / "faces", classes=["a"] * 9)
    drawn = open_dataset("faces")
    np.testing.assert_array_equal(faces[0].image, drawn[0].image)
    np.testing.assert_array_equal(faces[0].labels, drawn[0].labels)
    with pytest.raises(StudyError, match="is there already"):
        make_handout(notebooks, tmp_path / "course")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("**1.** (easy)", "**1.**", "begins \\*\\*1.\\*\\* \\(easy\\)"),
        ("**1.** (easy)", "**1.** (simple)", "easy, medium, hard"),
        ('# %% tags=["check"]\nassert total', "# %%\nassert total", "exercise 1: the cell behind"),
        ('# %% tags=["solution"]\ntotal', "# %%\ntotal", "behind no solution"),
    ],
)
def test_an_exercise_in_another_form_is_refused(tmp_path: Path, old: str, new: str, words: str):
    assert old in TINY
    with pytest.raises(StudyError, match=words):
        teacher_notebook(script(tmp_path, TINY.replace(old, new)), "tiny")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of one tiny notebook, in which one student answered all, one nothing, one the first exercise."""
    pytest.importorskip("nbgrader", reason="no nbgrader: pip install nbgrader==0.9.6")
    folder = tmp_path_factory.mktemp("course")
    teacher = teacher_notebook(script(folder, TINY), "tiny")
    teacher.metadata.kernelspec["name"] = "python3"
    student = student_notebook(teacher)
    (folder / "source" / "tiny").mkdir(parents=True)
    (folder / "source" / "tiny" / "tiny.ipynb").write_text(notebook_text(teacher))
    half = student_notebook(teacher)
    half.cells[3].source, half.cells[7].source = (
        teacher.cells[3].source,
        "assert True",
    )  # no check of a student's own
    grade(folder, "tiny", {"all": teacher, "none": student, "half": half})
    return folder


def grade(folder: Path, assignment: str, answers: dict[str, nbformat.NotebookNode]) -> None:
    """Hand answers in, by student, and have nbgrader release and grade an assignment whose source is in place."""
    for name, notebook in answers.items():
        place = folder / "submitted" / name / assignment
        place.mkdir(parents=True)
        (place / f"{assignment}.ipynb").write_text(notebook_text(notebook))
    tools = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    )
    given = {"JUPYTER_CONFIG_DIR": str(folder / "none"), "HOME": str(folder), "PATH": tools}
    for words in (["generate_assignment", assignment], ["autograde", assignment, "--create"]):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=folder,
            env=os.environ | given | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_students_get_what_nbgrader_itself_would_release(course: Path):
    released = nbformat.read(course / "release" / "tiny" / "tiny.ipynb", as_version=4)
    ours = nbformat.read(course / "submitted" / "none" / "tiny" / "tiny.ipynb", as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in ours.cells]
    assert [cell.metadata for cell in released.cells] == [cell.metadata for cell in ours.cells]


def test_answers_get_full_marks_and_blanks_none(course: Path):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        scores = {s.student_id: s.score for s in book.assignment_submissions("tiny")}
        most = book.find_assignment("tiny").max_score
    assert most == 4 and scores == {"all": 4, "none": 0, "half": 1}


def test_a_notebook_of_the_study_is_graded_too(tmp_path: Path):
    pytest.importorskip("nbgrader", reason="no nbgrader: pip install nbgrader==0.9.6")
    from nbgrader.api import Gradebook

    name = "00_start_here"
    teacher = teacher_notebook(read_script(ROOT / "notebooks" / "scripts" / f"{name}.py"), name)
    teacher.metadata.kernelspec["name"] = "python3"
    source = tmp_path / "source" / name
    source.mkdir(parents=True)
    (source / f"{name}.ipynb").write_text(notebook_text(teacher))
    grade(tmp_path, name, {"all": teacher, "none": student_notebook(teacher)})
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        scores = {s.student_id: s.score for s in book.assignment_submissions(name)}
        most = book.find_assignment(name).max_score
    assert most >= 3 and scores == {"all": most, "none": 0}
