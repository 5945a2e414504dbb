"""COCO-Stuff as IIC has it: coarse labels, the pictures that are kept, both layouts, and clear errors."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from miniatures import photograph, save

from segstudy.datasets import VOID, card, coco_stuff, coco_stuff3, open_dataset
from segstudy.datasets.coco_stuff_labels import COARSE, FINE, STUFF, class_table, fine_ids
from segstudy.errors import MissingData, StudyError

PERSON, BANNER, BRANCH, BRIDGE, CLOUDS, GRASS, ROAD, SEA, WOOD = 0, 91, 93, 94, 105, 123, 148, 154, 181
# IIC's coarse ids of the fine ids 91..181, as its code prints them (fine_to_coarse_dict.pickle.txt).
IIC = """
17 17 22 20 20 22 15 25 16 13 12 12 17 17 23 15 15 17 15 21 15 25 13 13 13 13 13 22 26 14 14 15 22 21 21 24 20 22 15 17
16 15 22 24 21 17 25 16 21 17 22 16 21 21 25 21 26 21 24 20 17 14 21 26 15 23 20 21 24 15 24 22 25 15 20 17 17 22 14 18
18 18 18 18 18 18 26 26 19 19 24
"""


def halves(left, right, size=(360, 480), share=0.5):
    """A label map of two fine ids, the left one on a share of the columns."""
    labels = np.full(size, right, np.uint8)
    labels[:, : round(share * size[1])] = left
    return labels


KEPT = {
    "000000000009": halves(GRASS, CLOUDS),
    "000000000025": halves(GRASS, PERSON, (480, 360), share=0.75),  # just as much as is needed, upright
    "000000000030": halves(CLOUDS, VOID, (360, 360), share=0.8),
}
LEFT_OUT = {
    "000000000034": halves(GRASS, PERSON, (360, 480), share=0.7475),
    "000000000036": halves(GRASS, ROAD, (359, 640)),
    "000000000042": halves(GRASS, ROAD, (640, 359)),
    "000000000049": halves(PERSON, VOID),
}


def write(root, maps, part="val", pictures="images", labels="annotations", listed=None):
    home = root / "coco_stuff"
    for seed, (name, fine) in enumerate(maps.items()):
        save(home / f"{pictures}/{part}2017/{name}.jpg", photograph(seed, *fine.shape))
        save(home / f"{labels}/{part}2017/{name}.png", fine)
    for name, names in (listed or {}).items():
        path = home / f"curated/{part}2017/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}\n" for name in names))
    return home


def test_the_hierarchy_is_whole_and_that_of_iic():
    coarse = [label for fine in range(FINE) for label, name in enumerate(COARSE) if fine in fine_ids(name)]
    assert len(coarse) == FINE  # each in one, and none twice
    assert len(COARSE) == 27 and all(label < 12 for label in coarse[:91])
    assert coarse[91:] == [int(label) for label in IIC.split()]
    assert tuple(COARSE)[12:] == STUFF and (STUFF[0], STUFF[-1]) == ("ceiling-stuff", "water-stuff")


@pytest.mark.parametrize(
    ("fine", "name"),
    [
        (BANNER, "textile"),
        (BRANCH, "plant"),
        (BRIDGE, "building"),
        (CLOUDS, "sky"),
        (SEA, "water"),
        (WOOD, "solid"),
    ],
)
def test_some_fine_labels_in_their_classes(fine, name):
    assert STUFF[class_table(STUFF)[fine]] == f"{name}-stuff"
    assert class_table(STUFF)[[*range(91), 182, VOID]].tolist() == [VOID] * 93


def test_what_is_kept_by_the_rule(tmp_path):
    write(tmp_path, KEPT | LEFT_OUT)
    dataset = open_dataset("coco_stuff", tmp_path)
    assert dataset.split == "val" and [sample.name for sample in dataset] == list(KEPT)
    assert dataset.note == "3 of 2175 curated val pictures, by IIC's rule, found"
    assert dataset.classes[9:12] == ("ground", "plant", "sky") and len(dataset.classes) == 15


def test_classes_and_void_in_the_picture_s_own_size(tmp_path):
    write(tmp_path, KEPT)
    first, upright, _ = open_dataset("coco_stuff", tmp_path)
    assert first.labels.dtype == np.uint8 and first.labels[0, [0, -1]].tolist() == [10, 11]
    assert upright.image.shape == (480, 360, 3) and upright.labels.shape == (480, 360)
    assert (upright.labels == halves(10, VOID, (480, 360), share=0.75)).all()
    image, labels = upright.read((3, 265, 20, 10))
    assert (image == upright.image[3:23, 265:275]).all() and labels[0].tolist() == [10] * 5 + [VOID] * 5
    assert first.image_labels == {10, 11} and upright.image_labels == {10}
    sample = pickle.loads(pickle.dumps(first))
    assert (sample.labels == first.labels).all()


def test_three_classes_have_a_choice_and_an_order_of_their_own(tmp_path):
    maps = {"000000000009": halves(GRASS, CLOUDS), "000000000025": halves(ROAD, SEA, share=0.8)}
    maps["000000000030"] = halves(GRASS, SEA, share=0.7)
    write(tmp_path, maps)
    assert len(open_dataset("coco_stuff", tmp_path)) == 3
    few = open_dataset("coco_stuff3", tmp_path)
    assert few.classes == ("sky", "plant", "ground") and few.name == "coco_stuff3"
    assert [sample.labels[0, [0, -1]].tolist() for sample in few] == [[1, 0], [2, VOID]]
    assert few.note == "2 of 1432 curated val pictures, by IIC's rule, found"


@pytest.mark.parametrize(
    ("pictures", "labels"), [("", "stuffthingmaps"), ("images", "stuffthingmaps_trainval2017")]
)
def test_other_layouts(tmp_path, pictures, labels):
    write(tmp_path, KEPT, pictures=pictures or ".", labels=labels)
    assert [sample.name for sample in open_dataset("coco_stuff", tmp_path)] == list(KEPT)


def test_a_list_that_is_there_counts_and_not_the_rule(tmp_path):
    names = [*LEFT_OUT][:2] + ["000000999999"]
    write(tmp_path, KEPT | LEFT_OUT, listed={coco_stuff.LIST: names, coco_stuff3.LIST: names[:1]})
    dataset = open_dataset("coco_stuff", tmp_path)
    assert [sample.name for sample in dataset] == names[:2]
    assert dataset.note == "2 of 2175 curated val pictures, by IIC's lists, found"
    assert [sample.name for sample in open_dataset("coco_stuff3", tmp_path)] == names[:1]


def test_all_is_both_parts(tmp_path):
    write(tmp_path, {"000000000034": halves(GRASS, ROAD)}, part="train")
    with pytest.raises(MissingData, match=r"images.val2017 is missing"):
        open_dataset("coco_stuff", tmp_path, "all")
    write(tmp_path, KEPT)
    assert [s.name for s in open_dataset("coco_stuff", tmp_path, "all")] == ["000000000034", *KEPT]
    assert [s.name for s in open_dataset("coco_stuff", tmp_path, "train")] == ["000000000034"]
    assert coco_stuff.SPLITS["all"] == coco_stuff.SPLITS["train"] + coco_stuff.SPLITS["val"]
    assert coco_stuff3.SPLITS["all"] == coco_stuff3.SPLITS["train"] + coco_stuff3.SPLITS["val"]


def test_labels_are_not_handed_out_below_full_supervision(tmp_path):
    write(tmp_path, KEPT)
    for level, known in (("image", {10, 11}), ("none", None)):
        sample = open_dataset("coco_stuff", tmp_path, supervision=level)[0]
        assert sample.labels is None and sample.image_labels == known
        assert [path.suffix for path in sample.files()] == [".jpg"]


def test_maps_may_be_missing_where_nothing_is_asked_of_them(tmp_path):
    home = write(tmp_path, KEPT, listed={coco_stuff.LIST: KEPT})
    (home / "annotations").rename(home / "aside")
    assert len(open_dataset("coco_stuff", tmp_path, supervision="none")) == 3
    with pytest.raises(MissingData, match=r"annotations.val2017 is missing"):
        open_dataset("coco_stuff", tmp_path)
    with pytest.raises(MissingData, match=r"annotations.val2017 is missing"):  # the rule needs them
        open_dataset("coco_stuff3", tmp_path, supervision="none")


def test_a_verdict_lasts_no_longer_than_its_map(tmp_path):
    home = write(tmp_path, {"000000000009": halves(GRASS, CLOUDS), "000000000025": halves(GRASS, CLOUDS)})
    before = open_dataset("coco_stuff", tmp_path)
    again = open_dataset("coco_stuff", tmp_path)
    assert again.fingerprint() == before.fingerprint()
    path = save(home / "annotations/val2017/000000000009.png", halves(GRASS, PERSON))
    os.utime(path, ns=(1, 1))
    after = open_dataset("coco_stuff", tmp_path)
    assert [sample.name for sample in after] == ["000000000025"]
    assert after.fingerprint() != before.fingerprint()


@pytest.mark.parametrize("name", ["coco_stuff", "coco_stuff3"])
def test_absent_and_unknown(tmp_path, name):
    with pytest.raises(MissingData, match=r"coco_stuff.images.val2017 is missing") as caught:
        open_dataset(name, tmp_path)
    for told in (card(name).text(), "stuffthingmaps_trainval2017.zip", "by IIC's lists", "else by the rule"):
        assert told in str(caught.value)
    with pytest.raises(ValueError, match="unknown split 'test'"):
        open_dataset(name, tmp_path, "test")


def test_a_map_that_is_missing_or_does_not_fit(tmp_path):
    home = write(tmp_path, KEPT, listed={coco_stuff.LIST: KEPT})
    save(home / "annotations/val2017/000000000009.png", halves(GRASS, 182))
    save(home / "annotations/val2017/000000000025.png", halves(GRASS, CLOUDS))
    strange, turned, _ = open_dataset("coco_stuff", tmp_path)
    with pytest.raises(StudyError, match=r"holds the ids \[182\]; expected 0 to 181"):
        _ = strange.labels
    with pytest.raises(StudyError, match="480 x 360 pixels; expected 360 x 480"):
        _ = turned.labels
    (home / "annotations/val2017/000000000030.png").unlink()
    with pytest.raises(StudyError, match="000000000030.jpg has no mask"):
        open_dataset("coco_stuff", tmp_path)
