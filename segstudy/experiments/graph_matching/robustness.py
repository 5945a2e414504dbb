"""What the matching withstands: experiments for the limits that Chopin et al. 2020, Section IV, name.

It says that the method is invariant to translation and rotation but not to scale (:func:`invariance`), not robust to a
turned head (:func:`gains`, :func:`pose_matcher`), and broken by occlusion (:func:`occlusions`).

All functions take lists of probability maps and true labels, and return a table with one row for each thing measured;
:mod:`segstudy.experiments.graph_matching.perturbations` holds the changes. One matching of a map of 512 x 352 x 9 takes
some 50 ms, a change up to .1 s, a turn in a frame that cuts nothing .3 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import label

from segstudy.experiments.graph_matching.perturbations import far_blob, occlude, plant, turn_head
from segstudy.metrics import box_iou, iou_per_image, mean_iou
from segstudy.papers.graph_matching.matcher import Analysis, GraphMatcher
from segstudy.papers.graph_matching.matching import MissingClassError
from segstudy.progress import track

# Changes probabilities (H, W, C) and labels (H, W) alike, as those of `perturbations` do.
Change = Callable[[np.ndarray], np.ndarray]


def invariance(
    matcher: GraphMatcher, probabilities: Sequence[np.ndarray], changes: Mapping[str, Change]
) -> pd.DataFrame:
    """Compare the result on changed pictures with the changed result (Section IV; GM16).

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted, on framed annotations if the pictures are framed.
    probabilities : sequence of (H, W, C) float ndarray
        N pictures.
    changes : mapping of name to function
        Such as ``{"turned by 30": partial(rotate, degrees=30)}``.

    Returns
    -------
    pandas.DataFrame
        A row for each picture and change:

        - `image`, `change`;
        - `same_pixels`: share of pixels with the label of the carried unchanged result;
        - `same_network`: the same for the arg max, before the matching: what resampling alone does;
        - `same_regions`: share of classes matched with the same region: most of its pixels lie in the carried one, or
          there is none in either (also none that the change has left);
        - `same_assignment`: whether that holds for all classes;
        - `refused`: whether a class had no region, with empty="refuse"; the other columns are then nan and False.

    Raises
    ------
    TypeError, ValueError
        As the matcher's and the changes'; no picture. With empty="refuse", an unchanged picture is refused.
    """
    require_pictures(probabilities)
    rows = []
    for number, picture in enumerate(track(probabilities, "invariance: image")):
        before = matcher.analyse(picture)
        for name, change in changes.items():
            row = {"image": number, "change": name}
            rows.append(row | _compare(matcher, before, picture, change))
    return pd.DataFrame(rows)


def _compare(matcher: GraphMatcher, before: Analysis, picture: np.ndarray, change: Change) -> dict:
    changed = change(picture)
    after = analysed(matcher, changed)
    same_network = (change(picture.argmax(axis=2)) == changed.argmax(axis=2)).mean()
    if after is None:
        unknown = {"same_pixels": np.nan, "same_network": same_network, "same_regions": np.nan}
        return unknown | {"same_assignment": False, "refused": True}
    same = _same_regions(before, change(_matched_map(before)), after, matcher.models_[0].vertices)
    return {
        "same_pixels": (change(before.labels) == after.labels).mean(),
        "same_network": same_network,
        "same_regions": same.mean(),
        "same_assignment": bool(same.all()),
        "refused": False,
    }


def _matched_map(analysis: Analysis) -> np.ndarray:
    """Class that each pixel's region was matched with, C where with none: (H, W)."""
    assignment = analysis.matching.assignment
    matched = np.flatnonzero(assignment >= 0)
    # region -1, no vertex, finds C at the end of the table
    table = np.full(len(analysis.graph) + 1, len(assignment))
    table[assignment[matched]] = matched
    return table[analysis.graph.map]


