"""Table I, its gains and its spread from planted evaluations, worked by hand; the printed table."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from segstudy.experiments.graph_matching.evaluation import APPROACHES, MEASURES, TRUTHS, Evaluation
from segstudy.experiments.graph_matching.printed import beside, printed_table_one
from segstudy.experiments.graph_matching.results import Results, alpha_sweep, averages, chosen_alpha
from segstudy.metrics import paired_bootstrap
from segstudy.metrics.paired import known_mean, paired_difference, signed_rank

NAN = np.nan
PIXELWISE = ([[0.2, 0.4], [0.6, 0.8]], [[0.4, 0.4], [0.6, NAN]])  # of two repeats: two pictures, two classes


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def evaluation(scores, missing=None, sweep=None):
    """An evaluation whose other numbers tell pictures apart."""
    scores = np.asarray(scores, dtype=float)
    number, classes = np.arange(len(scores)), scores.shape[-1]
    missing = np.zeros((len(scores), classes), dtype=bool) if missing is None else np.array(missing)
    sweep = np.zeros((len(scores), 0, 2, classes)) if sweep is None else np.asarray(sweep, dtype=float)
    return Evaluation(
        scores,
        sweep,
        missing,
        regions=10 + number,
        combinations=20.0 + number,
        nodes=30 + number,
        excess=np.where(number == 0, 0.0, NAN),
        optimal=number == 0,
        seconds=np.stack([0.1 * (number + 1), 0.5 * (number + 1)], axis=1),
    )


def of_unet(pixelwise, **others):
    """Only the U-Net's pixelwise IoU against cleaned truth is `pixelwise`, (N, C); all else is 1."""
    scores = np.ones((len(pixelwise), 3, 2, 2, len(pixelwise[0])))
    scores[:, APPROACHES.index("U-Net"), MEASURES.index("pixelwise"), TRUTHS.index("cleaned")] = pixelwise
    return evaluation(scores, **others)


def swept(values):
    """Box IoU after matching by picture and alpha, of two equal classes; pixelwise the half of it."""
    values = np.array(values, dtype=float)[..., None, None]
    return of_unet(
        np.full((len(values), 2), 0.3), sweep=values * np.array([[0.5], [1.0]]) * np.ones((1, 1, 2, 2))
    )


def two_repeats():
    return Results({(50, s): of_unet(p) for s, p in enumerate(PIXELWISE)}, ("a", "b"))


def test_of_reads_the_axis_that_it_names():
    scores = np.arange(5 * 3 * 2 * 2 * 4, dtype=float).reshape(5, 3, 2, 2, 4)
    found = evaluation(scores)
    for i, approach in enumerate(("U-Net", "U-Net + largest", "U-Net + GM")):
        for j, measure in enumerate(("pixelwise", "box")):
            for k, truth in enumerate(("cleaned", "raw")):
                np.testing.assert_array_equal(found.of(approach, measure, truth), scores[:, i, j, k])


def test_means_over_repeats_and_over_pictures_by_hand():
    results = two_repeats()
    np.testing.assert_allclose(
        results.per_picture(50, "U-Net", "pixelwise"), [[0.35, 0.3, 0.4], [0.7, 0.6, 0.8]]
    )
    np.testing.assert_allclose(
        results.per_repeat(50, "U-Net", "pixelwise"), [[0.5, 0.4, 0.6], [0.45, 0.5, 0.4]]
    )
    for other in (("U-Net", "box"), ("U-Net + GM", "pixelwise"), ("U-Net", "pixelwise", "raw")):
        assert (results.per_picture(50, *other) == 1).all() and (results.per_repeat(50, *other) == 1).all()


def test_a_missed_class_counts_as_0_and_one_in_neither_map_not_at_all():
    results = Results({(100, 0): of_unet([[0.8, 0, NAN], [0.4, 0.6, NAN]])}, ("a", "b", "c"))
    np.testing.assert_allclose(results.per_repeat(100, "U-Net", "pixelwise"), [[0.45, 0.6, 0.3, NAN]])
    picture = results.per_picture(100, "U-Net", "pixelwise")
    np.testing.assert_allclose(picture, [[0.4, 0.8, 0, NAN], [0.5, 0.4, 0.6, NAN]])
    table = results.table_one().set_index(["approach", "measure", "class"])
    assert table.loc[("U-Net", "pixelwise", "average"), "mean"] == pytest.approx(0.45)
    gains = results.gains().set_index(["measure", "class"])
    assert gains.loc[("pixelwise", "b"), "difference"] == pytest.approx(0.7)
    assert gains.loc[("pixelwise", "c"), ["difference", "low", "high", "p"]].isna().all()


