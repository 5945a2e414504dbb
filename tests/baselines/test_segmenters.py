"""What every unsupervised segmenter promises, k-means and superpixels among them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab
from skimage.measure import label

from segstudy.baselines import KMeans, NormalisedCut, Otsu, Superpixels, superpixel_means
from segstudy.baselines.common import darkest_first, grey_levels, lab_colours

SEGMENTERS = [Otsu(), KMeans(3), Superpixels(30), NormalisedCut(2, 40), NormalisedCut(4, 40)]
COLOURS = np.array([[20, 20, 60], [200, 40, 40], [60, 160, 60], [240, 240, 200]])


def quadrants(rng, size=40, noise=4):
    """Four quadrants of four colours, in order of lightness, and a little noise: the image and its quadrants."""
    truth = np.kron(np.array([[0, 1], [2, 3]]), np.ones((size // 2, size // 2), dtype=int))
    order = np.argsort(rgb2lab(COLOURS[None].astype(np.uint8))[0, :, 0])
    image = COLOURS[order][truth] + rng.integers(-noise, noise + 1, (size, size, 3))
    return np.clip(image, 0, 255).astype(np.uint8), truth


@pytest.mark.parametrize("segmenter", SEGMENTERS, ids=repr)
def test_the_interface(segmenter, rng):
    protocol = pytest.importorskip("segstudy.segmenter").Segmenter
    assert isinstance(segmenter, protocol)
    assert (segmenter.supervision, segmenter.outputs) == ("none", "clusters")
    assert segmenter.fit([]) is segmenter
    image = rng.integers(0, 256, (30, 37, 3), dtype=np.uint8)
    before = image.copy()
    labels, probabilities = segmenter.segment(image), segmenter.probabilities(image)
    assert labels.shape == (30, 37) and labels.dtype == np.int64 and labels.min() == 0
    assert probabilities.shape[:2] == (30, 37) and probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities.argmax(axis=-1), labels)
    np.testing.assert_array_equal(probabilities.sum(axis=-1), 1)
    np.testing.assert_array_equal(segmenter.segment(image), labels)  # no hidden state
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("segmenter", SEGMENTERS, ids=repr)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (12, 9, 1)])
@pytest.mark.parametrize("value", [0, 90, 255])
def test_even_and_tiny_images(segmenter, shape, value):
    labels = segmenter.segment(np.full(shape, value, dtype=np.uint8))
    assert labels.shape == shape[:2] and set(np.unique(labels)) == set(range(labels.max() + 1))


@pytest.mark.parametrize("segmenter", SEGMENTERS, ids=repr)
def test_bad_images_are_named(segmenter):
    with pytest.raises(TypeError, match="image.*float64"):
        segmenter.segment(np.zeros((4, 4, 3)))
    for shape in ((4, 4), (4, 4, 2), (0, 4, 3)):
        with pytest.raises(ValueError, match="image must be"):
            segmenter.segment(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("segmenter", [KMeans(4), NormalisedCut(4, 60)], ids=repr)
@pytest.mark.parametrize("seed", [0, 1])
def test_quadrants_are_found_darkest_first(segmenter, seed, rng):
    image, truth = quadrants(rng)
    found = type(segmenter)(k=4, seed=seed).segment(image)
    np.testing.assert_array_equal(found, truth)


def test_kmeans_assigns_every_pixel_to_the_nearest_mean(rng):
    image = rng.integers(0, 256, (25, 30, 3), dtype=np.uint8)
    labels, colours = KMeans(5).segment(image), lab_colours(image)
    means = superpixel_means(colours, labels)
    distances = np.linalg.norm(colours[:, :, None] - means, axis=-1)
    # At a fixed point of Lloyd's iteration; its tolerance leaves a pixel or two on a border.
    assert (distances.argmin(axis=-1) == labels).mean() > 0.98
    assert (np.diff(means[:, 0]) >= 0).all()


def test_kmeans_fits_a_large_image_to_a_sample(rng):
    image, truth = quadrants(rng, size=160)
    assert image[..., 0].size > 20_000
    np.testing.assert_array_equal(KMeans(4).segment(image), truth)


def test_kmeans_of_fewer_colours_than_clusters():
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    image[:2] = 255
    labels = KMeans(5).segment(image)
    np.testing.assert_array_equal(labels, np.repeat([[1], [1], [0], [0]], 4, axis=1))
    assert KMeans(5).probabilities(image).shape == (4, 4, 5)


def test_superpixels_are_connected_and_about_as_many_as_asked(rng):
    image, truth = quadrants(rng, size=80)
    pieces = Superpixels(100).segment(image)
    count = pieces.max() + 1
    assert 60 <= count <= 140
    np.testing.assert_array_equal(np.unique(pieces), np.arange(count))
    assert label(pieces, background=-1, connectivity=1).max() == count
    assert all(len(np.unique(truth[pieces == i])) == 1 for i in range(count))  # none crosses an edge
    assert Superpixels(100).probabilities(image).shape == (80, 80, count)


def test_compactness_makes_squarer_pieces(rng):
    blobs = gaussian_filter(rng.standard_normal((60, 60, 3)), (3, 3, 0))
    image = np.rint(np.interp(blobs, (blobs.min(), blobs.max()), (0, 255))).astype(np.uint8)

    def border(pieces):
        return (pieces[1:] != pieces[:-1]).sum() + (pieces[:, 1:] != pieces[:, :-1]).sum()

    assert border(Superpixels(36, 100.0).segment(image)) < border(Superpixels(36, 1.0).segment(image))


def test_superpixel_means_by_hand(rng):
    labels = np.array([[0, 0, 1], [2, 1, 1]])
    values = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_allclose(superpixel_means(values, labels), [[1, 2], [22 / 3, 25 / 3], [6, 7]])
    assert np.isnan(superpixel_means(values, labels * 2)[1]).all()
    with pytest.raises(ValueError, match=r"\(2, 3, 2\) and \(3, 2\)"):
        superpixel_means(values, labels.T)


def test_darkest_first():
    lightness = np.array([[5.0, 5.0], [1.0, 9.0]])
    np.testing.assert_array_equal(darkest_first(np.array([[7, 7], [9, 2]]), lightness), [[1, 1], [0, 2]])


def test_colour_spaces():
    white, red = np.full((1, 1, 3), 255, np.uint8), np.array([[[255, 0, 0]]], dtype=np.uint8)
    np.testing.assert_allclose(lab_colours(white)[0, 0], [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(lab_colours(white[..., :1]), lab_colours(white))
    np.testing.assert_allclose(lab_colours(red)[0, 0], [53.24, 80.09, 67.20], atol=0.02)
    assert grey_levels(red)[0, 0] == round(0.2125 * 255) and grey_levels(red).dtype == np.uint8
    assert grey_levels(np.full((2, 2, 1), 7, np.uint8)).tolist() == [[7, 7], [7, 7]]


@pytest.mark.parametrize(
    "make", [lambda: KMeans(0), lambda: NormalisedCut(0), lambda: Superpixels(0), lambda: Superpixels(5, 0)]
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_normalised_cut_refuses_bad_scales():
    with pytest.raises(ValueError, match="sigmas"):
        NormalisedCut(sigma_colour=0)


def test_a_real_face_keeps_its_background_apart(data_root):
    from skimage.io import imread
    from skimage.transform import resize

    folder = data_root / "fasseg"
    truth = imread(folder / "FASSEG_instances/annotations/train/1.bmp")[::2, ::2]
    photograph = resize(
        imread(folder / "FASSEG-repository/V2/Train_RGB/1.bmp"), (256, 176), anti_aliasing=True
    )
    labels = NormalisedCut(3).segment(np.rint(255 * photograph).astype(np.uint8))
    face = np.bincount(labels[truth == 2], minlength=3) / (truth == 2).sum()
    hair = np.bincount(labels[truth == 1], minlength=3) / (truth == 1).sum()
    assert face.argmax() != hair.argmax() and face.max() > 0.8 and hair.max() > 0.8
