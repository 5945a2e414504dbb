"""The ledger takes each verdict from the record that holds it, and from no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from segstudy.experiments import published
from segstudy.experiments.claims import causes, figures, ledger, page

ROOT = Path(__file__).resolve().parents[3]
GM, SG = "01_graph_matching", "02_sgseg"


def record(verdicts: dict[str, str], **more: object) -> dict[str, object]:
    rows = [{"claim": c, "text": "", "verdict": v, "evidence": f"{c} says {v}"} for c, v in verdicts.items()]
    made = {"data": [{"name": "faces", "split": "test", "count": 9}], "seeds": [0, 1], "changed": []}
    made |= {"device": "cpu", "started": "2026-01-02T03:04:05+00:00", "folder": Path("nowhere")}
    return made | {"verdicts": rows} | more


def test_two_sources_are_never_mixed_and_what_has_no_record_was_not_run():
    kept = {GM: record({"GM1": "holds", "GM2": "holds weakly"})}
    here = {GM: record({"GM2": "does not hold"}, changed=["a.py", "b.py"]), SG: record({"SG1": "holds"})}
    found = ledger.gather(kept, here)
    assert list(found["claim"]) == list(published.claims()["id"])
    rows = found.set_index("claim")
    assert list(rows.loc["GM1", ["verdict", "evidence", "code"]]) == ["holds", "GM1 says holds", "present"]
    assert rows.loc["GM1", "verdict here"] == "not run" and rows.loc["GM1", "evidence here"] == ledger.DASH
    assert list(rows.loc["GM2", ["verdict", "verdict here"]]) == ["holds weakly", "does not hold"]
    assert rows.loc["GM2", "code here"] == "stale: 2 files changed since"
    assert list(rows.loc["SG1", ["verdict", "verdict here"]]) == ["not run", "holds"]
    assert rows.loc["GM1", "data"] == "faces/test 9" and rows.loc["GM1", "seeds"] == "2"
    assert list(ledger.differing(found)["claim"]) == ["GM2"]


def test_nothing_at_all_is_a_ledger_too():
    found = ledger.gather({}, dict.fromkeys(ledger.NOTEBOOKS.values()))
    assert set(found["verdict"]) == set(found["verdict here"]) == {"not run"}
    assert set(found["cause"]) == {ledger.DASH}
    assert ledger.count(found)["not run"].sum() == 141 and ledger.count(found).to_numpy().sum() == 141
    assert set(ledger.sources({}, {}, "demo")["data"]) == {"not run"}


def test_a_cause_is_asked_for_where_the_committed_run_fails_alone():
    kept = {GM: record({"GM1": "does not hold", "GM2": "holds"})}
    rows = ledger.gather(kept, {GM: record({"GM2": "does not hold"})}, ["graph_matching"]).set_index("claim")
    assert rows.loc["GM1", "cause"] == causes.UNKNOWN and rows.loc["GM2", "cause"] == ledger.DASH
    assert set(rows["paper"]) == {"graph_matching"}


def test_every_verdict_is_counted_and_set_beside_what_the_paper_prints():
    kept = {GM: record({"GM1": "holds", "GM3": "does not hold", "GM7": "holds weakly"})}
    found = ledger.gather(kept, {}, ["graph_matching"])
    counts = ledger.count(found)
    assert list(counts.loc["graph_matching"]) == [1, 1, 1, 0, len(found) - 3]
    own = ledger.against_own_numbers(found).set_index("own numbers")
    assert own.loc["holds", "holds"] == 1 and own.loc["in part", "does not hold"] == 1
    assert own.loc["contradicted", "holds weakly"] == 1 and own.to_numpy().sum() == len(found)


def test_study_yaml_waits_for_the_notebooks_whose_records_are_read():
    spec = yaml.safe_load((ROOT / "notebooks" / "study.yaml").read_text())["notebooks"]["08_claims"]
    assert spec["after"] == list(ledger.NOTEBOOKS.values())
    assert set(ledger.NOTEBOOKS) == set(published.claims()["paper"])


def test_the_chart_has_a_bar_for_each_count_and_says_it():
    counts = ledger.count(ledger.gather({GM: record({"GM1": "holds"})}, {}))
    figure = figures.chart_verdicts({"one": counts, "other": counts})
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"1", "20", "40"} <= texts and [ax.get_title() for ax in figure.axes] == ["one", "other"]
    assert len({*figures.COLOURS.values()}) == len(ledger.WORDS)


def test_the_list_escapes_what_it_shows_and_names_what_it_hides():
    found = ledger.gather({GM: record({"GM1": "holds weakly"})}, {}, ["graph_matching"])
    html = page.filterable(found.assign(text="a < b"), "demo")
    assert "a &lt; b" in html and "a < b" not in html
    assert (
        html.count("<article") == 21 and html.count('class="paper-graph_matching verdict-holds-weakly"') == 1
    )
    assert "#verdict-holds-weakly:checked) article:not(.verdict-holds-weakly) { display: none; }" in html


COMMITTED = {name: ROOT / "reports" / "reference" / "real" / name for name in ledger.NOTEBOOKS.values()}


@pytest.mark.parametrize("line", causes.causes(), ids=lambda line: f"{line['claim']} {line['table']}")
def test_a_cause_is_of_a_claim_that_does_not_hold_and_its_numbers_are_there(line: dict[str, str]):
    paper = published.claims().set_index("id").loc[line["claim"], "paper"]
    assert line["notebook"] == ledger.NOTEBOOKS[paper] and line["cause"]
    run = json.loads((COMMITTED[line["notebook"]] / "run.json").read_text())
    (verdict,) = [row["verdict"] for row in run["verdicts"] if row["claim"] == line["claim"]]
    assert verdict == "does not hold"
    shown = causes.shown_by(COMMITTED[line["notebook"]], line)
    for part in (*line["rows"].split(";"), *line["columns"].split(";")):
        assert part in shown
    assert any(letter.isdigit() for letter in shown)


def test_a_cause_whose_table_row_or_column_is_gone_is_refused(tmp_path: Path):
    line = {"claim": "GM4", "notebook": GM, "table": "gone", "rows": "a / b", "columns": "x"}
    with pytest.raises(ValueError, match="is no table of the record"):
        causes.shown_by(tmp_path, line)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "gone.csv").write_text("k,l,x\na,b,0.12345\n")
    assert causes.shown_by(tmp_path, line) == "a / b: x 0.123"
    with pytest.raises(ValueError, match="lacks the columns"):
        causes.shown_by(tmp_path, line | {"columns": "y"})
    with pytest.raises(ValueError, match="has 0 rows 'c'"):
        causes.shown_by(tmp_path, line | {"rows": "c"})
