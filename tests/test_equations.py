"""Every numbered equation of the papers has its number at the lines that compute it, or a reason why it has none."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# How many equations each paper numbers; the slides of paper 3 number none.
NUMBERED = {"graph_matching": 7, "sgseg": 22, "gnn_clustering": 0, "dgcn": 5, "scgnet": 15}
with (ROOT / "data/published/ledger/equations.csv").open(encoding="utf-8") as stream:
    ROWS = list(csv.DictReader(stream))
NAMED = re.compile(r"\bEqs?\.\s+(\d+(?:(?:\s*(?:,|-|–|to|and)\s*)+\d+)*)")


def numbers(text: str) -> set[int]:
    """Return the equations that a text names: "Eq. 9", "Eqs. 3, 5", "Eqs. 8 to 13", "Eqs. 6-13"."""
    found: set[int] = set()
    for match in NAMED.finditer(text):
        for first, last in re.findall(r"(\d+)(?:\s*(?:-|–|to)\s*(\d+))?", match.group(1)):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def source_of(where: str, paper: str) -> str:
    """Return the lines of ``module:name``; of ``module:``, the module's docstring alone."""
    module, name = where.split(":")
    text = (ROOT / "segstudy/papers" / paper / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    if not name:
        return ast.get_docstring(tree) or ""
    (node,) = [node for node in tree.body if getattr(node, "name", None) == name]
    return ast.get_source_segment(text, node) or ""


@pytest.mark.parametrize(
    "text, found",
    [
        ("by Eq. 9.", {9}),
        ("(Eqs. 4, 8 to 10)", {4, 8, 9, 10}),
        ("Eqs. 6-8, 12 and 14: 3 times", {6, 7, 8, 12, 14}),
        ("Eq. 5 has 4", {5}),
        ("Table 9, seq. 3", set()),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, found: set[int]):
    assert numbers(text) == found


@pytest.mark.parametrize("paper", NUMBERED)
def test_every_equation_is_listed_once(paper: str):
    listed = [int(row["equation"]) for row in ROWS if row["paper"] == paper]
    assert listed == list(range(1, NUMBERED[paper] + 1))
    assert {row["paper"] for row in ROWS} <= set(NUMBERED)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['paper']} {row['equation']}")
def test_the_code_names_the_equation_where_the_list_says(row: dict[str, str]):
    assert row["what"] and bool(row["where"]) != bool(row["reason"]), (
        "a place, or the reason why there is none"
    )
    if row["where"]:
        assert int(row["equation"]) in numbers(source_of(row["where"], row["paper"])), row["where"]


def test_no_room_names_an_equation_that_its_paper_does_not_have():
    """In the rooms that cite no other work's numbers."""
    for paper in ("graph_matching", "sgseg", "scgnet"):
        for path in (ROOT / "segstudy/papers" / paper).glob("*.py"):
            strange = {number for number in numbers(path.read_text()) if number > NUMBERED[paper]}
            assert not strange, f"{path.name} names {strange}"