def _same_regions(before: Analysis, carried: np.ndarray, after: Analysis, vertices: np.ndarray) -> np.ndarray:
    """Tell for each class that is a vertex whether its matched region is the carried one: bool ndarray."""
    same = []
    for c in vertices:
        region = after.matching.assignment[c]
        if region >= 0:
            same.append((carried[after.graph.map == region] == c).mean() > 0.5)
        else:  # `carried` may hold class c though it was empty: as background that came in from outside
            same.append(before.matching.assignment[c] < 0 or not (carried == c).any())
    return np.array(same)


def gains(
    matcher: GraphMatcher,
    probabilities: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    changes: Mapping[str, Change],
) -> pd.DataFrame:
    """Measure what the matching gains on changed pictures, with their truth changed alike (Section IV; GM17).

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted.
    probabilities, truths : sequences of (H, W, C) float and (H, W) int ndarray
        N pictures.
    changes : mapping of name to function
        Such as ``{angle: partial(turn_head, degrees=angle) for angle in range(0, 61, 15)}``.

    Returns
    -------
    pandas.DataFrame
        A row for each picture and change: `image`, `change`, the mean over the picture's classes of `box_before` and
        `box_after` (bounding boxes) and `pixel_before` and `pixel_after` (IoU), before and after the matching, in
        [0, 1]; `box_gain`, `pixel_gain` their differences; nan after a refusal.

    Raises
    ------
    TypeError, ValueError
        As the matcher's and the changes'; not as many truths as pictures.
    """
    require_pictures(probabilities, truths)
    rows = []
    for number, picture in enumerate(track(probabilities, "gains: image")):
        for name, change in changes.items():
            row = {"image": number, "change": name}
            rows.append(row | _gain(matcher, change(picture), change(truths[number])))
    return pd.DataFrame(rows)


