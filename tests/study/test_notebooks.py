"""Notebooks are made from their scripts, the same bytes each time, and every script runs as a script."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from segstudy.errors import StudyError
from segstudy.study.notebooks import (
    code_fingerprint,
    code_source,
    edited_by_hand,
    heading_of,
    make_notebooks,
    notebook_text,
    read_script,
)
from segstudy.study.parameters import check_value, declared_parameters, parameters_source, parse_setting
from segstudy.study.project import load_project

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "notebooks" / "scripts").glob("*.py"))
STUDY = yaml.safe_load((ROOT / "notebooks" / "study.yaml").read_text())["notebooks"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_is_its_script(script: Path):
    """Cells, tags and ids: whoever edits one and forgets the other sees it here."""
    path = ROOT / "notebooks" / f"{script.stem}.ipynb"
    assert path.is_file(), "run: python -m segstudy notebooks"
    assert path.read_text() == notebook_text(read_script(script)), "run: python -m segstudy notebooks"
    nbformat.validate(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_runs_as_a_script_with_the_smoke_parameters(
    script: Path, tmp_path: Path, smoke_results: Path
):
    project = load_project(ROOT)
    values = project.notebooks[script.stem].values("smoke", {})
    text, cell = script.read_text(), parameters_source(script.read_text(), script.stem)
    smoke = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    (tmp_path / "script.py").write_text(text.replace(cell, f"\n{smoke}\n"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    environment["SEGSTUDY_CACHE"] = str(smoke_results)
    words = [sys.executable, "-W", "error::SyntaxWarning", "script.py"]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "match True" in done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_is_anatomically_complete(script: Path):
    notebook = read_script(script)
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for part in ("# ", "## Summary", "## Exercises", "## References", "baseline", "By hand"):
        assert part in words, f"{script.stem} has no {part!r}"
    assert sum("solution" in cell.metadata.get("tags", []) for cell in notebook.cells) >= 3
    code = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "parameters" not in cell.metadata.get("tags", [])  # a list, nothing to move
    ]
    long = [source.splitlines()[0] for source in code if source.count("\n") >= 15]
    assert not long, f"cells over 15 lines: {long}"


@pytest.mark.parametrize("name", STUDY)
def test_every_profile_s_parameters_are_declared(name: str):
    notebook = load_project(ROOT).notebooks[name]
    for profile in notebook.profiles:
        assert set(notebook.values(profile, {})) == set(notebook.parameters)


def test_ids_come_from_content_and_a_second_making_writes_nothing(tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "00_x.py"
    script.write_text("# %% [markdown]\n# # Title\n\n# %%\nx = 1\n\n# %%\nx = 1\n")
    assert [path.name for path in make_notebooks(tmp_path)] == ["00_x.ipynb"]
    assert make_notebooks(tmp_path) == []
    ids = [cell["id"] for cell in json.loads((tmp_path / "00_x.ipynb").read_text())["cells"]]
    assert len(set(ids)) == 3
    script.write_text(script.read_text() + "\n# %%\ny = 2\n")
    make_notebooks(tmp_path)
    assert [cell["id"] for cell in json.loads((tmp_path / "00_x.ipynb").read_text())["cells"]][:3] == ids


def test_an_edit_by_hand_is_not_lost(tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    script, book = tmp_path / "scripts" / "00_x.py", tmp_path / "00_x.ipynb"
    script.write_text("# %%\nx = 1\n")
    make_notebooks(tmp_path)
    notebook = nbformat.read(book, as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(notebook, book)
    assert not edited_by_hand(book) and make_notebooks(tmp_path) == [book], "outputs are no edit"
    notebook.cells[0].source = "x = 2"
    nbformat.write(notebook, book)
    text = book.read_text()
    script.write_text("# %%\nx = 3\n")
    with pytest.raises(StudyError, match="edited by hand"):
        make_notebooks(tmp_path)
    assert book.read_text() == text


def stripped(text: str) -> str:
    notebook = json.loads(text)
    notebook["metadata"] = {}
    return json.dumps(notebook)


def conflict(text: str) -> str:
    return text.replace("x = 2", "<<<<<<< HEAD\nx = 2\n=======\nx = 4\n>>>>>>> other")


@pytest.mark.parametrize(
    "spoil", [stripped, conflict, lambda text: "[]", lambda text: text[:50], lambda _: ""]
)
def test_what_may_be_an_edit_by_hand_is_not_lost(tmp_path: Path, spoil):
    """Cleaning hooks strip the mark that tells; a merge leaves no JSON; neither may cost the edit."""
    (tmp_path / "scripts").mkdir()
    book = tmp_path / "00_x.ipynb"
    (tmp_path / "scripts" / "00_x.py").write_text("# %%\nx = 1\n")
    make_notebooks(tmp_path)
    text = spoil(book.read_text().replace("x = 1", "x = 2"))
    book.write_text(text)
    assert edited_by_hand(book)
    with pytest.raises(StudyError, match="edited by hand"):
        make_notebooks(tmp_path)
    assert book.read_text() == text


def test_a_notebook_without_its_mark_is_made_again_where_nothing_can_be_lost(tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    book = tmp_path / "00_x.ipynb"
    (tmp_path / "scripts" / "00_x.py").write_text("# %%\nx = 1\n")
    make_notebooks(tmp_path)
    text = book.read_text()
    book.write_text(stripped(text))
    assert make_notebooks(tmp_path) == [book] and book.read_text() == text


def test_the_place_of_the_parameters_cell_counts(tmp_path: Path):
    first = '# %% tags=["parameters"]\na = 1  # what\n\n'
    (tmp_path / "a.py").write_text(f"{first}# %%\nx = 1\n")
    (tmp_path / "b.py").write_text(f"# %%\nx = 1\n\n{first}")
    assert code_fingerprint(read_script(tmp_path / "a.py")) != code_fingerprint(
        read_script(tmp_path / "b.py")
    )


def test_prose_and_comments_leave_the_code_fingerprint(tmp_path: Path):
    def fingerprint(text: str) -> str:
        (tmp_path / "s.py").write_text(text)
        return code_fingerprint(read_script(tmp_path / "s.py"))

    text = "# %% [markdown]\n# # Title\n\n# %%\nx = 1  # one\n"
    assert fingerprint(text) == fingerprint(text.replace("Title", "Other").replace("# one", "# uno"))
    assert fingerprint(text) != fingerprint(text.replace("x = 1", "x = 2"))
    assert fingerprint(text) != fingerprint(text + "\n# %%\nx = 1\n")


EXERCISE = """# %%
import segstudy.cache

