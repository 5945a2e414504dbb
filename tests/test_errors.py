"""A message about an unknown name says which was meant, or which there are."""

from __future__ import annotations

from segstudy.errors import nearest


def test_the_nearest_name_or_all_of_them():
    assert nearest("factr", ["seconds", "factor"]) == "; did you mean 'factor'?"
    assert nearest("xyz", ["seconds", "factor"]) == "; there are: factor, seconds"
    assert nearest(7, []) == "; there are: none"


def test_a_long_list_is_cut():
    assert nearest("?", [f"name{i:02d}" for i in range(15)]).endswith("name10, name11 and 3 more")
