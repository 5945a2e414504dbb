"""A notebook opened in a real JupyterLab and browser: it runs, its slider works, the repository stays as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from test_browser import BROWSER

from segstudy.study.kernel import register
from segstudy.study.notebooks import tags
from segstudy.study.project import load_project

ROOT = Path(__file__).resolve().parents[2]
NAME = "00_start_here"
pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser: chromium and google-chrome are not on the PATH"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the notebook in it, its parameters those of the smoke profile."""
    root = tmp_path / "repository"
    (root / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / ".gitignore", root)
    notebook = nbformat.read(ROOT / "notebooks" / f"{NAME}.ipynb", as_version=4)
    values = load_project(ROOT).notebooks[NAME].values("smoke", {})
    (cell,) = (cell for cell in notebook.cells if "parameters" in tags(cell))
    cell.source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    nbformat.write(notebook, root / "notebooks" / f"{NAME}.ipynb")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "all")
    return root


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def lab(repository: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab started in the repository as README says, with settings and kernel of its own."""
    register(tmp_path / "jupyter")
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"windowingMode": "none"}))  # cells out of sight stay in the page
    environment = os.environ | {
        "HOME": str(tmp_path / "home"),
        "JUPYTER_PATH": str(tmp_path / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "none"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, "-m", "jupyterlab", f"notebooks/{NAME}.ipynb", "--no-browser", "--allow-root"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(words, cwd=repository, env=environment, stdout=log, stderr=log)
        try:
            yield address_of(tmp_path / "runtime", server, tmp_path / "log")
        finally:
            server.terminate()
            server.wait(timeout=60)


def address_of(runtime: Path, server: subprocess.Popen, log: Path) -> str:
    """Return the page that the server would open in a browser."""
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        if found := list(runtime.glob("jpserver-*-open.html")):
            return found[0].as_uri()
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def test_run_all_move_the_slider_and_nothing_is_written(repository: Path, lab: str):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(45_000)
        page.goto(lab)
        page.locator(".jp-DirListing-item", has_text=NAME[:8]).dblclick()
        page.get_by_text(
            "segstudy | Idle"
        ).wait_for()  # before that JupyterLab would ask which kernel to take
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        cells = page.locator(".jp-Notebook .jp-CodeCell")
        page.wait_for_function(
            "[...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].at(-1).innerText.match(/\\d/)"
        )
        assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
        slider = cells.filter(has_text="@interact")
        handle, picture = (
            slider.locator(".noUi-handle"),
            slider.locator(".widget-output img, .jupyter-widgets img"),
        )
        before = picture.first.get_attribute("src"), slider.locator(".widget-readout").inner_text()
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "(before) => [...document.querySelectorAll('.jupyter-widgets img')].some((i) => i.src && i.src !== before)",
            arg=before[0],
        )
        after = picture.first.get_attribute("src"), slider.locator(".widget-readout").inner_text()
        browser.close()
    assert (before[1], after[1]) == ("4", "5") and before[0] != after[0]
    written = git(repository, "status", "--porcelain", "--ignored").splitlines()
    assert set(written) <= {"!! notebooks/.ipynb_checkpoints/"}, (
        "JupyterLab's own, which git ignores, is all there may be"
    )
