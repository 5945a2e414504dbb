"""The whole method: planted errors, invariances, any input, and the paper's own annotations."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.datasets import open_dataset
from segstudy.papers.graph_matching import GraphMatcher, MissingClassError, clean_labels, match
from segstudy.papers.graph_matching import graph as graph_module
from segstudy.papers.graph_matching.matching import SOLVERS

CLASSES = 9


def face(shift=(0, 0)):
    """Draw background, hair, face, two brows, two eyes, nose and mouth from rectangles."""
    labels = np.zeros((64, 56), dtype=np.uint8)
    boxes = [(10, 12, 44, 32), (18, 16, 34, 24), (24, 18, 2, 8), (24, 30, 2, 8)]
    boxes += [(29, 19, 3, 6), (29, 31, 3, 6), (33, 26, 6, 4), (43, 22, 4, 12)]
    for c, (row, column, height, width) in enumerate(boxes, 1):
        labels[row : row + height, column : column + width] = c
    return np.roll(labels, shift, (0, 1))


def soft(labels, sure=0.8, seed=0):
    """A network's answer: `sure` of the label, the rest spread at random."""
    rest = np.random.default_rng(seed).dirichlet(np.ones(CLASSES), labels.shape)
    return sure * np.eye(CLASSES)[labels] + (1 - sure) * rest


def network(seed=0):
    """Answer with stray pieces: an unsure brow in the background, mouth on the forehead, hair by the nose, an eye."""
    wrong = face()
    pieces = [((2, 3, 3, 6), 3), ((20, 24, 2, 5), 8), ((40, 20, 2, 3), 1), ((57, 40, 3, 5), 6)]
    sure = np.full(wrong.shape, 0.8)
    for (row, column, height, width), c in pieces:
        wrong[row : row + height, column : column + width] = c
        sure[row : row + height, column : column + width] = 0.52
    second = 0.9 * np.eye(CLASSES)[face()] + 0.1 * soft(face(), 0, seed)  # where unsure, it is the truth
    return sure[..., None] * np.eye(CLASSES)[wrong] + (1 - sure)[..., None] * second, wrong


@pytest.fixture(scope="module")
def matcher():
    return GraphMatcher().fit([face(), face((1, 2)), face((-2, 1))], CLASSES)


@pytest.mark.parametrize(
    "rule, background, left",
    [
        ("paper", None, 6),  # the hair by the nose stays hair; the brow, the eye and the mouth are put right
        ("paper", 0, 6 + 18 + 15),  # what lies in a background that is no vertex cannot become background
        ("many_to_one_or_none", 0, 10 + 6),  # what fits nowhere goes to the background, in the face too
    ],
)
def test_the_matching_ignores_stray_pieces_and_the_rest_is_relabelled(rule, background, left):
    fitted = GraphMatcher(rule=rule, background=background).fit(
        [face(), face((1, 2)), face((-2, 1))], CLASSES
    )
    probabilities, wrong = network()
    np.testing.assert_array_equal(probabilities.argmax(axis=2), wrong)
    analysis = fitted.analyse(probabilities)
    matched = (analysis.graph.map[..., None] == analysis.matching.assignment).any(axis=2)
    part = face() > 0
    np.testing.assert_array_equal(matched[part], (wrong == face())[part])
    assert analysis.labels.dtype == np.int64
    assert (wrong != face()).sum() == 10 + 6 + 18 + 15 and (analysis.labels != face()).sum() == left


@pytest.mark.parametrize(
    "options", [{}, {"background": 0, "rule": "many_to_one_or_none"}, {"edges": "centroid"}]
)
def test_a_true_map_comes_back(options):
    fitted = GraphMatcher(**options).fit([face()], CLASSES)
    np.testing.assert_array_equal(fitted.segment(soft(face())), face())


