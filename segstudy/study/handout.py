"""What a teacher hands out: the students' notebooks, the teacher's as nbgrader reads them, and drawn pictures.

An exercise of a notebook's script is a text that begins "**1.** (easy)", a cell tagged "solution" and one tagged
"check", whose assertions mark the answer. nbgrader's metadata (schema 3) and its marks around solutions follow from
that; students get what ``nbgrader generate_assignment`` would release, without nbgrader being there.
"""

from __future__ import annotations

import copy
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nbformat import NotebookNode

from segstudy.datasets import dataset_names, open_dataset
from segstudy.datasets.generated import lock_of
from segstudy.errors import StudyError
from segstudy.experiments.images.segmenting import encode, label_png
from segstudy.files import write_bytes
from segstudy.study.files import write_text
from segstudy.study.notebooks import CHECK, SOLUTION, notebook_text, tags

if TYPE_CHECKING:
    from segstudy.datasets import Dataset
    from segstudy.study.project import Notebook

POINTS = {"easy": 1, "medium": 2, "hard": 3}
PICTURES = 8  # of each drawn data set: enough to look at, small enough to send round
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"  # nbgrader's own
_LEVEL = re.compile(r"\*\*(?P<number>\d+)\.\*\* \((?P<level>\w+)\)")

STUDENTS = """# The notebooks to work through

Each notebook is a lecture that you run. Its exercises are at the end, from easy to hard: write your answer where the
cell says `YOUR CODE HERE`, under the names that the text asks for, then run the cell below it. It says what is wrong,
or nothing.

The notebooks need the study's own environment: clone it, call `./run_all.sh` once, then
`source .venv/bin/activate && jupyter lab` and open them from here. Nothing is downloaded and no GPU is needed.

`pictures/` holds drawn pictures with their masks, free to use for anything (MIT):

```python
from segstudy.datasets import open_dataset

faces = open_dataset("folder", root="pictures/faces", classes={classes})
faces[0].image, faces[0].labels
```
"""

TEACHER = """# The teacher's notebooks

`source/NAME/NAME.ipynb` holds solutions between nbgrader's marks and a check for each exercise: 1 point for an easy
one, 2 for a medium one, 3 for a hard one. This folder is a course of nbgrader (0.9.6, in the study's environment):

```bash
nbgrader generate_assignment NAME    # the students' notebook, as it lies in ../students
nbgrader autograde NAME              # of what lies in submitted/STUDENT/NAME/NAME.ipynb
nbgrader generate_feedback NAME
```
"""

CONFIG = """# nbgrader reads this. A notebook trains networks: its cells take longer than nbgrader's 30 seconds.
c = get_config()  # noqa: F821
c.ExecutePreprocessor.timeout = 3600
"""


def make_handout(notebooks: list[Notebook], folder: Path) -> None:
    """Write ``folder/students`` (notebooks, pictures) and ``folder/teacher`` (a course of nbgrader).

    Raises
    ------
    StudyError
        Where the folder holds anything, or a notebook's exercises are not in the form that the module tells.
    """
    require_empty(folder)
    written = {notebook.name: teacher_notebook(notebook.cells, notebook.name) for notebook in notebooks}
    for name, notebook in written.items():
        write_text(folder / "teacher" / "source" / name / f"{name}.ipynb", notebook_text(notebook))
        write_text(folder / "students" / f"{name}.ipynb", notebook_text(student_notebook(notebook)))
    write_text(folder / "teacher" / "nbgrader_config.py", CONFIG)
    write_text(folder / "teacher" / "README.md", TEACHER)
    drawn = [open_dataset(name, count=PICTURES) for name in dataset_names() if lock_of(name).is_file()]
    for dataset in drawn:
        _write_pictures(dataset, folder / "students" / "pictures" / dataset.name)
    faces = next(dataset for dataset in drawn if dataset.name == "faces")
    write_text(folder / "students" / "README.md", STUDENTS.format(classes=list(faces.classes)))


def require_empty(folder: Path) -> None:
    """Refuse a folder that holds anything: what a person keeps there is not written over."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder} is there already: name a folder that is empty or not there yet")


def teacher_notebook(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return a notebook with nbgrader's metadata on its exercises, and its marks around their solutions.

    Parameters
    ----------
    notebook : NotebookNode
        As its script describes it; it is not changed.
    name : str
        What messages call it.

    Raises
    ------
    StudyError
        Where a solution has no level in the text before it or no check behind it, or a check no solution.
    """
    notebook = copy.deepcopy(notebook)
    cells = notebook.cells
    for at, cell in enumerate(cells):
        if SOLUTION in tags(cell):
            number, level = _exercise(cells[at - 1] if at else None, name)
            if at + 1 == len(cells) or CHECK not in tags(cells[at + 1]):
                raise StudyError(
                    f"{name}, exercise {number}: the cell behind its solution has no tag {CHECK!r}"
                )
            cell.source = f"{BEGIN}\n{cell.source}\n{END}"
            cell.metadata["nbgrader"] = _metadata(f"exercise-{number}", solution=True)
            points = {"points": POINTS[level]}
            cells[at + 1].metadata["nbgrader"] = (
                _metadata(f"check-{number}", grade=True, locked=True) | points
            )
        elif CHECK in tags(cell) and (not at or SOLUTION not in tags(cells[at - 1])):
            raise StudyError(f"{name}: the check {cell.source.splitlines()[0]!r} stands behind no solution")
    return notebook


def student_notebook(teacher: NotebookNode) -> NotebookNode:
    """Return the notebook that students get: answers blank, checks locked, each cell with nbgrader's checksum."""
    notebook = copy.deepcopy(teacher)
    for cell in notebook.cells:
        if (marks := cell.metadata.get("nbgrader")) is None:
            continue
        cell.metadata["deletable"] = False
        if marks["solution"]:
            cell.source = STUB
        else:
            cell.metadata["editable"] = False
        marks |= {"cell_type": cell.cell_type, "checksum": _checksum(cell)}
    return notebook


def _exercise(text: NotebookNode | None, name: str) -> tuple[str, str]:
    """Return an exercise's number and level, which its text begins with."""
    found = _LEVEL.match(text.source) if text is not None else None
    if found is None or found["level"] not in POINTS:
        shown = text.source.splitlines()[0][:60] if text is not None and text.source else "nothing"
        levels = ", ".join(POINTS)
        raise StudyError(
            f"{name}: a solution follows {shown!r}; an exercise begins **1.** (easy), of {levels}"
        )
    return found["number"], found["level"]


def _metadata(grade_id: str, **true: bool) -> dict[str, Any]:
    kinds = {kind: true.get(kind, False) for kind in ("grade", "locked", "solution", "task")}
    return {"schema_version": 3, "grade_id": grade_id} | kinds


def _checksum(cell: NotebookNode) -> str:
    """Return nbgrader's digest of a cell (its `utils.compute_checksum`)."""
    marks = cell.metadata["nbgrader"]
    words = [cell.source, cell.cell_type, *(str(marks[kind]) for kind in ("grade", "solution", "locked"))]
    words += [marks["grade_id"], *([str(float(marks["points"]))] if marks["grade"] else [])]
    return hashlib.md5("".join(words).encode()).hexdigest()


def _write_pictures(dataset: Dataset, folder: Path) -> None:
    """Write the pictures of a data set and their masks, class ids in PASCAL VOC's palette."""
    from PIL import Image

    for sample in dataset:
        name = f"{sample.name}.png"
        write_bytes(folder / "images" / name, encode(Image.fromarray(sample.image), "PNG"))
        write_bytes(folder / "masks" / name, label_png(sample.labels.astype(np.uint8)))
