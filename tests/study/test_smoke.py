"""Every notebook runs in the smoke profile, every cell of it, and its page is whole in a browser without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_browser import BROWSER

from segstudy.study.report import pictures_without_alt

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks" / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, smoke_results: Path) -> Path:
    """Smoke reports of all notebooks, made in a folder of their own so that the checkout's reports stay."""
    root = tmp_path_factory.mktemp("smoke")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns("*.ipynb"))
    (root / "reports" / ".state").mkdir(parents=True)
    (root / "reports" / ".state" / "cache").symlink_to(smoke_results)
    words = [sys.executable, "-m", "segstudy", "--project", str(root), "run", "--profile", "smoke"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=3000, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "reports" / "smoke"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_record_is_whole_and_holds_no_path(reports: Path, name: str):
    folder = reports / name
    run = json.loads((folder / "run.json").read_text())
    assert run["status"] == "ok" and run["figures"] and run["headline"]
    reads_records = "records" in run["fingerprint"]  # of others: it opens no data and draws no seed
    assert reads_records or (run["seeds"] and run["data"])
    assert json.loads((folder / "metrics.json").read_text())
    assert json.loads((folder / "timings.json").read_text())["cells"]
    for kind in ("figures", "tables"):
        for row in run[kind]:
            assert (folder / row["file"]).stat().st_size > 0
    for figure in run["figures"]:
        assert (folder / figure["file"]).with_suffix(".svg").is_file()
        assert figure["alt"] and re.search(r"\d|Orange", figure["caption"]), figure["caption"]
    for file in ("run.json", "metrics.json", "timings.json", "notebook.ipynb", "report.html"):
        text = (folder / file).read_text()
        assert str(reports.parent) not in text and str(ROOT) not in text, file


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_picture_says_what_it_shows(reports: Path, name: str):
    page = (reports / name / "report.html").read_text()
    assert "<img" in page and pictures_without_alt(page) == []
    assert "widget-view" not in page


@pytest.mark.skipif(BROWSER is None, reason="no browser: chromium and google-chrome are not on the PATH")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page_name", [*(f"{name}/report.html" for name in NOTEBOOKS), "index.html"])
def test_the_page_is_whole_without_a_network(reports: Path, page_name: str, width: int):
    from playwright.sync_api import sync_playwright

    noise: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on(
            "request", lambda r: noise.append(r.url) if not r.url.startswith(("file:", "data:")) else None
        )
        page.goto((reports / page_name).as_uri())
        if page_name != "index.html":
            page.wait_for_selector("html[data-math=typeset]", timeout=60_000)
            formulas = page.evaluate(
                "[document.body.dataset.formulas, document.querySelectorAll('mjx-container').length]"
            )
            assert int(formulas[0]) == formulas[1] > 0
            assert page.evaluate("document.querySelectorAll('mjx-merror, [data-mjx-error]').length") == 0
        assert page.evaluate(
            "[...document.images].every((i) => i.alt.trim() && (i.loading === 'lazy' || i.naturalWidth > 0))"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert noise == []
