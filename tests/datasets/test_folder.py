"""A user's folder: whatever kinds of pictures there are, masks of ids and of colours, and clear errors."""

from __future__ import annotations

import numpy as np
import pytest
from miniatures import deep_png, photograph, quadrants, save, save_palette, truncate, write_folder
from PIL import Image

from segstudy.datasets import VOID, open_dataset
from segstudy.errors import MissingData, StudyError

COLOURS = {"sky": (0, 0, 255), "tree": (0, 128, 0), "void": (0, 0, 0), "road": (90, 90, 90)}


@pytest.fixture
def written(tmp_path):
    return write_folder(tmp_path)


def image_of(root, name="x.png", **options):
    (sample,) = open_dataset("folder", root, **options)
    assert sample.name == name.split(".")[0]
    return sample.image


class TestMasks:
    def test_pairs(self, tmp_path, written):
        dataset = open_dataset("folder", tmp_path)
        assert [sample.name for sample in dataset] == ["cat", "dog"]
        for sample in dataset:
            assert (sample.image == written[sample.name][0]).all()
            assert (sample.labels == written[sample.name][1]).all()
        assert dataset.classes == ("class 0", "class 1", "class 2", "class 3")
        assert dataset.colours.shape == (4, 3)
        assert dataset.note == "2 pictures and 2 masks read, 0 other files in images/ ignored"

    def test_without_masks(self, tmp_path):
        write_folder(tmp_path, masks=False)
        (tmp_path / "images" / "notes.txt").write_text("not a picture")
        dataset = open_dataset("folder", tmp_path)
        assert [sample.labels for sample in dataset] == [None, None]
        assert [sample.image_labels for sample in dataset] == [None, None]
        assert dataset.classes == ()
        assert dataset.note == "2 pictures and 0 masks read, 1 other files in images/ ignored"
        with pytest.raises(StudyError, match="masks is missing: supervision='image'"):
            open_dataset("folder", tmp_path, supervision="image")

    def test_names_of_the_ids(self, tmp_path, written):
        dataset = open_dataset("folder", tmp_path, classes=("a", "b", "c", "d", "e"))
        assert dataset.classes == ("a", "b", "c", "d", "e")
        assert dataset[0].image_labels == {0, 1, 2, 3}
        with pytest.raises(StudyError, match=r"cat\.png holds the ids \[2, 3\]; expected 0 to 1"):
            _ = open_dataset("folder", tmp_path, classes=("a", "b"))[0].labels

    def test_palette_masks_are_ids_and_255_is_void(self, tmp_path, written):
        labels = quadrants(12, 16, (0, 5, VOID, 2))
        save_palette(tmp_path / "masks" / "cat.png", labels)
        dataset = open_dataset("folder", tmp_path)
        assert (dataset[0].labels == labels).all()
        assert len(dataset.classes) == 6
        assert dataset[0].image_labels == {0, 2, 5}

    def test_bilevel_masks_are_ids(self, tmp_path, written):
        for name in ("cat", "dog"):
            save(tmp_path / "masks" / f"{name}.png", quadrants(12, 16, (0, 255, 255, 0)), "1")
        dataset = open_dataset("folder", tmp_path)
        assert (dataset[1].labels == quadrants(12, 16, (0, 1, 1, 0))).all()

    def test_black_and_white_masks_get_the_way_out(self, tmp_path, written):
        for name in ("cat", "dog"):
            save(tmp_path / "masks" / f"{name}.png", quadrants(12, 16, (0, 255, 255, 0)))
        for classes in (None, ("background", "object")):
            with pytest.raises(StudyError, match="255 means 'not scored'.*colours="):
                open_dataset("folder", tmp_path, classes=classes)
        colours = {"background": (0, 0, 0), "object": (255, 255, 255)}
        dataset = open_dataset("folder", tmp_path, colours=colours)
        assert (dataset[0].labels == quadrants(12, 16, (0, 1, 1, 0))).all()
        assert dataset.classes == ("background", "object")

    @pytest.mark.parametrize("value", [0, VOID])
    def test_masks_without_a_class_but_the_first(self, tmp_path, written, value):
        for name in ("cat", "dog"):
            save(tmp_path / "masks" / f"{name}.png", np.full((12, 16), value, np.uint8))
        for classes in (None, ("background", "object")):
            with pytest.raises(StudyError, match=rf"hold nothing but \[{value}\]"):
                open_dataset("folder", tmp_path, classes=classes)

    def test_void_beside_a_class_is_no_black_and_white_mask(self, tmp_path, written):
        """The first mask has nothing but 0 and void, as a picture without things may; the second has classes."""
        labels = quadrants(12, 16, (0, VOID, VOID, 0))
        save(tmp_path / "masks" / "cat.png", labels)
        assert (open_dataset("folder", tmp_path, classes="abcd")[0].labels == labels).all()

    @pytest.mark.parametrize("top", [127, 254, 255])
    def test_grey_levels_are_no_classes(self, tmp_path, written, top):
        smooth = np.linspace(0, top, 12 * 16).reshape(12, 16).astype(np.uint8)
        for mask in (quadrants(12, 16, (0, 127, 127, 0)), smooth):
            for name in ("cat", "dog"):
                save(tmp_path / "masks" / f"{name}.png", mask)
            with pytest.raises(
                StudyError, match=r"hold \d+ values.*would be \d+ classes.*classes=.*colours="
            ):
                open_dataset("folder", tmp_path)
            with pytest.raises(StudyError, match=r"holds the ids \[.*grey levels"):
                _ = open_dataset("folder", tmp_path, classes="ab")[0].labels

    def test_a_jpeg_holds_no_ids(self, tmp_path, written):
        (tmp_path / "masks" / "cat.png").unlink()
        save(tmp_path / "masks" / "cat.jpg", quadrants(12, 16))
        with pytest.raises(StudyError, match=r"cat\.jpg is a JPEG, which smears ids"):
            open_dataset("folder", tmp_path)
        (tmp_path / "masks" / "cat.jpg").unlink()
        Image.fromarray(quadrants(12, 16)).save(tmp_path / "masks" / "cat.tif", compression="jpeg")
        with pytest.raises(StudyError, match=r"cat\.tif is a JPEG, which smears ids"):
            open_dataset("folder", tmp_path)

    def test_far_ids_are_classes_where_they_are_named(self, tmp_path, written):
        labels = quadrants(12, 16, (0, 15, 15, 0))
        for name in ("cat", "dog"):
            save(tmp_path / "masks" / f"{name}.png", labels)
        with pytest.raises(StudyError, match="hold 2 values.*16 classes"):
            open_dataset("folder", tmp_path)
        named = open_dataset("folder", tmp_path, classes=[f"c{i}" for i in range(16)])
        assert (named[0].labels == labels).all()

    def test_colours(self, tmp_path, written):
        ids = quadrants(12, 16, (0, 1, 2, 3))
        for name in ("cat", "dog"):
            save(tmp_path / "masks" / f"{name}.png", np.array(list(COLOURS.values()), np.uint8)[ids])
        dataset = open_dataset("folder", tmp_path, colours=COLOURS)
        assert dataset.classes == ("sky", "tree", "road")  # void is no class
        assert dataset.colours.tolist() == [[0, 0, 255], [0, 128, 0], [90, 90, 90]]
        assert (dataset[0].labels == quadrants(12, 16, (0, 1, VOID, 2))).all()
        assert (dataset[0].read((5, 7, 2, 2))[1] == [[0, 1], [VOID, 2]]).all()

    def test_an_unknown_colour(self, tmp_path, written):
        picture = np.zeros((12, 16, 3), np.uint8)
        picture[3, 7] = 1, 2, 3
        save(tmp_path / "masks" / "cat.png", picture)
        with pytest.raises(
            StudyError, match=r"cat\.png holds the colour \(1, 2, 3\) at row 3, column 7.* 1 pixels"
        ):
            _ = open_dataset("folder", tmp_path, colours=COLOURS)[0].labels

    def test_colours_where_ids_are_expected(self, tmp_path, written):
        save(tmp_path / "masks" / "cat.png", photograph(0, 12, 16))
        with pytest.raises(StudyError, match=r"cat\.png is a RGB picture; expected class ids"):
            open_dataset("folder", tmp_path)

    @pytest.mark.parametrize("options", [{"classes": "abcd"}, {"colours": COLOURS}])
    def test_a_mask_of_another_size(self, tmp_path, written, options):
        save(tmp_path / "masks" / "cat.png", np.zeros((16, 12), np.uint8))
        with pytest.raises(StudyError, match=r"cat\.png is 12 x 16 pixels; expected 16 x 12"):
            _ = open_dataset("folder", tmp_path, **options)[0].labels

    def test_a_picture_without_a_mask(self, tmp_path, written):
        (tmp_path / "masks" / "dog.png").unlink()
        with pytest.raises(StudyError, match=r"images/dog\.png and 0 more have no mask"):
            open_dataset("folder", tmp_path)
        assert len(open_dataset("folder", tmp_path, supervision="none")) == 2

    def test_a_mask_without_a_picture(self, tmp_path, written):
        (tmp_path / "images" / "dog.png").unlink()
        with pytest.raises(StudyError, match=r"masks/dog\.png and 0 more have no picture"):
            open_dataset("folder", tmp_path)

    def test_two_pictures_of_one_name(self, tmp_path, written):
        save(tmp_path / "images" / "dog.bmp", photograph(0, 12, 16))
        with pytest.raises(StudyError, match=r"dog\.bmp and .*dog\.png share the name 'dog'"):
            open_dataset("folder", tmp_path)

    @pytest.mark.parametrize("folder", ["images", "masks"])
    def test_a_corrupted_file(self, tmp_path, written, folder):
        truncate(tmp_path / folder / "cat.png")
        with pytest.raises(StudyError, match=rf"{folder}/cat\.png cannot be read as a picture"):
            sample = open_dataset("folder", tmp_path, classes="abcd")[0]
            _ = sample.image, sample.labels


