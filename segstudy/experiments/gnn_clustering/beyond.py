"""Beyond the slides: what depth does to GCN and ARMA layers, and the pictures of one class clustered together."""

from __future__ import annotations

import numpy as np
import torch

from segstudy.experiments.gnn_clustering.pictures import DIMS
from segstudy.nn.patch_features import reduce_features
from segstudy.papers.gnn_clustering.clustering import cluster_images
from segstudy.papers.gnn_clustering.foreground import Targets, iou, oracle_iou
from segstudy.papers.gnn_clustering.graphs import build_graph
from segstudy.papers.gnn_clustering.layers import ACTIVATIONS, ARMA, GCN, Dropout
from segstudy.papers.gnn_clustering.settings import Settings
from segstudy.progress import track

WIDTH = 32


def likeness(hidden: torch.Tensor) -> float:
    """Return the mean cosine of two nodes' features, (n, d): 1 where smoothing has made all nodes alike."""
    lengths = hidden.norm(dim=1, keepdim=True)
    unit = hidden / lengths.where(lengths > 0, 1)
    n = len(unit)
    return float((unit.sum(dim=0).square().sum() - (lengths > 0).sum()) / (n * (n - 1)))


def smoothing(features: np.ndarray, layer: str, depth: int, seed: int, objective: str = "ncut") -> np.ndarray:
    """Return how alike the nodes of each picture are after `depth` layers with first weights, nothing trained.

    Of a GCN that is `depth` layers one after the other, of an ARMA layer T = `depth` steps of two stacks, which see the
    input again at each.

    Parameters
    ----------
    features : (N, n, d) float32 ndarray
    layer : {"gcn", "arma"}
    depth : int
    seed : int
    objective : str
        Whose graph.

    Returns
    -------
    (N,) float64 ndarray
        See :func:`likeness`.
    """
    values = []
    for picture in torch.from_numpy(features):
        generator = torch.Generator().manual_seed(seed)
        graph, hidden = build_graph(picture[None], objective), picture[None]
        with torch.no_grad():
            if layer == "arma":
                shape = (1, hidden.shape[2], WIDTH, generator)
                arma = ARMA(*shape, stacks=2, depth=depth, dropout=0.0, activation="silu")
                hidden = arma(arma.prepare(graph, hidden), Dropout(None))
            else:
                for _ in range(depth):
                    gcn = GCN(1, hidden.shape[2], WIDTH, generator, normalise=True)
                    hidden = ACTIVATIONS["silu"](gcn(gcn.prepare(graph, hidden), Dropout(None)))
        values.append(likeness(hidden[0]))
    return np.array(values)


def cosegment(
    features: np.ndarray, targets: Targets, groups: list[list[int]], settings: Settings, seed: int, label: str
) -> dict[str, np.ndarray]:
    """Cluster all pictures of a group as one graph, and each alone, and score both.

    Parameters
    ----------
    features : (N, n, d) float32 ndarray
        Of one space: not reduced picture by picture.
    targets : Targets
    groups : list of list of int
        The pictures of each class.
    settings : Settings
        Of two clusters.
    seed : int
    label : str
        Of the progress display.

    Returns
    -------
    dict
        (pictures,) IoU in the order of the groups: "together, one choice", where the truth chooses one cluster for all
        pictures of a group; "together" and "alone", where it chooses for each picture.
    """
    found: dict[str, list[np.ndarray]] = {"together, one choice": [], "together": [], "alone": []}
    for group in track(groups, label):
        part, truth = features[group], targets.take(group)
        part = reduce_features(part.reshape(1, -1, part.shape[2]), DIMS)
        joint = cluster_images(part, settings, seed=seed)
        labels = joint.assignments[0, 0].argmax(axis=1).reshape(len(group), -1)
        single = (
            cluster_images(part.reshape(len(group), -1, part.shape[2]), settings, seed=seed)
            .assignments[:, 0]
            .argmax(axis=2)
        )
        choices = [iou(labels == cluster, truth) for cluster in (0, 1)]
        found["together, one choice"].append(max(choices, key=np.mean))
        found["together"].append(oracle_iou(labels, 2, truth))
        found["alone"].append(oracle_iou(single, 2, truth))
    return {name: np.concatenate(parts) for name, parts in found.items()}
