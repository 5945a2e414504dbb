"""Networks that the papers' notebooks keep: taken over, they say what they said where they were trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from segstudy.cache import Cache
from segstudy.datasets import open_dataset
from segstudy.experiments.compare.methods import METHODS
from segstudy.experiments.compare.pictures import NOTHING
from segstudy.experiments.dgcn import kept as dgcn
from segstudy.experiments.graph_matching import kept as graph_matching
from segstudy.experiments.graph_matching.trainings import open_parts
from segstudy.experiments.kept import KeptNetwork, Value
from segstudy.experiments.parts import open_part
from segstudy.experiments.scgnet import kept as scgnet
from segstudy.experiments.sgseg import kept as sgseg
from segstudy.experiments.sgseg.pictures import pictures_of, setup_of
from segstudy.experiments.weights import filled, pictures_in, weights_of
from segstudy.metrics.iou import iou_per_image
from segstudy.nn.unet import UNet
from segstudy.papers.graph_matching.network import prepare
from segstudy.papers.scgnet.prediction import predict_labels
from segstudy.segmenter import Segmenter
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
