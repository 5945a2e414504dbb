"""Who hears whom in SGSeg, and what features keep apart: against loops and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.experiments.sgseg import insight
from segstudy.papers.sgseg.network import NO_GNN, SGSeg

SMALL = {"superpixels": 8, "k": 3, "spnn_widths": (4, 4), "cnn_widths": (4,), "gnn_width": 4, "gnn_blocks": 2}


def test_separation_is_the_ratio_of_pairwise_distances(rng):
    values, truth = rng.normal(size=(3, 4, 4)), rng.integers(0, 3, (4, 4))
    truth[0, 0] = 255
    points = [(values[:, i, j], truth[i, j]) for i in range(4) for j in range(4) if truth[i, j] != 255]
    squares = {True: [], False: []}
    for a, first in points:
        for b, second in points:
            squares[first == second].append(((a - b) ** 2).sum())
    expected = np.sqrt(np.mean(squares[True]) / np.mean(squares[False]))
    assert insight.separations([values], [truth]) == pytest.approx(expected)


def test_separation_of_one_class_or_one_value_is_unknown():
    flat, halves = np.zeros((2, 4, 4)), np.arange(4)[None].repeat(4, 0) // 2
    assert np.isnan(insight.separations([flat, flat], [halves, np.zeros((4, 4), int)])).all()


def test_spans_are_one_for_the_nearest_and_longer_for_others():
    """Four superpixels, a column each, 1/3 apart: joined to the next, and to the one farthest away."""
    P = torch.eye(4).view(1, 4, 1, 4).repeat(1, 1, 2, 1)
    near = torch.tensor([[[1], [0], [1], [2]]])
    far = torch.tensor([[[3], [3], [0], [0]]])
    assert insight.edge_spans(P, near) == pytest.approx(1)
    assert insight.edge_spans(P, far) == pytest.approx((3 + 2 + 2 + 3) / 4)


def test_reach_is_none_where_nothing_joins_far_pixels():
    """Without a graph and with each pixel's own superpixel alone, only SPNN's neighbourhood counts."""

    class Own(torch.nn.Module):
        def find(self, images):
            return type("Found", (), {"projected": images})

    images = torch.randn(2, 3, 16, 16)
    assert insight.reach(Own(), images) == 0
    reached = {gnn: insight.reach(SGSeg(2, gnn=gnn, **SMALL).eval(), images) for gnn in ("DiffGCN", NO_GNN)}
    assert all(0 < value < 1 for value in reached.values())


def test_a_told_classifier_finds_what_features_hold(rng):
    truths = [rng.integers(0, 2, (8, 8)) for _ in range(4)]
    telling = [np.stack([truth * 2.0 - 1, rng.normal(size=truth.shape)]) for truth in truths]
    assert insight.told(telling, truths, 0) == 1
    silent = [values[1:] for values in telling]
    assert insight.told(silent, truths, 0) < 0.8
