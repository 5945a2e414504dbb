"""Overlays on pictures of a few pixels, whose answers are worked by hand."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from skimage.segmentation import find_boundaries

from segstudy.plots import colourise, legend, overlay, palette, show_segmentation

matplotlib.use("Agg")
COLOURS = np.array([[0, 0, 0], [200, 100, 0], [0, 0, 250]], dtype=np.uint8)


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def grey(height, width, value=100):
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_paint_is_mixed_with_the_image():
    got = overlay(grey(2, 2), np.ones((2, 2), dtype=np.uint8), COLOURS, alpha=0.25)
    np.testing.assert_array_equal(got, np.broadcast_to([125, 100, 75], (2, 2, 3)))
    assert got.dtype == np.uint8


def test_alpha_runs_from_the_image_to_the_colours(rng):
    image, labels = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8), rng.integers(0, 3, (5, 6))
    np.testing.assert_array_equal(overlay(image, labels, COLOURS, alpha=0, boundaries=False), image)
    np.testing.assert_array_equal(overlay(image, labels, COLOURS, alpha=1), COLOURS[labels])
    np.testing.assert_array_equal(colourise(labels, COLOURS), COLOURS[labels])


def test_borders_are_opaque_and_those_of_scikit_image(rng):
    labels = np.repeat(np.repeat(rng.integers(0, 3, (3, 4)), 4, axis=0), 3, axis=1)
    got = overlay(grey(*labels.shape, 255), labels, COLOURS, alpha=0)
    border = find_boundaries(labels, connectivity=1, mode="thick")
    np.testing.assert_array_equal(got[border], COLOURS[labels[border]])
    assert (got[~border] == 255).all()


def test_void_and_unassigned_pixels_show_the_image():
    labels = np.array([[1, 255, -1, 2]])
    got = overlay(grey(1, 4), labels, COLOURS, alpha=1)
    np.testing.assert_array_equal(got[0], [COLOURS[1], [100] * 3, [100] * 3, COLOURS[2]])
    np.testing.assert_array_equal(colourise(labels, COLOURS)[0, 1], [255] * 3)
    np.testing.assert_array_equal(colourise(np.array([[0]]), COLOURS, void=0)[0, 0], [255] * 3)


def test_inputs_are_left_alone(rng):
    image, labels = grey(4, 4), rng.integers(0, 3, (4, 4))
    before = image.copy(), labels.copy()
    overlay(image, labels, COLOURS)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(labels, before[1])


def test_show_segmentation_names_the_classes_present(ax):
    labels = np.array([[0, 2, 255], [0, 2, -1]])
    show_segmentation(ax, grey(2, 3), labels, ("sky", "sea", "sand"), COLOURS)
    shown = ax.get_legend()
    assert [text.get_text() for text in shown.get_texts()] == ["sky", "sand"]
    faces = [patch.get_facecolor()[:3] for patch in shown.get_patches()]
    np.testing.assert_allclose(faces, COLOURS[[0, 2]] / 255)
    np.testing.assert_array_equal(ax.images[0].get_array(), overlay(grey(2, 3), labels, COLOURS))
    assert not ax.axison


def test_legend_can_be_left_to_another_panel(ax):
    show_segmentation(ax, grey(1, 1), np.array([[1]]), ("a", "b", "c"), COLOURS, show_legend=False)
    assert ax.get_legend() is None
    with pytest.raises(ValueError, match="equally many, got 1 and 2"):
        legend(ax, ["one"], palette(2))


def test_bad_input_is_refused():
    good = np.zeros((2, 2), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"image must be \(H, W, 3\) uint8, got \(2, 2, 4\)"):
        overlay(np.zeros((2, 2, 4), dtype=np.uint8), good, COLOURS)
    with pytest.raises(ValueError, match="float64"):
        overlay(np.zeros((2, 2, 3)), good, COLOURS)
    with pytest.raises(ValueError, match=r"labels \(1, 2\) and image \(2, 2\)"):
        overlay(grey(2, 2), good[:1], COLOURS)
    with pytest.raises(ValueError, match="labels reach 3, but there are only 3 colours"):
        overlay(grey(2, 2), good + 3, COLOURS)
    with pytest.raises(ValueError, match="alpha must be 0 to 1, got 50"):
        overlay(grey(2, 2), good, COLOURS, alpha=50)
