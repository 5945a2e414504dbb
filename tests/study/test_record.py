"""The record keeps what a notebook hands it, with its spread, and writes whole files."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
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


class Photographs:
    """Stands for a data set of which a paper prints results."""

    name, split, note = "fasseg", "test", ""

    def __len__(self) -> int:
        return 50

    def fingerprint(self) -> str:
        return "77"


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
    record.data(Photographs())
    assert record.metric("x", [0.5, 0.7], over="seeds") == "0.600 ± 0.141 (n = 2 seeds)"
    record.headline("IoU of x", "x", published=0.75, source="Table I", on="fasseg")
    row = kept(tmp_path)["headline"][0]
    assert row["ours"] == pytest.approx(0.6) and row["published"] == 0.75 and row["source"] == "Table I"
    assert (row["spread"], row["n"], row["over"]) == (pytest.approx(0.02**0.5), 2, "seeds")


def test_a_published_value_does_not_stand_beside_a_run_on_other_pictures(record: Record, tmp_path: Path):
    record.metric("x", 0.6)
    record.headline("IoU of x", "x", published=0.75, source="Table I", on="fasseg")  # no data set was noted
    row = kept(tmp_path)["headline"][0]
    assert (row["published"], row["source"]) == (None, "")
    with pytest.raises(ValueError, match="which data the published value is of"):
        record.headline("IoU of x", "x", published=0.75, source="Table I")


def test_a_headline_s_spread_says_what_it_is_over(record: Record):
    record.metric("x", [0.5, 0.7])
    with pytest.raises(ValueError, match="say over what 'x' spreads"):
        record.headline("IoU of x", "x")
    with pytest.raises(ValueError, match="seeds or pictures"):
        record.metric("y", [0.5, 0.7], over="runs")


def test_a_figure_is_no_drawing_unless_it_is_said(record: Record, tmp_path: Path):
    for name, options in {"photograph": {}, "chart": {"drawn": True}}.items():
        record.figure(plt.figure(), name, "alt", "caption", **options)
    assert [row["drawn"] for row in kept(tmp_path)["figures"]] == [False, True]


def test_a_verdict_is_one_of_five(record: Record):
    with pytest.raises(ValueError, match="holds weakly"):
        record.verdict("GM1", "claim", "true", "evidence")


def test_a_figure_is_kept_as_png_and_svg_the_same_each_time(record: Record, tmp_path: Path, capsys):
    bytes_seen = set()
    for name in ("first", "line"):
        figure, ax = plt.subplots()
        ax.plot([1, 2])
        record.figure(figure, name, 'a "line"', "It rises by 1.", headline=True)
        bytes_seen.add((tmp_path / "figures" / f"{name}.png").read_bytes())
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


def test_it_stops_the_notebook_where_python_leaves_out_assert_statements():
    code = "from segstudy.study.record import Record; Record().expect('sum', 1.0, 1.1)"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "AssertionError: sum is 1.0, not 1.1" in done.stderr


@pytest.mark.parametrize(
    "seen, expected", [([], [1.0]), ([1, 1, 1], 1.0), ([[1, 1]], [1, 1]), ([1.0, np.nan], [1.0, 2.0])]
)
def test_what_has_another_shape_than_was_worked_out_does_not_match(record: Record, seen, expected):
    with pytest.raises(AssertionError, match="by hand"):
        record.expect("shape", seen, expected)


def test_nan_worked_out_by_hand_matches_nan(record: Record):
    record.expect("absent class", [1.0, np.nan, np.inf], (1.0, np.nan, np.inf))


def strict(path: Path):
    """Read JSON as every other program does: NaN and Infinity are no JSON."""
    return json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} in {path.name}"))


def test_infinite_values_are_missing_and_the_records_are_json(record: Record, tmp_path: Path):
    record.metric("x", [1.0, 3.0, np.inf, -np.inf, np.nan], over="pictures")
    record.metric("lost", np.inf)
    record.headline("x", "x", published=float("nan"))
    record.headline("lost", "lost", published=np.float32("inf"))
    rows = strict(tmp_path / "metrics.json")
    assert (rows["x"]["mean"], rows["x"]["n"], rows["x"]["missing"]) == (2.0, 2, 3)
    assert (rows["lost"]["mean"], rows["lost"]["std"], rows["lost"]["missing"]) == (None, None, 1)
    headline = strict(tmp_path / "kept.json")["headline"]
    assert [row["published"] for row in headline] == [None, None] and headline[1]["ours"] is None


def test_numbers_of_numpy_are_kept_as_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEGSTUDY_OUT", str(tmp_path))
    record = Record(seeds=np.arange(2), features=np.str_("none"))
    record.metric("x", 0.5)
    record.data(Photographs())
    record.headline("x", "x", published=np.float32(0.75), on="fasseg")
    record.verdict("GM1", "text", "holds", {"difference": np.float32(0.25), "runs": np.array([1, 2])})
    seen = strict(tmp_path / "kept.json")
    assert seen["seeds"] == [0, 1] and seen["headline"][0]["published"] == 0.75
    assert seen["verdicts"][0]["evidence"] == {"difference": 0.25, "runs": [1, 2]}


@pytest.mark.parametrize("evidence", [object(), {"p": np.nan}, "\ud800"])
def test_what_cannot_be_written_is_refused_and_the_record_goes_on(record: Record, tmp_path: Path, evidence):
    with pytest.raises((TypeError, ValueError)):
        record.verdict("GM1", "text", "holds", evidence)
    record.verdict("GM2", "text", "holds", "evidence")
    assert [row["claim"] for row in kept(tmp_path)["verdicts"]] == ["GM2"]


def test_a_metric_takes_any_iterable(record: Record):
    texts = [record.metric("list", [1.0, 2.0]), record.metric("generator", (x for x in (1.0, 2.0)))]
    texts += [record.metric("values", {"a": 1.0, "b": 2.0}.values())]
    texts += [record.metric("rows", np.array([[1.0], [2.0]])), record.metric("series", pd.Series([1, 2]))]
    assert set(texts) == {"1.500 ± 0.707 (n = 2)"}
    assert {record.metric("0-d", np.array(2.0)), record.metric("1-d", np.int64(2))} == {"2.000 (n = 1)"}


@pytest.mark.parametrize("name", ["a/b", "../a", "a b", "", "a.b", "é", "a\n"])
def test_a_name_that_is_no_plain_file_name_is_refused(record: Record, tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="letters, digits"):
        record.table(pd.DataFrame({"a": [1]}), name, "caption")
    with pytest.raises(ValueError, match="letters, digits"):
        record.figure(plt.figure(), name, "alt", "caption")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    plt.close("all")


def test_a_table_and_a_figure_are_kept_once(record: Record, tmp_path: Path):
    for _ in range(2):  # a table and a figure may share a name
        with pytest.raises(ValueError, match="kept before") if _ else contextlib.nullcontext():
            record.table(pd.DataFrame({"a": [_]}), "x", "caption")
        with pytest.raises(ValueError, match="kept before") if _ else contextlib.nullcontext():
            record.figure(plt.figure(), "x", "alt", "caption")
    assert len(kept(tmp_path)["tables"]) == len(kept(tmp_path)["figures"]) == 1
    assert pd.read_csv(tmp_path / "tables" / "x.csv").a[0] == 0
    plt.close("all")


def test_latex_holds_what_latex_reads_otherwise(record: Record, tmp_path: Path):
    odd = ["a\\b_{c}", "two\nlines", None, pd.NA, pd.NaT]
    frame = pd.DataFrame({"odd": pd.Series(odd, dtype=object)})
    record.table(frame, "odd", "A caption\n\\input{x} of two lines")
    lines = (tmp_path / "tables" / "odd.tex").read_text().splitlines()
    assert lines[0] == r"% A caption \input{x} of two lines" and lines[1] == r"\begin{tabular}{l}"
    cells = [r"a\textbackslash{}b\_\{c\}", "two lines", "--", "--", "--"]
    assert lines[3:-1] == [rf"{cell} \\" for cell in cells]


def test_a_write_that_is_cut_short_leaves_the_old_file(record: Record, tmp_path: Path, monkeypatch):
    record.metric("x", 1.0)
    before = (tmp_path / "metrics.json").read_bytes(), (tmp_path / "kept.json").read_bytes()

    def cut(self: Path, content: bytes) -> None:
        with self.open("wb") as stream:
            stream.write(content[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", cut)
    with pytest.raises(KeyboardInterrupt):
        record.metric("y", 1.0)
    assert before == ((tmp_path / "metrics.json").read_bytes(), (tmp_path / "kept.json").read_bytes())


def test_by_hand_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEGSTUDY_OUT", raising=False)
    monkeypatch.chdir(tmp_path)
    record = Record()
    record.metric("x", 1.0)
    record.metric("x", 1.0)  # a cell may be run again
    for _ in range(2):
        record.table(pd.DataFrame({"a": [1]}), "t", "caption")
        record.figure(plt.figure(), "f", "alt", "caption")
    assert list(tmp_path.iterdir()) == []
