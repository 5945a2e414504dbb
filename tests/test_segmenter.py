"""The segmenter interface and the check of probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.segmenter import Segmenter, check_probabilities


class Constant:
    """The smallest segmenter: every pixel is class 0 of two."""

    supervision = "none"
    outputs = "clusters"

    def fit(self, dataset):
        return self

    def probabilities(self, image):
        return np.dstack([np.ones(image.shape[:2]), np.zeros(image.shape[:2])])

    def segment(self, image):
        return self.probabilities(image).argmax(-1)


def test_a_class_with_the_members_is_a_segmenter():
    assert isinstance(Constant(), Segmenter)


@pytest.mark.parametrize("member", ["supervision", "outputs", "fit", "probabilities", "segment"])
def test_a_class_without_one_of_them_is_none(member):
    members = {k: v for k, v in vars(Constant).items() if not k.startswith("__") and k != member}
    assert not isinstance(type("Partial", (), members)(), Segmenter)


def test_probabilities_of_a_softmax_pass_in_every_precision(rng):
    check_probabilities(Constant().probabilities(np.zeros((2, 3, 3), dtype=np.uint8)))
    logits = torch.tensor(rng.normal(size=(5, 6, 21)) * 4)
    for dtype in (torch.float16, torch.float32, torch.float64):
        check_probabilities(logits.softmax(-1).to(dtype).numpy())


def test_tolerance_decides():
    nearly = np.full((2, 2, 2), 0.5 + 0.004)
    with pytest.raises(ValueError, match="worst sum is 1.008 .4 of 4 pixels"):
        check_probabilities(nearly)
    check_probabilities(nearly, tolerance=0.01)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "nan or infinity .1 of 6 pixels, first at row 1, column 2"),
        (np.inf, "nan or infinity"),
        (-0.5, r"leave \[0, 1\].*logits"),
        (2.0, r"leave \[0, 1\]"),
        (0.25, "worst sum is 0.75 .1 of 6 pixels, first at row 1, column 2"),
    ],
)
def test_one_bad_pixel_is_found(value, message):
    probabilities = np.full((2, 3, 2), 0.5)
    probabilities[1, 2, 0] = value
    with pytest.raises(ValueError, match=message):
        check_probabilities(probabilities)


def test_wrong_kinds_and_shapes_are_refused():
    with pytest.raises(TypeError, match=r"got Tensor; call .cpu\(\).numpy\(\)"):
        check_probabilities(torch.ones(2, 2, 1))
    with pytest.raises(TypeError, match="floats, got int64"):
        check_probabilities(np.ones((2, 2, 1), dtype=np.int64))
    with pytest.raises(ValueError, match=r"\(H, W, C\), got shape \(2, 2\)"):
        check_probabilities(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"got shape \(2, 2, 0\)"):
        check_probabilities(np.ones((2, 2, 0)))
