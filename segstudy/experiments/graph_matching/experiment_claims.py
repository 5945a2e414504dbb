"""The claims that experiments answer: GM9, GM12 to GM19, GM21."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy.experiments.graph_matching.stray_pieces import fate_shares
from segstudy.experiments.verdicts import FAILS, HOLDS, NOT_RUN, WEAKLY, Verdict, grade, points
from segstudy.metrics.paired import paired_difference

if TYPE_CHECKING:
    import pandas as pd

AFTER_AND_BEFORE = ("right_after", "right_before")


def ablation_claims(table: pd.DataFrame) -> list[Verdict]:
    """Judge GM12: that the smallest distance serves better than the distance of centroids.

    Parameters
    ----------
    table : DataFrame
        From :func:`~segstudy.experiments.graph_matching.ablations.ablation_table`.
    """
    rows = table[table.variant == "relations of centroids"].set_index("measure")
    box, pixel = rows.loc["box"], rows.loc["pixelwise"]
    evidence = f"smallest distance less centroids: box {_flipped(box)}, pixelwise {_flipped(pixel)}"
    return [Verdict("GM12", grade(-box.difference, -box.high), evidence)]


def _flipped(row: pd.Series) -> str:
    return points(-row.difference, -row.high, -row.low)


def alpha_claim(sweep: pd.DataFrame) -> Verdict:
    """Judge GM13: that alpha needs no optimisation.

    Holds where, for every share, box IoU ranges over 1 point or less, weakly up to 2.

    Parameters
    ----------
    sweep : DataFrame
        Columns share, alpha, measure, mean, of one split; the box IoU of alpha 0.1 to 0.9 counts.
    """
    inner = sweep[(sweep.measure == "box") & sweep.alpha.between(0.0999, 0.9001)]
    ranges = inner.groupby("share")["mean"].agg(lambda m: m.max() - m.min())
    verdict = HOLDS if ranges.max() <= 0.01 else WEAKLY if ranges.max() <= 0.02 else FAILS
    spans = "; ".join(f"{points(r)[1:]} at {s} %" for s, r in ranges.sort_index(ascending=False).items())
    return Verdict("GM13", verdict, f"range of the box IoU over alpha .1 to .9: {spans}")


def region_claims(fates: pd.DataFrame) -> list[Verdict]:
    """Judge GM9 and GM15, by what becomes of stray pieces and of artefacts.

    GM9 holds where half of the stray pieces or more end in the right class, weakly where any does. GM15 is graded by
    the share of artefact pixels that are right after less before, map by map.

    Parameters
    ----------
    fates : DataFrame
        From :func:`~segstudy.experiments.graph_matching.stray_pieces.region_fates`.
    """
    shares = fate_shares(fates)
    return [_stray_claim(shares), _artefact_claim(fates, shares)]


def _stray_claim(shares: dict[str, float]) -> Verdict:
    right, count = shares["stray_righted"], shares["stray"]
    if not count:
        return Verdict("GM9", NOT_RUN, "no region lies wholly outside its class")
    verdict = HOLDS if right >= 0.5 else WEAKLY if right > 0 else FAILS
    text = f"{100 * right:.0f} % of {count} stray pieces end in the class that most of their pixels truly are"
    return Verdict("GM9", verdict, text)


def _artefact_claim(fates: pd.DataFrame, shares: dict[str, float]) -> Verdict:
    if not shares["artefact_pixels"]:
        return Verdict("GM15", NOT_RUN, "the matching left no region over")
    pieces = fates[fates.artefact.astype(bool) & (fates.pixels > 0)]
    maps = pieces.groupby("image")[["right_before", "right_after", "pixels"]].sum()
    more = paired_difference(*(maps[c].to_numpy() / maps.pixels.to_numpy() for c in AFTER_AND_BEFORE))
    before, after = (100 * shares[c] for c in ("right_before", "right_after"))
    text = (
        f"artefact pixels of the right class: {before:.0f} % before, {after:.0f} % after; mean change over "
    )
    text += f"{len(maps)} maps {points(more.mean, more.low, more.high)}"
    return Verdict("GM15", grade(more.mean, more.low), text)


def search_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM14: that the network's candidates shrink the search and lose nothing.

    Only maps where every class has a region count: where one has none, the constraint alone leaves the class empty.
    Holds where the search is faster and the matching the same, proven so, on 95 % of them; weakly where it is faster
    and the same on half of those that are proven.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.experiments.graph_matching.ablations.compare_constraint`.
    """
    rows = rows[rows.complete.astype(bool)]
    if rows.empty:
        return Verdict("GM14", NOT_RUN, "no map has a region of every class")
    proven = rows[rows.proven]
    found = f"the optima with and without constraint 3 were proven on {len(proven)} of {len(rows)} maps"
    faster = (rows.without_seconds / rows.with_seconds).median()
    nodes = f"nodes {rows.with_nodes.median():.0f} against {rows.without_nodes.median():.0f} (medians)"
    cost = f"{nodes}; {faster:.1f} times the time without it"
    if proven.empty:
        return Verdict("GM14", NOT_RUN, f"{found}, so none can be compared; {cost}")
    same = proven.same.mean()
    verdict = FAILS
    if faster > 1 and same >= 0.5:
        verdict = HOLDS if proven.same.sum() >= 0.95 * len(rows) else WEAKLY
    return Verdict("GM14", verdict, f"{found}, the same matching on {100 * same:.0f} % of those; {cost}")


