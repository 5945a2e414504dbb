"""The ISPRS cities on small copies of their layouts, and the two real patches."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from miniatures import photograph, save
from PIL import Image

from segstudy.datasets import VOID, open_dataset, potsdam, vaihingen
from segstudy.datasets.isprs import CLASSES, COLOURS
from segstudy.errors import MissingData, StudyError

SIZE = (40, 30)
# Two columns of each class from left to right, and black at the right.
LABELS = np.broadcast_to(np.r_[np.repeat(np.arange(6), 4), [VOID] * 6], SIZE).astype(np.uint8)
PAINT = np.vstack([COLOURS, np.zeros((250, 3))]).astype(np.uint8)[np.minimum(LABELS, 6)]


def write_tile(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, compression="tiff_lzw", tiffinfo={278: 8})


def write_potsdam(root, tile="2_10", labels="5_Labels_all", eroded="5_Labels_all_noBoundary", paint=PAINT):
    home = root / "potsdam"
    pixels = np.dstack([photograph(0, *SIZE), photograph(1, *SIZE)[..., :1]])
    write_tile(home / f"2_Ortho_RGB/top_potsdam_{tile}_RGB.tif", pixels[..., :3].copy())
    write_tile(home / f"3_Ortho_IRRG/top_potsdam_{tile}_IRRG.tif", pixels[..., [3, 0, 1]].copy())
    write_tile(home / f"4_Ortho_RGBIR/top_potsdam_{tile}_RGBIR.tif", pixels)
    write_tile(home / labels / f"top_potsdam_{tile}_label.tif", paint)
    write_tile(
        home / eroded / f"top_potsdam_{tile}_label_noBoundary.tif", np.where(LABELS[..., None] == 4, 0, paint)
    )
    return pixels


def write_vaihingen(root, folder="ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE", area=1):
    home, pixels = root / "vaihingen", photograph(3, *SIZE)
    write_tile(home / f"ISPRS_semantic_labeling_Vaihingen/top/top_mosaic_09cm_area{area}.tif", pixels)
    write_tile(home / folder / f"top_mosaic_09cm_area{area}.tif", PAINT)
    return pixels


def test_splits_are_those_of_the_paper():
    counts = {split: len(tiles) for split, tiles in potsdam.SPLITS.items()}
    assert counts == {"train": 19, "val": 2, "test": 3, "holdout": 14}
    labelled = {f"{row}_{column}" for row in (2, 3, 4, 5) for column in (10, 11, 12)}
    labelled |= {f"{row}_{column}" for row in (6, 7) for column in range(7, 13)}
    ours = [tile for split in ("train", "val", "test") for tile in potsdam.SPLITS[split]]
    assert sorted(ours) == sorted(labelled) and not labelled & set(potsdam.SPLITS["holdout"])
    areas = {split: len(tiles) for split, tiles in vaihingen.SPLITS.items()}
    assert areas == {"train": 10, "val": 2, "test": 4, "holdout": 17}
    assert len(set(sum(vaihingen.SPLITS.values(), ()))) == 33
    assert 9 not in sum(vaihingen.SPLITS.values(), ())


@pytest.mark.parametrize(
    ("bands", "order"), [("rgb", [0, 1, 2]), ("irrg", [3, 0, 1]), ("rgbir", [0, 1, 2, 3])]
)
def test_potsdam_bands_and_labels(tmp_path, bands, order):
    pixels = write_potsdam(tmp_path)
    dataset = open_dataset("potsdam", tmp_path, bands=bands)
    assert dataset.classes == CLASSES and dataset.note == "1 of 19 published train tiles found"
    sample = dataset[0]
    assert sample.name == "potsdam_2_10"
    assert (sample.image == pixels[..., order]).all()
    assert (sample.labels == LABELS).all() and sample.labels.dtype == np.uint8
    image, labels = sample.read((3, 7, 20, 19))
    assert (image == pixels[3:23, 7:26, order]).all() and (labels == LABELS[3:23, 7:26]).all()
    assert sample.image_labels == set(range(6))


def test_eroded_labels(tmp_path):
    write_potsdam(tmp_path)
    plain, eroded = (open_dataset("potsdam", tmp_path, eroded=flag) for flag in (False, True))
    assert (eroded[0].labels == np.where(LABELS == 4, VOID, LABELS)).all()
    assert plain.fingerprint() != eroded.fingerprint()


@pytest.mark.parametrize(
    ("labels", "eroded"),
    [
        ("5_Labels_for_participants", "5_Labels_for_participants_no_Boundary"),
        ("labels/5_Labels_all", "labels/5_Labels_all_noBoundary"),
        ("5_Labels_all/5_Labels_all", "5_Labels_all_noBoundary/5_Labels_all_noBoundary"),
    ],
)
def test_other_places_of_the_labels(tmp_path, labels, eroded):
    write_potsdam(tmp_path, labels=labels, eroded=eroded)
    assert (open_dataset("potsdam", tmp_path)[0].labels == LABELS).all()
    assert 4 not in open_dataset("potsdam", tmp_path, eroded=True)[0].image_labels


def test_the_two_label_maps_that_are_off_the_colours(tmp_path):
    off = np.where(PAINT > 0, 255 - 30, 33).astype(np.uint8)
    write_potsdam(tmp_path, tile="4_12", paint=off)
    assert (open_dataset("potsdam", tmp_path)[0].labels == LABELS).all()
    write_potsdam(tmp_path, tile="2_10", paint=off)
    with pytest.raises(StudyError, match=r"top_potsdam_2_10_label.tif holds the colour \(225, 225, 225\)"):
        _ = open_dataset("potsdam", tmp_path)[0].labels


@pytest.mark.parametrize(
    ("tile", "colour"), [("2_10", (255, 0, 255)), ("4_12", (128, 128, 128)), ("6_7", (255, 0, 255))]
)
def test_a_colour_of_no_class(tmp_path, tile, colour):
    paint = PAINT.copy()
    paint[12, 5] = colour
    write_potsdam(tmp_path, tile=tile, paint=paint)
    sample = open_dataset("potsdam", tmp_path)[0]
    with pytest.raises(
        StudyError, match=f"top_potsdam_{tile}_label.tif.*{colour[0]}, {colour[1]}, {colour[2]}"
    ):
        _ = sample.labels
    assert (sample.read((20, 0, 5, 5))[1] == LABELS[20:25, :5]).all()  # what is not read is not judged


def test_a_label_map_of_another_size(tmp_path):
    write_potsdam(tmp_path)
    write_tile(tmp_path / "potsdam/5_Labels_all/top_potsdam_2_10_label.tif", PAINT[:, :20].copy())
    with pytest.raises(StudyError, match="20 x 40 pixels; expected 30 x 40"):
        open_dataset("potsdam", tmp_path)[0].read((0, 0, 5, 5))


def test_ids_in_place_of_colours(tmp_path):
    write_potsdam(tmp_path)
    write_tile(tmp_path / "potsdam/5_Labels_all/top_potsdam_2_10_label.tif", LABELS.copy())
    with pytest.raises(StudyError, match="1 bands; expected red, green and blue"):
        _ = open_dataset("potsdam", tmp_path)[0].labels


def test_a_picture_without_labels(tmp_path):
    write_potsdam(tmp_path)
    (tmp_path / "potsdam/5_Labels_all/top_potsdam_2_10_label.tif").unlink()
    with pytest.raises(StudyError, match="5_Labels_all.top_potsdam_2_10_label.tif is missing"):
        open_dataset("potsdam", tmp_path)
    sample = open_dataset("potsdam", tmp_path, supervision="none")[0]
    assert sample.labels is None and sample.image_labels is None
    assert (pickle.loads(pickle.dumps(sample)).image == sample.image).all()


@pytest.mark.parametrize(
    "folder",
    [
        "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE",
        "ISPRS_semantic_labeling_Vaihingen/gts_for_participants",
    ],
)
def test_vaihingen(tmp_path, folder):
    pixels = write_vaihingen(tmp_path, folder)
    dataset = open_dataset("vaihingen", tmp_path)
    assert [sample.name for sample in dataset] == ["vaihingen_area1"]
    assert (dataset[0].image == pixels).all() and (dataset[0].labels == LABELS).all()
    with pytest.raises(MissingData, match="top_mosaic_09cm_area7.tif"):
        open_dataset("vaihingen", tmp_path, split="val")
    with pytest.raises(StudyError, match="area1_noBoundary.tif is missing"):
        open_dataset("vaihingen", tmp_path, eroded=True)


@pytest.mark.parametrize("name", ["potsdam", "vaihingen", "isprs_patches"])
def test_absent_and_unknown(tmp_path, name):
    with pytest.raises(MissingData, match=f"{name}/"):
        open_dataset(name, tmp_path)
    with pytest.raises(ValueError, match="split"):
        open_dataset(name, tmp_path, split="tset")
    with pytest.raises(ValueError, match="bands"):
        open_dataset("potsdam", tmp_path, bands="rgbi")


def test_patches_in_a_copy_of_their_layout(tmp_path):
    city = tmp_path / "isprs_patches/pseudo_potsdam_dataset"
    save(city / "img_dir/2_10_0_0_512_512.png", photograph(0, *SIZE))
    save(city / "ann_dir/2_10_0_0_512_512.png", LABELS + np.uint8(1))
    sample = open_dataset("isprs_patches", tmp_path)[0]
    assert (sample.labels == LABELS).all() and (sample.read((1, 2, 3, 9))[1] == LABELS[1:4, 2:11]).all()
    save(city / "ann_dir/2_10_0_0_512_512.png", np.full(SIZE, 7, np.uint8))
    with pytest.raises(StudyError, match=r"holds the ids \[7\]"):
        _ = sample.labels
    with pytest.raises(MissingData):
        open_dataset("isprs_patches", tmp_path, split="vaihingen")


@pytest.mark.parametrize(("city", "cars", "boundary"), [("potsdam", 7841, 24696), ("vaihingen", 4212, 21283)])
def test_the_real_patches(data_root, city, cars, boundary):
    if not (data_root / "isprs_patches").is_dir():
        pytest.skip("no real patches")
    (sample,) = open_dataset("isprs_patches", data_root, split=city)
    assert sample.image.shape == (512, 512, 3) and sample.labels.shape == (512, 512)
    assert ((sample.labels == 4).sum(), (sample.labels == VOID).sum()) == (cars, boundary)
    vegetation = np.isin(sample.labels, (2, 3))
    green = sample.image.astype(float) @ (
        [-1, 2, -1] if city == "potsdam" else [2, -1, -1]
    )  # infrared first there
    assert green[vegetation].mean() > green[sample.labels < 2].mean() + (10 if city == "vaihingen" else 2)


def test_the_size_of_a_tile_is_read_from_its_header(tmp_path, monkeypatch):
    write_potsdam(tmp_path)
    tile = open_dataset("potsdam", tmp_path)[0]
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert tile.size == SIZE
