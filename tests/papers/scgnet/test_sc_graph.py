"""The self-constructing graph against loops written from Eqs. 7 to 13, torch's own divergence, and a map by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from segstudy.papers.scgnet import SCG
from segstudy.papers.scgnet.graphs import DenseGraph, IdentityGraph, SparseGraph
from segstudy.papers.scgnet.scg import EPSILON, adaptive_factor, diagonal_loss, kl_loss, strongest, to_nodes


def module(kind="vae", seed=0, **options):
    torch.manual_seed(seed)
    return SCG(5, 3, kind, **options).double().eval()


def maps(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(scg, features):
    """Return A, Z hat, L_kl, L_dl and gamma of one map in evaluation, by loops over nodes and classes."""
    with torch.no_grad():
        mean = scg.mean(features[None])[0]
        log_deviation = None if scg.log_deviation is None else scg.log_deviation(features[None])[0]
    c, h, w = mean.shape
    n = h * w
    M, S = np.empty((n, c)), np.zeros((n, c))
    for row in range(h):
        for column in range(w):
            for j in range(c):
                M[row * w + column, j] = mean[j, row, column]
                if log_deviation is not None:
                    S[row * w + column, j] = min(float(log_deviation[j, row, column]), 1.0)
    Z = M
    source = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True) if scg.kind == "directed" else Z
    A = np.array([[max(0.0, float(source[i] @ Z[j])) for j in range(n)] for i in range(n)])
    gamma = math.sqrt(1 + n / (sum(A[i, i] for i in range(n)) + EPSILON))
    dl = -gamma / n**2 * sum(math.log(min(max(abs(A[i, i]), 0), 1) + EPSILON) for i in range(n))
    terms = [
        1 + math.log(math.exp(S[i, j]) ** 2) - M[i, j] ** 2 - math.exp(S[i, j]) ** 2
        for i in range(n)
        for j in range(c)
    ]
    kl = 0.0 if scg.kind == "ae" else -sum(terms) / (2 * n * c)
    residual = M if scg.kind == "ae" else M * (1 - S)
    return A + gamma * np.diag(np.diag(A)), gamma * residual, kl, dl, gamma


@pytest.mark.parametrize("kind", ["vae", "ae", "directed"])
def test_equals_loops_over_nodes(kind):
    scg, features = module(kind), maps(1, 5, 3, 4)
    found = scg(features)
    A, residual, kl, dl, gamma = oracle(scg, features[0])
    # the graph is computed in float32
    assert np.allclose(found.graph.adjacency()[0].detach(), A, atol=1e-5)
    assert np.allclose(found.residual[0].detach(), residual, atol=1e-5)
    assert found.kl.item() == pytest.approx(kl, abs=1e-6)
    assert found.diagonal.item() == pytest.approx(dl, rel=1e-5, abs=1e-8)
    assert found.gamma.item() == pytest.approx(gamma, rel=1e-5)


@pytest.mark.parametrize("kind", ["vae", "ae", "directed"])
@pytest.mark.parametrize("factor", [0.0, 0.01, 0.5, 3.0])
@pytest.mark.parametrize("neighbours", [None, 11])
def test_a_neighbour_weight_scales_what_lies_off_the_diagonal(kind, factor, neighbours):
    scg, features = module(kind, neighbours=neighbours, neighbour_weight=factor), maps(1, 5, 3, 4)
    A, *_ = oracle(scg, features[0])
    expected = np.where(np.eye(12, dtype=bool), A, factor * A)
    nodes = torch.eye(12)[None]
    assert np.allclose(scg(features).graph.propagate(nodes)[0].detach(), expected, atol=1e-5)
    assert np.allclose(scg(features).graph.degrees()[0].detach(), expected.sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("kind", ["vae", "directed"])
@pytest.mark.parametrize("neighbours", [None, 2])
def test_gradients_with_a_neighbour_weight(kind, neighbours):
    scg, features = module(kind, neighbours=neighbours, neighbour_weight=0.3), maps(1, 5, 2, 2)

    def messages(mean):
        source = mean.softmax(dim=2) if kind == "directed" else mean
        diagonal = (source * mean).sum(dim=2).relu()
        return scg._decode(source, mean, diagonal, adaptive_factor(diagonal)).propagate(nodes)

    nodes = to_nodes(features)
    latent = to_nodes(scg.mean(features)).detach().requires_grad_()
    assert torch.autograd.gradcheck(messages, latent)


@pytest.mark.parametrize("factor", [-0.1, math.nan, math.inf])
def test_a_neighbour_weight_has_to_be_a_weight(factor):
    with pytest.raises(ValueError, match="neighbour_weight"):
        module(neighbour_weight=factor)


def test_a_batch_is_its_pictures():
    scg, features = module(), maps(3, 5, 3, 4)
    together, alone = scg(features), [scg(one[None]) for one in features]
    assert torch.allclose(together.graph.adjacency(), torch.cat([one.graph.adjacency() for one in alone]))
    assert torch.allclose(together.gamma, torch.cat([one.gamma for one in alone]))
    for name in ("kl", "diagonal"):
        mean = torch.stack([getattr(one, name) for one in alone]).mean()
        assert torch.allclose(getattr(together, name), mean)


def test_a_node_is_a_pixel():
    """And not d successive numbers of the raster, as reshaping without transposing would have it."""
    features = torch.arange(2 * 3 * 2 * 4, dtype=torch.float32).reshape(2, 3, 2, 4)
    nodes = to_nodes(features)
    for row in range(2):
        for column in range(4):
            assert torch.equal(nodes[:, row * 4 + column], features[:, :, row, column])
    assert not torch.equal(nodes, features.reshape(2, 8, 3))


def test_a_two_by_two_map_by_hand():
    """Two pixels of either class, no spread: A joins those of one class and no others."""
    scg = SCG(1, 2, "ae")
    with torch.no_grad():
        scg.mean.weight.zero_()
        scg.mean.weight[0, 0, 1, 1], scg.mean.weight[1, 0, 1, 1] = 0.5, -0.5
        scg.mean.bias.zero_()
    found = scg(torch.tensor([[[[1.0, 1.0], [-1.0, -1.0]]]]))
    # Z = (.5, -.5), (.5, -.5), (-.5, .5), (-.5, .5); A_ii = .5, gamma = sqrt(1 + 4 / 2) = sqrt 3
    root = math.sqrt(3)
    own, other = 0.5 + root * 0.5, 0.5
    expected = [[own, other, 0, 0], [other, own, 0, 0], [0, 0, own, other], [0, 0, other, own]]
    assert torch.allclose(found.graph.adjacency()[0], torch.tensor(expected), atol=1e-6)
    assert found.gamma.item() == pytest.approx(root)
    assert found.diagonal.item() == pytest.approx(-root / 16 * 4 * math.log(0.5), rel=1e-5)
    assert torch.allclose(found.residual[0, 0], root * torch.tensor([0.5, -0.5]))


def test_the_divergence_is_torchs():
    mean, log_deviation = maps(2, 7, 3), maps(2, 7, 3, seed=2)
    ours = kl_loss(mean, log_deviation)
    normal = torch.distributions.Normal
    theirs = torch.distributions.kl_divergence(normal(mean, log_deviation.exp()), normal(0.0, 1.0)).mean()
    assert torch.allclose(ours, theirs)


def test_noise_in_training_only():
    scg, features = module(), maps(1, 5, 4, 4)
    assert torch.equal(scg(features).latent, scg(features).latent)
    scg.train()
    assert not torch.equal(scg(features).latent, scg(features).latent)
    torch.manual_seed(3)
    first = scg(features).latent
    torch.manual_seed(3)
    assert torch.equal(first, scg(features).latent)
    spread = torch.stack([scg(features).latent for _ in range(4000)])
    with torch.no_grad():
        deviation = to_nodes(scg.log_deviation(features)).clamp(max=1).exp()
    assert torch.allclose(spread.std(dim=0).double(), deviation, rtol=0.08)


def test_the_log_deviation_stays_below_one():
    scg = module()
    with torch.no_grad():
        scg.log_deviation.bias.fill_(50.0)
    found = scg.train()(maps(1, 5, 4, 4))
    assert torch.isfinite(found.latent).all() and found.kl.item() < 20
    assert (found.residual == 0).all()  # 1 - log Sigma


def test_the_exact_inverse_and_a_constant_factor():
    features = maps(1, 5, 3, 3)
    exact, plain, constant = (module(**o) for o in ({"inverse": True}, {}, {"adaptive": False}))
    with torch.no_grad():
        mean, logs = to_nodes(exact.mean(features)), to_nodes(exact.log_deviation(features)).clamp(max=1)
    gamma = plain(features).gamma
    assert torch.allclose(exact(features).residual.double(), gamma * mean / logs.exp(), atol=1e-5)
    assert constant(features).gamma.tolist() == [1.0]
    assert torch.allclose(constant(features).residual.double(), mean * (1 - logs), atol=1e-5)


def test_the_released_divergence_counts_as_much_as_the_authors_code_has_it():
    features = maps(2, 5, 3, 4)
    scg = module(released=True)
    with torch.no_grad():
        mean, logs = scg.mean(features), scg.log_deviation(features).clamp(max=1)
    terms = (1 + 2 * logs - mean**2 - (2 * logs).exp()).sum(dim=1)  # over the channels
    by_code = -0.5 / 12 * terms.mean()
    assert scg(features).kl.item() == pytest.approx(by_code.item())
    assert module()(features).kl.item() == pytest.approx(12 / scg.mean.out_channels * by_code.item())


def test_undirected_is_symmetric_and_directed_is_not():
    features = maps(1, 5, 3, 4)
    A, D = (module(kind)(features).graph.adjacency() for kind in ("vae", "directed"))
    assert torch.allclose(A, A.mT) and not torch.allclose(D, D.mT, atol=1e-2)
    assert (A >= 0).all() and (D >= 0).all()


def test_a_grid_of_nodes_is_pooled_or_enlarged():
    features = maps(2, 5, 6, 8)
    assert module(nodes=(3, 4))(features).nodes.shape == (2, 12, 5)
    found = module(nodes=(12, 16))(features)
    assert found.nodes.shape == (2, 192, 5) and found.grid == (12, 16)
    pooled = module(nodes=(3, 4))(features).nodes[0, 0]
    assert torch.allclose(pooled, features[0, :, :2, :2].mean(dim=(1, 2)))


def test_all_neighbours_are_the_dense_graph():
    features, x = maps(2, 5, 4, 5), maps(2, 20, 6).float()
    for kind in ("vae", "directed"):
        dense, sparse = module(kind)(features).graph, module(kind, neighbours=19)(features).graph
        assert isinstance(sparse, SparseGraph)
        assert torch.allclose(dense.propagate(x), sparse.propagate(x), atol=1e-4)
        assert torch.allclose(dense.degrees(), sparse.degrees(), atol=1e-4)


def test_few_neighbours_are_the_largest():
    latent = maps(1, 30, 3)
    found = strongest(latent, latent, torch.zeros(1, 30), 4)
    A = (latent @ latent.mT).relu()[0]
    for i in range(30):
        others = sorted((float(A[i, j]) for j in range(30) if j != i), reverse=True)[:4]
        assert found.neighbours[0, i, 0] == i
        assert sorted(found.weights[0, i, 1:].tolist(), reverse=True) == pytest.approx(others)
        assert len(set(found.neighbours[0, i].tolist())) == 5


def test_large_graphs_choose_among_some_nodes():
    latent = maps(1, 3000, 3)
    found = strongest(latent, latent, torch.zeros(1, 3000), 5)
    others = found.neighbours[0, :, 1:].unique()
    assert len(others) <= 1000 and (others % 3 == 0).all() and found.neighbours.shape == (1, 3000, 6)


def test_without_a_graph_nothing_is_propagated():
    found = module(graph=False)(maps(1, 5, 3, 3))
    assert isinstance(found.graph, IdentityGraph)
    x = maps(1, 9, 4)
    assert torch.equal(found.graph.propagate(x), x) and (found.graph.degrees() == 1).all()


def test_dense_graph_by_hand():
    graph = DenseGraph(torch.tensor([[[0.0, 2.0], [1.0, 0.0]]]))
    assert graph.degrees().tolist() == [[2.0, 1.0]]
    nodes = torch.tensor([[[1.0], [10.0]]])
    assert graph.propagate(nodes).tolist() == [[[20.0], [1.0]]] and graph.adjacency() is graph.weights
    enhanced = DenseGraph(graph.weights, torch.tensor([[3.0, 5.0]]))
    assert enhanced.adjacency().tolist() == [[[3.0, 2.0], [1.0, 5.0]]]
    assert enhanced.degrees().tolist() == [[5.0, 6.0]]
    assert enhanced.propagate(nodes).tolist() == [[[23.0], [51.0]]]


def test_regularisers_by_hand():
    diagonal = torch.tensor([[0.5, 2.0]])
    gamma = adaptive_factor(diagonal)
    assert gamma.item() == pytest.approx(math.sqrt(1 + 2 / 2.5))
    assert diagonal_loss(diagonal, gamma).item() == pytest.approx(-gamma.item() / 4 * math.log(0.5), rel=1e-5)


def test_gradients_reach_every_parameter():
    for kind in ("vae", "ae", "directed"):
        scg = module(kind).train()
        found = scg(maps(2, 5, 3, 3))
        (found.graph.adjacency().sum() + found.residual.sum() + found.kl + found.diagonal).backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in scg.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "gan"}, "kind must be one of"),
        ({"nodes": (0, 4)}, "nodes must be"),
        ({"neighbours": 0}, "neighbours must be"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        SCG(5, 3, **options)
