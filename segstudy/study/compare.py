"""What differs between two runs: parameters, versions, data, code, metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segstudy.errors import StudyError
from segstudy.study.files import read_json, read_run

PLAIN = (
    "notebook",
    "profile",
    "status",
    "features",
    "device",
    "threads",
    "seeds",
    "seconds",
    "peak_memory_mb",
)


def compare_runs(first: Path, second: Path) -> list[str]:
    """Return the differences of two report folders as lines, grouped under headings; empty when there are none.

    Raises
    ------
    StudyError
        When a folder holds no record of a run.
    """
    (run_a, metrics_a), (run_b, metrics_b) = _read(first), _read(second)
    lines = _section("run", {k: run_a.get(k) for k in PLAIN}, {k: run_b.get(k) for k in PLAIN})
    lines += _section("parameters", run_a["parameters"], run_b["parameters"])
    lines += _section("versions", run_a["versions"], run_b["versions"])
    lines += _section("data", _data(run_a), _data(run_b))
    modules_a, modules_b = (run["fingerprint"].get("modules", {}) for run in (run_a, run_b))
    lines += _section("modules", modules_a, modules_b)
    return lines + _metrics(metrics_a, metrics_b)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    run, metrics = read_run(folder), read_json(folder / "metrics.json")
    if run is None:
        raise StudyError(
            f"{folder} holds no run.json of this study; name a report's folder, such as reports/demo/00_start_here"
        )
    return run, metrics or {}


def _data(run: dict[str, Any]) -> dict[str, str]:
    return {f"{d['name']} {d['split']}": f"{d['count']} images, {d['fingerprint'][:12]}" for d in run["data"]}


def _section(title: str, a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    rows = [f"  {k}: {a.get(k, '(absent)')} -> {b.get(k, '(absent)')}" for k in dict.fromkeys([*a, *b])]
    rows = [row for row, k in zip(rows, dict.fromkeys([*a, *b]), strict=True) if a.get(k) != b.get(k)]
    return [title, *rows] if rows else []


def _metrics(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    rows = []
    for name in dict.fromkeys([*a, *b]):
        if a.get(name) == b.get(name):
            continue
        if name not in a or name not in b:
            rows.append(f"  {name}: only in the {'first' if name in a else 'second'}")
            continue
        rows.append(f"  {name}: {_value(a[name])} -> {_value(b[name])}{_change(a[name], b[name])}")
    return ["metrics", *rows] if rows else []


def _value(metric: dict[str, Any]) -> str:
    mean, std = metric["mean"], metric["std"]
    text = "none" if mean is None else f"{mean:.6g}"
    return text + (f" ± {std:.3g}" if std is not None else "") + f" (n = {metric['n']})"


def _change(a: dict[str, Any], b: dict[str, Any]) -> str:
    return "" if a["mean"] is None or b["mean"] is None else f", {b['mean'] - a['mean']:+.3g}"
