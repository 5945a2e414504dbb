"""Box IoU against torchvision's, and Chopin et al.'s point about stray pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops
from torchvision.ops import box_iou as box_iou_of_corners

from segstudy.metrics import box_iou, confusion, iou_dataset


def oracle(truth, prediction, classes):
    """Boxes of regionprops (it knows no label 0, hence the + 1), IoU of torchvision."""
    boxes = [{r.label - 1: r.bbox for r in regionprops(labels + 1)} for labels in (truth, prediction)]
    scores = np.full(classes, np.nan)
    for c in set(boxes[0]) | set(boxes[1]):
        both = c in boxes[0] and c in boxes[1]
        corners = [torch.tensor([b[c]], dtype=torch.float64) for b in boxes] if both else None
        scores[c] = float(box_iou_of_corners(*corners)) if both else 0.0
    return scores


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_matches_regionprops_and_torchvision(seed):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, 6, (2, 4, 5))
    np.testing.assert_allclose(box_iou(truth, prediction, 8), oracle(truth, prediction, 8))


def test_boxes_worked_by_hand():
    truth, prediction = np.zeros((2, 10, 10), dtype=np.uint8)
    truth[2:6, 2:6] = 1
    prediction[4:8, 4:8] = 1
    truth[9, 9] = 2
    got = box_iou(truth, prediction, 4)
    np.testing.assert_allclose(got, [1, 4 / (16 + 16 - 4), 0, np.nan])


def test_apart_boxes_and_one_pixel_boxes():
    truth, prediction = np.zeros((2, 5, 5), dtype=np.uint8)
    truth[0, 0] = prediction[4, 4] = 1
    assert box_iou(truth, prediction, 2)[1] == 0
    assert box_iou(truth, truth, 2)[1] == 1


def test_a_stray_blob_halves_the_box_and_hardly_moves_the_pixels():
    """Chopin et al. 2020, Section III-C: the box exposes a far piece that pixelwise IoU hides."""
    truth = np.zeros((100, 100), dtype=np.uint8)
    truth[5:65, 5:65] = 1
    prediction = truth.copy()
    prediction[95:99, 95:99] = 1  # 16 pixels beside 3600
    assert iou_dataset(confusion(truth, prediction, 2))[1] > 0.99
    assert box_iou(truth, prediction, 2)[1] == pytest.approx(60**2 / 94**2)


def test_shifting_both_maps_changes_nothing(rng):
    truth, prediction = rng.integers(0, 3, (2, 6, 6)) * (rng.random((2, 6, 6)) < 0.3)
    padded = [np.pad(x, ((3, 0), (0, 5))) for x in (truth, prediction)]
    np.testing.assert_allclose(box_iou(*padded, 3)[1:], box_iou(truth, prediction, 3)[1:])


def test_void_pixels_stretch_no_box():
    truth, prediction = np.array([[1, 1, 0, 255]]), np.array([[1, 1, 0, 1]])
    np.testing.assert_allclose(box_iou(truth, prediction, 2), [1, 1])
    np.testing.assert_allclose(box_iou(np.array([[1, 1, 0, 0]]), prediction, 2), [1 / 2, 2 / 4])


def test_bad_input_is_refused():
    good = np.zeros((2, 2), dtype=np.uint8)
    with pytest.raises(ValueError, match="prediction holds the label 3"):
        box_iou(good, good + 3, 2)
    with pytest.raises(ValueError, match="same shape"):
        box_iou(good, good[:1], 2)
    with pytest.raises(TypeError, match="truth must be a numpy array"):
        box_iou(torch.zeros(2, 2), good, 2)
