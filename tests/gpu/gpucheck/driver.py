"""The command: parts in the order of their importance, each in a process of its own, within the time that there is.

A process of its own, because an error in a kernel leaves a process that computes no more, and because what hangs has to
be ended. The file is written anew after each part: what ends the check loses one part.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from segstudy.experiments.costs import gpu
from segstudy.files import write_bytes

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = ROOT / "reports" / "gpu.json"
NEEDED = {"torch", "numpy", "GPU"}
HOW = "; PYTHON names another interpreter, --device cpu tries the check itself"
LEAST = 10.0  # seconds: with fewer left no part begins, for to import torch takes as long on a slow disk
# Those with a parameter `device` first, and that which measures a GPU by itself.
NOTEBOOKS = sorted(
    (path.stem for path in (ROOT / "notebooks" / "scripts").glob("*.py")),
    key=lambda name: (name[:2] not in "01 02 03 04 05 07", name),
)


class Job(NamedTuple):
    """A process: which part, of which notebook, and how many seconds it may take."""

    part: str
    notebook: str
    seconds: float


JOBS = [
    *(Job(part, "", 90) for part in gpu.PARTS if part != "notebooks"),
    *(Job("notebooks", name, 100) for name in NOTEBOOKS),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; return 0, 1 where something failed, or 2 where nothing could be checked."""
    options = _parser().parse_args(arguments)
    check, started = _blank(options.minutes), time.monotonic()
    for job in (job for job in JOBS if job.part in options.parts):
        entries, seconds = _run(job, options.device, 60 * options.minutes - (time.monotonic() - started))
        lacks = {entry.get("lacks") for entry in entries} & NEEDED
        if lacks:
            print(f"tests/gpu.sh: there is no {' and no '.join(lacks)} here{HOW}", file=sys.stderr)
            return 2
        for entry in entries:
            check |= entry.get("machine", {})
        _add(check["parts"], job, entries, seconds)
        write_bytes(options.output, (json.dumps(check, indent=1) + "\n").encode())
    ends = _counts(result for part in check["parts"] for result in part["results"])
    print(f"{ends}; written to {options.output}, which python -m segstudy collect takes up")
    return int(any(part["state"] == gpu.FAILED for part in check["parts"]))


def _blank(minutes: float) -> dict[str, Any]:
    """Return the file's content before anything is known."""
    about = {
        "format": gpu.FORMAT,
        "version": gpu.VERSION,
        "date": date.today().isoformat(),
        "minutes": minutes,
    }
    return about | {"device": "unknown", "memory (GiB)": 0.0, "versions": {}, "parts": []}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/gpu.sh",
        description="Check the study on a machine with a GPU. Nothing is installed or fetched, and what the machine "
        "lacks is skipped by name: the papers' rooms ask for SciPy, Pillow, scikit-image and scikit-learn, their "
        "trunks for torchvision and timm. `python -m segstudy collect FILE` takes the file up elsewhere.",
        epilog=f"Parts: {', '.join(gpu.PARTS)}. Exit code 1: something failed; 2: nothing could be checked. "
        "PYTHON names another interpreter than python3. Where all of the study's packages are, whole notebooks run and "
        "their reports stay in reports/smoke.",
    )
    parser.add_argument(
        "--device",
        choices=("cuda", "cpu"),
        default="cuda",
        help="cpu: tries the check itself (default: cuda)",
    )
    parser.add_argument(
        "--minutes", type=float, default=8, help="that all parts may take together (default: 8)"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="FILE", help="default: reports/gpu.json"
    )
    parser.add_argument(
        "--parts", type=_parts, default=list(gpu.PARTS), metavar="A,B", help="these alone (default: all)"
    )
    return parser


def _parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in gpu.PARTS]:
        raise argparse.ArgumentTypeError(
            f"there is no part {unknown[0]!r}; there are: {', '.join(gpu.PARTS)}"
        )
    return names


def _run(job: Job, device: str, left: float) -> tuple[list[dict[str, Any]], float]:
    """Run a part in a process, unless too few seconds are left; return what it kept and its seconds."""
    print(f"{job.part} {job.notebook}".strip(), flush=True)
    started, limit = time.monotonic(), min(job.seconds, left)
    if left < LEAST:
        return [{"no time": "did not begin"}], 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kept"
        file.touch()
        words = [
            sys.executable,
            "-m",
            "gpucheck.child",
            job.part,
            job.notebook,
            device,
            str(limit),
            str(file),
        ]
        code = _wait(words, limit)
        whole, _, _ = file.read_text(encoding="utf-8").rpartition("\n")  # a process may be ended in mid-line
    entries = [json.loads(line) for line in whole.splitlines()]
    if code is None:
        entries.append({"no time": f"ended after {limit:.0f} s"})
    elif code:
        entries.append({"error": f"its process ended with code {code}"})
    return entries, time.monotonic() - started


def _wait(words: Sequence[str], limit: float) -> int | None:
    """Return a process's exit code; None where it was ended, with all that it had started, for time."""
    with subprocess.Popen(words, start_new_session=True, cwd=ROOT) as process:
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return None if code == -signal.SIGALRM else code


def _add(parts: list[dict[str, Any]], job: Job, entries: list[dict[str, Any]], seconds: float) -> None:
    """Add what a process kept to its part."""
    if not parts or parts[-1]["part"] != job.part:
        parts.append({"part": job.part, "state": gpu.SKIPPED, "note": "", "seconds": 0.0, "results": []})
    part, results = parts[-1], [entry for entry in entries if "name" in entry]
    part["results"] += results
    part["seconds"] = round(part["seconds"] + seconds, 1)
    states = [part["state"], *(result["state"] for result in results)]
    for state, note in _ends(entries):
        states.append(state)
        note = f"{job.notebook} {note}".strip()
        part["note"] = "; ".join(filter(None, (part["note"], note)))[: gpu.LONGEST]
        print(f"  {note}")
    part["state"] = max(states, key=(gpu.SKIPPED, gpu.OK, gpu.NO_TIME, gpu.FAILED).index)
    print(f"  {_counts(results)}, {seconds:.0f} s", flush=True)


def _counts(results: Iterable[dict[str, Any]]) -> str:
    states = [result["state"] for result in results]
    return ", ".join(f"{states.count(state)} {state}" for state in (gpu.OK, gpu.FAILED, gpu.SKIPPED))


def _ends(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what became of a process besides its results: a state and a note."""
    for entry in entries:
        if "lacks" in entry:
            yield gpu.SKIPPED, f"lacks {entry['lacks']}"
        elif "error" in entry:
            yield gpu.FAILED, entry["error"]
        elif "no time" in entry:
            yield gpu.NO_TIME, entry["no time"]