def test_table_one_has_the_spread_over_repeats():
    table = two_repeats().table_one()
    assert list(table) == ["share", "approach", "measure", "class", "mean", "std", "n"]
    assert len(table) == 3 * 2 * 3 and (table.n == 2).all()
    rows = table.set_index(["share", "approach", "measure", "class"]).sort_index()
    part = rows.loc[(50, "U-Net", "pixelwise")]
    assert part["mean"].to_dict() == pytest.approx({"average": 0.475, "a": 0.45, "b": 0.5})
    # two numbers that differ by d have the standard deviation d / sqrt(2)
    expected = {"average": 0.05 / 2**0.5, "a": 0.1 / 2**0.5, "b": 0.2 / 2**0.5}
    assert part["std"].to_dict() == pytest.approx(expected)
    assert (two_repeats().table_one("raw")["mean"] == 1).all()


def test_shares_descend_and_a_single_repeat_has_no_spread():
    parts = {(share, 3): of_unet([[share / 100, 0.5]] * 2) for share in (25, 100, 50)}
    table = Results(parts, ("a", "b")).table_one()
    assert list(dict.fromkeys(table.share)) == [100, 50, 25]
    assert table["std"].isna().all() and (table.n == 1).all()
    rows = table[(table.approach == "U-Net") & (table.measure == "pixelwise") & (table["class"] == "a")]
    assert rows["mean"].tolist() == [1, 0.5, 0.25]


def test_gains_are_after_less_before_with_bootstrap_and_wilcoxon_over_pictures():
    rng = np.random.default_rng(1)
    scores = rng.random((3, 12, 3, 2, 2, 2))  # repeats first
    results = Results({(75, s): evaluation(e) for s, e in enumerate(scores)}, ("a", "b"))
    gains = results.gains(seed=5).set_index(["share", "measure", "class"])
    over = results.gains(seed=5, truth="raw", before="U-Net + largest").set_index(
        ["share", "measure", "class"]
    )
    mean = scores.mean(axis=0)
    for found, before, truth in ((gains, 0, 0), (over, 1, 1)):
        for m, measure in enumerate(MEASURES):
            after, base = mean[:, 2, m, truth], mean[:, before, m, truth]
            columns = {"average": (after.mean(1), base.mean(1)), "b": (after[:, 1], base[:, 1])}
            for name, (a, b) in columns.items():
                row, expected = (
                    found.loc[(75, measure, name)],
                    paired_bootstrap(a, b, np.random.default_rng(5)),
                )
                assert row.difference == pytest.approx((a - b).mean())
                assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
                assert row.p == pytest.approx(stats.wilcoxon(a, b).pvalue)


def test_the_gain_is_the_difference_of_table_ones_means():
    rng = np.random.default_rng(2)
    results = Results({(50, s): evaluation(rng.random((4, 3, 2, 2, 2))) for s in range(2)}, ("a", "b"))
    table = results.table_one().set_index(["measure", "class", "approach"])["mean"]
    gains = results.gains().set_index(["measure", "class"]).difference
    for key, gain in gains.items():
        assert gain == pytest.approx(table[(*key, "U-Net + GM")] - table[(*key, "U-Net")])


def test_one_picture_has_gains_without_an_interval():
    gains = Results({(100, 0): of_unet([[0.5, 0.7]])}, ("a", "b")).gains()
    row = gains[(gains.measure == "pixelwise") & (gains["class"] == "average")].iloc[0]
    assert row.difference == pytest.approx(0.4) and np.isnan([row.low, row.high]).all()


def test_maps_that_lack_a_class_by_hand():
    first = of_unet([[0.2, 0.4], [0.0, 0.8]], missing=[[False, False], [True, False]])
    second = of_unet([[0.6, 0.6], [0.9, 0.9]], missing=[[False, False], [True, True]])
    rows = Results({(25, 0): first, (25, 1): second}, ("a", "b")).missing_classes().set_index("approach")
    assert (rows.maps == 4).all() and (rows.lacking == 0.5).all() and list(rows.index) == list(APPROACHES)
    assert rows.loc["U-Net", "pixelwise, all"] == pytest.approx((0.3 + 0.4 + 0.6 + 0.9) / 4)
    assert rows.loc["U-Net", "pixelwise, complete"] == pytest.approx((0.3 + 0.6) / 2)
    assert rows.loc["U-Net + GM", "box, complete"] == 1


