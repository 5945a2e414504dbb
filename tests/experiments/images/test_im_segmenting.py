"""Label maps at the picture's own size, files that readers of masks take, names that do not collide."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from segstudy.baselines import KMeans, Otsu
from segstudy.datasets.masks import read_ids
from segstudy.experiments.images import reading, segmenting
from segstudy.experiments.piece_colours import PieceColours

quadrants = runpy.run_path(str(Path(__file__).with_name("pictures.py")))["quadrants"]


def parts(labels: np.ndarray) -> list[list[int]]:
    """Return the labels that each quadrant shows."""
    rows, columns = labels.shape[0] // 2, labels.shape[1] // 2
    return [
        np.unique(x).tolist()
        for half in (labels[:rows], labels[rows:])
        for x in (half[:, :columns], half[:, columns:])
    ]


@pytest.mark.parametrize("segmenter", [KMeans(4), PieceColours(4)], ids=["k-means", "SLIC + k-means"])
def test_four_quadrants_are_four_parts(segmenter):
    found = segmenting.segment_picture(segmenter, quadrants())
    assert found.labels.dtype == np.uint8 and found.soft is None
    assert sorted(sum(parts(found.labels), [])) == [0, 1, 2, 3]


def test_a_huge_picture_is_reduced_and_its_labels_come_back_by_nearest_neighbour(monkeypatch):
    monkeypatch.setattr(reading, "MOST", 32 * 48)
    image = quadrants(320, 480)
    found = segmenting.segment_picture(KMeans(4), image, soft=True)
    assert found.soft.shape == (32, 48, 4) and found.labels.shape == (320, 480)
    assert sorted(sum(parts(found.labels), [])) == [0, 1, 2, 3]
    note = segmenting.size_note((320, 480))
    assert "48 x 32 pixels, reduced from 480 x 320" in note and not segmenting.size_note((32, 48))


def test_a_tiny_picture_is_enlarged_and_has_its_own_size_again():
    image = np.array([[[0, 0, 0], [255, 255, 255]]] * 3, np.uint8)
    found = segmenting.segment_picture(Otsu(), image)
    np.testing.assert_array_equal(found.labels, [[0, 1]] * 3)
    assert "enlarged from 2 x 3" in segmenting.size_note((3, 2))


def test_soft_maps_and_labels_agree():
    hard, soft = (segmenting.segment_picture(KMeans(3), quadrants(), soft) for soft in (False, True))
    np.testing.assert_array_equal(hard.labels, soft.labels)
    np.testing.assert_array_equal(soft.soft.argmax(axis=2), soft.labels)
    np.testing.assert_allclose(soft.soft.sum(axis=2), 1)


def test_a_label_map_on_disk_is_a_mask(tmp_path):
    image = quadrants()
    found = segmenting.segment_picture(KMeans(4), image, soft=True)
    segmenting.write_segmentation(tmp_path, "a b", image, found)
    read = read_ids(tmp_path / "labels" / "a b.png", image.shape[:2], 4)
    np.testing.assert_array_equal(read, found.labels)
    np.testing.assert_array_equal(np.load(tmp_path / "soft" / "a b.npz")["probabilities"], found.soft)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a b.npz", "a b.png", "a b.png"]


def test_no_two_outputs_share_a_name():
    paths = [Path(name) for name in ("a/cat.jpg", "b/cat.png", "b/Cat.png", "cat-2.png", "dog.png")]
    names = segmenting.distinct_names(paths)
    assert names[0] == "cat" and names[-1] == "dog"
    assert len({name.casefold() for name in names}) == len(paths)
