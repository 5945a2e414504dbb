"""Networks that the papers' notebooks keep: taken over, they say what they said where they were trained."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from segstudy.cache import VARIABLE, Cache
from segstudy.datasets import open_dataset
from segstudy.experiments.compare.methods import METHODS
from segstudy.experiments.compare.pictures import NOTHING
from segstudy.experiments.dgcn import kept as dgcn
from segstudy.experiments.dgcn import networks as dgcn_networks
from segstudy.experiments.graph_matching import kept as graph_matching
from segstudy.experiments.graph_matching import trainings
from segstudy.experiments.graph_matching.trainings import open_parts
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.parts import open_part
from segstudy.experiments.scgnet import jobs as scgnet_jobs
from segstudy.experiments.scgnet import kept as scgnet
from segstudy.experiments.scgnet import trials as scgnet_trials
from segstudy.experiments.sgseg import kept as sgseg
from segstudy.experiments.sgseg import trials as sgseg_trials
from segstudy.experiments.sgseg.pictures import pictures_of, setup_of
from segstudy.experiments.weights import filled, pictures_in, weights_of
from segstudy.metrics.iou import iou_per_image
from segstudy.nn.unet import UNet
from segstudy.papers.graph_matching.network import prepare
from segstudy.papers.scgnet.prediction import predict_labels
from segstudy.segmenter import Segmenter
from segstudy.study import records
from segstudy.study.project import load_project
from segstudy.study.records import ROOT

ROOMS = {"01_graph_matching": graph_matching, "02_sgseg": sgseg, "04_dgcn": dgcn, "05_scgnet": scgnet}


def values(notebook: str) -> dict[str, Any]:
    """Return a notebook's parameters in the smoke profile."""
    return load_project(ROOT).notebooks[notebook].values("smoke", {})


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def taken(notebook: str, cache: Cache) -> Iterator[tuple[KeptNetwork, Value, Segmenter]]:
    """Train and take over the first network of each method."""
    found: dict[str, KeptNetwork] = {}
    for network in ROOMS[notebook].networks(values(notebook)):
        found.setdefault(network.method, network)
    assert found
    for network in found.values():
        value = cache.run(network.experiment).value
        yield network, value, network.restored(value)


@pytest.mark.parametrize("notebook", ROOMS)
def test_kept_networks_are_named_as_in_the_comparison_and_have_a_card(notebook: str, cache: Cache):
    for network, value, segmenter in taken(notebook, cache):
        assert network.method in METHODS
        assert isinstance(segmenter, Segmenter)
        assert (segmenter.outputs == "clusters") == (METHODS[network.method].told == NOTHING)
        assert 0 <= network.score(value) <= 1
        assert network.learned_from in value["seen"]
        assert all(0 < len(names) == len(set(names)) for names in value["seen"].values())


