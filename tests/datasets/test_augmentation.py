"""Augmentation on drawn pictures whose colours tell the labels, so that picture and labels can be compared."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudy.datasets import VOID
from segstudy.datasets.augmentation import Augmentation, Batches, to_input

COLOURS = np.array([[30, 30, 30], [220, 40, 40], [40, 220, 40], [60, 60, 230]], dtype=np.uint8)
STILL = {"rotation": 0, "scale": 0, "translation": 0}
SAME_COLOURS = {"brightness": 0, "contrast": 0, "saturation": 0}


def picture(height: int = 60, width: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Class 1 on the left, 2 on the right, 3 below."""
    labels = np.zeros((height, width), dtype=np.int64)
    labels[10:28, 8:20], labels[10:28, 28:40], labels[38:50, 12:36] = 1, 2, 3
    return COLOURS[labels], labels


def nearest_class(image: np.ndarray) -> np.ndarray:
    return np.abs(image[:, :, None].astype(int) - COLOURS).sum(axis=3).argmin(axis=2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 180), st.floats(0, 1), st.floats(0, 0.5), st.booleans())
def test_picture_and_labels_move_together(seed, rotation, scale, translation, mirror):
    change = Augmentation(rotation, scale, translation, **SAME_COLOURS, swap=((1, 2),) if mirror else None)
    image, labels = change(*picture(), np.random.default_rng(seed))
    assert image.shape == (60, 48, 3) and image.dtype == np.uint8
    assert labels.shape == (60, 48) and set(np.unique(labels)) <= {0, 1, 2, 3, VOID}
    inside = labels != VOID
    # A mirrored picture keeps its colours and exchanges its ids.
    shown = nearest_class(image)
    mirrored = mirror and np.random.default_rng(seed).uniform(size=8)[7] < 0.5
    expected = np.array([0, 2, 1, 3])[shown] if mirrored else shown
    if inside.sum() > 500:
        assert (expected == labels)[inside].mean() > 0.93  # bilinear and nearest differ along borders


def test_without_swap_left_stays_left():
    change = Augmentation(0, 0, 0.1)
    for seed in range(40):
        _, labels = change(*picture(), np.random.default_rng(seed))
        assert np.nonzero(labels == 1)[1].mean() < np.nonzero(labels == 2)[1].mean()


def test_swap_mirrors_half_the_pictures_and_exchanges_the_ids():
    change = Augmentation(**STILL, **SAME_COLOURS, swap=((1, 2),))
    image, labels = picture()
    labels[0, 0] = VOID
    mirrored = 0
    for seed in range(100):
        changed, ids = change(image, labels, np.random.default_rng(seed))
        if not np.array_equal(changed, image):
            mirrored += 1
            np.testing.assert_array_equal(changed, image[:, ::-1])
            expected = np.array([0, 2, 1, 3])[np.where(labels == VOID, 0, labels)][:, ::-1]
            np.testing.assert_array_equal(ids[:, :-1], expected[:, :-1])
            assert ids[0, -1] == VOID
        # class 1 is the left one either way: that is what swap is for
        assert np.nonzero(ids == 1)[1].mean() < np.nonzero(ids == 2)[1].mean()
    assert 35 <= mirrored <= 65


def test_no_strength_no_change():
    image, labels = picture()
    for kind in (np.uint8, np.int64):
        changed, ids = Augmentation(**STILL, **SAME_COLOURS)(
            image, labels.astype(kind), np.random.default_rng(0)
        )
        np.testing.assert_array_equal(changed, image)
        np.testing.assert_array_equal(ids, labels)
        assert ids.dtype == kind


def test_a_known_shift():
    class Rightmost:
        def uniform(self, low, high, size):
            return np.array([0, 0, 0, 1, 0, 0, 0], dtype=float)  # "right" alone, at its largest

        def random(self):
            return 0.9

    image, labels = picture()
    changed, ids = Augmentation(translation=0.125)(image, labels, Rightmost())
    np.testing.assert_array_equal(ids[:, 6:], labels[:, :-6])
    np.testing.assert_array_equal(changed[:, 6:], image[:, :-6])
    assert (ids[:, :6] == VOID).all()
    np.testing.assert_array_equal(changed[:, :6], np.repeat(image[:, :1], 6, axis=1))  # the border, repeated


def test_outside_is_the_border_even_when_much_of_it_shows():
    image = np.full((40, 30, 3), 200, dtype=np.uint8)
    labels = np.zeros((40, 30), dtype=np.uint8)
    change = Augmentation(180, 3, 0.5, **SAME_COLOURS)
    seen = 0
    for seed in range(30):
        changed, ids = change(image, labels, np.random.default_rng(seed))
        assert (changed == 200).all()
        seen = max(seen, (ids == VOID).mean())
    assert seen > 0.7


