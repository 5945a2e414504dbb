"""The claims that Table I answers: GM1 to GM8, GM10, GM11, GM20."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy.experiments.graph_matching.results import AVERAGE, Results
from segstudy.experiments.verdicts import (
    FAILS,
    HOLDS,
    NOT_RUN,
    WEAKLY,
    Verdict,
    all_above,
    all_held,
    grade,
    listed,
    points,
    worst,
)
from segstudy.metrics.paired import known_mean, paired_difference

if TYPE_CHECKING:
    import pandas as pd

BROWS = ("right brow", "left brow")
SMALL = (*BROWS, "right eye", "left eye")
LARGE = ("background", "hair", "face")
PAPERS_SHARES = (100, 75, 50, 25)
PAPERS_GAIN = 0.024  # of box IoU at 100 %


def table_claims(results: Results, gains: pd.DataFrame, seed: int = 0) -> list[Verdict]:
    """Judge the claims that Table I answers: GM1 to GM8, GM10, GM11, GM20.

    The interval of :func:`~segstudy.experiments.verdicts.grade` is over pictures, repeats averaged: what other
    trainings would give it does not know. Box IoU decides where a claim does not say which.

    Parameters
    ----------
    results : Results
        Of the networks; claims about a share that was not trained read "not run".
    gains : DataFrame
        ``results.gains()``.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of Verdict
    """
    rows = gains.set_index(["share", "measure", "class"]).sort_index()
    judges = {
        "GM1": (_gm1, [100]),
        "GM2": (_gm2, [50]),
        "GM3": (_gm3, [100, 50]),
        "GM4": (_gm4, [100, 75, 50]),
        "GM5": (_gm5, results.shares),
        "GM6": (_gm6, results.shares),
        "GM7": (_gm7, PAPERS_SHARES),
        "GM8": (_gm8, [100, 50]),
        "GM10": (_gm10, [25]),
        "GM11": (_gm11, results.shares),
        "GM20": (_gm20, PAPERS_SHARES),
    }
    verdicts = []
    for claim, (judge, shares) in judges.items():
        absent = [share for share in shares if share not in results.shares]
        if absent:
            missing = ", ".join(f"{share} %" for share in absent)
            verdicts.append(Verdict(claim, NOT_RUN, f"no network was trained on {missing} of the pictures"))
        else:
            verdicts.append(Verdict(claim, *judge(rows, results, seed)))
    return verdicts


Judged = tuple[str, str]


def _gain(rows: pd.DataFrame, share: int, measure: str, name: str = AVERAGE) -> pd.Series:
    return rows.loc[(share, measure, name)]


def _text(row: pd.Series) -> str:
    return points(row.difference, row.low, row.high)


def _gm1(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """The mean gain is above 0 and about 2.4: holds where the interval also reaches 2.4."""
    row = _gain(rows, 100, "box")
    verdict = grade(row.difference, row.low)
    if verdict == HOLDS and row.high < PAPERS_GAIN:
        verdict = WEAKLY
    return verdict, f"box IoU {_text(row)} at 100 % (paper +2.4)"


def _gm2(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """The largest box gain of a class is 20 points or more: holds on a brow, weakly on another class."""
    boxes = rows.loc[(50, "box")].drop(AVERAGE)
    best = boxes.difference.idxmax()
    row = boxes.loc[best]
    large = row.difference >= 0.2
    verdict = HOLDS if large and best in BROWS else WEAKLY if large else FAILS
    return verdict, f"largest gain at 50 %: {best}, {_text(row)} (paper: right brow, +24.4)"


def _gm3(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """The gain at 50 % is three times that at 100 %: weakly where it is a gain, and merely larger."""
    half, full = (_gain(rows, share, "box") for share in (50, 100))
    verdict = FAILS
    if half.difference > max(full.difference, 0):
        verdict = HOLDS if half.difference >= 3 * full.difference and half.low > 0 else WEAKLY
    return verdict, f"box IoU {_text(half)} at 50 %, {_text(full)} at 100 % (paper +8.5 and +2.4)"


def _gm4(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """Both averages gain at three sizes: the worst of the six decides."""
    cells = [(share, measure) for share in (100, 75, 50) for measure in ("pixelwise", "box")]
    found = [_gain(rows, *cell) for cell in cells]
    evidence = "; ".join(f"{m} {s} %: {_text(row)}" for (s, m), row in zip(cells, found, strict=True))
    return worst([grade(row.difference, row.low) for row in found]), evidence


def _gm5(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """Boxes gain more than pixels at every size: weakly at most where a size of the paper was not trained."""
    pairs = {}
    for share in results.shares:
        pairs[share] = [_picture_gain(results, share, m)[:, 0] for m in ("box", "pixelwise")]
    verdict, evidence = _more_at_every_share(pairs, seed)
    absent = [str(share) for share in PAPERS_SHARES if share not in pairs]
    if absent:
        verdict, evidence = worst([verdict, WEAKLY]), f"{evidence} (not trained: {', '.join(absent)} %)"
    return verdict, f"box gain less pixelwise gain at {evidence}"


def _gm6(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """Pixelwise, small classes gain more than large ones, at every size that was trained."""
    pairs = {}
    for share in results.shares:
        gain = _picture_gain(results, share, "pixelwise")[:, 1:]
        columns = ([results.classes.index(name) for name in names] for names in (SMALL, LARGE))
        pairs[share] = [known_mean(gain[:, part], axis=1) for part in columns]
    verdict, evidence = _more_at_every_share(pairs, seed)
    return verdict, f"pixelwise gain of brows and eyes less that of background, hair and face at {evidence}"


def _more_at_every_share(pairs: dict[int, list[np.ndarray]], seed: int) -> Judged:
    """Judge whether the first of two lists of numbers by picture is the larger one, for every share."""
    found = {f"{share} %": paired_difference(*pair, seed) for share, pair in pairs.items()}
    return all_above(found.values()), listed(found)


def _picture_gain(results: Results, share: int, measure: str) -> np.ndarray:
    after, before = (results.per_picture(share, a, measure) for a in ("U-Net + GM", "U-Net"))
    return after - before


def _gm7(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """The gain rises as pictures grow fewer: weakly where only the last size gains more than the first."""
    gains = [_gain(rows, share, "box").difference for share in PAPERS_SHARES]
    verdict = HOLDS if all(np.diff(gains) > 0) else WEAKLY if gains[-1] > gains[0] else FAILS
    shown = "; ".join(f"{s} %: {points(g)}" for s, g in zip(PAPERS_SHARES, gains, strict=True))
    return verdict, f"box IoU at {shown} (paper +2.4, +2.8, +8.5, +6.0)"


def _gm8(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """GM at 50 % reaches the U-Net at 100 %: holds where the interval has nothing below 0, weakly by its mean."""
    half, full = (results.per_picture(s, a, "box")[:, 0] for s, a in ((50, "U-Net + GM"), (100, "U-Net")))
    more = paired_difference(half, full, seed)
    verdict = HOLDS if more.low >= 0 else WEAKLY if more.mean >= 0 else FAILS
    found = points(more.mean, more.low, more.high)
    return verdict, f"box IoU of U-Net + GM at 50 % less U-Net at 100 %: {found} (paper +0.5)"


def _gm10(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """Maps lack a class: holds from one in ten on."""
    rate = np.mean([e.missing.any(axis=1) for e in results.repeats(25)])
    verdict = HOLDS if rate >= 0.1 else WEAKLY if rate > 0 else FAILS
    return verdict, f"{100 * rate:.1f} % of the maps at 25 % lack a class (paper 48.9 %)"


def _gm11(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """95 % of the maps have a region of every class: weakly where that is so for some sizes only."""
    shares = {s: np.mean([~e.missing.any(axis=1) for e in results.repeats(s)]) for s in results.shares}
    verdict = HOLDS if min(shares.values()) >= 0.95 else WEAKLY if max(shares.values()) >= 0.95 else FAILS
    shown = "; ".join(f"{100 * v:.1f} % at {s} %" for s, v in shares.items())
    return verdict, f"maps with a region of every class: {shown}"


def _gm20(rows: pd.DataFrame, results: Results, seed: int) -> Judged:
    """The gain is significant at each size: weakly at some."""
    found = {share: _gain(rows, share, "box") for share in PAPERS_SHARES}
    right = [row.p < 0.05 and row.difference > 0 for row in found.values()]
    shown = "; ".join(f"{points(r.difference)}, p = {r.p:.1g} at {s} %" for s, r in found.items())
    return all_held(right), f"box IoU, Wilcoxon over pictures: {shown}"
