"""The report of a run: sealed, described, honest about failure; what the page does in a browser is tested apart."""

from __future__ import annotations

import copy
import importlib.metadata
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from example_run import FORMULAS, PARAMETERS, WIDGET, example_notebook, example_run
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from segstudy.study.page import date, duration, mathjax, measured, memory, spread
from segstudy.study.report import pictures_without_alt, render_report, scrub_paths

ROOT = Path("/somewhere/segstudy-project")


@pytest.fixture(scope="module")
def good() -> BeautifulSoup:
    return BeautifulSoup(render_report(example_notebook(), example_run(), ROOT), "html.parser")


@pytest.fixture(scope="module")
def failed() -> BeautifulSoup:
    return BeautifulSoup(render_report(example_notebook(True), example_run(True), ROOT), "html.parser")


def render_cells(*cells, **run) -> BeautifulSoup:
    """Render a notebook of these cells."""
    return BeautifulSoup(
        render_report(new_notebook(cells=list(cells)), {"notebook": "n", **run}, ROOT), "html.parser"
    )


def shown(*outputs, **metadata) -> BeautifulSoup:
    """Render one code cell with these outputs and return the main part of its page."""
    return render_cells(new_code_cell("draw()", outputs=list(outputs), metadata=metadata)).main


def html_output(html: str):
    return new_output("display_data", {"text/html": html})


# What the page asks for


def test_page_names_no_source_outside_itself(good):
    loading = [
        tag.get(name) for tag in good.find_all(True) for name in ("src", "srcset", "poster") if tag.get(name)
    ]
    loading += [link["href"] for link in good.find_all("link")]
    assert loading and all(source.startswith("data:") for source in loading)
    assert not any(script.get("src") for script in good.find_all("script"))
    policy = good.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy and "http" not in policy and "unsafe-inline'; script" in policy


def test_notebook_cannot_bring_in_requests_or_scripts():
    intruders = """<script>alert(1)</script><link href="https://x.org/a.css"><iframe src="https://x.org"></iframe>
        <img src="https://x.org/a.png" alt="a chart"><img src="data:image/png;base64,AA" alt="b" onload="alert(2)">
        <style>p{background:url(https://x.org/b.png)}</style><p style="background:url(https://x.org/c.png)">text</p>
        <a href="javascript:alert(3)">link</a><svg aria-label="s"><image href="https://x.org/d.png"/></svg>"""
    main = shown(html_output(intruders))
    assert not main.find_all(["script", "link", "iframe", "style"])
    assert "x.org" not in str(main) and "alert" not in str(main)
    assert "does not carry: a chart" in main.select_one(".note").text
    assert main.find("img")["alt"] == "b" and "text" in main.text


def test_mathjax_comes_only_with_formulas(good):
    assert good.body["data-formulas"] == str(FORMULAS) and len(good.find_all("script")) == 2
    plain = render_cells(new_markdown_cell("No mathematics; `$x$` is code."), new_code_cell("a = '$y$'"))
    assert plain.body["data-formulas"] == "0" and len(plain.find_all("script")) == 1


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("$x$ and $y$", 2),
        ("$$\nx\n$$\n\nthen $y$", 2),
        ("\\begin{align*} a &< b \\\\ c &= d \\end{align*}", 1),
        ("# Title $x$\n\n## Part $y$", 3),  # the part's title stands in the table of contents too
        ("| $a$ | b |\n|---|---|\n| $c$ | d |", 2),
    ],
)
def test_formulas_are_counted(source, count):
    assert render_cells(new_markdown_cell(source)).body["data-formulas"] == str(count)


