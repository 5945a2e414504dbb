"""Every claim's verdicts, reached by planted measurements; the rules are those of data/published/claims.csv."""

import numpy as np
import pandas as pd
import pytest

from segstudy.experiments import published
from segstudy.experiments.graph_matching import experiment_claims as experiments
from segstudy.experiments.graph_matching.evaluation import MEASURES, Evaluation
from segstudy.experiments.graph_matching.results import AVERAGE, Results
from segstudy.experiments.graph_matching.table_claims import table_claims
from segstudy.experiments.verdicts import FAILS, HOLDS, NOT_RUN, WEAKLY, points
from segstudy.metrics import paired, paired_bootstrap
from segstudy.study.record import VERDICTS

CLASSES = ("background", "hair", "face", "right brow", "left brow", "right eye", "left eye", "nose", "mouth")
SHARES = (100, 75, 50, 25)
NAN = np.nan
SURE, UNSURE = (
    (0.0, 0.001),
    (0.1, -0.1),
)  # differences of two pictures whose interval excludes 0, and does not


def bootstrap(a, b, rng):
    """The interval with fewer draws."""
    return paired_bootstrap(a, b, rng, draws=300)


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(paired, "paired_bootstrap", bootstrap)


def evaluation(box=0.0, pixelwise=0.0, before=0.4, missing=0.0):
    """GM's gains over `before` of ten pictures, numbers or (10,) or (10, 9); in `missing` of them hair is missing."""
    scores = np.full((10, 3, 2, 2, 9), float(before))
    for m, gain in enumerate((pixelwise, box)):
        gain = np.asarray(gain, dtype=float)
        scores[:, 2, m] += (
            gain[:, None, None] if gain.ndim == 1 else np.expand_dims(gain, (-2,) if gain.ndim else ())
        )
    lacks = np.zeros((10, 9), dtype=bool)
    lacks[: round(10 * missing), 1] = True
    none = np.zeros(10)
    return Evaluation(
        scores, np.zeros((10, 0, 2, 9)), lacks, none, none, none, none, none > 0, np.zeros((10, 2))
    )


def networks(shares=SHARES, **options):
    """Two networks for each share; options are one value or a list for the shares."""
    parts = {}
    for i, share in enumerate(shares):
        own = {k: v[i] if isinstance(v, list) else v for k, v in options.items()}
        parts |= {(share, seed): evaluation(**own) for seed in range(2)}
    return Results(parts, CLASSES)


def gains(cells, shares=SHARES):
    """A table of gains: 0 with p = 1, but for `cells`, (share, measure, class): (difference, low, high[, p])."""
    rows = []
    for share in shares:
        for measure in MEASURES:
            for name in (AVERAGE, *CLASSES):
                found = (*cells.get((share, measure, name), (0, 0, 0)), 1.0)[:4]
                rows.append((share, measure, name, *found))
    return pd.DataFrame(rows, columns=["share", "measure", "class", "difference", "low", "high", "p"])


def judged(claim, cells=None, results=None, shares=SHARES):
    table = table_claims(results or networks(shares), gains(cells or {}, shares))
    (verdict,) = [v for v in table if v.claim == claim]
    return verdict


def spread(mean, certain=True):
    """Ten numbers of that mean, whose interval excludes 0 or does not."""
    return mean + np.linspace(-1, 1, 10) * (abs(mean) / 10 if certain else 10 * abs(mean))


def test_every_claim_is_judged_once_and_in_the_studys_words():
    found = [v.claim for v in table_claims(networks(), gains({}))]
    found += ["GM12", "GM13", "GM9", "GM15", "GM14", "GM16", "GM17", "GM18", "GM19", "GM21"]
    assert sorted(found) == sorted(published.claims("graph_matching")["id"])
    assert {HOLDS, WEAKLY, FAILS, NOT_RUN} <= set(VERDICTS)


# --------------------------------------------------------------------------------------------------- from Table I


