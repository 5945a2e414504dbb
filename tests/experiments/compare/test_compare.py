"""Notebook 06: one protocol for all methods, its scores by hand on small maps."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from segstudy.datasets import open_dataset
from segstudy.datasets.files import VOID, crop
from segstudy.datasets.resizing import resize_image
from segstudy.datasets.sample import Sample
from segstudy.experiments.compare import (
    clicks,
    figures,
    jobs,
    methods,
    pictures,
    refinements,
    results,
    supervision,
    trials,
)
from segstudy.experiments.compare.masked_network import seen
from segstudy.metrics import iou_dataset, mean_iou
from segstudy.papers.dgcn import segmenter
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.training import train_classifier
from segstudy.papers.dgcn.views import look
from segstudy.segmenter import Segmenter

TASK: dict[str, Any] = {
    "name": "objects",
    "train": "objects/train",
    "test": "objects/val",
    "images": 4,
    "tested": 2,
    "longest": 40,
    "clusters": 2,
    "told": ["nothing", "clicks", "all masks"],
}
RECIPE = {
    "unet": {"width": 2, "pictures": 6, "validation": 0.25},
    "sgseg": {"epochs": 1, "pretraining": 1, "batch": 2, "spnn_widths": [4, 4], "cnn_widths": [4, 4]}
    | {"superpixels": 8, "k": 3, "gnn_width": 4, "gnn_blocks": 2, "side": 32},
    "clustering": {"iterations": 2, "grid": [6, 6]},
    "dgcn": {"side": 33, "classifier_epochs": 1, "epochs": 1},
    "scgnet": {"size": 32, "patches": 2, "batch": 2, "epochs": 1, "validation": 0.3},
}


def toy(truth: list[list[int]]) -> Sample:
    labels = np.array(truth)
    return Sample("toy", partial(crop, np.zeros((*labels.shape, 3), np.uint8)), partial(crop, labels))


def test_clusters_are_named_picture_by_picture_or_once():
    samples = [toy([[0, 0, 1, 1]]), toy([[0, 0, 0, 1]])]
    maps = [
        np.array([[0, 0, 1, 1]]),
        np.array([[1, 1, 1, 0]]),
    ]  # the same clusters, numbered the other way round
    each = trials.score(samples, maps, 2, trials.EACH)
    assert each["IoU"].tolist() == [1, 1] and each["accuracy"].tolist() == [1, 1]
    once = trials.score(samples, maps, 2, trials.WHOLE)  # 2 + 0 pixels agree either way; 0 -> 0: 4, 0 -> 1: 4
    assert sorted(once["accuracy"].tolist()) == [0, 1]


def test_a_cluster_without_a_class_is_no_class():
    sample = toy([[0, 0, 0, VOID]])
    found = trials.score([sample], [np.array([[0, 0, 1, 2]])], 2, trials.EACH)
    assert found["counts"].tolist() == [[[2, 0, 1], [0, 0, 0]]]
    assert found["IoU"][0] == pytest.approx(2 / 3)


def test_scores_of_a_map_by_hand():
    sample = toy([[0, 0, 1, 1], [0, 0, 1, 1]])
    found = trials.score([sample], [np.array([[0, 0, 0, 1], [0, 0, 0, 1]])], 2, trials.CLASSES)
    assert found["IoU"][0] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert found["accuracy"][0] == pytest.approx(6 / 8)
    assert found["box IoU"][0] == pytest.approx((4 / 6 + 2 / 4) / 2)


def test_the_ceiling_is_the_truth_with_its_largest_classes():
    found = trials.ceiling(TASK, 1)
    samples = pictures.test_samples(pictures.task_of(TASK))
    shown = [len(np.unique(s.labels[s.labels != VOID])) for s in samples]
    assert found[trials.EACH]["IoU"] == pytest.approx([1 / n for n in shown])
    assert trials.ceiling(TASK, 9)[trials.EACH]["IoU"] == pytest.approx(1)


@pytest.mark.parametrize(
    "method",
    [
        "SLIC + k-means",
        "k-means on features",
        "NCUT-GCN",
        "SGSeg",
        "IIC",
        "graph cut from clicks",
        "SCG-Net's trunk, 1x1 head",
        "SCG-GCN",
    ],
)
def test_a_method_is_trained_refined_and_scored(method: str):
    found = trials.run_methods(TASK, [method], 0, RECIPE)[method]
    entry = methods.METHODS[method]
    clusters, masks = entry.told == "nothing", entry.told == "all masks"
    assert set(refinements.ANY) <= set(found["scores"])
    assert (refinements.LARGEST in found["scores"]) != clusters
    plain = found["scores"][refinements.PLAIN]
    assert list(plain)[0] == (trials.EACH if clusters else trials.CLASSES)
    assert (trials.WHOLE in plain) == (method in methods.SETWISE)
    assert len(found["maps"]) == 2 and found["pictures"] == (2 if entry.told == "clicks" else 4)
    assert found["masks"] == (4 if masks else 0)
    assert all(0 <= v <= 1 for part in plain.values() for v in part["IoU"])


def test_ways_of_growing_begin_with_one_classifier_and_end_as_they_do_alone(monkeypatch: pytest.MonkeyPatch):
    seen.cache_clear()
    trained, looked = [], []
    monkeypatch.setattr(
        segmenter, "look", lambda *given, **options: looked.append(1) or look(*given, **options)
    )

    def counted(*given: Any, **options: Any) -> Any:
        trained.append(options["seed"])
        return train_classifier(*given, **options)

    monkeypatch.setattr(segmenter, "train_classifier", counted)
    task = TASK | {"told": ["classes of the picture"]}
    asked = {"tasks": [task], "seeds": [3], "recipe": RECIPE, "without": ["region growing"]}
    (job,) = jobs.trained(asked)
    assert job.arguments["methods"] == ["static seeds", "DGCN, graph cut"]
    together = trials.run_methods(**job.arguments)
    assert trained == [3] and len(looked) == 1
    for name in job.arguments["methods"]:
        alone = trials.run_methods(task, [name], 3, RECIPE)[name]
        assert all((a == b).all() for a, b in zip(alone["maps"], together[name]["maps"], strict=True))
        for way, readings in alone["scores"].items():
            for reading, scores in readings.items():
                for measure, values in scores.items():
                    np.testing.assert_array_equal(values, together[name]["scores"][way][reading][measure])
    assert trained == [3, 3, 3] and len(looked) == 1
    alone = segmenter.DGCN(9, seed=3, growth=Growth("static seeds"), refine=False, **RECIPE["dgcn"])
    alone.fit(pictures.training_samples(pictures.task_of(task), "classes of the picture"))
    image = pictures.test_samples(pictures.task_of(task))[0].image
    assert (alone.segment(image) == together["static seeds"]["maps"][0]).all()


def test_a_unet_takes_as_many_steps_on_few_masks_as_on_all():
    task = pictures.task_of(TASK)
    made = [methods.METHODS[name].make(task, 9, 0, RECIPE) for name in ("U-Net", "U-Net, few masks")]
    assert [m._training["epochs"] for m in made] == [2, 8]  # 3 of 4 pictures train; a fourth of them


def test_cards_say_what_networks_learned_from():
    found = {"k-means": [_run(0.5)], "U-Net": [_run(0.2), _run(0.4)]}
    table = supervision.card_table({"objects": found}, {"objects": "objects/train"})
    assert table["method"].tolist() == ["U-Net"] and table["learned from"].tolist() == ["objects/train"]
    assert table["IoU"][0] == pytest.approx(0.3) and table["std over seeds"][0] == pytest.approx(0.02**0.5)
    assert table[["pictures", "masks", "seeds", "recipe"]].values.tolist() == [[4, 3, 2, "unet"]]


def test_classes_that_a_picture_does_not_show_are_told_apart_by_hand():
    # six pixels: two of class 0, four of class 1; one of each is given to class 2, which is not there
    counts = np.array([[[1, 0, 1, 0], [0, 3, 1, 0], [0, 0, 0, 0]]])
    scores = {trials.CLASSES: {"IoU": np.array([(1 / 2 + 3 / 4 + 0) / 3]), "counts": counts}}
    found = {"U-Net": [{"scores": {refinements.PLAIN: scores}}]}
    row = supervision.absent_table({"objects": found}).iloc[0]
    assert row["IoU of classes shown"] == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert row["absent"] == pytest.approx(2 / 6) and row["IoU"] == pytest.approx(1.25 / 3)
    assert row[["told", "seeds"]].tolist() == ["all masks", 1]


def _run(iou: float) -> dict[str, Any]:
    scores = {trials.CLASSES: {"IoU": np.array([iou])}}
    return {"scores": {refinements.PLAIN: scores}, "pictures": 4, "masks": 3}


def test_iic_s_map_is_its_network_s_on_the_resized_picture_enlarged():
    task = pictures.task_of(TASK)
    learnt = pictures.training_samples(task, "nothing")
    first = learnt[0]
    made = methods.METHODS["IIC"].make(task, 9, 0, RECIPE).fit(learnt)
    image = torch.from_numpy(resize_image(first.image, (32, 32))).permute(2, 0, 1)[None].float()
    pixels = np.concatenate([resize_image(s.image, (32, 32)).reshape(-1, 3) for s in learnt])
    mean, std = (torch.from_numpy(part)[:, None, None] for part in (pixels.mean(axis=0), pixels.std(axis=0)))
    with torch.no_grad():
        found = made.network_(((image - mean) / std).float())
    whole = torch.nn.functional.interpolate(found, (40, 40), mode="bilinear", align_corners=False)
    assert made.probabilities(first.image) == pytest.approx(whole[0].permute(1, 2, 0).numpy(), abs=1e-4)


def test_every_method_is_a_segmenter_that_is_told_what_its_group_is():
    task = pictures.task_of(TASK)
    for name, entry in methods.METHODS.items():
        made = entry.make(task, 9, 0, RECIPE)
        assert isinstance(made, Segmenter), name
        assert made.supervision == pictures.SUPERVISION[entry.told], name
    assert {row[0] for pair in methods.GRAPHS.values() for row in pair} <= set(methods.METHODS)
    assert set(methods.NULLS.values()) <= set(methods.METHODS)


def test_what_is_told_nothing_gets_no_labels():
    task = pictures.task_of(TASK)
    assert pictures.training_samples(task, "nothing")[0].labels is None
    assert pictures.training_samples(task, "nothing")[0].image_labels is None
    weak = pictures.training_samples(task, "classes of the picture")[0]
    assert weak.labels is None and weak.image_labels
    assert pictures.training_samples(task, "all masks")[0].labels.shape == weak.image.shape[:2] == (40, 40)


def test_a_u_net_is_trained_on_pictures_of_several_sizes():
    rng = np.random.default_rng(0)

    def sized(side: int) -> Sample:
        labels = np.zeros((side, 40), int)
        labels[: side // 2] = 1
        image = rng.integers(0, 255, (side, 40, 3), np.uint8)
        return Sample(str(side), partial(crop, image), partial(crop, labels))

    made = (
        methods.METHODS["U-Net"]
        .make(pictures.task_of(TASK), 2, 0, RECIPE)
        .fit([sized(32), sized(40), sized(36)])
    )
    assert made.probabilities(sized(36).image).shape == (36, 40, 2)


def test_a_few_masks_are_drawn_anew_for_each_seed():
    samples = [toy([[i]]) for i in range(12)]
    drawn = [{int(s.labels[0, 0]) for s in trials.draw(samples, seed)} for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2] and len(drawn[0]) == 3
    assert len(trials.draw(samples[:3], 0)) == 2


def test_pictures_are_cut_into_squares_that_have_labels(monkeypatch):
    monkeypatch.setattr(
        pictures, "open_part", lambda name, count, told: open_dataset("stuff", supervision=told).take([0])
    )
    task = pictures.task_of(TASK | {"train": "one", "patch": 32, "images": 0, "longest": 16})
    parts = pictures.training_samples(task, "all masks")
    assert len(parts) > 1 and {s.image.shape for s in parts} == {(16, 16, 3)}
    assert all((s.labels != VOID).any() for s in parts)


def test_an_unknown_word_for_what_is_told_is_refused():
    with pytest.raises(ValueError, match="told must be of nothing"):
        pictures.task_of(TASK | {"told": ["everything"]})


def test_the_cut_of_the_grid_is_the_cheapest_labelling():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(2), size=(2, 3))
    found = refinements.potts_labels(p, 0.7)

    def cost(labels: np.ndarray) -> float:
        unary = -np.log(np.take_along_axis(p, labels[..., None], 2)).sum()
        return unary + 0.7 * ((np.diff(labels, axis=0) != 0).sum() + (np.diff(labels, axis=1) != 0).sum())

    every = [np.array(list(np.binary_repr(n, 6)), int).reshape(2, 3) for n in range(64)]
    assert cost(found) == pytest.approx(min(map(cost, every)))


def test_refinements_leave_a_sure_map_as_it_is():
    labels = np.zeros((12, 12), int)
    labels[:, 6:] = 1
    image = np.where(labels[..., None] == 1, 250, 5).astype(np.uint8).repeat(3, axis=2)
    sure = np.eye(2)[labels] * 0.98 + 0.01
    for name in (*refinements.ANY, refinements.LARGEST):
        assert (refinements.refine(name, sure, image, None) == labels).all(), name


def test_holm_by_hand():
    assert results.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert results.holm([0.5, np.nan, 0.9])[0] == 1 and np.isnan(results.holm([np.nan])[0])


def made(iou: list[float], kind: str = trials.CLASSES) -> dict[str, Any]:
    counts = np.array([[[round(100 * v), 100 - round(100 * v), 0], [0, 100, 0]] for v in iou])
    part = {"counts": counts} | {name: np.array(iou) for name in trials.MEASURES}
    scores = {way: {kind: part} for way in refinements.ANY}
    return {"scores": scores, "maps": [np.full((2, 2), i % 2) for i, _ in enumerate(iou)], "pictures": 10}


def test_tables_of_made_runs():
    runs = {
        "k-means": [made([0.2, 0.4, 0.3, 0.5], trials.EACH)] * 2,
        "NCUT-GCN": [made([0.3, 0.5, 0.4, 0.7], trials.EACH)] * 2,
        "k-means on features": [made([0.25, 0.5, 0.4, 0.6], trials.EACH)] * 2,
        "U-Net": [made([0.8, 0.9, 0.7, 0.9]), made([0.6, 0.7, 0.9, 0.7])],
    }
    best = {trials.EACH: made([0.9] * 4)["scores"][refinements.PLAIN][trials.CLASSES]}
    table = results.score_table(runs, best, 4, whole=False)
    assert table["method"].tolist()[0] == "ceiling of 4 clusters" and table["method"].tolist()[-1] == "U-Net"
    row = table.set_index("method").loc["U-Net"]
    assert row["IoU"] == pytest.approx(0.775) and row["seeds"] == 2
    assert row["std over seeds"] == pytest.approx(np.std([0.825, 0.725], ddof=1))
    counts = [run["scores"][refinements.PLAIN][trials.CLASSES]["counts"].sum(axis=0) for run in runs["U-Net"]]
    assert row["IoU over the set"] == pytest.approx(np.mean([mean_iou(iou_dataset(c)) for c in counts]))
    graphs = results.graph_table({"made": runs})
    assert graphs["graph"].tolist() == ["3: NCUT-GCN"]
    assert graphs["gain in IoU"][0] == pytest.approx(np.mean([0.05, 0, 0, 0.1]))
    nulls = results.null_table(runs)
    assert nulls.set_index("method").loc["NCUT-GCN", "gain in IoU"] == pytest.approx(0.125)
    combined = results.refinement_table({"made": runs})
    assert (combined["gain in IoU"] == 0).all() and len(combined) == 4 * 3
    bought = supervision.supervision_table({"made": runs})
    assert bought["method"].tolist() == ["NCUT-GCN", "U-Net"]
    assert bought["hours of a person"].tolist() == pytest.approx([0, 10 * 239.7 / 3600])
    assert results.disagreements(runs).tolist() == [0, 0, 0, 0]
    for figure in (
        figures.chart_graphs(graphs),
        figures.chart_supervision(bought),
        figures.chart_refinements(combined),
    ):
        figure.canvas.draw()
        plt.close(figure)


def test_what_an_interval_allows():
    assert [results.word(*span) for span in ((0.1, 0.2), (-0.1, 0.2), (-0.2, -0.1), (np.nan, np.nan))] == [
        "helps",
        "no difference seen",
        "harms",
        "no difference seen",
    ]


def test_jobs_are_those_that_a_task_may_be_told_and_methods_without_chance_run_once():
    asked = {"tasks": [TASK], "seeds": [0, 1], "recipe": RECIPE, "without": ["AC"]}
    found = [job.arguments for job in jobs.trained(asked)]
    assert {a["methods"][0] for a in found} == {
        name for name, m in methods.METHODS.items() if m.told in TASK["told"] and name != "AC"
    }
    assert [a["seed"] for a in found if a["methods"] == ["Otsu"]] == [0]
    assert [a["seed"] for a in found if a["methods"] == ["SGSeg"]] == [0, 1]
    assert len(jobs.experiments(asked)) == len(found) + 1


def test_a_click_lies_deep_in_the_largest_region_of_its_class():
    labels = np.zeros((20, 30), int)
    labels[2:18, 2:18], labels[0, 28], labels[:, 29] = 1, 1, VOID
    marked = clicks.click(labels, 2, np.random.default_rng(0))
    rows, columns = np.nonzero(marked == 1)
    assert len(rows) > 20 and ((rows - 9.5) ** 2 + (columns - 9.5) ** 2 < 9**2).all()
    assert (labels[marked != clicks.UNKNOWN] == marked[marked != clicks.UNKNOWN]).all()
    assert set(np.unique(marked)) == {clicks.UNKNOWN, 0, 1}


def test_likelihoods_of_clicks_by_hand():
    image = np.zeros((1, 3, 3), np.uint8)
    soft = clicks.likelihoods(image, np.array([[0, clicks.UNKNOWN, 1]]), 3)
    reach = clicks.PLACE * np.hypot(1, 3)
    assert soft[0, 1] == pytest.approx([0.5, 0.5, 0])
    assert soft[0, 0, 1] / soft[0, 0, 0] == pytest.approx(np.exp(-0.5 * (2 / reach) ** 2))


def test_a_cut_from_clicks_follows_the_border_that_the_nearest_click_misses():
    image = np.full((24, 24, 3), 100, np.uint8)
    image[:, 8:] = 150
    truth = (np.indices((24, 24))[1] >= 8).astype(int)
    rng = np.random.default_rng(0)
    noisy = np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
    marked = clicks.click(truth, 2, rng)
    wrong = {
        cut: (clicks.Clicked(2, cut).mark(marked).segment(noisy) != truth).mean() for cut in (True, False)
    }
    assert wrong[True] <= 0.02 < wrong[False]


def test_a_picture_without_clicks_is_refused():
    with pytest.raises(ValueError, match="call mark"):
        clicks.Clicked(2, True).segment(np.zeros((4, 4, 3), np.uint8))
