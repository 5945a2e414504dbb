"""What the runner itself costs, as a benchmark measured it on one machine with stand-in notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segstudy.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

READS = ("data/measured/runner.csv",)
FILE = Path(__file__).resolve().parents[3] / READS[0]


def runner_table() -> pd.DataFrame:
    """Return what was measured: what, size, median, "lower quartile", "upper quartile", unit, n, machine, source.

    Raises
    ------
    StudyError
        The file is not there: it lies in a checkout, not in the installed package.
    """
    import pandas as pd

    if not FILE.is_file():
        raise StudyError(
            f"{READS[0]} is missing: a checkout has it, and tests/benchmarks/bench_study.py makes it"
        )
    return pd.read_csv(FILE)
