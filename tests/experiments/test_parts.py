"""Parts of data sets, as notebooks' parameters name them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from segstudy.datasets import open_dataset
from segstudy.datasets.files import VOID, crop
from segstudy.datasets.sample import Sample
from segstudy.experiments.parts import evenly, open_part, spaced, squares


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, []), (1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, [*range(10)]), (99, [*range(10)])],
)
def test_items_are_spaced_from_the_first_to_the_last(count: int, expected: list[int]):
    assert spaced(range(10), count) == expected


def test_a_part_is_named_by_data_set_and_split_and_has_so_many_pictures():
    whole = open_dataset("lesions", split="val")
    assert open_part("lesions/val").fingerprint() == whole.fingerprint()
    assert [s.name for s in open_part("lesions/val", 3)] == ["val-000", "val-008", "val-015"]
    assert len(evenly(whole, 999)) == len(whole) == len(evenly(whole, 0))
    assert open_part("objects/val", 2, "none", drawn=48)[0].size == (48, 48)
    assert open_part("lesions/val", 1, "none")[0].labels is None


def test_squares_do_not_overlap_and_have_a_label_where_there_are_any():
    labels = np.full((5, 7), VOID)
    labels[0, 0], labels[3, 5], labels[4, 6] = 1, 2, 3  # the last lies in no square
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    sample = Sample("one", partial(crop, image), partial(crop, labels))
    found = list(squares(sample, 2))
    assert [name for name, *_ in found] == ["one, 0, 0", "one, 1, 2"]
    assert (found[1][1] == image[2:4, 4:6]).all() and (found[1][2] == labels[2:4, 4:6]).all()
    assert [part[2] for part in squares(Sample("two", partial(crop, image)), 2)] == [None] * 6
