"""Borders of two kinds, and superpixels as nodes."""

from __future__ import annotations

import numpy as np
import torch

from segstudy.experiments.dgcn.borders import border_f_scores, count_borders
from segstudy.experiments.dgcn.superpixels import cut_superpixels
from segstudy.papers.dgcn.views import WeakPicture

VOID = 255


def three_columns(side: int = 60) -> np.ndarray:
    """Return background, one object and another, side by side."""
    return np.repeat(np.repeat([0, 1, 2], side // 3)[None], side, axis=0)


def test_the_truth_itself_finds_all_its_borders():
    truth = three_columns()
    counts = count_borders(truth, truth)
    assert counts.tolist() == [[120, 120, 120, 120]] * 2  # two pixels thick, 60 long
    assert border_f_scores(counts).tolist() == [1.0, 1.0]


def test_a_border_that_is_missed_costs_its_own_kind_alone():
    truth = three_columns()
    merged = np.where(truth == 2, 1, truth)
    between, outer = border_f_scores(count_borders(truth, merged))
    assert between == 0 and outer == 1


def test_a_border_beside_its_place_is_no_hit():
    truth = three_columns()
    moved = np.roll(truth, 3, axis=1)  # the tolerance is .64 pixels
    moved[:, :3] = 0
    counts = count_borders(truth, moved)
    assert counts[:, 0].tolist() == [0, 0] and counts[:, 2].tolist() == [0, 0]


def test_void_has_the_nearest_label():
    truth = three_columns()
    banded = truth.copy()
    banded[:, 18:22] = VOID
    banded[:, 38:42] = VOID
    assert np.array_equal(count_borders(banded, truth), count_borders(truth, truth))
    assert count_borders(np.full((5, 5), VOID), np.zeros((5, 5), int)).sum() == 0


def test_a_kind_that_the_truth_has_not_is_not_scored():
    truth = np.where(three_columns() == 2, 1, three_columns())
    assert np.isnan(border_f_scores(count_borders(truth, truth))[0])


def test_superpixels_are_labelled_as_one():
    image = np.zeros((24, 24, 3), np.uint8)
    image[:, 12:] = 255
    cues = np.full((24, 24), VOID, np.uint8)
    cues[2:5, 2:5], cues[2:5, 15:18] = 0, 1
    H = np.zeros((24, 24, 3))
    H[:, :12], H[:, 12:] = [0.9, 0.1, 0.0], [0.1, 0.9, 0.0]
    features = torch.from_numpy((np.arange(24)[None, :] >= 12).repeat(24, 0).astype(float)).reshape(-1, 1)
    picture = WeakPicture(image, (1,), cues=cues)
    grown = cut_superpixels(picture, features + 0.01 * torch.arange(576)[:, None] / 576, H)
    assert set(np.unique(grown[:, 13:])) == {1} and not (grown[:, :11] == 1).any()
    assert 0 < (grown == 0).sum() < 60