@pytest.mark.parametrize(
    "options", [{}, {"background": 0}, {"rule": "many_to_one_or_none"}, {"scale": "estimated"}]
)
def test_moving_turning_and_mirroring_the_picture_moves_turns_and_mirrors_the_labels(options):
    fitted = GraphMatcher(**options).fit([face((0, 1)), face()], CLASSES)
    probabilities, _ = network()
    labels = fitted.segment(probabilities)
    for shift in ((5, -3), (-2, 7), (0, 1)):
        np.testing.assert_array_equal(
            fitted.segment(np.roll(probabilities, shift, (0, 1))), np.roll(labels, shift, (0, 1))
        )
    for turns in (1, 2, 3):
        np.testing.assert_array_equal(fitted.segment(np.rot90(probabilities, turns)), np.rot90(labels, turns))
    np.testing.assert_array_equal(fitted.segment(probabilities[:, ::-1]), labels[:, ::-1])


def test_a_larger_picture_needs_the_estimated_scale_or_lengths_in_diagonals(matcher):
    probabilities, _ = network()
    larger = probabilities.repeat(3, axis=0).repeat(3, axis=1)
    expected = matcher.segment(probabilities).repeat(3, axis=0).repeat(3, axis=1)
    for options in ({"scale": "estimated"}, {"unit": "diagonal"}):
        fitted = GraphMatcher(**options).fit([face()], CLASSES)
        np.testing.assert_array_equal(fitted.segment(larger), expected)
    with pytest.raises(ValueError, match="resize, measure both with unit='diagonal'"):
        matcher.segment(larger)


def test_classes_can_be_named_in_any_order(rng):
    probabilities, _ = network()
    order = rng.permutation(CLASSES)
    renamed = GraphMatcher().fit([order[face()]], CLASSES)
    expected = order[GraphMatcher().fit([face()], CLASSES).segment(probabilities)]
    np.testing.assert_array_equal(renamed.segment(probabilities[..., np.argsort(order)]), expected)


def test_a_missing_class_is_left_empty_or_refused():
    hidden = np.where(face() == 7, 2, face())
    analysis = GraphMatcher().fit([face()], CLASSES).analyse(soft(hidden))
    assert analysis.matching.assignment[7] == -1
    np.testing.assert_array_equal(analysis.labels, hidden)
    with pytest.raises(MissingClassError, match="class 7"):
        GraphMatcher(empty="refuse").fit([face()], CLASSES).segment(soft(hidden))


def test_speckle_of_annotations_does_not_reach_the_model():
    speckled = face()
    speckled[1, 1], speckled[60, 50] = 7, 8
    clean, raw = (GraphMatcher(clean=c).fit([speckled], CLASSES).models_[0] for c in (0.05, 0))
    np.testing.assert_array_equal(clean.edges, GraphMatcher().fit([face()], CLASSES).models_[0].edges)
    assert not np.array_equal(clean.edges, raw.edges)


def test_two_poses_have_two_models():
    turned = np.where(np.isin(face(), range(3, 9)), 2, face())
    inner = np.isin(face(), range(3, 9))
    rows, columns = np.nonzero(inner)
    turned[rows, columns - 6 + 2 * (columns > 27)] = face()[rows, columns]
    fitted = GraphMatcher(models=2).fit([face(), face((1, 0)), turned], CLASSES)
    assert fitted.analyse(soft(face())).matching.model == 0
    assert fitted.analyse(soft(turned)).matching.model == 1


def test_one_class_and_one_pixel():
    fitted = GraphMatcher().fit([np.zeros((3, 2), dtype=int)], 1)
    np.testing.assert_array_equal(fitted.segment(np.ones((3, 2, 1))), np.zeros((3, 2)))
    dot = GraphMatcher(unit="diagonal").fit([np.array([[1]])], 2)
    np.testing.assert_array_equal(dot.segment(np.array([[[0.3, 0.7]]])), [[1]])


@pytest.mark.parametrize(
    "options, says",
    [
        (dict(alpha=2), "alpha must lie in"),
        (dict(rule="all"), "rule must be one of"),
        (dict(edges="mean"), "edges must be one of"),
        (dict(unit="mm"), "unit must be one of"),
        (dict(clean=5), "fraction must lie in"),
        (dict(models=2), "count must lie between"),
        (dict(connectivity=8), "connectivity must be 1"),
        (dict(background=9), "background must be one of"),
        (dict(vertex="cosine"), "vertex must be one of"),
        (dict(scale="auto"), "scale must be one of"),
    ],
)
def test_wrong_options_are_named(options, says):
    with pytest.raises(ValueError, match=says):
        GraphMatcher(**options).fit([face()], CLASSES).segment(soft(face()))
    with pytest.raises(ValueError, match="call fit"):
        GraphMatcher().segment(soft(face()))


