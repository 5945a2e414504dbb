"""Small pieces far from where they belong: which score sees them, and whether the matching puts them right.

Chopin et al. 2020 score bounding boxes because they show such pieces (Section III-B; :func:`stray_blobs`), and claim
that step 2 relabels them rightly (Sections II-B2, III-C; :func:`region_fates`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segstudy.datasets.files import VOID
from segstudy.experiments.graph_matching.perturbations import far_blob, plant
from segstudy.experiments.graph_matching.robustness import analysed, class_scores, require_pictures
from segstudy.papers.graph_matching.matcher import Analysis, GraphMatcher
from segstudy.progress import track

BLOBS = ["image", "class", "pixels", "box_before", "pixel_before", "box_fall", "pixel_fall"]
FATES = ["image", "region", "network", "final", "truth", "pixels", "artefact", "stray"]
FATES += ["right_before", "right_after"]


def stray_blobs(
    predictions: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    num_classes: int,
    rng: np.random.Generator,
    *,
    share: float = 0.01,
    away: float = 1 / 3,
) -> pd.DataFrame:
    """Add a small stray piece far from a class, and see what either score says (Section III-B, III-C; GM21).

    Parameters
    ----------
    predictions, truths : sequences of (H, W) int ndarray
        N label maps and their truth; the truth itself may serve as prediction.
    num_classes : int
        C.
    rng : np.random.Generator
        Draws the places.
    share : float
        The piece is as large as it can be while smaller than this part of the class's true area.
    away : float
        Its least distance from all true and predicted pixels of the class, in parts of the picture's longer side.
        Void is not avoided, and there no score sees the piece.

    Returns
    -------
    pandas.DataFrame
        A row for each picture and class where such a piece is possible (a class of 100 pixels or fewer has none at
        the default share): `image`, `class`, `pixels` (of the piece), `box_before`, `pixel_before` (the class's IoU
        in [0, 1]), and in points `box_fall`, `pixel_fall`: how much lower the scores are with the piece.

    Raises
    ------
    TypeError, ValueError
        As the scores'; not as many truths as pictures; no share.
    """
    require_pictures(predictions, truths)
    if share <= 0:
        raise ValueError(f"share must be more than 0, got {share!r}: 0.01 is the one hundredth of the claim")
    rows = []
    for number, labels in enumerate(track(predictions, "stray pieces: image")):
        truth = truths[number]
        before = class_scores(truth, labels, num_classes)
        for c in np.intersect1d(truth[truth != VOID], labels):
            # the largest whole number below share * area
            pixels = int(np.ceil(share * (truth == c).sum())) - 1
            blob = far_blob((truth == c) | (labels == c), pixels, away, rng) if pixels > 0 else None
            if blob is None:
                continue
            after = class_scores(truth, plant(labels, blob, int(c)), num_classes)
            row = {"image": number, "class": int(c), "pixels": pixels}
            start = {f"{kind}_before": before[kind][c] for kind in before}
            fall = {f"{kind}_fall": 100 * (before[kind][c] - after[kind][c]) for kind in before}
            rows.append(row | start | fall)
    return pd.DataFrame(rows, columns=BLOBS)


def region_fates(
    matcher: GraphMatcher, probabilities: Sequence[np.ndarray], truths: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Follow every region through the method, beside its truth (Sections II-B2, III-C; GM9, GM15).

    Parameters
    ----------
    matcher : GraphMatcher
        Fitted.
    probabilities, truths : sequences of (H, W, C) float and (H, W) int ndarray
        N pictures. A picture that the matcher refuses (empty="refuse") has no rows.

    Returns
    -------
    pandas.DataFrame
        A row for each region that is a vertex: `image`, `region`; `network` and `final`: its class by arg max and
        after step 2; `truth`: the class of most of its pixels (-1 where all are void); `pixels`: how many are not
        void; `artefact`: left over by the one-to-one matching; `stray`: none of its pixels is of its class `network`;
        `right_before`, `right_after`: its pixels of true class `network` and of true class `final`.

    Raises
    ------
    TypeError, ValueError
        As the matcher's; not as many truths as pictures; sizes that differ.
    """
    require_pictures(probabilities, truths)
    tables = []
    for number, picture in enumerate(track(probabilities, "fates: image")):
        analysis = analysed(matcher, picture)
        if analysis is not None:
            tables.append(_fates(analysis, truths[number]).assign(image=number))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=FATES)
    return table[FATES]


def _fates(analysis: Analysis, truth: np.ndarray) -> pd.DataFrame:
    graph, count = analysis.graph, analysis.graph.num_classes
    scored = (truth != VOID) & (graph.map >= 0)
    # pixels of each region (row) and true class (column)
    cells = graph.map[scored] * count + truth[scored].astype(np.int64)
    counts = np.bincount(cells, minlength=len(graph) * count).reshape(len(graph), count)
    each = np.arange(len(graph))
    pixels = counts.sum(axis=1)
    right_before, right_after = counts[each, graph.classes], counts[each, analysis.classes]
    return pd.DataFrame(
        {
            "region": each,
            "network": graph.classes,
            "final": analysis.classes,
            "truth": np.where(pixels > 0, counts.argmax(axis=1), -1),
            "pixels": pixels,
            "artefact": ~np.isin(each, analysis.matching.assignment),
            "stray": (right_before == 0) & (pixels > 0),
            "right_before": right_before,
            "right_after": right_after,
        }
    )


def fate_shares(fates: pd.DataFrame) -> dict[str, float]:
    """Sum up :func:`region_fates`.

    Parameters
    ----------
    fates : pandas.DataFrame
        Its table, or some of its rows.

    Returns
    -------
    dict
        `stray`: number of stray regions, and `stray_righted`: share of them whose final class is that of most of
        their pixels (GM9; before the matching it is 0 by definition). `artefacts`: number of regions left over,
        `artefact_pixels`: their pixels that are not void, and the shares of those with the right class, `right_before`
        and `right_after` (GM15). Shares are nan where there is nothing to share.
    """
    stray, left = fates[fates["stray"].astype(bool)], fates[fates["artefact"].astype(bool)]
    pixels = int(left["pixels"].sum())
    return {
        "stray": len(stray),
        "stray_righted": float((stray["final"] == stray["truth"]).mean()) if len(stray) else np.nan,
        "artefacts": len(left),
        "artefact_pixels": pixels,
        "right_before": float(left["right_before"].sum() / pixels) if pixels else np.nan,
        "right_after": float(left["right_after"].sum() / pixels) if pixels else np.nan,
    }
