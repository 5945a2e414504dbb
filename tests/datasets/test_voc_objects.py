"""Objects in photographs: which pictures of VOC are chosen, and what becomes of their masks."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import photograph, save, save_palette

from segstudy.datasets import VOID, open_dataset
from segstudy.datasets.voc_objects import shows_objects
from segstudy.errors import MissingData

HOME = "voc/VOCdevkit/VOC2012"


def mask(*rectangles: tuple[int, int, int, int, int]) -> np.ndarray:
    """Draw rectangles (class, top, left, height, width) on 20 x 30 background."""
    labels = np.zeros((20, 30), np.uint8)
    for name, top, left, height, width in rectangles:
        labels[top : top + height, left : left + width] = name
    return labels


CHOSEN = {
    "one": mask((7, 2, 2, 8, 8)),
    "two": mask((7, 2, 2, 8, 8), (15, 2, 15, 8, 8)),
    "outlined": mask((VOID, 1, 1, 10, 10), (7, 2, 2, 8, 8)),
}
LEFT_OUT = {
    "none": mask(),
    "three": mask((7, 2, 2, 8, 5), (7, 2, 10, 8, 5), (7, 2, 20, 8, 5)),
    "small": mask((7, 2, 2, 5, 5)),  # 25 of 600 pixels
    "large": mask((7, 0, 0, 20, 20)),  # two thirds
    "void": mask((VOID, 0, 0, 20, 30)),
}


@pytest.fixture
def root(tmp_path):
    names = CHOSEN | LEFT_OUT
    for name, labels in names.items():
        save(tmp_path / HOME / "JPEGImages" / f"{name}.jpg", photograph(0, *labels.shape))
        save_palette(tmp_path / HOME / "SegmentationClass" / f"{name}.png", labels)
    listed = tmp_path / HOME / "ImageSets/Segmentation/val.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("\n".join(names))
    return tmp_path


def test_pictures_of_one_or_two_objects_are_chosen_and_parted(root):
    dataset = open_dataset("voc_objects", root)
    assert [sample.name for sample in dataset] == list(CHOSEN)
    for sample, labels in zip(dataset, CHOSEN.values(), strict=True):
        expected = np.where(labels == VOID, VOID, labels > 0)
        np.testing.assert_array_equal(sample.labels, expected)
        np.testing.assert_array_equal(sample.read((1, 3, 6, 5))[1], expected[1:7, 3:8])
    assert dataset.note == "3 of 8 val pictures on disk, those of one or two objects, found"
    assert dataset[1].image_labels == {7, 15} and dataset.image_classes[15] == "person"


@pytest.mark.parametrize("name", [*CHOSEN, *LEFT_OUT])
def test_the_rule(name):
    assert shows_objects((CHOSEN | LEFT_OUT)[name]) == (name in CHOSEN)


def test_a_speck_is_no_object():
    labels = np.zeros((100, 100), np.uint8)
    labels[10:50, 10:50] = labels[60:90, 10:40] = 3
    labels[95, 95] = 3
    assert shows_objects(labels)
    labels[92:97, 92:97] = 3
    assert not shows_objects(labels)


def test_masks_are_not_handed_out_below_full_supervision(root):
    (sample, *_) = open_dataset("voc_objects", root, supervision="image")
    assert sample.labels is None and sample.image_labels == {7}
    (sample, *_) = open_dataset("voc_objects", root, supervision="none")
    assert sample.labels is None and sample.image_labels is None


def test_a_missing_folder_names_the_card(tmp_path):
    with pytest.raises(MissingData, match="voc"):
        open_dataset("voc_objects", tmp_path)


def test_the_real_pictures(data_root):
    dataset = open_dataset("voc_objects", data_root)
    assert 60 < len(dataset) <= 160
    shares = [np.mean(sample.labels[sample.labels != VOID]) for sample in dataset[:5]]
    assert all(0.05 <= share <= 0.6 for share in shares)
