"""What the notebook computes, on a few generated pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.papers.gnn_clustering import PRESETS, GNNClustering, Settings, ncut_loss
from segstudy.papers.gnn_clustering import experiments as lists
from segstudy.papers.gnn_clustering.beyond import cosegment, likeness, smoothing
from segstudy.papers.gnn_clustering.foreground import oracle_iou
from segstudy.papers.gnn_clustering.graphs import affinity
from segstudy.papers.gnn_clustering.null_baselines import EVERYTHING, baseline_set
from segstudy.papers.gnn_clustering.pictures import DINO_WEIGHTS, open_part, open_pictures
from segstudy.papers.gnn_clustering.runs import cluster_set, hard_objective, method
from segstudy.papers.gnn_clustering.supervised import halves, supervised
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
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path))
    with pytest.raises(StudyError, match="SqueezeNet"):
        open_pictures(DATA, 2, "squeezenet")


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
    jobs = lists.experiments(parameters)
    assert len({job.key() for job in jobs}) >= 2 * 8 * 2  # the tables, and what differs from them
    plain = lists.experiments(parameters | {"beyond": False, "epochs": 0, "dino": {}, "compared": []})
    assert len(plain) == 2 * 8 * 2 + 2
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


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("grey", [0, 50, 128, 255])
def test_a_picture_of_one_colour_is_one_cluster(preset, grey):
    segmenter = GNNClustering(settings=PRESETS[preset], grid=(4, 5))
    for channels in (1, 3):
        image = np.full((32, 40, channels), grey, dtype=np.uint8)
        found = segmenter.probabilities(image)
        assert (
            found.shape == (32, 40, segmenter.k) and (found[..., 0] == 1).all() and not found[..., 1:].any()
        )
