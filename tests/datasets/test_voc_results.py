"""Predictions in the form that the VOC server takes."""

import tarfile

import numpy as np
import pytest
from PIL import Image

from segstudy.datasets.files import label_colours
from segstudy.datasets.masks import read_ids
from segstudy.datasets.voc_results import write_results


def test_what_is_written_is_read_back(tmp_path):
    labels = {"2008_000006": np.arange(21).reshape(3, 7), "2008_000008": np.zeros((4, 5), np.uint8)}
    archive = tmp_path / "results.tgz"
    written = write_results(labels.items(), archive)
    assert written[0] == "results/VOC2012/Segmentation/comp6_test_cls/2008_000006.png"
    with tarfile.open(archive) as bundle:
        bundle.extractall(tmp_path, filter="data")
    for path, values in zip(written, labels.values(), strict=True):
        assert read_ids(tmp_path / path, values.shape, 21).tolist() == values.tolist()
    with Image.open(tmp_path / written[0]) as picture:
        assert picture.mode == "P" and picture.getpalette()[:9] == label_colours(3).ravel().tolist()


def test_an_older_archive_stays_where_a_prediction_is_wrong(tmp_path):
    archive = tmp_path / "results.tgz"
    write_results([("a", np.zeros((2, 2), int))], archive, split="val", competition="comp5")
    before = archive.read_bytes()
    for wrong in (np.full((2, 2), 255), np.zeros((2, 2)), np.zeros(3, int)):
        with pytest.raises(ValueError, match="labels of 'b' must be"):
            write_results([("a", np.zeros((2, 2), int)), ("b", wrong)], archive)
    with pytest.raises(ValueError, match="each once"):
        write_results([("a", np.zeros((2, 2), int))] * 2, archive)
    with pytest.raises(ValueError, match="one picture or more"):
        write_results([], archive)
    assert archive.read_bytes() == before
