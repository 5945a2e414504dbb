"""The ledger as a list with filters that need no script: radio buttons, and rules of CSS that look at them.

In a report, in Jupyter and on paper it is the same HTML. Where a browser does not know ``:has()`` all claims are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from segstudy.experiments.claims.ledger import DASH, NOTEBOOKS, WORDS

if TYPE_CHECKING:
    import pandas as pd

# How a report's style calls the five words; Jupyter, which does not know them, shows the words alone.
CHIPS = dict(zip(WORDS, ("holds", "weak", "fails", "open", "open"), strict=True))
ALL = "all"
STYLE = """
.ledger { counter-reset: claims; display: flex; flex-direction: column; }
.ledger fieldset, .ledger .shown { order: -1; } /* the count comes first to the eye and last to the counter */
.ledger fieldset { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0 0 0.8rem; }
.ledger fieldset { border: 1px solid #8888; border-radius: 0.5rem; padding: 0.5rem 0.9rem; }
.ledger legend { font-weight: 600; padding: 0 0.4rem; }
.ledger label { display: inline-flex; align-items: center; gap: 0.4rem; padding: 0.15rem 0; cursor: pointer; }
.ledger label:has(:focus-visible) { outline: 0.16rem solid; outline-offset: 0.1rem; border-radius: 0.2rem; }
.ledger article { counter-increment: claims; border-top: 1px solid #8888; padding: 0.7rem 0; max-width: 52rem; }
.ledger article p { margin: 0.2rem 0; overflow-wrap: anywhere; }
.ledger .shown { margin: 0 0 0.8rem; }
.ledger .shown::after { content: counter(claims); }
"""


def filterable(ledger: pd.DataFrame, profile: str) -> str:
    """Return the claims as HTML, with filters by paper and by the verdict of the committed real run.

    Parameters
    ----------
    ledger : DataFrame
        As from :func:`~segstudy.experiments.claims.ledger.gather`.
    profile : str
        Of this run.
    """
    papers = {paper: NOTEBOOKS[paper][3:].replace("_", " ") for paper in dict.fromkeys(ledger["paper"])}
    verdicts = {_name(word): word for word in WORDS}
    rules = [_rule("paper", name) for name in papers] + [_rule("verdict", name) for name in verdicts]
    items = "".join(_article(row, profile) for row in ledger.to_dict("records"))
    filters = _choices("paper", "Paper", papers)
    filters += _choices("verdict", "Verdict of the committed real run", verdicts)
    style = f"<style>{STYLE}{''.join(rules)}</style>"
    return f'{style}<div class="ledger">{filters}{items}<p class="shown">Claims shown: </p></div>'


def _name(word: str) -> str:
    return word.replace(" ", "-")


def _rule(kind: str, name: str) -> str:
    """Hide what is not of a kind's name while that name is chosen."""
    return f".ledger:has(#{kind}-{name}:checked) article:not(.{kind}-{name}) {{ display: none; }}\n"


def _choices(kind: str, title: str, names: dict[str, str]) -> str:
    options = []
    for name, text in ({ALL: ALL} | names).items():
        chosen = " checked" if name == ALL else ""
        button = f'<input type="radio" name="{kind}" id="{kind}-{name}"{chosen}>'
        options.append(f"<label>{button} {escape(text)}</label>")
    return f"<fieldset><legend>{escape(title)}</legend>{''.join(options)}</fieldset>"


def _article(row: dict[str, str], profile: str) -> str:
    """Return a claim: what it says, both verdicts with what made them, and the cause where it does not hold."""
    parts = [
        f"<p><strong>{escape(row['claim'])}</strong> {escape(row['text'])} <small>({escape(row['where'])})</small></p>"
    ]
    made = [f"data: {row['data']}", f"seeds: {row['seeds']}", f"code: {row['code']}"]
    parts.append(_verdict("Committed real run", row["verdict"], row["evidence"], made))
    if row["cause"] != DASH:
        shown = f" ({row['shown by']})" if row["shown by"] != DASH else ""
        parts.append(f"<p>Why: {escape(row['cause'] + shown)}</p>")
    made = [f"data: {row['data here']}", f"seeds: {row['seeds here']}", f"code: {row['code here']}"]
    parts.append(_verdict(f"This run, {profile}", row["verdict here"], row["evidence here"], made))
    classes = f"paper-{row['paper']} verdict-{_name(row['verdict'])}"
    return f'<article class="{classes}">{"".join(parts)}</article>'


def _verdict(source: str, word: str, evidence: str, made: Iterable[str]) -> str:
    chip = f'<span class="verdict {CHIPS[word]}">{escape(word)}</span>'
    if evidence == DASH:
        return f"<p>{escape(source)}: {chip}</p>"
    about = escape("; ".join(made))
    return f'<p>{escape(source)}: {chip} {escape(evidence)} <span class="evidence">{about}</span></p>'
