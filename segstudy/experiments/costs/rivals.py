"""Our programs beside those that a user would otherwise pick, on the same input, in turn, where these are installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module, metadata
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

from segstudy.baselines.normalised_cut import ncut_value, normalised_cut
from segstudy.baselines.superpixels import Superpixels
from segstudy.experiments.costs.inputs import batch, features, picture
from segstudy.experiments.costs.methods import matching_problem
from segstudy.experiments.rounds import interleave, machines
from segstudy.graphs import nearest_neighbours
from segstudy.papers.graph_matching import match
from segstudy.papers.graph_matching.costs import build_problem, edge_maxima
from segstudy.papers.scgnet.graphs import DenseGraph, SparseGraph
from segstudy.papers.scgnet.layers import GCN
from segstudy.papers.sgseg import SPNN, superpixel_graph
from segstudy.papers.sgseg.gnn import Block
from segstudy.postprocess import CRFSettings, dense_crf

CRF_SETTINGS = CRFSettings(iterations=5)
CRF_CLASSES = 21
ERROR_SIDE = 64  # pixels, up to which all pairs are written down
WORST_CUT = 0.01  # Ncut up to which scikit-image goes on cutting; at its own 0.001 the picture stays whole
WIDTH, NEAR = 64, 20  # channels and neighbours of the sparse layers: SGSeg's

Jobs = dict[str, Callable[[], Any]]
Agreement = dict[str, float]


class Rival(NamedTuple):
    """A comparison.

    Attributes
    ----------
    ours, theirs : str
        What is timed, as tables name it.
    package : str
        Whose program the other is, as it is installed.
    prepare : callable
        Takes a size, and returns our call, their call, and what tells how far their answers agree: a callable of none.
    """

    ours: str
    theirs: str
    package: str
    prepare: Callable[[int], tuple[Callable[[], Any], Callable[[], Any], Callable[[], Agreement]]]


def version(name: str) -> str | None:
    """Return the version of the package of a rival, None where it is not installed."""
    try:
        return metadata.version(RIVALS[name].package)
    except metadata.PackageNotFoundError:
        return None


def time_rival(
    name: str, size: int, rounds: int, version: str, threads: int = 1, seed: int = 0
) -> dict[str, Any]:
    """Time ours and the other program in turn.

    Parameters
    ----------
    name : str
        Of `RIVALS`.
    size : int
        Of the problem: the side of a picture in pixels, regions, or nodes.
    rounds, threads, seed
        As for :func:`~segstudy.experiments.rounds.interleave`.
    version : str
        Of the other program's package; a result belongs to it.

    Returns
    -------
    dict
        "name", "size", "version", "seconds": (rounds, 2) ndarray of ours and theirs, "agreement": numbers by what they
        are; and "machine", "threads".
    """
    ours, theirs, agree = RIVALS[name].prepare(size)
    seconds = interleave({"ours": ours, "theirs": theirs}, rounds, threads, seed)
    found = {"name": name, "size": size, "version": version, "agreement": agree()}
    return found | {"seconds": np.stack(list(seconds.values()), axis=1)} | machines(threads, ["cpu"])


def pydensecrf(probabilities: np.ndarray, image: np.ndarray, settings: CRFSettings) -> np.ndarray:
    """Refine (H, W, C) probabilities of a picture with pydensecrf2."""
    from pydensecrf.densecrf import DenseCRF2D

    height, width, classes = probabilities.shape
    crf = DenseCRF2D(width, height, classes)
    crf.setUnaryEnergy(np.ascontiguousarray(-np.log(probabilities).reshape(-1, classes).T))
    crf.addPairwiseGaussian(sxy=settings.gaussian_xy, compat=settings.gaussian_weight)
    crf.addPairwiseBilateral(
        sxy=settings.bilateral_xy,
        srgb=settings.bilateral_rgb,
        rgbim=np.ascontiguousarray(image),
        compat=settings.bilateral_weight,
    )
    return np.array(crf.inference(settings.iterations)).T.reshape(probabilities.shape)


def _crf_input(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture and probabilities that doubt, with a lighter part in the middle as the second class."""
    image = picture(height, width)
    dark = image.mean(axis=2) < image.mean()
    soft = np.random.default_rng(0).random((height, width, CRF_CLASSES), np.float32)
    soft += np.eye(CRF_CLASSES, dtype=np.float32)[dark.astype(int)]
    return image, soft / soft.sum(axis=2, keepdims=True)