def spoiled_maps(rng, maps, num_classes):
    """Return maps, the number of classes, and whether they are annotations, by a way to spoil them drawn at random."""
    kind = rng.integers(10)
    if kind == 0:
        maps[-1] = maps[-1].astype(float)
    elif kind == 1:
        maps[-1] = maps[-1] + num_classes
    elif kind == 2:
        maps[-1] = maps[-1][:, :0]
    elif kind == 3:
        maps[-1] = maps[-1].astype(int) - 1
    elif kind == 4:
        maps, num_classes = [], num_classes
    elif kind == 5:
        maps[-1] = np.full_like(maps[-1], 255)  # void alone: nothing is known, nothing is wrong
    good = kind > 4 or (kind == 3 and not (maps[-1] < 0).any())
    return maps, num_classes, good


def spoiled_probabilities(rng, probabilities):
    kind, spoiled = rng.integers(9), probabilities.copy()
    place = tuple(rng.integers(0, probabilities.shape))
    if kind in (0, 1, 2):
        spoiled[place] = (np.nan, np.inf, spoiled[place] + 0.5)[kind]
    elif kind == 3:
        spoiled = spoiled[:, :0]
    elif kind == 4:
        spoiled = np.append(spoiled, np.zeros((*spoiled.shape[:2], 1)), axis=2)  # a class too many
    elif kind == 5:
        spoiled = spoiled.argmax(axis=2)
    return spoiled, kind > 5


def draw_options(rng, num_classes):
    choose = rng.choice
    return {
        "alpha": float(choose([0, 0.4, 1])),
        "connectivity": int(choose([1, 2])),
        "background": [None, 0, num_classes - 1][rng.integers(3)],
        "edges": str(choose(["minimum", "centroid", "maximum", "minimum+maximum"])),
        "unit": "diagonal",
        "vertex": str(choose(["euclidean", "squared"])),
        "normaliser": str(choose(["maximum", "none"])),
        "scale": str(choose(["none", "estimated"])),
        "empty": str(choose(["missing", "any"])),
        "rule": str(choose(["paper", "many_to_one_or_none"])),
    }


def test_any_input_gives_labels_or_an_error_that_names_it(rng):
    outcomes = {True: 0, False: 0}
    for _ in range(1200):
        num_classes = int(rng.integers(1, 5))
        sizes = rng.integers(1, 8, (3, 2))
        maps = [rng.integers(0, num_classes, size).astype(np.uint8) for size in sizes[:2]]
        maps, num_classes, good_maps = spoiled_maps(rng, maps, num_classes)
        probabilities = rng.dirichlet(np.full(num_classes, 0.3), sizes[2])
        probabilities, good = spoiled_probabilities(rng, np.atleast_3d(probabilities))
        if good_maps:  # annotations that say nothing of how classes lie are refused, too
            shown = [set(np.unique(labels).tolist()) for labels in maps]
            every = set().union(*shown)
            good_maps = {255} not in shown and not (255 in every and len(every) == 2)
        outcomes[good and good_maps] += 1
        matcher = GraphMatcher(**draw_options(rng, num_classes))
        if good and good_maps:
            labels = matcher.fit(maps, num_classes).segment(probabilities)
            assert labels.shape == probabilities.shape[:2] and labels.dtype == np.int64
            assert labels.min() >= 0 and labels.max() < num_classes
        else:
            with pytest.raises((ValueError, TypeError), match="labels must|maps|probabilities|num_classes"):
                matcher.fit(maps, num_classes).segment(probabilities)
    assert min(outcomes.values()) > 150


@pytest.fixture(scope="module")
def annotations(data_root):
    train = [open_dataset("fasseg", root=data_root, split="train")[i].labels for i in range(5)]
    test = [open_dataset("fasseg", root=data_root, split="test")[i].labels for i in range(6)]
    return train, test


