"""The claims that experiments answer: GM9, GM12 to GM19, GM21."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segstudy.metrics import paired_bootstrap
from segstudy.papers.graph_matching.claims import FAILS, HOLDS, NOT_RUN, WEAKLY, Verdict, grade, points

if TYPE_CHECKING:
    import pandas as pd


def ablation_claims(table: pd.DataFrame) -> list[Verdict]:
    """Judge GM12: that the smallest distance serves better than the distance of centroids.

    Parameters
    ----------
    table : DataFrame
        From :func:`~segstudy.papers.graph_matching.ablations.ablation_table`.
    """
    rows = table[table.variant == "relations of centroids"].set_index("measure")
    box, pixel = rows.loc["box"], rows.loc["pixelwise"]
    evidence = f"smallest distance less centroids: box {_flipped(box)}, pixelwise {_flipped(pixel)}"
    return [Verdict("GM12", grade(-box.difference, -box.high), evidence)]


def _flipped(row: pd.Series) -> str:
    return points(-row.difference, -row.high, -row.low)


def alpha_claim(sweep: pd.DataFrame) -> Verdict:
    """Judge GM13: that alpha needs no optimisation.

    Parameters
    ----------
    sweep : DataFrame
        Columns share, alpha, measure, mean; the box IoU of alpha 0.1 to 0.9 counts.
    """
    inner = sweep[(sweep.measure == "box") & sweep.alpha.between(0.0999, 0.9001)]
    ranges = inner.groupby("share")["mean"].agg(lambda m: m.max() - m.min())
    verdict = HOLDS if ranges.max() <= 0.01 else WEAKLY if ranges.max() <= 0.02 else FAILS
    spans = "; ".join(f"{points(r)[1:]} at {s} %" for s, r in ranges.sort_index(ascending=False).items())
    return Verdict("GM13", verdict, f"range of the box IoU over alpha .1 to .9: {spans}")


def region_claims(fates: pd.DataFrame) -> list[Verdict]:
    """Judge GM9 and GM15, by what becomes of stray pieces and of artefacts.

    Parameters
    ----------
    fates : DataFrame
        From :func:`~segstudy.papers.graph_matching.stray_pieces.region_fates`.
    """
    stray = fates[fates.stray]
    right = (stray.final == stray.truth).mean() if len(stray) else np.nan
    verdict = NOT_RUN if not len(stray) else HOLDS if right >= 0.5 else WEAKLY if right > 0 else FAILS
    nine = f"{100 * right:.0f} % of {len(stray)} stray pieces end in the class that most of their pixels truly are"
    pieces = fates[fates.artefact & (fates.pixels > 0)]
    pixels = pieces.groupby("image")[["right_before", "right_after", "pixels"]].sum()
    shares = pixels.div(pixels.pixels, axis=0)
    more = paired_bootstrap(
        shares.right_after.to_numpy(), shares.right_before.to_numpy(), np.random.default_rng(0)
    )
    before, after = (pixels[c].sum() / pixels.pixels.sum() for c in ("right_before", "right_after"))
    fifteen = f"artefact pixels of the right class: {100 * before:.0f} % before, {100 * after:.0f} % after"
    spread = f"; mean over maps {points(more.mean, more.low, more.high)}"
    return [Verdict("GM9", verdict, nine), Verdict("GM15", grade(more.mean, more.low), fifteen + spread)]


def search_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM14: that the network's candidates shrink the search and lose nothing.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.papers.graph_matching.ablations.compare_constraint`.
    """
    proven = rows[rows.proven]
    same, faster = proven.same.mean(), (rows.without_seconds / rows.with_seconds).median()
    verdict = HOLDS if same >= 0.95 and faster > 1 else WEAKLY if faster > 1 else FAILS
    nodes = f"nodes {rows.with_nodes.median():.0f} against {rows.without_nodes.median():.0f} (medians)"
    found = f"without constraint 3 the optimum was proven on {len(proven)} of {len(rows)} maps"
    alike = f"the same matching on {100 * same:.0f} % of those" if len(proven) else "so none can be compared"
    return Verdict("GM14", verdict, f"{found}, {alike}; {nodes}; {faster:.1f} times the time without it")


