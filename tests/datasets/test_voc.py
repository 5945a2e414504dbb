"""PASCAL VOC: lists, palette masks, void, the development kit's colours, and the real pictures."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import photograph, save, save_palette, truncate, write_voc
from PIL import Image

from segstudy.datasets import VOID, open_dataset
from segstudy.datasets.files import label_colours
from segstudy.errors import MissingData, StudyError

HOME = "voc/VOCdevkit/VOC2012"
MASK = f"{HOME}/SegmentationClass/2007_000032.png"


@pytest.fixture
def written(tmp_path):
    return write_voc(tmp_path)


def test_pairs(tmp_path, written):
    for split, names in (("train", ["2007_000032", "2007_000039"]), ("val", ["2007_000033"])):
        dataset = open_dataset("voc", tmp_path, split)
        assert [sample.name for sample in dataset] == names
        for sample in dataset:
            image, labels = written[sample.name]
            assert np.abs(sample.image.astype(int) - image).max() <= 1  # JPEG
            assert (sample.labels == labels).all()
            assert sample.image_labels == {0, 1, 15, 20}
    assert dataset.note == "1 of 1449 official val pictures found"
    assert len(dataset.classes) == 21
    assert dataset.classes[15] == "person"


def test_a_window_of_a_mask(tmp_path, written):
    image, labels = open_dataset("voc", tmp_path)[0].read((8, 14, 4, 3))
    assert image.shape == (4, 3, 3)
    assert labels.tolist() == [[0, 1, 1], [255] * 3, [255] * 3, [15, 20, 20]]


def test_colours_are_those_of_the_development_kit():
    colours = label_colours(256)
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 4: (0, 0, 128), 8: (64, 0, 0), 15: (192, 128, 128)}
    for label, colour in (known | {20: (0, 64, 128), 255: (224, 224, 192)}).items():
        assert tuple(colours[label].tolist()) == colour
    assert len(np.unique(colours, axis=0)) == 256


def test_a_part_is_enough(tmp_path, written):
    (tmp_path / HOME / "JPEGImages/2007_000032.jpg").unlink()
    dataset = open_dataset("voc", tmp_path)
    assert [sample.name for sample in dataset] == ["2007_000039"]
    assert dataset.note == "1 of 1464 official train pictures found"


def test_a_missing_list_or_no_picture(tmp_path, written):
    for path in (tmp_path / HOME / "JPEGImages").iterdir():
        path.unlink()
    with pytest.raises(MissingData, match="JPEGImages is missing"):
        open_dataset("voc", tmp_path)
    (tmp_path / HOME / "ImageSets/Segmentation/train.txt").unlink()
    with pytest.raises(MissingData, match=r"train\.txt is missing"):
        open_dataset("voc", tmp_path)


@pytest.mark.parametrize("supervision", ["full", "image"])
def test_a_missing_mask(tmp_path, written, supervision):
    (tmp_path / MASK).unlink()
    with pytest.raises(StudyError, match=r"2007_000032\.jpg has no mask"):
        open_dataset("voc", tmp_path, supervision=supervision)
    assert len(open_dataset("voc", tmp_path, supervision="none")) == 2


def test_a_mask_of_another_size(tmp_path, written):
    save_palette(tmp_path / MASK, np.zeros((30, 20), np.uint8))
    with pytest.raises(StudyError, match=r"2007_000032\.png is 20 x 30 pixels; expected 30 x 20"):
        _ = open_dataset("voc", tmp_path)[0].labels


def test_a_label_that_is_no_class(tmp_path, written):
    save_palette(tmp_path / MASK, np.full((20, 30), 21, np.uint8))
    with pytest.raises(StudyError, match=r"holds the ids \[21\]; expected 0 to 20, or 255"):
        _ = open_dataset("voc", tmp_path)[0].labels


def test_a_mask_of_colours(tmp_path, written):
    save(tmp_path / MASK, photograph(0, 20, 30))
    with pytest.raises(StudyError, match=r"2007_000032\.png is a RGB picture"):
        _ = open_dataset("voc", tmp_path)[0].labels


@pytest.mark.parametrize("path", [MASK, f"{HOME}/JPEGImages/2007_000032.jpg"])
def test_a_corrupted_file(tmp_path, written, path):
    truncate(tmp_path / path)
    sample = open_dataset("voc", tmp_path)[0]
    with pytest.raises(StudyError, match=r"2007_000032\.(png|jpg) cannot be read as a picture"):
        _ = sample.labels, sample.image


class TestRealPictures:
    def test_counts_sizes_and_ids(self, data_root):
        for split, count, official in (("train", 311, 1464), ("val", 160, 1449)):
            dataset = open_dataset("voc", data_root, split)
            if len(dataset) != official:  # the whole data set would do as well
                assert len(dataset) == count
            assert dataset.note == f"{len(dataset)} of {official} official {split} pictures found"
            seen = set()
            for sample in dataset[:160]:
                labels = sample.labels
                assert sample.image.shape == (*labels.shape, 3)
                seen |= set(np.unique(labels).tolist())
            assert seen == {*range(21), VOID}

    def test_palettes_are_the_colours(self, data_root):
        """The publisher's own palette is the oracle for the class colours."""
        dataset = open_dataset("voc", data_root, "val")
        mask = dataset.files()[1]
        with Image.open(mask) as picture:
            palette = np.reshape(picture.getpalette(), (-1, 3))
        assert (palette[:21] == dataset.colours).all()
        assert tuple(palette[VOID]) == (224, 224, 192)