@pytest.mark.parametrize("shares", [(100,), (50,), (100, 50), (25,), (100, 75, 50)])
def test_a_claim_about_a_share_that_was_not_trained_is_not_run(shares):
    needs = {"GM1": (100,), "GM2": (50,), "GM3": (100, 50), "GM4": (100, 75, 50), "GM7": SHARES}
    needs |= {"GM8": (100, 50), "GM10": (25,), "GM20": SHARES, "GM5": (), "GM6": (), "GM11": ()}
    found = {v.claim: v for v in table_claims(networks(shares), gains({}, shares))}
    for claim, wanted in needs.items():
        absent = [f"{share} %" for share in wanted if share not in shares]
        assert (found[claim].verdict == NOT_RUN) == bool(absent)
        assert not absent or ", ".join(absent) in found[claim].evidence


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((0.024, 0.01, 0.04), HOLDS),
        ((0.05, 0.04, 0.06), HOLDS),
        ((0.003, 0.001, 0.005), WEAKLY),  # surely a gain, but not about 2.4 points
        ((0.024, -0.01, 0.05), WEAKLY),
        ((-0.001, -0.01, 0.03), FAILS),
    ],
)
def test_gm1_is_a_gain_of_about_2_4_points_at_100_percent(row, verdict):
    found = judged("GM1", {(100, "box", AVERAGE): row, (50, "box", AVERAGE): (-1, -1, -1)})
    assert found.verdict == verdict and points(*row) in found.evidence


@pytest.mark.parametrize(
    ("name", "gain", "verdict"),
    [("left brow", 0.2, HOLDS), ("nose", 0.25, WEAKLY), ("right brow", 0.19, FAILS)],
)
def test_gm2_is_the_largest_box_gain_at_50_percent(name, gain, verdict):
    cells = {(50, "box", name): (gain, 0.1, 0.3), (50, "box", "hair"): (0.15, 0.1, 0.2)}
    cells |= {(50, "pixelwise", "mouth"): (0.9, 0.9, 0.9), (100, "box", "mouth"): (0.9, 0.9, 0.9)}
    found = judged("GM2", cells | {(50, "box", AVERAGE): (0.5, 0.5, 0.5)})
    assert found.verdict == verdict and f"at 50 %: {name}, {points(gain, 0.1, 0.3)}" in found.evidence


@pytest.mark.parametrize(
    ("half", "full", "verdict"),
    [
        ((0.061, 0.01, 0.1), 0.02, HOLDS),
        ((0.061, -0.01, 0.1), 0.02, WEAKLY),
        ((0.059, 0.01, 0.1), 0.02, WEAKLY),
        ((0.01, 0.005, 0.02), -0.02, HOLDS),
        ((0.02, 0.01, 0.03), 0.02, FAILS),
        ((-0.01, -0.02, 0.01), -0.05, FAILS),  # a smaller loss is no gain
    ],
)
def test_gm3_is_three_times_the_gain_with_half_the_pictures(half, full, verdict):
    cells = {(50, "box", AVERAGE): half, (100, "box", AVERAGE): (full, 0, 0.1)}
    assert judged("GM3", cells).verdict == verdict


@pytest.mark.parametrize(
    ("odd", "verdict"), [((0.02, 0.01, 0.03), HOLDS), ((0.01, -0.01, 0.03), WEAKLY), ((0, -1, 1), FAILS)]
)
@pytest.mark.parametrize("cell", [(100, "pixelwise"), (75, "box"), (50, "pixelwise")])
def test_gm4_is_decided_by_the_worst_of_six_averages(cell, odd, verdict):
    cells = {(s, m, AVERAGE): (0.02, 0.01, 0.03) for s in (100, 75, 50) for m in MEASURES}
    found = judged("GM4", cells | {(*cell, AVERAGE): odd, (25, "box", AVERAGE): (-1, -1, -1)})
    assert found.verdict == verdict
    assert f"{cell[1]} {cell[0]} %: {points(*odd)}" in found.evidence and "25 %" not in found.evidence


@pytest.mark.parametrize(
    ("last", "verdict"), [(spread(0.05), HOLDS), (spread(0.01, False), WEAKLY), (spread(-0.01), FAILS)]
)
def test_gm5_is_a_larger_gain_of_boxes_at_every_size(last, verdict):
    pixelwise = spread(0.03)
    box = [pixelwise + 0.02] * 3 + [pixelwise + last]
    found = judged("GM5", results=networks(box=box, pixelwise=pixelwise))
    assert found.verdict == verdict
    expected = bootstrap(last, np.zeros(10), np.random.default_rng(0))
    assert points(expected.mean, expected.low, expected.high) in found.evidence


def test_gm5_holds_weakly_at_most_where_a_size_is_absent():
    for box, verdict in ((spread(0.05), WEAKLY), (spread(-0.05), FAILS)):
        found = judged("GM5", results=networks((100, 50), box=box), shares=(100, 50))
        assert found.verdict == verdict and "(not trained: 75, 25 %)" in found.evidence


