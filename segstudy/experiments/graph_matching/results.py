"""From the evaluations of all networks to Table I, its gains and its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from segstudy.experiments.graph_matching.evaluation import APPROACHES, MEASURES, Evaluation
from segstudy.metrics.paired import half_width, known_mean, paired_difference, signed_rank

if TYPE_CHECKING:
    import pandas as pd

AVERAGE = "average"


class Results:
    """The evaluations of several networks on the same N test pictures.

    Means leave nan out: a class that a picture has in neither map. Where every picture has every class, as in FASSEG,
    the order of the means over pictures, classes and repeats makes no difference.

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
        """Return the IoU of every picture and class, mean of repeats: (N, C + 1); column 0 is the mean of classes."""
        scores = known_mean(np.stack([e.of(approach, measure, truth) for e in self.repeats(share)]), axis=0)
        return np.column_stack([known_mean(scores, axis=1), scores])

    def per_repeat(self, share: int, approach: str, measure: str, truth: str = "cleaned") -> np.ndarray:
        """Return the IoU of every repeat and class, mean of pictures: (R, C + 1); column 0 is the mean of classes."""
        scores = np.stack([known_mean(e.of(approach, measure, truth), axis=0) for e in self.repeats(share)])
        return np.column_stack([known_mean(scores, axis=1), scores])

    def table_one(self, truth: str = "cleaned") -> pd.DataFrame:
        """Return Table I as measured here.

        Returns
        -------
        DataFrame
            Columns share, approach, measure, class, mean and std (over repeats), n (repeats). Every test picture
            counts; a class that a network misses scores 0.
        """
        import pandas as pd

        names, rows = (AVERAGE, *self.classes), []
        for share, approach, measure in product(self.shares, APPROACHES, MEASURES):
            scores = self.per_repeat(share, approach, measure, truth)
            key = {"share": share, "approach": approach, "measure": measure, "n": len(scores)}
            # one repeat has no spread
            spread = scores.std(axis=0, ddof=1) if len(scores) > 1 else np.full(len(names), np.nan)
            part = {"class": names, "mean": known_mean(scores, axis=0), "std": spread}
            rows.append(pd.DataFrame(part).assign(**key))
        columns = ["share", "approach", "measure", "class", "mean", "std", "n"]
        return pd.concat(rows, ignore_index=True)[columns]

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
        for share, measure in product(self.shares, MEASURES):
            a, b = (self.per_picture(share, x, measure, truth) for x in (after, before))
            for i, name in enumerate((AVERAGE, *self.classes)):
                found = paired_difference(a[:, i], b[:, i], seed)
                row = {"share": share, "measure": measure, "class": name, "difference": found.mean}
                rows.append(row | {"low": found.low, "high": found.high, "p": signed_rank(a[:, i] - b[:, i])})
        return pd.DataFrame(rows)

    def missing_classes(self) -> pd.DataFrame:
        """Return how many maps lack a class, and Table I's averages by the paper's rule, which leaves those out.

        Returns
        -------
        DataFrame
            A row for each share and approach: maps, lacking (fraction), and for each measure the mean over all maps and
            over the complete ones (nan where none is).
        """
        import pandas as pd

        rows = []
        for share in self.shares:
            lacking = np.concatenate([e.missing.any(axis=1) for e in self.repeats(share)])
            for approach in APPROACHES:
                row = {"share": share, "approach": approach, "maps": len(lacking), "lacking": lacking.mean()}
                for measure in MEASURES:
                    scores = _by_map(self.repeats(share), approach, measure)
                    row[f"{measure}, all"] = known_mean(scores, axis=0)
                    row[f"{measure}, complete"] = known_mean(scores[~lacking], axis=0)
                rows.append(row)
        return pd.DataFrame(rows)

    def matching_work(self) -> pd.DataFrame:
        """Return what the matching had to do on every test map, a row for each.

        Returns
        -------
        DataFrame
            Columns share, seed, picture, regions, combinations, nodes, excess, optimal, and the seconds of either
            stage: graph, correct.
        """
        import pandas as pd

        names, frames = ("regions", "combinations", "nodes", "excess", "optimal"), []
        for (share, seed), e in self.evaluations.items():
            columns = {name: getattr(e, name) for name in names}
            key = {"share": share, "seed": seed, "picture": np.arange(len(e.regions))}
            times = {"graph": e.seconds[:, 0], "correct": e.seconds[:, 1]}
            frames.append(pd.DataFrame(key | columns | times))
        return pd.concat(frames, ignore_index=True)


def _by_map(evaluations: Sequence[Evaluation], approach: str, measure: str) -> np.ndarray:
    """Mean IoU of the classes of every map, those of one network after those of another."""
    return np.concatenate([known_mean(e.of(approach, measure), axis=1) for e in evaluations])


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
        Columns share, split, measure, alpha, mean, low, high and unet (the mean without matching). The interval is the
        normal approximation at 95 %, kept in [0, 1] and nan for one map; it takes maps as independent, so it is too
        narrow where networks share pictures.
    """
    import pandas as pd

    rows = []
    for share in results.shares:
        for m, measure in enumerate(MEASURES):
            repeats = results.repeats(share)
            swept = np.concatenate([known_mean(e.sweep[:, :, m], axis=2) for e in repeats])
            unet = known_mean(_by_map(repeats, "U-Net", measure), axis=0)
            key = {"share": share, "split": split, "measure": measure, "unet": unet}
            means, half = known_mean(swept, axis=0), _half_interval(swept)
            low, high = np.clip(means - half, 0, 1), np.clip(means + half, 0, 1)
            rows += [
                key | {"alpha": a, "mean": mean, "low": bottom, "high": top}
                for a, mean, bottom, top in zip(alphas, means, low, high, strict=True)
            ]
    return pd.DataFrame(rows)


def _half_interval(scores: np.ndarray) -> np.ndarray:
    """Half the 95 % interval of the mean over rows, nan left out; nan where fewer than two rows are known."""
    n = (~np.isnan(scores)).sum(axis=0)
    deviation = np.full(scores.shape[1], np.nan)
    deviation[n > 1] = np.nanstd(scores[:, n > 1], axis=0, ddof=1)
    return half_width(deviation, n)


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
        best = part.loc[part.sort_values("alpha")["mean"].idxmax(), "alpha"]
        columns = [list(alphas).index(x) for x in (best, 0.4)]
        swept = np.stack([known_mean(e.sweep[:, columns, 1], axis=2) for e in results.repeats(share)])
        a, b = known_mean(swept, axis=0).T
        more = paired_difference(a, b, seed)
        row = {"share": share, "alpha chosen": best, "box IoU, chosen": a.mean(), "box IoU, 0.4": b.mean()}
        rows.append(row | {"difference": more.mean, "low": more.low, "high": more.high})
    return pd.DataFrame(rows)


def averages(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the averages of a Table I, a row for each share and approach; columns "pixelwise, name", "box, name"."""
    rows = table[table["class"] == AVERAGE]
    flat = rows.pivot(index=["share", "approach"], columns="measure", values="mean")[list(MEASURES)]
    order = [(share, approach) for share in sorted(set(rows.share), reverse=True) for approach in APPROACHES]
    return flat.loc[order].add_suffix(f", {name}").rename_axis(columns=None)
