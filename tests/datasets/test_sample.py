"""Samples and data sets: what may be seen, windows, slices, fingerprints."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from miniatures import photograph, quadrants, save, write_folder, write_voc

from segstudy.datasets import VOID, Dataset, Sample, open_dataset
from segstudy.datasets.card import Card
from segstudy.datasets.files import crop
from segstudy.datasets.sample import present_classes
from segstudy.errors import StudyError

CARD = Card("toy", "a toy", "noise", "few", "none", "none", "none", "none", "none")
IMAGE, LABELS = photograph(0, 10, 14), quadrants(10, 14, (0, 1, 2, VOID))


def generated(count: int = 5, supervision: str = "full", **changes) -> Dataset:
    samples = [
        Sample(f"s{i}", partial(crop, np.roll(IMAGE, i)), partial(crop, LABELS), **changes)
        for i in range(count)
    ]
    return Dataset(
        "toy",
        split="all",
        supervision=supervision,
        samples=samples,
        classes=("a", "b", "c"),
        colours=np.eye(3) * 255,
        card=CARD,
        note="all of it",
    )


def masks_within(thing: object) -> list[str]:
    """Where a label map can be reached from `thing` by public attributes, and by methods without arguments."""
    found = []
    for name in (name for name in dir(thing) if not name.startswith("_")):
        value = getattr(thing, name)
        if callable(value):
            try:
                value = value()
            except TypeError:
                continue
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape == LABELS.shape:
            found.append(name)
    return found


class TestSupervision:
    def test_the_search_for_masks_finds_one_when_there_is_one(self):
        assert masks_within(generated()[0]) == ["labels"]

    @pytest.mark.parametrize("supervision", ["image", "none"])
    def test_no_mask_below_full(self, supervision):
        dataset = generated(supervision=supervision)
        for sample in [dataset[0], dataset[1:][0], dataset.take([2])[0], next(iter(dataset))]:
            assert sample.labels is None
            assert sample.read((0, 0, 2, 2))[1] is None
            assert masks_within(sample) == []
            assert sample.restricted("full").labels is None
            held = [value for value in vars(sample).values() if value is not sample._read_image]
            assert not any(isinstance(value, partial) for value in held)

    @pytest.mark.parametrize("supervision", ["image", "none"])
    def test_mask_files_are_not_named(self, tmp_path, supervision):
        write_voc(tmp_path)
        dataset = open_dataset("voc", tmp_path, "train", supervision)
        assert {path.suffix for path in dataset.files()} == {".jpg"}
        assert ".png" not in repr([vars(sample) for sample in dataset])

    def test_image_labels(self):
        assert generated()[0].image_labels == {0, 1, 2}  # void is no class
        assert generated(supervision="image")[0].image_labels == {0, 1, 2}
        assert generated(supervision="none")[0].image_labels is None

    def test_image_labels_given_by_the_loader_win(self):
        given_labels = frozenset({7})
        assert generated(image_labels=given_labels)[0].image_labels == {7}
        assert generated(supervision="image", image_labels=given_labels)[0].image_labels == {7}
        assert generated(supervision="none", image_labels=given_labels)[0].image_labels is None

    def test_image_labels_are_computed_once(self):
        reads = []

        def read_labels(window):
            reads.append(window)
            return LABELS

        sample = Sample("s", partial(crop, IMAGE), read_labels).restricted("image")
        assert reads == []
        assert sample.image_labels == sample.image_labels == {0, 1, 2}
        assert reads == [None]

    @pytest.mark.parametrize("supervision", ["full", "image", "none"])
    def test_pickles(self, tmp_path, supervision):
        write_voc(tmp_path)
        dataset = open_dataset("voc", tmp_path, "train", supervision)
        dumped = pickle.dumps(dataset)
        copy = pickle.loads(dumped)
        assert (b"2007_000039.png" in dumped) == (supervision == "full")
        assert copy.fingerprint() == dataset.fingerprint()
        assert copy[0].image_labels == dataset[0].image_labels
        assert (copy[0].labels is None) == (supervision != "full")

    def test_unknown_supervision(self):
        with pytest.raises(ValueError, match="supervision 'ful'.*did you mean 'full'"):
            generated(supervision="ful")


class TestWindows:
    @settings(max_examples=50, deadline=None)
    @given(st.tuples(st.integers(-2, 12), st.integers(-2, 16), st.integers(-1, 12), st.integers(-1, 16)))
    def test_a_window_is_what_the_pixels_say_or_an_error(self, window):
        row, column, height, width = window
        wanted = {(r, c) for r in range(row, row + height) for c in range(column, column + width)}
        everywhere = {(r, c) for r in range(10) for c in range(14)}
        sample = generated(1)[0]
        if not wanted or not wanted <= everywhere:
            with pytest.raises(ValueError, match="window"):
                sample.read(window)
            return
        image, labels = sample.read(window)
        assert image.shape == (height, width, 3)
        assert labels.shape == (height, width)
        for r, c in wanted:
            assert (image[r - row, c - column] == IMAGE[r, c]).all()
            assert labels[r - row, c - column] == LABELS[r, c]

    @pytest.mark.parametrize("window", [(0, 0, 4), (0, 0, 2.5, 3), 7, "0044"])
    def test_what_is_no_window(self, window):
        with pytest.raises(ValueError, match="four integers"):
            generated(1)[0].read(window)

    def test_a_window_does_not_keep_the_picture(self):
        assert generated(1)[0].read((0, 0, 2, 2))[0].base is None


class TestSizes:
    """A picture of 10 x 14 and labels of 14 x 10 are refused, whichever is read first."""

    def sample(self, **known):
        return Sample("s", partial(crop, IMAGE), partial(crop, LABELS.T), **known)

    @pytest.mark.parametrize("order", [("image", "labels"), ("labels", "image"), ("size", "image_labels")])
    def test_in_any_order(self, order):
        sample = self.sample()
        getattr(sample, order[0])
        with pytest.raises(StudyError, match=r"picture and labels of 's' differ in size.*\(1[04], 1[04]\)"):
            getattr(sample, order[1])

    def test_labels_alone_where_the_size_is_known(self):
        with pytest.raises(StudyError, match=r"\(14, 10\) and \(10, 14\)"):
            _ = self.sample(read_size=lambda: (10, 14)).labels


class TestSequence:
    def test_order_slices_and_ends(self):
        dataset = generated(5)
        assert [sample.name for sample in dataset] == ["s0", "s1", "s2", "s3", "s4"]
        assert [sample.name for sample in dataset[3:0:-2]] == ["s3", "s1"]
        assert dataset[np.int64(-1)].name == "s4"
        assert [sample.name for sample in dataset.take([4, 0])] == ["s4", "s0"]
        with pytest.raises(IndexError):
            dataset[5]
        with pytest.raises(TypeError):
            dataset[1.0]

    def test_a_slice_keeps_what_the_data_set_says(self):
        dataset = generated(5, "image")
        part = dataset[:2]
        assert isinstance(part, Dataset)
        assert (part.name, part.split, part.supervision, part.note) == ("toy", "all", "image", "all of it")
        assert part.classes == dataset.classes == ("a", "b", "c")
        assert len(part) == 2
        assert len(dataset) == 5

    def test_nothing_is_read_before_it_is_asked_for(self, tmp_path):
        write_folder(tmp_path)
        dataset = open_dataset("folder", tmp_path, classes="abcd")
        (tmp_path / "images" / "cat.png").unlink()
        assert dataset[1].image.shape == (12, 16, 3)

    def test_colours_of_another_number(self):
        with pytest.raises(ValueError, match=r"\(2, 3\); expected \(1, 3\)"):
            Dataset(
                "x", split="", supervision="full", samples=(), classes="a", colours=[[0] * 3] * 2, card=CARD
            )


class TestFingerprint:
    def test_neither_place_nor_order_of_writing_matters(self, tmp_path):
        for name, order in (("here", ("b", "a")), ("there/below", ("a", "b"))):
            for stem in order:
                save(tmp_path / name / "images" / f"{stem}.png", photograph(ord(stem), 8, 8))
                save(tmp_path / name / "masks" / f"{stem}.png", quadrants(8, 8))
        prints = {open_dataset("folder", tmp_path / name).fingerprint() for name in ("here", "there/below")}
        assert len(prints) == 1

    def test_a_file_that_is_not_read_does_not_matter(self, tmp_path):
        write_voc(tmp_path)
        before = open_dataset("voc", tmp_path).fingerprint()
        save(tmp_path / "voc/VOCdevkit/VOC2012/JPEGImages/2010_000001.jpg", photograph(9, 4, 4))
        assert open_dataset("voc", tmp_path).fingerprint() == before

    @pytest.mark.parametrize("folder", ["images", "masks"])
    def test_every_byte_matters(self, tmp_path, folder):
        write_folder(tmp_path)
        before = open_dataset("folder", tmp_path, classes="abcd").fingerprint()
        path = tmp_path / folder / "dog.png"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        assert open_dataset("folder", tmp_path, classes="abcd").fingerprint() != before

    def test_names_order_options_and_supervision_matter(self, tmp_path):
        write_folder(tmp_path)
        base = open_dataset("folder", tmp_path, classes="abcd")
        prints = [
            base.fingerprint(),
            base[::-1].fingerprint(),
            base[:1].fingerprint(),
            open_dataset("folder", tmp_path, classes="abce").fingerprint(),
            open_dataset("folder", tmp_path, supervision="image", classes="abcd").fingerprint(),
            open_dataset("folder", tmp_path, supervision="none", classes="abcd").fingerprint(),
        ]
        for folder in ("images", "masks"):
            (tmp_path / folder / "dog.png").rename(tmp_path / folder / "eel.png")
        prints.append(open_dataset("folder", tmp_path, classes="abcd").fingerprint())
        assert len(set(prints)) == len(prints)

    def test_a_mask_counts_at_image_level_only_by_its_classes(self, tmp_path):
        write_folder(tmp_path)
        before = open_dataset("folder", tmp_path, supervision="image", classes="abcd").fingerprint()
        mask = tmp_path / "masks" / "dog.png"
        save(mask, quadrants(12, 16)[::-1])
        assert open_dataset("folder", tmp_path, supervision="image", classes="abcd").fingerprint() == before
        save(mask, quadrants(12, 16, (0, 1, 1, 1)))
        assert open_dataset("folder", tmp_path, supervision="image", classes="abcd").fingerprint() != before

    def test_the_name_of_a_sample_and_of_its_file_both_matter(self, tmp_path):
        paths = [save(tmp_path / name, IMAGE) for name in ("a.png", "b.png")]
        samples = [Sample(name, partial(crop, IMAGE), files=(path,)) for name in ("x", "y") for path in paths]
        assert len({sample.digest() for sample in samples}) == 4

    def test_generated_samples_count_by_their_pixels(self):
        assert generated(2).fingerprint() == generated(2).fingerprint()
        assert generated(2).fingerprint() != generated(3).fingerprint()
        changed = LABELS.copy()
        changed[0, 0] = 1
        samples = [Sample("s0", partial(crop, IMAGE), partial(crop, array)) for array in (LABELS, changed)]
        assert samples[0].digest() != samples[1].digest()

    @pytest.mark.parametrize("name", ["faces", "aerial", "lesions"])
    def test_drawn_pictures_count_by_what_they_are_drawn_from_and_the_code(self, name, monkeypatch):
        """Nothing is drawn; what changes a picture changes the fingerprint, and so does each level of supervision."""
        options = [
            {},
            {"seed": 1},
            {"size": (64, 48)},
            {"count": 3},
            {"split": "val"},
            {"supervision": "none"},
        ]
        sets = [open_dataset(name, **{"split": "train", "size": (48, 48), "count": 2} | o) for o in options]
        monkeypatch.setattr(Sample, "image", property(lambda sample: pytest.fail("a picture was drawn")))
        prints = [dataset.fingerprint() for dataset in sets]
        assert len(set(prints)) == len(prints)
        assert prints[0] == sets[3][:2].fingerprint()
        sets[0].loader = None
        with pytest.raises(pytest.fail.Exception):  # without the code the pictures have to speak
            sets[0].fingerprint()

    def test_files_are_what_is_read(self, tmp_path):
        write_folder(tmp_path)
        dataset = open_dataset("folder", tmp_path)
        relative = [path.relative_to(tmp_path) for path in dataset.files()]
        assert relative == [Path(f"{f}/{n}.png") for n in ("cat", "dog") for f in ("images", "masks")]
        assert generated().files() == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=20))
def test_present_classes_are_the_values_without_void(values):
    assert present_classes(np.array([values], np.uint8)) == {value for value in values if value != 255}


def test_plot_draws_the_picture_and_its_name():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = generated(1, "none").plot(0)
    assert ax.get_title() == "s0"
    assert (np.asarray(ax.images[0].get_array()) == IMAGE).all()
    matplotlib.pyplot.close(ax.figure)
    overlay = pytest.importorskip("segstudy.plots").overlay
    ax = generated(1).plot(0)
    assert (np.asarray(ax.images[0].get_array()) == overlay(IMAGE, LABELS, generated(1).colours)).all()
    matplotlib.pyplot.close(ax.figure)


def test_size_is_read_without_decoding_where_the_loader_can():
    def decode(window=None):
        raise AssertionError("decoded")

    sample = Sample("a", decode, read_size=lambda: (6000, 5000))
    assert sample.size == sample.restricted("none").size == (6000, 5000)
    assert Sample("b", lambda window=None: np.zeros((4, 7, 3), np.uint8)).size == (4, 7)