def test_missing_mathjax_names_the_package(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", absent)
    with pytest.raises(FileNotFoundError, match="pip install sphinx-mathjax-offline"):
        mathjax.__wrapped__()


# The record


def test_head_tells_what_made_the_page(good):
    assert good.h1.text.startswith("Graph matching after a U-Net: does structure help?")
    assert len(good.find_all("h1")) == 1
    facts = {pair.dt.text: pair.dd.text for pair in good.select(".facts > div")}
    assert facts["Data"] == "blocks, train: 20 images 5f1c88a7"
    assert (
        facts["Device"] == "cpu, 2 threads" and facts["Seeds"] == "0, 1" and facts["Features"] == "raw pixels"
    )
    assert facts["Time"] == "3 min 21 s" and facts["Peak memory"] == "1.4 GB"
    assert facts["Date"] == "14 March 2026, 09:30 UTC"
    assert "demo" in good.select_one(".kicker").text and "2.11.0" in good.select_one(".record").text
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in good.select(".head table tbody tr")]
    assert rows[0] == ["Dice, 20 images", "0.812", "0.012 (3)", "0.83", "Table 1"]
    assert rows[2][1:4] == ["not run", "–", "0.88"]


def test_sparse_records_render():
    assert "This run was" not in str(render_cells(new_markdown_cell("text")))
    killed = render_cells(new_code_cell("train()"), status="killed", seconds=None, data=None)
    assert "This run was killed" in killed.select_one(".banner").text
    assert killed.h1.text == "n"


def test_texts_of_the_record_are_escaped():
    evil = "<img src=x onerror=alert(1)>"
    failure = {"cell": 0, "heading": evil, "error": evil}
    run = {name: evil for name in ("title", "profile", "features", "device", "started")}
    run |= {"parameters": {evil: evil}, "versions": {evil: evil}, "status": "failed", "failure": failure}
    run |= {"verdicts": [{"claim": "c", "text": evil, "verdict": "holds", "evidence": evil}]}
    run |= {"headline": [{"name": evil, "ours": evil, "unit": evil, "published": evil, "source": evil}]}
    page = render_cells(new_code_cell("x"), **run)
    assert not page.find_all("img") and evil in page.select_one(".banner").text


def test_notebook_is_not_changed():
    notebook = example_notebook(True)
    before = copy.deepcopy(notebook)
    render_report(notebook, example_run(True), ROOT)
    assert notebook == before


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"ours": 0.8123, "spread": 0.0117, "n": 3}, ("0.812", "0.012 (3)")),
        ({"ours": 81.234, "spread": 1.26, "n": 5}, ("81.2", "1.3 (5)")),
        ({"ours": 812.34, "spread": 25.0, "n": 2}, ("812", "25 (2)")),
        ({"ours": 0.5, "spread": None, "n": 1}, ("0.5", "–")),
        ({"ours": 0.5, "spread": 0.0, "n": 3}, ("0.5", "0 (3)")),
        ({"ours": float("nan"), "spread": float("nan"), "n": 0}, ("nan", "–")),
        ({"ours": None, "spread": None, "n": 0}, ("not run", "–")),
    ],
)
def test_headlines_are_written_to_their_precision(row, text):
    assert (measured(row), spread(row | {"over": "seeds"}, "seeds")) == text


def test_a_spread_stands_under_what_it_is_over_alone():
    row = {"ours": 0.5, "spread": 0.25, "n": 4, "over": "pictures"}
    assert (spread(row, "pictures"), spread(row, "seeds")) == ("0.25 (4)", "–")
    del row["over"]  # a record of before it was kept
    assert (spread(row, "pictures"), spread(row, "seeds")) == ("–", "–")


def test_times_memory_and_dates_are_written_for_people():
    assert [duration(s) for s in (None, 0.04, 9.96, 42.4, 59.7, 200, 7500)] == [
        *("", "0.0 s", "10.0 s", "42 s", "1 min 0 s", "3 min 20 s", "2 h 5 min")
    ]
    assert [memory(m) for m in (None, 850.2, 2400)] == ["", "850 MB", "2.4 GB"]
    assert date("yesterday") == "yesterday" and date("2026-03-14T09:30:00") == "14 March 2026, 09:30"