def _gain(matcher: GraphMatcher, picture: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    num_classes, found = picture.shape[2], analysed(matcher, picture)
    before = _mean_scores(truth, picture.argmax(axis=2), num_classes)
    refused = dict.fromkeys(before, np.nan)
    after = refused if found is None else _mean_scores(truth, found.labels, num_classes)
    gain = {kind: after[kind] - before[kind] for kind in before}
    scores = {"before": before, "after": after, "gain": gain}
    return {f"{kind}_{name}": score[kind] for kind in before for name, score in scores.items()}


def _mean_scores(truth: np.ndarray, labels: np.ndarray, num_classes: int) -> dict[str, float]:
    return {kind: mean_iou(scores) for kind, scores in class_scores(truth, labels, num_classes).items()}


def pose_matcher(
    annotations: Iterable[np.ndarray], num_classes: int, angles: Sequence[float], **options: object
) -> GraphMatcher:
    """Fit as many model graphs as there are angles to annotations turned by each: Section IV's way out for poses.

    Parameters
    ----------
    annotations : iterable of (H, W) int ndarray
        True labels of frontal heads.
    num_classes : int
        C.
    angles : sequence of float
        In degrees, as for :func:`~segstudy.experiments.graph_matching.perturbations.turn_head`.
    options
        Of :class:`~segstudy.papers.graph_matching.matcher.GraphMatcher`, but for `models`.

    Returns
    -------
    GraphMatcher
        Fitted. The groups are found by k-means, so a model need not be one angle.

    Raises
    ------
    TypeError, ValueError
        As the matcher's; no angle.
    """
    if not len(angles):
        raise ValueError("angles must hold at least one angle, got none: 0 is the pose of the annotations")
    turned = [turn_head(labels, angle) for labels in annotations for angle in angles]
    return GraphMatcher(models=len(angles), **options).fit(turned, num_classes)


def occlusions(
    matchers: Mapping[str, GraphMatcher],
    probabilities: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    rng: np.random.Generator,
    *,
    classes: Sequence[int] | None = None,
    stray: float = 0.0,
    away: float = 1 / 3,
) -> pd.DataFrame:
    """Hide one class after the other, and see what the matching takes in its place (Section IV; GM18).

    Parameters
    ----------
    matchers : mapping of name to GraphMatcher
        Fitted, one for each rule: ``{rule: GraphMatcher(empty=rule).fit(...) for rule in EMPTY_RULES}``.
    probabilities, truths : sequences of (H, W, C) float and (H, W) int ndarray
        N pictures.
    rng : np.random.Generator
        Draws the places of the stray pieces, the same for all matchers.
    classes : sequence of int, optional
        Those to hide (see :func:`~segstudy.experiments.graph_matching.perturbations.occlude`); all C if None. A class
        that the truth lacks is not hidden.
    stray : float
        Size of a false piece of the hidden class, in parts of its true area (at least one pixel), planted far from
        it; 0 plants none. Pieces that the network itself made elsewhere stay either way.
    away : float
        How far, in parts of the picture's longer side. Where there is no such place, none is planted.

    Returns
    -------
    pandas.DataFrame
        A row for each picture, hidden class and matcher: `image`, `hidden`, `planted` (bool), `candidates` (regions of
        the hidden class that are left, 8 neighbours; none of them meets its true one), `rule` (the matcher's name),
        `outcome`, one of

        - "refused": a MissingClassError, no result; also where it is another class that has no region;
        - "wrong": a region was matched with the hidden class;
        - "empty": the hidden class was left empty, as is right;

        and `others_right`: share of the other classes of the truth that were matched with a region which meets
        their true one; nan when refused. A background that is no vertex is always "empty", and none of the others.

    Raises
    ------
    TypeError, ValueError
        As the matcher's and `occlude`'s; not as many truths as pictures; a negative `stray`.
    """
    require_pictures(probabilities, truths)
    if stray < 0:
        raise ValueError(f"stray must be 0 or more, got {stray!r}: 0.2 plants a fifth of the class's area")
    rows = []
    for number, picture in enumerate(track(probabilities, "occlusions: image")):
        truth, wanted = truths[number], range(picture.shape[2]) if classes is None else classes
        for c in np.intersect1d(wanted, truth):
            covered = occlude(picture, truth, c)
            size = max(1, round(stray * (truth == c).sum()))
            blob = far_blob(truth == c, size, away, rng) if stray else None
            if blob is not None:
                covered = plant(covered, blob, c)
            candidates = label(covered.argmax(axis=2) == c, np.ones((3, 3)))[1]
            row = {"image": number, "hidden": int(c), "planted": blob is not None, "candidates": candidates}
            for name, matcher in matchers.items():
                rows.append(row | {"rule": name} | _outcome(matcher, covered, truth, c))
    return pd.DataFrame(rows)


def _outcome(matcher: GraphMatcher, covered: np.ndarray, truth: np.ndarray, hidden: int) -> dict:
    analysis = analysed(matcher, covered)
    if analysis is None:
        return {"outcome": "refused", "others_right": np.nan}
    vertices = matcher.models_[0].vertices
    others = np.intersect1d(vertices[vertices != hidden], truth)
    matched = _matched_map(analysis)
    right = [((matched == c) & (truth == c)).any() for c in others]
    return {
        "outcome": "empty" if analysis.matching.assignment[hidden] < 0 else "wrong",
        "others_right": float(np.mean(right)) if right else np.nan,
    }


def class_scores(truth: np.ndarray, labels: np.ndarray, num_classes: int) -> dict[str, np.ndarray]:
    """Score each class of one picture: "box" and "pixel" IoU, (C,) each, nan where it is in neither map."""
    return {
        "box": box_iou(truth, labels, num_classes),
        "pixel": iou_per_image([truth], [labels], num_classes)[0],
    }


def analysed(matcher: GraphMatcher, probabilities: np.ndarray) -> Analysis | None:
    """Return the matcher's result, None where it refuses the picture for want of a class."""
    try:
        return matcher.analyse(probabilities)
    except MissingClassError:
        return None


def require_pictures(pictures: Sequence[np.ndarray], truths: Sequence[np.ndarray] | None = None) -> None:
    """Refuse no pictures, or truths that do not belong to them."""
    if not len(pictures):
        raise ValueError("the list of pictures is empty: a measurement needs at least one")
    shapes = [picture.shape[:2] for picture in pictures]
    if truths is not None and [truth.shape for truth in truths] != shapes:
        raise ValueError(
            f"truths must be as many and of the size of the pictures, got {len(truths)} truths for "
            f"{len(pictures)} pictures, or another (H, W)"
        )
