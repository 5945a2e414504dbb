"""Potsdam in IIC's patches: where each lies, what halving does, three classes, and clear errors."""

from __future__ import annotations

import pickle
from itertools import product

import numpy as np
import pytest
from miniatures import photograph
from PIL import Image

from segstudy.datasets import VOID, card, open_dataset, tiff
from segstudy.datasets.isprs import CLASSES, COLOURS
from segstudy.errors import MissingData, StudyError

SIZE = (800, 1200)
GRID = [*product(range(2), range(3))]
PAINT = np.array([*COLOURS, (0, 0, 0)], np.uint8)


def write_tiff(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, compression="tiff_lzw", tiffinfo={278: 8})
    return path


def write_tile(root, tile="2_10", labels="5_Labels_all", seed=0, size=SIZE):
    """A tile of noise with the six classes and black at random; return its pixels and label map."""
    pixels = np.dstack([photograph(seed, *size), photograph(seed + 1, *size)[..., :1]])
    kinds = np.random.default_rng(seed).integers(0, 7, size)
    home = root / "potsdam"
    write_tiff(home / f"4_Ortho_RGBIR/top_potsdam_{tile}_RGBIR.tif", pixels)
    if labels:
        write_tiff(home / labels / f"top_potsdam_{tile}_label.tif", PAINT[kinds])
    return pixels, np.where(kinds == 6, VOID, kinds)


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    root = tmp_path_factory.mktemp("tile")
    return root, *write_tile(root)


def halved(pixels):
    """The whole tile at half its size, each pixel the mean of four, halves rounded up."""
    quarters = [pixels[down::2, along::2].astype(float) for down, along in product((0, 1), (0, 1))]
    return np.floor(sum(quarters) / 4 + 0.5)


def test_patches_are_windows_of_the_halved_tile(tile):
    root, pixels, kinds = tile
    dataset = open_dataset("potsdam_patches", root)
    assert dataset.classes == CLASSES and dataset.note == "6 of 5400 labelled patches found"
    assert [patch.name for patch in dataset] == [
        f"potsdam_2_10_{row:02d}_{column:02d}" for row, column in GRID
    ]
    whole, labels = halved(pixels), kinds[::2, ::2]
    for (row, column), patch in zip(GRID, dataset, strict=True):
        place = np.s_[200 * row : 200 * row + 200, 200 * column : 200 * column + 200]
        assert (
            patch.image.dtype == np.uint8 and patch.image.shape == (200, 200, 4) and patch.size == (200, 200)
        )
        assert (patch.image == whole[place]).all()
        assert (patch.labels == labels[place]).all()


def test_a_window_of_a_patch(tile):
    patch = pickle.loads(pickle.dumps(open_dataset("potsdam_patches", tile[0])[4]))
    image, labels = patch.read((3, 7, 20, 19))
    assert (image == patch.image[3:23, 7:26]).all() and (labels == patch.labels[3:23, 7:26]).all()
    with pytest.raises(ValueError, match="leaves the picture of 200 x 200"):  # the next patch is another's
        patch.read((190, 0, 20, 20))


def test_the_infrared_is_the_fourth_band_and_halving_is_a_mean(tmp_path):
    pixels, kinds = np.zeros((400, 400, 4), np.uint8), np.zeros((400, 400), int)
    pixels[0, :2, 3] = 255, 1  # with two zeros below: 64
    pixels[0, 2, 0], kinds[0, 0], kinds[1, 2] = 2, 4, 5
    write_tiff(tmp_path / "potsdam/4_Ortho_RGBIR/top_potsdam_7_9_RGBIR.tif", pixels)
    write_tiff(tmp_path / "potsdam/5_Labels_all/top_potsdam_7_9_label.tif", PAINT[kinds])
    (patch,) = open_dataset("potsdam_patches", tmp_path)
    assert patch.image[0, :2].tolist() == [[0, 0, 0, 64], [1, 0, 0, 0]] and patch.image.sum() == 65
    assert patch.labels[0, :2].tolist() == [4, 0] and patch.labels.sum() == 4  # the upper left of four


def test_a_patch_decodes_no_more_than_its_rows(tile, monkeypatch):
    patch = open_dataset("potsdam_patches", tile[0])[5]
    read, seen = tiff._read_block, []
    monkeypatch.setattr(tiff, "_read_block", lambda *given: seen.append(given[3]) or read(*given))
    _ = patch.image
    assert seen == list(range(50, 100))  # strips of 8 rows: those of the rows 400 to 799


