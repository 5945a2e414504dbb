"""Execute a notebook with papermill, cell by cell under watch, and say truthfully how it ended.

papermill claims that every cell completed when the kernel was killed, so the outcome is taken from the
exception, the watch and the cells' own outputs, never from papermill's metadata.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from segstudy.study.notebooks import heading_of
from segstudy.study.watch import Watch

KERNEL = "segstudy-run"  # a kernel of this very interpreter, registered in the job's own folder


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    status : str
        "ok", "failed" (a cell raised), "killed" (the kernel died), "timeout" or "memory".
    failure : dict or None
        Cell number, heading and error; None for "ok".
    cells : list of dict
        Seconds of each code cell that ran, with its heading.
    """

    status: str
    failure: dict[str, Any] | None
    cells: list[dict[str, Any]]


def execute(path: Path, parameters: dict[str, Any], watch: Watch, folder: Path) -> Outcome:
    """Execute the notebook at `path` in place.

    Parameters
    ----------
    path : Path
        The notebook, overwritten with the executed one (in a folder of this run's own).
    parameters : dict
        Injected below the parameters cell.
    watch : Watch
        Started; is told of every cell.
    folder : Path
        The kernel's working directory.
    """
    papermill_engines.register("segstudy", _engine(watch))
    error: Exception | None = None
    template = (
        str(path).replace("{", "{{").replace("}", "}}")
    )  # papermill puts parameters into a path's braces
    try:
        papermill.execute_notebook(
            template,
            template,
            parameters=parameters,
            engine_name="segstudy",
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=str(folder),
        )
    except Exception as raised:  # whatever ends a run, the run is kept and told of
        error = raised
    notebook = nbformat.read(path, as_version=4)
    _drop_banners(notebook)
    seconds = _seconds(notebook)
    _drop_metadata(notebook)
    nbformat.write(notebook, path)
    stopped = _where_it_stopped(notebook)
    if isinstance(error, PapermillExecutionError) and stopped is None:
        error = None  # papermill does not know the tag "raises-exception": the error was meant to be shown
    if error is None and watch.verdict is None and stopped is None:
        return Outcome("ok", None, seconds)
    status, text = _what_happened(error, watch)
    cell = stopped if stopped is not None and status == "failed" else max(watch.cell, 0)
    return Outcome(status, {"cell": cell, "heading": heading_of(notebook, cell), "error": text}, seconds)


def _where_it_stopped(notebook: nbformat.NotebookNode) -> int | None:
    """Return the first cell that raised (and was not tagged to) or did not run; None where all is well.

    papermill forgives a cell that calls ``sys.exit()`` and says nothing of those it then left out.
    """
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        raised = any(output.output_type == "error" for output in cell.outputs)
        if (raised and "raises-exception" not in cell.metadata.get("tags", [])) or not cell.execution_count:
            return index
    return None


def _engine(watch: Watch) -> type[NBClientEngine]:
    """Return a papermill engine that tells `watch` which cell runs."""

    class StudyEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            start = nb_man.cell_start

            def told(cell: Any, cell_index: int | None = None, **more: Any) -> Any:
                if cell.cell_type == "code":
                    watch.at_cell(
                        cell_index or 0, len(nb_man.nb.cells), heading_of(nb_man.nb, cell_index or 0)
                    )
                return start(cell, cell_index, **more)

            nb_man.cell_start = told
            # On a busy machine a kernel is slow to start and to speak; nbclient gives up after 4 s of silence.
            patience = {
                "startup_timeout": 60 * watch.still_minutes,
                "iopub_timeout": 60 * watch.still_minutes,
            }
            client = PapermillNotebookClient(
                nb_man, kernel_name=kernel_name, timeout=None, record_timing=True, **patience
            )
            return client.execute(env=os.environ.copy())

    return StudyEngine


def _what_happened(error: Exception | None, watch: Watch) -> tuple[str, str]:
    if watch.verdict is not None:
        return watch.verdict
    if isinstance(error, PapermillExecutionError):
        status = "memory" if error.ename in ("MemoryError", "OutOfMemoryError") else "failed"
        return status, f"{error.ename}: {error.evalue}"
    if isinstance(error, DeadKernelError):
        more = f"the kernel died; it had used {watch.peak_mb / 1024:.1f} GB of its {watch.memory_gb:g} GB"
        return (
            "killed",
            more + " (a kernel killed from outside, a crash in compiled code, or the machine's memory)",
        )
    if error is None:
        return "failed", "the cell left the notebook (sys.exit?), and the cells below it did not run"
    return "failed", f"{type(error).__name__}: {error}"


def _seconds(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    rows = []
    for index, cell in enumerate(notebook.cells):
        duration = cell.metadata.get("papermill", {}).get("duration")
        if cell.cell_type == "code" and duration is not None:
            rows.append(
                {"cell": index, "heading": heading_of(notebook, index), "seconds": round(duration, 3)}
            )
    return rows


def _drop_banners(notebook: nbformat.NotebookNode) -> None:
    """Drop the cells papermill adds to point at an error: the page has a banner of its own."""
    marker = "papermill-error-cell-tag"
    notebook.cells = [cell for cell in notebook.cells if marker not in cell.metadata.get("tags", [])]


def _drop_metadata(notebook: nbformat.NotebookNode) -> None:
    """Drop papermill's metadata: they hold paths of this machine, and times."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
