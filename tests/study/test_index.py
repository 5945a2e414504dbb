"""The gallery of a profile."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from example_run import example_run, gallery_runs, write_example

from segstudy.study.index import MANY, render_index
from segstudy.study.report import pictures_without_alt


@pytest.fixture(scope="module")
def gallery() -> BeautifulSoup:
    runs, missing = gallery_runs()
    return BeautifulSoup(render_index("demo", runs[::-1], missing), "html.parser")


def card(gallery: BeautifulSoup, name: str):
    return next(card for card in gallery.select(".card") if card.select_one(".kicker").text == name)


def test_card_for_every_notebook_in_order(gallery):
    names = [kicker.text for kicker in gallery.select(".card .kicker")]
    assert names == ["01_graph_matching", "02_sgseg", "03_gnn_clustering", "04_dgcn"]
    assert "2 complete, 1 failed, 1 not run yet of 4 notebooks" in gallery.select_one(".summary").text


def test_card_sets_ours_beside_published(gallery):
    good = card(gallery, "01_graph_matching")
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in good.find_all("tr")]
    assert rows[0] == ["Result", "Ours", "± over seeds (n)", "Published"]
    assert rows[1] == ["Dice, 20 images", "0.812", "0.012 (3)", "0.83"]
    assert rows[3][1:] == ["not run", "–", "0.88"]
    assert "3 min 21 s · cpu · blocks · demo profile · 14 March 2026" in good.select_one(".made").text
    assert good.h2.a["href"] == "01_graph_matching/report.html"


def test_verdicts_are_counted_in_words_and_in_order(gallery):
    assert [chip.text for chip in gallery.select(".head .verdict")] == [
        "2 holds",
        "2 holds weakly",
        "2 not testable with this data",
    ]
    good = card(gallery, "01_graph_matching")
    assert [chip.text for chip in good.select("summary .verdict")][0] == "1 holds"
    assert "p = 0.08" in good.select_one(".claims").text


def reference_run() -> dict[str, Any]:
    """Return the record of a run on photographs: one headline over pictures, one over seeds, one claim refuted."""
    rows = [("Otsu", 0.25, 0.3, 168, "pictures"), ("network", 0.5, 0.01, 5, "seeds")]
    headline = [
        {
            "name": n,
            "ours": o,
            "spread": s,
            "n": count,
            "over": over,
            "unit": "",
            "published": None,
            "source": "",
        }
        for n, o, s, count, over in rows
    ]
    verdict = {"claim": "gm-1", "text": "Matching helps.", "verdict": "does not hold", "evidence": "-1 point"}
    changed = {"profile": "real", "started": "2026-01-02T03:04:00+00:00", "headline": headline}
    photographs = [{"name": "fasseg", "split": "test", "count": 50, "fingerprint": "77"}]
    return example_run() | changed | {"verdicts": [verdict], "data": photographs}


def table_of(section) -> list[list[str]]:
    return [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in section.find_all("tr")
    ]


def test_the_reference_run_on_real_data_stands_first_and_this_run_beside_it():
    page = BeautifulSoup(
        render_index("demo", [example_run() | {"reference": reference_run()}], []), "html.parser"
    )
    first, second = page.select(".card section")
    assert table_of(first) == [
        ["Result", "Ours", "± over pictures (n)", "± over seeds (n)"],  # and nothing published
        ["Otsu", "0.25", "0.30 (168)", "–"],
        ["network", "0.500", "–", "0.010 (5)"],
    ]
    assert [chip.text for chip in first.select("summary .verdict")] == ["1 does not hold"]
    assert "fasseg · real profile · 2 January 2026, 03:04 UTC" in first.select_one(".made").text
    assert second.h3.text == "This run" and table_of(second)[1][1] == "0.812"
    assert "blocks · demo profile · 14 March 2026" in second.select_one(".made").text
    assert (
        "does not hold" not in page.select_one(".head").text
    )  # counted are the claims of this profile's runs


def test_a_gallery_of_many_notebooks_counts_their_verdicts_alone():
    for count, lists in ((MANY, MANY), (MANY + 1, 0)):
        runs = [example_run() | {"notebook": f"{number:04}"} for number in range(count)]
        page = BeautifulSoup(render_index("demo", runs, []), "html.parser")
        assert len(page.select(".card .chips")) == len(page.select(".card .table")) == count
        assert len(page.select(".card .claims")) == lists


def test_a_notebook_not_run_yet_shows_its_reference_run():
    waiting = {"notebook": "01_graph_matching", "title": "Matching", "reference": reference_run()}
    page = BeautifulSoup(render_index("demo", [], [waiting]), "html.parser")
    (section,) = page.select(".card section")
    assert section.h3.text == "Reference run, on real data" and "Not run yet" in page.text


def test_failures_are_told_and_linked(gallery):
    retried, broken = card(gallery, "02_sgseg"), card(gallery, "03_gnn_clustering")
    assert retried.h2.a["href"] == "02_sgseg/report.html" and "A newer run failed" in retried.text
    assert retried.select_one(".state a")["href"] == "failed/02_sgseg/report.html"
    assert (
        broken.h2.a["href"] == broken.select_one(".state a")["href"] == "failed/03_gnn_clustering/report.html"
    )
    assert "ran out of time" in broken.text and not broken.find("img")
    assert "<script>alert" in broken.text and "/somewhere" not in broken.text


def test_notebook_not_run_yet(gallery):
    waiting = card(gallery, "04_dgcn")
    assert "Not run yet" in waiting.text and not waiting.find("a") and not waiting.select(".made")
    tried = {
        "notebook": "04_dgcn",
        "title": "DGCN",
        "failed": {**example_run(failed=True), "notebook": "04_dgcn", "folder": ""},
    }
    only = BeautifulSoup(render_index("demo", [], [tried]), "html.parser")
    assert only.select_one(".state a")["href"] == "failed/04_dgcn/report.html"
    assert (
        "The last run failed" in only.text
        and "Not run yet" not in only.text
        and "1 failed of 1 notebook." in only.text
    )


def test_a_run_that_left_no_record_is_told_of():
    why = "00_first: Slurm's job 12 passed the time that it had asked for (TIMEOUT)"
    lost = {"notebook": "04_dgcn", "title": "DGCN", "trouble": why}
    kept = example_run() | {"trouble": why}
    page = BeautifulSoup(render_index("demo", [kept], [lost]), "html.parser")
    assert f"The last run left no report: {why}" in card(page, "04_dgcn").text
    assert f"A newer run left no report: {why}" in card(page, "01_graph_matching").text
    assert "1 complete, 1 failed of 2 notebooks." in page.text and "Not run yet" not in page.text


def test_slurm_s_jobs_stand_with_their_numbers_states_and_logs():
    evil = "<img src=x onerror=alert(1)>"
    jobs = [
        {
            "name": "00_first.shard1",
            "number": "12",
            "state": "RUNNING",
            "broken": None,
            "log": "reports/a.log",
        },
        {
            "name": evil,
            "number": "13",
            "state": "NODE_FAIL",
            "broken": "ran on a machine that went down",
            "log": "",
        },
    ]
    page = BeautifulSoup(render_index("demo", [], [], jobs), "html.parser")
    rows = [[cell.text for cell in row.find_all("td")] for row in page.select(".queue tbody tr")]
    assert rows[0] == ["00_first.shard1", "12", "RUNNING", "reports/a.log"]
    assert rows[1][::2] == [evil, "NODE_FAIL: it ran on a machine that went down"] and not page.find_all(
        "img"
    )
    assert not BeautifulSoup(render_index("demo", [], []), "html.parser").select(".queue")


def test_empty_gallery_says_how_to_fill_it():
    page = BeautifulSoup(render_index("smoke", [], []), "html.parser")
    assert "./run_all.sh --profile smoke" in page.text and not page.select(".card")


def test_links_and_pictures_lead_to_files(tmp_path):
    page = BeautifulSoup(write_example(tmp_path).joinpath("index.html").read_text("utf-8"), "html.parser")
    images = page.find_all("img")
    assert len(images) == 2 and pictures_without_alt(str(page)) == []
    for image in images:
        assert (tmp_path / unquote(image["src"])).is_file()
    report = BeautifulSoup((tmp_path / "01_graph_matching/report.html").read_text("utf-8"), "html.parser")
    assert (
        tmp_path / "01_graph_matching" / report.select_one(".home")["href"]
    ).resolve() == tmp_path / "index.html"
    broken = BeautifulSoup(
        (tmp_path / "failed/01_graph_matching/report.html").read_text("utf-8"), "html.parser"
    )
    assert (
        tmp_path / "failed/01_graph_matching" / broken.select_one(".home")["href"]
    ).resolve() == tmp_path / "index.html"


def test_texts_are_escaped():
    evil = "<img src=x onerror=alert(1)>"
    run = {
        **example_run(),
        "title": evil,
        "notebook": evil,
        "device": evil,
        "headline_figure": None,
        "profile": evil,
    }
    page = BeautifulSoup(render_index(evil, [run], [{"notebook": "z", "title": evil}]), "html.parser")
    assert not page.find_all("img") and evil in page.text
