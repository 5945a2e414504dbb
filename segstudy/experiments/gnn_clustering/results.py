"""The slides' tables, from several seeds: IoU and Dice at the best epoch, and at one chosen without the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.differences import spread
from segstudy.metrics import dice_from_iou
from segstudy.papers.gnn_clustering.foreground import Targets, corner_mask, iou, oracle_iou

CHOICES = ("best epoch", "least objective", "last epoch")


@dataclass(frozen=True)
class Results:
    """One method on one data set.

    Parameters
    ----------
    runs : sequence of dict
        What :func:`~segstudy.experiments.gnn_clustering.runs.cluster_set` returned, one for each seed.
    targets : Targets
    clusters : int
    """

    runs: tuple[Mapping[str, Any], ...]
    targets: Targets
    clusters: int = 2

    @property
    def iterations(self) -> np.ndarray:
        """The recorded ones, (T,)."""
        return np.asarray(self.runs[0]["iterations"])

    @cached_property
    def oracle(self) -> np.ndarray:
        """IoU with the foreground chosen by the truth: (seeds, N, T)."""
        return np.stack([oracle_iou(run["labels"], self.clusters, self.targets) for run in self.runs])

    @cached_property
    def corner(self) -> np.ndarray:
        """IoU with the corners as background: (seeds, N, T)."""
        masks = (corner_mask(run["labels"], self.clusters, self.targets.grid) for run in self.runs)
        return np.stack([iou(mask, self.targets) for mask in masks])

    @cached_property
    def best(self) -> np.ndarray:
        """The recorded iteration, by its index, of the highest mean IoU, for each seed: (seeds,).

        Chosen on the pictures that are scored, as in the slides: it knows the truth.
        """
        return self.oracle.mean(axis=1).argmax(axis=1)

    def scores(self, rule: str = "oracle", choice: str = "best epoch") -> np.ndarray:
        """Return each picture's IoU.

        Parameters
        ----------
        rule : {"oracle", "corner"}
            How the foreground is chosen.
        choice : {"best epoch", "least objective", "last epoch"}
            How the epoch is chosen: by the truth and for all pictures; for each picture by the objective of its labels;
            not at all.

        Returns
        -------
        (seeds, N) float ndarray
        """
        values = self.oracle if rule == "oracle" else self.corner
        if choice == "last epoch":
            return values[:, :, -1]
        if choice == "best epoch":
            return np.stack([of[:, t] for of, t in zip(values, self.best, strict=True)])
        least = np.stack([np.asarray(run["hard"]).argmin(axis=1) for run in self.runs])
        return np.take_along_axis(values, least[..., None], axis=2)[..., 0]

    def mask(self, picture: int) -> np.ndarray:
        """Return the patches of the cluster that fits best, of the first seed at its best epoch: (n,) bool."""
        labels = np.asarray(self.runs[0]["labels"])[picture, self.best[0]]
        masks = labels == np.arange(self.clusters)[:, None]
        truth = self.targets.take([picture] * self.clusters)
        return masks[np.nan_to_num(iou(masks, truth)).argmax()]

    def summary(self) -> dict[str, float]:
        """Return a row of the slides' tables, with its spread over seeds, and the choices that need no truth."""
        best = self.scores()
        dice = dice_from_iou(best)
        free = {f"IoU, {c}": self.scores("oracle", c).mean() for c in CHOICES[1:]}
        return {
            "IoU": best.mean(),
            "IoU std": spread(best.mean(axis=1)),
            "Dice": dice.mean(),
            "Dice std": spread(dice.mean(axis=1)),
            "best epoch": float(np.median(self.iterations[self.best])),
            **free,
            "IoU, corners, least objective": self.scores("corner", CHOICES[1]).mean(),
            "seconds of a picture": np.mean([run["seconds"] for run in self.runs]) / best.shape[1],
        }


def slides_table(results: Mapping[tuple[str, str], Results]) -> pd.DataFrame:
    """Return the summary of every data set and method, in the order given: columns "data", "method", ..."""
    rows = [{"data": data, "method": name} | found.summary() for (data, name), found in results.items()]
    return pd.DataFrame(rows)
