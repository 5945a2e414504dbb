"""The tour's scoring: rules that can be checked on pictures whose answer is obvious."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.experiments.tour import jobs as tour
from segstudy.metrics import achievable_accuracy


@pytest.fixture
def halves() -> tuple[np.ndarray, np.ndarray]:
    """A dark left and a bright right half, a little noisy."""
    labels = np.zeros((40, 60), dtype=np.int64)
    labels[:, 30:] = 1
    noise = np.random.default_rng(0).normal(0, 8, (40, 60, 3))
    return np.clip(60 + 130 * labels[..., None] + noise, 0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("method", ["Otsu", "k-means", "normalised cut"])
def test_clusterings_find_two_halves_and_one_region_does_not(halves, method: str):
    image, labels = halves
    assert tour._score_one(method, image, labels, np.random.default_rng(0), 0)["IoU"] > 0.97
    assert tour._score_one("one region", image, labels, np.random.default_rng(0), 0)["IoU"] == pytest.approx(
        0.25
    )


def test_the_cut_mends_what_colours_alone_get_wrong(halves):
    """Two halves whose colours overlap: a pixel alone is often wrong, its neighbours know better."""
    _, labels = halves
    noise = np.random.default_rng(0).normal(0, 30, (40, 60, 1))
    image = np.broadcast_to(np.clip(100 + 50 * labels[..., None] + noise, 0, 255), (40, 60, 3)).astype(
        np.uint8
    )
    scores = {
        method: tour._score_one(method, image, labels, np.random.default_rng(1), 0)["foreground IoU"]
        for method in ("colours of the seeds", "graph cut")
    }
    assert scores["graph cut"] > 0.9 and scores["colours of the seeds"] < 0.75


def test_marks_lie_inside_their_side_and_are_not_scored(halves):
    _, labels = halves
    labels = labels.copy()
    labels[:2] = 255
    seeds = tour.draw_seeds(tour.foreground_of(labels), np.random.default_rng(0))
    assert set(np.unique(seeds)) == {-1, 0, 1}
    for side in (0, 1):
        assert (labels[seeds == side] == side).all()
    again = tour.draw_seeds(tour.foreground_of(labels), np.random.default_rng(0))
    np.testing.assert_array_equal(seeds, again)


def test_a_side_that_is_not_there_gets_no_marks():
    seeds = tour.draw_seeds(np.zeros((20, 20), dtype=np.int64), np.random.default_rng(0))
    assert set(np.unique(seeds)) == {-1, 0}


@pytest.mark.parametrize("shape, n", [((40, 60), 24), ((33, 57), 10), ((5, 5), 100)])
def test_squares_are_about_as_many_as_asked(shape, n):
    pieces = tour.squares(shape, n)
    assert pieces.shape == shape
    assert 0.6 * min(n, 25) <= len(np.unique(pieces)) <= 2.2 * n


def test_squares_by_hand():
    truth = np.array([[1, 0, 0, 0]] * 4)
    assert achievable_accuracy(truth, tour.squares((4, 4), 4)) == 0.75


def test_shrinking_keeps_small_pictures_and_the_place_of_labels(halves):
    image, labels = halves
    same, _ = tour.shrink(image, labels, 60)
    assert same is image
    small, small_labels = tour.shrink(image, labels, 30)
    assert small.shape == (20, 30, 3) and small.dtype == np.uint8
    np.testing.assert_array_equal(small_labels, labels[::2, ::2])
    assert abs(small[:, :14].mean() - image[:, :28].mean()) < 1


def test_the_grid_holds_each_method_once_a_seed_where_it_draws():
    parameters = {"datasets": ["faces/val"], "images": 2, "longest": 64, "seeds": [0, 1]}
    grid = tour.experiments(parameters)
    count = {m: sum(e.arguments["method"] == m for e in grid) for m in tour.METHODS}
    assert count["k-means"] == count["graph cut"] == 2 and count["Otsu"] == count["squares"] == 1
    assert len({e.key() for e in grid}) == len(grid)
    result = grid[0].function(**grid[0].arguments)
    assert result["IoU"].shape == (2,) and (result["seconds"] > 0).all()


def test_every_fourth_picture_of_emds5_is_left_out(data_root, monkeypatch):
    monkeypatch.setenv("SEGSTUDY_DATA", str(data_root))
    names = [sample.name for sample in tour.open_named("emds5/all", 256)]
    whole = [sample.name for sample in tour.open_dataset("emds5")]
    assert names == [name for index, name in enumerate(whole) if index % 4]


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="graph cut"):
        tour.score("watershed", "faces/val", 1, 64, 0)
