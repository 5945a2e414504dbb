"""DRFI: descriptors of regions by hand, and a forest that learns what stands out."""

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from segstudy.datasets import open_dataset
from segstudy.graphs.regions import regions
from segstudy.papers.dgcn.background_detection import robust_background_saliency
from segstudy.papers.dgcn.region_features import BAND, region_features
from segstudy.papers.dgcn.saliency_forest import FOLDED, SaliencyForest

CONTRAST, BORDER, PLACE, SHAPE = slice(0, 14), slice(14, 28), slice(28, 34), slice(34, 44)


def square(side=40, low=10, high=20):
    """Return a red square on blue, and its two regions: background first."""
    image = np.zeros((side, side, 3), np.uint8)
    image[..., 2] = 255
    image[low:high, low:high] = (255, 0, 0)
    return image, regions((image[..., 0] > 0).astype(int))


def test_contrast_of_two_regions_is_their_difference():
    found = region_features(*square())
    assert found.shape == (2, 54) and np.isfinite(found).all()
    assert found[0, CONTRAST] == pytest.approx(found[1, CONTRAST])
    assert found[1, :3] == pytest.approx([1, 0, 1])  # red, green, blue


def test_the_background_is_like_the_border_and_the_object_is_not():
    found = region_features(*square())
    assert found[0, BORDER][:13] == pytest.approx(0, abs=1e-12)
    assert found[1, BORDER][:3] == pytest.approx([1, 0, 1])
    # hue and others: two histograms that share no bin are 2 * (1 + 1) / 1 apart by the sum over bins, 4 / 1 each
    assert found[1, BORDER][8 + 3] == pytest.approx(4)


def test_chi_squared_of_texture_against_a_loop():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 24, 3)).astype(np.uint8)
    parted = regions((np.arange(24) >= 12)[None].repeat(24, 0).astype(int))
    grey = image @ np.array([0.299, 0.587, 0.114])
    found = region_features(image, parted)[0, 13]
    from segstudy.baselines.common import grey_levels

    codes = local_binary_pattern(grey_levels(image), 8, 1, method="uniform").astype(int)
    h, g = (np.bincount(codes[parted.map == i], minlength=10) / (parted.map == i).sum() for i in (0, 1))
    expected = sum(2 * (a - b) ** 2 / (a + b) for a, b in zip(h, g, strict=True) if a + b > 0)
    assert found == pytest.approx(expected) and grey.shape == (24, 24)


def test_place_and_shape_by_hand():
    found = region_features(*square())[1]
    assert found[PLACE] == pytest.approx([14.5 / 40, 11 / 40, 19 / 40] * 2)
    tall, broad, aspect, filled, length, crooked, touching, area, near, count = found[SHAPE]
    assert (tall, broad, aspect, filled) == pytest.approx((0.25, 0.25, 1, 1))
    assert (length, crooked, touching) == pytest.approx((40 / 160, 40 / 10, 0))
    assert (area, near, count) == pytest.approx((100 / 1600, 1500 / 1600, 1))


def test_a_picture_of_one_region_has_no_contrast():
    image = np.full((12, 9, 3), 90, np.uint8)
    found = region_features(image, regions(np.zeros((12, 9), int)))
    assert found.shape == (1, 54) and found[0, CONTRAST] == pytest.approx(0) and np.isfinite(found).all()
    assert BAND * 12 < 1  # a band of one pixel all the same


def test_regions_of_another_size_are_refused():
    with pytest.raises(ValueError, match="of the picture's size"):
        region_features(np.zeros((8, 8, 3), np.uint8), regions(np.zeros((8, 7), int)))


@pytest.fixture(scope="module")
def drawn():
    def take(split, count):
        part = open_dataset("objects", split=split, size=(96, 96)).take(list(range(count)))
        return [s.image for s in part], [(s.labels > 0) & (s.labels < 255) for s in part]

    return take("train", 36), take("val", 12)


def area_under(masks, maps):
    from sklearn.metrics import roc_auc_score

    return np.mean([roc_auc_score(m.ravel(), s.ravel()) for m, s in zip(masks, maps, strict=True)])


def test_a_forest_that_learned_finds_objects_better_than_background_detection(drawn):
    (images, masks), (unseen, truth) = drawn
    forest = SaliencyForest(trees=20).fit(images, masks)
    maps = [forest(image) for image in unseen]
    assert all(m.shape == t.shape and m.min() >= 0 and m.max() <= 1 for m, t in zip(maps, truth, strict=True))
    learned = area_under(truth, maps)
    assert learned > area_under(truth, [robust_background_saliency(image) for image in unseen])
    assert learned > 0.8 and (forest.weights_ >= 0).all()
    again = SaliencyForest(trees=20).fit(images, masks)
    assert np.array_equal(again(unseen[0]), maps[0])


def test_a_forest_says_no_to_what_it_cannot_learn():
    image = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="not trained yet"):
        SaliencyForest()(image)
    with pytest.raises(ValueError, match="at least 3 pictures"):
        SaliencyForest().fit([image], [image[..., 0] > 0])
    with pytest.raises(ValueError, match="all regions are of one kind"):
        SaliencyForest().fit([image] * FOLDED, [image[..., 0] > 0] * FOLDED)
    with pytest.raises(ValueError, match="scales above 0"):
        SaliencyForest(scales=())
