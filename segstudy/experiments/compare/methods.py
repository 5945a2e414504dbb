"""The methods that are compared, by what they were told, and each one's twin without a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import sklearn.cluster
import torch
from torch import nn

from segstudy.baselines import KMeans, NormalisedCut, Otsu, normalised_cut
from segstudy.baselines.common import Unsupervised
from segstudy.experiments.backbone_head import BackboneHead
from segstudy.experiments.compare.clicks import Clicked
from segstudy.experiments.compare.iic_segmenter import IICSegmenter
from segstudy.experiments.compare.masked_network import MaskedNetwork
from segstudy.experiments.compare.pictures import ALL, CLICKS, FEW, LABELS, NOTHING, Task, training_samples
from segstudy.experiments.compare.refinements import CRF, LARGEST, MATCHED, PLAIN
from segstudy.experiments.piece_colours import PieceColours
from segstudy.experiments.unet import UNetSegmenter
from segstudy.nn.patch_features import centre_features, patch_features, reduce_features
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.segmenter import DGCN
from segstudy.papers.gnn_clustering.graphs import affinity
from segstudy.papers.gnn_clustering.segmenter import GNNClustering
from segstudy.papers.gnn_clustering.settings import PRESETS
from segstudy.papers.scgnet.segmenter import SCGNetSegmenter
from segstudy.papers.sgseg.network import NO_SUPERPIXELS
from segstudy.papers.sgseg.segmenter import SGSegSegmenter
from segstudy.papers.sgseg.training import Rates
from segstudy.segmenter import Segmenter

TRUNK = "timm:tf_efficientnet_lite0"  # of papers 4 and 5, with ImageNet's weights
FEATURES = "colour-texture"  # of paper 3: notebook 03 found ImageNet's no better where no DINO is at hand
UNJOINED = 1e-9  # the weight of patches that are not joined: one without a neighbour would have no degree
SHARE = 0.25  # of the training pictures, where few masks are told

Recipe = dict[str, dict[str, Any]]
Make = Callable[[Task, int, int, Recipe], Segmenter]


class Method(NamedTuple):
    """A method that is compared.

    Attributes
    ----------
    told : str
        One of `TOLD`.
    make : callable
        `make(task, num_classes, seed, recipe)` returns the segmenter, untrained.
    reads : str
        The part of the recipe that it reads, alone of which its kept results depend; empty: none.
    learns : bool
        Whether a seed or the training set changes anything.
    """

    told: str
    make: Make
    reads: str = ""
    learns: bool = True


@dataclass(frozen=True)
class OneRegion(Unsupervised):
    """Everything is one cluster: what a score is without any segmentation."""

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Return zeros, (H, W)."""
        return np.zeros(image.shape[:2], np.int64)


@dataclass(frozen=True)
class PatchParts(Unsupervised):
    """What paper 3's networks see, parted without one: k-means on features, or a normalised cut of their graph."""

    k: int
    grid: tuple[int, int]
    cut: bool
    seed: int = 0

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Cluster a (H, W, C) uint8 image: (H, W) int64 ids."""
        described = patch_features([image], FEATURES, grid=self.grid)
        values = reduce_features(centre_features(described.values))[0]
        k = min(self.k, len(np.unique(values, axis=0)))
        if self.cut:
            found = _cut(values, k, self.seed)
        else:
            found = sklearn.cluster.KMeans(k, n_init=4, random_state=self.seed).fit_predict(values)
        labels = found.astype(np.int64).reshape(described.grid)
        rows, columns = (
            (np.arange(size) * side) // size
            for size, side in zip(image.shape[:2], described.grid, strict=True)
        )
        return labels[rows[:, None], columns[None]]


def _cut(values: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Cut the graph of paper 3's "ncut" networks by its eigenvectors (Shi and Malik 2000)."""
    weights = affinity(torch.from_numpy(values).double(), "ncut").numpy()
    np.fill_diagonal(weights, 0)
    return normalised_cut(np.maximum(weights, UNJOINED), k, seed)[0]


