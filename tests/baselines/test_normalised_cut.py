"""The normalised cut against all partitions of a small graph, a dense eigensolver, and planted blocks."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import block_diag, csr_array

from segstudy.baselines import ncut_value, normalised_cut
from segstudy.graphs import pixel_affinity


def random_weights(rng, n, density=1.0):
    weights = np.triu(rng.random((n, n)) * (rng.random((n, n)) < density), 1)
    return weights + weights.T


def planted(rng, sizes, inside=1.0, across=0.05):
    """Blocks of nodes, shuffled: the weights and the block of every node."""
    block = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    weights = np.where(block[:, None] == block, inside, across) * rng.uniform(0.5, 1, (len(block),) * 2)
    weights = np.triu(weights, 1)
    return weights + weights.T, block


def dense_ncut(weights, labels):
    """Equation 2 from indicator vectors."""
    total = 0.0
    for part in np.unique(labels):
        x = (labels == part).astype(float)
        total += x @ weights @ (1 - x) / (x @ weights @ np.ones(len(x)))
    return total


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a.tolist())) == len(set(b.tolist()))


@pytest.mark.parametrize("seed", range(4))
def test_relaxation_bounds_every_partition_of_ten_nodes(seed):
    weights = random_weights(np.random.default_rng(seed), 10)
    values = [dense_ncut(weights, np.array((0, *rest))) for rest in product((0, 1), repeat=9) if any(rest)]
    labels, eigenvalues, eigenvectors = normalised_cut(weights, 2)
    found = ncut_value(weights, labels)
    assert eigenvalues[1] <= min(values) + 1e-12
    assert min(values) - 1e-12 <= found <= 1.25 * min(values)
    # No threshold of the eigenvector does better than the one taken.
    y = eigenvectors[:, 1]
    assert found == pytest.approx(min(dense_ncut(weights, y > t) for t in np.sort(y)[:-1]))


@pytest.mark.parametrize("seed", range(4))
def test_clear_blocks_are_the_optimum_of_all_partitions(seed):
    weights, block = planted(np.random.default_rng(seed), (4, 6))
    values = {
        rest: dense_ncut(weights, np.array((0, *rest))) for rest in product((0, 1), repeat=9) if any(rest)
    }
    best = min(values, key=values.get)
    labels, _, _ = normalised_cut(weights, 2)
    assert labels.tolist() == [0, *best] and same_partition(labels, block)
    assert ncut_value(weights, labels) == pytest.approx(values[best])


@pytest.mark.parametrize("sizes", [(12, 20), (8, 8, 8), (5, 10, 15, 20), (150, 180, 200)])
def test_planted_blocks_are_recovered(sizes, rng):
    weights, block = planted(rng, sizes)
    for form in (weights, csr_array(weights)):
        labels, eigenvalues, _ = normalised_cut(form, len(sizes))
        assert same_partition(labels, block)
        assert (
            labels[0] == 0
            and (np.maximum.accumulate(labels)[1:] <= np.maximum.accumulate(labels)[:-1] + 1).all()
        )
        assert (eigenvalues < 0.5).all()


@pytest.mark.parametrize(("n", "k"), [(12, 3), (400, 4), (401, 4), (500, 5)])  # both solvers
def test_eigenpairs_equal_the_generalised_problem(n, k, rng):
    weights = random_weights(rng, n, density=0.2 if n > 20 else 1.0)
    degrees = np.diag(weights.sum(axis=1))
    expected, vectors = eigh(degrees - weights, degrees)  # Equation 6 itself
    _, eigenvalues, y = normalised_cut(csr_array(weights), k)
    np.testing.assert_allclose(eigenvalues, expected[:k], atol=1e-10)
    np.testing.assert_allclose(y.T @ degrees @ y, np.eye(k), atol=1e-9)
    np.testing.assert_allclose(np.abs(y.T @ degrees @ vectors[:, :k]), np.eye(k), atol=1e-6)
    assert (y[np.abs(y).argmax(axis=0), np.arange(k)] > 0).all() and np.ptp(y[:, 0]) < 1e-9


def test_solvers_agree_on_a_picture(monkeypatch, rng):
    image = np.zeros((22, 22), dtype=np.uint8)
    image[6:17, 4:12] = 120
    weights = pixel_affinity(image + rng.integers(0, 20, image.shape).astype(np.uint8), sigma_feature=50.0)
    sparse = normalised_cut(weights, 2)
    monkeypatch.setitem(normalised_cut.__globals__, "DENSE", 10_000)
    dense = normalised_cut(weights, 2)
    np.testing.assert_array_equal(sparse[0].reshape(22, 22), image > 0)
    np.testing.assert_array_equal(sparse[0], dense[0])
    np.testing.assert_allclose(sparse[2], dense[2], atol=1e-8)


def test_path_of_four_by_hand():
    # Degrees 1, 2, 2, 1: cutting the middle severs 1 of 3 on both sides.
    weights = nx.to_numpy_array(nx.path_graph(4))
    labels, eigenvalues, _ = normalised_cut(weights, 2)
    assert labels.tolist() == [0, 0, 1, 1] and ncut_value(weights, labels) == pytest.approx(2 / 3)
    assert eigenvalues[1] == pytest.approx(1 - np.cos(np.pi / 3))  # of a path: 1 - cos(pi j / (n - 1))
    assert ncut_value(weights, np.array([0, 1, 1, 1])) == pytest.approx(1 + 1 / 5)
    assert ncut_value(weights, np.zeros(4, int)) == 0


def test_values_do_not_depend_on_scale_or_order(rng):
    weights, _ = planted(rng, (7, 9, 5))
    labels, eigenvalues, _ = normalised_cut(weights, 3)
    order = rng.permutation(21)
    moved, same, _ = normalised_cut(weights[np.ix_(order, order)], 3)
    assert same_partition(moved, labels[order])
    np.testing.assert_allclose(same, eigenvalues, atol=1e-12)
    assert ncut_value(1e3 * weights, labels) == pytest.approx(ncut_value(weights, labels))
    assert ncut_value(weights, 7 - 2 * labels) == pytest.approx(dense_ncut(weights, labels))
    np.testing.assert_array_equal(normalised_cut(1e3 * weights, 3)[0], labels)


def test_same_seed_same_answer(rng):
    weights = csr_array(random_weights(rng, 450, 0.1))
    for a, b in zip(normalised_cut(weights, 3, seed=4), normalised_cut(weights, 3, seed=4), strict=True):
        np.testing.assert_array_equal(a, b)


def test_symmetric_graphs_have_a_fixed_sign():
    weights = nx.to_numpy_array(nx.barbell_graph(5, 0))  # +y and -y are mirror images
    for scale in (1, 3, 1 / 7):
        y = normalised_cut(scale * weights, 2)[2][:, 1]
        assert y[0] > 0 > y[-1]
    for n in range(4, 30):  # rounding makes either end of a path the larger by a hair
        y = normalised_cut(nx.to_numpy_array(nx.path_graph(n)), 2)[2][:, 1]
        assert y[0] > 0 > y[-1]


def test_components_are_cut_at_no_cost(rng):
    parts = [random_weights(rng, n) for n in (3, 6, 4)]
    weights, component = block_diag(parts, format="csr"), np.repeat([0, 1, 2], (3, 6, 4))
    labels, eigenvalues, _ = normalised_cut(weights, 3)
    np.testing.assert_array_equal(labels, component)
    assert ncut_value(weights, labels) == 0 and np.abs(eigenvalues).max() < 1e-12
    heaviest = component == np.argmax([part.sum() for part in parts])
    assert same_partition(normalised_cut(weights, 2)[0], heaviest)
    # More parts than components: no part crosses components.
    finer = normalised_cut(weights, 4)[0]
    assert len(np.unique(finer)) == 4
    assert all(len(np.unique(component[finer == part])) == 1 for part in range(4))


def test_one_part_and_all_parts(rng):
    weights = random_weights(rng, 6)
    assert not normalised_cut(weights, 1)[0].any()
    assert sorted(normalised_cut(weights, 6)[0]) == [0, 1, 2, 3, 4, 5]
    assert sorted(normalised_cut(np.array([[0, 1.0], [1, 0]]), 2)[0]) == [0, 1]


@pytest.mark.parametrize(
    ("weights", "k", "words"),
    [
        (np.ones((2, 3)), 2, r"weights must be square.*\(2, 3\)"),
        (np.array([[0, 1.0], [2, 0]]), 2, "symmetric"),
        (np.array([[0, -1.0], [-1, 0]]), 2, "0 or more, got -1"),
        (np.array([[0, np.nan], [np.nan, 0]]), 2, "finite"),
        (np.array([[0, 1.0, 0], [1, 0, 0], [0, 0, 0]]), 2, "node 2 has none"),
        (np.zeros((2, 2)), 1, "node 0 has none"),
        (np.ones((3, 3)), 4, "k must be 1 to 3.*got 4"),
        (np.ones((3, 3)), 0, "k must.*got 0"),
    ],
)
def test_bad_input_is_named(weights, k, words):
    with pytest.raises(ValueError, match=words):
        normalised_cut(weights, k)


def test_ncut_value_wants_a_label_per_node():
    with pytest.raises(ValueError, match=r"labels.*3 nodes.*\(2,\)"):
        ncut_value(np.ones((3, 3)), np.zeros(2, int))
