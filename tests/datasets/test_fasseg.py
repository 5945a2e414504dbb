"""FASSEG: pairing, sizes, the stretching of photographs, and the real faces."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from miniatures import photograph, save, truncate, write_fasseg
from PIL import Image
from scipy import ndimage

from segstudy.datasets import open_dataset
from segstudy.datasets.fasseg import CLASSES
from segstudy.errors import MissingData, StudyError

TRAIN = "fasseg/FASSEG-repository/V2/Train_RGB"
LABELS = "fasseg/FASSEG_instances/annotations/train"


@pytest.fixture
def written(tmp_path):
    return write_fasseg(tmp_path)


def test_pairs(tmp_path, written):
    for split, count, official in (("train", 3, 20), ("test", 2, 50)):
        dataset = open_dataset("fasseg", tmp_path, split)
        assert [sample.name for sample in dataset] == [f"{split}-{k:02d}" for k in range(1, count + 1)]
        assert dataset.note == f"{count} of {official} official {split} photographs found"
        for sample in dataset:
            assert (sample.labels == written[sample.name][1]).all()
            assert sample.image.shape == (512, 352, 3)
            assert sample.image.dtype == sample.labels.dtype == np.uint8
    assert dataset.classes == CLASSES
    assert len(CLASSES) == 9


def test_numbers_are_read_in_their_order(tmp_path):
    write_fasseg(tmp_path, train=11)
    names = [sample.name for sample in open_dataset("fasseg", tmp_path)]
    assert names[1:3] == ["train-02", "train-03"]
    assert names[-2:] == ["train-10", "train-11"]


def test_a_photograph_is_stretched_as_a_whole(tmp_path, written):
    """A ramp over the whole width stays a ramp over the whole width: nothing is cut off, nothing is shifted."""
    ramp = np.repeat(np.linspace(0, 240, 370).round().astype(np.uint8)[None, :, None], 512, axis=0)
    save(tmp_path / TRAIN / "1.bmp", np.repeat(ramp, 3, axis=2))
    image = open_dataset("fasseg", tmp_path)[0].image
    centres = (np.arange(352) + 0.5) / 352 * 370 - 0.5
    expected = np.interp(centres, np.arange(370), np.linspace(0, 240, 370))
    assert np.abs(image[..., 0] - expected).max() < 1.5


def test_size(tmp_path, written):
    dataset = open_dataset("fasseg", tmp_path, size=(64, 44))
    image, labels = dataset[0].image, dataset[0].labels
    assert image.shape == (64, 44, 3)
    rows, columns = (np.arange(64) * 8 + 4), (np.arange(44) * 8 + 4)
    assert (labels == written["train-01"][1][np.ix_(rows, columns)]).all()
    # Noise of uniform grey has a standard deviation of 74; averaging over 8 x 8.4 pixels leaves far less of it,
    # picking single pixels would leave it all.
    assert image.std() < 20
    assert dataset.fingerprint() != open_dataset("fasseg", tmp_path).fingerprint()
    cropped, cropped_labels = dataset[0].read((10, 5, 20, 30))
    assert (cropped == image[10:30, 5:35]).all()
    assert (cropped_labels == labels[10:30, 5:35]).all()


@pytest.mark.parametrize("size", [(0, 44), 64, (64, 44.5), (64,), "64"])
def test_what_is_no_size(tmp_path, written, size):
    with pytest.raises(ValueError, match="size is .*two integers of at least 1 "):
        open_dataset("fasseg", tmp_path, size=size)


def test_an_unpacked_archive_of_another_name(tmp_path):
    write_fasseg(tmp_path, clone="FASSEG-repository-master")
    instances = tmp_path / "fasseg/FASSEG_instances"
    shutil.move(instances, tmp_path / "fasseg/FASSEG-instances-main/FASSEG_instances")
    assert open_dataset("fasseg", tmp_path)[2].labels.max() == 8


def test_a_part_is_enough(tmp_path, written):
    (tmp_path / TRAIN / "2.bmp").unlink()
    dataset = open_dataset("fasseg", tmp_path)
    assert [sample.name for sample in dataset] == ["train-01", "train-03"]
    assert dataset.note.startswith("2 of 20 ")


def test_without_labels_only_unsupervised(tmp_path, written):
    shutil.rmtree(tmp_path / "fasseg/FASSEG_instances")
    with pytest.raises(MissingData, match="annotations is missing"):
        open_dataset("fasseg", tmp_path)
    assert open_dataset("fasseg", tmp_path, supervision="none")[0].image.shape == (512, 352, 3)


def test_no_photograph_at_all(tmp_path, written):
    for path in (tmp_path / TRAIN).iterdir():
        path.unlink()
    with pytest.raises(MissingData, match=r"1\.bmp is missing"):
        open_dataset("fasseg", tmp_path)


def test_a_missing_label_map(tmp_path, written):
    (tmp_path / LABELS / "2.bmp").unlink()
    with pytest.raises(StudyError, match=r"2\.bmp has no mask"):
        open_dataset("fasseg", tmp_path)


def test_a_label_map_of_another_size(tmp_path, written):
    save(tmp_path / LABELS / "2.bmp", np.zeros((352, 512), np.uint8))
    dataset = open_dataset("fasseg", tmp_path)
    with pytest.raises(StudyError, match=r"2\.bmp is 512 x 352 pixels; expected 352 x 512"):
        _ = dataset[1].labels


def test_a_label_that_is_no_class(tmp_path, written):
    save(tmp_path / LABELS / "1.bmp", np.full((512, 352), 9, np.uint8))
    with pytest.raises(StudyError, match=r"1\.bmp holds the ids \[9\]; expected 0 to 8"):
        _ = open_dataset("fasseg", tmp_path)[0].labels


@pytest.mark.parametrize("folder", [TRAIN, LABELS])
def test_a_corrupted_file(tmp_path, written, folder):
    truncate(tmp_path / folder / "1.bmp")
    sample = open_dataset("fasseg", tmp_path)[0]
    with pytest.raises(StudyError, match=r"1\.bmp cannot be read as a picture"):
        _ = sample.image, sample.labels


def test_coloured_labels(tmp_path, written):
    save(tmp_path / LABELS / "1.bmp", photograph(0, 512, 352))
    with pytest.raises(StudyError, match=r"1\.bmp is a RGB picture; expected class ids"):
        _ = open_dataset("fasseg", tmp_path)[0].labels


class TestRealFaces:
    def test_counts_sizes_and_ids(self, data_root):
        for split, count in (("train", 20), ("test", 50)):
            dataset = open_dataset("fasseg", data_root, split)
            assert len(dataset) == count
            assert dataset.note == f"{count} of {count} official {split} photographs found"
            for sample in dataset:
                assert sample.labels.shape == (512, 352)
                assert sample.image_labels == set(range(9)), sample.name
        assert dataset[0].image.shape == (512, 352, 3)

    def test_right_is_the_left_side_of_the_picture(self, data_root):
        for sample in open_dataset("fasseg", data_root, "train"):
            columns = [np.median(np.nonzero(sample.labels == CLASSES.index(name))[1]) for name in CLASSES]
            assert columns[CLASSES.index("right eye")] < columns[CLASSES.index("left eye")]
            assert columns[CLASSES.index("right brow")] < columns[CLASSES.index("left brow")]

    def test_stretched_photographs_lie_on_their_labels(self, data_root):
        """Edges of the photographs lie on the outlines of the labels: less so shifted, or cut instead."""
        on_outline = {shift: [] for shift in (-12, -6, 0, 6, 12)}
        cut = []
        for number, sample in enumerate(open_dataset("fasseg", data_root, "train"), 1):
            outline = outlines(sample.labels)
            for shift, strengths in on_outline.items():
                strengths.append(edges(np.roll(sample.image, shift, axis=1))[outline].mean())
            with Image.open(data_root / TRAIN / f"{number}.bmp") as photograph_as_is:
                left = (photograph_as_is.width - 352) // 2
                box = photograph_as_is.convert("RGB").crop((left, 0, left + 352, 512))
            cut.append(edges(np.asarray(box))[outline].mean())
        strength = {shift: np.array(values) for shift, values in on_outline.items()}
        assert (strength[0] > np.maximum(strength[-12], strength[12])).all()
        assert strength[0].mean() > 1.1 * max(strength[-6].mean(), strength[6].mean(), np.mean(cut))


def edges(image: np.ndarray) -> np.ndarray:
    """The gradient of grey."""
    return ndimage.gaussian_gradient_magnitude(image.mean(axis=2), 1.5)


def outlines(labels: np.ndarray) -> np.ndarray:
    """Where hair, face and the rest meet, speckles smoothed away, away from the border."""
    smooth = ndimage.median_filter(labels, 9)
    inside = ndimage.grey_dilation(smooth, 3) != ndimage.grey_erosion(smooth, 3)
    inside[:20], inside[-20:], inside[:, :20], inside[:, -20:] = False, False, False, False
    return inside