def invariance_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM16: translation and turning change nothing, scale does.

    Holds where every pixel is the same after translation and turns by right angles, and scaling changes the regions of
    one class in a hundred more than turns by other angles do, which resample the picture too; weakly where only the
    former is so. A picture that is refused when turned has no pixel the same.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.experiments.graph_matching.robustness.invariance`, with a column `kind`: "translation",
        "right angle", "angle" or "scale".
    """
    same = rows.groupby("kind").same_regions.mean()
    least = rows[rows.kind.isin(["translation", "right angle"])].same_pixels.fillna(0).min()
    beyond = same["angle"] - same["scale"]
    verdict = FAILS if least < 1 else HOLDS if beyond > 0.01 else WEAKLY
    exact = f"labels equal on {100 * least:.4f} % of the pixels at worst"
    alike = f"{100 * same['angle']:.1f} % at other angles, {100 * same['scale']:.1f} % when scaled"
    return Verdict("GM16", verdict, f"translation, right angles: {exact}; regions matched alike: {alike}")


def pose_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM17: that a turned head takes the gain away.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.experiments.graph_matching.robustness.gains`, `change` an angle in degrees, 0 among them.
    """
    wide = rows.pivot(index="image", columns="change", values="box_gain")
    fall = paired_difference(wide[0].to_numpy(), wide[max(wide.columns)].to_numpy())
    means = "; ".join(f"{points(m)} at {a}°" for a, m in wide.mean().items())
    text = f"box gain {means}; fall {points(fall.mean, fall.low, fall.high)}"
    return Verdict("GM17", grade(fall.mean, fall.low), text)


def occlusion_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM18: that a hidden region makes the paper's matching fail or go wrong.

    Holds where it does in 95 % of the cases, weakly where in any.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.experiments.graph_matching.robustness.occlusions`; `rule` "refuse" is the paper's.
    """
    broken = rows[rows.rule == "refuse"].outcome.isin(["refused", "wrong"]).mean()
    verdict = HOLDS if broken >= 0.95 else WEAKLY if broken > 0 else FAILS
    cases = {False: "one class hidden", True: "a false piece of it elsewhere"}
    parts = [f"{cases[bool(planted)]}: {_outcomes(part)}" for planted, part in rows.groupby("planted")]
    return Verdict("GM18", verdict, "; ".join(parts))


def _outcomes(rows: pd.DataFrame) -> str:
    shares = rows.groupby("rule").outcome.value_counts(normalize=True).unstack(fill_value=0)
    listed = {
        rule: " and ".join(f"{100 * v:.0f} % {k}" for k, v in row[row > 0].items())
        for rule, row in shares.iterrows()
    }
    return ", ".join(f"{rule} {text}" for rule, text in listed.items())


def time_claim(times: pd.DataFrame) -> Verdict:
    """Judge GM19: that the time of the exact search grows faster than polynomially with classes.

    The time of a polynomial search has a constant exponent, the slope of log time against log classes. Holds where the
    exponent of the exhaustive search rises from each number of classes to the next, weakly from the first to the last.

    Parameters
    ----------
    times : DataFrame
        Columns solver, classes, candidates, seconds, a row for each problem; the number of candidates counts at which
        the exhaustive search was run for most numbers of classes.
    """
    exact = times[times.solver == "exhaustive"]
    sizes = exact.groupby("candidates").classes.nunique()
    if not len(sizes) or sizes.max() < 3:
        text = "with one number of candidates, the exhaustive search was run for fewer than three numbers of classes"
        return Verdict("GM19", NOT_RUN, text)
    candidates = sizes[sizes == sizes.max()].index.max()
    seconds = exact[exact.candidates == candidates].groupby("classes").seconds.median()
    slopes = np.diff(np.log(seconds.to_numpy())) / np.diff(np.log(seconds.index.to_numpy(float)))
    rising = (np.diff(slopes) > 0).all()
    verdict = HOLDS if rising else WEAKLY if slopes[-1] > slopes[0] else FAILS
    text = f"{candidates} candidates of each class: {_span('exhaustive', seconds)}, with exponents "
    text += ", ".join(f"{slope:.1f}" for slope in slopes)
    own = times[(times.solver == "branch and bound") & (times.candidates == candidates)]
    return Verdict(
        "GM19", verdict, f"{text}; {_span('branch and bound', own.groupby('classes').seconds.median())}"
    )


def _span(solver: str, seconds: pd.Series) -> str:
    ends = f"{1000 * seconds.iloc[0]:.1f} to {1000 * seconds.iloc[-1]:.1f} ms"
    return f"{solver} {ends} from {seconds.index[0]} to {seconds.index[-1]} classes"


def blob_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM21: that boxes show stray pieces which pixelwise IoU hides.

    Holds where that is so of 95 % of the pieces, weakly where of half.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.experiments.graph_matching.stray_pieces.stray_blobs`.
    """
    placed = rows.dropna(subset=["box_fall", "pixel_fall"])
    if placed.empty:
        return Verdict("GM21", NOT_RUN, "no class is large enough for such a piece, or has the room")
    shown = ((placed.box_fall > 10) & (placed.pixel_fall < 1)).mean()
    verdict = HOLDS if shown >= 0.95 else WEAKLY if shown >= 0.5 else FAILS
    falls = (
        f"box IoU falls by {placed.box_fall.mean():.1f} points, pixelwise by {placed.pixel_fall.mean():.2f}"
    )
    text = (
        f"{falls} (means); by more than 10 and less than 1 with {100 * shown:.0f} % of {len(placed)} pieces"
    )
    return Verdict("GM21", verdict, text)
