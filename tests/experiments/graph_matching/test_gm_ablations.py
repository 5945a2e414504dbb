"""The ablations on planted maps against painted ones, their table by hand, and the third constraint's worth."""

import numpy as np
import pandas as pd
import pytest

from segstudy.experiments.graph_matching import ablations, planted
from segstudy.experiments.graph_matching.ablations import PAPER, VARIANTS
from segstudy.experiments.graph_matching.evaluation import Picture
from segstudy.metrics import box_iou, iou_per_image, paired_bootstrap
from segstudy.papers.graph_matching import GraphMatcher, ModelGraph, RegionGraph

NAN = np.nan


def face(stray=()):
    """A background, two squares and a bar; `stray`: (row, column, class) of single pixels."""
    labels = np.zeros((24, 20), dtype=int)
    labels[4:9, 3:8], labels[4:9, 12:17], labels[15:18, 5:15] = 1, 2, 3
    for row, column, c in stray:
        labels[row, column] = c
    return labels


def soft(labels, rng):
    return 0.8 * np.eye(4)[labels] + 0.2 * rng.dirichlet(np.ones(4), labels.shape)


@pytest.fixture
def pictures():
    truths = [face([(22, 2, 1)]), face()]
    return [Picture(str(i), np.full((1, 1, 3), i, dtype=np.uint8), t, face()) for i, t in enumerate(truths)]


def test_every_variant_differs_from_the_paper_in_its_options_alone():
    assert VARIANTS[PAPER] == {} and next(iter(VARIANTS)) == PAPER
    fitted = ablations.fit_variants([face([(21, 4, 2)]), np.roll(face(), 1), face([(13, 7, 3)])], 4)
    assert list(fitted) == list(VARIANTS)
    for name, (matcher, side) in fitted.items():
        options = {k: v for k, v in VARIANTS[name].items() if k != "median"}
        other, paper = vars(GraphMatcher(**options)), vars(GraphMatcher())
        found = {k: v for k, v in vars(matcher).items() if k != "models_"}
        assert found == other and (name == PAPER or side or found != paper)
        assert side == VARIANTS[name].get("median", 0)
    # speckle that is kept sets the smallest distance of classes 2 and 3
    raw, clean = (fitted[n][0].models_[0].edges[2, 3, 0] for n in ("model of raw annotations", PAPER))
    assert raw < clean


def test_scores_are_those_of_the_painted_maps(pictures, rng, monkeypatch):
    # a diagonal tail of class 1: one region with it by 8 neighbours, pieces by 4, away after a median filter
    tail = 0.3 * np.eye(4)[face([(9 + i, 8 + i, 1) for i in range(4)])] + 0.175
    seen = [tail, soft(face([(12, 10, 2), (22, 2, 1)]), rng)]
    monkeypatch.setattr(ablations, "predict", lambda model, image, size: seen[int(image.flat[0])])
    names = (PAPER, "4-connected regions", "3 x 3 median filter first", "relations of centroids")
    variants = {name: VARIANTS[name] for name in (*names, "background is no vertex", "later code")}
    fitted = ablations.fit_variants([face()], 4, variants=variants)
    scores = ablations.compare(None, (1, 1), pictures, fitted)
    assert list(scores) == list(variants)
    box = {name: found[0, 1, 1] for name, found in scores.items()}
    assert box[PAPER] < box["4-connected regions"] and box[PAPER] < box["3 x 3 median filter first"]
    for name, (matcher, side) in fitted.items():
        assert scores[name].shape == (2, 2, 4)
        for i, probabilities in enumerate(seen):
            graph = matcher.graph(probabilities)
            if side:
                labels = probabilities.argmax(axis=2)
                padded = np.pad(labels, 1, mode="symmetric")
                windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(*labels.shape, 9)
                graph = matcher.graph(probabilities, np.sort(windows, axis=2)[..., 4])
            painted = graph.paint(matcher.correct(graph)[1])
            np.testing.assert_allclose(scores[name][i, 0], iou_per_image([face()], [painted], 4)[0])
            np.testing.assert_allclose(scores[name][i, 1], box_iou(face(), painted, 4))


def repeat(paper, other):
    """Pixelwise and box IoU of two variants: lists of (pixelwise, box) by picture, each for classes (a, b)."""
    return {PAPER: np.array(paper, dtype=float), "other": np.array(other, dtype=float)}


