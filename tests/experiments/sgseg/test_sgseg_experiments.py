"""The experiments of notebook 02 on a few small drawn pictures, and their tables, claims and figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from segstudy.datasets import open_dataset
from segstudy.experiments import iic, verdicts
from segstudy.experiments.sgseg import claims, figures, jobs, parts, quality, results, trials
from segstudy.experiments.sgseg.pictures import open_pictures, pictures_of, setup_of
from segstudy.papers.sgseg import spnn
from segstudy.papers.sgseg.training import Rates, UnlabelledBatches, train_sgseg

ASKED = {
    "train": "stuff/train",
    "test": "stuff/val",
    "images": 4,
    "patch": 0,
    "side": 24,
    "clusters": 6,
    "spnn_widths": [4, 4, 6, 6],
    "cnn_widths": [6, 8],
    "gnn_width": 4,
    "gnn_blocks": 2,
    "superpixels": 12,
    "k": 3,
    "pretraining": 1,
    "epochs": 1,
    "batch": 2,
    "rates": [1e-3, 1e-3, 1e-3],
    "tv": 0.02,
    "device": "cpu",
    "photographs": {},
    "tiles": [],
    "timed": {"network": {}, "rounds": 1},
    "graphs": {"rounds": 1},
    "memory": False,
    "methods": list(trials.METHODS),
    "seeds": [0, 1],
    "ablations": 1,
    "shown": 2,
}
SETUP = jobs.setup(ASKED)


def test_training_pictures_come_without_labels():
    pictures = open_pictures("stuff/train", "stuff/val", 4, 0, 24)
    assert len(pictures.train) == len(pictures.test) == len(pictures.truth) == 4
    assert {image.shape for image in pictures.train} == {(24, 24, 3)}
    assert pictures.statistics.std.shape == (3,)


def test_patches_lie_side_by_side_and_have_labels():
    whole = open_pictures("stuff/train", "stuff/val", 2, 0, 96)
    patches = open_pictures("stuff/train", "stuff/val", 0, 32, 32)
    picture = open_dataset("stuff", split="val")[0]
    rows, columns = (size // 32 for size in picture.image.shape[:2])
    assert rows * columns > 1 and len(patches.test) > len(whole.test)
    assert np.array_equal(patches.test[1], picture.image[:32, 32:64])
    assert np.array_equal(patches.truth[1], picture.labels[:32, 32:64])


@pytest.mark.parametrize("method", trials.METHODS)
def test_every_scored_pixel_is_counted_once(method):
    found = trials.train_trial(SETUP, method, 0, {}, 2)
    scored = [int((truth != 255).sum()) for truth in pictures_of(setup_of(SETUP)).truth]
    assert found["counts"].sum(axis=(1, 2)).tolist() == scored
    assert len(found["shown"]) == 2 and found["shown"][0].shape == (24, 24)
    assert 0 <= found["entropy"] <= np.log(6) + 1e-9
    assert ("projected" in found) == (method in (trials.SGSEG, trials.SPNN_ALONE))


def test_the_same_seed_gives_the_same_trial():
    one, again = (trials.train_trial(SETUP, trials.SGSEG, 3, {}, 1) for _ in range(2))
    assert np.array_equal(one["counts"], again["counts"]) and one["losses"] == again["losses"]


def test_changes_reach_network_training_and_losses():
    parts = {
        "network": {"gnn": "PointNet"},
        "training": {"scheme": "end to end", "epochs": 2},
        "loss": {"tv": 0.0},
    }
    found = trials.train_trial(SETUP, trials.SGSEG, 0, parts, 0)
    assert [len(losses) for losses in found["losses"]] == [2]
    with pytest.raises(TypeError):
        trials.train_trial(SETUP, trials.SGSEG, 0, {"network": {"nodes": 3}}, 0)


@pytest.mark.parametrize(
    "change", [{"places": parts.SHUFFLED}, {"places": parts.ALIGNED}, {"describe": parts.IMAGENET}]
)
def test_parts_are_put_into_the_network(change):
    plain, other = (trials.train_trial(SETUP, trials.SGSEG, 0, c, 1) for c in ({}, change))
    assert plain["losses"][0] == other["losses"][0] and plain["losses"][1] != other["losses"][1]


def test_places_are_shuffled_and_nothing_else():
    setup = setup_of(SETUP)
    plain, shuffled = (
        trials.build(setup, trials.SGSEG, 0, c).eval() for c in ({}, {"places": parts.SHUFFLED})
    )
    features, neighbours = torch.randn(2, 12, 11), torch.randint(12, (2, 12, 3))
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    moved = features.clone()
    moved[:, :, :2] = features[:, order, :2]
    assert torch.allclose(shuffled.gnn(features, neighbours), plain.gnn(moved, neighbours))


def test_alignment_starts_as_none():
    setup = setup_of(SETUP)
    plain, aligned = (trials.build(setup, trials.SGSEG, 0, c).eval() for c in ({}, {"places": parts.ALIGNED}))
    features, neighbours = torch.randn(2, 12, 11), torch.randint(12, (2, 12, 3))
    assert torch.allclose(aligned.gnn(features, neighbours), plain.gnn(features, neighbours))


@pytest.mark.parametrize("source", quality.SOURCES)
def test_superpixels_of_every_source(source):
    found = quality.judge_superpixels(SETUP, source, 0, {}, few=True)
    assert {len(values) for values in found.values()} == {4}
    assert (found["accuracy"] >= 0.3).all() and (found["accuracy"] <= 1).all() and (found["count"] >= 1).all()


def test_undersegmentation_by_hand():
    truth = np.array([[0, 0, 0, 1, 1, 1]])
    assert quality.undersegmentation(truth, truth) == 0
    assert quality.undersegmentation(truth, np.array([[0, 0, 0, 0, 1, 1]])) == pytest.approx(2 / 6)
    assert np.isnan(quality.undersegmentation(np.full((1, 2), 255), np.zeros((1, 2), int)))


def test_spacing_of_a_grid_is_even_and_that_of_a_crowd_is_not():
    rows = np.arange(12) // 3
    grid = rows[:, None] * 4 + rows[None]
    assert quality.uneven_spacing(grid) == pytest.approx(0)
    assert quality.uneven_spacing(np.array([[0, 1, 2, 2, 2, 2, 2, 2]])) == pytest.approx(
        np.std([1, 1, 3.5]) / np.mean([1, 1, 3.5])
    )
    assert np.isnan(quality.uneven_spacing(np.array([[0, 1]])))


def test_sureness_of_an_assignment_that_is_sure_and_of_one_that_is_not():
    class Fixed(torch.nn.Module):
        def __init__(self, sure: bool) -> None:
            super().__init__()
            self.sure = sure

        def forward(self, images):
            eighths = torch.arange(24).expand(24, 24) // 3
            P = torch.nn.functional.one_hot(eighths, 8).permute(2, 0, 1)[None].float()
            P = (P if self.sure else torch.full_like(P, 1 / 8)).expand(len(images), -1, -1, -1)
            return spnn.Assignment(P, images, images)

    pictures = pictures_of(setup_of(SETUP))
    for sure, expected in ((True, 0), (False, 1)):
        maps, found = quality.predict_superpixels(Fixed(sure), pictures, "cpu")
        assert len(maps) == len(pictures.test) and maps[0].shape == (24, 24)
        assert np.allclose(found["unsure"], expected, atol=1e-6) and np.allclose(found["even"], 1, atol=1e-6)


def test_superpixels_form_before_one_s_eyes():
    seen = []
    setup = setup_of(SETUP)
    image = pictures_of(setup).test[0]
    quality.superpixels_of_one(setup, image, 0, {}, lambda step, labels: seen.append((step, labels)))
    assert [step for step, _ in seen] == list(range(16)) and seen[0][1].shape == (24, 24)


def test_iic_turns_copies_back_where_they_were_mirrored():
    pictures = pictures_of(setup_of(SETUP))
    batches = iic.PairedBatches(pictures.train, pictures.statistics, 2, 0)
    for ((first, copies), mirrored), _ in batches(0):
        assert first.shape == copies.shape == (2, 3, 24, 24) and mirrored.ndim == 0
    network = iic.IICNet(4, widths=(4, 4, 4, 4), seed=0).eval()
    both = next(iter(batches(0)))[0][0]
    plain = iic._Pairs(network)((both, False))[1]
    turned = iic._Pairs(network)((both.flip(4), True))[1]
    assert np.allclose(turned.detach(), plain.flip(3).detach(), atol=1e-5)


def test_jobs_are_each_there_once_and_changes_without_a_change_are_the_plain_training():
    found = [job.key() for job in jobs.experiments(ASKED)]
    assert len(found) == len(set(found))
    plain = jobs.trial(ASKED, trials.SGSEG, 0, {}).key()
    assert plain in {job.key() for job in jobs.changed(ASKED)} & set(found)
    assert not list(jobs.changed(ASKED | {"ablations": 0}))


def run(right: int, entropy: float = 1.5, agreement: float = 0.95) -> dict:
    counts = np.full((2, 3, 3), (100 - right) // 2) + np.eye(3, dtype=int) * (right - (100 - right) // 2)
    found = {"counts": counts[:, :, [2, 0, 1]], "entropy": entropy, "agreement": agreement, "variation": 1.0}
    seen = {
        "apart": np.linspace(0.8, 0.85, 6),
        "apart, colours": np.full(6, 0.9),
        "reach": right / 100,
        "span": 2.0,
    }
    return found | seen


def test_accuracy_names_clusters_over_the_whole_set():
    assert results.accuracy(run(80)) == pytest.approx(0.8)
    assert results.class_iou(run(80)) == pytest.approx(80 / 120)  # 10 of each other class beside, 20 missed
    one_for_all = {"counts": np.array([[[60, 0], [40, 0]]])}
    assert results.accuracy(one_for_all) == 0.6 and results.class_iou(one_for_all) == pytest.approx(0.3)
    right, scored = results.picture_scores(run(80))
    assert right.tolist() == [240, 240] and scored.tolist() == [300, 300]


def test_a_run_that_collapsed_is_counted_and_not_averaged():
    table = results.method_table({"a": [run(80), run(60), run(34, entropy=0.01)]}).iloc[0]
    assert table["accuracy"] == pytest.approx(0.7) and table["collapsed"] == 1 and table["seeds"] == 3


def judged(gain: int = 5, changed: dict | None = None) -> dict:
    methods = {name: [run(60), run(62), run(61)] for name in trials.METHODS}
    methods[trials.SGSEG] = [run(60 + gain), run(62 + gain), run(61 + gain)]
    pixels = np.linspace(0.8, 0.9, 6)
    measures = ("accuracy", "precision", "recall", "count", "spacing", "unsure", "unsure at first", "even")
    ours = {key: pixels + 0.01 * np.sin(np.arange(6)) for key in measures}
    ours |= {"unsure": pixels - 0.5, "even": pixels + 0.1}
    slic = {key: pixels + 0.05 for key in ours}
    squares = {key: 0 * pixels for key in ours}
    superpixels = {quality.AMORTISED: ours, quality.SLIC: slic, quality.SQUARES: squares}
    left_out, numbers = {"no edges": slic, "sizes free": squares}, {6: squares, 12: ours, 24: slic}
    costs = {"steps": {"training": {"ratio": [1.1, 1.2, 1.25]}, "side": 8, "device": "cpu"}}
    costs["steps"]["inference"] = {"ratio": [1.2, 1.25, 1.4]}
    costs |= {"expected": {"ratio": [6.0, 11.0]}}
    costs |= {"graphs": {"nodes": 8, "rows": [{"pixels": 64, "ratio, with projections": [2.0, 3.0, 4.0]}]}}
    found = claims.judge(methods, changed or {}, superpixels, left_out, numbers, costs, 3)
    return {verdict.claim: verdict for verdict in found}


def test_there_is_a_verdict_for_every_claim():
    table = verdicts.claims_table("sgseg", judged().values())
    assert len(table) == 30


def test_claims_follow_what_was_measured():
    better, worse = judged(5), judged(-5)
    for claim in ("SG1", "SG3", "SG9", "SG28"):
        assert better[claim].verdict == verdicts.HOLDS and worse[claim].verdict == verdicts.FAILS
    assert better["SG6"].verdict == verdicts.HOLDS  # AC and the network alone are the same here
    assert better["SG20"].verdict == verdicts.FAILS and better["SG22"].verdict == verdicts.FAILS
    for claim in ("SG12", "SG17", "SG19", "SG21", "SG26"):
        assert better[claim].verdict == verdicts.HOLDS
    assert (
        better["SG24"].verdict == verdicts.HOLDS and worse["SG24"].verdict == verdicts.WEAKLY
    )  # the edges are long
    for claim in ("SG4", "SG11", "SG13", "SG15", "SG16", "SG18", "SG30"):
        assert better[claim].verdict == verdicts.NOT_RUN


def test_a_sweep_is_compared_with_the_default_of_its_own_seeds():
    """The first seed is the worst of three: against the mean of all, one run of N = 24 would lose."""
    assert judged(5, {"N = 24": [run(66)]})["SG11"].verdict == verdicts.FAILS
    assert judged(5, {"N = 24": [run(64)]})["SG11"].verdict == verdicts.WEAKLY


def test_claims_about_changes():
    changed = {"N = 6": [run(50)], "N = 24": [run(70)], "k = 1": [run(50)], "k = 6": [run(55)]}
    changed |= {jobs.DISJOINT: [run(50), run(52), run(51)], jobs.END_TO_END: [run(56), run(58), run(57)]}
    found = judged(5, changed)
    assert found["SG11"].verdict == verdicts.FAILS and found["SG16"].verdict == verdicts.WEAKLY
    assert found["SG4"].verdict == verdicts.HOLDS


def test_places_are_the_cause_only_where_shuffling_them_costs_what_they_gave():
    graphs = {name: [run(60), run(62), run(61)] for name in ("PointNet", "DGCNN", jobs.SHUFFLED)}
    graphs |= {"DiffGCN": [run(65), run(67), run(66)], jobs.ALIGNED: [run(65), run(67), run(66)]}
    assert (
        judged(5, graphs)["SG15"].verdict == verdicts.HOLDS
        and judged(5, graphs)["SG30"].verdict == verdicts.HOLDS
    )
    graphs |= {jobs.SHUFFLED: graphs["DiffGCN"], jobs.ALIGNED: [run(75), run(77), run(76)]}
    assert (
        judged(5, graphs)["SG15"].verdict == verdicts.FAILS
        and judged(5, graphs)["SG30"].verdict == verdicts.FAILS
    )


def test_figures():
    image = np.zeros((16, 16, 3), np.uint8)
    labels = np.repeat(np.arange(4), 4)[None].repeat(16, 0)
    colours = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0], [0, 0, 200]], np.uint8)
    step = {"superpixels": 8, "side": 16, "precision": "32-true", "checkpointed": True, "peak": 2e9}
    drawn = [
        figures.draw_framework(),
        figures.draw_orders(),
        figures.draw_maps([image], [labels], {"truth": [labels]}, list("abcd"), colours),
        figures.draw_maps([image], [], {"truth": [labels]}, list("abcd"), colours),
        figures.draw_features([image], {"with TV": [image]}),
        figures.chart_methods(results.method_table({"a": [run(80)], "b": [run(60), run(70)]}), 0.4),
        figures.chart_losses({"SGSeg": [[2.0, 1.0], [2.5, 1.5]]}),
        figures.chart_memory({"numbers": [step], "sides": [step]}, 24e9),
    ]
    assert len(drawn[1].axes) == 8 and drawn[5].axes[0].get_xlabel() == "pixel accuracy"
    for figure in drawn:
        plt.close(figure)


def test_a_seed_in_which_one_collapsed_is_paired_with_none():
    a, b = [run(66), run(90, entropy=0.01), run(70)], [run(60), run(60), run(60)]
    assert results.gain_over(a, b).n == 2 and results.gain_over(a, b).mean == pytest.approx(0.08)
    table = results.gain_table({trials.SGSEG: b, "a": a}, trials.SGSEG).iloc[0]
    assert table["seeds"] == 2 and table["gain, mean over pictures"] == pytest.approx(-0.08)


def test_tables_of_what_was_counted_and_seen():
    runs = {
        trials.SGSEG: [run(60) | {"counts, k-means": run(80)["counts"], "told": 0.9, "told, colours": 0.5}]
    }
    row = results.inside_table(runs, (trials.SGSEG, trials.SPNN_ALONE)).set_index("method").loc[trials.SGSEG]
    assert row["accuracy"] == pytest.approx(0.6) and row["k-means on features"] == pytest.approx(0.8)
    plan = {"limit": 24e9, "rows": [{"precision": "32-true", "checkpointed": True, "batch": 16, "kept": 7e9}]}
    plan["rows"][0] |= {"peak": 12e9, "fits": True}
    assert results.plan_table(plan).loc[0, ["pictures at once", "peak, GB", "below 24 GB"]].tolist() == [
        16,
        12,
        "yes",
    ]
    assert results.in_millions([{"part": "a", "multiply-adds": 3e6}])["million multiply-adds"].tolist() == [3]
    expected = {"steps": ["training"], "printed": [1.2], "ratio": [7.8], "ratio, wide": [1.9]}
    table = results.ratio_table(expected, {"training": {"ratio": [2.0, 3.0, 4.0]}})
    assert table.loc[0, ["as published", "measured", "to"]].tolist() == [1.2, 3.0, 4.0]
    graphs = {"nodes": 8, "rows": [{"pixels": 64, "ratio, with projections": [2.0, 3.0, 4.0]}]}
    assert results.graph_table(graphs).loc[0, ["pixels", "ratio", "superpixels"]].tolist() == [64, 3, 8]


def test_gains_stand_over_seeds_and_over_pictures():
    runs = {trials.SGSEG: [run(64), run(66)], "a": [run(60), run(62)]}
    table = results.gain_table(runs, trials.SGSEG).iloc[0]
    assert table["gain"] == pytest.approx(0.04) and table["gain, mean over pictures"] == pytest.approx(0.04)
    assert table["over seeds, from"] == pytest.approx(0.04)
    assert table["over pictures, to"] == pytest.approx(0.04)


def test_superpixels_that_were_trained_once_for_all_are_those_of_a_training_from_the_start():
    setup = setup_of(SETUP)
    pictures = pictures_of(setup)
    found = trials.train_trial(SETUP, trials.SGSEG, 5, {}, 0)
    network = trials.build(setup, trials.SGSEG, 5, {})
    batches = UnlabelledBatches(pictures.train, pictures.statistics, setup.batch, 5)
    options = {"pretraining": setup.pretraining, "rates": Rates(*setup.rates), "tv": setup.tv}
    histories = train_sgseg(network, batches, setup.epochs, **options)
    assert [history.losses for history in histories] == found["losses"]
