"""Outlines of COCO and of Labelme become the same label map, and what does not fit is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudy.datasets.labelled_polygons import has_polygons, open_polygons
from segstudy.errors import StudyError

# A field of 4 x 6 pixels from (2, 1), and a stone of 2 x 2 within it.
FIELD, STONE = [(2, 1), (8, 1), (8, 5), (2, 5)], [(4, 2), (6, 2), (6, 4), (4, 4)]
TRUTH = np.zeros((8, 10), np.uint8)
TRUTH[1:5, 2:8] = 1
TRUTH[2:4, 4:6] = 2


def shape(label: str, points: list, kind: str = "polygon") -> dict:
    return {"label": label, "points": points, "shape_type": kind}


def labelme(folder: Path, *shapes: dict, height: int = 8) -> None:
    found = {"imageHeight": height, "imageWidth": 10, "imagePath": "a.png", "shapes": shapes}
    (folder / "images" / "a.json").write_text(json.dumps(found))


def coco(folder: Path) -> None:
    things = [
        {"image_id": 7, "category_id": 3, "area": 4, "segmentation": [np.ravel(STONE).tolist()]},
        {"image_id": 7, "category_id": 9, "area": 24, "segmentation": [np.ravel(FIELD).tolist()]},
    ]
    kinds = [{"id": 3, "name": "stone"}, {"id": 9, "name": "field"}]
    images = [{"id": 7, "file_name": "a.png", "height": 8, "width": 10}]
    (folder / "annotations.json").write_text(
        json.dumps({"images": images, "annotations": things, "categories": kinds})
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 10, 3), np.uint8)).save(tmp_path / "images" / "a.png")
    return tmp_path


@pytest.mark.parametrize("kind", ["coco", "labelme"])
def test_both_kinds_draw_the_same_map(folder, kind):
    assert not has_polygons(folder)
    coco(folder) if kind == "coco" else labelme(folder, shape("field", FIELD), shape("stone", STONE))
    assert has_polygons(folder)
    dataset = open_polygons(folder, "full")
    assert dataset.classes == ("background", "field", "stone")
    np.testing.assert_array_equal(dataset[0].labels, TRUTH)
    assert open_polygons(folder, "image")[0].image_labels == {0, 1, 2}
    assert open_polygons(folder, "image")[0].labels is None


def test_labelme_s_order_counts_rectangles_have_two_corners_and_some_names_are_special(folder):
    field = shape("field", [FIELD[0], FIELD[2]], "rectangle")
    labelme(folder, shape("stone", STONE), field, shape("__ignore__", STONE))
    labels = open_polygons(folder, "full", ["background", "stone", "field"])[0].labels
    np.testing.assert_array_equal(labels, np.select([TRUTH == 2, TRUTH == 1], [255, 2], 0))
    labelme(folder, field, shape("_background_", STONE))
    np.testing.assert_array_equal(open_polygons(folder, "full")[0].labels, TRUTH == 1)


def test_an_edited_outline_is_other_data(folder):
    labelme(folder, shape("field", FIELD))
    before = open_polygons(folder, "full").fingerprint()
    labelme(folder, shape("field", STONE))
    assert open_polygons(folder, "full").fingerprint() != before


@pytest.mark.parametrize(
    "shapes, height, classes, said",
    [
        ([shape("field", FIELD)], 9, None, "a.json is 10 x 9 pixels"),
        ([shape("field", FIELD, "line")], 8, None, "a.json holds no outlines.*'line'"),
        ([shape("feild", FIELD)], 8, ["background", "field"], "did you mean 'field'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(folder, shapes, height, classes, said):
    labelme(folder, *shapes, height=height)
    with pytest.raises(StudyError, match=said):
        open_polygons(folder, "full", classes)


def test_a_picture_without_outlines_and_a_file_of_another_kind_are_refused(folder):
    with pytest.raises(StudyError, match="a.json is missing"):
        open_polygons(folder, "full")
    for text in ("[]", "{}", "no json"):
        (folder / "images" / "a.json").write_text(text)
        with pytest.raises(StudyError, match="a.json holds no outlines"):
            open_polygons(folder, "full")
    coco(folder)
    Image.fromarray(np.zeros((8, 10, 3), np.uint8)).save(folder / "images" / "b.png")
    with pytest.raises(StudyError, match="does not list b.png"):
        open_polygons(folder, "full")