def _sgseg(**network: Any) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        options = {"rates": Rates(1e-2, 3e-3, 1e-3), "weights": {"tv": 0.02}} | recipe["sgseg"] | network
        return SGSegSegmenter(task.clusters, seed=seed, **options)

    return make


def _iic(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
    given = recipe["sgseg"]
    options = {name: given[name] for name in ("side", "batch", "epochs")}
    return IICSegmenter(task.clusters, width=given["cnn_widths"][0], rate=1e-3, seed=seed, **options)


def _clustering(layer: str, objective: str) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        asked = dict(recipe["clustering"])
        grid = tuple(asked.pop("grid"))
        changes = {"layer": layer, "objective": objective, "clusters": task.clusters} | asked
        return GNNClustering(replace(PRESETS["slides"], **changes), FEATURES, grid=grid, seed=seed)

    return make


def _patch_parts(cut: bool) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        return PatchParts(task.clusters, tuple(recipe["clustering"]["grid"]), cut, seed)

    return make


def _dgcn(way: str) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        growth = Growth(way, refined=way == "region growing")  # as DSRG
        options = {"trunk": TRUNK, "growth": growth, "refine": False} | recipe["dgcn"]
        return DGCN(classes, seed=seed, **options)

    return make


def _scgnet(**network: Any) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        options = {"backbone": TRUNK, "weights": "pretrained"} | recipe["scgnet"] | network
        return SCGNetSegmenter(classes, seed=seed, **options)

    return make


class HeadSegmenter(SCGNetSegmenter):
    """SCG-Net's trunk with a 1 x 1 convolution to the classes, trained as SCG-Net is."""

    def _build(self, bands: int) -> nn.Module:
        return BackboneHead(self.num_classes, bands, seed=self.seed, **self._network)


def _head(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
    options = {"backbone": TRUNK, "weights": "pretrained"} | recipe["scgnet"]
    return HeadSegmenter(classes, seed=seed, **options)


def _clicked(cut: bool) -> Make:
    return lambda task, classes, seed, recipe: Clicked(classes, cut)


def _masked(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
    options = {name: recipe["dgcn"][name] for name in ("side", "epochs")}
    return MaskedNetwork(classes, TRUNK, seed=seed, **options)


def _unet(share: float) -> Make:
    def make(task: Task, classes: int, seed: int, recipe: Recipe) -> Segmenter:
        options = dict(recipe["unet"])
        learnt = share * (1 - options["validation"]) * len(training_samples(task, ALL))
        epochs = max(1, round(options.pop("pictures") / learnt))  # as many steps on few pictures as on many
        size = (task.longest, task.longest)
        return UNetSegmenter(classes, size, swap=task.swap or None, seed=seed, epochs=epochs, **options)

    return make


ONE, KMEANS, PIECED, NCUT = "one region", "k-means", "SLIC + k-means", "normalised cut"
TWO_MEANS, EIGENVECTORS = "k-means on features", "eigenvectors on features"
NCUT_GCN, DMON = "NCUT-GCN", "DMON-GCN"
SGSEG, CNN_ALONE, AC, IIC = "SGSeg", "SGSeg's CNN alone", "AC", "IIC"
NEAREST, SEEDED = "nearest click", "graph cut from clicks"
STATIC, GROWN, DGCN_CUT = "static seeds", "region growing", "DGCN, graph cut"
UNET_FEW, UNET, MASKED = "U-Net, few masks", "U-Net", "DGCN's network, masks"
HEAD, IDENTITY, SCGNET = "SCG-Net's trunk, 1x1 head", "SCG-GCN, A = I", "SCG-GCN"
METHODS: dict[str, Method] = {
    ONE: Method(NOTHING, lambda task, classes, seed, recipe: OneRegion(), learns=False),
    "Otsu": Method(NOTHING, lambda task, classes, seed, recipe: Otsu(), learns=False),
    KMEANS: Method(NOTHING, lambda task, classes, seed, recipe: KMeans(task.clusters, seed)),
    PIECED: Method(NOTHING, lambda task, classes, seed, recipe: PieceColours(task.clusters, seed)),
    NCUT: Method(NOTHING, lambda task, classes, seed, recipe: NormalisedCut(task.clusters, seed=seed)),
    TWO_MEANS: Method(NOTHING, _patch_parts(cut=False), "clustering"),
    EIGENVECTORS: Method(NOTHING, _patch_parts(cut=True), "clustering"),
    NCUT_GCN: Method(NOTHING, _clustering("gcn", "ncut"), "clustering"),
    DMON: Method(NOTHING, _clustering("gcn", "dmon"), "clustering"),
    IIC: Method(NOTHING, _iic, "sgseg"),
    AC: Method(NOTHING, _sgseg(gnn=NO_SUPERPIXELS, reconstruct=False), "sgseg"),
    CNN_ALONE: Method(NOTHING, _sgseg(gnn=NO_SUPERPIXELS), "sgseg"),
    SGSEG: Method(NOTHING, _sgseg(), "sgseg"),
    STATIC: Method(LABELS, _dgcn("static seeds"), "dgcn"),
    GROWN: Method(LABELS, _dgcn("region growing"), "dgcn"),
    DGCN_CUT: Method(LABELS, _dgcn("graph cut"), "dgcn"),
    NEAREST: Method(CLICKS, _clicked(cut=False)),
    SEEDED: Method(CLICKS, _clicked(cut=True)),
    UNET_FEW: Method(FEW, _unet(SHARE), "unet"),
    UNET: Method(ALL, _unet(1.0), "unet"),
    MASKED: Method(ALL, _masked, "dgcn"),
    HEAD: Method(ALL, _head, "scgnet"),
    IDENTITY: Method(ALL, _scgnet(graph=False), "scgnet"),
    SCGNET: Method(ALL, _scgnet(), "scgnet"),
}
# Methods that begin with the same training: classifier and cues. They run together, and it is done once.
TOGETHER = (STATIC, GROWN, DGCN_CUT)
# Recipes of networks that are trained before a test picture is seen; clusterings begin anew on each picture.
TRAINED = ("unet", "sgseg", "dgcn", "scgnet")
SETWISE = (IIC, AC, CNN_ALONE, SGSEG)  # clusters that mean the same in every picture
# The null baseline of each group: the simplest method that is told as much.
NULLS = {NOTHING: KMEANS, LABELS: STATIC, CLICKS: NEAREST, FEW: UNET_FEW, ALL: UNET}
# Each paper's graph, and the same without it: (method, refinement) twice.
Row = tuple[str, str]
GRAPHS: dict[str, tuple[Row, Row]] = {
    "1: graph matching": ((UNET_FEW, MATCHED), (UNET_FEW, LARGEST)),
    "2: SGSeg": ((SGSEG, PLAIN), (CNN_ALONE, PLAIN)),
    "3: NCUT-GCN": ((NCUT_GCN, PLAIN), (TWO_MEANS, PLAIN)),
    "3: NCUT-GCN over eigenvectors": ((NCUT_GCN, PLAIN), (EIGENVECTORS, PLAIN)),
    "3: DMON-GCN": ((DMON, PLAIN), (TWO_MEANS, PLAIN)),
    "classical: normalised cut": ((NCUT, PLAIN), (PIECED, PLAIN)),
    "classical: graph cut from clicks": ((SEEDED, PLAIN), (NEAREST, PLAIN)),
    "4: graph cut": ((DGCN_CUT, PLAIN), (STATIC, PLAIN)),
    "4: region growing": ((GROWN, PLAIN), (STATIC, PLAIN)),
    "4: dense CRF after it": ((DGCN_CUT, CRF), (DGCN_CUT, PLAIN)),
    "5: SCG-GCN": ((SCGNET, PLAIN), (IDENTITY, PLAIN)),
    "5: SCG-GCN over a 1x1 head": ((SCGNET, PLAIN), (HEAD, PLAIN)),
}
