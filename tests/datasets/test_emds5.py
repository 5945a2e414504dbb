"""EMDS-5: the threshold, kinds out of names, and the real microorganisms."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from miniatures import photograph, save, truncate, write_emds5

from segstudy.datasets import open_dataset
from segstudy.datasets.emds5 import ORGANISMS
from segstudy.errors import MissingData, StudyError

MASK = "emds5/EMDS5-GTM/EMDS5-g01-01-GTM.png"
PICTURE = "emds5/EMDS5-Original/EMDS5-g01-01.png"


@pytest.fixture
def written(tmp_path):
    return write_emds5(tmp_path)


def test_pairs(tmp_path, written):
    dataset = open_dataset("emds5", tmp_path)
    assert [sample.name for sample in dataset] == sorted(written)
    for sample in dataset:
        image, labels = written[sample.name]
        assert (sample.image == image).all()
        assert (sample.labels == labels).all()
    assert dataset.classes == ("background", "microorganism")
    assert dataset.note == "3 of 420 published pictures found"


def test_the_threshold_lies_between_127_and_128(tmp_path, written):
    assert open_dataset("emds5", tmp_path)[0].labels[7, 3:12].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("supervision", ["full", "image"])
def test_the_name_tells_the_kind(tmp_path, written, supervision):
    dataset = open_dataset("emds5", tmp_path, supervision=supervision)
    kinds = [[dataset.image_classes[kind] for kind in sample.image_labels] for sample in dataset]
    assert kinds == [["Actinophrys"], ["Actinophrys"], ["Synchaeta"]]
    assert len(ORGANISMS) == 21


def test_kinds_need_no_mask(tmp_path, written):
    shutil.rmtree(tmp_path / "emds5/EMDS5-GTM")
    assert open_dataset("emds5", tmp_path, supervision="image")[2].image_labels == {21}
    with pytest.raises(StudyError, match=r"EMDS5-g01-01\.png has no mask"):
        open_dataset("emds5", tmp_path)


def test_an_unpacked_archive(tmp_path, written):
    for folder in ("EMDS5-Original", "EMDS5-GTM"):
        shutil.move(tmp_path / "emds5" / folder, tmp_path / "emds5/EMDS-5-HEAD" / folder)
    assert open_dataset("emds5", tmp_path)[0].labels.sum() == written["EMDS5-g01-01"][1].sum()


def test_no_picture(tmp_path, written):
    for path in (tmp_path / "emds5/EMDS5-Original").iterdir():
        path.unlink()
    with pytest.raises(MissingData, match=r"EMDS5-g01-01\.png is missing"):
        open_dataset("emds5", tmp_path)


@pytest.mark.parametrize("name", ["EMDS5-g22-01.png", "EMDS5-g00-01.png", "holiday.png"])
def test_a_name_without_a_kind(tmp_path, written, name):
    save(tmp_path / "emds5/EMDS5-Original" / name, photograph(0, 4, 4))
    save(tmp_path / "emds5/EMDS5-GTM" / name.replace(".png", "-GTM.png"), photograph(0, 4, 4))
    with pytest.raises(StudyError, match=f"{name} is not named like"):
        open_dataset("emds5", tmp_path)


def test_a_missing_mask(tmp_path, written):
    (tmp_path / MASK).unlink()
    with pytest.raises(StudyError, match=r"EMDS5-g01-01-GTM\.png is missing"):
        open_dataset("emds5", tmp_path)


def test_a_mask_of_another_size(tmp_path, written):
    save(tmp_path / MASK, np.zeros((24, 35), np.uint8))
    with pytest.raises(StudyError, match=r"g01-01-GTM\.png is 35 x 24 pixels; expected 36 x 24"):
        _ = open_dataset("emds5", tmp_path)[0].labels


@pytest.mark.parametrize("path", [MASK, PICTURE])
def test_a_corrupted_file(tmp_path, written, path):
    truncate(tmp_path / path)
    sample = open_dataset("emds5", tmp_path)[0]
    with pytest.raises(StudyError, match=r"g01-01(-GTM)?\.png cannot be read as a picture"):
        _ = sample.image, sample.labels


def test_real_microorganisms(data_root):
    dataset = open_dataset("emds5", data_root)
    if len(dataset) != 420:  # the whole data set would do as well
        assert len(dataset) == 168
    assert dataset.note == f"{len(dataset)} of 420 published pictures found"
    kinds = [kind for sample in dataset for kind in sample.image_labels]
    assert np.bincount(kinds).tolist() == [0] + [len(dataset) // 21] * 21
    for sample in dataset[::4]:
        labels = sample.labels
        assert sample.image.shape == (*labels.shape, 3)
        assert set(np.unique(labels)) == {0, 1}, sample.name
