"""Networks as the papers' own notebooks trained them, on the test pictures of notebook 06."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segstudy.datasets.resizing import resize_labels
from segstudy.experiments.compare.pictures import Task, task_of, test_samples
from segstudy.experiments.compare.refinements import PLAIN
from segstudy.experiments.compare.results import Runs, by_picture, gains, paired, reading_of, seed_scores
from segstudy.experiments.compare.trials import CLASSES, EACH, score
from segstudy.experiments.differences import spread
from segstudy.experiments.kept import Taken
from segstudy.experiments.parts import open_part
from segstudy.progress import track

UNSHRUNK = 1 << 30  # pixels: no picture is as long


class Own(NamedTuple):
    """What the papers' own notebooks have for a task.

    Attributes
    ----------
    runs : Runs
        As those of :func:`~segstudy.experiments.compare.results.by_method`, unrefined, of the test pictures `judged`.
    taken : dict of str to list of Taken
        Of each method the networks, as many as runs.
    judged : list of int
        Test pictures that no network of the task saw while it was trained.
    """

    runs: Runs
    taken: Mapping[str, Sequence[Taken]]
    judged: list[int]


def judge_own(task: Mapping[str, Any], taken: Sequence[Taken], methods: Collection[str]) -> Own:
    """Apply the networks that learned from a task's data set to its test pictures.

    Each sees a picture as large as it is, as its own notebook does; its labels are scored at the size of the task.

    Parameters
    ----------
    task : mapping
        Fields of :class:`~segstudy.experiments.compare.pictures.Task`.
    taken : sequence of Taken
        Those that learned from other data sets are left out.
    methods : collection of str
        Those that were trained for this task, too; others are left out.
    """
    settings = task_of(dict(task))
    data = settings.train.partition("/")[0]
    found: dict[str, list[Taken]] = {}
    for one in taken:
        if one.network.learned_from.partition("/")[0] == data and one.network.method in methods:
            found.setdefault(one.network.method, []).append(one)
    judged = _unseen(settings, [one for group in found.values() for one in group])
    if not judged:
        return Own({}, {}, [])
    runs = {method: [_run(settings, one, judged) for one in group] for method, group in found.items()}
    return Own(runs, found, judged)


def _unseen(task: Task, taken: Sequence[Taken]) -> list[int]:
    """Return which test pictures no network learned from or was chosen by; squares bear their picture's name."""
    seen = {name for one in taken for name in one.value["seen"].get(task.test, ())}
    names = [sample.name for sample in test_samples(task)]
    return [i for i, name in enumerate(names) if not seen & {name, name.rsplit(", ", 2)[0]}]


def _run(task: Task, one: Taken, judged: Sequence[int]) -> dict[str, Any]:
    segmenter = one.network.restored(one.value)
    samples, whole = test_samples(task), test_samples(task._replace(longest=UNSHRUNK))
    maps = [
        resize_labels(segmenter.segment(whole[i].image), samples[i].size)
        for i in track(judged, f"{task.name}, {one.network.method}, its own training")
    ]
    reading = CLASSES if segmenter.outputs == "classes" else EACH
    count = len(open_part(task.test).classes)
    return {"scores": {PLAIN: {reading: score([samples[i] for i in judged], maps, count, reading)}}}


def own_cards(own: Mapping[str, Own]) -> pd.DataFrame:
    """Return the card of each network: data, seeds, scores.

    Parameters
    ----------
    own : mapping
        By task, of :func:`judge_own`.

    Returns
    -------
    DataFrame
        "task", "method", "trained in", its notebook; "learned from" and "pictures" of it; "seeds"; "score" by the
        "measure" of its notebook, mean over seeds, and its "std".
    """
    rows = []
    for task, found in own.items():
        for method, taken in found.taken.items():
            network, seen = taken[0].network, taken[0].value["seen"]
            scores = [one.network.score(one.value) for one in taken]
            rows.append(
                {
                    "task": task,
                    "method": method,
                    "trained in": taken[0].notebook.partition("_")[0],
                    "learned from": network.learned_from,
                    "pictures": len(seen[network.learned_from]),
                    "seeds": len(taken),
                    "measure": network.measure,
                    "score": float(np.mean(scores)),
                    "std": spread(scores),
                }
            )
    return pd.DataFrame(rows)


def own_table(own: Mapping[str, Own], tasks: Mapping[str, Runs], seeds: Sequence[int]) -> pd.DataFrame:
    """Return what each network has over the same method as it was trained for this notebook.

    Parameters
    ----------
    own, tasks : mapping
        By task, of :func:`judge_own` and of :func:`~segstudy.experiments.compare.results.by_method`.
    seeds : sequence of int
        Of the runs of `tasks`.

    Returns
    -------
    DataFrame
        "task", "method"; "judged", test pictures that no network of the task saw; on these "IoU", its "std over seeds",
        "IoU, trained here", and the gain over that with its intervals.
    """
    rows = []
    for task, found in own.items():
        for method, runs in found.runs.items():
            same = [tasks[task][method][seeds.index(one.seed)] for one in found.taken[method]]
            here = by_picture(same, PLAIN, "IoU", reading_of(runs[0]))[:, found.judged]
            there = by_picture(runs, PLAIN, "IoU", reading_of(runs[0]))
            means = seed_scores(runs)
            row = {"task": task, "method": method, "judged": len(found.judged), "IoU": float(np.mean(means))}
            row |= {"std over seeds": spread(means), "IoU, trained here": float(np.nanmean(here))}
            rows.append(row | gains(paired(there, here)))
    return pd.DataFrame(rows)
