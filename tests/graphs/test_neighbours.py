"""Nearest neighbours against a k-d tree and brute force, in every layout of memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from segstudy.graphs import nearest_neighbours, undirected_edges


def features(n, d, dtype=torch.float32, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("d", [2, 64, 65, 200])  # both sides of the switch to products of matrices
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("include_self", [False, True])
@pytest.mark.parametrize("chunk", [64, 4096])
def test_equals_a_kd_tree(d, dtype, include_self, chunk):
    values = features(150, d, dtype)
    indices, distances = nearest_neighbours(values, 6, chunk=chunk, include_self=include_self)
    expected, order = cKDTree(values.double().numpy()).query(values.double().numpy(), 7)
    keep = slice(0, 6) if include_self else slice(1, 7)
    np.testing.assert_array_equal(indices.numpy(), order[:, keep])
    np.testing.assert_allclose(
        distances.numpy(), expected[:, keep], rtol=1e-5 if dtype == torch.float32 else 1e-9, atol=1e-6
    )
    assert indices.dtype == torch.int64 and distances.dtype == dtype


@pytest.mark.parametrize("d", [3, 100])
def test_an_origin_far_away_loses_no_neighbour(d):
    # Products of matrices in float32 would get these wrong: squares of 1e4 leave no digit for differences of 1.
    near = torch.randint(0, 50, (120, d), generator=torch.Generator().manual_seed(1)).float()
    far = near + 1e4
    expected = nearest_neighbours(near, 5)
    found = nearest_neighbours(far, 5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-6, atol=0)


@pytest.mark.parametrize("chunk", [1, 7, 50, 4096])
def test_chunks_do_not_matter(chunk):
    values = features(50, 5)
    expected = nearest_neighbours(values, 49)
    for mine, theirs in zip(nearest_neighbours(values, 49, chunk=chunk), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    values = features(60, 8, dtype)
    indices, distances = nearest_neighbours(values, 5)
    expected = nearest_neighbours(values.float(), 5)
    torch.testing.assert_close(indices, expected[0])
    torch.testing.assert_close(distances, expected[1], rtol=0, atol=0)
    assert distances.dtype == torch.float32


def test_no_row_of_more_than_a_chunk_is_held(monkeypatch):
    seen = []
    cdist = torch.cdist
    monkeypatch.setattr(torch, "cdist", lambda a, b, **kw: seen.append((len(a), len(b))) or cdist(a, b, **kw))
    nearest_neighbours(features(100, 4), 3, chunk=30)
    assert seen == [(30, 100), (30, 100), (30, 100), (10, 100)]


def test_ties_stand_in_order_of_index():
    line = torch.tensor([[0.0], [1.0], [-1.0], [1.0], [2.0]])
    indices, distances = nearest_neighbours(line, 4)
    assert indices[0].tolist() == [1, 2, 3, 4] and distances[0].tolist() == [1, 1, 1, 2]
    assert indices[1].tolist() == [3, 0, 4, 2] and distances[1].tolist() == [0, 1, 1, 2]


def test_a_node_is_its_own_first_neighbour_even_among_copies():
    copies = torch.ones(8, 3)
    indices, distances = nearest_neighbours(copies, 3, include_self=True)
    assert indices[:, 0].tolist() == list(range(8)) and not distances.any()
    indices, _ = nearest_neighbours(copies, 7)
    assert all(i not in row for i, row in enumerate(indices.tolist()))


def test_every_node_can_be_asked_for():
    indices, _ = nearest_neighbours(features(5, 2), 5, include_self=True)
    assert all(sorted(row) == [0, 1, 2, 3, 4] for row in indices.tolist())


def test_no_gradient_flows():
    values = features(10, 2).requires_grad_()
    assert not nearest_neighbours(values, 2)[1].requires_grad


def test_planted_clusters_keep_to_themselves(rng):
    centres = torch.tensor([[0.0, 0], [100, 0], [0, 100]]).repeat_interleave(20, dim=0)
    order = torch.from_numpy(rng.permutation(60))
    indices, _ = nearest_neighbours((centres + features(60, 2))[order], 19)
    cluster = (order // 20)[indices]
    assert (cluster == (order // 20)[:, None]).all()


@pytest.mark.parametrize(
    ("values", "options", "error", "words"),
    [
        (torch.zeros(4, 2), {"k": 4}, ValueError, "k must be 1 to 3.*got 4"),
        (torch.zeros(4, 2), {"k": 5, "include_self": True}, ValueError, "k must be 1 to 4.*got 5"),
        (torch.zeros(4, 2), {"k": 0}, ValueError, "k must.*got 0"),
        (torch.zeros(4, 2), {"k": 1, "chunk": 0}, ValueError, "chunk.*0"),
        (torch.zeros(4), {"k": 1}, ValueError, r"features.*\(4,\)"),
        (torch.zeros(4, 2, dtype=torch.int64), {"k": 1}, TypeError, "features.*int64"),
        (torch.full((4, 2), torch.nan), {"k": 1}, ValueError, "features must be finite"),
    ],
)
def test_bad_input_is_named(values, options, error, words):
    with pytest.raises(error, match=words):
        nearest_neighbours(values, **options)


def test_undirected_edges_are_the_union_without_loops():
    indices = torch.tensor([[0, 1], [1, 0], [2, 0]])  # with each node itself; 2 -> 0 is not returned
    assert undirected_edges(indices).tolist() == [[0, 1], [0, 2]]


def test_undirected_edges_equal_a_symmetric_matrix():
    indices, _ = nearest_neighbours(features(40, 3), 4)
    matrix = torch.zeros(40, 40, dtype=torch.bool)
    matrix.scatter_(1, indices, True)
    expected = (matrix | matrix.T).triu().nonzero()
    torch.testing.assert_close(undirected_edges(indices), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("d", [5, 300])
def test_the_device_is_kept(d):
    values = features(500, d).cuda()
    indices, distances = nearest_neighbours(values, 8, chunk=128)
    assert indices.device == distances.device == values.device
    expected = nearest_neighbours(values.cpu(), 8)
    torch.testing.assert_close(indices.cpu(), expected[0])
    torch.testing.assert_close(distances.cpu(), expected[1])
    assert undirected_edges(indices).device == values.device
