"""The slides' two result tables, and ours beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from segstudy.experiments import published
from segstudy.experiments.beside import cells

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLES = {"ISIC 2016": "gnn_clustering_isic2016", "EMD6": "gnn_clustering_emd6"}
# Which printed table holds pictures of the same kind as a real data set; EMD6 is the slides' name for EMDS-6.
KIN = {
    "isic2016": "ISIC 2016",
    "ph2": "ISIC 2016",
    "emds6": "EMD6",
    "emds5": "EMD6",
}


def printed_tables() -> pd.DataFrame:
    """Return both tables as printed: columns data, method, IoU, Dice, best epoch."""
    parts = []
    for data, name in TABLES.items():
        wide = published.table(name).pivot(index="row", columns="column", values="number")
        order = published.table(name)["row"].drop_duplicates()
        wide = wide.loc[order].rename(columns={"Best Epoch": "best epoch"}).rename_axis(columns=None)
        parts.append(wide.rename_axis("method").reset_index().assign(data=data))
    return pd.concat(parts, ignore_index=True)[["data", "method", "IoU", "Dice", "best epoch"]]


def beside(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ours on one data set with the printed values in columns of their own.

    Parameters
    ----------
    ours : DataFrame
        Rows of one data set from :func:`~segstudy.experiments.gnn_clustering.results.slides_table`.
    theirs : DataFrame
        Rows of one data set from :func:`printed_tables`; none: the slides have no such pictures, and no column.

    Returns
    -------
    DataFrame
        Scores as fractions with their standard deviation over seeds.
    """
    known = theirs.set_index("method").reindex(ours["method"])
    columns: Mapping[str, list] = {
        "method": ours["method"].tolist(),
        "IoU: ours": cells(ours["IoU"], ours["IoU std"], 3),
        "IoU: slides": known["IoU"].tolist(),
        "Dice: ours": cells(ours["Dice"], ours["Dice std"], 3),
        "Dice: slides": known["Dice"].tolist(),
        "best epoch: ours": ours["best epoch"].astype(int).tolist(),
        "best epoch: slides": known["best epoch"].astype("Int64").tolist(),
    }
    kept = [name for name in columns if len(theirs) or not name.endswith(": slides")]
    return pd.DataFrame(columns)[kept]
