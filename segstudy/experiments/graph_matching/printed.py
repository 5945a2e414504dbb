"""Table I as the paper prints it, and ours beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segstudy.experiments import published
from segstudy.experiments.beside import cell, cells
from segstudy.experiments.graph_matching.evaluation import APPROACHES
from segstudy.experiments.graph_matching.results import AVERAGE

if TYPE_CHECKING:
    import pandas as pd

# The printed names of the classes, in the order of our ids; L and R are a person's own left and right.
PRINTED_CLASSES = {
    "Average": AVERAGE,
    "Bg": "background",
    "Hr": "hair",
    "Fc": "face",
    "R-br": "right brow",
    "L-br": "left brow",
    "R-eye": "right eye",
    "L-eye": "left eye",
    "Nose": "nose",
    "Mouth": "mouth",
}
PRINTED_MEASURES = {"Pixelwise": "pixelwise", "Bounding box": "box"}


def printed_table_one() -> pd.DataFrame:
    """Return Table I as printed, in fractions: columns share, approach, measure, class, mean."""
    table = published.table("graph_matching_table1")
    rows = table["row"].str.split(" | ", regex=False, expand=True)
    columns = table["column"].str.split(" | ", regex=False, expand=True)
    return rows.set_axis(["share", "approach"], axis=1).assign(
        share=rows[0].astype(int),
        measure=columns[0].map(PRINTED_MEASURES),
        **{"class": columns[1].map(PRINTED_CLASSES), "mean": table["number"] / 100},
    )


def beside(ours: pd.DataFrame, printed: pd.DataFrame, share: int, measure: str) -> pd.DataFrame:
    """Return a part of Table I in percent, classes as rows, ours and the printed values in columns of their own.

    Parameters
    ----------
    ours, printed : DataFrame
        From :meth:`Results.table_one` and :func:`printed_table_one`.
    share : int
        Percent of the training set.
    measure : {"pixelwise", "box"}
    """
    import pandas as pd

    columns: dict[str, list[str]] = {}
    for approach in APPROACHES:
        part = ours.query("share == @share and approach == @approach and measure == @measure")
        columns["class"] = part["class"].tolist()
        columns[f"{approach}: ours"] = cells(100 * part["mean"], 100 * part["std"], 1)
        known = printed.query("share == @share and approach == @approach and measure == @measure")
        if len(known):
            means = known.set_index("class")["mean"].reindex(columns["class"])
            columns[f"{approach}: paper"] = [cell(100 * mean, 1) for mean in means]
    return pd.DataFrame(columns)