@pytest.mark.parametrize(
    ("small", "large", "verdict"),
    [(0.05, 0.02, HOLDS), (0.02, 0.05, FAILS), (spread(0.01, False), 0.0, WEAKLY), (0.02, 0.02, FAILS)],
)
def test_gm6_is_a_larger_pixelwise_gain_of_brows_and_eyes(small, large, verdict):
    gain = np.full((10, 9), -0.3)  # nose and mouth count with neither
    gain[:, 3:7], gain[:, :3] = np.reshape(small, (-1, 1)), large
    found = judged("GM6", results=networks((100,), pixelwise=gain, box=-gain), shares=(100,))
    assert found.verdict == verdict
    assert points(np.mean(small) - large)[:4] in found.evidence


def test_gm6_is_decided_by_the_worst_size():
    gain = np.zeros((10, 9))
    gain[:, 3:7] = 0.1
    assert judged("GM6", results=networks(pixelwise=[gain, gain, gain, -gain])).verdict == FAILS


@pytest.mark.parametrize(
    ("found", "verdict"),
    [((1, 2, 3, 4), HOLDS), ((1, 2, 2, 4), WEAKLY), ((2.4, 2.8, 8.5, 6.0), WEAKLY), ((4, 5, 6, 4), FAILS)],
)
def test_gm7_is_a_gain_that_rises_as_pictures_grow_fewer(found, verdict):
    cells = {(s, "box", AVERAGE): (g / 100, 0, 1) for s, g in zip(SHARES, found, strict=True)}
    assert judged("GM7", cells).verdict == verdict


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        (np.zeros(10), HOLDS),
        (spread(0.02), HOLDS),
        (spread(0.01, False), WEAKLY),
        (spread(-0.01, False), FAILS),
    ],
)
def test_gm8_compares_matching_at_50_percent_with_the_network_at_100_percent(more, verdict):
    # at 100 % the U-Net has .75, at 50 % .5, so that matching has to gain .25
    results = networks((100, 50), before=[0.75, 0.5], box=[0.0, 0.25 + more], pixelwise=-0.3)
    found = judged("GM8", results=results, shares=(100, 50))
    assert found.verdict == verdict
    expected = bootstrap(more, np.zeros(10), np.random.default_rng(0))
    assert points(expected.mean, expected.low, expected.high) in found.evidence


@pytest.mark.parametrize(("missing", "verdict"), [(0.1, HOLDS), (0.5, HOLDS), (0.0, FAILS)])
def test_gm10_is_the_share_of_maps_at_25_percent_that_lack_a_class(missing, verdict):
    found = judged("GM10", results=networks(missing=[1.0, 1.0, 1.0, missing]))
    assert found.verdict == verdict and found.evidence.startswith(f"{100 * missing:.1f} % of the maps")


def test_gm10_holds_weakly_where_few_maps_lack_a_class():
    parts = networks((25,)).evaluations | {(25, 1): evaluation(missing=0.1)}
    found = judged("GM10", results=Results(parts, CLASSES), shares=(25,))  # 1 of 20 maps
    assert found.verdict == WEAKLY and "5.0 % of the maps" in found.evidence


@pytest.mark.parametrize(
    ("missing", "verdict"), [([0.0, 0.0], HOLDS), ([0.0, 0.1], WEAKLY), ([0.1, 0.2], FAILS)]
)
def test_gm11_is_a_region_of_every_class_on_95_percent_of_the_maps(missing, verdict):
    found = judged("GM11", results=networks((100, 50), missing=missing), shares=(100, 50))
    assert found.verdict == verdict and f"{100 - 100 * missing[1]:.1f} % at 50 %" in found.evidence


@pytest.mark.parametrize(
    ("last", "verdict"),
    [((0.02, 0, 1, 0.049), HOLDS), ((0.02, 0, 1, 0.05), WEAKLY), ((-0.02, 0, 1, 0.001), WEAKLY)],
)
def test_gm20_is_significance_at_each_size(last, verdict):
    cells = {(s, "box", AVERAGE): (0.02, 0, 1, 0.01) for s in SHARES} | {(25, "box", AVERAGE): last}
    found = judged("GM20", cells)
    assert found.verdict == verdict and f"{points(last[0])}, p = {last[3]:.1g} at 25 %" in found.evidence
    assert judged("GM20", {(s, "box", AVERAGE): (0.02, 0, 1, 0.06) for s in SHARES}).verdict == FAILS


