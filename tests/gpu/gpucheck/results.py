"""Results as the file has them: a name, a state, a note, and numbers that are finite."""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from segstudy.errors import StudyError
from segstudy.experiments.costs import gpu

Result = dict[str, Any]
LETTERS = 200  # of an error
TOO_FAR = "further from the CPU's than rounding takes it"
GIB = 2**30
PATH = re.compile(r"(?<![\w.])(?:/[\w.+-]+)+/")  # of a machine, which are nobody's business


class NoGPU(Exception):
    """The GPU that was asked for is not there."""


def result(name: str, state: str = gpu.OK, note: str = "", **columns: Any) -> Result:
    """Return a result; a number that is not finite is left out."""
    kept = {key: value for key, value in columns.items() if isinstance(value, str) or math.isfinite(value)}
    return {"name": name, "state": state, "note": note} | kept


def guarded(name: str, measure: Callable[[], Iterable[Result]], **columns: str) -> Iterator[Result]:
    """Yield what `measure` gives, and at last that it failed, or was skipped for what the machine lacks."""
    try:
        yield from measure()
    except ImportError as error:
        yield result(name, gpu.SKIPPED, f"lacks {lacking(error)}", **columns)
    except StudyError as error:  # data or weights that are not here
        yield result(name, gpu.SKIPPED, in_short(error), **columns)
    except Exception as error:
        traceback.print_exc()
        yield result(name, gpu.FAILED, in_short(error), **columns)


def lacking(error: ImportError) -> str:
    """Return the package that an import did not find."""
    return (error.name or str(error)).partition(".")[0]


def in_short(error: Exception) -> str:
    """Return an error in one line, without a path of the machine."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return "".join(letter for letter in PATH.sub("", text) if letter.isprintable())[:LETTERS]
