"""Changes of pictures and what they do to the matching: answers by hand, other libraries, invariances."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label
from skimage import transform

from segstudy.experiments.graph_matching.perturbations import (
    far_blob,
    frame,
    occlude,
    plant,
    resize_content,
    rotate,
    shift,
    turn_head,
    turning_margin,
)
from segstudy.experiments.graph_matching.robustness import gains, invariance, occlusions, pose_matcher
from segstudy.experiments.graph_matching.stray_pieces import fate_shares, region_fates, stray_blobs
from segstudy.papers.graph_matching import GraphMatcher, ModelGraph
from segstudy.segmenter import check_probabilities

CHANGES = [
    partial(frame, margin=(2, 1)),
    partial(shift, offset=(3, -2)),
    partial(rotate, degrees=90),
    partial(rotate, degrees=33),
    partial(resize_content, factor=0.6),
    partial(resize_content, factor=1.7),
    partial(turn_head, degrees=50),
]


def soft(labels, num_classes, sure=0.8):
    """Certainty `sure` for the label, the rest spread evenly, in single precision as networks have it."""
    rest = (1 - sure) / (num_classes - 1)
    return (rest + (sure - rest) * np.eye(num_classes))[labels].astype(np.float32)


def scene(boxes, shape=(40, 40)):
    """Draw background 0 and, in that order, boxes (class, row, column, height, width)."""
    labels = np.zeros(shape, dtype=np.uint8)
    for c, row, column, height, width in boxes:
        labels[row : row + height, column : column + width] = c
    return labels


# two parts of 6 x 6, 20 apart
PAIR = [(1, 17, 6, 6, 6), (2, 17, 31, 6, 6)]


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize("change", CHANGES)
def test_probabilities_stay_probabilities_and_labels_go_along(change, rng):
    labels = scene([(1, 5, 8, 20, 21), (2, 10, 15, 6, 5)], (41, 36))
    probabilities = (soft(labels, 3) + rng.uniform(0, 0.05, (*labels.shape, 3))).astype(np.float32)
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    kept = probabilities.copy(), labels.copy()
    changed, carried = change(probabilities), change(labels)
    check_probabilities(changed, tolerance=1e-5)
    assert changed.dtype == np.float32 and carried.dtype == np.uint8
    # only pixels on a border can differ, where half of a pixel decides
    assert (changed.argmax(axis=2) != carried).mean() < 0.03
    assert len(np.unique(carried)) == 3
    np.testing.assert_array_equal(probabilities, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


def test_moving_in_a_frame_loses_nothing_and_comes_back():
    labels = np.arange(1, 13).reshape(3, 4)
    framed = frame(labels, (2, 1))
    np.testing.assert_array_equal(framed, np.pad(labels, ((2, 2), (1, 1))))
    np.testing.assert_array_equal(shift(framed, (-2, 1)), np.roll(framed, (-2, 1), (0, 1)))
    np.testing.assert_array_equal(shift(shift(framed, (-2, 1)), (2, -1)), framed)
    np.testing.assert_array_equal(shift(labels, (1, -2), 9), [[9, 9, 9, 9], [3, 4, 9, 9], [7, 8, 9, 9]])
    np.testing.assert_array_equal(shift(labels, (5, 0)), np.zeros((3, 4)))
    certain = frame(np.full((1, 1, 2), 0.5), 1, background=1)
    np.testing.assert_array_equal(certain[0, 0], [0, 1])
    np.testing.assert_array_equal(certain[1, 1], [0.5, 0.5])


def test_turning_by_right_angles_is_exact_and_by_others_as_scikit_image_does(rng):
    content = rng.dirichlet(np.ones(3), (12, 9))
    np.testing.assert_array_equal(rotate(content, 270), np.rot90(content, 3))
    np.testing.assert_array_equal(rotate(content, -90), np.rot90(content, -1))
    margin = turning_margin((12, 9))
    assert margin == (2, 3)  # the diagonal is 15
    framed = frame(content, margin)
    for degrees in (20, 45, -130):
        turned = rotate(framed, degrees)
        expected = [
            transform.rotate(framed[..., c], degrees, order=1, cval=float(c == 0), mode="constant")
            for c in range(3)
        ]
        np.testing.assert_allclose(turned, np.stack(expected, axis=2), atol=1e-9)
        # nothing was cut: mass stays, up to what resampling does
        assert turned[..., 1:].sum() == pytest.approx(framed[..., 1:].sum(), rel=0.03)
    square = rng.integers(0, 5, (7, 7))
    np.testing.assert_array_equal(rotate(square, 90 + 1e-7), np.rot90(square))


def test_resizing_and_turning_a_head_by_hand():
    labels = np.tile(np.arange(1, 6), (5, 1))
    np.testing.assert_array_equal(
        resize_content(labels, 0.5)[:, 1:4], [[0] * 3] + [[1, 3, 5]] * 3 + [[0] * 3]
    )
    np.testing.assert_array_equal(resize_content(labels, 3)[0], [2, 3, 3, 3, 4])
    np.testing.assert_array_equal(turn_head(labels, 60), np.tile([0, 1, 3, 5, 0], (5, 1)))  # cos is 1/2
    np.testing.assert_array_equal(turn_head(labels, 0), labels)
    ramp = np.stack([1 - np.arange(5) / 4, np.arange(5) / 4], axis=1)[None].astype(np.float32)
    np.testing.assert_allclose(resize_content(ramp, 2)[0, :, 1], [0.25, 0.375, 0.5, 0.625, 0.75])


def test_an_occluded_class_goes_to_its_surroundings_with_its_rim_but_without_its_stray_pieces():
    truth = scene([(1, 0, 10, 12, 10), (2, 4, 13, 3, 4)], (12, 20))
    # the network's part 2 is larger than the true one, and there is another piece of it
    answer = scene([(1, 0, 10, 12, 10), (2, 3, 12, 5, 6), (2, 8, 2, 2, 2)], (12, 20))
    answer[4, 13] = 0  # a true pixel that the network missed
    # true pixels beside that other piece, which the network missed: the piece does not cover them
    truth[[7, 8, 8, 9], [4, 4, 5, 4]] = 2
    covered = occlude(soft(answer, 3), truth, 2)
    expected = scene([(1, 0, 10, 12, 10), (2, 8, 2, 2, 2)], (12, 20))
    np.testing.assert_array_equal(covered, soft(expected, 3))
    # half of the background's side, half of the part's: the nearer one covers
    between = scene([(1, 0, 0, 4, 4), (2, 0, 4, 4, 4)], (4, 12))
    covered = occlude(soft(between, 3), between, 2)
    np.testing.assert_array_equal(covered.argmax(axis=2)[0], [1] * 6 + [0] * 6)


@pytest.mark.parametrize("pixels", [1, 2, 7, 40])
def test_a_far_piece_is_whole_far_and_anywhere(pixels, rng):
    mask = scene([(1, 12, 0, 4, 4)], (30, 45)) == 1
    distances = distance_transform_edt(~mask)
    places = set()
    for _ in range(60):
        blob = far_blob(mask, pixels, 1 / 3, rng)
        assert blob.sum() == pixels and label(blob)[1] == 1
        assert distances[blob].min() >= 15
        places.add(int(blob.argmax()))
    assert len(places) > 40
    assert far_blob(mask, pixels, 1.0, rng) is None


def test_planting_makes_a_class_win_and_keeps_the_proportions_of_the_others():
    picture, where = np.array([[[0.6, 0.4, 0], [1, 0, 0]]]), np.array([[True, False]])
    np.testing.assert_allclose(plant(picture, where, 2, 0.75), [[[0.15, 0.1, 0.75], [1, 0, 0]]])
    np.testing.assert_array_equal(plant(np.array([[1, 1]]), where, 0), [[0, 1]])


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda p, t: frame(p, -1), "margin must be 0 or more"),
        (lambda p, t: frame(p, 1, background=3), "classes 0..2"),
        (lambda p, t: shift(p[:0], (0, 0)), "at least one pixel"),
        (lambda p, t: resize_content(p, 0), "factor must be finite and more than 0"),
        (lambda p, t: turn_head(t, 90), "degrees must lie between"),
        (lambda p, t: occlude(p, t[1:], 0), "differ in size"),
        (lambda p, t: occlude(p, t, 3), "classes 0..2"),
        (lambda p, t: occlude(soft(np.ones((2, 2), int), 3), np.ones((2, 2), int), 1), "fills the whole"),
        (lambda p, t: far_blob(t == 7, 1, 0.1, np.random.default_rng(0)), "keep_off must hold"),
        (lambda p, t: far_blob(t == 0, 0, 0.1, np.random.default_rng(0)), "pixels be 1 or more"),
        (lambda p, t: plant(p, t == 0, 1, sure=0.5), "sure must lie"),
    ],
)
def test_changes_refuse_what_makes_no_sense(call, says):
    truth = scene([(1, 2, 2, 3, 3)], (9, 9))
    with pytest.raises(ValueError, match=says):
        call(soft(truth, 3), truth)
    for wrong in (truth.astype(float), soft(truth, 3)[None], truth.tolist(), truth[0]):
        with pytest.raises(TypeError, match="a picture must be an ndarray"):
            rotate(wrong, 30)


# ---------------------------------------------------------------- invariance, pose


def test_shifts_and_right_angles_change_nothing_and_other_angles_the_borders():
    margin = turning_margin((40, 40))
    labels = scene([*PAIR, (1, 3, 30, 3, 3)])  # a stray piece too
    matcher = GraphMatcher().fit([frame(scene(PAIR), margin)], 3)
    changes = {d: partial(rotate, degrees=d) for d in (90, 180, 270, 30)}
    changes["moved"] = partial(shift, offset=(6, -7))
    table = invariance(matcher, [frame(soft(labels, 3), margin)], changes).set_index("change")
    assert list(table.index) == list(changes)
    exact = table.drop(index=30)
    assert (exact[["same_pixels", "same_network", "same_regions"]] == 1).all(axis=None)
    assert table["same_assignment"].all() and not table["refused"].any()
    assert 0.99 < table["same_pixels"][30] < 1 and 0.99 < table["same_network"][30] < 1


def test_what_an_invariance_counts_by_hand():
    """A change that touches the probabilities alone: the carried result is the old one."""
    labels = scene(PAIR)
    matcher = GraphMatcher().fit([labels], 3)

    def lose(picture):  # part 2 disappears
        return soft(scene(PAIR[:1]), 3) if picture.ndim == 3 else picture

    def swap(picture):  # the parts change places
        return soft(scene([(2, *PAIR[0][1:]), (1, *PAIR[1][1:])]), 3) if picture.ndim == 3 else picture

    table = invariance(matcher, [soft(labels, 3)], {"lose": lose, "swap": swap}).set_index("change")
    np.testing.assert_allclose(table["same_pixels"], [1 - 36 / 1600, 1 - 72 / 1600])
    np.testing.assert_allclose(table["same_network"], [1 - 36 / 1600, 1 - 72 / 1600])
    np.testing.assert_allclose(table["same_regions"], [2 / 3, 1 / 3])
    assert not table["same_assignment"].any()
    # parts that have left the picture, and are found nowhere, count as the same
    row = invariance(matcher, [soft(labels, 3)], {"enlarged": partial(resize_content, factor=5)}).iloc[0]
    assert row["same_assignment"] and row["same_pixels"] == 1
    # where nothing is ever matched, background from outside is no loss
    never = GraphMatcher(empty="any", empty_dissimilarity=0).fit([labels], 3)
    row = invariance(never, [soft(labels, 3)], {"moved": partial(shift, offset=(3, 0))}).iloc[0]
    assert row["same_assignment"] and row["same_regions"] == 1
    refusing = GraphMatcher(empty="refuse").fit([labels], 3)
    row = invariance(refusing, [soft(labels, 3)], {"lose": lose}).iloc[0]
    assert row["refused"] and np.isnan(row["same_pixels"]) and not row["same_assignment"]


def test_a_shrunk_picture_is_mistaken_unless_the_scale_is_estimated():
    """A smaller false part 2, 40 away from part 1: after halving it is as far as the true one should be."""
    shape = (80, 80)
    parts = [(1, 34, 2, 12, 12), (2, 34, 33, 12, 12)]
    labels = scene([*parts, (2, 36, 53, 8, 8)], shape)
    changes = {"half": partial(resize_content, factor=0.5), "same": partial(resize_content, factor=1)}
    found = {}
    for scale in ("none", "estimated"):
        # without the background: its own smallest distances are 1 at every scale
        matcher = GraphMatcher(scale=scale, background=0, alpha=0.1).fit([scene(parts, shape)], 3)
        table = invariance(matcher, [soft(labels, 3)], changes)
        found[scale] = dict(zip(table["change"], table["same_regions"], strict=True))
    assert found == {"none": {"half": 0.5, "same": 1}, "estimated": {"half": 1, "same": 1}}


def test_a_gain_by_hand():
    truth = scene(PAIR)
    stray = plant(soft(truth, 3), scene([(1, 37, 37, 1, 1)]) == 1, 1, 0.55)
    matcher = GraphMatcher().fit([truth], 3)
    table = gains(matcher, [stray, soft(truth, 3)], [truth, truth], {0: lambda p: p, 180: np.rot90})
    assert table[["image", "change"]].values.tolist() == [[0, 0], [0, 180], [1, 0], [1, 180]]
    # part 1, 6 x 6 at (17, 6): the piece at (37, 37) makes its box 21 x 32; the background's stays
    box, pixel = (1 + 36 / (21 * 32) + 1) / 3, ((1528 - 1) / 1528 + 36 / 37 + 1) / 3
    np.testing.assert_allclose(table["box_before"], [box, box, 1, 1])
    np.testing.assert_allclose(table["pixel_before"], [pixel, pixel, 1, 1])
    np.testing.assert_allclose(table[["box_after", "pixel_after"]], 1)
    np.testing.assert_allclose(table["box_gain"], [1 - box, 1 - box, 0, 0])
    np.testing.assert_allclose(table["pixel_gain"], [1 - pixel, 1 - pixel, 0, 0])
    refusing = GraphMatcher(empty="refuse").fit([truth], 3)
    row = gains(refusing, [soft(scene(PAIR[:1]), 3)], [truth], {"none": lambda p: p}).iloc[0]
    assert (
        row["box_before"] == pytest.approx(2 / 3) and np.isnan(row["box_after"]) and np.isnan(row["box_gain"])
    )


def test_models_of_several_poses():
    annotations = [scene(PAIR), scene([(c, row - 4, *rest) for c, row, *rest in PAIR])]
    matcher = pose_matcher(annotations, 3, (0, 60), alpha=0.4)
    assert len(matcher.models_) == 2
    across = {m: model.edges[1, 2, 0] for m, model in enumerate(matcher.models_)}
    turned = ModelGraph.from_label_maps([turn_head(a, 60) for a in annotations], 3).edges[1, 2, 0]
    assert sorted(across.values()) == pytest.approx([turned, 20]) and turned < 12
    for degrees, expected in ((0, 20), (60, turned)):
        analysis = matcher.analyse(turn_head(soft(scene(PAIR), 3), degrees))
        assert across[analysis.matching.model] == pytest.approx(expected)
    with pytest.raises(ValueError, match="angles must hold"):
        pose_matcher(annotations, 3, ())


# ---------------------------------------------------------------- occlusion, stray pieces


def rules(truth, num_classes, **options):
    return {
        r: GraphMatcher(empty=r, **options).fit([truth], num_classes) for r in ("refuse", "missing", "any")
    }


def test_a_hidden_class_is_refused_left_empty_or_mistaken(rng):
    truth, num_classes = scene(PAIR), 4  # class 3 is nowhere: never hidden, and "refuse" always refuses
    picture = soft(truth, num_classes)
    table = occlusions(rules(truth, num_classes), [picture], [truth], rng)
    assert table["hidden"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert table["outcome"].tolist() == ["refused", "empty", "empty"] * 3
    assert table["candidates"].eq(0).all() and not table["planted"].any()
    assert np.isnan(table["others_right"][0]) and table["others_right"][1] == 1
    three = soft(truth, 3)
    table = occlusions(rules(truth, 3), [three], [truth], rng, classes=[2], stray=0.3, away=0.5)
    # the rule for missing classes has a candidate, and takes it
    assert table.set_index("rule")["outcome"][["refuse", "missing"]].tolist() == ["wrong", "wrong"]
    assert table["candidates"].eq(1).all() and table["planted"].all()
    # no room for a piece at such a distance
    assert not occlusions(rules(truth, 3), [three], [truth], rng, classes=[2], stray=0.3, away=2)[
        "planted"
    ].any()


def test_a_false_piece_is_left_alone_where_classes_may_stay_empty(rng):
    """An empty class costs a quarter of the greatest difference in every relation, a piece far off costs more."""
    truth = scene([(1, 2, 2, 6, 6), (2, 2, 12, 6, 6), (3, 12, 2, 6, 6), (4, 12, 12, 6, 6)], (100, 100))
    found = occlusions(
        rules(truth, 5, background=0), [soft(truth, 5)], [truth], rng, classes=[4], stray=0.3, away=0.7
    ).set_index("rule")
    assert found["outcome"].to_dict() == {"refuse": "wrong", "missing": "wrong", "any": "empty"}
    assert found["others_right"].eq(1).all()


def test_others_that_are_wrong_are_counted(rng):
    truth = scene([*PAIR, (3, 30, 30, 4, 4)])
    answer = scene([(1, 3, 30, 6, 6), PAIR[1], (3, 30, 30, 4, 4)])  # part 1 where it is not
    table = occlusions(rules(truth, 4), [soft(answer, 4)], [truth], rng, classes=[3])
    assert table.set_index("rule")["others_right"]["missing"] == pytest.approx(2 / 3)


def test_a_stray_piece_under_one_percent_by_hand(rng):
    truth = scene([(1, 20, 10, 30, 20), (2, 70, 70, 10, 10)], (100, 100))
    table = stray_blobs([truth], [truth], 3, rng).set_index("class")
    # class 2 has 100 pixels: a piece of 1 is not less than one hundredth; the background is everywhere
    assert list(table.index) == [1] and table["pixels"][1] == 5  # less than 6
    assert table["box_before"][1] == table["pixel_before"][1] == 1
    assert table["pixel_fall"][1] == pytest.approx(100 * (1 - 600 / 605))
    # the box grows by a third of the picture in one direction at least, less its corner's cut
    assert 100 * (1 - 30 / (30 + 33 / 2**0.5)) < table["box_fall"][1] < 100
    nothing = stray_blobs([truth], [truth], 3, rng, away=2)
    assert not len(nothing) and list(nothing.columns) == ["image", "class", *table.columns.drop("image")]


def test_a_stray_piece_beside_a_prediction_with_errors(rng):
    """The prediction's own box is the start, its far corner is kept off too, void is no class."""
    truth = scene([(1, 40, 10, 30, 20)], (100, 100))
    truth[:3] = 255
    predicted = np.where(truth == 255, 0, truth)
    predicted[40:50, 60:70] = 1
    row = stray_blobs([predicted], [truth], 2, rng, away=0.2).query("`class` == 1").iloc[0]
    assert row["box_before"] == pytest.approx(600 / (30 * 60))
    assert row["pixel_before"] == pytest.approx(600 / 700)
    assert row["pixel_fall"] == pytest.approx(100 * (600 / 700 - 600 / 705))
    assert stray_blobs([truth], [truth], 2, rng, away=0.2)["class"].tolist() == [1]
    predicted[::10, ::10] = 1  # wherever a piece were put, the class would be near
    assert not len(stray_blobs([predicted], [truth], 2, rng, away=0.2))