def test_claims_from_one_picture_and_one_network_hold_weakly_at_most():
    whole = evaluation(box=0.3, pixelwise=0.1)
    one = Evaluation(*(getattr(whole, name)[:1] for name in whole.__dataclass_fields__))
    results = Results({(share, 0): one for share in SHARES}, CLASSES)
    found = {v.claim: v for v in table_claims(results, results.gains())}
    assert found["GM1"].verdict == WEAKLY and found["GM1"].evidence.startswith("box IoU +30.0 points at")
    assert found["GM5"].verdict == WEAKLY and found["GM8"].verdict == WEAKLY
    assert not any("nan" in v.evidence for v in found.values())


# ---------------------------------------------------------------------------------------------- from experiments


@pytest.mark.parametrize(
    ("difference", "low", "high", "verdict"),
    [(-0.03, -0.05, -0.01, HOLDS), (-0.03, -0.08, 0.02, WEAKLY), (0.01, -0.02, 0.04, FAILS)],
)
def test_gm12_is_what_centroids_lose(difference, low, high, verdict):
    rows = [("relations of centroids", "box", difference, low, high)]
    rows += [("relations of centroids", "pixelwise", 0.5, 0.4, 0.7), ("largest distances", "box", 1, 1, 1)]
    table = pd.DataFrame(rows, columns=["variant", "measure", "difference", "low", "high"])
    (found,) = experiments.ablation_claims(table)
    assert (found.claim, found.verdict) == ("GM12", verdict)
    assert f"box {points(-difference, -high, -low)}" in found.evidence
    assert f"pixelwise {points(-0.5, -0.7, -0.4)}" in found.evidence


@pytest.mark.parametrize(("span", "verdict"), [(0.01, HOLDS), (0.02, WEAKLY), (0.021, FAILS)])
def test_gm13_is_the_range_over_inner_weights_of_the_worst_share(span, verdict):
    rows = []
    for share, own in ((100, 0.001), (50, span - 1e-9)):
        means = {0.0: 0.1, 0.1: 0.5, 0.4: 0.5 + own, 0.9: 0.5 + own / 2, 1.0: 0.9}
        rows += [(share, a, "box", m) for a, m in means.items()]
        rows += [(share, a, "pixelwise", a) for a in means]
    found = experiments.alpha_claim(pd.DataFrame(rows, columns=["share", "alpha", "measure", "mean"]))
    assert found.verdict == verdict
    assert found.evidence.endswith(f"0.1 points at 100 %; {100 * span:.1f} points at 50 %")


def fates(rows, dtype=None):
    columns = ["image", "final", "truth", "pixels", "artefact", "stray", "right_before", "right_after"]
    return pd.DataFrame(rows, columns=columns, dtype=dtype)


@pytest.mark.parametrize(("right", "verdict"), [(2, HOLDS), (1, WEAKLY), (0, FAILS)])
def test_gm9_is_the_share_of_stray_pieces_that_end_right(right, verdict):
    rows = [(0, int(i < right), 1, 5, True, True, 0, 5 * (i < right)) for i in range(4)]
    rows += [(0, 1, 1, 9, False, False, 9, 9)] * 5  # regions in place count not
    nine, _ = experiments.region_claims(fates(rows))
    assert (nine.claim, nine.verdict) == ("GM9", verdict)
    assert nine.evidence.startswith(f"{25 * right} % of 4 stray")


@pytest.mark.parametrize(
    ("after", "verdict"),
    [((6, 7, 8, 9), HOLDS), ((9, 9, 5, 3), WEAKLY), ((5, 5, 5, 5), FAILS), ((1, 2, 3, 4), FAILS)],
)
def test_gm15_is_the_right_share_of_artefact_pixels_by_map(after, verdict):
    rows = [(i, 1, 1, 10, True, False, 5, a) for i, a in enumerate(after)]
    rows += [(i, 1, 1, 50, False, False, 0, 50) for i in range(4)]  # matched regions are no artefacts
    _, fifteen = experiments.region_claims(fates(rows))
    assert (fifteen.claim, fifteen.verdict) == ("GM15", verdict)
    assert f"50 % before, {10 * np.mean(after):.0f} % after" in fifteen.evidence
    assert f"over 4 maps {points(np.mean(after) / 10 - 0.5)[:-7]}" in fifteen.evidence


