"""Files of any kind become upright 8-bit RGB, and the size they are worked on has bounds."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudy.errors import StudyError
from segstudy.experiments.images import reading
from segstudy.experiments.images.reading import LEAST, MOST, read_picture, working_size

made = runpy.run_path(str(Path(__file__).with_name("pictures.py")))
IMAGE = made["quadrants"]()


def test_a_turned_jpeg_is_read_as_a_viewer_shows_it(tmp_path):
    made["write_turned"](tmp_path / "a.jpg", IMAGE)
    image, note = read_picture(tmp_path / "a.jpg")
    assert image.shape == IMAGE.shape and not note
    assert np.abs(image.astype(int) - IMAGE).mean() < 8


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_other_kinds_of_pictures_become_rgb(tmp_path, mode):
    Image.fromarray(IMAGE).convert(mode).save(tmp_path / "a.tif" if mode == "CMYK" else tmp_path / "a.png")
    (path,) = tmp_path.iterdir()
    image, _ = read_picture(path)
    assert image.shape == IMAGE.shape and image.dtype == np.uint8
    assert image[0, 0].max() < 40 and image[-1, 0].min() > 215


def test_transparent_pixels_lie_on_white(tmp_path):
    opaque = np.zeros((*IMAGE.shape[:2], 1), np.uint8)
    opaque[:, :30] = 255
    Image.fromarray(np.concatenate([IMAGE, opaque], axis=2)).save(tmp_path / "a.png")
    made["write_png16"](tmp_path / "b.png", np.concatenate([IMAGE, opaque], axis=2).astype(np.uint16) * 257)
    for name, said in (("a.png", ""), ("b.png", "upper 8")):
        image, note = read_picture(tmp_path / name)
        np.testing.assert_array_equal(image[:, :30], IMAGE[:, :30])
        assert (image[:, 30:] == 255).all() and said in note


def test_sixteen_bits_a_colour_keep_their_upper_eight(tmp_path):
    made["write_png16"](tmp_path / "a.png", IMAGE.astype(np.uint16) * 256 + 77)
    image, note = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(image, IMAGE)
    assert "upper 8" in note


@pytest.mark.parametrize(
    "name, kind, factor",
    [
        ("a.png", np.uint16, 3),
        ("a.tif", np.uint16, 3),
        ("a.tif", np.int32, 1000),
        ("a.tif", np.float32, 1e-4),
    ],
)
def test_deep_grey_levels_are_stretched_whatever_their_unit(tmp_path, name, kind, factor):
    levels = np.tile(np.arange(200), (50, 1))
    Image.fromarray((levels * factor + 5 * factor).astype(kind)).save(tmp_path / name)
    image, note = read_picture(tmp_path / name)
    assert "1st to the 99th percentile" in note
    low, high = np.percentile(levels, (1, 99))
    expected = np.rint(255 * np.clip((levels - low) / (high - low), 0, 1))
    assert np.abs(image[..., 0] - expected).max() <= 1


def test_numbers_that_are_none_are_dark_and_a_flat_deep_picture_is_black(tmp_path):
    values = np.full((6, 6), np.nan, np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    values[3:] = 7.0
    Image.fromarray(values).save(tmp_path / "b.tif")
    assert not read_picture(tmp_path / "a.tif")[0].any() and not read_picture(tmp_path / "b.tif")[0].any()


def test_what_is_no_picture_is_refused_by_name(tmp_path):
    Image.fromarray(IMAGE).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:80])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("cut.png", "empty.png", "text.jpg", "missing.png"):
        with pytest.raises(StudyError, match=name):
            read_picture(tmp_path / name)


def test_the_size_worked_on_has_bounds(monkeypatch):
    assert working_size((375, 500)) == (375, 500)
    assert working_size((3, 2)) == (LEAST, LEAST)
    height, width = working_size((6000, 3000))
    assert abs(height * width - MOST) < 0.01 * MOST and height == 2 * width
    assert min(working_size((1, 100_000))) == LEAST
    monkeypatch.setattr(reading, "MOST", 4096)
    assert working_size((100, 400)) == (32, 128)