class TestOptions:
    def test_both_classes_and_colours(self, tmp_path, written):
        with pytest.raises(ValueError, match="both given"):
            open_dataset("folder", tmp_path, classes="ab", colours=COLOURS)

    @pytest.mark.parametrize("colour", [(0, 0), (0, 0, 256), (0, 0, -1), (0.5, 0, 0), "red"])
    def test_what_is_no_colour(self, tmp_path, written, colour):
        with pytest.raises(ValueError, match=r"colours\['a'\] is .*integers 0 to 255"):
            open_dataset("folder", tmp_path, colours={"a": colour})

    @pytest.mark.parametrize("bands", [(), (0, -1), (0.5,), "rgb", 3])
    def test_what_is_no_band(self, tmp_path, written, bands):
        with pytest.raises(ValueError, match="bands is .*counted from 0"):
            open_dataset("folder", tmp_path, bands=bands)

    def test_more_classes_than_ids(self, tmp_path, written):
        with pytest.raises(ValueError, match="classes has 256 names"):
            open_dataset("folder", tmp_path, classes=[str(i) for i in range(256)])

    def test_one_colour_twice(self, tmp_path, written):
        with pytest.raises(ValueError, match="one colour to two classes"):
            open_dataset("folder", tmp_path, colours={"a": (1, 1, 1), "b": (1, 1, 1)})

    def test_no_folder_and_an_empty_one(self, tmp_path):
        for _ in range(2):
            with pytest.raises(MissingData, match="pass the folder around it as root="):
                open_dataset("folder", tmp_path)
            (tmp_path / "images").mkdir(exist_ok=True)


