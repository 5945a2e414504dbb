"""The claims that other experiments answer: GC11 to GC21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from segstudy.experiments.gnn_clustering.results import Results
from segstudy.experiments.verdicts import (
    FAILS,
    HOLDS,
    NOT_RUN,
    NOT_TESTABLE,
    WEAKLY,
    Verdict,
    all_above,
    all_held,
    grade,
    listed,
    points,
)
from segstudy.metrics import dice_from_iou, paired_difference
from segstudy.papers.gnn_clustering.graphs import affinity

SPARSE = 0.25  # share of all pairs that are joined: our reading of "sparse" and of "few edges"


def negative_claim(features: np.ndarray, alpha: float) -> Verdict:
    """GC11: the degrees of the correlation graph have no roots, so that no layer that normalises takes it.

    Holds where every picture has a node of degree below 0.

    Parameters
    ----------
    features : (N, n, d) float32 ndarray
    alpha : float
    """
    degrees = affinity(torch.from_numpy(features), "cc", alpha=alpha).sum(dim=2)
    share = (degrees < 0).double().mean(dim=1)
    pictures = f"{int((share > 0).sum())} of {len(share)} pictures"
    shown = f"degrees below 0: {100 * float(share.mean()):.0f} % of the nodes, in {pictures}"
    return Verdict("GC11", all_held((share > 0).tolist()), shown)


def features_claim(scores: Mapping[str, Sequence[np.ndarray]]) -> Verdict:
    """GC12: DINO's keys serve better than colour or random features.

    Parameters
    ----------
    scores : mapping of str to sequence of (N,) float ndarray
        IoU of NCUT with a GCN by the features' name, data sets in one order. Without "dino" not testable; then the
        evidence says what trained weights are worth in SqueezeNet, where both were run.
    """
    joined = {name: np.concatenate([*parts]) for name, parts in scores.items()}
    if "dino" not in joined:
        shown = "DINO's weights are not at hand; " + "; ".join(
            f"{name}: IoU {values.mean():.3f}" for name, values in joined.items()
        )
        return Verdict("GC12", NOT_TESTABLE, shown)
    others = [name for name in joined if "random" in name or name == "colour-texture"]
    found = {f"over {name}": paired_difference(joined["dino"], joined[name]) for name in others}
    return Verdict("GC12", all_above(found.values()), listed(found))


def alpha_claim(clusters: pd.DataFrame) -> Verdict:
    """GC13: the number of clusters that are not empty moves with alpha in one direction.

    Parameters
    ----------
    clusters : DataFrame
        Columns "data", "alpha" and "clusters", the mean over pictures.
    """
    if clusters.empty:
        return Verdict("GC13", NOT_RUN, "alpha was not swept")
    held, shown = [], []
    for data, part in clusters.sort_values("alpha").groupby("data", sort=False):
        steps = np.diff(part.clusters)
        held.append(bool((steps >= 0).all() or (steps <= 0).all()) and bool(steps.any()))
        row = ", ".join(f"{c:.1f} at {a:g}" for a, c in zip(part.alpha, part.clusters, strict=True))
        shown.append(f"{data}: {row}")
    return Verdict("GC13", all_held(held), "clusters, " + "; ".join(shown))


def clamp_claim(features: np.ndarray) -> Verdict:
    """GC14: without the clamp at 0 the loss of NCUT is not bounded by its terms.

    Holds where an even split in two makes the first term leave [-1, 0] in most pictures.

    Parameters
    ----------
    features : (N, n, d) float32 ndarray
        Centred: inner products of both signs.
    """
    values = []
    for picture in torch.from_numpy(features).double():
        weights = picture @ picture.T
        S = torch.eye(2, dtype=torch.float64)[torch.arange(len(picture)) % 2]
        cut = torch.trace(S.T @ weights @ S) / (weights.sum(dim=1)[:, None] * S.square()).sum()
        values.append(float(-cut))
    outside = np.mean([not -1 <= value <= 0 for value in values])
    shown = f"with negative weights left in, the first term leaves [-1, 0] in {100 * outside:.0f} % of the pictures"
    shown += f" (from {min(values):.3g} to {max(values):.3g})"
    return Verdict("GC14", HOLDS if outside > 0.5 else WEAKLY if outside > 0 else FAILS, shown)


def density_claim(density: pd.DataFrame) -> Verdict:
    """GC15: the share of pairs that are joined falls with tau, and few are at 0.7.

    Few is our word for at most a quarter.

    Parameters
    ----------
    density : DataFrame
        Columns "features", "tau" and "density" (fraction of all pairs).
    """
    falls = all(
        bool((np.diff(part.sort_values("tau").density) <= 0).all()) for _, part in density.groupby("features")
    )
    at = density[np.isclose(density.tau, 0.7)].set_index("features").density
    verdict = FAILS if not falls else HOLDS if (at <= SPARSE).all() else WEAKLY
    shown = "; ".join(f"{name}: {100 * value:.0f} % of the pairs" for name, value in at.items())
    return Verdict("GC15", verdict, f"at tau = 0.7 {shown}")


def dice_claim(results: Mapping[tuple[str, str], Results], published: pd.DataFrame) -> Verdict:
    """GC16: Dice is 2 IoU / (1 + IoU), exactly for a picture and as an upper bound for means.

    Parameters
    ----------
    results : mapping of (data set, method) to Results
    published : DataFrame
        Columns "data", "method", "IoU" and "Dice": rows beyond the bound are named.
    """
    kept = all(
        float(dice_from_iou(r.scores()).mean()) <= 2 * r.scores().mean() / (1 + r.scores().mean()) + 1e-12
        for r in results.values()
    )
    bound = 2 * published.IoU / (1 + published.IoU)
    broken = published[published.Dice > bound + 0.0015]  # three printed digits
    rows = ", ".join(f"{r.method} on {r.data} ({r.Dice:.3f})" for r in broken.itertuples())
    verdict = FAILS if not kept else WEAKLY if len(broken) else HOLDS
    return Verdict(
        "GC16", verdict, f"ours keep the bound; of the slides' means {len(broken)} cannot be: {rows}"
    )


def solver_claim(before: np.ndarray, after: np.ndarray, pieces: tuple[float, float]) -> Verdict:
    """GC17: the bilateral solver makes regions coherent: fewer pieces, and no worse IoU.

    Parameters
    ----------
    before, after : (N,) float ndarray
        IoU of each picture.
    pieces : (float, float)
        Mean number of connected components before and after.
    """
    found = paired_difference(after, before)
    verdict = FAILS if pieces[1] >= pieces[0] else grade(found.mean, found.low)
    shown = f"{pieces[0]:.1f} pieces become {pieces[1]:.1f}; IoU {points(found.mean, found.low, found.high)}"
    return Verdict("GC17", verdict, shown)


def depth_claim(similarity: pd.DataFrame) -> Verdict:
    """GC18: after the deepest layers tried, ARMA's nodes are less alike than GCN's.

    Parameters
    ----------
    similarity : DataFrame
        Columns "layer" ("GCN", "ARMA"), "depth", "picture" and "similarity".
    """
    deepest = similarity[similarity.depth == similarity.depth.max()].pivot(
        index="picture", columns="layer", values="similarity"
    )
    found = paired_difference(deepest["GCN"].to_numpy(), deepest["ARMA"].to_numpy())
    means = deepest.mean()
    layers = similarity.depth.max()
    shown = (
        f"mean cosine of two nodes after {layers} layers: GCN {means['GCN']:.3f}, ARMA {means['ARMA']:.3f}"
    )
    return Verdict("GC18", grade(found.mean, found.low), shown)


def supervised_claims(
    supervised: Mapping[str, tuple[np.ndarray, np.ndarray]],
    clustered: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> list[Verdict]:
    """GC19: supervision is better on its own set; GC20: it loses more on another.

    Parameters
    ----------
    supervised : mapping of data set to two ndarrays
        IoU on the unseen half of its own set, and on the other set, of a network trained on the set's first half.
    clustered : mapping of data set to two ndarrays
        IoU of NCUT with a GCN on the same pictures.
    """
    if not supervised:
        return [Verdict(claim, NOT_RUN, "no U-Net was trained") for claim in ("GC19", "GC20")]
    gains = {data: paired_difference(supervised[data][0], clustered[data][0]) for data in supervised}
    first = Verdict("GC19", all_above(gains.values()), f"U-Net less NCUT | GCN, {listed(gains)}")
    held, rows = [], []
    for data in supervised:
        drops = [own.mean() - other.mean() for own, other in (supervised[data], clustered[data])]
        held.append(drops[0] > drops[1])
        rows.append(f"from {data}: U-Net {points(-drops[0])}, NCUT | GCN {points(-drops[1])}")
    return [first, Verdict("GC20", all_held(held), "to the other data set, " + "; ".join(rows))]


def classical_claim(network: Sequence[np.ndarray], eigenvector: Sequence[np.ndarray]) -> Verdict:
    """GC21: NCUT with a GCN is at least as good as the second eigenvector of the same graph, on every data set.

    Parameters
    ----------
    network, eigenvector : sequence of (N,) float ndarray
        IoU of each picture, data sets in one order.
    """
    found = [paired_difference(a, b) for a, b in zip(network, eigenvector, strict=True)]
    shown = "; ".join(points(d.mean, d.low, d.high) for d in found)
    return Verdict("GC21", all_above(found), f"GCN less eigenvector: {shown}")
