"""Cues by hand, and a saliency that finds what no border knows."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.papers.dgcn.background_detection import robust_background_saliency
from segstudy.papers.dgcn.seeds import seed_cues

VOID = 255


def test_cues_by_hand():
    activations = np.array([[[1.0, 0.3, 0.1, -5.0]], [[0.0, 2.0, 0.5, 0.1]]])
    saliency = np.array([[0.9, 0.9, 0.5, 0.01]])
    # the second position is claimed by both objects, the third by the second alone, the last by the background
    assert seed_cues(activations, saliency, [7, 3]).tolist() == [[7, VOID, 3, 0]]


def test_an_object_where_nothing_is_salient_is_a_conflict():
    assert seed_cues(np.ones((1, 1, 1)), np.zeros((1, 1)), [4]).tolist() == [[VOID]]
    assert seed_cues(np.ones((1, 1, 1)), None, [4]).tolist() == [[4]]


def test_scale_does_not_matter_and_a_class_activated_nowhere_has_no_cue(rng):
    activations, saliency = rng.normal(size=(3, 6, 7)), rng.random((6, 7))
    expected = seed_cues(activations, saliency, [1, 2, 5])
    scaled = activations * np.array([1e-3, 1.0, 1e4])[:, None, None]
    np.testing.assert_array_equal(seed_cues(scaled, saliency, [1, 2, 5]), expected)
    assert (seed_cues(np.zeros((1, 2, 2)), None, [1], foreground=0.0) == VOID).all()
    assert set(np.unique(seed_cues(np.zeros((0, 6, 7)), saliency, []))) == {0, VOID}


@pytest.mark.parametrize(
    "change, argument",
    [
        ({"activations": np.full((1, 2, 2), np.nan)}, "activations"),
        ({"activations": np.ones((2, 2, 2))}, "activations"),
        ({"saliency": np.full((2, 2), 3.0)}, "saliency"),
        ({"saliency": np.ones((3, 2))}, "saliency"),
        ({"classes": [0]}, "classes"),
        ({"foreground": 1.5}, "foreground"),
    ],
)
def test_bad_input_is_refused(change, argument):
    given = {"activations": np.ones((1, 2, 2)), "saliency": np.ones((2, 2)), "classes": [1]} | change
    with pytest.raises(ValueError, match=argument):
        seed_cues(**given)


def scene(rng, at=(20, 30), side=16):
    """Draw a red square on a green ground, both noisy."""
    image = np.full((64, 80, 3), (60, 140, 60)) + rng.normal(0, 4, (64, 80, 3))
    where = np.zeros((64, 80), bool)
    where[at[0] : at[0] + side, at[1] : at[1] + side] = True
    image[where] += (140, -100, -20)
    return image.clip(0, 255).astype(np.uint8), where


@pytest.mark.parametrize("at", [(20, 30), (48, 30)], ids=["inside", "touching the border"])
def test_an_object_is_salient_even_where_it_touches_the_border(rng, at):
    image, where = scene(rng, at)
    saliency = robust_background_saliency(image)
    assert saliency[where].mean() > 0.9 and saliency[~where].mean() < 0.1
    assert saliency.min() == 0 and saliency.max() == 1


def test_a_mirror_image_is_as_salient(rng):
    image, where = scene(rng)
    mirrored = robust_background_saliency(np.ascontiguousarray(image[:, ::-1]))[:, ::-1]
    assert np.abs(mirrored - robust_background_saliency(image))[where].mean() < 0.05


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 40, 3), (30, 30, 1)])
def test_flat_tiny_and_grey_pictures_have_an_answer(shape):
    found = robust_background_saliency(np.full(shape, 90, np.uint8))
    assert found.shape == shape[:2] and (found == 0).all()
