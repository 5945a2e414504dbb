"""Make the HTML of a notebook fit to publish: sealed from the network, described, readable on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

PLACEHOLDER = "Figure without description"
_NBCONVERT_PLACEHOLDER = "No description has been provided for this image"
_ACTIVE = ["script", "link", "meta", "base", "iframe", "object", "embed", "frame", "portal"]
_LOADING = ["src", "srcset", "poster", "data", "background", "xlink:href"]
_NUMBER = re.compile(
    r"[+\-−]?\d[\d.,]*(e[+\-]?\d+)?\s*%?(\s*±\s*[\d.]+(e[+\-]?\d+)?)?(\s*\(\d+\))?", re.IGNORECASE
)
LONG = 50  # characters from which a table's column holds sentences, and is wrapped
_BLANK = {"", "–", "—", "-", "nan"}
_FORMULA = re.compile(
    r"\$\$.+?\$\$|(?<!\\)\$[^$]+?(?<!\\)\$|\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{(\w+\*?)\}.+?\\end\{\1\}",
    re.DOTALL,
)
_MATHEMATICAL = ".rendered_html, .output_latex"


class Heading(NamedTuple):
    """An entry of the table of contents: depth (2 or 3), id, and inner HTML."""

    level: int
    id: str
    html: str


@dataclass(frozen=True)
class Body:
    """A notebook's HTML, ready for the page.

    Attributes
    ----------
    html : str
        The cells.
    title : str
        Inner HTML of the notebook's first heading of level 1, taken out of `html`; empty where there is none.
    contents : tuple of Heading
        The sections.
    formulas : int
        Formulas that MathJax will find, those of `title` and `contents` among them.
    undescribed : int
        Pictures that had no alternative text and now carry a placeholder.
    """

    html: str
    title: str
    contents: tuple[Heading, ...]
    formulas: int
    undescribed: int


def tidy(html: str) -> Body:
    """Return the cells of a notebook, as nbconvert's basic template gives them, fit for the page."""
    soup = BeautifulSoup(html, "html.parser")
    _seal(soup)
    undescribed = _describe_pictures(soup)
    for table in soup.find_all("table"):
        _tidy_table(soup, table)
    title = _take_title(soup)
    contents = _contents(soup)
    formulas = sum(
        _count_formulas(place) for place in soup.select(_MATHEMATICAL) if not _inside_another(place)
    )
    formulas += sum(
        _count_formulas(BeautifulSoup(part, "html.parser")) for part in [title, *(h.html for h in contents)]
    )
    return Body(str(soup), title, contents, formulas, undescribed)


def pictures_without_alt(html: str) -> list[str]:
    """Return the start of the tag of each picture in `html` that nobody described.

    Parameters
    ----------
    html : str
        A page, or a part of one.

    Returns
    -------
    list of str
        One entry for each `img`, or labelled drawing, whose alternative text is absent, blank, or a placeholder.
    """
    soup = BeautifulSoup(html, "html.parser")
    return [str(picture)[:80] for picture in _pictures(soup) if not _described(picture)]


def _pictures(soup: Tag) -> list[Tag]:
    """Return the images of a page, and the outermost drawings that are not hidden from a screen reader."""
    found = soup.select("img, svg:not([aria-hidden=true])")
    return [picture for picture in found if picture.find_parent("svg") is None]


def _described(picture: Tag) -> bool:
    name = "alt" if picture.name == "img" else "aria-label"
    text = str(picture.get(name, "")).strip()
    return text not in ("", PLACEHOLDER, _NBCONVERT_PLACEHOLDER)


def _describe_pictures(soup: BeautifulSoup) -> int:
    """Give every picture an alternative text, the placeholder where it has none; return how many had none."""
    for drawing in soup.select("svg"):
        heading = drawing.find("title")
        if heading is not None and not drawing.get("aria-label"):
            drawing["aria-label"] = heading.get_text(strip=True)
        drawing["role"] = "img"
    lacking = [picture for picture in _pictures(soup) if not _described(picture)]
    for picture in lacking:
        picture["alt" if picture.name == "img" else "aria-label"] = PLACEHOLDER
    return len(lacking)


def _seal(soup: BeautifulSoup) -> None:
    """Take out whatever could run or ask for a file; a picture that is not embedded leaves a note in its place."""
    for tag in soup.find_all(_ACTIVE):
        tag.decompose()
    for style in soup.find_all("style"):
        # With a "<" in it, what is a style here is markup to a browser, in a drawing for example.
        if style.has_attr("scoped") or re.search(r"@import|url\(|<", style.get_text()):
            style.decompose()
    for comment in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        comment.extract()  # where one ends is read in more than one way
    for tag in soup.find_all(True):
        _seal_attributes(soup, tag)


