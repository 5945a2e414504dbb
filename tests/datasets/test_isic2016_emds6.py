"""ISIC 2016 and EMDS-6 on small copies of their layouts: neither is at hand."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import photograph, save

from segstudy.datasets import open_dataset
from segstudy.errors import MissingData, StudyError

ISIC = "isic2016/ISBI2016_ISIC_Part3B_Training_Data"


def mask(rng):
    labels = np.zeros((24, 32), dtype=np.uint8)
    labels[5:15, 8:20] = 1
    return labels


@pytest.fixture
def isic(tmp_path, rng):
    images = {}
    for name in ("ISIC_0000002", "ISIC_0000000"):
        images[name] = photograph(int(name[-1]), 24, 32)
        save(tmp_path / ISIC / f"{name}.png", images[name])
        (tmp_path / ISIC / f"{name}.png").rename(tmp_path / ISIC / f"{name}.jpg")
        save(tmp_path / ISIC / f"{name}_Segmentation.png", 255 * mask(rng))
    return images


@pytest.fixture
def emds(tmp_path, rng):
    for kind, count in (("Actinophrys", 2), ("Arcella", 1)):
        for number in range(count):
            stem = f"EMDS6-{kind}-{number:03d}"
            save(tmp_path / "emds6/EMDS5-Original" / kind / f"{stem}.png", photograph(0, 24, 32))
            save(tmp_path / "emds6/EMDS5-Ground Truth" / kind / f"{stem}-GTM.png", 255 * mask(rng))


def test_isic_pairs(tmp_path, isic, rng):
    dataset = open_dataset("isic2016", tmp_path)
    assert [sample.name for sample in dataset] == sorted(isic)
    assert (dataset[1].image == isic["ISIC_0000002"]).all()
    assert (dataset[0].labels == mask(rng)).all()
    assert dataset.classes == ("background", "lesion") and dataset.note.startswith("2 of 900")


def test_isic_without_a_mask(tmp_path, isic):
    (tmp_path / ISIC / "ISIC_0000000_Segmentation.png").unlink()
    with pytest.raises(StudyError, match="ISIC_0000000"):
        open_dataset("isic2016", tmp_path)
    assert open_dataset("isic2016", tmp_path, supervision="none")[0].labels is None


def test_emds6_pairs_and_kinds(tmp_path, emds, rng):
    dataset = open_dataset("emds6", tmp_path)
    assert [min(sample.image_labels) for sample in dataset] == [1, 1, 2]
    assert dataset.image_classes == ("background", "Actinophrys", "Arcella")
    assert all((sample.labels == mask(rng)).all() for sample in dataset)
    assert dataset.note == "3 of 840 published pictures found"


def test_emds6_with_a_mask_too_few(tmp_path, emds):
    next((tmp_path / "emds6/EMDS5-Ground Truth/Actinophrys").iterdir()).unlink()
    with pytest.raises(StudyError, match="2 pictures and 1 masks"):
        open_dataset("emds6", tmp_path)
    assert len(open_dataset("emds6", tmp_path, supervision="image")) >= 1


@pytest.mark.parametrize("name", ["isic2016", "emds6"])
def test_absent(tmp_path, name):
    with pytest.raises(MissingData, match="unpack it in"):
        open_dataset(name, tmp_path)


@pytest.mark.parametrize("name", ["isic2016", "emds6"])
def test_unknown_split(tmp_path, name):
    with pytest.raises(ValueError, match="split"):
        open_dataset(name, tmp_path, split="test")