def _crf(side: int) -> Any:
    image, soft = _crf_input(side, round(1.5 * side))

    def agree() -> Agreement:
        ours, theirs = (run(soft, image, CRF_SETTINGS).argmax(axis=2) for run in (dense_crf, pydensecrf))
        small, given = _crf_input(ERROR_SIDE, ERROR_SIDE)
        exact = dense_crf(given, small, CRF_SETTINGS, "exact")
        errors = {"ours": dense_crf(given, small, CRF_SETTINGS, "lattice") - exact}
        errors["theirs"] = pydensecrf(given, small, CRF_SETTINGS) - exact
        found = {"same labels": float((ours == theirs).mean())}
        for name, error in errors.items():
            found |= {
                f"mean error, {name}": float(np.abs(error).mean()),
                f"largest error, {name}": float(np.abs(error).max()),
            }
        return found

    return (
        (lambda: dense_crf(soft, image, CRF_SETTINGS)),
        (lambda: pydensecrf(soft, image, CRF_SETTINGS)),
        agree,
    )


def _solver(solver: str, regions: int) -> Any:
    graph, model = matching_problem(regions)

    def agree() -> Agreement:
        best, found = match(graph, model), match(graph, model, solver=solver)
        return {"their cost over ours": found.cost / best.cost}

    return (lambda: match(graph, model)), (lambda: match(graph, model, solver=solver)), agree


def _assignment(regions: int) -> Any:
    """With alpha = 1 edges do not count: each class takes a region of its own, a linear assignment."""
    from scipy.optimize import linear_sum_assignment

    graph, model = matching_problem(regions)
    problem = build_problem(
        graph, model, 1.0, "euclidean", edge_maxima(graph, [model], [1.0]), 1.0, 0.0, False
    )
    worse = 1 + problem.unary.sum()  # of a region that is no candidate
    costs = np.full((model.num_classes, len(graph)), worse)
    costs[problem.owner, problem.region] = problem.unary

    def theirs() -> Any:
        return linear_sum_assignment(costs)

    def agree() -> Agreement:
        return {"their cost over ours": float(costs[theirs()].sum()) / match(graph, model, 1.0).cost}

    return (lambda: match(graph, model, 1.0)), theirs, agree


def _normalised_cut(side: int) -> Any:
    """Both cut scikit-image's own graph of neighbouring superpixels; theirs goes on until no cut is below a value."""
    from skimage.graph import cut_normalized, rag_mean_color

    image = picture(side)
    pieces = Superpixels(100).segment(image)
    graph = rag_mean_color(image, pieces, mode="similarity")
    weights = np.zeros((len(graph), len(graph)))
    for a, b, about in graph.edges(data=True):
        weights[a, b] = weights[b, a] = 0.0 if a == b else max(about["weight"], 1e-6)

    def theirs() -> Any:
        return cut_normalized(pieces, graph, thresh=WORST_CUT, in_place=False, rng=0)

    def agree() -> Agreement:
        _, first = np.unique(pieces, return_index=True)
        _, labels = np.unique(theirs().ravel()[first], return_inverse=True)
        parts = int(labels.max()) + 1
        ours = normalised_cut(weights, max(parts, 2))[0]
        return {
            "parts": float(parts),
            "Ncut, ours": ncut_value(weights, ours),
            "Ncut, theirs": ncut_value(weights, labels),
        }

    count = max(2, int(agree()["parts"]))
    return (lambda: normalised_cut(weights, count)), theirs, agree


