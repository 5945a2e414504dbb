"""Cells of tables that put ours beside the published values: a mean with its spread, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable


def cells(means: Iterable[float], spreads: Iterable[float], decimals: int) -> list[str]:
    """Write means with their spreads, "0.512 ± 0.031".

    Parameters
    ----------
    means, spreads : iterable of float
        Of one length. A spread that is nan, as of one repeat, is left out.
    decimals : int
    """
    return [
        cell(mean, decimals) + (f" ± {cell(spread, decimals)}" if math.isfinite(spread) else "")
        for mean, spread in zip(means, spreads, strict=True)
    ]


def cell(value: float, decimals: int) -> str:
    """Write a number, or a dash where it is not known."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "–"
