"""Mutual information against a loop over displacements, its bounds, and its toys."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from segstudy.papers.sgseg import joint_distribution, mutual_information


def maps(seed: int, k: int = 4, shape: tuple[int, int] = (6, 7), sharp: float = 0.3):
    rng = np.random.default_rng(seed)
    return [
        torch.tensor(rng.dirichlet(np.full(k, sharp), (2, *shape)).transpose(0, 3, 1, 2)) for _ in range(2)
    ]


@pytest.mark.parametrize("radius", [0, 1, 2])
def test_the_joint_is_a_loop_over_displacements(radius):
    first, second = maps(0)
    expected = []
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            total = np.zeros((4, 4))
            for i in range(6):
                for j in range(7):
                    a, b = i + down, j + right
                    if 0 <= a < 6 and 0 <= b < 7:
                        for n in range(2):
                            total += np.outer(first[n, :, a, b], second[n, :, i, j])
            total = total + total.T
            expected.append(total / total.sum())
    np.testing.assert_allclose(joint_distribution(first, second, radius).numpy(), expected)


def test_of_sure_maps_it_is_scikit_learn_s_of_the_symmetrised_pairs():
    rng = np.random.default_rng(1)
    a, b = rng.integers(4, size=(2, 1, 8, 8))
    one_hot = [torch.nn.functional.one_hot(torch.tensor(x), 4).permute(0, 3, 1, 2).double() for x in (a, b)]
    expected = mutual_info_score(np.r_[a.ravel(), b.ravel()], np.r_[b.ravel(), a.ravel()])
    assert mutual_information(*one_hot).item() == pytest.approx(expected)


def test_it_is_between_zero_and_log_k():
    same = torch.eye(4, dtype=torch.float64).view(1, 4, 2, 2)
    assert mutual_information(same, same).item() == pytest.approx(math.log(4))
    even = torch.full((1, 4, 2, 2), 0.25, dtype=torch.float64)
    assert mutual_information(even, even).item() == pytest.approx(0, abs=1e-12)
    for seed in range(20):
        found = mutual_information(*maps(seed)).item()
        assert -1e-12 <= found <= math.log(4)


def test_it_does_not_know_the_clusters_names():
    first, second = maps(3)
    order = torch.tensor([2, 0, 3, 1])
    renamed = mutual_information(first[:, order], second[:, order], 1)
    torch.testing.assert_close(renamed, mutual_information(first, second, 1))


def test_the_plus_sign_of_equation_21_makes_two_maps_independent():
    """Two maps of 2 x 2 pixels that agree, sure: what is minimised falls with -I and rises with +I."""
    agree = torch.eye(2, dtype=torch.float64)[:, [0, 0, 1, 1]].view(1, 2, 2, 2)
    differ = torch.eye(2, dtype=torch.float64)[:, [0, 1, 0, 1]].view(1, 2, 2, 2)
    assert mutual_information(agree, agree).item() == pytest.approx(math.log(2))
    assert mutual_information(agree, differ).item() == pytest.approx(0, abs=1e-12)


def test_a_class_that_no_map_holds_costs_nothing():
    first, second = maps(4)
    first[:, 0] = second[:, 0] = 0
    first, second = (x / x.sum(dim=1, keepdim=True) for x in (first, second))
    found = mutual_information(first, second)
    assert found.isfinite()
    torch.testing.assert_close(found, mutual_information(first[:, 1:], second[:, 1:]))


def test_gradients():
    first, second = (m[:1, :3, :3, :3].log().requires_grad_() for m in maps(5))
    assert torch.autograd.gradcheck(
        lambda a, b: mutual_information(a.softmax(dim=1), b.softmax(dim=1), 1, 1.5), (first, second)
    )


def test_what_does_not_fit_is_refused():
    first, second = maps(6)
    with pytest.raises(ValueError, match="first and second"):
        joint_distribution(first, second[:, :2])
    with pytest.raises(ValueError, match="radius"):
        joint_distribution(first, second, 6)
