"""A folder for any static host: index, reports, the students' notebooks, the reference of the functions."""

from __future__ import annotations

import importlib
import io
import re
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from segstudy.errors import StudyError
from segstudy.study.files import write_text
from segstudy.study.handout import make_handout, require_empty
from segstudy.study.page import mathjax, render
from segstudy.study.project import PROFILES

if TYPE_CHECKING:
    from segstudy.study.project import Project

PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = ("datasets", "metrics", "plots", "graphs", "postprocess", "baselines", "nn", "papers")
MODULES = ("segstudy.segmenter", "segstudy.training", "segstudy.cache", "segstudy.study.record")
SETTINGS: dict[str, Any] = {
    "project": "segstudy",
    "extensions": ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"],
    "default_role": "py:obj",  # a name in single quotes is a link where there is something of that name
    "autodoc_preserve_defaults": True,
    "autodoc_typehints_format": "short",
    "add_module_names": False,
    "numpydoc_show_class_members": False,
    "html_theme": "alabaster",
    "html_theme_options": {
        "description": "the functions, from their docstrings",
        "page_width": "70rem",
        "sidebar_width": "17rem",
    },
    "html_static_path": ["static"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_sidebars": {"**": ["about.html", "localtoc.html", "searchfield.html"]},
    "mathjax_path": "mathjax.js",
    "mathjax3_config": {"options": {"enableMenu": False}},
    "mathjax_options": {"defer": "defer"},
}
_TABLE_RULE = re.compile(r"\|[\s|:-]+\|$")


def make_site(project: Project, folder: Path) -> None:
    """Write the site.

    Raises
    ------
    StudyError
        Where the folder holds anything, or what makes the reference is not installed.
    """
    require_empty(folder)
    _require_sphinx()
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = list(project.notebooks.values())
    profiles = [name for name in PROFILES if (project.root / "reports" / name / "index.html").is_file()]
    for profile in profiles:
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(project.root / "reports" / profile, folder / "reports" / profile, ignore=hidden)
    with tempfile.TemporaryDirectory() as aside:
        make_handout(notebooks, Path(aside) / "course")
        students = Path(aside) / "course" / "students"
        (folder / "handouts").mkdir()
        shutil.make_archive(str(folder / "handouts" / "pictures"), "zip", students, "pictures")
        for notebook in notebooks:
            shutil.copy(students / f"{notebook.name}.ipynb", folder / "handouts")
    cards = []
    for notebook in notebooks:
        ran = [p for p in profiles if (folder / "reports" / p / notebook.name / "report.html").is_file()]
        cards.append({"name": notebook.name, "title": notebook.title, "profiles": ran})
    write_text(folder / "index.html", render("site.html", cards=cards, profiles=profiles))
    make_reference(folder / "reference", public_modules())


def public_modules() -> list[str]:
    """Return what others import from: each room's package that says what it gives, and a few modules alone."""
    found = [file for room in ROOMS for file in sorted((PACKAGE / room).rglob("__init__.py"))]
    found = [file for file in found if "__all__" in file.read_text(encoding="utf-8")]
    return [".".join(file.parent.relative_to(PACKAGE.parent).parts) for file in found] + list(MODULES)


def make_reference(folder: Path, modules: list[str]) -> None:
    """Write the reference of `modules`, a page each, from their docstrings, with equations drawn on the page.

    Raises
    ------
    StudyError
        Where Sphinx stops, with what it said.
    """
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError

    with tempfile.TemporaryDirectory() as aside:
        source, said = Path(aside) / "source", io.StringIO()
        write_text(source / "static" / "mathjax.js", mathjax())
        pages = [name.removeprefix("segstudy.") for name in modules]
        for name, page in zip(modules, pages, strict=True):
            write_text(source / f"{page}.rst", _page(importlib.import_module(name)))
        contents = "".join(f"   {page}\n" for page in pages)
        write_text(source / "index.rst", f"Reference\n=========\n\n.. toctree::\n\n{contents}")
        try:
            app = Sphinx(source, None, folder, Path(aside) / "trees", "html", SETTINGS, None, said)
            app.connect("autodoc-process-docstring", _tables, priority=1)
            app.build()
        except SphinxError as error:
            raise StudyError(f"the reference could not be made: {error}\n{said.getvalue()}") from error


def _require_sphinx() -> None:
    missing = []
    for name in ("sphinx", "numpydoc"):
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise StudyError(f"{' and '.join(missing)} not installed: pip install -r requirements.txt")


def _page(module: ModuleType) -> str:
    """Return a module's page: its docstring, then all that it gives."""
    name = module.__name__
    members = "   :imported-members:\n" if hasattr(module, "__path__") else ""
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n{members}"


def _tables(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Write the Markdown tables of a docstring as Sphinx reads them, in place."""
    written: list[str] = []
    for line in lines:
        row = line.strip()
        if not (row.startswith("|") and row.endswith("|") and row.count("|") > 2):
            written.append(line)
        elif not _TABLE_RULE.match(row):
            if not written or not written[-1].startswith("     -"):
                written += ["", ".. list-table::", "   :header-rows: 1", ""]
            first, *others = (cell.strip() or "\\ " for cell in row.strip("|").split("|"))
            written += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    lines[:] = written