@pytest.mark.parametrize("dtype", [None, object])
def test_without_stray_pieces_and_artefacts_nothing_is_judged(dtype):
    in_place = [(0, 1, 1, 9, False, False, 9, 9)]
    for table in (fates(in_place), fates([], dtype)):
        nine, fifteen = experiments.region_claims(table)
        assert nine.verdict == fifteen.verdict == NOT_RUN and "nan" not in nine.evidence + fifteen.evidence


def test_artefacts_on_one_map_alone_hold_weakly_at_most():
    _, fifteen = experiments.region_claims(fates([(0, 1, 1, 9, True, False, 0, 9)]))
    assert fifteen.verdict == WEAKLY and fifteen.evidence.endswith("over 1 maps +100.0 points")


def searches(rows):
    columns = ["complete", "same", "proven", "with_seconds", "without_seconds"]
    return pd.DataFrame(rows, columns=columns).assign(with_nodes=3, without_nodes=40)


BETTER, OTHER = (True, True, True, 1.0, 5.0), (True, False, True, 1.0, 5.0)
UNPROVEN, INCOMPLETE = (True, False, False, 1.0, 5.0), (False, False, True, 1.0, 0.01)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([BETTER] * 3 + [INCOMPLETE] * 3, HOLDS),
        ([BETTER] * 3 + [UNPROVEN], WEAKLY),
        ([BETTER] * 3 + [OTHER], WEAKLY),
        ([BETTER] + [OTHER] * 2, FAILS),  # it loses the optimum more often than not
        ([(True, True, True, 5.0, 1.0)] * 3, FAILS),  # slower
        ([UNPROVEN] * 2, NOT_RUN),
        ([INCOMPLETE] * 2, NOT_RUN),
        ([], NOT_RUN),
    ],
)
def test_gm14_is_the_same_optimum_in_less_time(rows, verdict):
    found = experiments.search_claim(searches(rows))
    assert (found.claim, found.verdict) == ("GM14", verdict) and "nan" not in found.evidence


def test_gm14_says_what_was_compared():
    found = experiments.search_claim(searches([BETTER, BETTER, OTHER, UNPROVEN, INCOMPLETE]))
    assert "proven on 3 of 4 maps, the same matching on 67 %" in found.evidence
    assert "nodes 3 against 40 (medians); 5.0 times" in found.evidence


@pytest.mark.parametrize(
    ("right", "turned", "scaled", "verdict"),
    [
        (1, 1, 0.9, HOLDS),
        (1, 0.95, 0.9, HOLDS),
        (1, 0.9, 0.9, WEAKLY),  # scaling changes what resampling does by itself
        (1, 1, 1, WEAKLY),
        (0.9999, 1, 0.5, FAILS),
        (NAN, 1, 0.5, FAILS),  # refused
    ],
)
def test_gm16_is_no_change_but_by_scale(right, turned, scaled, verdict):
    kinds = {"translation": (1, 1), "right angle": (right, 1), "angle": (0.9, turned), "scale": (0.5, scaled)}
    rows = [(kind, *same) for kind, same in kinds.items()]
    found = experiments.invariance_claim(pd.DataFrame(rows, columns=["kind", "same_pixels", "same_regions"]))
    assert found.verdict == verdict
    assert f"{100 * turned:.1f} % at other angles, {100 * scaled:.1f} % when scaled" in found.evidence
    if right == 0.9999:
        assert "99.9900 % of the pixels" in found.evidence


@pytest.mark.parametrize(
    ("far", "verdict"),
    [((0.0, -0.1, 0.0), HOLDS), ((0.0, 0.2, -0.1), WEAKLY), ((0.2, 0.2, 0.2), FAILS), ((NAN,) * 3, NOT_RUN)],
)
def test_gm17_is_the_fall_of_the_gain_at_the_widest_angle(far, verdict):
    rows = [(i, 0, 0.1) for i in range(6)] + [(i, 20, -0.9) for i in range(6)]
    rows += [(i, 60, gain) for i, gain in enumerate(2 * far)]
    found = experiments.pose_claim(pd.DataFrame(rows, columns=["image", "change", "box_gain"]))
    assert found.verdict == verdict and "+10.0 points at 0°; -90.0 points at 20°" in found.evidence
    assert f"fall {points(0.1 - np.mean(far)).removesuffix(' points')}" in found.evidence


