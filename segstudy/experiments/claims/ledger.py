"""The ledger: every checkable claim with the verdicts that the papers' notebooks recorded.

Two sources stand side by side and are never mixed: the committed records of real runs, and the records of the run at
hand. A claim without a record reads "not run" in its column. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segstudy.experiments import published
from segstudy.experiments.claims.causes import UNKNOWN, causes, shown_by
from segstudy.experiments.verdicts import FAILS, HOLDS, NOT_RUN, NOT_TESTABLE, WEAKLY

if TYPE_CHECKING:
    import pandas as pd

TESTED = (HOLDS, WEAKLY, FAILS)
WORDS = (*TESTED, NOT_TESTABLE, NOT_RUN)
# Each paper's notebook, the only one whose verdicts on its claims count.
NOTEBOOKS = {
    "graph_matching": "01_graph_matching",
    "sgseg": "02_sgseg",
    "gnn_clustering": "03_gnn_clustering",
    "dgcn": "04_dgcn",
    "scgnet": "05_scgnet",
}
# Of the last column of claims.csv, what the paper's own printed numbers say of its claim.
OWN = {"H": "holds", "P": "in part", "C": "contradicted", "N": "no number"}
DASH = "–"

Records = Mapping[str, Mapping[str, Any] | None]  # by notebook


def gather(kept: Records, here: Records, papers: Sequence[str] = tuple(NOTEBOOKS)) -> pd.DataFrame:
    """Return the ledger, a row for each claim, in the papers' order.

    Parameters
    ----------
    kept, here : mapping of str to mapping or None
        Records by notebook: the committed ones of real data, and those of this run; see
        :func:`segstudy.study.records.read_records`.
    papers : sequence of str
        Whose claims; of `NOTEBOOKS`.

    Returns
    -------
    DataFrame
        Columns "claim", "paper", "where", "text", "own numbers" (see `OWN`); "verdict", "evidence", "data", "seeds" and
        "code" of the committed run; "cause" and "shown by", for what does not hold in it; and "verdict here", "evidence
        here", "data here", "code here" of this run.
    """
    import pandas as pd

    known = published.claims()
    frame = known[known["paper"].isin(papers)].reset_index(drop=True)
    rows = []
    for claim in frame.itertuples():
        notebook = NOTEBOOKS[claim.paper]
        real, now = kept.get(notebook), here.get(notebook)
        row = {"claim": claim.id, "paper": claim.paper, "where": claim.where, "text": claim.claim}
        row |= {"own numbers": OWN[claim.by_its_own_numbers[0]]} | _entry(real, claim.id)
        row |= _cause(claim.id, row["verdict"], real)
        rows.append(row | {f"{name} here": value for name, value in _entry(now, claim.id).items()})
    return pd.DataFrame(rows)


def _entry(record: Mapping[str, Any] | None, claim: str) -> dict[str, str]:
    """Return what a record says of a claim, and what made it."""
    found = [row for row in (record or {}).get("verdicts", []) if row["claim"] == claim]
    if record is None or not found:
        return {"verdict": NOT_RUN, "evidence": DASH, "data": DASH, "seeds": DASH, "code": DASH}
    (row,) = found
    made = {"data": data_of(record), "seeds": str(len(record["seeds"])), "code": code_of(record)}
    return {"verdict": row["verdict"], "evidence": row["evidence"]} | made


def _cause(claim: str, verdict: str, record: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why a claim does not hold, where an experiment isolated it, and the numbers of its tables."""
    if verdict != FAILS or record is None:
        return {"cause": DASH, "shown by": DASH}
    rows = [row for row in causes() if row["claim"] == claim]
    if not rows:
        return {"cause": UNKNOWN, "shown by": DASH}
    return {"cause": rows[0]["cause"], "shown by": "; ".join(shown_by(record["folder"], row) for row in rows)}


def data_of(record: Mapping[str, Any]) -> str:
    """Name a record's data with their sizes, "voc/train 311, voc/val 160"."""
    return ", ".join(f"{data['name']}/{data['split']} {data['count']}" for data in record["data"])


def code_of(record: Mapping[str, Any]) -> str:
    """Say whether the present code made a record, in the words of README's table."""
    changed = len(record["changed"])
    return f"stale: {changed} {'file' if changed == 1 else 'files'} changed since" if changed else "present"


def sources(kept: Records, here: Records, profile: str) -> pd.DataFrame:
    """Return what the ledger was gathered from: a row for each record, and one that says so for each that is missing.

    Parameters
    ----------
    kept, here : mapping of str to mapping or None
        As for :func:`gather`.
    profile : str
        Of `here`.
    """
    import pandas as pd

    rows = []
    for notebook in NOTEBOOKS.values():
        for source, record in (
            ("committed, real", kept.get(notebook)),
            (f"this run, {profile}", here.get(notebook)),
        ):
            row = {"notebook": notebook, "source": source, "verdicts": 0, "data": NOT_RUN}
            if record is not None:
                row |= {"verdicts": len(record["verdicts"]), "data": data_of(record)}
                row |= {"seeds": str(len(record["seeds"])), "device": record["device"]}
                row |= {"date": record["started"][:10], "code": code_of(record)}
            rows.append(row)
    columns = ["notebook", "source", "verdicts", "data", "seeds", "device", "date", "code"]
    return pd.DataFrame(rows, columns=columns).fillna(DASH)


def count(ledger: pd.DataFrame, column: str = "verdict") -> pd.DataFrame:
    """Return how often each verdict was given, a row for each paper in its order, a column for each of `WORDS`."""
    import pandas as pd

    table = pd.crosstab(ledger["paper"], ledger[column])
    table = table.reindex(index=list(dict.fromkeys(ledger["paper"])), columns=list(WORDS), fill_value=0)
    return table.rename_axis(columns=None)


def against_own_numbers(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts of the committed runs by what the papers' own printed numbers say of the claim."""
    import pandas as pd

    table = pd.crosstab(ledger["own numbers"], ledger["verdict"])
    table = table.reindex(index=list(OWN.values()), columns=list(WORDS), fill_value=0)
    return table.rename_axis(columns=None).reset_index()


def differing(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the claims that were tested in both sources and got two verdicts."""
    both = ledger["verdict"].isin(TESTED) & ledger["verdict here"].isin(TESTED)
    return ledger[both & (ledger["verdict"] != ledger["verdict here"])].reset_index(drop=True)