def fate_scene():
    """Truth: two parts. Network: a stray 1 in part 2, a true 2 cut off, and a stray 2 in the background."""
    truth = scene([(1, 4, 2, 12, 8), (2, 24, 2, 12, 30)], (40, 40))
    pieces = [(1, 28, 24, 3, 3), (0, 24, 18, 12, 2), (2, 3, 34, 2, 3)]
    answer = scene([(1, 4, 2, 12, 8), (2, 24, 2, 12, 30), *pieces], (40, 40))
    picture = soft(answer, 3)
    picture[28:31, 24:27] = [0.02, 0.5, 0.48]
    picture[3:5, 34:37] = [0.48, 0.02, 0.5]
    return truth, picture


def test_the_fate_of_every_region_by_hand():
    truth, picture = fate_scene()
    matcher = GraphMatcher().fit([truth], 3)
    fates = region_fates(matcher, [picture], [truth])
    assert fates["network"].tolist() == [0, 2, 1, 2, 2, 1]
    assert fates["pixels"].tolist() == [1600 - 96 - 360 + 24 - 6, 6, 96, 192, 144 - 9, 9]
    assert fates["truth"].tolist() == [0, 0, 1, 2, 2, 2]
    assert fates["stray"].tolist() == [False, True, False, False, False, True]
    artefact = fates["artefact"].tolist()
    assert artefact[1] and artefact[5] and not artefact[0] and not artefact[2] and sum(artefact[3:5]) == 1
    # step 2: the piece in part 2 joins it, the one in the background joins the background, the cut one stays
    assert fates["final"].tolist() == [0, 0, 1, 2, 2, 2]
    assert fates["right_before"].tolist() == [1138, 0, 96, 192, 135, 0]
    assert fates["right_after"].tolist() == [1138, 6, 96, 192, 135, 9]
    left = int(fates["pixels"][fates["artefact"]].sum())
    before = (left - 15) / left
    assert fate_shares(fates) == pytest.approx(
        {
            "stray": 2,
            "stray_righted": 1,
            "artefacts": 3,
            "artefact_pixels": left,
            "right_before": before,
            "right_after": 1,
        }
    )