# Cells


def test_parameters_are_labelled_and_open(good):
    blocks = good.select("details.parameters")
    assert [block.summary.text for block in blocks] == [
        "Parameters, with the demo's values, 5 lines",
        "Parameters set for this run, 2 lines",
    ]
    assert all(block.has_attr("open") for block in blocks)
    assert blocks[0].pre.text.strip() == PARAMETERS


def test_short_code_is_open_and_the_rest_folded(good):
    folds = {
        block.pre.text.strip().split("\n")[0]: block.has_attr("open") for block in good.select("details.code")
    }
    assert (
        folds["results.table('table1')"]
        and folds["def edge_distance(a: Edge, b: Edge, lam: float, scale: float) -> float:"]
    )
    assert not folds["fig, axes = plt.subplots(1, 3)"]  # 17 lines
    assert not folds["provenance()"]  # hide-input
    assert "show_data()" not in folds  # remove-input, whose figure stays
    assert good.find("img", alt=lambda alt: alt and alt.startswith("A noisy image"))


def test_solutions_that_follow_one_another_are_one_fold(good):
    (solution,) = good.select("details.solution")
    assert not solution.has_attr("open") and solution.summary.text == "Solution"
    assert "Average it" in solution.text and "def solution" in solution.text
    assert solution.find("pre") and "provenance" not in solution.text


def test_output_keeps_the_last_state_of_progress_and_no_widget(good):
    assert WIDGET not in str(good) and "interactive(" not in good.text and "widget-state" not in str(good)
    stateless = new_output(
        "display_data", {WIDGET: {"model_id": "1"}, "text/plain": "interactive(children=())"}
    )
    assert "interactive(" not in shown(stateless).text
    printed = good.select_one(".output_stdout pre").text
    assert "training: 100 %\nseed 0: dice 0.801" in printed and "80 %" not in printed
    assert (
        shown(new_output("stream", name="stdout", text="a\rbc\r\nd\r"))
        .select_one(".output_stdout pre")
        .text.strip()
        == "bc\nd"
    )


def test_contents_lead_to_headings_with_ids_of_their_own():
    page = render_cells(
        new_markdown_cell("# T\n\n## Same\n\n### Deep"), new_markdown_cell("## Same\n\n#### Deeper")
    )
    links = [link["href"] for link in page.select(".contents a")]
    assert links == ["#Same", "#Deep", "#Same-1"]
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids)) and {link[1:] for link in links} <= set(ids)


# Failure


def test_failed_run_says_so_and_leads_to_the_cell(failed):
    banner = failed.select_one(".banner.bad")
    assert (
        banner["role"] == "alert"
        and "This run failed" in banner.text
        and "Table 1: few images" in banner.text
    )
    assert (
        banner.pre.text
        == "ValueError in segstudy/papers/graph_matching/matching.py: <script>alert('run')</script> & more"
    )
    assert banner.a["href"] == "#failing-cell"
    cell = failed.find(id="failing-cell").find_next(class_="cell")
    assert "match(graph, model)" in cell.text and cell.select_one(".output_error .ansi-red-fg")
    assert "An Exception was encountered" not in failed.text
    assert "not run" in failed.find_all("details", class_="code")[-1].summary.text


def test_without_an_error_in_sight_the_record_names_the_cell():
    failure = {"cell": 1, "heading": "", "error": "the kernel died"}
    page = render_cells(
        new_code_cell("a"), new_code_cell("b"), new_code_cell("c"), status="memory", failure=failure
    )
    assert page.find(id="failing-cell").find_next("pre").text.strip() == "b"
    assert "ran out of memory" in page.select_one(".banner").text