def invariance_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM16: translation and turning change nothing, scale does.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.papers.graph_matching.robustness.invariance`, with a column `kind`: "translation",
        "right angle", "angle" or "scale".
    """
    same = rows.groupby("kind").same_regions.mean()
    exact = rows[rows.kind.isin(["translation", "right angle"])]
    exactly = exact.same_pixels.min() == 1
    changed = 1 - rows[rows.kind == "scale"].same_regions.mean()
    turned = same.get("angle", np.nan)
    verdict = HOLDS if exactly and changed > 0.01 else WEAKLY if exactly else FAILS
    exact_text = f"labels equal on {100 * exact.same_pixels.min():.2f} % of the pixels at worst"
    alike = f"{100 * turned:.1f} % at other angles, {100 - 100 * changed:.1f} % when scaled"
    return Verdict(
        "GM16", verdict, f"translation, right angles: {exact_text}; regions matched alike: {alike}"
    )


def pose_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM17: that a turned head takes the gain away.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.papers.graph_matching.robustness.gains`, `change` an angle in degrees, 0 among them.
    """
    wide = rows.pivot(index="image", columns="change", values="box_gain")
    far = max(wide.columns)
    fall = paired_bootstrap(wide[0].to_numpy(), wide[far].to_numpy(), np.random.default_rng(0))
    means = "; ".join(f"{points(m)} at {a}°" for a, m in wide.mean().items())
    return Verdict(
        "GM17", grade(fall.mean, fall.low), f"box gain {means}; fall {points(fall.mean, fall.low, fall.high)}"
    )


def occlusion_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM18: that a hidden region makes the paper's matching fail or go wrong.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.papers.graph_matching.robustness.occlusions`; `rule` "refuse" is the paper's.
    """
    paper = rows[rows.rule == "refuse"].outcome.isin(["refused", "wrong"]).mean()
    verdict = HOLDS if paper >= 0.95 else WEAKLY if paper > 0 else FAILS
    rules = rows.groupby("rule").outcome.value_counts(normalize=True).unstack(fill_value=0)
    text = "; ".join(
        f"{rule}: " + ", ".join(f"{100 * v:.0f} % {k}" for k, v in row[row > 0].items())
        for rule, row in rules.iterrows()
    )
    return Verdict("GM18", verdict, f"with one class hidden: {text}")


def time_claim(times: pd.DataFrame) -> Verdict:
    """Judge GM19: that the time of the exact search grows faster than polynomially with classes.

    Parameters
    ----------
    times : DataFrame
        Columns solver, classes, candidates, seconds, nodes; the exhaustive search at one number of candidates.
    """
    times = times[times.candidates == times.candidates.mode().iloc[0]]
    rows = times[times.solver == "exhaustive"].groupby("classes").nodes.first()
    slopes = np.diff(np.log(rows.to_numpy(float))) / np.diff(np.log(rows.index.to_numpy(float)))
    verdict = HOLDS if len(slopes) > 1 and (np.diff(slopes) > 0).all() else FAILS
    own = 1000 * times[times.solver == "branch and bound"].groupby("classes").seconds.median()
    spans = f"{own.index[0]} to {own.index[-1]} classes"
    growth = f"branch and bound {own.iloc[0]:.1f} to {own.iloc[-1]:.1f} ms from {spans}"
    return Verdict(
        "GM19",
        verdict,
        f"exhaustive search: exponent of the combinations rises from {slopes[0]:.1f} to {slopes[-1]:.1f}; {growth}",
    )


def blob_claim(rows: pd.DataFrame) -> Verdict:
    """Judge GM21: that boxes show stray pieces which pixelwise IoU hides.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~segstudy.papers.graph_matching.stray_pieces.stray_blobs`.
    """
    placed = rows.dropna(subset=["box_fall", "pixel_fall"])
    shown = ((placed.box_fall > 10) & (placed.pixel_fall < 1)).mean()
    verdict = HOLDS if shown >= 0.95 else WEAKLY if shown >= 0.5 else FAILS
    falls = (
        f"box IoU falls by {placed.box_fall.mean():.1f} points, pixelwise by {placed.pixel_fall.mean():.2f}"
    )
    return Verdict(
        "GM21",
        verdict,
        f"{falls}; more than 10 and less than 1 in {100 * shown:.0f} % of {len(placed)} pieces",
    )
