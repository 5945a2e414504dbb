"""The drawn sets `lesions`, `microbes`, `objects` and `stuff`: decided by the seed, alike at every size, as frozen."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skimage.measure import label

from segstudy.baselines import Otsu
from segstudy.datasets import VOID, generated, lesions, microbes, objects, open_dataset, stuff
from segstudy.metrics import confusion

SETS = {"lesions": lesions.SET, "microbes": microbes.SET, "objects": objects.SET}
SETS |= {"stuff": stuff.SET}
NAMES = pytest.mark.parametrize("name", SETS)
BINARY = pytest.mark.parametrize("name", ("lesions", "microbes"))


@NAMES
def test_is_as_frozen(name):
    frozen = json.loads(generated.lock_of(name).read_text())
    assert frozen["size"] == list(SETS[name].lock_size)
    for split, digests in frozen["splits"].items():
        drawn = generated.digests(SETS[name], split)
        assert drawn["count"] == digests["count"]
        # another processor may round a sine otherwise: a pixel in ten thousand, not another picture
        assert np.allclose(drawn["areas"], digests["areas"], rtol=1e-4, atol=3)
        assert np.allclose(drawn["mean"], digests["mean"], atol=0.05)


@NAMES
def test_a_picture_depends_on_seed_split_and_index_alone(name):
    few, many = (open_dataset(name, split="val", size=(48, 48), count=count) for count in (2, 4))
    assert (few[1].image == many[1].image).all()
    others = [
        open_dataset(name, split="val", size=(48, 48), count=2, seed=1)[1].image,
        open_dataset(name, split="train", size=(48, 48), count=2)[1].image,
        few[0].image,
    ]
    assert all((few[1].image != other).mean() > 0.5 for other in others)


@NAMES
def test_the_same_scene_at_every_size(name):
    small, large = (open_dataset(name, split="test", size=(side, side), count=6) for side in (64, 192))
    for a, b in zip(small, large, strict=True):
        middle = b.labels[1::3, 1::3]  # the pixel in the middle of the small one's
        assert (middle == a.labels).mean() > 0.97


@BINARY
def test_masks_are_binary_and_of_a_sensible_share(name):
    for sample in open_dataset(name, split="train", size=(64, 64)):
        assert sample.image.shape == (64, 64, 3) and sample.image.dtype == np.uint8
        assert set(np.unique(sample.labels)) == {0, 1}
        assert 0.02 < sample.labels.mean() < 0.75


@BINARY
def test_a_threshold_lands_between_chance_and_ceiling(name):
    chance, otsu = [], []
    for sample in open_dataset(name, split="train", size=(112, 112), count=24):
        found, truth = Otsu().segment(sample.image) == 1, sample.labels == 1
        both = [(mask & truth).sum() / (mask | truth).sum() for mask in (found, ~found)]
        otsu.append(max(both))
        chance.append(truth.mean())
    assert np.mean(chance) + 0.15 < np.mean(otsu) < 0.7


def test_microbes_tell_their_kind_and_lesions_their_classes():
    kinds = [sample.image_labels for sample in open_dataset("microbes", supervision="image", size=(32, 32))]
    assert [set(kind) for kind in kinds[:9]] == [{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {1}]
    assert open_dataset("lesions", size=(32, 32))[0].image_labels == {0, 1}


def test_objects_of_eight_kinds_show_what_the_paper_names_as_hard():
    samples = list(open_dataset("objects", split="train", size=(96, 96)))
    rails, water = [], []
    shares = {kind: [] for kind in range(1, 9)}
    several = 0
    for index, sample in enumerate(samples):
        kinds = set(sample.image_labels) - {0}
        assert kinds <= set(range(1, 9)) and len(kinds) <= 2
        assert not {objects.TRAIN, objects.BOAT} <= kinds
        several += max((label(sample.labels == kind).max() for kind in kinds), default=0) > 1
        for kind in kinds:
            shares[kind].append((sample.labels == kind).mean())
        outside = sample.image[sample.labels == 0].astype(float)
        (rails if index % 8 == 0 else water if index % 8 == 1 else []).append(outside.mean(axis=0))
    assert min(len(values) for values in shares.values()) >= 15  # each kind in a tenth of the pictures
    assert several > len(samples) / 5  # a second instance
    sizes = {objects.CLASSES[kind]: np.mean(values) for kind, values in shares.items()}
    assert sizes["table"] > 4 * sizes["ball"]
    greyness = [np.ptp(colour) for colour in rails]
    assert max(greyness) < 40  # gravel under every train, and nothing but water under a boat
    assert all(blue - red > 20 for red, _, blue in water)


@NAMES
def test_weak_supervision_has_no_masks(name):
    for level in ("image", "none"):
        assert open_dataset(name, supervision=level, size=(32, 32))[0].labels is None


@NAMES
def test_samples_survive_a_pickle(name):
    sample = open_dataset(name, size=(32, 32))[3]
    assert (pickle.loads(pickle.dumps(sample)).image == sample.image).all()


@NAMES
def test_bad_options(name):
    with pytest.raises(ValueError, match="split"):
        open_dataset(name, split="dev")
    with pytest.raises(ValueError, match="size"):
        open_dataset(name, size=(16, 64))
    with pytest.raises(ValueError, match="count"):
        open_dataset(name, count=0)
    with pytest.raises(ValueError, match="seed"):
        open_dataset(name, seed=-1)


def test_landscapes_show_every_kind_of_stuff_and_thin_things_are_void():
    samples = list(open_dataset("stuff", split="train", size=(64, 64)))
    areas = np.bincount(np.concatenate([s.labels.ravel() for s in samples]), minlength=256) / (160 * 64 * 64)
    assert (areas[:6] > 0.05).all() and areas[:6].max() < 0.45 and 0.002 < areas[VOID] < 0.03
    assert areas[:6].sum() + areas[VOID] == pytest.approx(1)
    several = [len(set(np.unique(s.labels)) - {VOID}) for s in samples]
    assert min(several) >= 2 and np.mean(several) > 2.5


def test_colours_alone_land_between_chance_and_ceiling():
    """Six clusters of colours, named over the whole set: a null baseline that leaves room."""
    from sklearn.cluster import KMeans

    samples = list(open_dataset("stuff", split="train", size=(48, 48)))
    pixels = np.concatenate([s.image.reshape(-1, 3) for s in samples]).astype(float)
    truth = np.concatenate([s.labels.ravel() for s in samples])
    found = KMeans(6, n_init=2, random_state=0).fit(pixels[::7]).predict(pixels)
    counts = confusion(truth, found, 6)
    rows, columns = linear_sum_assignment(-counts)
    assert counts.sum(axis=1).max() / counts.sum() + 0.1 < counts[rows, columns].sum() / counts.sum() < 0.65


def test_what_is_below_full_supervision_has_no_way_to_the_things():
    sample = open_dataset("stuff", split="val", supervision="image", size=(32, 32), count=1)[0]
    assert sample.labels is None and sample.image_labels <= set(range(6))
    whole = open_dataset("stuff", split="val", size=(32, 32), count=1)[0]
    assert (whole.read((3, 4, 10, 12))[1] == whole.labels[3:13, 4:16]).all()
    assert pickle.loads(pickle.dumps(whole)).image.shape == (32, 32, 3)
