"""Masks are labels and no pictures: transparency, sorted palettes, and one right value for each."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import photograph, quadrants, save
from PIL import Image

from segstudy.datasets import VOID, open_dataset
from segstudy.datasets.files import label_colours
from segstudy.datasets.masks import read_colours, read_grey, read_ids
from segstudy.errors import StudyError

SIZE = (6, 8)
OBJECT = quadrants(*SIZE, (0, 255, 255, 0))


def save_indices(path, indices, colours):
    """A palette PNG of these indices, whose first entries are `colours`."""
    picture = Image.new("P", indices.shape[::-1])
    picture.putpalette(np.asarray(colours, np.uint8).ravel().tolist())
    picture.putdata(indices.ravel().tolist())
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


class TestTransparency:
    """A black background that is transparent and a white object that is not: alpha on white would be white all over."""

    def write(self, path, mode):
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode == "P":
            save_indices(path, OBJECT // 255, [(0, 0, 0), (255, 255, 255)])
            Image.open(path).save(path, transparency=0)
        elif mode == "L":
            Image.fromarray(OBJECT).save(path, transparency=0)
        else:
            colours = [OBJECT] * (len(mode) - 1)
            Image.fromarray(np.dstack([*colours, OBJECT])).save(path)
        return path

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L"])
    def test_it_is_ignored_where_colours_tell_the_classes(self, tmp_path, mode):
        path = self.write(tmp_path / "masks/a.png", mode)
        assert (read_colours(path, SIZE) == OBJECT[..., None]).all()
        assert (read_grey(path, SIZE) == OBJECT).all()
        save(tmp_path / "images/a.png", photograph(0, *SIZE))
        colours = {"background": (0, 0, 0), "object": (255, 255, 255)}
        (sample,) = open_dataset("folder", tmp_path, colours=colours)
        assert (sample.labels == OBJECT // 255).all()

    def test_ids_with_alpha(self, tmp_path):
        ids = quadrants(*SIZE)
        path = save(tmp_path / "a.png", np.dstack([ids, np.where(ids == 0, 0, 255).astype(np.uint8)]))
        assert Image.open(path).mode == "LA"
        assert (read_ids(path, SIZE, 4) == ids).all()

    @pytest.mark.parametrize("read", [read_grey, read_colours, lambda path, size: read_ids(path, size, 2)])
    def test_it_is_refused_where_it_alone_tells_them(self, tmp_path, read):
        path = save(tmp_path / "a.png", np.dstack([np.full(SIZE, 255, np.uint8), OBJECT]))
        with pytest.raises(
            StudyError, match=r"a\.png shows the colour \(255, 255, 255\) both more and less tr"
        ):
            read(path, SIZE)

    def test_a_tiff(self, tmp_path):
        path = save(tmp_path / "a.tif", np.dstack([OBJECT] * 4))
        assert (read_colours(path, SIZE) == OBJECT[..., None]).all()


class TestPalettes:
    ORDER = np.array([3, 4, 2, 1, 0])
    IDS = np.random.default_rng(0).integers(0, 5, SIZE)
    STORED = np.argsort(ORDER)[IDS]  # ORDER[STORED] == IDS

    @pytest.mark.parametrize("ids", [np.arange(5), np.array([0, 2, 5, 17, VOID])])
    @pytest.mark.parametrize("kind", ["grey", "voc"])
    def test_a_sorted_palette_means_its_colours(self, tmp_path, kind, ids):
        table = {"grey": np.arange(256)[:, None].repeat(3, 1), "voc": label_colours(256)}[kind]
        path = save_indices(tmp_path / "masks/a.png", self.STORED, table[ids[self.ORDER]])
        assert (read_ids(path, SIZE, 18) == ids[self.IDS]).all()
        assert (read_ids(path, SIZE, 18, window=(1, 2, 3, 4)) == ids[self.IDS][1:4, 2:6]).all()

    def test_in_a_folder(self, tmp_path):
        save(tmp_path / "images/a.png", photograph(0, *SIZE))
        grey = self.ORDER[:, None].repeat(3, 1)
        save_indices(tmp_path / "masks/a.png", self.STORED, grey)
        (sample,) = open_dataset("folder", tmp_path)
        assert (sample.labels == self.IDS).all()

    def test_an_identity_stays(self, tmp_path):
        """7 is (128, 128, 128) in VOC's palette, where all that is used happens to be grey."""
        ids = quadrants(*SIZE, (0, 7, 7, 0))
        path = save_indices(tmp_path / "a.png", ids, label_colours(256))
        assert (read_ids(path, SIZE, 21) == ids).all()

    @pytest.mark.parametrize(
        "colours",
        [[(128, 64, 128), (244, 35, 232), (70, 70, 70), (1, 2, 3)], [(0, 0, 0), (192, 192, 192)] * 2],
        ids=["another palette", "grey and VOC's at once"],
    )
    def test_what_can_be_read_in_two_ways_is_refused(self, tmp_path, colours):
        path = save_indices(tmp_path / "a.png", quadrants(*SIZE), colours)
        with pytest.raises(StudyError) as refused:
            read_ids(path, SIZE, 255)
        assert "[0, 1, 2, 3]" in str(refused.value) and str(colours[1]) in str(refused.value)

    def test_an_index_beyond_the_palette(self, tmp_path):
        path = save_indices(tmp_path / "a.bmp", quadrants(*SIZE, (0, 1, 2, 2)), label_colours(3))
        content = bytearray(path.read_bytes())
        content[-1] = 200
        path.write_bytes(content)
        with pytest.raises(StudyError, match="uses entry 200 of a palette of"):
            read_ids(path, SIZE, 255)
