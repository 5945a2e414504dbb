"""Pieces without a cue, by hand."""

import numpy as np

from segstudy.datasets.files import VOID
from segstudy.experiments.dgcn.second_instances import LEAST, reach_of_growth, second_pieces
from segstudy.papers.dgcn.views import WeakPicture


def scene():
    """Return two squares of class 1, with a cue in each, and probabilities that know both."""
    truth = np.zeros((5, 12), np.uint8)
    truth[:4, :4] = truth[1:4, 8:11] = 1
    cues = np.full(truth.shape, VOID, np.uint8)
    cues[0, 0] = cues[2, 9] = 1
    cues[4, 5] = 0
    own = np.zeros((*truth.shape, 3))
    own[..., 1] = np.where(truth == 1, 0.96, 0.02)
    own[..., 0] = 1 - own[..., 1]
    inside = np.flatnonzero(truth.ravel() == 1)
    edges = np.stack([inside[:-1], inside[1:]], axis=1)
    return WeakPicture(np.zeros((5, 12, 3), np.uint8), (1,), cues=cues, edges=edges), truth, own


def test_the_largest_piece_keeps_its_cues():
    picture, truth, _ = scene()
    ((name, where),) = second_pieces(picture, truth)
    assert name == 1 and where.sum() == LEAST and where[1:4, 8:11].all()
    assert not list(second_pieces(picture, np.where(truth == 1, 0, truth)))


def test_the_cut_reaches_what_region_growing_cannot():
    picture, truth, own = scene()
    found = reach_of_growth([picture], [truth], [own], [own])
    assert found["graph cut"] == [LEAST, LEAST] and found["region growing"] == [0, LEAST]
