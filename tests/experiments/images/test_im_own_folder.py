"""A user's folder: names and colours of classes from small tables, and no guess where they leave something open."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from segstudy.errors import StudyError
from segstudy.experiments.images.own_folder import open_own

IDS = np.repeat([[0, 1, 2]], 4, axis=0).astype(np.uint8)
COLOURS = np.array([(0, 0, 0), (128, 64, 128), (70, 70, 70)], np.uint8)


@pytest.fixture
def folder(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for name in "ab":
        Image.fromarray(COLOURS[IDS]).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(IDS).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def drop_masks(folder):
    for path in (folder / "masks").iterdir():
        path.unlink()
    (folder / "masks").rmdir()


def test_ids_have_numbers_for_names_until_a_table_names_them(folder):
    assert open_own(folder, "full").classes == ("class 0", "class 1", "class 2")
    (folder / "labels.csv").write_text("background\nroad\n\n wall \n")
    dataset = open_own(folder, "full")
    assert dataset.classes == ("background", "road", "wall")
    np.testing.assert_array_equal(dataset[0].labels, IDS)


def test_colours_are_declared_by_the_table(folder):
    for name in "ab":
        Image.fromarray(COLOURS[IDS]).save(folder / "masks" / f"{name}.png")
    (folder / "labels.csv").write_text("background,0,0,0\nroad,128,64,128\nvoid,70,70,70\n")
    dataset = open_own(folder, "full")
    assert dataset.classes == ("background", "road")
    np.testing.assert_array_equal(np.unique(dataset[0].labels), [0, 1, 255])


def test_classes_of_pictures_come_from_their_list_and_else_from_the_masks(folder):
    assert open_own(folder, "image")[0].image_labels == {0, 1, 2}
    (folder / "labels.csv").write_text("background\nroad\nwall\n")
    (folder / "classes.csv").write_text("a.png,wall\nb.png,road,wall\n")
    dataset = open_own(folder, "image")
    assert [sample.image_labels for sample in dataset] == [{2}, {1, 2}]
    assert dataset[0].labels is None


def test_without_masks_the_list_names_the_classes(folder):
    drop_masks(folder)
    (folder / "classes.csv").write_text("a.png,wall\nb.png,car,wall\n")
    dataset = open_own(folder, "image")
    assert dataset.classes == ("background", "car", "wall")
    assert [sample.image_labels for sample in dataset] == [{2}, {1, 2}]


def test_colours_of_masks_name_the_classes_of_the_list(folder):
    (folder / "labels.csv").write_text("background,0,0,0\nroad,128,64,128\nvoid,70,70,70\n")
    (folder / "classes.csv").write_text("a.png,road\nb.png\n")
    assert [sample.image_labels for sample in open_own(folder, "image")] == [{1}, set()]


@pytest.mark.parametrize(
    "table, text, supervision, said",
    [
        ("classes.csv", "a,car\nb,car\n", "image", "no labels.csv"),
        ("labels.csv", "road,128\nwall\n", "full", "each row is a name"),
        ("labels.csv", "road,red,0,0\n", "full", "each row is a name"),
    ],
)
def test_a_table_that_leaves_something_open_is_refused(folder, table, text, supervision, said):
    (folder / table).write_text(text)
    with pytest.raises(StudyError, match=said):
        open_own(folder, supervision)


def test_no_masks_no_full_labels(folder):
    drop_masks(folder)
    with pytest.raises(StudyError, match="no masks/"):
        open_own(folder, "full")


def test_outlines_stand_in_for_masks(folder):
    drop_masks(folder)
    shapes = [{"label": "wall", "points": [(1, 0), (3, 4)], "shape_type": "rectangle"}]
    for name in "ab":
        found = {"imageHeight": 4, "imageWidth": 3, "shapes": shapes}
        (folder / "images" / f"{name}.json").write_text(json.dumps(found))
    dataset = open_own(folder, "full")
    assert dataset.classes == ("background", "wall")
    np.testing.assert_array_equal(dataset[0].labels, IDS > 0)
    assert open_own(folder, "image")[1].image_labels == {0, 1}
    (folder / "labels.csv").write_text("background\nroad\nwall\n")
    np.testing.assert_array_equal(open_own(folder, "full")[0].labels, 2 * (IDS > 0))