class TestBands:
    """TIFF files with bands beside their colours: none is taken for transparency."""

    def write(self, root, count, **how):
        tifffile = pytest.importorskip("tifffile")
        pixels = np.random.default_rng(0).integers(0, 256, (40, 30, count), dtype=np.uint8)
        (root / "images").mkdir()
        tifffile.imwrite(root / "images/x.tif", pixels, planarconfig="contig", **how)
        return pixels

    @pytest.mark.parametrize("compression", [None, "zlib"])
    @pytest.mark.parametrize("marked", ["unassalpha", "unspecified"])
    @pytest.mark.parametrize("count", [4, 5])
    def test_they_are_named(self, tmp_path, count, marked, compression):
        extra = [marked] * (count - 3)
        pixels = self.write(tmp_path, count, photometric="rgb", extrasamples=extra, compression=compression)
        with pytest.raises(
            StudyError, match=rf"x\.tif has {count - 3} band\(s\) beside its colours.*bands=\(0, 1, 2\)"
        ):
            image_of(tmp_path, "x.tif")
        for bands in [(0, 1, 2), (3, 0, 1), (0, 1, 2, 3)]:
            (sample,) = open_dataset("folder", tmp_path, bands=bands)
            assert (sample.image == pixels[..., bands]).all()
            assert (sample.read((5, 6, 7, 8))[0] == pixels[5:12, 6:14][..., bands]).all()

    def test_a_band_that_is_not_there(self, tmp_path):
        self.write(tmp_path, 3, photometric="rgb")
        with pytest.raises(StudyError, match=r"x\.tif has 3 band\(s\).*asks for band 3"):
            image_of(tmp_path, "x.tif", bands=(0, 1, 2, 3))

    @pytest.mark.parametrize("bands", [None, (2, 0)])
    def test_a_window_of_a_picture_beyond_the_limit_of_pil(self, tmp_path, monkeypatch, bands):
        pixels = self.write(tmp_path, 3, photometric="rgb")
        labels = (pixels[..., 0] % 3).astype(np.uint8)
        save(tmp_path / "masks/x.tif", labels)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        (sample,) = open_dataset("folder", tmp_path, classes="abc", bands=bands)
        image, part = sample.read((10, 5, 10, 10))
        assert (image == pixels[10:20, 5:15][..., bands or (0, 1, 2)]).all()
        assert (part == labels[10:20, 5:15]).all()


