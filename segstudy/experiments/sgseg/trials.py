"""One training of notebook 02: a method, its changes and a seed, judged on the test pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.experiments.iic import IICNet, PairedBatches, iic_widths, train_iic
from segstudy.experiments.parts import open_part, spaced
from segstudy.experiments.sgseg import insight
from segstudy.experiments.sgseg.parts import ALIGNED, SHUFFLED, AlignedPlaces, ImageNetMap, ShuffledPlaces
from segstudy.experiments.sgseg.pictures import Pictures, Setup, pictures_of, setup_of
from segstudy.experiments.sgseg.rivals import colour_clusters
from segstudy.experiments.weights import pictures_in, weights_of
from segstudy.metrics import confusion
from segstudy.papers.sgseg.autoregressive import ORDERS
from segstudy.papers.sgseg.gnn import total_variation
from segstudy.papers.sgseg.network import NO_GNN, NO_SUPERPIXELS, SGSeg
from segstudy.papers.sgseg.training import SPNN_WEIGHTS, Rates, UnlabelledBatches, train_sgseg

SGSEG, SPNN_ALONE, CNN_ALONE, AC = "SGSeg", "superpixels, no GNN", "CNN alone", "AC"
IIC, KMEANS, RANDOM = "IIC", "k-means", "random CNN"
# What SGSeg's network becomes for each of its rows.
NETWORKS: dict[str, dict[str, Any]] = {
    SGSEG: {},
    SPNN_ALONE: {"gnn": NO_GNN},
    CNN_ALONE: {"gnn": NO_SUPERPIXELS},
    AC: {"gnn": NO_SUPERPIXELS, "reconstruct": False},
    RANDOM: {"gnn": NO_SUPERPIXELS, "reconstruct": False},
}
METHODS = (*NETWORKS, IIC, KMEANS)
TRAINED = tuple(name for name in METHODS if name not in (RANDOM, KMEANS))
END_TO_END = "end to end"
BATCH = 8  # test pictures at once


def train_trial(
    setup: dict[str, Any], method: str, seed: int, change: dict[str, Any], shown: int
) -> dict[str, Any]:
    """Train one method on pictures alone, and count what its clusters hold of the test pictures' classes.

    Parameters
    ----------
    setup : dict
        Fields of :class:`~segstudy.experiments.sgseg.pictures.Setup`.
    method : str
        One of `METHODS`.
    seed : int
        Of first weights, order, changes of colours and reading orders.
    change : dict
        "network", "training" and "loss" are options of `SGSeg`, `train_sgseg` and `sgseg_loss` that differ from the
        setup's; "places" and "describe" put a part of :mod:`~segstudy.experiments.sgseg.parts` into SGSeg.
    shown : int
        So many test pictures' maps are returned, evenly spaced.

    Returns
    -------
    dict
        "counts": (N, C, K) of each test picture, true classes by clusters. "losses": mean loss by epoch, of each
        training. "agreement", of a network with reading orders: the share of pixels that two of them label alike,
        mean over pairs next to one another. "entropy": of the clusters' shares over the test set, in nats. "shown":
        list of (S, S) uint8 clusters. Of a network with superpixels "superpixels", list of (S, S) int maps of the same
        pictures, "projected", list of (S, S, 3) uint8, the first three principal components of M~, "variation", Eq. 17
        of M~ over its standard deviation, mean over the test pictures, "counts, k-means", as "counts" of k-means on M~,
        and "apart", "told" (both of M~ and ", colours"), "reach" and, where there is a graph, "span", see
        :mod:`~segstudy.experiments.sgseg.insight`. Of an unchanged network that is trained "state" and "seen", see
        :class:`~segstudy.experiments.kept.KeptNetwork`, and "mean" and "std" that pictures are standardised with.
    """
    settings = setup_of(setup)
    pictures = pictures_of(settings)
    found: dict[str, Any] = {"losses": []}
    if method == KMEANS:
        clusters = colour_clusters(pictures.train, pictures.test, settings.clusters, seed)
    elif method == IIC:
        network, found["losses"] = _iic(settings, pictures, seed)
        clusters = segment(network, pictures, settings.device)
    else:
        network = build(settings, method, seed, change)
        if method != RANDOM:
            found["losses"] = _train(settings, pictures, network, seed, change)
        clusters, inside = _look(network, pictures, settings.device, seed, shown)
        found |= inside
    if method in TRAINED and not change:
        found |= {"state": weights_of(network), "seen": pictures_in(open_part(settings.train, 0, "none"))}
        found |= {"mean": pictures.statistics.mean, "std": pictures.statistics.std}
    shares = np.bincount(np.concatenate([c.ravel() for c in clusters]), minlength=settings.clusters)
    found["entropy"] = entropy(shares / shares.sum())
    found["counts"] = _count(pictures, clusters, settings.clusters)
    found["shown"] = [c.astype(np.uint8) for c in spaced(clusters, shown)]
    return found


@torch.no_grad()
def _look(
    network: SGSeg, pictures: Pictures, device: str, seed: int, shown: int
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return the clusters of the test pictures, and what the network made of them on the way, each seen once."""
    network = network.to(device).eval()
    num_clusters = network.cnn.num_classes
    clusters, agreed, pieces, features, spans = [], [], [], [], []
    for images in judged_batches(pictures, device):
        found = network.find(images)
        clusters += list(network.cnn(found.inputs)[0].argmax(dim=1).cpu().numpy())
        maps = torch.stack([network.cnn(found.inputs, order)[0].argmax(dim=1) for order in range(ORDERS)])
        agreed += (maps == maps.roll(1, 0)).float().mean(dim=(0, 2, 3)).tolist()
        if found.assignment is not None:
            pieces += list(found.assignment.superpixels.argmax(dim=1).cpu().numpy())
            features += list(found.projected.cpu().numpy())
        if found.neighbours is not None:
            spans += list(insight.edge_spans(found.assignment.superpixels, found.neighbours))
    inside: dict[str, Any] = {"agreement": float(np.mean(agreed))}
    if pieces:
        colours = [image.transpose(2, 0, 1) for image in pictures.test]
        inside |= {
            "superpixels": [m.astype(np.int32) for m in spaced(pieces, shown)],
            "projected": [_principal(values) for values in spaced(features, shown)],
            "variation": float(np.mean([_variation(torch.from_numpy(values)) for values in features])),
            "apart": insight.separations(features, pictures.truth),
            "apart, colours": insight.separations(colours, pictures.truth),
            "told": insight.told(features, pictures.truth, seed),
            "told, colours": insight.told(colours, pictures.truth, seed),
            "reach": insight.reach(network, next(judged_batches(pictures, device))),
            "counts, k-means": _count(pictures, _clusters_of(features, seed, num_clusters), num_clusters),
        }
    if spans:
        inside["span"] = float(np.mean(spans))
    return clusters, inside


