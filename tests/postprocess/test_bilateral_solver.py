"""The bilateral solver against a dense solve of its objective, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from segstudy.postprocess import (
    DEEPCUT,
    SLIDES,
    bilateral_solver,
    count_components,
    largest_component,
    refine_mask,
)
from segstudy.postprocess.solver import bilateral_grid

SIGMAS = (4.0, 20.0, 20.0)


@pytest.fixture
def small(rng):
    """A 12 x 12 picture of two colours with noise, and a noisy target."""
    image = np.full((12, 12, 3), 60, dtype=np.uint8)
    image[:, 6:] = 180
    image = (image + rng.integers(0, 25, image.shape)).astype(np.uint8)
    return image, rng.random((12, 12)), rng.random((12, 12))


def dense_affinity(image, sigma_space, sigma_luma, sigma_chroma):
    """Write W^ of the paper's Eq. 4 pixel by pixel: cells, blur of cells that differ by one step, bistochastic."""
    r, g, b = (image[..., i].astype(float).ravel() for i in range(3))
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = 0.564 * (b - luma) + 128, 0.713 * (r - luma) + 128
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    planes = [(y.ravel(), sigma_space), (x.ravel(), sigma_space), (luma, sigma_luma)]
    planes += [(u, sigma_chroma), (v, sigma_chroma)]
    cells = [tuple(int(round(float(p[i]) / s)) for p, s in planes) for i in range(len(r))]
    vertices = sorted(set(cells))
    S = np.array([[cell == vertex for cell in cells] for vertex in vertices], dtype=float)
    apart = np.abs(np.array(vertices)[:, None] - np.array(vertices)[None]).sum(axis=2)
    B = (apart == 1) + 10.0 * np.eye(len(vertices))
    m, n = S.sum(axis=1), np.ones(len(vertices))
    for _ in range(500):
        n = np.sqrt(n * m / (B @ n))
    half = np.diag(1 / m) @ S
    return half.T @ np.diag(n) @ B @ np.diag(n) @ half


def test_equals_a_dense_solve_of_its_objective(small, monkeypatch):
    image, target, confidence = small
    monkeypatch.setattr("segstudy.postprocess.solver.BISTOCHASTIC_STEPS", 500)
    W = dense_affinity(image, *SIGMAS)
    assert np.allclose(W.sum(axis=1), 1)
    n = target.size
    laplacian = np.diag(W.sum(axis=1)) - W
    c, t = confidence.ravel(), target.ravel()
    # x is constant on a vertex in the paper's reduced problem: minimise Eq. 1 among such x
    vertex = bilateral_grid(image, *SIGMAS).vertex
    P = np.eye(vertex.max() + 1)[vertex]
    smoothness = 8.0
    A = P.T @ (smoothness * laplacian + np.diag(c)) @ P
    expected = P @ np.linalg.solve(A, P.T @ (c * t))
    options = dict(zip(("sigma_space", "sigma_luma", "sigma_chroma"), SIGMAS, strict=True))
    found = bilateral_solver(
        image, target, confidence, smoothness=smoothness, iterations=2000, tolerance=1e-12, **options
    )
    assert n == 144
    assert np.abs(found.ravel() - expected).max() < 1e-6


def test_a_constant_target_stays(small):
    image, _, confidence = small
    assert np.allclose(bilateral_solver(image, np.full((12, 12), 0.3), confidence + 0.1), 0.3, atol=1e-3)


def test_follows_the_edge_of_the_picture(rng):
    image = np.full((48, 48, 3), 40, dtype=np.uint8)
    image[:, 24:] = 200
    truth = np.zeros((48, 48), dtype=bool)
    truth[:, 24:] = True
    noisy = truth ^ (rng.random(truth.shape) < 0.25)
    refined = bilateral_solver(image, noisy, sigma_space=8.0) > 0.5
    assert (noisy == truth).mean() < 0.8
    assert (refined == truth).all()


def test_fills_where_nothing_is_known():
    image = np.full((32, 32, 3), 40, dtype=np.uint8)
    image[:, 16:] = 200
    target, confidence = np.zeros((32, 32)), np.zeros((32, 32))
    confidence[4, 2] = confidence[4, 30] = 1.0
    target[4, 30] = 1.0
    found = bilateral_solver(image, target, confidence, smoothness=1.0, iterations=500, tolerance=1e-10)
    assert np.allclose(found[:, :16], 0, atol=0.05)
    assert np.allclose(found[:, 16:], 1, atol=0.05)


def test_of_one_pixel_and_of_a_flat_picture():
    assert bilateral_solver(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1))) == pytest.approx(1)
    flat = bilateral_solver(np.zeros((20, 20, 3), np.uint8), np.eye(20), smoothness=1e6, iterations=500)
    assert np.ptp(flat) < 0.05


def test_refine_mask_fills_holes_and_keeps_one_piece(rng):
    image = np.full((64, 64, 3), 220, dtype=np.uint8)
    y, x = np.mgrid[:64, :64]
    disc = np.hypot(y - 32, x - 32) < 18
    image[disc] = 60
    noisy = disc ^ (rng.random(disc.shape) < 0.05)
    for settings in (DEEPCUT, SLIDES):
        refined = refine_mask(image, noisy, settings)
        assert (refined & disc).sum() / (refined | disc).sum() > 0.97
        assert count_components(refined) == 1 and count_components(~refined) == 1


def test_refine_mask_of_nothing_stays_nothing():
    image = np.zeros((16, 16, 3), np.uint8)
    assert not refine_mask(image, np.zeros((16, 16), bool)).any()


def test_largest_component_by_its_neighbours():
    mask = np.array([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]], dtype=bool)
    assert largest_component(mask).sum() == 3 and count_components(mask) == 3
    assert count_components(mask, connectivity=2) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma_space": 0}, "sigmas"),
        ({"smoothness": -1}, "smoothness"),
        ({"confidence": -1.0}, "confidence"),
        ({"target": np.full((12, 12), np.nan)}, "finite"),
        ({"target": np.zeros((12, 11))}, "of its size"),
        ({"sigma_luma": 0.01}, "larger"),
    ],
)
def test_bad_input(small, change, message):
    image, target, _ = small
    with pytest.raises(ValueError, match=message):
        bilateral_solver(**{"image": image, "target": target, **change})


def test_floats_are_no_picture(small):
    with pytest.raises(TypeError, match="uint8"):
        bilateral_solver(small[0].astype(float), small[1])