class TestPictures:
    def test_grey_and_bilevel(self, tmp_path):
        grey = photograph(0, 5, 7)[..., 0]
        save(tmp_path / "images/x.png", grey)
        assert (image_of(tmp_path) == grey[..., None]).all()
        save(tmp_path / "images/x.png", grey // 128 * 255, "1")
        assert (image_of(tmp_path) == grey[..., None] // 128 * 255).all()

    def test_a_palette_is_looked_up(self, tmp_path):
        path = save_palette(tmp_path / "images/x.png", quadrants(6, 8))
        palette = np.reshape(Image.open(path).getpalette(), (-1, 3))
        assert (image_of(tmp_path) == palette[quadrants(6, 8)]).all()

    def test_transparent_pixels_lie_on_white(self, tmp_path):
        rgba = np.dstack([photograph(0, 6, 8), quadrants(6, 8, (0, 255, 0, 255))])
        save(tmp_path / "images/x.png", rgba)
        image = image_of(tmp_path)
        assert (image[:, :4] == 255).all()
        assert (image[:, 4:] == rgba[:, 4:, :3]).all()

    def test_a_transparent_palette_colour_lies_on_white(self, tmp_path):
        path = save_palette(tmp_path / "images/x.png", quadrants(6, 8))
        Image.open(path).save(path, transparency=2)
        image = image_of(tmp_path)
        assert (image[3:, :4] == 255).all()
        assert not (image[:3, :4] == 255).all()

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_orientation(self, tmp_path, orientation):
        """All eight orientations of one upright picture come out as that picture (EXIF 2.3, tag 0x0112)."""
        upright = np.kron(photograph(3, 2, 3), np.ones((8, 8, 1), np.uint8))
        stored = {
            1: upright,
            2: upright[:, ::-1],
            3: upright[::-1, ::-1],
            4: upright[::-1],
            5: upright.transpose(1, 0, 2),
            6: np.rot90(upright, 1),
            7: upright[::-1, ::-1].transpose(1, 0, 2),
            8: np.rot90(upright, -1),
        }[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        (tmp_path / "images").mkdir()
        picture = Image.fromarray(np.ascontiguousarray(stored))
        picture.save(tmp_path / "images/x.jpg", exif=exif, quality=100, subsampling=0)
        save(tmp_path / "masks/x.png", quadrants(16, 24))
        (sample,) = open_dataset("folder", tmp_path)
        assert sample.image.shape == upright.shape
        assert np.abs(sample.image.astype(int) - upright).max() < 12
        assert sample.labels.shape == (16, 24)

    @pytest.mark.parametrize("turned", ["picture", "mask", "both"])
    @pytest.mark.parametrize("suffix", ["png", "tif"])
    def test_each_is_turned_by_its_own_tag(self, tmp_path, turned, suffix):
        """The object of the picture lies under its label, whichever of the two is stored on its side."""
        labels = np.zeros((16, 24), np.uint8)
        labels[2:6, 3:11] = 1
        for folder, what, array in (("images", "picture", labels * 255), ("masks", "mask", labels)):
            (tmp_path / folder).mkdir()
            side = turned in (what, "both")
            picture = Image.fromarray(np.ascontiguousarray(np.rot90(array, 1) if side else array))
            exif = Image.Exif()
            exif[0x0112] = 6 if side else 1
            options = {"exif": exif} if suffix == "png" else {"tiffinfo": {274: exif[0x0112]}}
            picture.save(tmp_path / folder / f"x.{suffix}", **options)
        (sample,) = open_dataset("folder", tmp_path)
        assert (sample.labels == labels).all()
        assert (sample.image[..., 0] == labels * 255).all()
        image, part = sample.read((1, 2, 7, 12))
        assert (part == labels[1:8, 2:14]).all() and (image[..., 0] == part * 255).all()

    def test_suffixes_in_capitals_and_hidden_files(self, tmp_path):
        save(tmp_path / "images/x.png", photograph(0, 5, 7)).rename(tmp_path / "images/x.PNG")
        (tmp_path / "images/.x.png").write_bytes(b"")
        assert image_of(tmp_path).shape == (5, 7, 3)

    def test_sixteen_bits_are_refused(self, tmp_path):
        path = deep_png(tmp_path / "images/x.png", np.full((4, 5, 3), 300, np.uint16))
        assert Image.open(path).mode == "RGB"  # PIL alone would give the high bytes and say nothing
        with pytest.raises(StudyError, match=r"x\.png has more than 8 bits a channel"):
            image_of(tmp_path)
        path.unlink()
        for name, array in (("x.png", np.zeros((4, 5), np.uint16)), ("x.tif", np.zeros((4, 5), np.float32))):
            path = save(tmp_path / "images" / name, array)
            with pytest.raises(StudyError, match="more than 8 bits a channel"):
                image_of(tmp_path, name)
            path.unlink()

    def test_other_colour_spaces(self, tmp_path):
        picture = Image.new("CMYK", (8, 6), (0, 255, 255, 0))
        (tmp_path / "images").mkdir()
        picture.save(tmp_path / "images/x.tif")
        assert (image_of(tmp_path, "x.tif") == (255, 0, 0)).all()

    def test_arrays_can_be_written_to(self, tmp_path, written):
        sample = open_dataset("folder", tmp_path)[0]
        for array in (sample.image, sample.labels):
            array[0, 0] = 7
            assert (array[0, 0] == 7).all()


class TestClassLists:
    NAMES = ("background", "cat", "dog")

    def opened(self, root, text, **options):
        write_folder(root, masks=False)
        (root / "classes.csv").write_bytes(text)
        options = {"supervision": "image", "classes": self.NAMES, "listed_in": "classes.csv"} | options
        return open_dataset("folder", root, **options)

    def test_a_row_for_each_picture_its_name_and_its_classes(self, tmp_path):
        dataset = self.opened(tmp_path, b"\xef\xbb\xbfdog.png, dog, cat\r\n\r\ncat,background\r\n")
        assert [(sample.name, sample.image_labels) for sample in dataset] == [("cat", {0}), ("dog", {1, 2})]
        assert [sample.labels for sample in dataset] == [None, None]
        before = dataset.fingerprint()
        (tmp_path / "classes.csv").write_text("dog,dog\ncat\n")
        again = open_dataset(
            "folder", tmp_path, supervision="image", classes=self.NAMES, listed_in="classes.csv"
        )
        assert [sample.image_labels for sample in again] == [set(), {2}]
        assert again.fingerprint() != before

    def test_masks_may_lie_beside_the_list_and_stay_out_of_reach(self, tmp_path):
        written = write_folder(tmp_path)
        (tmp_path / "classes.csv").write_text("dog,dog\ncat,cat\n")
        options = {"classes": (*self.NAMES, "x"), "listed_in": "classes.csv"}
        weak = open_dataset("folder", tmp_path, supervision="image", **options)
        assert [sample.image_labels for sample in weak] == [{1}, {2}] and weak[0].labels is None
        full = open_dataset("folder", tmp_path, **options)
        assert full[0].image_labels == {1} and (full[0].labels == written["cat"][1]).all()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"name,classes\ndog,dog\ncat,cat\n", r"line 1: there is no picture 'name'"),
            (b"dog,dog\ndog,cat\n", r"line 2: the picture 'dog' has a row before"),
            (b"dog,dog\n", r"no row for 'cat' and 0 more"),
            (b"dog,dgo\ncat,cat\n", r"line 1: unknown class 'dgo'.*dog"),
            (b"dog,\xe9\n", "no CSV file in UTF-8"),
        ],
    )
    def test_a_list_that_does_not_fit_is_refused(self, tmp_path, text, message):
        with pytest.raises(StudyError, match=message):
            self.opened(tmp_path, text)

    def test_a_missing_list_and_a_list_without_classes_are_refused(self, tmp_path):
        with pytest.raises(StudyError, match=r"other\.csv is missing"):
            self.opened(tmp_path, b"", listed_in="other.csv")
        with pytest.raises(ValueError, match="classes="):
            self.opened(tmp_path, b"", classes=None)
