"""Every method as a call on a picture or a graph of a given size, with the growth that its algorithm predicts.

A method is built once for a share of the paper's channels and a device; that gives a maker, which for a size gives the
call that is timed. All inputs are made before the call: it is the method alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.baselines.graph_cut import seeded_graph_cut
from segstudy.baselines.kmeans import KMeans
from segstudy.baselines.normalised_cut import NormalisedCut, normalised_cut
from segstudy.baselines.superpixels import Superpixels
from segstudy.experiments.costs.inputs import CLASSES, batch, features, picture, soft_map
from segstudy.graphs import contrast_weights, grid_edges
from segstudy.nn.backbones import backbone
from segstudy.nn.unet import UNet
from segstudy.papers.dgcn import AtrousHead, SegmentationNetwork, graph_cut_labels, knn_edges
from segstudy.papers.gnn_clustering import PRESETS, cluster_images
from segstudy.papers.graph_matching import ModelGraph, RegionGraph, match, reassign, region_graph
from segstudy.papers.scgnet.layers import GCN
from segstudy.papers.scgnet.network import SCGNet
from segstudy.papers.scgnet.scg import SCG
from segstudy.papers.sgseg import SGSeg, SuperpixelGNN, superpixel_graph
from segstudy.papers.sgseg.network import NO_SUPERPIXELS
from segstudy.postprocess import bilateral_solver, dense_crf

Call = Callable[[], Any]
Maker = Callable[[int], Call]

PATCH = 8  # pixels a side of a node of the GNN clusterings and of DGCN's graph
CHANNELS, DEEP = 64, 520  # features of a patch, and of three layers of EfficientNet-Lite2 side by side
ITERATIONS = 10  # of every clustering: DeepCut's
WIDTHS = (64, 128, 256, 512)  # of SGSeg's and AC's networks
CORRELATION = replace(PRESETS["slides"], objective="cc")
NEIGHBOURS = 16  # of SCG-Net's sparse graph
UNKNOWN = 255
LINEAR = "each layer works on every pixel"


class Method(NamedTuple):
    """A method whose time is taken.

    Attributes
    ----------
    of : str
        The paper, or "baseline".
    build : callable
        Takes a share of the paper's channels and a device, and returns what makes the call for a size.
    predicted : float
        Exponent of time in pixels, or in nodes.
    why : str
        Of the prediction, in a few words.
    gpu : bool
        Whether it computes on a GPU where there is one.
    reach : float
        Nodes that it gets, of those asked for.
    """

    of: str
    build: Callable[[float, str], Maker]
    predicted: float
    why: str
    gpu: bool = False
    reach: float = 1.0


def unet(share: float = 1.0) -> UNet:
    """Return paper 1's network, with a share of its channels."""
    return UNet(3, CLASSES, max(1, round(64 * share)))


def sgseg(share: float = 1.0, classes: int = 15, **options: Any) -> SGSeg:
    """Return paper 2's network, likewise."""
    widths = [max(4, round(share * width)) for width in WIDTHS]
    return SGSeg(classes, spnn_widths=widths, cnn_widths=widths, **options)


def autoregressive(share: float = 1.0) -> SGSeg:
    """Return AC's network, SGSeg's last part alone."""
    return sgseg(share, gnn=NO_SUPERPIXELS, reconstruct=False)


def dgcn(share: float = 1.0, classes: int = 21) -> SegmentationNetwork:
    """Return paper 4's network on EfficientNet-Lite0, the trunk of the study; its size is not changed."""
    trunk = backbone("timm:tf_efficientnet_lite0", stages=(8, 16, 32), output_stride=8, freeze="all")
    with torch.no_grad():
        maps = trunk(torch.zeros(1, 3, 64, 64))
    return SegmentationNetwork(trunk, AtrousHead(sum(m.shape[1] for m in maps[-2:]), classes))


def scgnet(share: float = 1.0) -> SCGNet:
    """Return paper 5's network on ResNet-50; its size is not changed."""
    return SCGNet(6)


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor) -> Any:
    """Run a network on pictures."""
    return model(images)


def _network(create: Callable[[float], nn.Module], share: float, device: str) -> Maker:
    model = create(share).eval().to(device)
    return lambda side: partial(predict, model, batch(side, device))


def _matching(share: float, device: str) -> Maker:
    def make(side: int) -> Call:
        soft = soft_map(side)
        model = ModelGraph.from_label_maps([soft_map(side, seed=1).argmax(axis=2)], CLASSES)

        def call() -> Any:
            graph = region_graph(None, soft)
            return reassign(graph, model, match(graph, model))

        return call

    return make


