"""COCO 2014: outlines and run-length codes as masks, kinds in the order of their ids, and clear errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from miniatures import save

from segstudy.datasets import open_dataset
from segstudy.datasets.coco import draw_instances
from segstudy.errors import MissingData, StudyError

KINDS = [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}]


def thing(picture, kind, outline, area, crowd=0):
    return {"image_id": picture, "category_id": kind, "segmentation": outline, "area": area, "iscrowd": crowd}


def box(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def write(root, things, kinds=KINDS):
    home = root / "coco"
    pictures = []
    for id_ in (9, 25):
        name = f"COCO_train2014_{id_:012d}.jpg"
        save(home / f"train2014/{name}", np.full((8, 10, 3), 4 * id_, np.uint8))
        pictures.append({"id": id_, "file_name": name, "height": 8, "width": 10})
    pictures.append({"id": 30, "file_name": "COCO_train2014_000000000030.jpg", "height": 8, "width": 10})
    listed = home / "annotations/instances_train2014.json"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text(json.dumps({"images": pictures, "annotations": things, "categories": kinds}))
    return home


THINGS = [
    thing(9, 18, box(4, 2, 3, 4), 12),
    thing(9, 1, box(2, 1, 6, 6), 36),
    thing(25, 90, box(0, 0, 1, 1), 1),
]


def test_what_is_small_lies_on_top_of_what_is_large(tmp_path):
    write(tmp_path, THINGS)
    dataset = open_dataset("coco", tmp_path)
    assert dataset.classes == ("background", "person", "dog", "toothbrush")
    assert dataset.note == "2 of 82783 published train pictures found"
    expected = np.zeros((8, 10), int)
    expected[1:7, 2:8] = 1
    expected[2:6, 4:7] = 2
    assert dataset[0].labels.tolist() == expected.tolist()
    assert dataset[1].labels.sum() == 3 and dataset[1].labels[0, 0] == 3


def test_classes_of_pictures_without_a_way_to_their_masks(tmp_path):
    write(tmp_path, THINGS)
    weak = open_dataset("coco", tmp_path, supervision="image")
    assert [sample.image_labels for sample in weak] == [{0, 1, 2}, {0, 3}]
    assert [sample.labels for sample in weak] == [None, None]
    assert [s.image_labels for s in open_dataset("coco", tmp_path, supervision="none")] == [None, None]


def test_crowds_are_void_and_run_along_columns():
    code = {"counts": [8, 2, 70], "size": [8, 10]}
    labels = draw_instances((8, 10), [(1, 1, 2, code)], "a")
    assert labels[:2, 1].tolist() == [255, 255] and (labels == 255).sum() == 2
    plain = draw_instances((8, 10), [(3, 0, 2, code)], "a", (0, 1, 4, 2))
    assert plain.tolist() == [[3, 0], [3, 0], [0, 0], [0, 0]]
    with pytest.raises(StudyError, match="has 12 pixels, the picture 80"):
        draw_instances((8, 10), [(1, 1, 2, {"counts": [10, 2]})], "a")


def test_an_outline_beyond_the_picture_is_cut():
    labels = draw_instances((8, 10), [(1, 0, 9, box(-3, -3, 5, 5))], "a")
    assert (labels == 1).sum() == 4 and labels[:2, :2].all()


def test_the_fingerprint_follows_the_annotations(tmp_path):
    write(tmp_path, THINGS)
    before = open_dataset("coco", tmp_path).fingerprint()
    assert open_dataset("coco", tmp_path).fingerprint() == before
    write(tmp_path, THINGS[:2])
    assert open_dataset("coco", tmp_path).fingerprint() != before


def test_what_is_missing_or_strange_is_said(tmp_path):
    with pytest.raises(MissingData, match="instances_train2014.json is missing"):
        open_dataset("coco", tmp_path)
    home = write(tmp_path, [thing(9, 77, box(0, 0, 1, 1), 1)])
    with pytest.raises(StudyError, match="holds no instances of COCO"):
        open_dataset("coco", tmp_path)
    (home / "annotations/instances_train2014.json").write_text("[1, 2]")
    with pytest.raises(StudyError, match="holds no instances of COCO"):
        open_dataset("coco", tmp_path)
    with pytest.raises(ValueError, match="split"):
        open_dataset("coco", tmp_path, "test")