def test_three_classes(tile):
    six, three = (open_dataset(name, tile[0]) for name in ("potsdam_patches", "potsdam3"))
    assert len(three.classes) == len(three.colours) == 3 and [s.name for s in three] == [s.name for s in six]
    merged = {0: 0, 4: 0, 1: 1, 5: 1, 2: 2, 3: 2, VOID: VOID}  # road and car, building and clutter, plants
    assert (three[2].labels == np.vectorize(merged.get)(six[2].labels)).all()
    assert (three[2].image == six[2].image).all()
    assert six[2].image_labels == set(range(6)) and three[2].image_labels == {0, 1, 2}


def test_tiles_without_labels_are_for_training_alone(tmp_path):
    write_tile(tmp_path, labels="5_Labels_for_participants", size=(400, 400))
    write_tile(tmp_path, "2_13", labels=None, seed=5, size=(400, 800))
    assert len(open_dataset("potsdam_patches", tmp_path)) == 1
    unlabelled = open_dataset("potsdam3", tmp_path, "all", supervision="none")
    assert unlabelled.note == "3 of 8550 all patches found"
    assert {patch.labels is patch.image_labels is None for patch in unlabelled} == {True}
    with pytest.raises(StudyError, match="top_potsdam_2_13_label.tif is missing"):
        open_dataset("potsdam_patches", tmp_path, "all")


@pytest.mark.parametrize("level", ["image", "none"])
def test_labels_are_not_handed_out_below_full_supervision(tile, level):
    patch = open_dataset("potsdam_patches", tile[0], supervision=level)[0]
    assert patch.labels is None and patch.read((0, 0, 5, 5))[1] is None
    assert patch.image_labels == (set(range(6)) if level == "image" else None)


def test_a_published_tile_has_225_patches(tmp_path):
    for tile in ("7_9", "7_10"):  # grey will do for what is read from a header
        path = tmp_path / f"potsdam/4_Ortho_RGBIR/top_potsdam_{tile}_RGBIR.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6000, 6000)).save(path, compression="tiff_lzw")
    dataset = open_dataset("potsdam_patches", tmp_path, "all", supervision="none")
    assert (
        len(dataset) == 2 * 225 and dataset[224].name == "potsdam_7_10_14_14"
    )  # in the order of the files' names
    with pytest.raises(StudyError, match="has 1 band"):
        _ = dataset[0].image


def test_the_fingerprint_follows_the_pixels(tmp_path):
    pixels, _ = write_tile(tmp_path, size=(400, 800))
    before = {
        level: open_dataset("potsdam3", tmp_path, supervision=level).fingerprint()
        for level in ("full", "none")
    }
    assert open_dataset("potsdam3", tmp_path).fingerprint() == before["full"] != before["none"]
    pixels[300, 700] ^= 128
    write_tiff(tmp_path / "potsdam/4_Ortho_RGBIR/top_potsdam_2_10_RGBIR.tif", pixels)
    after = {level: open_dataset("potsdam3", tmp_path, supervision=level).fingerprint() for level in before}
    assert all(after[level] != before[level] for level in before)


@pytest.mark.parametrize("name", ["potsdam_patches", "potsdam3"])
def test_three_bands_are_not_enough(tmp_path, name):
    rgb = photograph(0, *SIZE)
    for folder, ending in (("3_Ortho_IRRG", "IRRG"), ("2_Ortho_RGB", "RGB")):
        write_tiff(tmp_path / f"potsdam/{folder}/top_potsdam_2_10_{ending}.tif", rgb)
        with pytest.raises(
            MissingData, match=r"4_Ortho_RGBIR.top_potsdam_2_10_RGBIR.tif is missing"
        ) as caught:
            open_dataset(name, tmp_path)
        assert card(name).text() in str(caught.value) and "neither 2_Ortho_RGB nor" in str(caught.value)


def test_a_tile_of_another_size_and_an_unknown_split(tmp_path):
    write_tiff(
        tmp_path / "potsdam/4_Ortho_RGBIR/top_potsdam_2_10_RGBIR.tif", np.zeros((300, 400, 4), np.uint8)
    )
    with pytest.raises(StudyError, match="is 400 x 300 pixels; expected 6000 x 6000"):
        open_dataset("potsdam_patches", tmp_path, supervision="none")
    with pytest.raises(ValueError, match="unknown split 'train'"):
        open_dataset("potsdam3", tmp_path, "train")
