"""Render the gallery of a profile: one card for each notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from segstudy.study.page import complete, in_order, render
from segstudy.study.page.scrub import scrub

MANY = 100  # cards above which each tells of its verdicts their number alone: the reports hold them


def render_index(
    profile: str,
    runs: list[dict[str, Any]],
    missing: list[dict[str, Any]],
    queue: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the gallery of `reports/<profile>/`, a page whose pictures and links lie beside it.

    Parameters
    ----------
    profile : str
        Name of the profile.
    runs : list of dict
        Records (`run.json`) of the notebooks that ran. Four keys more: `folder`, the report's folder
        relative to the gallery; `failed`, the record of a newer attempt that did not end well, or None; `trouble`,
        what is known of one that left no record, or None; and `reference`, the record of the notebook's run on real
        data that the repository keeps, or None.
    missing : list of dict
        Notebooks that have no report: `notebook`, `title`, and `failed`, `trouble` and `reference` as above.
    queue : sequence of dict
        Slurm's jobs of the last run: `name`, `number`, `state`, `broken` (what Slurm did to it, or None), `log`.

    Returns
    -------
    str
        HTML, with the cards in the order of the notebooks' names.
    """
    cards = [_card(run) for run in runs] + [_card({**entry, "status": "missing"}) for entry in missing]
    cards.sort(key=lambda card: card["run"]["notebook"])
    states = Counter(card["state"] for card in cards)
    verdicts = sum((card["verdicts"] for card in cards), Counter())
    return render(
        "index.html",
        pictures="'self' file: data:",
        profile=profile,
        cards=cards,
        brief=len(cards) > MANY,
        states={name: states[name] for name in ("complete", "failed", "not run yet") if states[name]},
        verdicts=in_order(verdicts),
        queue=queue,
    )


def _card(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a card shows: the reference run, this run, its links, and the verdicts of both counted."""
    run = complete(scrub(record))
    troubled = complete(run["failed"]) if run["failed"] else None
    state = "complete" if run["status"] == "ok" else "not run yet"
    if run["status"] not in ("ok", "missing"):
        troubled = run
    if (troubled or run["trouble"]) and state != "complete":
        state = "failed"
    reference = complete(run["reference"]) if run["reference"] else None
    counted, before = (
        Counter(row["verdict"] for row in r["verdicts"]) if r else None for r in (run, reference)
    )
    figure = run["headline_figure"]
    return {
        "run": run,
        "state": state,
        "link": None if run["status"] == "missing" else quote(f"{run['folder']}/report.html"),
        "figure": quote(f"{run['folder']}/{figure}") if figure else None,
        "troubled": troubled,
        "troubled_link": quote(f"{troubled['folder']}/report.html") if troubled else None,
        "verdicts": counted,
        "counts": in_order(counted),
        "reference": reference,
        "reference_counts": in_order(before) if before else {},
    }
