"""The dense CRF against loops over pixel pairs, against another program, and under what must not change it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from segstudy.postprocess import DSRG_TEST, DSRG_TRAINING, CRFSettings, DenseCRF, crf, dense_crf
from segstudy.postprocess.crf import FLOOR
from segstudy.postprocess.pairs import CUT, MAX_PIXELS
from segstudy.postprocess.permutohedral import Lattice

METHODS = ("exact", "sparse", "lattice")
WIDE = CRFSettings(bilateral_xy=8.0)


def scene(rng, height, width, classes=3, noise=12.0):
    """Draw a picture of `classes` slanted stripes with noise, and soft, wrong-edged probabilities of them."""
    y, x = np.mgrid[:height, :width]
    stripe = np.clip((x + 0.4 * y) * classes // (1.4 * width), 0, classes - 1).astype(int)
    colours = rng.integers(30, 226, (classes, 3))
    image = np.clip(colours[stripe] + rng.normal(0, noise, (height, width, 3)), 0, 255).astype(np.uint8)
    moved = np.roll(stripe, 2, axis=1)
    soft = 0.4 * np.eye(classes)[moved] + rng.random((height, width, classes))
    return image, (soft / soft.sum(axis=2, keepdims=True)).astype(np.float32)


def brute_force(probabilities, image, settings, cut=0.0):
    """Run mean field with loops over pairs of pixels, in double precision."""
    height, width, classes = probabilities.shape
    places = [(y, x) for y in range(height) for x in range(width)]
    n = len(places)
    kernels = np.zeros((2, n, n))
    for i, (y, x) in enumerate(places):
        for j, (v, u) in enumerate(places):
            away = (y - v) ** 2 + (x - u) ** 2
            colour = sum((float(a) - float(b)) ** 2 for a, b in zip(image[y, x], image[v, u], strict=True))
            bilateral = away / (2 * settings.bilateral_xy**2) + colour / (2 * settings.bilateral_rgb**2)
            pair = math.exp(-bilateral), math.exp(-away / (2 * settings.gaussian_xy**2))
            kernels[:, i, j] = [k if k >= cut else 0 for k in pair]
    roots = np.sqrt(kernels.sum(axis=2))
    kernels /= roots[:, :, None] * roots[:, None, :]
    weights = settings.bilateral_weight * kernels[0] + settings.gaussian_weight * kernels[1]
    start = np.log(np.maximum(probabilities.reshape(n, classes).astype(float), FLOOR))
    q = np.exp(start) / np.exp(start).sum(axis=1, keepdims=True)
    for _ in range(settings.iterations):
        q = np.exp(start + weights @ q)
        q /= q.sum(axis=1, keepdims=True)
    return q.reshape(probabilities.shape)


@pytest.mark.parametrize(("method", "cut"), [("exact", 0.0), ("sparse", CUT)])
@pytest.mark.parametrize("settings", [WIDE, DSRG_TEST, DSRG_TRAINING])
def test_equals_loops_over_pairs(rng, method, cut, settings):
    image, probabilities = scene(rng, 16, 16)
    expected = brute_force(probabilities, image, settings, cut)
    found = dense_crf(probabilities, image, settings, method)
    assert np.abs(expected - probabilities).max() > 0.1
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("classes", [2, 5, 8, 15])
@pytest.mark.parametrize("method", ["sparse", "lattice"])
def test_few_classes_get_the_labels_of_torch_s_own_softmax(rng, monkeypatch, classes, method):
    image, probabilities = scene(rng, 48, 60, classes)
    found = dense_crf(probabilities, image, DSRG_TEST, method)
    monkeypatch.setattr(crf, "VECTOR", 0)
    plain = dense_crf(probabilities, image, DSRG_TEST, method)
    assert np.abs(found - plain).max() < 1e-5 and (found.argmax(axis=2) == plain.argmax(axis=2)).all()


def test_mean_field_of_three_pixels_by_hand():
    image = np.array(
        [[[0] * 3, [0] * 3, [255] * 3]], np.uint8
    )  # two alike, and one that neither kernel joins
    settings = CRFSettings(1, 4.0, 1e6, 1.0, gaussian_weight=0.0)
    probabilities = np.array([[[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]])
    found = dense_crf(probabilities, image, settings, "exact")
    # the first two exchange the mean of their probabilities, .65 and .35; the third hears itself alone
    pulled = math.exp(4 * 0.30)
    assert found[0, 0, 0] == pytest.approx(0.9 * pulled / (0.9 * pulled + 0.1), abs=1e-5)
    assert found[0, 1, 0] == pytest.approx(0.4 * pulled / (0.4 * pulled + 0.6), abs=1e-5)
    assert found[0, 2, 0] == pytest.approx(0.4 / (0.4 + 0.6 * math.exp(4 * 0.2)), abs=1e-5)


def other_program(probabilities, image, settings):
    """Refine with pydensecrf2."""
    program = pytest.importorskip("pydensecrf.densecrf")
    height, width, classes = probabilities.shape
    crf = program.DenseCRF2D(width, height, classes)
    energies = -np.log(np.maximum(probabilities, FLOOR)).reshape(-1, classes)
    crf.setUnaryEnergy(np.ascontiguousarray(energies.T))
    crf.addPairwiseGaussian(sxy=settings.gaussian_xy, compat=settings.gaussian_weight)
    crf.addPairwiseBilateral(
        sxy=settings.bilateral_xy,
        srgb=settings.bilateral_rgb,
        rgbim=np.ascontiguousarray(image),
        compat=settings.bilateral_weight,
    )
    return np.array(crf.inference(settings.iterations)).T.reshape(probabilities.shape)


def test_lattice_is_as_near_to_exact_as_the_other_program(rng):
    for noise in (5.0, 12.0, 25.0):
        image, probabilities = scene(rng, 64, 64, noise=noise)
        exact = dense_crf(probabilities, image, method="exact")
        theirs = np.abs(other_program(probabilities, image, DSRG_TEST) - exact)
        ours = np.abs(dense_crf(probabilities, image, method="lattice") - exact)
        assert ours.max() <= theirs.max() + 1e-3
        assert ours.mean() <= theirs.mean() + 1e-4


@pytest.mark.parametrize("classes", [2, 21])
def test_labels_of_a_whole_picture_are_the_other_programs(rng, classes):
    image, probabilities = scene(rng, 150, 200, classes, noise=20.0)
    theirs = other_program(probabilities, image, DSRG_TEST).argmax(axis=2)
    ours = dense_crf(probabilities, image).argmax(axis=2)
    assert (theirs != probabilities.argmax(axis=2)).mean() > 0.02
    assert (ours == theirs).mean() >= 0.99


def test_lattice_labels_as_exact(rng):
    image, probabilities = scene(rng, 48, 48)
    settings = replace(DSRG_TEST, bilateral_xy=20.0)
    exact = dense_crf(probabilities, image, settings, "exact").argmax(axis=2)
    found = dense_crf(probabilities, image, settings, "lattice").argmax(axis=2)
    assert (exact != probabilities.argmax(axis=2)).mean() > 0.1
    assert (found == exact).mean() > 0.97


@pytest.mark.parametrize("d", [2, 3])
def test_lattice_blurs_with_variance_one(d):
    axes = [torch.arange(0, 10, 0.4)] * d
    points = torch.cartesian_prod(*axes)[None]
    sums = Lattice(points).filter(torch.cat([torch.ones_like(points[..., :1]), points, points**2], dim=2))
    mean, square = sums[0, :, 1 : d + 1] / sums[0, :, :1], sums[0, :, d + 1 :] / sums[0, :, :1]
    inner = ((points[0] > 3.5) & (points[0] < 6.5)).all(dim=1)
    assert (mean - points[0])[inner].mean(dim=0).abs().max() < 0.02
    assert ((square - mean**2)[inner].mean(dim=0) - 1).abs().max() < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_order_of_classes_does_not_matter(rng, method):
    image, probabilities = scene(rng, 20, 24, classes=5)
    order = rng.permutation(5)
    found = dense_crf(probabilities[..., order], image, WIDE, method)
    assert np.abs(found - dense_crf(probabilities, image, WIDE, method)[..., order]).max() < 1e-4


@pytest.mark.parametrize("method", ["exact", "sparse"])
def test_mirrored_picture_gives_the_mirrored_answer(rng, method):
    image, probabilities = scene(rng, 20, 24)
    found = dense_crf(probabilities, image, WIDE, method)
    mirrored = dense_crf(probabilities[:, ::-1], image[:, ::-1], WIDE, method)
    assert np.abs(mirrored[:, ::-1] - found).max() < 1e-4


def test_lattice_labels_the_mirrored_picture_alike(rng):  # the lattice itself is not symmetric
    image, probabilities = scene(rng, 96, 120)
    found = dense_crf(probabilities, image, method="lattice").argmax(axis=2)
    mirrored = dense_crf(probabilities[:, ::-1], image[:, ::-1], method="lattice")
    assert (mirrored[:, ::-1].argmax(axis=2) == found).mean() > 0.97


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_gives_what_each_gives_alone(rng, method):
    images, maps = zip(*(scene(rng, 18, 22) for _ in range(3)), strict=True)
    together = dense_crf(np.stack(maps), np.stack(images), WIDE, method)
    for one, image, found in zip(maps, images, together, strict=True):
        assert np.abs(dense_crf(one, image, WIDE, method) - found).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_picture_keeps_uniform_unaries(method):
    image = np.full((15, 17, 3), 90, np.uint8)
    flat = np.broadcast_to(np.array([0.2, 0.5, 0.3]), (15, 17, 3))
    assert (dense_crf(flat, image, method=method).argmax(axis=2) == 1).all()
    undecided = dense_crf(np.full((15, 17, 4), 0.25), image, method=method)
    assert np.abs(undecided - 0.25).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_kernel_is_reused_and_takes_energies(rng, method):
    image, probabilities = scene(rng, 20, 20)
    crf = DenseCRF(image, WIDE, method)
    first = crf.refine(probabilities)
    assert not np.allclose(crf.refine(probabilities[..., ::-1]), first)
    assert np.array_equal(crf.refine(probabilities), first)
    energies = 7.0 - np.log(probabilities)  # a constant added to all classes changes nothing
    assert np.abs(crf.mean_field(energies) - first).max() < 1e-4
    unmoved = DenseCRF(image, replace(WIDE, iterations=0), method).refine(probabilities)
    assert np.abs(unmoved - probabilities).max() < 1e-5


def test_tensors_in_tensors_out(rng):
    image, probabilities = scene(rng, 20, 20)
    given = torch.tensor(probabilities, dtype=torch.float64, requires_grad=True)
    found = dense_crf(given, torch.tensor(image))
    assert isinstance(found, torch.Tensor) and found.dtype == torch.float32 and not found.requires_grad
    array = dense_crf(probabilities, image)
    assert isinstance(array, np.ndarray) and array.dtype == np.float32
    assert np.abs(found.numpy() - array).max() < 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("method", METHODS)
def test_gpu_gives_what_the_cpu_gives(rng, method):
    image, probabilities = scene(rng, 48, 48)
    found = dense_crf(torch.tensor(probabilities).cuda(), image, WIDE, method)
    assert found.is_cuda
    assert np.abs(found.cpu().numpy() - dense_crf(probabilities, image, WIDE, method)).max() < 1e-3


def test_auto_is_sparse_on_a_map_and_the_lattice_on_a_picture(rng):
    for size, method in ((64, "sparse"), (65, "lattice")):
        image, probabilities = scene(rng, size, size)
        assert np.array_equal(dense_crf(probabilities, image), dense_crf(probabilities, image, method=method))


@pytest.mark.parametrize("method", METHODS)
def test_one_pixel_one_class_and_grey(rng, method):
    one = dense_crf(np.array([[[0.3, 0.7]]]), np.zeros((1, 1, 3), np.uint8), method=method)
    assert one[0, 0, 1] > 0.99  # a pixel hears itself: 13 times its own probability
    image, probabilities = scene(rng, 12, 14)
    assert (dense_crf(np.ones((12, 14, 1)), image, method=method) == 1).all()
    grey = image[..., 0]
    expected = dense_crf(probabilities, np.stack([grey] * 3, axis=2), method=method)
    assert np.array_equal(dense_crf(probabilities, grey, method=method), expected)
    assert np.array_equal(dense_crf(probabilities, grey[..., None], method=method), expected)


def test_a_certain_pixel_stays_finite(rng):
    image, _ = scene(rng, 10, 10)
    certain = np.eye(3)[np.zeros((10, 10), int)]
    found = dense_crf(certain, image)
    assert np.isfinite(found).all() and (found.argmax(axis=2) == 0).all()


def test_refuses_bad_probabilities(rng):
    image, good = scene(rng, 10, 12)
    for change, message in ((np.nan, "nan or infinity"), (3.0, "leave"), (0.9, "sum to 1")):
        bad = good.copy()
        bad[4, 5] = change
        for values in (bad, torch.tensor(bad)):
            with pytest.raises(ValueError, match=message):
                dense_crf(values, image)
    with pytest.raises(TypeError, match="floats"):
        dense_crf(np.zeros((10, 12), int), image)
    energies = np.full((10, 12, 3), np.inf, np.float32)
    with pytest.raises(ValueError, match="nan or infinity"):
        DenseCRF(image).mean_field(energies)


def test_refuses_shapes_that_differ(rng):
    image, good = scene(rng, 10, 12)
    for bad in (good[:9], good.transpose(1, 0, 2), good[..., 0], good[None], good[..., :0]):
        with pytest.raises(ValueError, match=r"\(10, 12, 'C'\)"):
            dense_crf(bad, image)
    with pytest.raises(ValueError, match=r"\(2, 10, 12, 'C'\)"):
        dense_crf(good, np.stack([image, image]))
    for bad in (image[..., :2], image[0, 0], image[:0]):
        with pytest.raises(ValueError, match="image must be"):
            dense_crf(good, bad)
    with pytest.raises(TypeError, match="uint8"):
        dense_crf(good, image / 255)


def test_refuses_bad_settings(rng):
    image, good = scene(rng, 10, 12)
    with pytest.raises(ValueError, match="method must be"):
        dense_crf(good, image, method="fast")
    for bad in ({"bilateral_xy": 0.0}, {"gaussian_xy": math.nan}, {"bilateral_rgb": -1.0}):
        with pytest.raises(ValueError, match="and above 0"):
            CRFSettings(**bad)
    for bad in ({"iterations": -1}, {"bilateral_weight": math.inf}, {"gaussian_weight": -3.0}):
        with pytest.raises(ValueError, match="0 or more"):
            CRFSettings(**bad)
    large = np.zeros((2, MAX_PIXELS, 3), np.uint8)
    with pytest.raises(ValueError, match="lattice"):
        DenseCRF(large, method="exact")
    tiny = replace(DSRG_TEST, bilateral_xy=1e-4, bilateral_rgb=1e-3)
    with pytest.raises(ValueError, match="larger standard deviations"):
        DenseCRF(image, tiny, "lattice")
