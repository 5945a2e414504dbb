"""Tables of what notebook 04 trained: scores of networks over seeds, and of the labels that they learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.dgcn.networks import Way
from segstudy.experiments.differences import spread
from segstudy.metrics import iou_dataset
from segstudy.metrics.paired import known_mean

Networks = Mapping[
    str, Sequence[Mapping[str, Any]]
]  # what `networks.train_way` returned, by way, seed by seed
KINDS = {"test": "mIoU", "gated": "mIoU, seen classes", "crf": "mIoU, CRF"}


def by_way(values: Iterable[tuple[Mapping[str, Any], Any]], ways: Mapping[str, Way]) -> dict[str, list[Any]]:
    """Return what experiments with a way returned by the way's name, in their order."""
    found: dict[str, list[Any]] = {}
    for arguments, value in values:
        name = next(name for name, way in ways.items() if way._asdict() == arguments["way"])
        found.setdefault(name, []).append(value)
    return found


def miou(value: Mapping[str, Any], kind: str = "test") -> float:
    """Return the mIoU of a network over the classes and all pixels of the test set, as VOC counts; nan: not run."""
    if kind not in value:
        return float("nan")
    return float(np.nanmean(class_iou(value, kind)))


def class_iou(value: Mapping[str, Any], kind: str = "test") -> np.ndarray:
    """Return the (C,) IoU of each class over the test set."""
    return iou_dataset(np.asarray(value[kind]).sum(axis=0))


LABELS_SEEN = (
    "coverage",
    "accuracy",
    "mIoU",
    "object precision",
    "object recall",
)  # of labels against the masks


def score_table(networks: Networks) -> pd.DataFrame:
    """Return the mIoU of each way of labelling: mean and standard deviation over seeds, as tested in each way."""
    rows = []
    for name, values in networks.items():
        row: dict[str, Any] = {"labels": name, "seeds": len(values)}
        for kind, title in KINDS.items():
            scores = [miou(value, kind) for value in values]
            row |= {title: float(np.mean(scores)), f"{title}, std": spread(scores)}
        rows.append(row)
    return pd.DataFrame(rows)


def labels_table(trained: Networks) -> pd.DataFrame:
    """Return what the labels of each training were like when it ended, beside the mIoU of the network, first seeds.

    Labels that do not grow with the network, of activation maps or of masks, are left out.
    """
    rows = []
    for name, (run, *_) in trained.items():
        if len(run.get("labels", ())):
            scores = label_scores(run["labels"][-1])
            kept = {key: scores[key] for key in LABELS_SEEN}
            rows.append({"labels": name, **kept, "mIoU of the network": miou(run)})
    return pd.DataFrame(rows)


def what_counts(table: pd.DataFrame) -> dict[str, float]:
    """Return Spearman's rank correlation of each measure of the labels with the network's mIoU; nan of under four."""
    if len(table) < 4:
        return dict.fromkeys(LABELS_SEEN, float("nan"))
    return {key: float(table[key].corr(table["mIoU of the network"], "spearman")) for key in LABELS_SEEN}


def class_table(networks: Networks, classes: Sequence[str]) -> pd.DataFrame:
    """Return the IoU of each class by way, means over seeds: a row for each way, as Table 3."""
    rows = []
    for name, values in networks.items():
        means = np.mean([class_iou(value) for value in values], axis=0)
        rows.append(
            {"labels": name, "mIoU": np.mean([miou(v) for v in values])}
            | dict(zip(classes, means, strict=True))
        )
    return pd.DataFrame(rows)


def size_table(
    networks: Networks, cues: Sequence[Mapping[str, Any]], classes: Sequence[str], pair: tuple[str, str]
) -> pd.DataFrame:
    """Return each object's mean size, a share of the picture, and one way's gain of IoU over another, largest first."""
    size = np.mean([value["sizes"] for value in cues], axis=0)[1:]
    one, other = (np.mean([class_iou(value) for value in networks[name]], axis=0)[1:] for name in pair)
    table = pd.DataFrame({"class": classes[1:], "size": size, "gain": one - other})
    return table.sort_values("size", ascending=False, ignore_index=True)


def label_scores(counts: np.ndarray) -> dict[str, float]:
    """Return how good labels are.

    Parameters
    ----------
    counts : (C, C + 1) ndarray
        True class by label, the last column without one.

    Returns
    -------
    dict
        "coverage", the share of pixels with a label; of these "accuracy" and "mIoU"; precision and recall of objects,
        whatever their class must be right, and of the background.
    """
    counts = np.asarray(counts, dtype=np.float64)
    square = counts[:, :-1]
    right = np.diag(square)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "coverage": square.sum() / counts.sum(),
            "accuracy": right.sum() / square.sum(),
            "mIoU": known_mean(iou_dataset(square), axis=0),
            "object precision": right[1:].sum() / square[:, 1:].sum(),
            "object recall": right[1:].sum() / counts[1:].sum(),
            "background precision": right[0] / square[:, 0].sum(),
            "background recall": right[0] / counts[0].sum(),
        }
    return {name: float(value) for name, value in found.items()}


def label_table(labels: Mapping[str, Sequence[np.ndarray]]) -> pd.DataFrame:
    """Return `label_scores` of each kind of labels, means over seeds."""
    rows = []
    for name, counts in labels.items():
        scored = pd.DataFrame([label_scores(found) for found in counts])
        rows.append({"labels": name} | scored.mean().to_dict())
    return pd.DataFrame(rows)


def epoch_table(networks: Networks) -> pd.DataFrame:
    """Return `label_scores` of the labels in each epoch: columns "labels", "seed", "epoch" and the scores."""
    return pd.DataFrame(
        [
            {"labels": name, "seed": seed, "epoch": epoch + 1} | label_scores(counts)
            for name, values in networks.items()
            for seed, value in enumerate(values)
            for epoch, counts in enumerate(value.get("labels", ()))
        ]
    )


def edge_table(shares: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the share of edges between pixels of one class by layer, mean and spread over pictures."""
    rows = [
        {
            "neighbours in": name,
            "edges of one class": np.nanmean(v),
            "std over pictures": np.nanstd(v, ddof=1),
        }
        for name, v in shares.items()
    ]
    return pd.DataFrame(rows)


def reach_table(judged: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return how much of the pieces without a cue each way of growing labels right; empty where there is no piece."""
    rows = []
    for name in judged[0]["second"]:
        counts = np.array([value["second"][name] for value in judged], dtype=float)
        if counts[:, 1].any():
            shares = counts[:, 0] / counts[:, 1]
            mean = {"reached": float(shares.mean()), "std": spread(shares.tolist())}
            rows.append({"labels": name} | mean | {"places": int(counts[0, 1])})
    return pd.DataFrame(rows)
