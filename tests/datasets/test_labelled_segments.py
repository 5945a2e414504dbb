"""COCO's panoptic segments become a label map, and what does not fit is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudy.datasets.files import VOID
from segstudy.datasets.labelled_segments import open_segments
from segstudy.errors import StudyError
from segstudy.experiments.images.own_folder import has_masks, open_own

# Two stones of one class on a field; the numbers need all three bytes of a colour. The last column is unlabelled.
FIELD, STONE, OTHER = 3, 300, 70_000
NUMBERS = np.full((4, 6), FIELD)
NUMBERS[1, 1], NUMBERS[2, 3], NUMBERS[:, 5] = STONE, OTHER, 0
TRUTH = np.full((4, 6), 1)
TRUTH[1, 1], TRUTH[2, 3], TRUTH[:, 5] = 2, 2, VOID


def save(
    folder: Path, numbers: np.ndarray = NUMBERS, left_out: int | None = None, named: str = "a.png"
) -> Path:
    """Write a picture, its segments and their list."""
    for name in ("images", "panoptic"):
        (folder / name).mkdir(exist_ok=True)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(folder / "images" / "a.jpg")
    colours = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], axis=2)
    Image.fromarray(colours.astype(np.uint8)).save(folder / "panoptic" / "a.png")
    kinds = [{"id": 8, "name": "stone"}, {"id": 5, "name": "field"}]
    of = {FIELD: 5, STONE: 8, OTHER: 8}
    segments = [{"id": n, "category_id": kind} for n, kind in of.items() if n != left_out]
    found = {
        "categories": kinds,
        "images": [{"id": 4, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 4, "file_name": named, "segments_info": segments}],
    }
    (folder / "panoptic.json").write_text(json.dumps(found))
    return folder


def test_segments_become_their_classes(tmp_path):
    assert not has_masks(tmp_path)
    dataset = open_own(save(tmp_path), "full")
    assert has_masks(tmp_path) and dataset.classes == ("background", "field", "stone")
    np.testing.assert_array_equal(dataset[0].labels, TRUTH)
    weak = open_own(tmp_path, "image")[0]
    assert weak.image_labels == {1, 2} and weak.labels is None
    (tmp_path / "labels.csv").write_text("background\nstone\nfield\n")
    np.testing.assert_array_equal(
        open_own(tmp_path, "full")[0].labels, np.array([0, 2, 1])[TRUTH % VOID] + (TRUTH == VOID) * VOID
    )


def test_a_changed_png_is_other_data(tmp_path):
    first = open_segments(save(tmp_path), "full").fingerprint()
    assert open_segments(tmp_path, "full").fingerprint() == first
    other = NUMBERS.copy()
    other[0, 0] = STONE
    assert open_segments(save(tmp_path, other), "full").fingerprint() != first


def test_what_does_not_fit_is_refused_by_name(tmp_path):
    with pytest.raises(StudyError, match=r"a\.png holds segments that panoptic\.json does not list.*70000"):
        _ = open_segments(save(tmp_path, left_out=OTHER), "full")[0].labels
    with pytest.raises(StudyError, match=r"5 x 4 pixels; expected 6 x 4"):
        _ = open_segments(save(tmp_path, NUMBERS[:, :5]), "full")[0].labels
    with pytest.raises(StudyError, match=r"b\.png is missing"):
        open_segments(save(tmp_path, named="b.png"), "full")
    with pytest.raises(StudyError, match="names a segment 'field'"):
        open_segments(save(tmp_path), "full", ["background", "stone"])
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "images" / "c.png")
    with pytest.raises(StudyError, match=r"does not list c\.png"):
        open_segments(tmp_path, "full")
    (tmp_path / "panoptic.json").write_text("[]")
    with pytest.raises(StudyError, match="no panoptic list"):
        open_segments(tmp_path, "full")


def test_a_name_of_a_png_leads_nowhere_else(tmp_path):
    """A list from elsewhere cannot make the program read a file outside its folder."""
    with pytest.raises(StudyError, match=r"panoptic/passwd is missing"):
        open_segments(save(tmp_path, named="../../etc/passwd"), "full")
