"""A published table as the paper lays it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudy.experiments import published

if TYPE_CHECKING:
    import pandas as pd


def as_printed(name: str, index: str = "") -> pd.DataFrame:
    """Return a published table in the rows and columns of the paper, each cell as it is printed.

    Parameters
    ----------
    name : str
        One of :func:`~segstudy.experiments.published.tables` with a row and a column for each value.
    index : str
        The heading of the rows' names.
    """
    rows = published.table(name)
    wide = rows.pivot(index="row", columns="column", values="value")
    wide = wide.loc[rows["row"].drop_duplicates(), list(rows["column"].drop_duplicates())]
    return wide.rename_axis(index=index, columns=None).reset_index()
