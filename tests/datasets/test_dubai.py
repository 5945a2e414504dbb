"""Dubai on a small copy of its layout, and the real tiles where they are."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import photograph, save
from PIL import Image

from segstudy.datasets import VOID, dubai, open_dataset
from segstudy.errors import MissingData, StudyError

HOME = "dubai/Semantic segmentation dataset"
LABELS = np.repeat(np.repeat([[0, 1, 2, 3], [4, 5, 6, 1]], 6, axis=0), 5, axis=1)
COLOURS = np.array([*dubai.COLOURS, (155, 155, 155), (0, 0, 0)], np.uint8)
PAINT = COLOURS[LABELS]
TRUTH = np.where(LABELS > 4, VOID, LABELS)


def write(root, tiles=(1, 2, 3, 4), pictures=2, home=HOME):
    for tile in tiles:
        for number in range(1, pictures + 1):
            stem = f"image_part_{number:03d}"
            save(root / home / f"Tile {tile}/images/{stem}.jpg", photograph(tile, 12, 20))
            mask = save(root / home / f"Tile {tile}/masks/{stem}.png", PAINT)
            if tile % 2 == 0:  # of the published ones, those of tiles 2 and 4 have a palette
                picture = Image.fromarray(LABELS.astype(np.uint8))
                picture.putpalette(COLOURS.tobytes())
                picture.save(mask)


@pytest.mark.parametrize("home", [HOME, f"dubai/archive/{HOME.split('/')[1]}"])
def test_pairs_and_splits(tmp_path, home):
    write(tmp_path, home=home)
    found = {split: open_dataset("dubai", tmp_path, split=split) for split in dubai.SPLITS}
    names = {split: [sample.name for sample in dataset] for split, dataset in found.items()}
    assert names == {
        "train": ["tile1-001", "tile1-002", "tile4-001", "tile4-002"],
        "val": ["tile3-001", "tile3-002"],
        "test": ["tile2-001", "tile2-002"],
    }
    assert found["train"].note == "4 of 36 published pictures (2 of 4 tiles) found"
    for sample in found["train"]:
        assert sample.image.shape == (12, 20, 3)
        assert (sample.labels == TRUTH).all()
        assert (sample.read((3, 4, 8, 9))[1] == TRUTH[3:11, 4:13]).all()
        assert sample.image_labels == {0, 1, 2, 3, 4}


def test_every_tile_is_in_one_split():
    assert sorted(sum(dubai.SPLITS.values(), ())) == list(range(1, 9))


def test_a_colour_of_no_class(tmp_path):
    write(tmp_path, (3,))
    smeared = PAINT.copy()
    smeared[7, 3] = (225, 168, 41)
    save(tmp_path / HOME / "Tile 3/masks/image_part_002.png", smeared)
    with pytest.raises(
        StudyError, match=r"image_part_002.png holds the colour \(225, 168, 41\) at row 7, column 3, 1 pixels"
    ):
        _ = open_dataset("dubai", tmp_path, split="val")[1].labels


def test_a_mask_of_another_size_or_none(tmp_path):
    write(tmp_path, (3,))
    save(tmp_path / HOME / "Tile 3/masks/image_part_001.png", PAINT[:, :9].copy())
    with pytest.raises(StudyError, match="9 x 12 pixels; expected 20 x 12"):
        _ = open_dataset("dubai", tmp_path, split="val")[0].labels
    (tmp_path / HOME / "Tile 3/masks/image_part_001.png").unlink()
    with pytest.raises(StudyError, match="image_part_001.jpg has no mask"):
        open_dataset("dubai", tmp_path, split="val")
    assert open_dataset("dubai", tmp_path, split="val", supervision="none")[0].labels is None


def test_absent_and_unknown(tmp_path):
    with pytest.raises(MissingData, match="Semantic segmentation dataset"):
        open_dataset("dubai", tmp_path)
    write(tmp_path, (1,))
    with pytest.raises(MissingData, match="Tile 2"):
        open_dataset("dubai", tmp_path, split="test")
    with pytest.raises(ValueError, match="split"):
        open_dataset("dubai", tmp_path, split="holdout")


@pytest.mark.parametrize("split", dubai.SPLITS)
def test_the_real_tiles(data_root, split):
    if not (data_root / "dubai").is_dir():
        pytest.skip("no real tiles")
    dataset = open_dataset("dubai", data_root, split=split)
    assert len(dataset) % dubai.PICTURES == 0
    seen = set()
    for sample in dataset:  # every mask has its picture's size, and none a colour that is unknown
        image, labels = sample.image, sample.labels
        assert image.shape[:2] == labels.shape
        assert (labels == VOID).mean() < 0.2
        seen |= set(np.unique(labels)) - {VOID}
    assert seen == set(range(5))
