"""Tables of notebook 06 on what methods were told: what each network learned from, what labels cost, what they buy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from segstudy.experiments.compare.methods import METHODS, TRAINED
from segstudy.experiments.compare.pictures import ALL, CLICKS, FEW, LABELS, NOTHING, TOLD
from segstudy.experiments.compare.refinements import MATCHED, PLAIN
from segstudy.experiments.compare.results import (
    Runs,
    by_picture,
    reading_of,
    seed_scores,
    spread_of_known,
    title,
)
from segstudy.experiments.compare.trials import CLASSES
from segstudy.metrics import iou_dataset, mean_iou

# Seconds that a person needs, VOC's pictures (Bearman, Russakovsky, Ferrari & Fei-Fei: What's the point. ECCV 2016).
SECONDS = {NOTHING: 0.0, LABELS: 20.0, CLICKS: 22.1, FEW: 239.7, ALL: 239.7}


def supervision_table(tasks: Mapping[str, Runs]) -> pd.DataFrame:
    """Return the best method of each group beside what its labels would have cost a person, in hours."""
    rows = []
    for task, runs in tasks.items():
        for told in TOLD:
            ways = [(name, way) for name in runs if METHODS[name].told == told for way in (PLAIN, MATCHED)]
            ways = [(name, way) for name, way in ways if way in runs[name][0]["scores"]]
            for name, way in ways:
                values = runs[name]
                scores = np.nanmean(by_picture(values, way, "IoU", reading_of(values[0])), axis=1)
                pictures = values[0]["pictures"]
                rows.append(
                    {
                        "task": task,
                        "told": told,
                        "method": title((name, way)),
                        "pictures": pictures,
                        "hours of a person": SECONDS[told] * pictures / 3600,
                        "IoU": float(scores.mean()),
                        "std over seeds": spread_of_known(scores),
                        "seeds": len(scores),
                    }
                )
    table = pd.DataFrame(rows)
    best = table.groupby(["task", "told"], sort=False)["IoU"].idxmax()
    return table.loc[sorted(best)].reset_index(drop=True)


def absent_table(tasks: Mapping[str, Runs]) -> pd.DataFrame:
    """Return what classes that a picture does not show cost each method that names classes.

    A click or a picture's image labels say which classes a picture shows; masks of other pictures do not. A class that
    is named without being there counts as an IoU of 0 in the mean over a picture's classes.

    Returns
    -------
    DataFrame
        "task", "told", "method"; unrefined, means over pictures and seeds: "IoU"; "IoU of classes shown", over the
        classes of the truth alone, and its "std over seeds"; "absent", the share of labelled pixels that are given to
        a class that the picture does not show; "seeds".
    """
    rows = []
    for task, runs in tasks.items():
        for name in (name for name in runs if reading_of(runs[name][0]) == CLASSES):
            counts = by_picture(runs[name], PLAIN, "counts", CLASSES)
            shown, absent = _of_shown(counts)
            rows.append(
                {
                    "task": task,
                    "told": METHODS[name].told,
                    "method": name,
                    "IoU": float(np.mean(seed_scores(runs[name]))),
                    "IoU of classes shown": float(shown.mean()),
                    "std over seeds": spread_of_known(shown),
                    "absent": float(absent.mean()),
                    "seeds": len(shown),
                }
            )
    return pd.DataFrame(rows)


def _of_shown(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each seed's IoU of the classes that a picture shows, and the share of pixels of others, both (seeds,).

    Counts are (seeds, N, C, C + 1), rows truth, the last column without a class.
    """
    shown = counts.sum(axis=-1) > 0
    ious = np.array([[iou_dataset(matrix) for matrix in seed] for seed in counts])
    means = [mean_iou(part, "classes_then_images") for part in np.where(shown, ious, np.nan)]
    others = (counts[..., :-1].sum(axis=-2) * ~shown).sum(axis=-1)
    return np.array(means), (others / counts.sum(axis=(-2, -1))).mean(axis=1)


def card_table(tasks: Mapping[str, Runs], learned_from: Mapping[str, str]) -> pd.DataFrame:
    """Return the card of every network whose weights were learned before a test picture was seen.

    Parameters
    ----------
    tasks : mapping
    learned_from : mapping of str to str
        The training set of each task.

    Returns
    -------
    DataFrame
        "task", "method", "learned from", "pictures", "masks" (of them, that it saw), "recipe" (its part of the
        parameter), "seeds", "IoU" and its "std over seeds" on the test pictures, unrefined.
    """
    rows = []
    for task, runs in tasks.items():
        for name in (name for name in runs if METHODS[name].reads in TRAINED):
            scores = np.array(seed_scores(runs[name]))
            rows.append(
                {
                    "task": task,
                    "method": name,
                    "learned from": learned_from[task],
                    "pictures": runs[name][0]["pictures"],
                    "masks": runs[name][0]["masks"],
                    "recipe": METHODS[name].reads,
                    "seeds": len(scores),
                    "IoU": float(scores.mean()),
                    "std over seeds": spread_of_known(scores),
                }
            )
    return pd.DataFrame(rows)
