"""The augmented list of PASCAL VOC: both ways in which it is written, masks, annotations, and clear errors."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import save, write_voc

from segstudy.datasets import open_dataset
from segstudy.errors import MissingData, StudyError

NAMES = ("2007_000032", "2007_000039")


@pytest.fixture
def folder(tmp_path):
    written = write_voc(tmp_path)
    home = tmp_path / "voc/VOCdevkit/VOC2012"
    (home / "ImageSets/Segmentation/train_aug.txt").write_text("\n".join([*NAMES, "2011_999999"]) + "\n")
    for name in NAMES:
        save(home / f"SegmentationClassAug/{name}.png", written[name][1].astype(np.uint8))
    return home


def annotate(home, name, *kinds):
    (home / "Annotations").mkdir(exist_ok=True)
    objects = "".join(f"<object><name>{kind}</name></object>" for kind in kinds)
    (home / f"Annotations/{name}.xml").write_text(f"<annotation>{objects}</annotation>")


def test_listed_pictures_that_are_there_with_grey_masks(tmp_path, folder):
    dataset = open_dataset("voc_aug", tmp_path)
    assert [sample.name for sample in dataset] == list(NAMES)
    assert dataset.note == "2 of 10582 listed training pictures found"
    assert all(
        (a.labels == b.labels).all() for a, b in zip(dataset, open_dataset("voc", tmp_path), strict=True)
    )
    rows = [f"/JPEGImages/{name}.jpg /SegmentationClassAug/{name}.png" for name in NAMES]
    (folder / "ImageSets/Segmentation/train_aug.txt").write_text("\n".join(rows))
    assert [sample.name for sample in open_dataset("voc_aug", tmp_path)] == list(NAMES)


def test_annotations_do_where_classes_are_enough(tmp_path, folder):
    (folder / f"SegmentationClassAug/{NAMES[0]}.png").unlink()
    with pytest.raises(StudyError, match="has no mask"):
        open_dataset("voc_aug", tmp_path, supervision="image")
    annotate(folder, NAMES[0], "person", "dog", "person")
    dataset = open_dataset("voc_aug", tmp_path, supervision="image")
    assert [sample.image_labels for sample in dataset] == [{0, 12, 15}, {0, 1, 15, 20}]
    with pytest.raises(StudyError, match="has no mask"):
        open_dataset("voc_aug", tmp_path)
    assert [s.image_labels for s in open_dataset("voc_aug", tmp_path, supervision="none")] == [None, None]


def test_a_strange_annotation_and_a_missing_list_are_refused(tmp_path, folder):
    (folder / f"SegmentationClassAug/{NAMES[0]}.png").unlink()
    annotate(folder, NAMES[0], "unicorn")
    with pytest.raises(StudyError, match=r"2007_000032\.xml is no annotation"):
        _ = open_dataset("voc_aug", tmp_path, supervision="image")[0].image_labels
    (folder / f"Annotations/{NAMES[0]}.xml").write_text("<annotation>")
    with pytest.raises(StudyError, match=r"2007_000032\.xml is no annotation"):
        _ = open_dataset("voc_aug", tmp_path, supervision="image")[0].image_labels
    (folder / "ImageSets/Segmentation/train_aug.txt").unlink()
    with pytest.raises(MissingData, match=r"train_aug\.txt is missing"):
        open_dataset("voc_aug", tmp_path)
    with pytest.raises(ValueError, match="split"):
        open_dataset("voc_aug", tmp_path, "val")
