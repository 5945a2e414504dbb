"""Times of Table VI's networks side by side on the machine at hand, and of SCG-GCN at the sizes of Table VIII.

Times of another machine are no yardstick: what is compared with the paper are ratios. In every round each network runs
once, in an order drawn anew, so that whatever else the machine does meets all of them alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.experiments import published
from segstudy.experiments.rounds import interleave, machine
from segstudy.experiments.scgnet.costs import OURS, PRINTED_NODES, SIZES, build
from segstudy.nn.comparators import COMPARATORS
from segstudy.nn.trunks import ResNet50, seeded

if TYPE_CHECKING:
    import pandas as pd

FIXED = "SCG-GCN, 28 x 28 nodes"
TRUNK = "the trunk alone"  # ResNet-50 to its third stage, which DDCM-R50 and SCG-GCN have in common
DDCM_ROW = "DDCM-R50 [14]"
ROWS = (*COMPARATORS, OURS, FIXED, TRUNK)
WARM_UP = 2  # rounds that are not counted: the first ones choose algorithms and fill caches
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
SPREAD = (5, 95)  # percentiles of the rounds

Job = tuple[nn.Module, Tensor]


def time_networks(
    size: int = 256,
    repeats: int = 20,
    threads: int = 1,
    batch: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    seed: int = 0,
    rows: Sequence[str] = ROWS,
) -> dict[str, Any]:
    """Time one prediction of Table VI's eight networks, of SCG-GCN with 28 x 28 nodes, and of the trunk alone.

    Parameters
    ----------
    size : int
        Height and width of the random pictures.
    repeats : int
        Rounds that count.
    threads : int
        Of torch on the CPU.
    batch : int
        Pictures at once.
    device : str
    precision : "float32" or "bfloat16"
        The second is mixed precision (autocast).
    seed : int
        Of weights, pictures and orders.
    rows : sequence of str
        Which of `ROWS`: those that differ little can have many rounds without the slow ones.

    Returns
    -------
    dict
        "rows": the networks' names; "seconds": (repeats, rows) ndarray; "device", "threads", "batch", "size",
        "precision".
    """
    with seeded(seed):
        networks = {row: _network(row, seed) for row in rows}
        pictures = torch.rand(batch, 3, size, size).to(device)
    jobs = {row: (network.eval().to(device), pictures) for row, network in networks.items()}
    seconds = _rounds(jobs, repeats, threads, precision, seed)
    found = {"rows": list(jobs), "seconds": seconds, "size": size, "batch": batch, "precision": precision}
    return found | machine(device, threads)


def time_sizes(
    sizes: Sequence[int] = SIZES,
    repeats: int = 20,
    threads: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    seed: int = 0,
) -> dict[str, Any]:
    """Time one prediction of SCG-GCN, with a node for each pixel of the backbone's map, of single pictures.

    Parameters
    ----------
    sizes : sequence of int
        Height and width of the pictures.
    repeats, threads, device, precision, seed
        As for :func:`time_networks`.

    Returns
    -------
    dict
        "sizes"; "seconds": (repeats, sizes) ndarray; "device", "threads", "precision".
    """
    network = build(OURS, seed=seed).eval().to(device)
    with seeded(seed):
        jobs = {str(side): (network, torch.rand(1, 3, side, side).to(device)) for side in sizes}
    seconds = _rounds(jobs, repeats, threads, precision, seed)
    return {"sizes": list(sizes), "seconds": seconds, "precision": precision} | machine(device, threads)


def timing_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return the times of :func:`time_networks` as ratios beside the printed ones.

    Parameters
    ----------
    values : mapping
        What `time_networks` returned; SCG-GCN, DDCM-R50 and the trunk are among its rows.

    Returns
    -------
    DataFrame
        Columns network; milliseconds, median; "ratio": medians over rounds of the time by SCG-GCN's in the same round,
        with the 5th and the 95th percentile as "ratio, low" and "ratio, high"; "ratio, printed CPU" and "ratio, printed
        GPU" (nan where the table has no such row); "of DDCM-R50"; "share of the trunk", for networks that hold it.
    """
    import pandas as pd

    seconds, rows = np.asarray(values["seconds"]), list(values["rows"])
    times = dict(zip(rows, seconds.T, strict=True))
    found = []
    for row in rows:
        ratios = times[row] / times[OURS]
        low, high = np.percentile(ratios, SPREAD)
        line = {"network": row, "milliseconds": 1e3 * np.median(times[row])}
        line |= {"ratio": np.median(ratios), "ratio, low": low, "ratio, high": high}
        for kind in ("CPU", "GPU"):
            line[f"ratio, printed {kind}"] = _printed_ratio(row, kind)
        line["of DDCM-R50"] = np.median(times[row] / times[DDCM_ROW])
        holds_trunk = row in (DDCM_ROW, OURS, FIXED)
        line["share of the trunk"] = np.median(times[TRUNK] / times[row]) if holds_trunk else np.nan
        found.append(line)
    return pd.DataFrame(found)


def sizes_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frames per second of :func:`time_sizes` beside those of Table VIII, a 1080 Ti's.

    Parameters
    ----------
    values : mapping
        What `time_sizes` returned.

    Returns
    -------
    DataFrame
        Columns pixels, milliseconds, "frames a second", "frames a second, printed" (nan for other sizes).
    """
    import pandas as pd

    medians = np.median(values["seconds"], axis=0)
    printed = [_printed_frames(side) for side in values["sizes"]]
    columns = {"pixels": values["sizes"], "milliseconds": 1e3 * medians, "frames a second": 1 / medians}
    return pd.DataFrame(columns | {"frames a second, printed": printed})


def _network(row: str, seed: int) -> nn.Module:
    """Return the network of one of `ROWS`."""
    if row not in ROWS:
        raise ValueError(f"rows must be some of {ROWS}, got {row!r}")
    if row == TRUNK:
        return ResNet50(stages=3)
    return build(OURS, PRINTED_NODES, seed) if row == FIXED else build(row, seed=seed)


def _rounds(jobs: Mapping[str, Job], repeats: int, threads: int, precision: str, seed: int) -> np.ndarray:
    """Return the seconds of each job in each round: (repeats, jobs)."""
    if repeats < 1 or precision not in PRECISIONS:
        raise ValueError(
            f"repeats must be at least 1 and precision one of {tuple(PRECISIONS)}, got {repeats!r}, {precision!r}"
        )
    timed = {
        name: partial(_predict, network, pictures, PRECISIONS[precision])
        for name, (network, pictures) in jobs.items()
    }
    with torch.inference_mode():
        seconds = interleave(timed, repeats, threads, seed, warm_up=WARM_UP)
    return np.stack(list(seconds.values()), axis=1)


def _predict(network: nn.Module, pictures: Tensor, precision: torch.dtype) -> None:
    with torch.autocast(pictures.device.type, precision, enabled=precision != torch.float32):
        network(pictures)


def _printed_ratio(row: str, kind: str) -> float:
    """Return how many times SCG-GCN's printed time a network took."""
    column = f"Inference time {kind} (ms)"
    if row not in (*COMPARATORS, OURS):
        return np.nan
    return published.lookup("scgnet_table6", row, column) / published.lookup("scgnet_table6", OURS, column)


def _printed_frames(side: int) -> float:
    return published.lookup("scgnet_table8", f"{side} × {side} × 3", "FPS") if side in SIZES else np.nan
