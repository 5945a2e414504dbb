"""File names of other systems: not UTF-8, taken apart, and what a Mac or a disk puts beside the files."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from miniatures import photograph, quadrants, save, write_emds5, write_folder

from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.fingerprint import tree_files

COMPOSED, APART = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))


def write(root, picture, mask):
    image = photograph(0, 6, 8)
    save(root / f"images/{picture}.png", image)
    save(root / f"masks/{mask}.png", quadrants(6, 8))
    return image


def test_names_that_are_not_utf8(tmp_path):
    stem = os.fsdecode(b"caf\xe9")
    try:
        image = write(tmp_path, stem, stem)
    except OSError:
        pytest.skip("this file system has UTF-8 names alone")
    dataset = open_dataset("folder", tmp_path)
    assert dataset[0].name.encode() == b"caf\\xe9"  # it can be printed
    assert (dataset[0].image == image).all() and (dataset[0].labels == quadrants(6, 8)).all()
    assert len(dataset.fingerprint()) == 64


@pytest.mark.parametrize(("picture", "mask"), [(COMPOSED, APART), (APART, COMPOSED)])
def test_composed_and_decomposed_names_pair(tmp_path, picture, mask):
    write(tmp_path, picture, mask)
    (sample,) = open_dataset("folder", tmp_path)
    assert sample.name == COMPOSED
    assert (sample.labels == quadrants(6, 8)).all()


def test_two_spellings_of_one_name_are_told_apart(tmp_path):
    write(tmp_path, COMPOSED, COMPOSED)
    save(tmp_path / f"images/{APART}.png", photograph(1, 6, 8))
    with pytest.raises(StudyError, match=r"spelt 'cafe\\u0301' and 'caf\\xe9'"):
        open_dataset("folder", tmp_path)


def test_what_a_mac_puts_beside_the_files(tmp_path):
    write_folder(tmp_path)
    before = open_dataset("folder", tmp_path)
    for folder in ("images", "masks"):
        (tmp_path / folder / "._cat.png").write_bytes(b"attributes")
    after = open_dataset("folder", tmp_path)
    assert [sample.name for sample in after] == ["cat", "dog"]
    assert after.fingerprint() == before.fingerprint()


def test_what_a_mac_puts_beside_a_published_set(tmp_path):
    written = write_emds5(tmp_path)
    for path in [*tmp_path.rglob("*.png")]:
        (path.parent / f"._{path.name}").write_bytes(b"attributes")
    (tmp_path / "emds5/EMDS5-Original").rename(tmp_path / "emds5/x")
    (tmp_path / "emds5/__MACOSX/EMDS5-Original").mkdir(parents=True)
    (tmp_path / "emds5/aside").mkdir()
    (tmp_path / "emds5/x").rename(tmp_path / "emds5/aside/EMDS5-Original")
    (tmp_path / "emds5/EMDS5-GTM").rename(tmp_path / "emds5/aside/EMDS5-GTM")
    dataset = open_dataset("emds5", tmp_path)
    assert [sample.name for sample in dataset] == sorted(written)
    assert all(np.array_equal(sample.image, written[sample.name][0]) for sample in dataset)


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "lost+found").mkdir()
    kept = save(tmp_path / "voc/a.png", photograph(0, 4, 4))
    iterdir = Path.iterdir

    def guarded(self):
        if self.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(self))
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", guarded)
    assert tree_files(tmp_path) == [kept]