def test_fates_without_void_without_the_background_and_without_anything():
    truth, picture = fate_scene()
    full = region_fates(GraphMatcher().fit([truth], 3), [picture], [truth])
    hidden = truth.copy()
    hidden[28:31, 24:27] = 255
    void = region_fates(GraphMatcher().fit([truth], 3), [picture], [hidden])
    assert void["pixels"][5] == 0 and void["truth"][5] == -1 and not void["stray"][5]
    assert void.drop(index=5).equals(full.drop(index=5))
    parts = region_fates(GraphMatcher(background=0).fit([truth], 3), [picture], [truth])
    assert parts["network"].tolist() == [2, 1, 2, 2, 1] and parts["stray"].sum() == 2
    lacking = soft(np.zeros((40, 40), dtype=int), 3)
    refusing = GraphMatcher(empty="refuse").fit([truth], 3)
    nothing = region_fates(refusing, [lacking], [truth])
    assert not len(nothing) and list(nothing.columns) == list(full.columns)
    shares = fate_shares(nothing)
    assert shares["stray"] == shares["artefact_pixels"] == 0 and np.isnan(shares["right_after"])
    two = region_fates(refusing, [lacking, picture], [truth, truth])
    assert two["image"].eq(1).all() and len(two) == len(full)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda m, p, t: invariance(m, [], {}), "list of pictures is empty"),
        (lambda m, p, t: gains(m, [p], [t, t], {}), "truths must be as many"),
        (lambda m, p, t: region_fates(m, [p], [t[1:]]), "truths must be as many and of the size"),
        (
            lambda m, p, t: occlusions({"r": m}, [p], [t], np.random.default_rng(0), stray=-1),
            "stray must be 0",
        ),
        (lambda m, p, t: stray_blobs([t], [t], 3, np.random.default_rng(0), share=0), "share must be more"),
        (lambda m, p, t: invariance(GraphMatcher(), [p], {}), "call fit"),
        (lambda m, p, t: region_fates(m, [p * 2], [t]), "probabilities"),
    ],
)
def test_measures_refuse_what_makes_no_sense(call, says):
    truth = scene(PAIR)
    with pytest.raises(ValueError, match=says):
        call(GraphMatcher().fit([truth], 3), soft(truth, 3), truth)
