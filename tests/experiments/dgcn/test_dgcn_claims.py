"""Verdicts of paper 4 on made-up results."""

import numpy as np
import pytest

from segstudy.experiments import verdicts
from segstudy.experiments.dgcn import claims, jobs
from segstudy.experiments.dgcn.grown import PLAIN, REFINED

CLASSES = ("background", "aeroplane", "cat", "diningtable", "dog", "sofa")


def counts(right, of=100, columns=None):
    """Return a matrix with `right[c]` of `of` pixels of each class right, the others background."""
    size = len(right)
    found = np.zeros((size, columns or size))
    for c, value in enumerate(right):
        found[c, c] += value
        found[c, 0] += of - value
    return found


def run(right, labels=None, mended=(10, 4, 20, 1)):
    value = {"test": counts(right)[None], "gated": counts(right)[None], "losses": [1.0]}
    labels = labels or [counts(right, columns=7)] * 3 + [
        counts(np.array(right) * f, columns=7) for f in (0.8, 0.9, 0.95)
    ]
    return value | {"labels": np.stack(labels), "mended": list(mended)}


def networks(gain):
    """Return a cut that is better than region growing by a gain, most on airplanes and tables, in three seeds."""
    found = {}
    for name, more in (
        (jobs.CUT, gain),
        (jobs.REFINED, gain),
        (jobs.DSRG, 0),
        (jobs.STATIC, -5),
        (jobs.SPREAD, 2),
    ):
        extra = np.array([0, 2, 1, 2, 1, 1]) * more
        found[name] = [run(np.array([90, 50, 50, 50, 50, 50]) + extra + seed) for seed in (0, 1, 2)]
    return found


def label_values():
    good, bad = counts([90, 50, 50, 50, 50, 50], columns=7), counts([80, 30, 30, 30, 30, 30], columns=7)
    names = [*PLAIN, *REFINED]
    second = {"graph cut": [6, 10], "region growing": [2, 10]}
    return [
        {
            "labels": {n: good if n == "theta 0.7" else bad for n in names},
            "second": second,
        }
    ] * 3


def cue_values():
    return [
        {
            "seeds": counts([40, 20, 20, 20, 20, 20], columns=7),
            "sizes": np.array([0.7, 0.3, 0.1, 0.3, 0.1, 0.2]),
        }
    ] * 3


def edge_values():
    pictures = np.random.default_rng(0).normal(0, 0.01, 20)
    means = {"all layers": 0.9, "stride 8": 0.8, "activation maps": 0.7, "random pairs": 0.5}
    return {name: mean + (i + 1) * pictures for i, (name, mean) in enumerate(means.items())}


def judged(gain=3, changed=None):
    found = claims.judge(networks(gain), changed or {}, label_values(), cue_values(), edge_values(), CLASSES)
    return {verdict.claim: verdict for verdict in found}


def test_there_is_a_verdict_for_every_claim():
    table = verdicts.claims_table("dgcn", judged().values())
    assert len(table) == 29


def test_a_cut_that_is_better_in_every_seed_holds():
    found = judged(3)
    assert found["DG1"].verdict == verdicts.HOLDS and found["DG2"].verdict == verdicts.HOLDS
    assert found["DG18"].verdict == verdicts.HOLDS and "3 seeds" in found["DG1"].evidence


def test_a_cut_that_is_worse_does_not():
    assert judged(-3)["DG1"].verdict == verdicts.FAILS


def test_without_voc_the_two_classes_cannot_be_asked_for():
    found = claims.judge(
        networks(3), {}, label_values(), cue_values(), edge_values(), [f"kind {i}" for i in range(6)]
    )
    assert {v.claim: v for v in found}["DG2"].verdict == verdicts.NOT_TESTABLE


def test_what_was_not_trained_is_not_run():
    found = judged()
    for claim in ("DG8", "DG10", "DG11", "DG25"):
        assert found[claim].verdict == verdicts.NOT_RUN
    assert found["DG4"].verdict == verdicts.NOT_TESTABLE


@pytest.mark.parametrize(("fall", "word"), [(0, verdicts.HOLDS), (20, verdicts.FAILS)])
def test_stability_in_theta_is_judged_by_the_printed_range(fall, word):
    base = np.array([90, 50, 50, 50, 50, 50]) + np.array([0, 2, 1, 2, 1, 1]) * 3
    swept = {name: run(base - fall) for name in (*jobs.THETAS, *jobs.KS)}
    found = judged(3, swept)
    assert found["DG11"].verdict == word and found["DG10"].verdict == word


def test_a_part_of_the_settings_is_judged_by_what_was_trained():
    found = judged(3, {"K 6": run(np.array([90, 50, 50, 50, 50, 50]))})
    assert "K 6" in found["DG10"].evidence and "K 14" not in found["DG10"].evidence
    assert found["DG11"].verdict == verdicts.NOT_RUN


def test_labels_that_get_better_and_level():
    assert judged()["DG23"].verdict == verdicts.HOLDS
    assert judged()["DG28"].verdict == verdicts.HOLDS and "0.400 end right" in judged()["DG28"].evidence


def test_a_second_instance_that_the_cut_reaches():
    found = judged()["DG19"]
    assert found.verdict == verdicts.HOLDS and "region growing 0.200" in found.evidence


def test_context_costs_trains_and_boats_most():
    classes = ("background", "train", "boat", "dog", "cat", "sofa")
    found = networks(3)
    found[jobs.FULL] = [run(np.array([90, 90, 90, 60, 60, 60]))] * 3
    judged_all = claims.judge(found, {}, label_values(), cue_values(), edge_values(), classes)
    assert {v.claim: v for v in judged_all}["DG26"].verdict == verdicts.HOLDS


def test_edges_are_compared_with_chance():
    found = judged()
    assert found["DG21"].verdict == verdicts.HOLDS and found["DG20"].verdict == verdicts.HOLDS


def test_a_second_threshold_that_helps_speaks_against_the_claim():
    base = np.array([90, 50, 50, 50, 50, 50]) + np.array([0, 2, 1, 2, 1, 1]) * 3
    assert judged()["DG13"].verdict == verdicts.NOT_RUN
    for more, word in ((-5, verdicts.WEAKLY), (5, verdicts.FAILS)):
        assert judged(3, {name: run(base + more) for name in jobs.BACKGROUNDS})["DG13"].verdict == word


def test_borders_between_objects_that_the_crf_blurs():
    assert judged()["DG27"].verdict == verdicts.NOT_RUN
    found = networks(3)
    for value in found[jobs.CUT]:
        value["borders"] = {"test": [[8, 10, 8, 10], [9, 10, 9, 10]], "crf": [[5, 10, 5, 10], [9, 10, 9, 10]]}
    seen = claims.judge(found, {}, label_values(), cue_values(), edge_values(), CLASSES)
    verdict = {v.claim: v for v in seen}["DG27"]
    assert verdict.verdict == verdicts.HOLDS and "0.500 and 0.900" in verdict.evidence