def _count(pictures: Pictures, clusters: Sequence[np.ndarray], num_clusters: int) -> np.ndarray:
    pairs = zip(pictures.truth, clusters, strict=True)
    return np.stack([confusion(t, c, num_clusters, num_clusters=num_clusters) for t, c in pairs])


def _clusters_of(features: Sequence[np.ndarray], seed: int, num_clusters: int) -> list[np.ndarray]:
    maps = [values.transpose(1, 2, 0) for values in features]
    return colour_clusters(maps, maps, num_clusters, seed)


def _variation(values: Tensor) -> float:
    return float(total_variation(values[None])) / max(float(values.std(correction=0)), 1e-12)


def _principal(values: np.ndarray) -> np.ndarray:
    """Return the first three principal components of (c, S, S) features as colours, (S, S, 3) uint8."""
    from sklearn.decomposition import PCA

    flat = values.reshape(len(values), -1).T
    flat = PCA(3, random_state=0).fit_transform(flat)
    low, high = np.percentile(flat, [2, 98], axis=0)
    scaled = np.clip((flat - low) / np.maximum(high - low, 1e-9), 0, 1)
    return np.rint(255 * scaled).astype(np.uint8).reshape(*values.shape[1:], 3)


def build(setup: Setup, method: str, seed: int, change: dict[str, Any]) -> SGSeg:
    """Return the network of a row, changed, before it is trained."""
    options = network_options(setup, method) | change.get("network", {})
    pictures = pictures_of(setup)
    if change.get("describe"):
        options["describe"] = ImageNetMap(pictures.statistics)
    bands = pictures.train[0].shape[2]
    network = SGSeg(setup.clusters, bands, seed=seed, **options)
    places = change.get("places")
    if places == SHUFFLED:
        network.gnn = ShuffledPlaces(network.gnn, seed)
    elif places == ALIGNED:
        network.gnn = AlignedPlaces(network.gnn, 2 + bands + setup.spnn_widths[-1], seed=seed)
    return network


