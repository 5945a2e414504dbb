"""Tables VI and VIII: what the networks cost, counted here and as printed, never in one column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from segstudy.experiments import published
from segstudy.experiments.verdicts import NOT_RUN
from segstudy.nn.comparators import COMPARATORS
from segstudy.nn.costs import honest_flops, parameters, published_flops
from segstudy.papers.scgnet.network import SCGNet

if TYPE_CHECKING:
    import pandas as pd

NUM_CLASSES = 6  # of ISPRS
OURS = "SCG-GCN"
# The printed 4.47 G at 256 x 256 pixels are those of 28 x 28 nodes, to which the map of 16 x 16 is enlarged; its own
# 16 x 16 nodes cost the 4.37 G of Table VIII.
PRINTED_NODES = (28, 28)
SIZES = (256, 448, 512, 768)  # pixels, Table VIII

PARAMETERS, FLOPS, HONEST = "parameters (M)", "GFLOPs, the paper's count", "GFLOPs, honest count"
PRINTED_PARAMETERS, PRINTED_FLOPS = f"{PARAMETERS}, printed", f"{FLOPS}, printed"


def build(row: str, nodes: tuple[int, int] | None = None, seed: int = 0) -> nn.Module:
    """Return the network of a row of Table VI for the six classes of ISPRS.

    Parameters
    ----------
    row : str
        A key of `COMPARATORS`, or "SCG-GCN".
    nodes : (int, int), optional
        Rows and columns of nodes of SCG-GCN; None: those of the backbone's map.
    seed : int
        Of the weights.
    """
    return (
        SCGNet(NUM_CLASSES, nodes=nodes, seed=seed)
        if row == OURS
        else COMPARATORS[row](NUM_CLASSES, seed=seed)
    )


def table_6() -> pd.DataFrame:
    """Return parameters and FLOPs of Table VI's eight networks for 3 x 256 x 256 pixels, in its order.

    Returns
    -------
    DataFrame
        Columns network; parameters (M); GFLOPs by :func:`~segstudy.nn.costs.published_flops`; both as printed; GFLOPs
        by :func:`~segstudy.nn.costs.honest_flops`, a multiply-add being one in all three; "same printed digits":
        whether ours, rounded as printed, are the printed ones; mIoU, which takes ISPRS and is "not run", and the
        printed mIoU. SCG-GCN has `PRINTED_NODES`.
    """
    import pandas as pd

    size, rows = (3, 256, 256), []
    for row in [*COMPARATORS, OURS]:
        with torch.device("meta"):  # sizes are all that a count needs
            network = build(row, PRINTED_NODES)
        ours = {PARAMETERS: parameters(network) / 1e6, FLOPS: published_flops(network, size) / 1e9}
        cells = ("Parameters (Million)", "FLOPs (Giga)")
        printed = {name: _printed("scgnet_table6", row, cell) for name, cell in zip(ours, cells, strict=True)}
        values: dict[str, object] = {"network": row}
        for name, value in ours.items():
            values |= {name: value, f"{name}, printed": float(printed[name])}
        values[HONEST] = honest_flops(network, size) / 1e9
        values["same printed digits"] = all(same_digits(ours[name], printed[name]) for name in ours)
        miou = float(_printed("scgnet_table6", row, "mIoU*"))
        rows.append(values | {"mIoU": NOT_RUN, "mIoU, printed": miou})
    return pd.DataFrame(rows)


def table_8() -> pd.DataFrame:
    """Return nodes, parameters and FLOPs of SCG-GCN for the four sizes of Table VIII, in rising order.

    Returns
    -------
    DataFrame
        Columns as those of :func:`table_6`, "pixels" (side of the picture) and "nodes" in place of the network, and
        "note": what is to be said where the digits differ.
    """
    import pandas as pd

    rows = []
    for side in SIZES:
        nodes = side // 16
        with torch.device("meta"):
            network, fixed = build(OURS), build(OURS, (nodes, nodes))
        flops = published_flops(network, (3, side, side)) / 1e9
        printed = _printed("scgnet_table8", f"{side} × {side} × 3", "GFLOPs")
        same = same_digits(flops, printed)
        values = {"pixels": side, "nodes": nodes**2, PARAMETERS: parameters(fixed) / 1e6, FLOPS: flops}
        values |= {PRINTED_FLOPS: float(printed), HONEST: honest_flops(network, (3, side, side)) / 1e9}
        note = "" if same else f"{flops:.3f} where {printed} is printed"
        rows.append(values | {"same printed digits": same, "note": note})
    return pd.DataFrame(rows)


def same_digits(ours: float, printed: str) -> bool:
    """Tell whether a number, rounded to as many decimals as are printed, is the printed one."""
    return f"{ours:.{len(printed.partition('.')[2])}f}" == printed


def _printed(table: str, row: str, column: str) -> str:
    """Return a printed cell with all its digits: "44.40", not 44.4."""
    frame = published.table(table).set_index(["row", "column"])
    return str(frame.loc[(row, column), "value"])
