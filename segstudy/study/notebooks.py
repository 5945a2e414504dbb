"""Notebooks from their scripts: ``notebooks/scripts/NN_name.py`` (py:percent) is the source, the .ipynb is
made.

Cell ids are derived from the cells' content, so that a notebook made twice is the same bytes. ``jupytext
--sync`` is never used: it goes by file times and has overwritten an edited script.
"""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

from segstudy.errors import StudyError
from segstudy.fingerprint import code_digest, digest
from segstudy.study.files import write_text

KERNEL = {"name": "segstudy", "display_name": "segstudy", "language": "python"}
SOLUTION, CHECK = "solution", "check"  # tags of an exercise's answer, and of the assertions that mark it


def read_script(path: Path) -> nbformat.NotebookNode:
    """Return the notebook that a script describes, without outputs, with ids derived from its cells.

    Raises
    ------
    StudyError
        When the script is missing or its cells cannot be parsed.
    """
    try:
        notebook = jupytext.read(path, fmt="py:percent")
    except (OSError, ValueError, SyntaxError) as error:
        raise StudyError(f"cannot read the notebook's script {path.name}: {error}") from error
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        content = digest([cell.cell_type, cell.source, cell.metadata])
        seen[content] = seen.get(content, 0) + 1
        cell.id = f"{content[:12]}-{seen[content]}"
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook.metadata = nbformat.from_dict(metadata | {"segstudy": {"made": _cells_digest(notebook)}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def notebook_text(notebook: nbformat.NotebookNode) -> str:
    """Return the bytes of the .ipynb, as text."""
    return nbformat.writes(notebook) + "\n"


def _cells_digest(notebook: nbformat.NotebookNode) -> str:
    return digest([[cell.cell_type, cell.source] for cell in notebook.cells])


def edited_by_hand(path: Path) -> bool:
    """Whether an .ipynb may hold cells that would be lost if it were made again (outputs do not count).

    Its cells are known to come from a script when they are those its mark tells of, or the script's own. Where that
    cannot be known it counts as edited: without its mark, which cleaning hooks strip, or with a merge conflict in it.
    """
    if not path.exists():
        return False
    try:
        notebook = nbformat.read(path, as_version=4)
        cells = _cells_digest(notebook)
        made = notebook.metadata.get("segstudy", {}).get("made")
        return cells not in (made, _cells_digest(read_script(path.parent / "scripts" / f"{path.stem}.py")))
    except Exception:  # nbformat raises almost anything on what is no notebook
        return True


def make_notebooks(folder: Path) -> list[Path]:
    """Write ``folder/NN_name.ipynb`` for each script that gives another text; return those written.

    Raises
    ------
    StudyError
        Where an .ipynb was, or may have been, edited by hand: nothing is written, so that no edit is lost.
    """
    written = []
    scripts = sorted((folder / "scripts").glob("*.py"))
    edited = [f"{script.stem}.ipynb" for script in scripts if edited_by_hand(folder / f"{script.stem}.ipynb")]
    if edited:
        raise StudyError(
            f"{', '.join(edited)}: edited by hand, or not to be told from one that was (its mark is gone, or it cannot "
            "be read). The source is notebooks/scripts/: bring the edit there, then delete the .ipynb and make it again"
        )
    for script in scripts:
        path, text = folder / f"{script.stem}.ipynb", notebook_text(read_script(script))
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
            written.append(path)
    return written


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the notebook's code cells, those that papermill added left out."""
    added = ("injected-parameters", "papermill-error-cell-tag")
    return [c for c in notebook.cells if c.cell_type == "code" and not set(added) & set(tags(c))]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def is_exercise(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell answers an exercise or marks an answer: nothing that a report tells depends on it."""
    return bool({SOLUTION, CHECK} & set(tags(cell)))


def counted_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells that results depend on: all but those of the exercises."""
    return [cell for cell in code_cells(notebook) if not is_exercise(cell)]


def code_source(notebook: nbformat.NotebookNode) -> str:
    """Return the counted cells as one source, the parameters cell left out (its values count by themselves)."""
    return "\n".join(c.source for c in counted_cells(notebook) if "parameters" not in tags(c))


def code_fingerprint(notebook: nbformat.NotebookNode) -> str:
    """Digest of the counted cells, each without comments and layout: prose, comments and exercises do not change it.

    Of the parameters cell its place alone counts; its values count by themselves.

    Raises
    ------
    StudyError
        Where a cell is not Python; magic commands are not, and a notebook that also runs as a script has none.
    """
    try:
        cells = [
            "parameters" if "parameters" in tags(c) else code_digest(c.source)
            for c in counted_cells(notebook)
        ]
    except SyntaxError as error:
        raise StudyError(
            f"{title_of(notebook)}: a code cell is not Python: {error.msg}: {error.text}"
        ) from None
    return digest(cells)


def heading_of(notebook: nbformat.NotebookNode, index: int) -> str:
    """Return the last heading above the cell at `index`, or the notebook's first words."""
    for cell in reversed(notebook.cells[: index + 1]):
        if cell.cell_type == "markdown":
            headings = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            if headings:
                return headings[-1]
    return "before the first heading"


def title_of(notebook: nbformat.NotebookNode) -> str:
    """Return the notebook's first heading."""
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else []:
            if line.startswith("# "):
                return line.lstrip("# ")
    return "untitled"
