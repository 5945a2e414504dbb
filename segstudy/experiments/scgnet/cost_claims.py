"""The claims about cost as verdicts: SC5, SC6, SC7, SC9, SC10, SC12, SC21, SC38."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments import published
from segstudy.experiments.scgnet.costs import FLOPS, HONEST, OURS, PARAMETERS
from segstudy.experiments.scgnet.scaling import DENSE, DUAL, NON_LOCAL, scaling_table
from segstudy.experiments.scgnet.timing import DDCM_ROW, sizes_table, timing_table
from segstudy.experiments.verdicts import (
    FAILS,
    HOLDS,
    NOT_RUN,
    NOT_TESTABLE,
    WEAKLY,
    Verdict,
    all_held,
    grade,
    points,
    worst,
)

PSPNET_ROW, SEGNET_ROW = "PSPNet [10]", "SegNet [9]"
REAL_TIME, REAL_TIME_SIDE = 25.0, 448  # frames a second, pixels
STATED_GPU = "1080 Ti"
PAPERS_NODES = 28**2


def flops_claim(table: pd.DataFrame) -> Verdict:
    """SC5: about 10 and 13 times fewer FLOPs than PSPNet and SegNet; 9 and 12 at least.

    Holds where both ratios reach that by the paper's count and by the honest one, weakly where they do by one of them.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_6`.
    """
    kept, shown = [], []
    for count in (FLOPS, HONEST):
        ratios = _ratios(table, count, (PSPNET_ROW, SEGNET_ROW))
        kept.append(ratios[0] >= 9 and ratios[1] >= 12)
        shown.append(f"{count}: PSPNet {ratios[0]:.1f}x, SegNet {ratios[1]:.1f}x")
    return Verdict("SC5", all_held(kept), "; ".join(shown))


def parameters_claim(table: pd.DataFrame) -> Verdict:
    """SC6: 5 and 4.6 times fewer parameters than PSPNet and SegNet; 4.5 at least.

    Holds where both ratios reach that, weakly where one does.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_6`.
    """
    ratios = _ratios(table, PARAMETERS, (PSPNET_ROW, SEGNET_ROW))
    shown = f"PSPNet {ratios[0]:.2f}x, SegNet {ratios[1]:.2f}x"
    return Verdict("SC6", all_held([ratio >= 4.5 for ratio in ratios]), shown)


def speed_claim(values: Mapping[str, Any]) -> Verdict:
    """SC7: 21 and 42 times faster on the CPU than PSPNet and SegNet; 20 and 40 at least.

    Weakly where the ratios of Table VI's own times are reached, 17.9 and 35.8, which the text contradicts.

    Parameters
    ----------
    values : mapping
        Of :func:`~segstudy.experiments.scgnet.timing.time_networks`. Times of a GPU do not answer the claim.
    """
    table = timing_table(values).set_index("network").loc[[PSPNET_ROW, SEGNET_ROW]]
    ratios, printed = table["ratio"].to_numpy(), table["ratio, printed CPU"].to_numpy()
    spread = zip(("PSPNet", "SegNet"), table["ratio"], table["ratio, low"], table["ratio, high"], strict=True)
    shown = ", ".join(f"{name} {ratio:.1f}x [{low:.1f}, {high:.1f}]" for name, ratio, low, high in spread)
    shown += f" on {_machine(values)}; printed times: {printed[0]:.1f}x, {printed[1]:.1f}x"
    if values["device"] != "cpu":
        return Verdict("SC7", NOT_RUN, f"not timed on a CPU; {shown}")
    verdict = HOLDS if (ratios >= (20, 40)).all() else WEAKLY if (ratios >= printed).all() else FAILS
    return Verdict("SC7", verdict, shown)


def ddcm_claim(
    table: pd.DataFrame, values: Mapping[str, Any], miou: Sequence[float] = (math.nan,) * 3
) -> Verdict:
    """SC9: 12 % fewer parameters than DDCM-R50, 40 % faster on the GPU, a better mIoU.

    Each part is graded and the weakest counts. Faster by less than 40 % holds weakly. A part without its measurement
    (no GPU, no mIoU) is "not run", and with it the claim, unless another fails.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_6`.
    values : mapping
        Of :func:`~segstudy.experiments.scgnet.timing.time_networks`.
    miou : (mean, low, high)
        SCG-GCN's mIoU less DDCM's, with its interval.
    """
    fewer = 1 / _ratios(table, PARAMETERS, (DDCM_ROW,))[0]
    times = timing_table(values).set_index("network").loc[OURS, "of DDCM-R50"]
    slow = HOLDS if times <= 0.60 else WEAKLY if times < 1 else FAILS
    parts = [HOLDS if fewer <= 0.88 else FAILS, slow if values["device"] != "cpu" else NOT_RUN]
    shown = f"{100 * (1 - fewer):.1f} % fewer parameters; {times:.2f} of its time on {_machine(values)}"
    shown += f"; mIoU {points(*miou)}"
    return Verdict("SC9", worst([*parts, grade(*miou[:2])]), shown)


def lowest_cost_claim(table: pd.DataFrame) -> Verdict:
    """SC10: fewer parameters and a lower cost than all others of Table VI.

    Holds where SCG-GCN has the least of parameters and of both counts of FLOPs, weakly where it has of some.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_6`.
    """
    costs, kept, shown = table.set_index("network"), [], []
    for name in (PARAMETERS, FLOPS, HONEST):
        others = costs[name].drop(OURS)
        kept.append(bool(costs.loc[OURS, name] < others.min()))
        shown.append(f"{name}: {costs.loc[OURS, name]:.2f}, the next {others.idxmin()} {others.min():.2f}")
    return Verdict("SC10", all_held(kept), "; ".join(shown))


def real_time_claim(values: Mapping[str, Any]) -> Verdict:
    """SC12: real time, 25 frames a second of 448 x 448 pixels on a 1080 Ti.

    Holds where that GPU reaches it, or a CPU, weakly where another GPU does; a GPU that does not refutes it. A CPU that
    is slower says nothing of a GPU: not testable, and its rate is told.

    Parameters
    ----------
    values : mapping
        Of :func:`~segstudy.experiments.scgnet.timing.time_sizes`.
    """
    rates = sizes_table(values).set_index("pixels")["frames a second"]
    if REAL_TIME_SIDE not in rates.index:
        return Verdict("SC12", NOT_RUN, f"{REAL_TIME_SIDE} x {REAL_TIME_SIDE} pixels were not timed")
    rate, device = rates[REAL_TIME_SIDE], values["device"]
    if rate >= REAL_TIME:
        verdict = HOLDS if device == "cpu" or STATED_GPU in device else WEAKLY
    else:
        verdict = NOT_TESTABLE if device == "cpu" else FAILS
    printed = published.lookup("scgnet_table8", "448 × 448 × 3", "FPS")
    shown = f"{rate:.1f} frames a second on {_machine(values)}; {printed:.0f} printed for a {STATED_GPU}"
    return Verdict("SC12", verdict, shown)


def same_parameters_claim(table: pd.DataFrame) -> Verdict:
    """SC21: the number of nodes does not change the number of parameters.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~segstudy.experiments.scgnet.costs.table_8`.
    """
    counts = sorted({round(1e6 * millions) for millions in table[PARAMETERS]})
    shown = f"{', '.join(f'{count:,}' for count in counts)} parameters with {', '.join(map(str, table.nodes))} nodes"
    return Verdict("SC21", HOLDS if len(counts) == 1 else FAILS, shown)


def memory_claim(values: Mapping[str, Any]) -> Verdict:
    """SC38: attention takes more memory than the self-constructed graph at equal input.

    Compared are what training keeps and its peak, of the non-local block and of DANet's two modules, with SCG and two
    GCN layers on all n^2 weights. Holds where both blocks take more of both at every size, weakly where they do at the
    paper's 28 x 28 nodes.

    Parameters
    ----------
    values : mapping
        Of :func:`~segstudy.experiments.scgnet.scaling.measure_scaling`.
    """
    table = scaling_table(values)
    measures, more, shown = ["kept", "peak"], {}, []
    for nodes, part in table.groupby("nodes"):
        block = part.set_index("block")[measures]
        ours, others = block.loc[DENSE], block.loc[[NON_LOCAL, DUAL]]
        more[nodes] = bool((others > ours).all(axis=None))
        if nodes in (PAPERS_NODES, table.nodes.max()):
            times = others / ours
            rows = [
                f"{name} {ours[name]:.0f} MiB, {times.loc[NON_LOCAL, name]:.2f}x, {times.loc[DUAL, name]:.2f}x"
                for name in measures
            ]
            shown.append(f"{nodes} nodes: {'; '.join(rows)}")
    verdict = HOLDS if all(more.values()) else WEAKLY if more.get(PAPERS_NODES) else FAILS
    less = [str(nodes) for nodes, kept in more.items() if not kept]
    shown.append(f"not more at {', '.join(less)} nodes" if less else "more at every size")
    return Verdict("SC38", verdict, "SCG, and the non-local block and DANet's by it, " + "; ".join(shown))


def _ratios(table: pd.DataFrame, column: str, rows: Sequence[str]) -> np.ndarray:
    """Return how many times SCG-GCN's value other rows have."""
    values = table.set_index("network")[column]
    return (values.loc[list(rows)] / values[OURS]).to_numpy()


def _machine(values: Mapping[str, Any]) -> str:
    """Name what measured: a GPU, or the CPU's threads."""
    if values["device"] != "cpu":
        return f"a GPU ({values['device']})"
    return f"the CPU ({values['threads']} thread{'s' if values['threads'] != 1 else ''})"