def test_where_all_maps_lack_a_class_the_papers_rule_leaves_nothing():
    results = Results({(25, 0): of_unet([[0.2, 0]] * 2, missing=[[False, True]] * 2)}, ("a", "b"))
    rows = results.missing_classes()
    assert (rows.lacking == 1).all() and rows["box, complete"].isna().all()
    assert rows["pixelwise, all"].iloc[0] == pytest.approx(0.1)


def test_matching_work_has_a_row_for_each_map():
    work = Results({(50, 7): of_unet([[1, 1]] * 2), (100, 7): of_unet([[1, 1]])}, ("a", "b")).matching_work()
    assert work[["share", "seed", "picture"]].values.tolist() == [[50, 7, 0], [50, 7, 1], [100, 7, 0]]
    assert work.iloc[1][["regions", "combinations", "nodes"]].tolist() == [11, 21, 31]
    assert work.excess.tolist() == pytest.approx([0, NAN, 0], nan_ok=True)
    assert work.optimal.tolist() == [True, False, True]
    assert work.graph.tolist() == [0.1, 0.2, 0.1] and work.correct.tolist() == [0.5, 1, 0.5]


def test_the_sweep_takes_the_maps_of_all_networks_together():
    # networks may have different pictures: as 75 % and another draw of validation pictures
    parts = {(75, 0): swept([[0.2, 0.6], [0.4, 0.6]]), (75, 1): swept([[0.6, 0.6]])}
    sweep = alpha_sweep(Results(parts, ("a", "b")), [0.1, 0.9], "validation")
    box, pixelwise = (sweep[sweep.measure == m].reset_index() for m in ("box", "pixelwise"))
    assert box.alpha.tolist() == [0.1, 0.9] and box["mean"].tolist() == pytest.approx([0.4, 0.6])
    assert pixelwise["mean"].tolist() == pytest.approx([0.2, 0.3])
    # Student's t of 2 degrees of freedom; .2, .4, .6 have a standard deviation of .2; no IoU is below 0
    half = 4.302653 * 0.2 / 3**0.5
    assert [box.low[0], box.high[0]] == pytest.approx([0, 0.4 + half])
    assert (box.low[1], box.high[1]) == pytest.approx((0.6, 0.6))
    assert box.unet.tolist() == [1, 1] and pixelwise.unet.tolist() == pytest.approx([0.3, 0.3])
    assert set(sweep.split) == {"validation"} and set(sweep.share) == {75}


def test_intervals_of_the_sweep_stay_fractions_and_one_map_has_none():
    def interval(values):
        sweep = alpha_sweep(Results({(25, 0): swept(values)}, ("a", "b")), [0.4], "validation")
        return sweep[sweep.measure == "box"][["low", "high"]].values[0].tolist()

    assert interval([[1.0], [0.9]])[1] == 1 and interval([[0.0], [0.1]])[0] == 0
    assert np.isnan(interval([[0.7]])).all()


def test_alpha_is_chosen_on_validation_and_scored_on_test_pictures():
    alphas, classes = [0.0, 0.2, 0.4], ("a", "b")
    held = Results({(50, 0): swept([[0.1, 0.5, 0.3]] * 2), (50, 1): swept([[0.3, 0.3, 0.5]])}, classes)
    test = Results({(50, s): swept([[0.9, 0.2, 0.6], [0.9, 0.4, 0.5]]) for s in range(2)}, classes)
    sweep = pd.concat([alpha_sweep(held, alphas, "validation"), alpha_sweep(test, alphas, "test")])
    row = chosen_alpha(test, sweep, alphas, seed=3).iloc[0]  # means .5 / 3, 1.3 / 3, 1.1 / 3
    assert row["alpha chosen"] == 0.2
    assert (row["box IoU, chosen"], row["box IoU, 0.4"]) == pytest.approx((0.3, 0.55))
    expected = paired_bootstrap(np.array([0.2, 0.4]), np.array([0.6, 0.5]), np.random.default_rng(3))
    assert (row.difference, row.low, row.high) == pytest.approx((-0.25, expected.low, expected.high))


def test_of_equal_weights_the_smallest_is_chosen():
    for alphas in ([0.2, 0.4], [0.4, 0.2]):
        results = Results({(100, 0): swept([[0.5, 0.5]] * 2)}, ("a", "b"))
        sweep = alpha_sweep(results, alphas, "validation")
        assert chosen_alpha(results, sweep, alphas).iloc[0]["alpha chosen"] == 0.2