def test_the_seed_decides_and_no_global_state_is_touched():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    image, labels = picture()
    first = Augmentation()(image, labels, np.random.default_rng(5))
    torch.rand(3)
    np.random.rand(3)  # noqa: NPY002
    second = Augmentation()(image, labels, np.random.default_rng(5))
    other = Augmentation()(image, labels, np.random.default_rng(6))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(image, picture()[0]) and np.array_equal(labels, picture()[1])  # a copy was changed
    torch.set_rng_state(before[0])
    Augmentation()(image, labels, np.random.default_rng(5))
    assert torch.equal(torch.get_rng_state(), before[0])


def test_mirroring_changes_no_other_draw():
    plain, swapped = Augmentation(), Augmentation(swap=((1, 2),))
    same = [
        np.array_equal(*(c(*picture(), np.random.default_rng(s))[0] for c in (plain, swapped)))
        for s in range(20)
    ]
    assert 4 <= sum(same) <= 16


def test_colours_change_and_labels_do_not():
    image, labels = picture()
    for name in SAME_COLOURS:
        change = Augmentation(**STILL, **(SAME_COLOURS | {name: 0.5}))
        changed, ids = change(image, labels, np.random.default_rng(1))
        assert np.abs(changed.astype(int) - image).max() > 5, name
        np.testing.assert_array_equal(ids, labels)
    grey, _ = Augmentation()(image[:, :, :1], labels, np.random.default_rng(1))
    assert grey.shape == (60, 48, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rotation": 181}, "rotation must be between 0 and 180, got 181"),
        ({"scale": float("inf")}, "scale must be between 0 and 9, got inf"),
        ({"brightness": -0.1}, "brightness.*-0.1"),
        ({"translation": float("nan")}, "translation.*nan"),
        ({"swap": ((1, 2), (2, 3))}, "swap.*each id once"),
        ({"swap": ((1, 2, 3),)}, "swap.*pairs"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(**options)


def test_bad_input_is_named(rng):
    image, labels = picture()
    cases = [
        (image / 255, labels, TypeError, "image must be uint8, got float64"),
        (image, labels.astype(float), TypeError, "labels must be uint8 or int64, got float64"),
        (image[..., :2], labels, ValueError, r"image must be.*\(60, 48, 2\)"),
        (image, labels[1:], ValueError, r"labels must be as high.*\(59, 48\)"),
    ]
    for picture_, ids, error, words in cases:
        with pytest.raises(error, match=words):
            Augmentation()(picture_, ids, rng)


# Batches ------------------------------------------------------------------------------------------------------------


def numbered(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.full((4, 5, 3), 10 * i, np.uint8), np.full((4, 5), i, np.uint8)) for i in range(count)]


def ids(batches, epoch: int) -> list[int]:
    return [int(i) for _, labels in batches(epoch) for i in labels[:, 0, 0]]


def test_batches_hold_every_pair_once_in_an_order_that_the_epoch_decides():
    batches = Batches(numbered(7), 3, seed=1)
    images, labels = next(iter(batches(0)))
    assert images.shape == (3, 3, 4, 5) and images.dtype == torch.float32
    assert labels.shape == (3, 4, 5) and labels.dtype == torch.int64
    torch.testing.assert_close((images[:, 0, 0, 0] + 1) * 127.5, labels[:, 0, 0] * 10.0)
    assert [len(labels) for _, labels in batches(0)] == [3, 3, 1]
    assert all(sorted(ids(batches, epoch)) == list(range(7)) for epoch in range(5))
    assert len({tuple(ids(batches, epoch)) for epoch in range(5)}) == 5
    np.random.seed(3)  # noqa: NPY002
    torch.rand(5)
    assert ids(Batches(numbered(7), 2, seed=1), 4) == ids(batches, 4)
    assert ids(Batches(numbered(7), 3, seed=2), 0) != ids(batches, 0)


def test_an_image_is_changed_alike_in_any_batch():
    drawn = {}

    def note(image, labels, rng):
        drawn.setdefault(int(labels[0, 0]), []).append(rng.random())
        return image, labels

    for size in (1, 3, 7):
        list(Batches(numbered(7), size, 0, note)(2))
    assert all(len(set(values)) == 1 for values in drawn.values())
    assert len({values[0] for values in drawn.values()}) == 7
    list(Batches(numbered(7), 3, 0, note)(3))
    assert all(len(set(values)) == 2 for values in drawn.values())  # another epoch, another change


def test_batches_refuse_what_they_cannot_stack():
    mixed = [*numbered(1), (np.zeros((6, 5, 3), np.uint8), np.zeros((6, 5), np.uint8))]
    with pytest.raises(ValueError, match=r"one size.*\(3, 4, 5\), \(3, 6, 5\).*size=1"):
        list(Batches(mixed, 2, 0)(0))
    assert len(list(Batches(mixed, 1, 0)(0))) == 2
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        Batches(mixed, 0, 0)
    with pytest.raises(ValueError, match="pairs not empty"):
        Batches([], 1, 0)


def test_to_input_is_from_minus_one_to_one():
    image = np.array([[[0, 255], [51, 204]]], dtype=np.uint8)
    torch.testing.assert_close(to_input(image), torch.tensor([[[-1, -0.6]], [[1, 0.6]]]))


def test_importing_loads_no_torch():
    code = "import sys, segstudy.datasets.augmentation; print({'torch', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
