"""What every page of the study shares: templates, style, script, the security policy, and how numbers are written.

A page is one file that asks for nothing: style and script are inlined, and a content security policy forbids
every request but the pictures that the page carries itself, or that lie beside it, so that a stray address in
a notebook's output is harmless.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import math
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

FOLDER = Path(__file__).parent
READS = ("segstudy/study/page/*.html", "segstudy/study/page/*.css", "segstudy/study/page/*.js")
MATHJAX_PACKAGE = "sphinx-mathjax-offline"
MATHJAX_FILE = "tex-svg-full.js"

# What a record may lack: a run that was killed leaves only what was known before it died.
BLANK_RUN: dict[str, Any] = {
    "notebook": "",
    "title": "",
    "profile": "",
    "status": "ok",
    "failure": None,
    "parameters": {},
    "seeds": [],
    "data": [],
    "features": "",
    "device": "",
    "threads": None,
    "versions": {},
    "started": "",
    "seconds": None,
    "cached_seconds": None,
    "peak_memory_mb": None,
    "fingerprint": {},
    "headline": [],
    "verdicts": [],
    "headline_figure": None,
    "headline_alt": "",
    "tables": [],
    "figures": [],
    "folder": "",
    "failed": None,
    "trouble": None,
    "reference": None,
}
STATUS = {
    "failed": "failed",
    "killed": "was killed",
    "timeout": "ran out of time",
    "memory": "ran out of memory",
}
VERDICTS = {
    "holds": "holds",
    "holds weakly": "weak",
    "does not hold": "fails",
    "not testable with this data": "open",
    "not run": "open",
}


def complete(run: dict[str, Any]) -> dict[str, Any]:
    """Return `run` with every key that a page reads, blank where the record lacks it, and a folder of its own."""
    whole = {**BLANK_RUN, **{key: value for key, value in run.items() if value is not None}}
    kept = whole["notebook"] if whole["status"] == "ok" else f"failed/{whole['notebook']}"
    return {**whole, "title": whole["title"] or whole["notebook"], "folder": whole["folder"] or kept}


def in_order(verdicts: Counter[str]) -> dict[str, int]:
    """Return counted verdicts from the best to the least, without those that nobody got."""
    return {name: verdicts[name] for name in VERDICTS if verdicts[name]}


def duration(seconds: float | None) -> str:
    """Write a time as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`; an empty text where it is not known."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def memory(megabytes: float | None) -> str:
    """Write an amount of memory given in MB: `850 MB`, `2.4 GB`; an empty text where it is not known."""
    if megabytes is None:
        return ""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def date(started: str) -> str:
    """Write an ISO 8601 time as `14 March 2026, 09:30 UTC`; what is not such a time is returned as it is."""
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()


def number(value: float | str | None, decimals: int | None = None) -> str:
    """Write a value with so many `decimals`, or four significant digits; an en dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"


def measured(row: dict[str, Any]) -> str:
    """Write a headline's value, with as many decimals as its spread has."""
    ours = row.get("ours")
    if not isinstance(ours, int | float):
        return "not run" if ours is None else str(ours)
    return number(ours, _decimals(row.get("spread")))


def spread(row: dict[str, Any], over: str) -> str:
    """Write a headline's `spread (n)` where it is one over these (seeds, pictures), with two significant digits."""
    value = row.get("spread")
    if row.get("over") != over or not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{number(value, _decimals(value))} ({row['n']})"


def _decimals(value: float | None) -> int | None:
    """Return how many decimals show two significant digits of a spread, 4 at most; None where there is none."""
    if not value or not math.isfinite(value):
        return None
    return min(max(1 - math.floor(math.log10(abs(value))), 0), 4)


@cache
def mathjax() -> str:
    """Return MathJax's one-file SVG build, read from the installed package.

    Raises
    ------
    FileNotFoundError
        If the package is not installed, or does not hold the file.
    """
    try:
        files = importlib.metadata.files(MATHJAX_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == MATHJAX_FILE:
            return Path(str(file.locate())).read_text("utf-8")
    raise FileNotFoundError(f"{MATHJAX_FILE} was not found: pip install {MATHJAX_PACKAGE}")


def policy(scripts: list[str], pictures: str) -> str:
    """Return a content security policy under which only `scripts` run and only `pictures` load."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rules = [
        "default-src 'none'",
        f"img-src {pictures}",
        "style-src 'unsafe-inline'",
        f"script-src {allowed}",
    ]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


@cache
def environment() -> jinja2.Environment:
    """Return the templates' environment: everything is escaped, and a name that is not there is an error."""
    loader = jinja2.FileSystemLoader(FOLDER)
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    filters = (duration, memory, date, number, measured, spread)
    made.filters.update({function.__name__: function for function in filters})
    made.globals.update(STATUS=STATUS, VERDICTS=VERDICTS)
    return made


def render(template: str, *, formulas: int = 0, pictures: str = "data:", **context: Any) -> str:
    """Render a page; MathJax is inlined only where the page has `formulas`.

    Parameters
    ----------
    template : str
        File name of the template.
    formulas : int
        How many formulas the page holds.
    pictures : str
        Sources of pictures that the page may read, in the words of a content security policy.
    **context
        What the template reads.
    """
    style, script = ((FOLDER / name).read_text("utf-8") for name in ("style.css", "page.js"))
    scripts = [script, mathjax()] if formulas else [script]
    shared = {"style": style, "scripts": scripts, "policy": policy(scripts, pictures), "formulas": formulas}
    return environment().get_template(template).render(**shared, **context)
