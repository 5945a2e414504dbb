"""From the evaluations of all networks to Table I, its gains and its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from segstudy.metrics import paired_bootstrap
from segstudy.papers.graph_matching.evaluation import APPROACHES, MEASURES, Evaluation

if TYPE_CHECKING:
    import pandas as pd

AVERAGE = "average"


class Results:
    """The evaluations of several networks on the same N test pictures.

    Parameters
    ----------
    evaluations : mapping of (share, seed) to Evaluation
        Share of the training set in percent.
    classes : sequence of str
        Names of the C classes.
    """

    def __init__(self, evaluations: Mapping[tuple[int, int], Evaluation], classes: Sequence[str]):
        self.evaluations, self.classes = dict(evaluations), tuple(classes)
        self.shares = sorted({share for share, _ in self.evaluations}, reverse=True)

    def repeats(self, share: int) -> list[Evaluation]:
        """Return the evaluations of one share, a network each."""
        return [e for (of, _), e in self.evaluations.items() if of == share]

    def per_picture(self, share: int, approach: str, measure: str, truth: str = "cleaned") -> np.ndarray:
        """Return the IoU of every picture and class averaged over repeats, (N, C + 1); the average of classes first."""
        scores = np.mean([e.of(approach, measure, truth) for e in self.repeats(share)], axis=0)
        return np.column_stack([np.nanmean(scores, axis=1), scores])

    def per_repeat(self, share: int, approach: str, measure: str, truth: str = "cleaned") -> np.ndarray:
        """Return the IoU of every repeat and class averaged over pictures, (R, C + 1); the average of classes first."""
        scores = np.stack([np.nanmean(e.of(approach, measure, truth), axis=0) for e in self.repeats(share)])
        return np.column_stack([scores.mean(axis=1), scores])

    def table_one(self, truth: str = "cleaned") -> pd.DataFrame:
        """Return Table I as measured here.

        Returns
        -------
        DataFrame
            Columns share, approach, measure, class, mean and std (over repeats), n (repeats). Every test picture
            counts; a class that a network misses scores 0.
        """
        import pandas as pd

        rows = []
        for share in self.shares:
            for approach in APPROACHES:
                for measure in MEASURES:
                    scores = self.per_repeat(share, approach, measure, truth)
                    spread = (
                        scores.std(axis=0, ddof=1) if len(scores) > 1 else np.full(scores.shape[1], np.nan)
                    )
                    key = {"share": share, "approach": approach, "measure": measure}
                    rows += [
                        key | {"class": name, "mean": mean, "std": std, "n": len(scores)}
                        for name, mean, std in zip(
                            (AVERAGE, *self.classes), scores.mean(0), spread, strict=True
                        )
                    ]
        return pd.DataFrame(rows)

    def gains(
        self, seed: int = 0, truth: str = "cleaned", before: str = "U-Net", after: str = "U-Net + GM"
    ) -> pd.DataFrame:
        """Return what one approach has over another, with 95 % intervals by paired bootstrap over pictures.

        Parameters
        ----------
        seed : int
            Of the bootstrap.
        truth, before, after : str
            Against which truth; the difference is `after` less `before`.

        Returns
        -------
        DataFrame
            Columns share, measure, class, difference, low, high, p (Wilcoxon's signed-rank test, two-sided).
        """
        import pandas as pd

        rows = []
        for share in self.shares:
            for measure in MEASURES:
                a, b = (self.per_picture(share, x, measure, truth) for x in (after, before))
                for i, name in enumerate((AVERAGE, *self.classes)):
                    found = paired_bootstrap(a[:, i], b[:, i], np.random.default_rng(seed))
                    row = {"share": share, "measure": measure, "class": name, "difference": found.mean}
                    rows.append(
                        row | {"low": found.low, "high": found.high, "p": signed_rank(a[:, i] - b[:, i])}
                    )
        return pd.DataFrame(rows)

    def missing_classes(self) -> pd.DataFrame:
        """Return how many maps lack a class, and Table I's averages by the paper's rule, which leaves those out.

        Returns
        -------
        DataFrame
            A row for each share and approach: maps, lacking (fraction), and for each measure the mean over all maps and
            over the complete ones.
        """
        import pandas as pd

        rows = []
        for share in self.shares:
            lacking = np.concatenate([e.missing.any(axis=1) for e in self.repeats(share)])
            for approach in APPROACHES:
                row = {"share": share, "approach": approach, "maps": len(lacking), "lacking": lacking.mean()}
                for measure in MEASURES:
                    scores = np.concatenate(
                        [np.nanmean(e.of(approach, measure), 1) for e in self.repeats(share)]
                    )
                    complete = scores[~lacking].mean() if not lacking.all() else np.nan
                    row |= {f"{measure}, all": scores.mean(), f"{measure}, complete": complete}
                rows.append(row)
        return pd.DataFrame(rows)

    def matching_work(self) -> pd.DataFrame:
        """Return what the matching had to do on every test map, a row for each.

        Returns
        -------
        DataFrame
            Columns share, seed, picture, regions, combinations, nodes, excess, optimal, and the seconds of each stage.
        """
        import pandas as pd

        frames = []
        for (share, seed), e in self.evaluations.items():
            columns = {
                name: getattr(e, name) for name in ("regions", "combinations", "nodes", "excess", "optimal")
            }
            key = {"share": share, "seed": seed, "picture": np.arange(len(e.regions))}
            frames.append(
                pd.DataFrame(key | columns | {"graph": e.seconds[:, 0], "correct": e.seconds[:, 1]})
            )
        return pd.concat(frames, ignore_index=True)


def alpha_sweep(results: Results, alphas: Sequence[float], split: str) -> pd.DataFrame:
    """Return the IoU after matching for each weight alpha, networks of one share taken together.

    Parameters
    ----------
    results : Results
        Of evaluations that tried `alphas`; their pictures may differ between networks.
    alphas : sequence of float
        The weights, as they were tried.
    split : str
        A word for the column `split`.

    Returns
    -------
    DataFrame
        Columns share, split, measure, alpha, mean, low, high (95 %, normal approximation over maps) and unet (the mean
        without matching).
    """
    import pandas as pd

    rows = []
    for share in results.shares:
        for m, measure in enumerate(MEASURES):
            swept = np.concatenate([np.nanmean(e.sweep[:, :, m], axis=2) for e in results.repeats(share)])
            unet = np.concatenate(
                [np.nanmean(e.of("U-Net", measure), axis=1) for e in results.repeats(share)]
            )
            half = 1.96 * swept.std(axis=0, ddof=1) / np.sqrt(len(swept))
            key = {"share": share, "split": split, "measure": measure, "unet": unet.mean()}
            means = swept.mean(axis=0)
            rows += [
                key | {"alpha": alpha, "mean": mean, "low": mean - h, "high": mean + h}
                for alpha, mean, h in zip(alphas, means, half, strict=True)
            ]
    return pd.DataFrame(rows)


def chosen_alpha(
    results: Results, sweep: pd.DataFrame, alphas: Sequence[float], seed: int = 0
) -> pd.DataFrame:
    """Return the weight that validation pictures choose by box IoU, and what it gives on the test pictures.

    Parameters
    ----------
    results : Results
        Of the test pictures, which tried `alphas`.
    sweep : DataFrame
        From :func:`alpha_sweep`, with the split "validation".
    alphas : sequence of float
        0.4, the paper's, among them.
    seed : int
        Of the bootstrap over test pictures.

    Returns
    -------
    DataFrame
        A row for each share: the chosen alpha (the smallest of equals), the test pictures' box IoU with it and with
        0.4, and their difference with its 95 % interval.
    """
    import pandas as pd

    rows = []
    for share in results.shares:
        part = sweep.query("share == @share and split == 'validation' and measure == 'box'")
        best = part.loc[part["mean"].idxmax(), "alpha"]
        a, b = (
            np.mean([np.nanmean(e.sweep[:, list(alphas).index(x), 1], 1) for e in results.repeats(share)], 0)
            for x in (best, 0.4)
        )
        more = paired_bootstrap(a, b, np.random.default_rng(seed))
        row = {"share": share, "alpha chosen": best, "box IoU, chosen": a.mean(), "box IoU, 0.4": b.mean()}
        rows.append(row | {"difference": more.mean, "low": more.low, "high": more.high})
    return pd.DataFrame(rows)


def signed_rank(differences: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test; 1 where nothing differs."""
    from scipy.stats import wilcoxon

    differences = differences[np.isfinite(differences)]
    return float(wilcoxon(differences).pvalue) if differences.any() else 1.0


def averages(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the averages of a Table I, a row for each share and approach; columns "pixelwise, name", "box, name"."""
    rows = table[table["class"] == AVERAGE]
    flat = rows.pivot(index=["share", "approach"], columns="measure", values="mean")[list(MEASURES)]
    order = [(share, approach) for share in sorted(set(rows.share), reverse=True) for approach in APPROACHES]
    return flat.loc[order].add_suffix(f", {name}").rename_axis(columns=None)