def network_options(setup: Setup, method: str) -> dict[str, Any]:
    """Return the options of a row's network, unchanged."""
    options = {"superpixels": setup.superpixels, "k": setup.k, "spnn_widths": setup.spnn_widths}
    options |= {"gnn_width": setup.gnn_width, "gnn_blocks": setup.gnn_blocks, "cnn_widths": setup.cnn_widths}
    return options | NETWORKS[method]


def _train(
    setup: Setup, pictures: Pictures, network: SGSeg, seed: int, change: dict[str, Any]
) -> list[list[float]]:
    options = {"rates": Rates(*setup.rates), "device": setup.device, "tv": setup.tv}
    options |= change.get("training", {}) | change.get("loss", {})
    epochs, losses = options.pop("epochs", setup.epochs), []
    if network.spnn is not None and options.get("scheme") != END_TO_END:
        weights = {name: options[name] for name in (*SPNN_WEIGHTS, "weight_decay") if name in options}
        spnn = change.get("network", {}).get("places", True), network.spnn.count
        state, losses = pretrain(setup, setup.pretraining, seed, *spnn, tuple(weights.items()))
        network.spnn.load_state_dict(state)
    batches = UnlabelledBatches(pictures.train, pictures.statistics, setup.batch, seed)
    whole = train_sgseg(network, batches, epochs, label=f"seed {seed}", pretraining=0, **options)
    return [*([losses] if losses else []), *(history.losses for history in whole)]


@lru_cache(maxsize=16)
def pretrain(
    setup: Setup, epochs: int, seed: int, places: bool, count: int, weights: tuple[tuple[str, float], ...]
) -> tuple[dict[str, Tensor], list[float]]:
    """Train SPNN alone, once in a process for all that begin with it.

    Parameters
    ----------
    setup : Setup
    epochs, seed : int
    places : bool
        Whether SPNN knows where pixels are.
    count : int
        N.
    weights : tuple of (name, value)
        Of Eqs. 8 and 9, and "weight_decay", where they are not the defaults.

    Returns
    -------
    state : dict of str to Tensor
    losses : list of float
        By epoch.
    """
    pictures = pictures_of(setup)
    change = {"network": {"places": places, "superpixels": count, "k": min(setup.k, count - 1)}}
    network = build(setup, SGSEG, seed, change)
    batches = UnlabelledBatches(pictures.train, pictures.statistics, setup.batch, seed)
    options = {"rates": Rates(*setup.rates), "device": setup.device, "label": f"superpixels, seed {seed}"}
    (history,) = train_sgseg(network, batches, 0, pretraining=epochs, **options, **dict(weights))
    return network.spnn.state_dict(), history.losses


def _iic(setup: Setup, pictures: Pictures, seed: int) -> tuple[IICNet, list[list[float]]]:
    widths = iic_widths(setup.cnn_widths[0])
    network = IICNet(setup.clusters, pictures.train[0].shape[2], widths, seed)
    batches = PairedBatches(pictures.train, pictures.statistics, setup.batch, seed)
    options = {"device": setup.device, "seed": seed, "label": f"IIC, seed {seed}"}
    history = train_iic(network, batches, setup.epochs, setup.rates[2], **options)
    return network, [history.losses]


def judged_batches(pictures: Pictures, device: str) -> Iterator[Tensor]:
    """Yield the test pictures, standardised, (B, c, S, S)."""
    for start in range(0, len(pictures.test), BATCH):
        yield pictures.statistics.standardise(pictures.test[start : start + BATCH]).to(device)


@torch.no_grad()
def segment(network: nn.Module, pictures: Pictures, device: str) -> list[np.ndarray]:
    """Return the clusters of the test pictures, (S, S) each."""
    network = network.to(device).eval()
    return [
        m for images in judged_batches(pictures, device) for m in network(images).argmax(dim=1).cpu().numpy()
    ]


def entropy(shares: Sequence[float] | np.ndarray) -> float:
    """Return the entropy of shares, in nats."""
    shares = np.asarray(shares, dtype=float)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
