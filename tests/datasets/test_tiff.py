"""Windows of TIFF pictures: right in every layout, and nothing decoded that lies outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from miniatures import photograph, save, truncate
from PIL import Image

from segstudy.datasets import pictures, tiff
from segstudy.errors import StudyError

HEIGHT, WIDTH, ROWS = 203, 157, 16
COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")


def noise(bands, seed=0):
    shape = (HEIGHT, WIDTH) if bands == 1 else (HEIGHT, WIDTH, bands)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_strips(path, pixels, compression="tiff_lzw"):
    """A TIFF of strips of 16 rows."""
    Image.fromarray(pixels).save(path, compression=compression, tiffinfo={278: ROWS})
    return path


def write_tiles(path, pixels, **how):
    """A TIFF of tiles of 64 x 64."""
    tifffile = pytest.importorskip("tifffile")
    kind = "minisblack" if pixels.ndim == 2 else "rgb"
    tifffile.imwrite(path, pixels, photometric=kind, tile=(64, 64), **how)
    return path


@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_strips(tmp_path, bands, compression):
    pixels = noise(bands)
    path = write_strips(tmp_path / "a.tif", pixels, compression)
    expected = pixels.reshape(HEIGHT, WIDTH, bands)
    assert (tiff.read_tiff(path) == expected).all()
    assert (tiff.read_tiff(path, (10, 20, 50, 70)) == expected[10:60, 20:90]).all()


@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}])
def test_tiles(tmp_path, bands, how):
    pixels = noise(bands)
    path = write_tiles(tmp_path / "a.tif", pixels, **how)
    expected = pixels.reshape(HEIGHT, WIDTH, bands)
    assert (tiff.read_tiff(path) == expected).all()
    assert (tiff.read_tiff(path, (100, 60, 103, 97)) == expected[100:, 60:]).all()


@pytest.fixture(scope="module")
def striped(tmp_path_factory):
    return write_strips(tmp_path_factory.mktemp("tiff") / "a.tif", noise(3))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_window(striped, data):
    row, column = data.draw(st.integers(0, HEIGHT - 1)), data.draw(st.integers(0, WIDTH - 1))
    height, width = data.draw(st.integers(1, HEIGHT - row)), data.draw(st.integers(1, WIDTH - column))
    found = tiff.read_tiff(striped, (row, column, height, width))
    assert (found == noise(3)[row : row + height, column : column + width]).all()


@pytest.mark.parametrize(
    ("write", "window", "blocks"),
    [
        (write_strips, (40, 0, 20, 10), 2),  # rows 40..59 lie in the strips of rows 32..47 and 48..63
        (lambda path, pixels: write_tiles(path, pixels, compression="zlib"), (60, 10, 10, 50), 2),
    ],
    ids=["strips", "tiles"],
)
def test_only_touched_blocks_are_decoded(tmp_path, monkeypatch, write, window, blocks):
    path = write(tmp_path / "a.tif", noise(3))
    decoded, decode = [], tiff._decode

    def counted(*arguments):
        decoded.append(decode(*arguments))
        return decoded[-1]

    monkeypatch.setattr(tiff, "_decode", counted)
    monkeypatch.setattr(Image, "open", refuse_to_load(Image.open))
    found = tiff.read_tiff(path, window)
    row, column, height, width = window
    assert (found == noise(3)[row : row + height, column : column + width]).all()
    assert len(decoded) == blocks
    assert sum(block.size for block in decoded) < noise(3).size / 3


def refuse_to_load(image_open):
    """`Image.open` whose pictures cannot be decoded: their headers are all that may be read of them."""

    def opened(*arguments):
        picture = image_open(*arguments)
        picture.load = lambda: pytest.fail("the whole picture was decoded")
        return picture

    return opened


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_what_lies_outside_the_window_may_be_broken(tmp_path, compression):
    path = write_strips(tmp_path / "a.tif", noise(3), compression)
    layout = tiff._layout(path)
    content = bytearray(path.read_bytes())
    for index in (0, *range(4, len(layout.offsets))):
        start = layout.offsets[index]
        content[start : start + layout.counts[index]] = bytes(layout.counts[index])
    path.write_bytes(content)
    assert (tiff.read_tiff(path, (16, 5, 48, 30)) == noise(3)[16:64, 5:35]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_orientation(tmp_path, orientation, compression):
    """Windows of a turned picture are those of the picture that PIL turns whole."""
    path, tags = tmp_path / "a.tif", {274: orientation, 278: ROWS}
    Image.fromarray(noise(3)).save(path, compression=compression, tiffinfo=tags)
    with Image.open(path) as picture:
        upright = np.asarray(picture)
    assert (tiff.read_tiff(path) == upright).all()
    assert (tiff.read_tiff(path, (10, 20, 50, 70)) == upright[10:60, 20:90]).all()
    assert pictures.read_size(path) == upright.shape[:2]


def test_bad_files(tmp_path):
    with pytest.raises(StudyError, match="is no TIFF"):
        tiff.read_tiff(save(tmp_path / "a.png", photograph(0, 8, 8)))
    with pytest.raises(StudyError, match="save it with 8 bits"):
        tiff.read_tiff(save(tmp_path / "deep.tif", np.zeros((8, 8), np.uint16)))
    (tmp_path / "none.tif").write_bytes(b"no picture")
    with pytest.raises(StudyError, match="none.tif"):
        tiff.read_tiff(tmp_path / "none.tif")


def test_bands_that_lie_apart(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(
        tmp_path / "a.tif", noise(3).transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
    )
    with pytest.raises(StudyError, match="interleaved"):
        tiff.read_tiff(tmp_path / "a.tif")


def test_a_file_cut_short(tmp_path):
    tifffile = pytest.importorskip("tifffile")  # it writes the header before the pixels
    tifffile.imwrite(tmp_path / "a.tif", noise(3), photometric="rgb")
    truncate(tmp_path / "a.tif")
    assert (tiff.read_tiff(tmp_path / "a.tif", (0, 0, 20, 20)) == noise(3)[:20, :20]).all()
    with pytest.raises(StudyError, match="ends before its last pixel"):
        tiff.read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize("window", [(0, 0, 0, 5), (-1, 0, 5, 5), (200, 0, 4, 5), (0, 150, 5, 8), (0, 0, 5)])
def test_bad_windows(striped, window):
    with pytest.raises(ValueError, match="window"):
        tiff.read_tiff(striped, window)