def _superpixels(side: int) -> Any:
    from skimage.segmentation import slic

    network, images = SPNN(200, 3).eval(), batch(side)

    @torch.inference_mode()
    def ours() -> Any:
        return network(images).superpixels.argmax(dim=1)

    return ours, (lambda: slic(picture(side), 200, start_label=0)), dict


def _pyg() -> ModuleType:
    """Return PyG's layers; torch warns of a decorator that PyG uses, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return import_module("torch_geometric.nn")


def _gcn(dense: bool, nodes: int) -> Any:
    """The same layer on the same graph of nearest neighbours, which PyG takes as a list of edges."""
    GCNConv = _pyg().GCNConv
    given = features(nodes, WIDTH)
    near, _ = nearest_neighbours(given, NEAR)
    layer, other = GCN(WIDTH, WIDTH).eval(), GCNConv(WIDTH, WIDTH).eval()
    with torch.no_grad():
        other.lin.weight.copy_(layer.linear.weight)
    edges = torch.stack([near.reshape(-1), torch.arange(nodes).repeat_interleave(NEAR)])
    weights = torch.zeros(1, nodes, nodes)
    weights[0, edges[1], edges[0]] = 1
    graph = DenseGraph(weights) if dense else SparseGraph(near[None], torch.ones(1, nodes, NEAR))
    return _layers(lambda: layer(graph, given[None])[0], lambda: other(given, edges))


def _edge_convolution(nodes: int) -> Any:
    EdgeConv = _pyg().EdgeConv
    given = features(nodes, WIDTH)
    near, block = superpixel_graph(given[None], NEAR), Block("DGCNN", WIDTH).eval()
    inner = torch.nn.Sequential(
        torch.nn.Linear(2 * WIDTH, WIDTH), torch.nn.BatchNorm1d(WIDTH), torch.nn.ReLU()
    )
    layer = EdgeConv(inner).eval()  # draws the weights anew
    with torch.no_grad():
        inner[0].weight.copy_(block.linear.weight)
        inner[0].weight[:, WIDTH:] *= -1  # EdgeConv takes j less i
        inner[0].bias.copy_(block.linear.bias)
    edges = torch.stack([near[0].reshape(-1), torch.arange(nodes).repeat_interleave(NEAR)])
    return _layers(lambda: block(given[None], near, given[None, :, :2])[0], lambda: layer(given, edges))


def _layers(one: Callable[[], torch.Tensor], other: Callable[[], torch.Tensor]) -> Any:
    ours, theirs = torch.inference_mode()(one), torch.inference_mode()(other)
    return ours, theirs, lambda: {"largest difference": float((ours() - theirs()).abs().max())}


def _bound(prepare: Callable[..., Any], *given: Any) -> Callable[[int], Any]:
    return lambda size: prepare(*given, size)


RIVALS = {
    "dense CRF": Rival("dense_crf, lattice", "pydensecrf2", "pydensecrf2", _crf),
    "matching, RRWM": Rival(
        "match, branch and bound", "pygmtools, RRWM", "pygmtools", _bound(_solver, "rrwm")
    ),
    "matching, FAQ": Rival(
        "match, branch and bound", "scipy, quadratic_assignment", "scipy", _bound(_solver, "faq")
    ),
    "matching, vertices alone": Rival(
        "match, alpha = 1", "scipy, linear_sum_assignment", "scipy", _assignment
    ),
    "normalised cut": Rival(
        "normalised_cut", "scikit-image, cut_normalized", "scikit-image", _normalised_cut
    ),
    "superpixels": Rival("SPNN, a prediction", "scikit-image, slic", "scikit-image", _superpixels),
    "GCN, dense": Rival("scgnet GCN, dense graph", "PyG, GCNConv", "torch-geometric", _bound(_gcn, True)),
    "GCN, sparse": Rival("scgnet GCN, sparse graph", "PyG, GCNConv", "torch-geometric", _bound(_gcn, False)),
    "edge convolution": Rival("sgseg Block", "PyG, EdgeConv", "torch-geometric", _edge_convolution),
}