# %% tags=["solution"]
import segstudy.locks

answer = 1

# %% tags=["check"]
assert answer == 1
"""


def test_exercises_leave_the_code_fingerprint_and_the_imports_that_count(tmp_path: Path):
    def made(text: str) -> tuple[str, str]:
        (tmp_path / "s.py").write_text(text)
        notebook = read_script(tmp_path / "s.py")
        return code_fingerprint(notebook), code_source(notebook)

    before = made(EXERCISE)
    assert made(EXERCISE.replace("answer = 1", "answer = 2 - 1")) == before
    assert made(EXERCISE.replace("assert answer == 1", "assert answer > 0")) == before
    assert made(EXERCISE.split("# %% tags")[0]) == before and "locks" not in before[1]
    assert made(EXERCISE.replace("segstudy.cache", "segstudy.errors"))[0] != before[0]
    assert made(EXERCISE.replace('tags=["check"]', 'tags=["other"]'))[0] != before[0]


def test_heading_of_a_cell():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("a"),
            nbformat.v4.new_markdown_cell("# One\ntext\n## Two"),
            nbformat.v4.new_code_cell("b"),
        ]
    )
    assert heading_of(notebook, 0) == "before the first heading" and heading_of(notebook, 2) == "Two"


@pytest.mark.parametrize(
    "source, words",
    [
        ("x = 1", "no comment"),
        ("x = f()  # what", "not a plain literal"),
        ("import os  # what", "name = literal"),
        ("x: int = 1  # what", "name = literal"),
        ("x = y = 1  # what", "name = literal"),
        ("x = 1; y = 2  # what", "name = literal"),
        ("x = {1, 2}  # what", "not a plain literal"),
    ],
)
def test_a_parameters_cell_of_another_form_is_refused(source: str, words: str):
    with pytest.raises(StudyError, match=re.escape(words)):
        declared_parameters(source, "00")


def test_values_of_parameters_are_as_json_holds_them():
    parameters = declared_parameters('a = (1, 2)  # two\nb = "größe; #1"  # words\nc = 1e-5  # small', "00")
    assert [p.default for p in parameters.values()] == [[1, 2], "größe; #1", 1e-5]
    assert parameters["b"].comment == "words"
    assert parse_setting("c=1e-6") == ("c", 1e-6) and parse_setting("b=words") == ("b", "words")
    assert check_value(parameters["c"], 1, "00") == 1.0


def test_exactly_one_parameters_cell():
    cell = '# %% tags=["parameters"]\nx = 1  # what\n'
    assert parameters_source(f"# %%\ny = 1\n\n{cell}\n# %%\nz = 2\n", "00").strip() == "x = 1  # what"
    for text in ("# %%\ny = 1\n", cell + cell):
        with pytest.raises(StudyError, match="exactly one"):
            parameters_source(text, "00")
