"""Render the report of one run: a self-contained page of the executed notebook and of its record."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segstudy.study.notebooks import is_exercise
from segstudy.study.page import FOLDER, complete, in_order, render
from segstudy.study.page.scrub import scrub, scrub_paths
from segstudy.study.page.tidy import pictures_without_alt, tidy

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["pictures_without_alt", "render_report", "scrub_paths"]

# "Ten lines of our own" stay in sight; a longer cell prepares or draws, and opens on request.
LONGEST_OPEN_CELL = 12
_WIDGET = "application/vnd.jupyter.widget-view+json"
_PAPERMILL_BANNER = "papermill-error-cell-tag"
_PARAMETERS = {
    "parameters": "Parameters, with the demo's values",
    "injected-parameters": "Parameters set for this run",
}


def render_report(notebook: NotebookNode, run: dict[str, Any], root: Path | None = None) -> str:
    """Return the report of one run as a page that asks the network for nothing.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook as it was executed, to the end or not; it is not changed.
    run : dict
        The run's record (`run.json`). Its texts are escaped, and stripped of the machine's paths.
    root : Path, optional
        Folder of the project, whose files are named relative to it; the current folder if not given.

    Returns
    -------
    str
        HTML. A picture that nobody described carries a placeholder, and the page says so at its top.
    """
    record = complete(scrub(run, root))
    body = tidy(_export(_prepare(notebook, run, root)))
    up = "../" * (record["folder"].count("/") + 1)
    counts = in_order(Counter(row["verdict"] for row in record["verdicts"]))
    return render(
        "page.html", run=record, body=body, counts=counts, index=f"{up}index.html", formulas=body.formulas
    )


def _prepare(notebook: NotebookNode, run: dict[str, Any], root: Path | None) -> NotebookNode:
    """Return a copy with no widget, no path and no progress already overwritten, each cell marked for the template."""
    notebook = copy.deepcopy(notebook)
    failing = _failing_cell(notebook, run)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if _clean_output(out, root)]
        cell.metadata["segstudy"] = _presentation(cell, index, failing)
    notebook.cells = [
        cell for cell in notebook.cells if _PAPERMILL_BANNER not in cell.metadata.get("tags", [])
    ]
    _join_solutions(notebook.cells)
    return notebook


def _join_solutions(cells: list[NotebookNode]) -> None:
    """Mark where a solution begins and ends: cells that follow one another make one."""
    solved = [False, *(cell.metadata["segstudy"]["solution"] for cell in cells), False]
    for place, cell in enumerate(cells, start=1):
        cell.metadata["segstudy"]["begins"] = solved[place] and not solved[place - 1]
        cell.metadata["segstudy"]["ends"] = solved[place] and not solved[place + 1]


def _failing_cell(notebook: NotebookNode, run: dict[str, Any]) -> int | None:
    """Return the index of the cell that failed: the one that shows an error, else the one the record names."""
    if run.get("status", "ok") == "ok":
        return None
    for index, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return index
    return (run.get("failure") or {}).get("cell")


def _clean_output(output: NotebookNode, root: Path | None) -> bool:
    """Clean one output in place; return whether anything is left of it."""
    if output.output_type == "stream":
        # A carriage return overwrites the line: of a progress bar the last state is left.
        text = re.sub(r"[^\n]*\r(?=[^\r\n])", "", output.text.replace("\r\n", "\n"))
        output.text = scrub_paths(text.replace("\r", ""), root)
        return bool(output.text.strip())
    if output.output_type == "error":
        output.traceback = [scrub_paths(line, root) for line in output.traceback]
        return True
    if output.data.pop(_WIDGET, None) is not None:
        return False  # its static figure stands beside it
    if "text/plain" in output.data:
        output.data["text/plain"] = scrub_paths(output.data["text/plain"], root)
    return bool(output.data)


def _presentation(cell: NotebookNode, index: int, failing: int | None) -> dict[str, Any]:
    """Return what the template needs to know of a cell."""
    tags = set(cell.metadata.get("tags", []))
    role = next((tag for tag in _PARAMETERS if tag in tags), None)
    lines = len(cell.source.splitlines())
    after_failure = failing is not None and index > failing
    return {
        "failing": index == failing,
        "solution": is_exercise(cell),
        "parameters": role is not None,
        "label": _PARAMETERS.get(role, "Code, not run" if after_failure else "Code"),
        "lines": lines,
        "input": bool(lines) and "remove-input" not in tags,
        "open": index == failing
        or (lines <= LONGEST_OPEN_CELL and "hide-input" not in tags)
        or role is not None,
    }


def _export(notebook: NotebookNode) -> str:
    """Return the cells as HTML, by nbconvert's basic template and ours upon it."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        raw_template=(FOLDER / "cells.html").read_text("utf-8"),
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        anchor_link_text="#",
    )
    return exporter.from_notebook_node(notebook)[0]