def _clustering(preset: str, patches: bool, share: float, device: str) -> Maker:
    chosen = CORRELATION if preset == "slides-cc" else PRESETS[preset]
    settings = replace(chosen, iterations=ITERATIONS)

    def make(size: int) -> Call:
        nodes = (size // PATCH) ** 2 if patches else size
        return partial(cluster_images, features(nodes, CHANNELS)[None], settings, device=device)

    return make


def cut_inputs(side: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return cues, probabilities and classes for DGCN's graph cut on a map of side x side nodes."""
    soft = soft_map(side)
    known = np.random.default_rng(0).random((side, side)) < 0.3
    cues = np.where(known, soft.argmax(axis=2), UNKNOWN)
    return cues, soft, sorted(set(np.unique(cues).tolist()) - {0, UNKNOWN})


def _growing(share: float, device: str) -> Maker:
    def make(side: int) -> Call:
        cues, soft, classes = cut_inputs(side // PATCH)
        deep = features(cues.size, DEEP)
        return lambda: graph_cut_labels(cues, soft, knn_edges(deep), classes)

    return make


def _seeded_cut(share: float, device: str) -> Maker:
    def make(side: int) -> Call:
        image, seeds = picture(side).astype(float), np.full((side, side), -1)
        seeds[side // 2, side // 2], seeds[0] = 1, 0

        def call() -> Any:
            edges = grid_edges(seeds.shape)
            return seeded_graph_cut(seeds, edges, contrast_weights(image, edges))

        return call

    return make


def _segmenter(create: Callable[[], Any], share: float, device: str) -> Maker:
    return lambda side: partial(create().segment, picture(side))


def _crf(share: float, device: str) -> Maker:
    def make(side: int) -> Call:
        soft = torch.from_numpy(soft_map(side)).to(device)
        return partial(dense_crf, soft, torch.from_numpy(picture(side)).to(device), method="lattice")

    return make


def _solver(share: float, device: str) -> Maker:
    return lambda side: partial(bilateral_solver, picture(side), soft_map(side)[..., 0].astype(float))


def _neighbours(share: float, device: str) -> Maker:
    return lambda nodes: partial(superpixel_graph, features(nodes, 517, device)[None])


def _superpixel_network(share: float, device: str) -> Maker:
    model = SuperpixelGNN(width=max(8, round(64 * share))).eval().to(device)

    def make(nodes: int) -> Call:
        given = features(nodes, 517, device)[None]
        near = superpixel_graph(given)

        @torch.inference_mode()
        def call() -> Tensor:
            return model(given, near)

        return call

    return make


class GraphHead(nn.Module):
    """SCG-Net between its trunk and its enlargement: SCG and two layers of GCN.

    Parameters
    ----------
    neighbours : int, optional
        Of the sparse graph; None: the dense one.
    channels, hidden, classes : int
    """

    def __init__(
        self, neighbours: int | None = None, channels: int = 1024, hidden: int = 128, classes: int = 6
    ) -> None:
        super().__init__()
        self.scg = SCG(channels, classes, neighbours=neighbours)
        self.layers = nn.ModuleList([GCN(channels, hidden), GCN(hidden, classes)])

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, n, c) logits of (B, d, h, w) maps."""
        made = self.scg(maps)
        return self.layers[1](made.graph, self.layers[0](made.graph, made.nodes).relu()) + made.residual


def _graph_head(neighbours: int | None, share: float, device: str) -> Maker:
    model = GraphHead(neighbours).eval().to(device)

    def make(nodes: int) -> Call:
        side = round(nodes**0.5)
        return partial(predict, model, features(1024 * side, side, device).relu().view(1, 1024, side, side))

    return make


def _deep_neighbours(share: float, device: str) -> Maker:
    return lambda nodes: partial(knn_edges, features(nodes, DEEP, device))


def _cuts(share: float, device: str) -> Maker:
    def make(nodes: int) -> Call:
        cues, soft, classes = cut_inputs(round(nodes**0.5))
        return partial(graph_cut_labels, cues, soft, knn_edges(features(cues.size, DEEP)), classes)

    return make


def _eigenvectors(share: float, device: str) -> Maker:
    def make(nodes: int) -> Call:
        places = np.random.default_rng(0).uniform(size=(nodes, 2))
        apart = ((places[:, None] - places) ** 2).sum(axis=2)
        return partial(normalised_cut, np.exp(-10 * apart) * (1 - np.eye(nodes)), 2)

    return make


def matching_problem(regions: int, seed: int = 0, noise: float = 0.05) -> tuple[RegionGraph, ModelGraph]:
    """Return regions of CLASSES classes in the unit square, one of each class near its place in the model."""
    rng, each = np.random.default_rng(seed), max(1, regions // CLASSES)
    places, points = rng.uniform(size=(CLASSES, 2)), rng.uniform(size=(CLASSES, each, 2))
    points[:, 0] = places + noise * rng.standard_normal((CLASSES, 2))
    owner, points = np.repeat(np.arange(CLASSES), each), points.reshape(-1, 2)
    membership = 0.6 * np.eye(CLASSES)[owner] + 0.4 * rng.dirichlet(np.ones(CLASSES), len(owner))
    graph = RegionGraph.from_arrays(owner, membership, _distances(points))
    return graph, ModelGraph.from_arrays(_distances(places))


def _distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points, axis=2)


def _solving(solver: str, share: float, device: str) -> Maker:
    return lambda regions: partial(match, *matching_problem(regions), solver=solver)


def _method(of: str, build: Callable[..., Maker], given: Sequence[Any], *about: Any, **more: Any) -> Method:
    return Method(of, partial(build, *given), *about, **more)


ALL_PAIRS = "every two nodes have an affinity"
NEAREST = "every two nodes have a distance"
PICTURES = {
    "U-Net": _method("paper 1", _network, [unet], 1, LINEAR, gpu=True),
    "graph matching": _method("paper 1", _matching, [], 1, "the regions are as many at every size"),
    "SGSeg": _method("paper 2", _network, [sgseg], 1, LINEAR + ", the superpixels are as many", gpu=True),
    "AC's CNN": _method("paper 2", _network, [autoregressive], 1, LINEAR, gpu=True),
    "DeepCut": _method("paper 3", _clustering, ["deepcut", True], 2, ALL_PAIRS, gpu=True),
    "DeepCut-CC": _method(
        "paper 3", _clustering, ["deepcut-cc", True], 2, "messages pass along every positive edge", gpu=True
    ),
    "UnSegGNet": _method("paper 3", _clustering, ["unseggnet", True], 2, ALL_PAIRS, gpu=True),
    "DGCN's network": _method("paper 4", _network, [dgcn], 1, LINEAR, gpu=True),
    "DGCN's graph cut": _method("paper 4", _growing, [], 2, NEAREST),
    "SCG-Net": _method("paper 5", _network, [scgnet], 1, LINEAR + "; 2 where the graph outweighs them", gpu=True),
    "k-means": _method("baseline", _segmenter, [KMeans], 1, "each pixel meets each centre"),
    "normalised cut": _method(
        "baseline", _segmenter, [NormalisedCut], 1, "SLIC; its superpixels are as many at every size"
    ),
    "SLIC": _method("baseline", _segmenter, [Superpixels], 1, "each pixel meets the centres near it"),
    "graph cut": _method("baseline", _seeded_cut, [], 1, "four edges a pixel; its worst case is far above"),
    "dense CRF": _method("baseline", _crf, [], 1, "each pixel meets one simplex of the lattice", gpu=True),
    "bilateral solver": _method("baseline", _solver, [], 1, "each pixel joins a vertex of the grid"),
}  # fmt: skip
GRAPHS = {
    "branch and bound": _method(
        "paper 1", _solving, ["branch_and_bound"], 2, "every two candidates have a cost; the search has no such bound",
        reach=1 / 8,
    ),
    "FAQ (scipy)": _method("paper 1", _solving, ["faq"], 3, "products of full matrices", reach=1 / 8),
    "SGSeg: k-nn graph": _method("paper 2", _neighbours, [], 2, NEAREST, gpu=True),
    "SGSeg: graph network": _method("paper 2", _superpixel_network, [], 1, "k edges a node", gpu=True),
    "DeepCut": _method("paper 3", _clustering, ["deepcut", False], 2, ALL_PAIRS, gpu=True),
    "UnSegGNet": _method("paper 3", _clustering, ["unseggnet", False], 2, ALL_PAIRS, gpu=True),
    "slides' CC": _method(
        "paper 3", _clustering, ["slides-cc", False], 1, "the affinity is of low rank and never built", gpu=True
    ),
    "DGCN: k-nn graph": _method("paper 4", _deep_neighbours, [], 2, NEAREST, gpu=True),
    "DGCN: cuts": _method("paper 4", _cuts, [], 1, "k edges a node; the worst case is far above"),
    "SCG-Net: dense graph": _method("paper 5", _graph_head, [None], 2, "every two nodes have a weight", gpu=True),
    "SCG-Net: sparse graph": _method("paper 5", _graph_head, [NEIGHBOURS], 1, "k edges a node", gpu=True),
    "normalised cut": _method("baseline", _eigenvectors, [], 2, "Lanczos: products with a full matrix"),
}  # fmt: skip
SWEEPS = {"pictures": PICTURES, "graphs": GRAPHS}


def size_of(sweep: str, method: str, side: int) -> int:
    """Return what a method's builder is given: the side of a picture, or nodes, of which some methods get fewer."""
    return side if sweep == "pictures" else round(side**2 * SWEEPS[sweep][method].reach)


def amount_of(sweep: str, method: str, side: int) -> int:
    """Return the pixels or nodes against which a method's growth is fitted."""
    return side**2 if sweep == "pictures" else size_of(sweep, method, side)
