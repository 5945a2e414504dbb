"""What a run depends on, and why a report is stale: the one place that decides what is to be done."""

from __future__ import annotations

import ast
import csv
import json
import platform
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

import segstudy.study
from segstudy.datasets import data_root, dataset_names, loader, open_dataset
from segstudy.errors import MissingData
from segstudy.fingerprint import digest, files_digest, import_closure, module_closure, tree_files
from segstudy.study.files import read_json, read_run, write_json
from segstudy.study.notebooks import code_fingerprint, code_source
from segstudy.study.project import REAL, Notebook, Project, Settings

NOTHING, RENDER, RUN = "nothing to do", "render again", "run"
PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "pandas", "matplotlib")
PACKAGES += ("torch", "torchvision", "timm", "torch-geometric", "PyMaxflow")
WHOLE = ("run.json", "report.html", "notebook.ipynb", "metrics.json")  # a report that lacks one is none
SAME = Path("reports/reference/same_results.csv")
PROSE = ("prose", "page")  # parts that change the page only


@dataclass(frozen=True)
class Step:
    """What is to be done for one notebook, and why.

    Parameters
    ----------
    notebook : Notebook
    action : str
        `RUN`, `RENDER` or `NOTHING`.
    reasons : tuple of str
        Why, in a person's words; empty for `NOTHING`.
    minutes : float
        Expected time: the last run's where there was one, else what study.yaml says.
    parts : dict
        Everything the run depends on, by kind; kept in its record.
    values : dict
        Every parameter's value.
    """

    notebook: Notebook
    action: str
    reasons: tuple[str, ...]
    minutes: float
    parts: dict[str, Any]
    values: dict[str, Any]


class _Known:
    """What the notebooks of one plan have in common, looked up once for all of them."""

    def __init__(self, project: Project) -> None:
        self.versions = versions()
        self.page = page_fingerprint()
        self.datasets = frozenset(dataset_names())
        self.data = cache(partial(data_fingerprint, project))


def plan(
    project: Project, profile: str, chosen: list[Notebook], sets: dict[str, Any], force: bool
) -> list[Step]:
    """Return a step for each chosen notebook and for each that they need, in an order that respects needs and after.

    Raises
    ------
    StudyError
        For a parameter no notebook knows, a value of another type, or data that is not there: before any run.
    """
    project.check_overrides(chosen, sets)
    ordered = _needs_first(project, chosen)
    known = _Known(project)
    _require_data(ordered, profile, sets, known)
    steps: dict[str, Step] = {}
    for notebook in sorted(ordered, key=lambda notebook: bool(notebook.after)):
        wanted = force and notebook in chosen
        steps[notebook.name] = _step(project, profile, notebook, sets, wanted, steps, known)
    return list(steps.values())


def _needs_first(project: Project, chosen: list[Notebook]) -> list[Notebook]:
    """Return the chosen notebooks and all they need, each after what it needs."""
    ordered: list[Notebook] = []
    for notebook in chosen:
        needed = _needs_first(project, [project.notebooks[need] for need in notebook.needs])
        ordered += [n for n in [*needed, notebook] if n not in ordered]
    return ordered


def _require_data(notebooks: list[Notebook], profile: str, sets: dict[str, Any], known: _Known) -> None:
    """Refuse to plan where data is missing, with the cards of all that is."""
    asked = ((n.settings(profile), n.values(profile, sets)) for n in notebooks)
    names = {name for settings, values in asked for name in _data_names(settings, values, known)}
    missing = []
    for name in sorted(names):
        try:
            open_dataset(name, data_root())
        except MissingData as error:
            missing.append(str(error))
    if missing:
        raise MissingData("\n\n".join(missing))


def _step(
    project: Project,
    profile: str,
    notebook: Notebook,
    sets: dict[str, Any],
    force: bool,
    planned: dict[str, Step],
    known: _Known,
) -> Step:
    values = notebook.values(profile, sets)
    parts = _parts(project, profile, notebook, values, known) | {
        "needs": {name: digest(_run_parts(planned[name].parts)) for name in notebook.needs}
    }
    if notebook.after:
        parts["records"] = records_fingerprint(project, profile, notebook)
    parts = json.loads(json.dumps(parts))  # as it comes back from a record
    record = read_run(project.report(profile, notebook.name))
    whole = all((project.report(profile, notebook.name) / name).is_file() for name in WHOLE)
    reasons = differences(record["fingerprint"], parts) if record and whole else ("never run",)
    if project.failed(profile, notebook.name).is_dir() and reasons == ("never run",):
        reasons = ("the last run did not finish",)
    before = [planned[name] for name in (*notebook.needs, *notebook.after) if name in planned]
    reasons += tuple(f"{step.notebook.name} runs before it" for step in before if step.action == RUN)
    if force:
        reasons = ("--force", *reasons)
    prose_only = all(reason in ("prose changed", "page changed") for reason in reasons)
    action = NOTHING if not reasons else RENDER if prose_only else RUN
    expected = (
        (record["seconds"] + record["cached_seconds"]) / 60 if record else notebook.settings(profile).minutes
    )
    minutes = {NOTHING: 0.0, RENDER: 0.1, RUN: expected}[action]
    return Step(notebook, action, reasons, minutes, parts, values)


def _run_parts(parts: dict[str, Any]) -> dict[str, Any]:
    return {kind: value for kind, value in parts.items() if kind not in PROSE}