@pytest.mark.parametrize(
    "notebook, trials",
    [
        ("01_graph_matching", trainings),
        ("02_sgseg", sgseg_trials),
        ("04_dgcn", dgcn_networks),
        ("05_scgnet", scgnet_trials),
    ],
)
def test_what_is_kept_of_a_network_changes_nothing_else(
    notebook: str, trials: ModuleType, cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    """Records that were made before weights were kept stay true."""
    network, value, _ = next(taken(notebook, cache))
    monkeypatch.setattr(trials, "weights_of", lambda network: {})
    monkeypatch.setattr(trials, "pictures_in", lambda *datasets: {})
    again = network.experiment.function(**network.experiment.arguments)
    other = {"state", "weights", "seen", "seconds"} & set(value)
    assert len(other) >= 2 and set(again) == set(value)
    for name in set(value) - {"state", "seen", "seconds"} - ({"weights"} if trials is trainings else set()):
        assert flat(again[name]) == flat(value[name]), name


def flat(value: Any) -> Any:
    """Return a result as it can be compared: arrays and tuples as lists, keys as text."""
    if isinstance(value, dict):
        return {str(key): flat(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [flat(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return repr(value.item() if isinstance(value, np.generic) else value)


def test_jobs_ask_for_the_trainings_that_they_asked_for():
    given = values("01_graph_matching")
    jobs = list(graph_matching.trained(given))
    asked = [(job.arguments["share"], job.arguments["seed"]) for job in jobs]
    assert asked == [(100, 0), (100, 1), (50, 0), (50, 1)]
    same = ("dataset", "size", "width", "epochs", "device", "precision")
    assert all(job.arguments[name] == given[name] for job in jobs for name in same)
    given = values("05_scgnet") | {"trunks": ["resnet18", "squeezenet"], "ablations": 2, "why": 2}
    trials = [
        job.arguments for job in scgnet_jobs.experiments(given) if job.function is scgnet_trials.train_trial
    ]
    without = [flat({k: v for k, v in arguments.items() if k != "keep"}) for arguments in trials]
    assert all(without.count(one) == 1 for one in without), "whether it is kept makes no training another one"
    kept = [(a["name"], a["seed"]) for a in trials if a["keep"]]
    assert sorted(kept) == sorted((name, seed) for name in scgnet_jobs.KEPT for seed in given["seeds"])
    assert {a["trunk"] for a in trials if a["keep"]} == {"resnet18"}


def test_a_u_net_of_notebook_01_validates_as_it_did(cache: Cache):
    _, validation, _ = open_parts("faces")
    for network, value, segmenter in taken("01_graph_matching", cache):
        pairs = [prepare(validation[i], segmenter.size) for i in value["validation"]]
        labels = [segmenter.segment(image) for image, _ in pairs]
        scores = iou_per_image([truth for _, truth in pairs], labels, len(validation.classes))
        assert np.nanmean(scores) == pytest.approx(network.score(value))


def test_networks_of_notebook_02_cluster_the_test_pictures_as_they_did(cache: Cache):
    for network, value, segmenter in taken("02_sgseg", cache):
        pictures = pictures_of(setup_of(network.experiment.arguments["setup"]))
        np.testing.assert_array_equal(segmenter.segment(pictures.test[0]), value["shown"][0])


def test_heads_of_notebook_04_label_the_test_pictures_as_they_did(cache: Cache):
    chain = dgcn.chain(values("04_dgcn"))
    tested = open_part(chain["test"], chain["images"], "none", chain["drawn"])
    for _, value, segmenter in taken("04_dgcn", cache):
        # Probabilities are enlarged here, logits there: borders may differ by a pixel.
        assert (segmenter.segment(tested[0].image) == value["shown"][0]).mean() > 0.98


def test_networks_of_notebook_05_label_the_test_pictures_as_they_did(cache: Cache):
    tested = open_dataset(values("05_scgnet")["dataset"], split="test")
    for _, value, segmenter in taken("05_scgnet", cache):
        windows = {"window": segmenter.size, "stride": segmenter.size // 2, "views": ("identity",)}
        rows, columns = value["labels"][0].shape
        labels = predict_labels(segmenter.model_, tested[0], **windows)
        np.testing.assert_array_equal(labels[:rows, :columns], value["labels"][0])


def test_a_notebook_takes_over_what_others_trained_and_nothing_else(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, str(cache.folder))
    monkeypatch.setenv(records.PROFILE, "smoke")
    first = [network.method for network, _, _ in taken("01_graph_matching", cache)]
    monkeypatch.setattr(records, "read_run", lambda folder: None)
    found = records.kept_networks(["01_graph_matching"], [0, 1])
    assert [(one.network.method, one.seed) for one in found] == [(method, 0) for method in first]
    assert records.kept_networks(["00_start_here", "03_gnn_clustering"], [0]) == [], "no networks to take"
    assert records.kept_networks(["01_graph_matching"], [1]) == [], (
        "that seed was not trained, and is not now"
    )


@pytest.mark.parametrize("width, count", [(2, 1), (3, 0)])
def test_networks_are_those_of_the_run_whose_record_is_there(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, width: int, count: int
):
    """A run may have had other parameters than its profile."""
    list(taken("01_graph_matching", cache))
    monkeypatch.setenv(VARIABLE, str(cache.folder))
    monkeypatch.setenv(records.PROFILE, "demo")
    made_with = values("01_graph_matching") | {"width": width, "a parameter of yesterday": 1}
    monkeypatch.setattr(records, "read_run", lambda folder: {"fingerprint": {"parameters": made_with}})
    assert len(records.kept_networks(["01_graph_matching"], [0])) == count


def test_networks_that_learned_from_data_that_are_not_here_are_not_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path
):
    monkeypatch.setenv(records.PROFILE, "real")
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path))
    assert records.kept_networks(["01_graph_matching", "04_dgcn", "05_scgnet"], [0]) == []


def test_weights_go_through_arrays_and_back():
    one, other = UNet(3, 2, 2), UNet(3, 2, 2)
    kept = weights_of(one)
    assert all(isinstance(value, np.ndarray) for value in kept.values())
    again = weights_of(filled(other, kept))
    assert not other.training
    assert all(np.array_equal(kept[name], again[name]) for name in kept)


def test_pictures_are_named_by_the_part_that_they_are_of():
    faces = open_dataset("faces", split="test")
    assert pictures_in(faces[:2]) == {"faces/test": [faces[0].name, faces[1].name]}
