"""Resizing: colours are averaged, labels are picked at pixel centres."""

import numpy as np
import pytest

from segstudy.datasets.resizing import resize_image, resize_labels


def test_an_image_shrinks_by_averaging_and_keeps_its_brightness():
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    image[:, ::2] = 200  # stripes of one pixel: without antialiasing they would turn all black or all white
    small = resize_image(image, (4, 4))
    assert small.shape == (4, 4, 3) and small.dtype == np.uint8
    np.testing.assert_allclose(small[1:-1, 1:-1], 100, atol=26)


def test_labels_are_those_at_the_centres_of_the_new_pixels():
    labels = np.arange(12).reshape(3, 4)
    assert resize_labels(labels, (3, 4)).tolist() == labels.tolist()
    assert resize_labels(labels, (1, 2)).tolist() == [[5, 7]]  # row 1 (of 0..2), columns 1 and 3
    assert resize_labels(labels, (6, 8))[::2, ::2].tolist() == labels.tolist()
    assert resize_labels(labels.astype(np.uint8), (5, 5)).dtype == np.uint8


@pytest.mark.parametrize("size", [(0, 4), 4, (4, 4.5), (4,), "44"])
def test_what_is_no_size(size):
    with pytest.raises(ValueError, match="size is .*two integers of at least 1"):
        resize_labels(np.zeros((2, 2), dtype=int), size)