def records_fingerprint(project: Project, profile: str, notebook: Notebook) -> dict[str, str]:
    """Return, by notebook whose records this one reads, a digest of them and of the code that they are held against.

    The records are the committed one of real data and that of the profile; new prose changes neither.
    """
    found = {}
    for name in notebook.after:
        folders = project.report("reference", f"{REAL}/{name}"), project.report(profile, name)
        now = run_modules(project, project.notebooks[name])
        found[name] = digest([*(_told(read_run(folder)) for folder in folders), now])
    return found


def _told(record: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what a record tells of its run, without what a page drawn again changes."""
    return record and record | {"title": "", "fingerprint": _run_parts(record["fingerprint"])}


def changed_since(project: Project, record: dict[str, Any]) -> list[str]:
    """Return the modules whose code differs from the code that made a record, "code" for the notebook's cells."""
    now, then = run_modules(project, project.notebooks[record["notebook"]]), record["fingerprint"]
    then = {"code": then["code"]} | then["modules"]
    return sorted(name for name in set(now) | set(then) if now.get(name) != then.get(name))


def outdated(project: Project, record: dict[str, Any]) -> list[str]:
    """Return the modules whose code differs from the code that made a record in a way that may change its results.

    Changes that do not are listed in `SAME`, each with the test that shows it.
    """
    now, then = run_modules(project, project.notebooks[record["notebook"]]), record["fingerprint"]["modules"]
    same = {(row["module"], row["before"]): row["after"] for row in same_results(project)}

    def leads_here(module: str) -> bool:
        digest = then.get(module, "")
        while digest != now.get(module, "") and (module, digest) in same:
            digest = same.pop((module, digest))
        return digest == now.get(module, "")

    return [module for module in changed_since(project, record) if not leads_here(module)]


def same_results(project: Project) -> list[dict[str, str]]:
    """Return the changes of code that change no result: "module", its digests "before" and "after", "shown_by".

    A digest is empty where the module is not read: a new one before, one whose code has moved after.
    """
    path = project.root / SAME
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _parts(
    project: Project, profile: str, notebook: Notebook, values: dict[str, Any], known: _Known
) -> dict[str, Any]:
    settings = notebook.settings(profile)
    modules = run_modules(project, notebook)
    return {
        "parameters": values,
        "code": modules.pop("code"),
        "modules": modules,
        "data": {name: known.data(name) for name in _data_names(settings, values, known)},
        "environment": known.versions,
        "threads": settings.threads,
        "prose": digest([[cell.cell_type, cell.source, cell.metadata] for cell in notebook.cells.cells]),
        "page": known.page,
    }


def _data_names(settings: Settings, values: dict[str, Any], known: _Known) -> list[str]:
    """Return the data sets that a run reads: those declared, and those its parameters name."""
    given = [item for value in values.values() for item in (value if isinstance(value, list) else [value])]
    named = {str(item).partition("/")[0] for item in given if isinstance(item, str)}
    return sorted(set(settings.data) | (named & known.datasets))


def run_modules(project: Project, notebook: Notebook) -> dict[str, str]:
    """Return the digests of all code a notebook runs: its cells, as "code", and every module, by path."""
    code = code_fingerprint(notebook.cells)  # first: it says which cell is not Python
    source = code_source(notebook.cells)
    others = [project.notebooks[name].networks for name in notebook.after]
    for entry in filter(None, [notebook.experiments, *others]):
        source += f"\nimport {entry.partition(':')[0]}"
    parts = [import_closure(part, project.root, beside=("notebooks",)) for part in _parted(source)]
    return {"code": code} | dict(sorted((parts[0] | parts[1]).items()))


def _parted(source: str) -> tuple[str, str]:
    """Return a source's import statements, which many notebooks share and are followed once, and the rest."""
    body = ast.parse(source).body

    def lines(node: ast.stmt) -> range:
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)

    others = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    kept = {line for node in others for line in lines(node)}
    imports = [node for node in body if node not in others and not kept.intersection(lines(node))]
    moved = {line for node in imports for line in lines(node)}
    rest = ("pass" if number in moved else line for number, line in enumerate(source.split("\n"), 1))
    return "\n".join(sorted(map(ast.unparse, imports))), "\n".join(rest)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on ("none" where one is missing)."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name).split("+")[0]
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def page_fingerprint() -> str:
    """Digest of the code and templates that make report.html."""
    package = Path(segstudy.__file__).resolve().parent
    return digest(module_closure(package / "study" / "report.py", package.parent))


def data_fingerprint(project: Project, name: str) -> str:
    """Fingerprint of a data set: its loader, names and bytes of its files, remembered by size and time of change."""
    root = data_root()
    path = project.state / "data.json"
    memory = read_json(path) or {}
    known = len(memory)
    fingerprint = files_digest(tree_files(root / name), root / name, memory)
    if len(memory) != known:
        write_json(path, memory)
    return digest([module_closure(loader(name), Path(segstudy.__file__).resolve().parents[1]), fingerprint])


def differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Return, in words, what differs between the parts of a kept run and those of a run now."""
    reasons: list[str] = []
    for kind in new:
        before, now = old.get(kind), new[kind]
        if before == now:
            continue
        if kind == "parameters" and isinstance(before, dict):
            for name in sorted(set(before) | set(now)):
                if before.get(name) != now.get(name):
                    reasons.append(f"parameter {name}: {before.get(name)!r} -> {now.get(name)!r}")
        elif isinstance(now, dict) and isinstance(before, dict):
            changed = sorted(name for name in set(before) | set(now) if before.get(name) != now.get(name))
            shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
            reasons.append(f"{kind} changed: {shown}")
        else:
            reasons.append(f"{'code cells' if kind == 'code' else kind} changed")
    return tuple(reasons)
