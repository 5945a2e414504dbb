"""PH2: cases, bilevel masks, and the real lesions."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import save, truncate, write_ph2

from segstudy.datasets import open_dataset
from segstudy.errors import MissingData, StudyError

CASE = "ph2/PH2Dataset/PH2 Dataset images/IMD002"
PICTURE = f"{CASE}/IMD002_Dermoscopic_Image/IMD002.bmp"
MASK = f"{CASE}/IMD002_lesion/IMD002_lesion.bmp"


@pytest.fixture
def written(tmp_path):
    return write_ph2(tmp_path)


def test_pairs(tmp_path, written):
    dataset = open_dataset("ph2", tmp_path)
    assert [sample.name for sample in dataset] == ["IMD002", "IMD010"]
    for sample in dataset:
        image, labels = written[sample.name]
        assert (sample.image == image).all()
        assert (sample.labels == labels).all()
    assert dataset.classes == ("background", "lesion")
    assert dataset.note == "2 of 200 published pictures found"


def test_whatever_is_not_black_is_lesion(tmp_path, written):
    grey = np.zeros((28, 38), np.uint8)
    grey[3, 4:7] = 1, 127, 255
    save(tmp_path / MASK, grey)
    assert np.argwhere(open_dataset("ph2", tmp_path)[0].labels).tolist() == [[3, 4], [3, 5], [3, 6]]


def test_a_part_is_enough(tmp_path, written):
    (tmp_path / PICTURE).unlink()
    assert open_dataset("ph2", tmp_path).note == "1 of 200 published pictures found"


def test_no_picture(tmp_path, written):
    for path in tmp_path.rglob("*_Dermoscopic_Image/*.bmp"):
        path.unlink()
    with pytest.raises(MissingData, match=r"IMD002\.bmp is missing"):
        open_dataset("ph2", tmp_path)


@pytest.mark.parametrize("supervision", ["full", "image"])
def test_a_missing_mask(tmp_path, written, supervision):
    (tmp_path / MASK).unlink()
    with pytest.raises(StudyError, match=r"IMD002\.bmp has no mask"):
        open_dataset("ph2", tmp_path, supervision=supervision)
    assert len(open_dataset("ph2", tmp_path, supervision="none")) == 2


def test_a_mask_of_another_size(tmp_path, written):
    save(tmp_path / MASK, np.zeros((38, 28), np.uint8))
    with pytest.raises(StudyError, match=r"IMD002_lesion\.bmp is 28 x 38 pixels; expected 38 x 28"):
        _ = open_dataset("ph2", tmp_path)[0].labels


@pytest.mark.parametrize("path", [MASK, PICTURE])
def test_a_corrupted_file(tmp_path, written, path):
    truncate(tmp_path / path)
    sample = open_dataset("ph2", tmp_path)[0]
    with pytest.raises(StudyError, match=r"IMD002(_lesion)?\.bmp cannot be read as a picture"):
        _ = sample.image, sample.labels


def test_real_lesions(data_root):
    dataset = open_dataset("ph2", data_root)
    if len(dataset) != 200:  # the whole data set would do as well
        assert len(dataset) == 40
    assert dataset.note == f"{len(dataset)} of 200 published pictures found"
    for sample in dataset[::5]:
        labels = sample.labels
        assert sample.image.shape == (*labels.shape, 3)
        assert set(np.unique(labels)) == {0, 1}, sample.name
        # Lesions are photographed in the middle: the mask is the right way up and the right way round.
        rows, columns = np.nonzero(labels)
        assert abs(rows.mean() / labels.shape[0] - 0.5) < 0.25
        assert abs(columns.mean() / labels.shape[1] - 0.5) < 0.25
