"""The record keeps what a notebook hands it, with its spread, and writes whole files."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from segstudy.study.record import Record


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv("SEGSTUDY_OUT", str(tmp_path))
    return Record(seeds=[0, 1])


def kept(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "kept.json").read_text())


def test_a_metric_has_mean_spread_number_and_what_was_missing(record: Record, tmp_path: Path):
    text = record.metric("faces/IoU", [0.2, 0.4, np.nan])
    assert text == "0.300 ± 0.141 (n = 2)"
    row = json.loads((tmp_path / "metrics.json").read_text())["faces/IoU"]
    assert row["mean"] == pytest.approx(0.3) and row["std"] == pytest.approx(np.std([0.2, 0.4], ddof=1))
    assert (row["n"], row["missing"], row["unit"]) == (2, 1, "fraction")


def test_a_single_number_has_no_spread_and_none_has_no_mean(record: Record, tmp_path: Path):
    assert record.metric("seconds", 2.0, "s") == "2.000 (n = 1)"
    record.metric("nothing", [np.nan, np.nan])
    rows = json.loads((tmp_path / "metrics.json").read_text())
    assert rows["seconds"]["std"] is None and rows["nothing"]["mean"] is None


def test_a_name_stands_for_one_number(record: Record):
    record.metric("x", 1.0)
    with pytest.raises(ValueError, match="kept before"):
        record.metric("x", 2.0)


def test_a_headline_keeps_ours_and_published_apart(record: Record, tmp_path: Path):
    record.metric("x", [0.5, 0.7])
    record.headline("IoU of x", "x", published=0.75, source="Table I")
    row = kept(tmp_path)["headline"][0]
    assert row["ours"] == pytest.approx(0.6) and row["published"] == 0.75 and row["source"] == "Table I"


def test_a_verdict_is_one_of_five(record: Record):
    with pytest.raises(ValueError, match="holds weakly"):
        record.verdict("GM1", "claim", "true", "evidence")


def test_a_figure_is_kept_as_png_and_svg_the_same_each_time(record: Record, tmp_path: Path, capsys):
    bytes_seen = set()
    for _ in range(2):
        figure, ax = plt.subplots()
        ax.plot([1, 2])
        record.figure(figure, "line", 'a "line"', "It rises by 1.", headline=True)
        bytes_seen.add((tmp_path / "figures" / "line.png").read_bytes())
    assert len(bytes_seen) == 1
    assert Image.open(tmp_path / "figures" / "line.png").size[0] > 300
    assert (tmp_path / "figures" / "line.svg").read_text().startswith("<?xml")
    assert kept(tmp_path)["headline_figure"] == "figures/line.png"
    assert plt.get_fignums() == []


def test_a_figure_without_alt_text_is_refused(record: Record):
    with pytest.raises(ValueError, match="alt"):
        record.figure(plt.figure(), "x", " ", "caption")


def test_a_table_is_kept_in_full_precision_and_as_latex(record: Record, tmp_path: Path):
    frame = pd.DataFrame({"row_name": ["a_b & 50 %"], "ours": [1 / 3], "published": [np.nan]})
    record.table(frame, "scores", "A caption.")
    back = pd.read_csv(tmp_path / "tables" / "scores.csv")
    assert back.ours[0] == pytest.approx(1 / 3, rel=1e-12)
    latex = (tmp_path / "tables" / "scores.tex").read_text()
    assert r"a\_b \& 50 \% & 0.333 & -- \\" in latex and latex.count(r"\begin{tabular}{lll}") == 1


def test_what_was_worked_out_by_hand_stops_the_notebook_where_it_differs(record: Record, capsys):
    record.expect("sum", [0.1 + 0.2], [0.3])
    assert "match True" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="by hand"):
        record.expect("sum", 1.0, 1.1)


def test_by_hand_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEGSTUDY_OUT", raising=False)
    monkeypatch.chdir(tmp_path)
    record = Record()
    record.metric("x", 1.0)
    record.metric("x", 1.0)  # a cell may be run again
    record.table(pd.DataFrame({"a": [1]}), "t", "caption")
    record.figure(plt.figure(), "f", "alt", "caption")
    assert list(tmp_path.iterdir()) == []