def test_failed_page_holds_no_path_of_the_machine(failed):
    text = str(failed.select_one(".layout"))
    assert not any(part in text for part in ("/somewhere", "/usr/lib", "site-packages", ".venv"))
    assert "segstudy/papers/graph_matching/matching.py:41" in text and "scipy/optimize/_qap.py:212" in text
    assert ".../contextlib.py:81" in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("/somewhere/segstudy-project/segstudy/cache.py:3", "segstudy/cache.py:3"),
        ("in /somewhere/segstudy-project, or", "in ., or"),
        ("/somewhere/segstudy-project-2/a.py", ".../a.py"),
        ("/opt/env/lib/python3.12/site-packages/torch/nn.py", "torch/nn.py"),
        ("\x1b[32m/usr/lib/python3.11/json.py\x1b[0m", "\x1b[32m.../json.py\x1b[0m"),
        ("'~/secret/notes.txt'", "'.../notes.txt'"),
        (
            "https://example.org/a/b and 3/4 of tables/t.csv at 5 m/s",
            "https://example.org/a/b and 3/4 of tables/t.csv at 5 m/s",
        ),
        ("1 / 2, a // b, and/or", "1 / 2, a // b, and/or"),
    ],
)
def test_scrub_paths(text, scrubbed):
    assert scrub_paths(text, ROOT) == scrubbed


def test_scrub_paths_knows_the_short_form_of_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ana")
    assert scrub_paths("~/study/segstudy/a.py", Path("/home/ana/study")) == "segstudy/a.py"


@given(st.text(st.sampled_from("ab/~. :'\n-3\x1b[m"), max_size=60))
@settings(max_examples=50, deadline=None)
def test_scrubbing_twice_changes_nothing_more(text):
    once = scrub_paths(text, ROOT)
    assert scrub_paths(once, ROOT) == once


# Pictures and tables


def test_every_picture_is_described(good):
    assert pictures_without_alt(str(good)) == [] and not good.select(".banner.warn")


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/svg+xml"])
def test_picture_without_description_is_reported(mime):
    data = "<svg></svg>" if "svg" in mime else "iVBORw0KGgo="
    page = render_cells(new_code_cell("draw()", outputs=[new_output("display_data", {mime: data})]))
    assert page.main.img["alt"] == "Figure without description"
    assert "1 picture has no description" in page.select_one(".banner.warn").text
    assert len(pictures_without_alt(str(page))) == 1


def test_pictures_without_alt():
    described = '<img alt="a map"><svg aria-label="b"></svg><svg aria-hidden="true"></svg>'
    lacking = '<img><img alt="  "><img alt="Figure without description"><svg><svg></svg></svg>'
    assert pictures_without_alt(described) == [] and len(pictures_without_alt(lacking)) == 4
    assert shown(html_output("<svg><title>two nodes</title></svg>")).svg["aria-label"] == "two nodes"


def test_columns_of_numbers_stand_right(good):
    table = good.select_one(".study-table table")
    assert table.find_parent(class_="table")["aria-label"] == "Dice by class, and what the paper prints."
    head = {th.text: "number" in th.get("class", []) for th in table.thead.tr.find_all("th") if th.text}
    assert head["skin"] and head["ours"] and head["published"]  # though one cell of it reads "not run"
    assert not head["match"]
    for row in table.select("tbody tr"):
        cells = row.find_all("td")
        assert ["number" in cell.get("class", []) for cell in cells] == [True] * 11 + [False]
        assert not any("number" in label.get("class", []) for label in row.find_all("th"))
    assert not table.has_attr("border")


def test_columns_of_sentences_are_wrapped_and_others_are_not():
    sentence = "a claim that is told in so many words that no page is wide enough for it"
    rows = f"<tr><td>GM1</td><td>{sentence}</td></tr><tr><td>GM2</td><td>a short one</td></tr>"
    page = shown(html_output(f"<table><tbody>{rows}</tbody></table>"))
    cells = page.select(".table tbody td")
    assert ["long" in cell.get("class", []) for cell in cells] == [False, True, False, True]