def test_true_maps_of_the_paper_are_matched_with_themselves(annotations):
    train, test = annotations
    fitted = GraphMatcher().fit(train, CLASSES)
    for raw in test:
        whole = clean_labels(raw, 1)  # one region of each class
        analysis = fitted.analyse(np.eye(CLASSES, dtype=np.float32)[whole])
        np.testing.assert_array_equal(analysis.graph.classes[analysis.matching.assignment], range(CLASSES))
        np.testing.assert_array_equal(analysis.labels, whole)


def test_every_part_of_a_face_is_found_among_its_pieces(annotations):
    """Only the background, which a head cuts in two, may be matched with its second largest piece."""
    train, test = annotations
    fitted = GraphMatcher().fit(train, CLASSES)
    for raw in test:
        graph, matching, *_ = fitted.analyse(np.eye(CLASSES, dtype=np.float32)[clean_labels(raw)])
        largest = [np.where(graph.classes == c, graph.sizes, 0).argmax() for c in range(CLASSES)]
        np.testing.assert_array_equal(matching.assignment[1:], largest[1:])


def test_speckled_maps_of_the_paper_take_few_nodes_and_equal_the_exhaustive_search(annotations):
    train, test = annotations
    fitted = GraphMatcher().fit(train, CLASSES)
    compared = 0
    for raw in test:
        graph, matching, *_ = fitted.analyse(np.eye(CLASSES, dtype=np.float32)[raw])
        assert matching.optimal and matching.nodes <= 1000
        if np.prod(np.bincount(graph.classes).astype(float)) < 100_000:
            exhaustive = match(graph, fitted.models_, solver=SOLVERS[1])
            assert matching.cost == pytest.approx(exhaustive.cost)
            np.testing.assert_array_equal(matching.assignment, exhaustive.assignment)
            compared += 1
    assert compared >= 1


def test_annotations_that_say_nothing_are_refused():
    mask = np.zeros((6, 6), int)
    mask[2:4, 2:4] = 255
    with pytest.raises(ValueError, match=r"class 0 and void \(255\) alone.*write 1 in place of 255"):
        GraphMatcher().fit([mask, mask.T.copy()], num_classes=2)
    good = np.where(mask == 255, 1, 0)
    with pytest.raises(ValueError, match=r"label_maps\[1\] is void"):
        GraphMatcher().fit([good, np.full((6, 6), 255)], num_classes=2)
    bordered = good.copy()
    bordered[0] = 255
    assert GraphMatcher().fit([bordered], num_classes=2).models_


def test_speckle_is_refused_before_its_graph_is_built(monkeypatch):
    monkeypatch.setattr(graph_module, "MOST_REGIONS", 50)
    monkeypatch.setattr(graph_module, "edge_attributes", lambda *_: pytest.fail("the graph was built"))
    labels = np.indices((20, 20)).sum(axis=0) % 2  # with 4 neighbours every pixel is a region
    speckled = np.eye(2)[labels]
    with pytest.raises(ValueError, match=r"show 400 regions.*GB.*clean_labels"):
        GraphMatcher(connectivity=1).fit([np.eye(20, dtype=int)], num_classes=2).segment(speckled)


def test_many_regions_with_every_class_each_are_refused(monkeypatch):
    monkeypatch.setattr(graph_module, "MOST_REGIONS", 50)
    labels = np.indices((6, 6)).sum(axis=0) % 2
    matcher = GraphMatcher(connectivity=1).fit([np.eye(6, dtype=int)], num_classes=2)
    graph = matcher.graph(np.eye(2)[labels])
    with pytest.raises(ValueError, match=r"show 72 pairs of a region and a class.*GB"):
        match(graph, matcher.models_[0], candidates="all")


def test_the_way_out_of_speckle_works():
    truth = np.zeros((40, 40), int)
    truth[10:20, 10:20] = 1
    matcher = GraphMatcher(connectivity=1).fit([truth], num_classes=2)
    noisy = truth.copy()
    noisy[np.random.default_rng(0).random(truth.shape) > 0.95] ^= 1
    probabilities = np.eye(2)[noisy]
    graph = matcher.graph(probabilities, label_map=clean_labels(noisy, connectivity=1))
    assert len(graph) == 2
    assert (graph.paint(matcher.correct(graph)[1]) == truth).mean() > 0.95