def test_the_table_averages_classes_then_repeats_and_compares_pictures():
    first = repeat(
        [[[0.2, 0.4], [0.5, NAN]], [[0.6, 0.6], [0.1, 0.3]]], [[[1, 1], [0.7, NAN]], [[1, 0], [0.2, 0]]]
    )
    second = repeat(
        [[[0.4, 0.2], [0.7, NAN]], [[0.6, 0.6], [0.3, 0.5]]], [[[1, 1], [0.9, NAN]], [[1, 0], [0.4, 0]]]
    )
    table = ablations.ablation_table([first, second], seed=2).set_index(["variant", "measure"])
    assert table["mean"].to_dict() == pytest.approx(
        {
            (PAPER, "pixelwise"): (0.3 + 0.6) / 2,
            ("other", "pixelwise"): (1 + 0.5) / 2,
            (PAPER, "box"): (0.6 + 0.3) / 2,
            ("other", "box"): (0.8 + 0.15) / 2,
        }
    )
    row = table.loc[("other", "box")]
    expected = paired_bootstrap(np.array([0.8, 0.15]), np.array([0.6, 0.3]), np.random.default_rng(2))
    assert (row.difference, row.low, row.high) == pytest.approx((0.025, expected.low, expected.high))
    assert (table.loc[PAPER][["difference", "low", "high"]] == 0).all(axis=None)


def test_one_picture_has_a_difference_without_an_interval():
    one = repeat([[[0.2, 0.4], [0.5, 0.5]]], [[[0.4, 0.4], [0.5, 0.5]]])
    row = ablations.ablation_table([one]).set_index(["variant", "measure"]).loc[("other", "pixelwise")]
    assert row.difference == pytest.approx(0.1) and np.isnan([row.low, row.high]).all()


def test_the_wide_table_is_in_percent_with_a_row_for_each_variant():
    columns = ["variant", "measure", "mean", "difference", "low", "high"]
    rows = [(PAPER, "pixelwise", 0.5, 0, 0, 0), ("other", "pixelwise", 0.512, 0.012, -0.003, 0.0204)]
    rows += [(PAPER, "box", 0.7, 0, 0, 0), ("other", "box", 0.6, -0.1, NAN, NAN)]
    found = ablations.wide(pd.DataFrame(rows, columns=columns))
    assert list(found) == ["variant", "pixelwise IoU", "pixelwise, difference", "box IoU", "box, difference"]
    assert found.values.tolist() == [
        [PAPER, "50.0", "", "70.0", ""],
        ["other", "51.2", "+1.2 [-0.3, +2.0]", "60.0", "-10.0"],
    ]


def constrained(graph, model, node_limit=20_000):
    matcher = GraphMatcher()
    matcher.models_ = [model]
    return ablations.compare_constraint(matcher, [graph], node_limit).iloc[0]


def test_the_constraint_finds_the_planted_optimum_with_fewer_nodes():
    graph, model, _ = planted.planted(5, 3, noise=0.02, seed=1, sharpness=0.9)
    row = constrained(graph, model)
    assert row.complete and row.same and row.proven
    assert row.with_nodes < row.without_nodes and min(row.with_seconds, row.without_seconds) > 0


def test_a_search_that_runs_out_of_nodes_proves_nothing():
    graph, model, _ = planted.planted(5, 3, noise=0.1, seed=1)
    with_nodes = constrained(graph, model).with_nodes
    for limit, proven in ((with_nodes + 1, False), (1, False)):
        row = constrained(graph, model, limit)
        assert row.proven == proven and row.without_nodes <= limit and row.complete


def test_without_the_constraint_a_region_of_another_class_may_be_taken():
    """Two classes 10 apart; the regions that are 10 apart are both of class 0, that of class 1 is 50 away."""
    distances = np.array([[0, 50, 10], [50, 0, 45], [10, 45, 0]], dtype=float)
    graph = RegionGraph.from_arrays([0, 1, 0], np.eye(2)[[0, 1, 0]] * 0.2 + 0.4, distances)
    row = constrained(graph, ModelGraph.from_arrays(np.array([[0.0, 10], [10, 0]])))
    assert row.complete and row.proven and not row.same


def test_a_map_without_a_class_is_not_complete(rng):
    matcher = GraphMatcher().fit([face()], 4)
    lacking = face()
    lacking[lacking == 3] = 0
    rows = ablations.compare_constraint(matcher, [matcher.graph(soft(m, rng)) for m in (lacking, face())])
    assert rows.complete.tolist() == [False, True]
    none = ablations.compare_constraint(matcher, [])
    assert none.empty and list(none) == list(rows)
