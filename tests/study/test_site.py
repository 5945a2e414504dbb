"""A site's links lead somewhere, its equations are drawn, and it asks the network for nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from test_browser import BROWSER

from segstudy.errors import StudyError
from segstudy.study import handout, site
from segstudy.study.project import load_project

MODULE = '''"""A module with a table and an equation.

| paper | here |
|---|---|
| a | `square` |
"""

__all__ = ["square"]


def square(number: float) -> float:
    """Return :math:`x^2`.

    Parameters
    ----------
    number : float
        The x.
    """
    return number**2


def hidden() -> None:
    """Not of the reference."""
'''


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the toy study, with the reference of one small module."""
    for name in ("sphinx", "numpydoc"):
        pytest.importorskip(name, reason=f"no {name}: pip install -r requirements.txt")
    folder = tmp_path_factory.mktemp("site")
    (folder / "modules").mkdir()
    (folder / "modules" / "small_module.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder / "modules")
        patch.setattr(handout, "PICTURES", 1)
        patch.setattr(site, "public_modules", lambda: ["small_module"])
        site.make_site(load_project(finished.root), folder / "site")
    return folder / "site"


def addresses(page: Path) -> list[tuple[str, bool]]:
    """Return what a page links to or loads, and whether it is loaded."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    loaded = [tag["src"] for tag in soup.select("[src]")]
    loaded += [tag["href"] for tag in soup.select("link[href]") if tag["rel"] not in (["search"], ["index"])]
    return [(a, True) for a in loaded] + [(tag["href"], False) for tag in soup.select("a[href]")]


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(made: Path):
    pages = sorted(made.rglob("*.html"))
    assert {"index.html", "reference/small_module.html", "reports/smoke/00_first/report.html"} <= {
        page.relative_to(made).as_posix() for page in pages
    }
    followed = 0
    for page in pages:
        for address, loaded in addresses(page):
            where = urlsplit(address)
            if where.scheme or where.netloc:
                assert where.scheme == "data" or not loaded, f"{page.name} loads {address}"
                continue
            target = (page.parent / unquote(where.path)).resolve() if where.path else page
            assert target.is_file() and target.is_relative_to(made.resolve()), f"{page.name}: {address}"
            if where.fragment and target.suffix == ".html":
                ids = BeautifulSoup(target.read_text(encoding="utf-8"), "html.parser")
                assert ids.find(id=unquote(where.fragment)), f"{page.name}: {address}"
            followed += 1
    assert followed > 20


def test_the_index_leads_to_reports_and_students_notebooks_alone(made: Path):
    links = {address for address, _ in addresses(made / "index.html")}
    assert {"reports/smoke/index.html", "reports/smoke/01_second/report.html"} <= links
    assert {"handouts/00_first.ipynb", "handouts/pictures.zip", "reference/index.html"} <= links
    assert not [path for path in made.rglob("*") if "teacher" in path.name]
    assert "pictures/faces/images/train-000.png" in ZipFile(made / "handouts" / "pictures.zip").namelist()


def test_the_reference_tells_what_a_module_gives(made: Path):
    page = BeautifulSoup((made / "reference" / "small_module.html").read_text(), "html.parser")
    assert page.select_one("dt#small_module\\.square") and "hidden" not in page.text
    assert [cell.text.strip() for cell in page.select("table td")] == ["a", "square"]
    assert "Parameters" in page.text and "The x." in page.text


def test_every_public_room_has_a_page():
    modules = site.public_modules()
    assert {"segstudy.metrics", "segstudy.papers.dgcn", "segstudy.segmenter"} <= set(modules)
    assert not [name for name in modules if "experiments" in name]


@pytest.mark.skipif(BROWSER is None, reason="no browser: chromium and google-chrome are not on the PATH")
def test_equations_of_the_reference_are_drawn_without_a_network(made: Path):
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda r: asked.append(r.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto((made / "reference" / "small_module.html").as_uri())
        page.wait_for_selector("mjx-container > svg", timeout=30_000)
        assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
        browser.close()
    assert not [address for address in asked if not address.startswith(("file:", "data:"))]


def test_what_is_missing_is_said_and_nothing_is_written(
    tmp_path: Path, finished, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "numpydoc", None)
    with pytest.raises(StudyError, match="numpydoc not installed: pip install"):
        site.make_site(load_project(finished.root), tmp_path / "site")
    assert not (tmp_path / "site").exists()
