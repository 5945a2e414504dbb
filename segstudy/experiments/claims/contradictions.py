"""Where a paper contradicts itself: what it says in one place, and what its own tables or equations give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudy.experiments.claims import printed_equations, printed_tables
from segstudy.experiments.claims.check import Check
from segstudy.experiments.claims.ledger import NOTEBOOKS

if TYPE_CHECKING:
    import pandas as pd


def check_all() -> pd.DataFrame:
    """Run every check; return a row for each, its columns the fields of `Check`, in the papers' order."""
    import pandas as pd

    checks = [check() for module in (printed_tables, printed_equations) for check in module.CHECKS]
    checks.sort(key=lambda check: list(NOTEBOOKS).index(check.paper))
    return pd.DataFrame(checks, columns=Check._fields)
