"""The palette stays apart in the eyes of colour-blind readers."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from segstudy.plots import CYCLE, palette

# Machado, Oliveira & Fernandes 2009, Table 1, severity 1.0; they act on linear RGB.
SIMULATED = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def seen(colours, vision):
    """CIELAB of RGB colours in 0 .. 255 as seen with `vision`."""
    encoded = np.asarray(colours) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ SIMULATED[vision].T, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)[None])[
        0
    ]


def smallest_distance(colours, vision):
    lab = seen(colours, vision)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return apart[np.triu_indices(len(lab), 1)].min()


@pytest.mark.parametrize("vision", SIMULATED)
def test_first_nine_colours_stay_apart(vision):
    assert smallest_distance(palette(9), vision) > 16.5


def test_the_simulation_would_catch_a_bad_palette():
    """Red and green of equal lightness: far apart to most, close under deuteranopia."""
    red_green = [(200, 80, 60), (120, 130, 40)]
    assert smallest_distance(red_green, "normal") > 50
    assert smallest_distance(red_green, "deuteranopia") < 16.5


def test_all_colours_are_distinct_to_normal_vision():
    assert smallest_distance(palette(25), "normal") > 13


def test_background_is_dark_and_neutral():
    background = palette(1)[0]
    assert np.ptp(background) == 0
    assert background.max() < 64
    assert seen(palette(25), "normal")[:, 0].argmin() == 0


def test_shapes_and_prefixes():
    for n in (1, 9, 21, 25):
        colours = palette(n)
        assert colours.shape == (n, 3)
        assert colours.dtype == np.uint8
        np.testing.assert_array_equal(colours, palette(25)[:n])
    palette(9)[0] = 255  # a caller who writes into the result must not change the next one
    assert palette(9)[0, 0] == 40


def test_cycle_holds_palette_colours_that_show_on_white():
    rgb = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in CYCLE]
    assert {tuple(int(v) for v in c) for c in palette(9)} - set(rgb) == {(240, 228, 66)}
    assert (seen(rgb, "normal")[:, 0] < 75).all()


@pytest.mark.parametrize("n", [0, 26])
def test_out_of_range_is_refused(n):
    with pytest.raises(ValueError, match=f"n must be 1 to 25, got {n}"):
        palette(n)