def test_gm17_with_one_picture_holds_weakly_at_most():
    rows = pd.DataFrame([(0, 0, 0.1), (0, 60, 0.0)], columns=["image", "change", "box_gain"])
    found = experiments.pose_claim(rows)
    assert found.verdict == WEAKLY and found.evidence.endswith("fall +10.0 points")


@pytest.mark.parametrize(("empty", "verdict"), [(1, HOLDS), (2, WEAKLY), (20, FAILS)])
def test_gm18_is_refusal_or_a_wrong_match_by_the_papers_rule(empty, verdict):
    outcomes = ["empty"] * empty + ["refused"] * (10 - empty // 2) + ["wrong"] * 10
    rows = [("refuse", o, False) for o in outcomes[:20]] + [("any", "empty", False)] * 20
    rows += [("any", "wrong", True)]
    found = experiments.occlusion_claim(pd.DataFrame(rows, columns=["rule", "outcome", "planted"]))
    assert found.verdict == verdict
    assert found.evidence.endswith("; a false piece of it elsewhere: any 100 % wrong")
    assert "one class hidden: any 100 % empty, refuse " in found.evidence


def timed(seconds, candidates=4, solver="exhaustive"):
    rows = [(solver, k, candidates, s) for k, s in seconds.items()]
    return pd.DataFrame(rows, columns=["solver", "classes", "candidates", "seconds"])


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        ({k: 1e-6 * 4**k for k in (3, 5, 7, 9)}, HOLDS),
        ({3: 1e-3, 5: 4e-3, 7: 5e-3, 9: 1e-1}, WEAKLY),
        ({k: 1e-4 * k**3 / k**0.1 for k in (3, 5, 7)} | {9: 0.05}, FAILS),
    ],
)
def test_gm19_is_an_exponent_of_the_time_that_rises_with_the_classes(seconds, verdict):
    own = timed({3: 0.001, 9: 0.002}, solver="branch and bound")
    times = pd.concat([timed(seconds), own, timed({9: 7.0}, 12), timed({9: 1, 5: 2, 7: 1, 3: 9}, 8, "FAQ")])
    found = experiments.time_claim(times)
    assert (found.claim, found.verdict) == ("GM19", verdict)
    assert found.evidence.endswith("branch and bound 1.0 to 2.0 ms from 3 to 9 classes")


def test_gm19_names_the_exponents():
    times = pd.concat([timed({1: 1.0, 2: 4.0, 4: 64.0}), timed({1: 1.0}, solver="branch and bound")])
    assert (
        "1000.0 to 64000.0 ms from 1 to 4 classes, with exponents 2.0, 4.0;"
        in experiments.time_claim(times).evidence
    )


@pytest.mark.parametrize(
    "times", [timed({9: 1.0}), timed({3: 1.0, 5: 2.0}), timed({3: 1.0, 5: 2.0, 7: 9.0}, solver="FAQ")]
)
def test_gm19_needs_three_numbers_of_classes(times):
    assert experiments.time_claim(times).verdict == NOT_RUN


def test_gm19_finds_the_candidates_that_the_exhaustive_search_got_through():
    # most sizes have 8 candidates, but only two of them are within the exhaustive search's reach
    few = [timed({k: 1e-6 * 4**k for k in (3, 5, 7)}, 4, s) for s in ("exhaustive", "branch and bound")]
    many = [timed({3: 1e-3, 5: 1e-2}, 8), timed({3: 1, 5: 1, 7: 1, 9: 1, 12: 1}, 8, "branch and bound")]
    found = experiments.time_claim(pd.concat(few + many))
    assert found.verdict == HOLDS and found.evidence.startswith("4 candidates of each class")


@pytest.mark.parametrize(("shown", "verdict"), [(19, HOLDS), (18, WEAKLY), (10, WEAKLY), (9, FAILS)])
def test_gm21_is_a_fall_of_boxes_that_pixels_do_not_show(shown, verdict):
    falls = [(50.0, 0.5)] * shown + [(10.0, 0.5), (50.0, 1.0)] * 10
    rows = pd.DataFrame(falls[:20] + [(NAN, NAN)], columns=["box_fall", "pixel_fall"])
    found = experiments.blob_claim(rows)
    assert found.verdict == verdict and f"{5 * shown} % of 20 pieces" in found.evidence


def test_gm21_without_a_piece_is_not_run():
    assert experiments.blob_claim(pd.DataFrame(columns=["box_fall", "pixel_fall"])).verdict == NOT_RUN
