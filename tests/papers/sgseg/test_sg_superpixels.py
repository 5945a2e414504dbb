"""Superpixels, their features and the losses that make them, against loops over pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from segstudy.papers import sgseg
from segstudy.papers.sgseg.spnn import Assignment
from segstudy.papers.sgseg.spnn_losses import edge_distribution
from segstudy.papers.sgseg.superpixels import pixel_places


def drawn(seed: int = 0, n: int = 5, bands: int = 3, height: int = 4, width: int = 6, batch: int = 2):
    """Return an assignment and an image in float64."""
    rng = np.random.default_rng(seed)
    assignment = rng.dirichlet(np.full(n, 0.4), (batch, height, width)).transpose(0, 3, 1, 2)
    return torch.tensor(assignment), torch.tensor(rng.normal(size=(batch, bands, height, width)))


def test_features_are_weighted_means_by_a_loop():
    assignment, image = drawn()
    found = sgseg.superpixel_features(assignment, image)
    for b in range(2):
        for s in range(5):
            total, weight = np.zeros(3), 0.0
            for i in range(4):
                for j in range(6):
                    total += assignment[b, s, i, j].item() * image[b, :, i, j].numpy()
                    weight += assignment[b, s, i, j].item()
            np.testing.assert_allclose(found[b, s].numpy(), total / weight)


def test_hard_features_and_image_by_a_loop():
    assignment, image = drawn(1)
    features, hard = (
        sgseg.superpixel_features(assignment, image, hard=True),
        sgseg.hard_image(assignment, image),
    )
    labels = assignment.argmax(dim=1).numpy()
    for b in range(2):
        for s in range(5):
            mine = image[b].numpy()[:, labels[b] == s]
            mean = mine.mean(axis=1) if mine.size else np.zeros(3)
            np.testing.assert_allclose(features[b, s].numpy(), mean, atol=1e-12)
            if mine.size:
                np.testing.assert_allclose(
                    hard[b].numpy()[:, labels[b] == s], mean[:, None].repeat(mine.shape[1], 1)
                )


def test_projection_and_soft_image_by_a_loop():
    assignment, image = drawn(2)
    features = sgseg.superpixel_features(assignment, image)
    soft = sgseg.soft_image(assignment, image)
    for b, i, j in ((0, 0, 0), (1, 3, 5), (0, 2, 4)):
        expected = sum(assignment[b, s, i, j] * features[b, s] for s in range(5))
        torch.testing.assert_close(soft[b, :, i, j], expected)


def test_a_sure_assignment_makes_soft_and_hard_the_same():
    assignment, image = drawn(3)
    sure = torch.nn.functional.one_hot(assignment.argmax(dim=1), 5).permute(0, 3, 1, 2).double()
    torch.testing.assert_close(sgseg.soft_image(sure, image), sgseg.hard_image(sure, image))


def test_an_empty_superpixel_has_no_features_and_no_nan():
    assignment, image = drawn(4)
    assignment[:, 0] = 0
    for hard in (False, True):
        found = sgseg.superpixel_features(assignment, image, hard)
        assert (found[:, 0] == 0).all() and found.isfinite().all()


def test_places_run_from_the_left_and_from_above():
    places = pixel_places(2, 3, like=torch.zeros(1))
    assert places.tolist() == [[[0, 0.5, 1]] * 2, [[0, 0, 0], [1, 1, 1]]]


def test_clustering_loss_from_the_equation():
    assignment, _ = drawn(5)
    expected = []
    for p in assignment.numpy():
        weights = p.mean(axis=(1, 2))
        expected.append(-(p * np.log(p)).sum() / p[0].size + 2 * (weights * np.log(weights)).sum())
    assert sgseg.clustering_loss(assignment).item() == pytest.approx(np.mean(expected))


def test_clustering_loss_at_its_ends():
    even = torch.full((1, 4, 2, 2), 0.25)
    sure = torch.eye(4).view(1, 4, 2, 2)
    assert sgseg.clustering_loss(even).item() == pytest.approx(-math.log(4))
    assert sgseg.clustering_loss(sure).item() == pytest.approx(
        -2 * math.log(4)
    )  # sure and even: the least there is


def test_smoothness_loss_from_the_equation():
    assignment, image = drawn(6, batch=1)
    p, picture, total = assignment[0].numpy(), image[0].numpy(), 0.0
    for i in range(4):
        for j in range(6):
            for a, b in ((i + 1, j), (i, j + 1)):
                if a < 4 and b < 6:
                    change = np.abs(p[:, a, b] - p[:, i, j]).sum()
                    total += change * np.exp(-((picture[:, a, b] - picture[:, i, j]) ** 2).sum() / 10)
    assert sgseg.smoothness_loss(assignment, image).item() == pytest.approx(total / 24)


def test_an_edge_of_the_picture_makes_a_border_cheap():
    assignment = torch.zeros(1, 2, 2, 4)
    assignment[:, 0, :, :2] = assignment[:, 1, :, 2:] = 1
    flat, edge = torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4)
    edge[..., 2:] = 10
    cheap, dear = (sgseg.smoothness_loss(assignment, image).item() for image in (edge, flat))
    assert dear == pytest.approx(2 * 2 / 8) and cheap == pytest.approx(dear * math.exp(-10))


def test_edge_loss_from_the_equation():
    _, image = drawn(7)
    other, third = image + 0.3 * torch.randn_like(image), image * 0.5

    def distribution(picture):
        padded = np.pad(picture, 1, mode="edge")
        response = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * picture
        return np.exp(response) / np.exp(response).sum()

    def divergence(a, b):
        p, q = distribution(a), distribution(b)
        return (p * np.log(p / q)).sum()

    expected = np.mean(
        [
            divergence(a, b) + divergence(a, c)
            for x, y, z in zip(image.numpy(), other.numpy(), third.numpy(), strict=True)
            for a, b, c in zip(x, y, z, strict=True)
        ]
    )
    assert sgseg.edge_loss(image, other, third).item() == pytest.approx(expected)
    assert sgseg.edge_loss(image, image, image).item() == pytest.approx(0)
    assert edge_distribution(image).exp().sum(dim=2).numpy() == pytest.approx(1)


def test_reconstruction_loss_is_a_mean_over_values():
    zeros, ones = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    assert sgseg.reconstruction_loss(zeros, ones, 2 * ones).item() == pytest.approx(1 + 4)


def test_all_of_equation_8():
    assignment, image = drawn(8)
    found = Assignment(assignment, image * 0.9, image)
    soft = sgseg.soft_image(assignment, image)
    expected = sgseg.clustering_loss(assignment) + 3 * sgseg.smoothness_loss(assignment, image)
    expected = expected + 4 * sgseg.reconstruction_loss(image, image * 0.9, soft)
    expected = expected + 0.5 * sgseg.edge_loss(image, image * 0.9, soft)
    torch.testing.assert_close(sgseg.spnn_loss(image, found, alpha=3, beta=4, eta=0.5), expected)


def test_gradients_of_all_losses():
    assignment, image = drawn(9, n=3, height=3, width=3, batch=1)
    logits = assignment.log().requires_grad_()

    def loss(values):
        found = Assignment(values.softmax(dim=1), image * 0.9, image)
        return sgseg.spnn_loss(image, found)

    assert torch.autograd.gradcheck(loss, logits)


def test_what_does_not_fit_is_refused():
    assignment, image = drawn()
    for wrong in ((assignment[:1], image), (assignment, image[..., :2]), (assignment[0], image)):
        with pytest.raises(ValueError, match="assignment"):
            sgseg.superpixel_features(*wrong)
    with pytest.raises(ValueError, match="features"):
        sgseg.project(assignment, torch.zeros(2, 4, 3))
    with pytest.raises(ValueError, match="sigma"):
        sgseg.smoothness_loss(assignment, image, sigma=0)


def test_clustering_loss_has_a_slope_where_a_probability_is_0():
    logits = torch.tensor([[[[300.0, 0.0]], [[0.0, 300.0]]]], requires_grad=True)
    assignment = logits.softmax(dim=1)
    assert (assignment == 0).any()
    sgseg.clustering_loss(assignment).backward()
    assert torch.isfinite(logits.grad).all()
