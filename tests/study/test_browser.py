"""The pages as a browser shows them, with the network cut off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from example_run import FORMULAS, NAME, SHORT_CODE, write_example

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser: chromium and google-chrome are not on the PATH"
)

REPORT, FAILED, INDEX = f"{NAME}/report.html", f"failed/{NAME}/report.html", "index.html"
PAGES = [REPORT, FAILED, INDEX]

# WCAG 2.2, contrast ratio of every text that can be seen against the ground it stands on
LOW_CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
  };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).map((n) => n.data).join("");
    if (!text || e.closest("mjx-container, script") || !e.checkVisibility({opacityProperty: true})) continue;
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${e.tagName}.${e.className}: ${ratio.toFixed(2)} ${text.slice(0, 20)}`);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_example(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, folder):
    """Return a function that opens a page; whatever it asked of the network or complained of fails the test."""
    contexts, noise = [], []

    def refuse(route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            noise.append(route.request.url)
            route.abort()

    def visit(name: str, width: int = 1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.set_offline(True)
        context.route("**/*", refuse)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.goto((folder / name).as_uri())
        if name != INDEX and options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-math=typeset]")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert noise == []


@pytest.mark.parametrize("name", PAGES)
def test_pictures_load_and_are_described(visit, name):
    page = visit(name)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    pictures = page.evaluate("[...document.images].map((image) => [image.naturalWidth, image.alt.trim()])")
    assert pictures and all(width > 0 and alt for width, alt in pictures)


def test_mathematics_is_typeset(visit):
    page = visit(REPORT)
    assert page.locator("mjx-container").count() == FORMULAS
    assert page.locator("mjx-container > svg").count() == FORMULAS
    assert page.locator("[data-mml-node=merror], mjx-merror, [data-mjx-error]").count() == 0
    assert page.locator("mjx-container > svg [fill=red]").count() == 0  # an unknown command
    assert page.locator("mjx-assistive-mml math").count() == FORMULAS
    assert page.locator("[class*=CtxtMenu]").count() == 0  # the menu would load its parts when it is opened
    assert "\\arg" not in page.locator("main").inner_text()
    heights = page.evaluate(
        "[...document.querySelectorAll('mjx-container > svg')].map((s) => s.getBoundingClientRect().height)"
    )
    assert min(heights[:2]) > 5  # drawn, not empty


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 768])
def test_page_never_scrolls_sideways(visit, name, width):
    page = visit(name, width)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_wide_scrolls_by_itself(visit):
    page = visit(REPORT, 390)
    for selector in (
        ".study-table .table",
        "mjx-container[display=true]",
        "mjx-container.wide",
        ".highlight pre",
    ):
        assert page.locator(selector).first.evaluate(
            "(e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'"
        )
    assert not page.locator(".contents details").evaluate("(e) => e.open")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(visit, name, scheme):
    page = visit(name, color_scheme=scheme)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.evaluate(LOW_CONTRAST) == []


def test_theme_follows_the_system_and_the_button(visit):
    grounds = {}
    for scheme in ("light", "dark"):
        page = visit(REPORT, color_scheme=scheme)
        ground = "getComputedStyle(document.body).backgroundColor"
        grounds[scheme] = page.evaluate(ground)
        figure = page.locator("figure img").first.evaluate(
            "(e) => getComputedStyle(e.parentElement).backgroundColor"
        )
        assert figure == "rgb(255, 255, 255)"
        button = page.get_by_role("button", name="Dark" if scheme == "light" else "Light", exact=True)
        button.click()
        grounds[f"{scheme} turned"] = page.evaluate(ground)
    assert grounds["light"] != grounds["dark"]
    assert grounds["light turned"] == grounds["dark"] and grounds["dark turned"] == grounds["light"]


def test_figure_enlarges_by_keyboard(visit):
    page = visit(REPORT)
    box = page.locator("#lightbox")
    assert not box.is_visible()
    page.locator("button.enlarge").first.focus()
    page.keyboard.press("Enter")
    assert box.is_visible() and box.locator("img").get_attribute("alt").startswith("A noisy image")
    assert box.locator("figcaption").inner_text().startswith("Two regions")
    page.keyboard.press("Escape")
    assert not box.is_visible()
    assert page.evaluate("document.activeElement.className") == "enlarge"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close").click()
    assert not box.is_visible()


def test_code_is_copied(visit):
    page = visit(REPORT, permissions=["clipboard-read", "clipboard-write"])
    block = page.locator("details.code", has_text="edge_distance").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    block.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == SHORT_CODE


def test_all_code_is_shown_and_hidden(visit):
    page = visit(REPORT)
    folds = page.locator("details.code")
    opened = "(folds) => folds.map((fold) => fold.open)"
    assert len(set(folds.evaluate_all(opened))) == 2  # some are folded at first
    page.get_by_role("button", name="Show all code").click()
    assert all(folds.evaluate_all(opened))
    page.get_by_role("button", name="Hide all code").click()
    assert not any(folds.evaluate_all(opened))
    page.get_by_role("button", name="Show all code").wait_for()


def test_print_leaves_the_chrome_away(visit):
    page = visit(REPORT, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for selector in (".bar", ".contents", ".skip", ".foot", "details.code:not([open])", "details.solution"):
        assert page.locator(selector).count() and not page.locator(selector).first.is_visible()
    assert page.locator("details.code[open] pre").first.is_visible()
    assert page.locator(".record dd").first.is_visible()  # versions are on paper, though folded on screen
    after = page.locator("main a[href^=http]").first.evaluate("(e) => getComputedStyle(e, '::after').content")
    assert "https://example.org/graph-matching" in after
    assert (
        page.evaluate("getComputedStyle(document.body).color") == "rgb(31, 36, 41)"
    )  # dark ink, whatever the theme


def test_page_reads_without_scripts(visit):
    page = visit(REPORT, java_script_enabled=False)
    assert page.get_by_text("\\arg\\min_{X").is_visible()
    assert page.locator("figure img").first.is_visible()
    assert page.locator(".contents a").first.is_visible()
    assert not page.locator("#theme").is_visible() and not page.locator("#code").is_visible()
    page.locator("details.solution summary").first.click()
    assert page.get_by_text("Average it with its transpose").is_visible()


def test_failing_cell_is_one_click_away(visit):
    page = visit(FAILED)
    page.get_by_role("link", name="Go to the cell that failed").click()
    assert page.locator(".output_error").is_visible()
    top = page.locator("#failing-cell").evaluate("(e) => e.getBoundingClientRect().top")
    bar = page.locator(".bar").evaluate("(e) => e.getBoundingClientRect().bottom")
    assert bar <= top < 900


def test_a_section_is_not_hidden_by_the_bar(visit):
    page = visit(REPORT)
    page.get_by_role("link", name="The method, in three steps").click()
    top = page.locator("main h2", has_text="The method").evaluate("(e) => e.getBoundingClientRect().top")
    bar = page.locator(".bar").evaluate("(e) => e.getBoundingClientRect().bottom")
    assert bar <= top < bar + 60


def test_first_tab_stop_skips_to_the_content(visit):
    page = visit(REPORT)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.bounding_box()["x"] >= 0
    assert skip.evaluate("(e) => getComputedStyle(e).outlineStyle") != "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator("html").get_attribute("lang") == "en"
