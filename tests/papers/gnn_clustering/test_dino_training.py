"""DINO's loop: the same seed, the same network; the teacher follows; what centring is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.datasets import open_dataset
from segstudy.experiments.gnn_clustering.dino_experiment import train_and_compare
from segstudy.nn import patch_features
from segstudy.papers.gnn_clustering.dino_training import train_dino
from segstudy.papers.gnn_clustering.dino_vit import restore

SMALL = {"size": 32, "view": 24, "width": 32, "depth": 1, "prototypes": 16, "epochs": 2, "batch": 4}


@pytest.fixture(scope="module")
def images():
    return [sample.image for sample in open_dataset("microbes", size=(32, 32), count=9)]


def test_the_same_seed_gives_the_same_network(images):
    first, again, other = (train_dino(images, **SMALL, seed=seed) for seed in (0, 0, 1))
    assert all((first.weights[name] == again.weights[name]).all() for name in first.weights)
    assert first.losses == again.losses != other.losses
    assert len(first.losses) == 2 and len(first.output_entropy) == 4  # an incomplete batch is left out


def test_the_teacher_moves_and_its_first_weights_are_kept(images):
    run = train_dino(images, **SMALL)
    moved = [np.abs(run.weights[name] - run.initial[name]).max() for name in run.weights]
    assert 0 < max(moved) < 0.2
    still = train_dino(images, **SMALL, momentum=1.0)
    assert all((still.weights[name] == still.initial[name]).all() for name in still.weights)


def test_entropies_lie_between_the_limits(images):
    run = train_dino(images, **SMALL)
    assert run.limit == pytest.approx(np.log(16))
    for one, mean in zip(run.output_entropy, run.mean_entropy, strict=True):
        assert 0 <= one <= mean + 1e-6 <= run.limit + 2e-6


def test_only_a_balanced_centre_keeps_a_sharp_teacher_from_preferring_some_outputs():
    images = [sample.image for sample in open_dataset("microbes", size=(32, 32), count=32)]
    options = SMALL | {"batch": 16, "epochs": 15, "learning_rate": 5e-3, "momentum": 0.5, "seed": 1}
    bare, mean, balanced = (
        np.mean(train_dino(images, **options, temperatures=(0.1, 0.01), centring=kind).mean_entropy[-4:])
        for kind in ("none", "mean", "balanced")
    )
    assert max(bare, mean) + 0.1 < balanced <= np.log(16)


def test_the_network_is_one_of_timm_and_gives_keys(images):
    model = restore(train_dino(images, **SMALL).weights)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 32)
    assert patch_features(images[:2], model, grid=(4, 4)).values.shape == (2, 16, 32)


def test_the_experiment():
    found = train_and_compare(16, 1, 16, 0, "cpu")
    assert 0 <= found["knn_trained"] <= 1 and 0 <= found["attention_iou"] <= 1
    assert found["attention"].shape[1:] == (8, 8) and found["image"].shape == (64, 64, 3)


def test_bad_input_is_named(images):
    with pytest.raises(ValueError, match="at least 2"):
        train_dino(images[:1], **SMALL)
    with pytest.raises(ValueError, match="at least 2"):
        train_dino(images, **SMALL | {"batch": 1})
    with pytest.raises(ValueError, match="momentum"):
        train_dino(images, **SMALL, momentum=1.5)
    with pytest.raises(ValueError, match="centring must be one of"):
        train_dino(images, **SMALL, centring="sinkhorn")
    with pytest.raises(ValueError, match="view must be a multiple of patch, 8 pixels, got 20"):
        train_dino(images, **SMALL | {"view": 20})
