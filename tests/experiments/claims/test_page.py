"""The filters of the list of claims, in a report as a browser shows it: without scripts, by the keyboard."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from test_browser import BROWSER, LOW_CONTRAST

from segstudy.experiments.claims import ledger, page
from segstudy.study.report import render_report

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser: chromium and google-chrome are not on the PATH"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        {"claim": c, "verdict": v, "evidence": "x " * 90} for c, v in (("DG1", "holds"), ("SG1", "holds"))
    ]
    made = {"verdicts": rows, "data": [], "seeds": [0], "changed": []}
    found = ledger.gather({"04_dgcn": made, "02_sgseg": made}, {})
    html = page.filterable(found, "demo")
    output = nbformat.v4.new_output("display_data", {"text/html": html})
    cell = nbformat.v4.new_code_cell("display(HTML(page))", outputs=[output], execution_count=1)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(nbformat.v4.new_notebook(cells=[cell]), {"notebook": "08_claims"}))
    return path


@pytest.mark.parametrize("width", [1280, 390])
def test_papers_and_verdicts_are_chosen_without_a_script(report: Path, width: int):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
        context.set_offline(True)
        shown = context.new_page()
        shown.goto(report.as_uri())
        claims = shown.locator(".ledger article:visible")
        assert claims.count() == 141
        shown.locator("#paper-all").focus()
        for _ in range(4):
            shown.keyboard.press("ArrowRight")
        assert claims.count() == 29 and shown.locator("#paper-dgcn").is_checked()
        shown.get_by_role("radio", name="holds", exact=True).check()
        assert claims.count() == 1 and claims.first.inner_text().startswith("DG1")
        shown.locator("#paper-all").check()
        assert claims.count() == 2
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert shown.evaluate(LOW_CONTRAST) == []
        browser.close()