def _seal_attributes(soup: BeautifulSoup, tag: Tag) -> None:
    for name in [name for name in tag.attrs if name.lower().startswith("on")]:
        del tag[name]
    if "url(" in str(tag.get("style", "")):
        del tag["style"]
    if str(tag.get("href", "")).strip().lower().startswith("javascript:"):
        del tag["href"]
    for name in [*_LOADING, "href"] if tag.name in ("image", "use", "feimage") else _LOADING:
        if tag.has_attr(name) and not str(tag[name]).startswith(("data:image/", "#")):
            del tag[name]
    if tag.name == "img" and not tag.has_attr("src"):
        note = soup.new_tag("span", attrs={"class": "note"})
        note.string = f"[a picture that the notebook does not carry: {tag.get('alt') or 'no description'}]"
        tag.replace_with(note)


def _tidy_table(soup: BeautifulSoup, table: Tag) -> None:
    """Let a table scroll in a region of its own, and set columns of numbers to the right."""
    for tag in [table, *table.find_all("tr")]:
        for name in ("border", "style"):
            tag.attrs.pop(name, None)
    figure = table.find_parent("figure")
    caption = table.find("caption") or (figure and figure.find("figcaption"))
    label = caption.get_text(" ", strip=True) if caption else "Table"
    attributes = {"class": "table", "role": "region", "aria-label": label, "tabindex": "0"}
    table.wrap(soup.new_tag("div", attrs=attributes))
    columns: dict[int, list[Tag]] = {}
    for row in table.select("tbody tr"):
        for position, cell in _from_the_right(row):
            if cell.name == "td":
                columns.setdefault(position, []).append(cell)
    numeric = {position for position, cells in columns.items() if _is_numeric(cells)}
    for cells in columns.values():
        if max(len(cell.get_text(strip=True)) for cell in cells) > LONG:
            for cell in cells:
                cell["class"] = [*cell.get_attribute_list("class", []), "long"]
    for row in table.find_all("tr"):
        for position, cell in _from_the_right(row):
            label = cell.name == "th" and row.find_parent("tbody") is not None
            if position in numeric and not label and cell.get("colspan", "1") == "1":
                cell["class"] = [*cell.get_attribute_list("class", []), "number"]


def _from_the_right(row: Tag) -> list[tuple[int, Tag]]:
    """Return a row's cells with their columns, counted from the right: row labels that span rows stand on the left."""
    placed, position = [], 0
    for cell in reversed(row.find_all(["td", "th"], recursive=False)):
        placed.append((position, cell))
        position += int(str(cell.get("colspan", "1")))
    return placed


def _is_numeric(cells: list[Tag]) -> bool:
    """Say whether a column holds numbers: most of what is written in it, since a cell may read "not run"."""
    texts = [cell.get_text(strip=True) for cell in cells]
    written = [text for text in texts if text.lower() not in _BLANK]
    numbers = [text for text in written if _NUMBER.fullmatch(text)]
    return bool(numbers) and 2 * len(numbers) >= len(written)


def _take_title(soup: BeautifulSoup) -> str:
    heading = soup.select_one(".text_cell h1")
    if heading is None:
        return ""
    for anchor in heading.select("a.anchor-link"):
        anchor.decompose()
    heading.extract()
    return heading.decode_contents().strip()


def _contents(soup: BeautifulSoup) -> tuple[Heading, ...]:
    """Give the headings of the prose ids of their own and return those of the table of contents."""
    taken: set[str] = set()
    listed = []
    for heading in soup.select(".text_cell :is(h1, h2, h3, h4, h5, h6)"):
        anchor = heading.select_one("a.anchor-link")
        if anchor is None:
            continue
        plain = str(heading.get("id"))
        heading["id"] = next(
            name for name in (f"{plain}-{n}" if n else plain for n in count()) if name not in taken
        )
        taken.add(str(heading["id"]))
        anchor.extract()
        if heading.name in ("h1", "h2", "h3") and heading.find_parent("details") is None:
            level = 3 if heading.name == "h3" else 2
            listed.append(Heading(level, str(heading["id"]), _without_links(heading)))
        anchor["href"] = f"#{heading['id']}"
        anchor["aria-label"] = "Link to this section"
        heading.append(anchor)
    return tuple(listed)


def _without_links(heading: Tag) -> str:
    copy = BeautifulSoup(heading.decode_contents(), "html.parser")
    for link in copy.find_all("a"):
        link.unwrap()
    return str(copy).strip()


def _inside_another(place: Tag) -> bool:
    return place.find_parent(class_=["rendered_html", "output_latex"]) is not None


def _count_formulas(place: Tag) -> int:
    texts = (
        text for text in place.find_all(string=True) if text.find_parent(["pre", "code", "style"]) is None
    )
    return sum(len(_FORMULA.findall(text)) for text in texts)
