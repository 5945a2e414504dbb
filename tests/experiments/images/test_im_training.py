"""Networks trained on a user's folder, kept as checkpoints, and the same again when read back."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segstudy.errors import StudyError
from segstudy.experiments.images import networks, training
from segstudy.experiments.images.checkpoints import load_checkpoint, load_segmenter, save_checkpoint
from segstudy.experiments.images.own_folder import open_own
from segstudy.experiments.images.training import score, train_on_folder, worked_sample

quadrants = runpy.run_path(str(Path(__file__).with_name("pictures.py")))["quadrants"]
SMALL = {
    "unet": {"size": [32, 48], "width": 2},
    "scgnet": {"size": 40, "patches": 2, "backbone": networks.TRUNK},
    "dgcn": {"trunk": networks.TRUNK, "side": 65},
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def folder(tmp_path):
    """Make five pictures of four quadrants, each a class; in two of them the last class is missing."""
    for part in ("images", "masks"):
        (tmp_path / "own" / part).mkdir(parents=True)
    for index in range(5):
        image = quadrants()
        labels = np.zeros(image.shape[:2], np.uint8)
        labels[:20, 30:], labels[20:, 30:] = 1, 2
        if index % 2:
            labels[20:, 30:], image[20:, 30:] = 0, 0
        Image.fromarray(image).save(tmp_path / "own" / "images" / f"{index}.png")
        Image.fromarray(labels).save(tmp_path / "own" / "masks" / f"{index}.png")
    return tmp_path / "own"


@pytest.mark.parametrize("name", networks.TRAINABLE)
def test_a_checkpoint_read_back_scores_what_its_card_says(folder, monkeypatch, name):
    small = replace(networks.TRAINABLE[name], options=lambda sizes: SMALL[name])
    monkeypatch.setitem(networks.TRAINABLE, name, small)
    card, state = train_on_folder(name, folder, epochs=1, seed=3, device="cpu")
    path = folder / "a.pt"
    save_checkpoint(path, card, state)
    kept, segmenter = load_segmenter(path)
    assert kept == card and card["method"] == name and card["seed"] == 3 and card["epochs"] == 1
    dataset = open_own(folder, "full")
    held = [sample for sample in dataset if sample.name in card["data"]["held out"]]
    assert len(held) == 1 and card["scores"]["n"] == 1 and card["scores"]["std"] is None
    np.testing.assert_allclose(score(segmenter, held, dataset)["values"], card["scores"]["values"])
    assert segmenter.probabilities(held[0].image).shape == (40, 60, 3)


def test_a_u_net_learns_the_quadrants_and_the_spread_is_over_held_out_pictures(folder, monkeypatch):
    monkeypatch.setattr(training, "HELD_OUT", 0.4)
    card, _ = train_on_folder("unet", folder, epochs=40, seed=0, device="cpu")
    values = card["scores"]["values"]
    assert card["scores"]["n"] == 2 and card["scores"]["std"] == pytest.approx(np.std(values, ddof=1))
    assert card["scores"]["mean"] > 0.5  # all background: at most 0.38


def test_without_masks_nothing_is_scored(folder, monkeypatch):
    small = replace(networks.TRAINABLE["dgcn"], options=lambda sizes: SMALL["dgcn"])
    monkeypatch.setitem(networks.TRAINABLE, "dgcn", small)
    for path in (folder / "masks").iterdir():
        path.unlink()
    (folder / "masks").rmdir()
    (folder / "classes.csv").write_text("".join(f"{i}.png,red\n" for i in range(5)))
    card, _ = train_on_folder("dgcn", folder, epochs=1, seed=0, device="cpu")
    assert card["scores"] is None and card["classes"] == ["background", "red"]


def test_networks_fit_the_pictures_they_are_set_up_for():
    sizes = np.array([(600, 800), (610, 790), (90, 100)])
    assert networks.TRAINABLE["unet"].options(sizes) == {"size": [192, 256], "width": networks.WIDTH}
    assert networks.TRAINABLE["scgnet"].options(sizes)["size"] == 90


def test_large_pictures_and_their_labels_are_reduced_together(folder, monkeypatch):
    from segstudy.experiments.images import reading

    monkeypatch.setattr(reading, "MOST", 32 * 48)
    small = worked_sample(open_own(folder, "full")[0])
    assert small.image.shape == (32, 48, 3) and small.labels.shape == (32, 48)
    np.testing.assert_array_equal(np.unique(small.labels), [0, 1, 2])
    image, labels = small.read((3, 4, 5, 6))
    np.testing.assert_array_equal(image, small.image[3:8, 4:10])
    assert labels.shape == (5, 6)


def test_what_cannot_be_trained_is_said(folder):
    with pytest.raises(StudyError, match="not trained on labels"):
        train_on_folder("kmeans", folder, None, 0, "cpu")
    for index in (0, 1):
        (folder / "images" / f"{index}.png").unlink()
        (folder / "masks" / f"{index}.png").unlink()
    with pytest.raises(StudyError, match="at least 4"):
        train_on_folder("unet", folder, None, 0, "cpu")


def test_another_file_is_no_checkpoint(tmp_path):
    torch.save({"card": {}}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("no")
    (tmp_path / "empty.pt").touch()
    for name in ("other.pt", "text.pt", "empty.pt"):
        with pytest.raises(StudyError, match=f"{name} is no checkpoint"):
            load_checkpoint(tmp_path / name)