def test_known_mean_is_numpys_but_silent():
    values = np.array([[1.0, NAN, 3.0], [NAN, NAN, 5.0]])
    np.testing.assert_array_equal(known_mean(values, axis=0), [1, NAN, 4])
    np.testing.assert_array_equal(known_mean(values, axis=1), [2, 5])
    assert np.isnan(known_mean(np.zeros(0), axis=0))


def test_paired_difference_of_many_of_one_and_of_none():
    a, b = np.array([0.5, 0.9, NAN, 0.4]), np.array([0.1, 0.6, 0.2, NAN])
    assert paired_difference(a, b, 4) == paired_bootstrap(a, b, np.random.default_rng(4))
    one = paired_difference(a[1:], b[1:])
    assert (one.mean, one.n, one.dropped) == (pytest.approx(0.3), 1, 2) and np.isnan(
        [one.low, one.high]
    ).all()
    none = paired_difference(a[2:], b[2:])
    assert np.isnan(none.mean) and (none.n, none.dropped) == (0, 2)


def test_signed_rank_leaves_out_what_is_unknown():
    differences = np.array([0.1, 0.3, NAN, -0.2, 0.5, 0.7])
    assert signed_rank(differences) == stats.wilcoxon(differences[~np.isnan(differences)]).pvalue
    # all of five positive: 2 of the 2^5 signs are as extreme
    assert signed_rank(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 / 32)
    assert signed_rank(np.zeros(4)) == 1 and np.isnan(signed_rank(np.array([NAN])))


def test_the_printed_table_one_has_the_cells_of_the_paper():
    table = printed_table_one()
    assert list(table) == ["share", "approach", "measure", "class", "mean"]
    assert len(table) == 8 * 20 and not table.isna().any().any()
    cells = table.set_index(["share", "approach", "measure", "class"])["mean"]
    assert cells.index.is_unique
    assert cells[(50, "U-Net + GM", "box", "right brow")] == pytest.approx(0.662)
    assert cells[(50, "U-Net", "box", "right brow")] == pytest.approx(0.418)
    assert cells[(100, "U-Net", "pixelwise", "left brow")] == pytest.approx(0.618)
    assert cells[(25, "U-Net", "pixelwise", "average")] == pytest.approx(0.382)
    assert cells[(25, "U-Net + GM", "box", "mouth")] == pytest.approx(0.701)
    assert set(table.share) == {100, 75, 50, 25}


def test_our_values_stand_beside_the_printed_ones():
    names = ("left brow", "hair")  # another order than the printed one
    scores = np.zeros((2, 3, 2, 2, 2))
    scores[:, 0, 1, 0], scores[:, 2, 1, 0] = [0.5, 0.7], [[0.6, 0.812], [0.6, 0.812]]
    parts = {(50, 0): evaluation(scores), (50, 1): evaluation(scores + 0.1), (10, 0): evaluation(scores)}
    results = Results(parts, names)
    part = beside(results.table_one(), printed_table_one(), 50, "box").set_index("class")
    assert list(part.index) == ["average", "left brow", "hair"]
    assert part["U-Net: ours"].tolist() == ["65.0 ± 7.1", "55.0 ± 7.1", "75.0 ± 7.1"]
    assert part["U-Net: paper"].tolist() == ["68.0", "52.4", "75.7"]
    assert part["U-Net + GM: paper"].tolist() == ["76.5", "65.3", "86.0"]
    assert "U-Net + largest: paper" not in part
    alone = beside(results.table_one(), printed_table_one(), 10, "box")  # a share that the paper has not
    assert list(alone) == ["class", *(f"{approach}: ours" for approach in APPROACHES)]
    assert alone["U-Net + GM: ours"].tolist() == ["70.6", "60.0", "81.2"]


def test_a_class_that_occurs_nowhere_is_a_dash():
    results = Results({(100, 0): of_unet([[0.5, NAN]])}, ("a", "b"))
    part = beside(results.table_one(), printed_table_one(), 100, "pixelwise")
    assert part["U-Net: ours"].tolist() == ["50.0", "50.0", "–"]
    assert part["U-Net: paper"].tolist() == ["75.3", "–", "–"]


def test_averages_of_a_table_stand_by_share_and_approach():
    found = averages(two_repeats().table_one(), "raw")
    assert list(found) == ["pixelwise, raw", "box, raw"]
    assert found.index.tolist() == [(50, approach) for approach in APPROACHES]
    assert found["pixelwise, raw"].tolist() == pytest.approx([0.475, 1, 1])
    assert found.columns.name is None
