"""Tables of costs: counts, growth beside its prediction, memory, programs side by side, runs at the papers' scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from segstudy.experiments.costs.growth import Exponent, exponent
from segstudy.experiments.costs.methods import SWEEPS
from segstudy.experiments.costs.rivals import RIVALS, version
from segstudy.experiments.rounds import quartiles
from segstudy.experiments.verdicts import NOT_RUN

MISSING = "not installed here"
ABOVE, WITHIN, BELOW = "above", "within", "below"
HOUR = 3600.0
MEBIBYTE = 2**20


def count_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return parameters (M) and multiply-adds (G): honest, by SCG-Net's convention, and as printed."""
    frame = pd.DataFrame(
        {
            "network": [row["network"] for row in rows],
            "of": [row["of"] for row in rows],
            "for one picture of": [row["size"] for row in rows],
            "parameters (M)": [row["parameters"] / 1e6 for row in rows],
        }
    )
    names = {
        "honest": "multiply-adds (G), honest",
        "convention": "by layers alone (G)",
        "printed": "printed (G)",
    }
    for name, title in names.items():
        frame[title] = [np.nan if row[name] is None else row[name] / 1e9 for row in rows]
    return frame


def growth_table(values: Mapping[str, Any], what: str = "seconds") -> pd.DataFrame:
    """Return the exponent of each method on each device beside the predicted one.

    Parameters
    ----------
    values : mapping
        Of :func:`~segstudy.experiments.costs.growth.time_methods`, or of
        :func:`~segstudy.experiments.costs.memory.measure_memory`.
    what : "seconds" or "bytes"

    Returns
    -------
    DataFrame
        Columns method, device, exponent, low, high, "last step", predicted, "interval", which says where the
        interval lies by the prediction, and why the prediction. Memory that does not grow measurably has nan.
    """
    rows = []
    for row in values["rows"]:
        method, found = SWEEPS[values["sweep"]][row["method"]], np.asarray(row[what], float)
        fitted = exponent(row["amounts"], found) if (found > 0).all() else Exponent(*[np.nan] * 4)
        about = {"method": row["method"], "device": row["device"], "exponent": fitted.value}
        about |= {
            "low": fitted.low,
            "high": fitted.high,
            "last step": fitted.last,
            "predicted": method.predicted,
        }
        rows.append(about | {"interval": _place(fitted, method.predicted), "because": method.why})
    return pd.DataFrame(rows)


def _place(fitted: Exponent, predicted: float) -> str:
    return BELOW if fitted.high < predicted else ABOVE if fitted.low > predicted else WITHIN


def ratio_table(values: Mapping[str, Any], reference: str) -> pd.DataFrame:
    """Return each method's time by that of one method on the CPU, at the largest size, in the same round.

    Returns
    -------
    DataFrame
        Columns method, of, device, "lower quartile", "median", "upper quartile", dearest last.
    """
    base = next(row["seconds"][:, -1] for row in values["rows"] if row["method"] == reference)
    rows = []
    for row in values["rows"]:
        spread = dict(
            zip(
                ("lower quartile", "median", "upper quartile"),
                quartiles(row["seconds"][:, -1] / base),
                strict=True,
            )
        )
        rows.append({"method": row["method"], "of": row["of"], "device": row["device"]} | spread)
    return pd.DataFrame(rows).sort_values("median", ignore_index=True)


def device_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return how many times its time on the GPU a method takes on the CPU, at each size; empty without a GPU."""
    times = {(row["method"], row["device"]): row["seconds"] for row in values["rows"]}
    rows = []
    for (name, device), seconds in times.items():
        for index, side in enumerate(values["sides"]) if device != "cpu" else ():
            low, middle, high = quartiles(times[name, "cpu"][:, index] / seconds[:, index])
            rows.append(
                {
                    "method": name,
                    "side": side,
                    "lower quartile": low,
                    "CPU over GPU": middle,
                    "upper quartile": high,
                }
            )
    return pd.DataFrame(rows)


def seconds_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return median milliseconds of each method at each size: absolute, and of the machine alone that made them."""
    rows = []
    for row in values["rows"]:
        about = {
            "method": row["method"],
            "machine": f"{values['machine'][row['device']]}, {values['threads']} thread(s)",
        }
        medians = 1e3 * np.median(row["seconds"], axis=0)
        rows.append(
            about | {f"side {side}": value for side, value in zip(values["sides"], medians, strict=True)}
        )
    return pd.DataFrame(rows)


def memory_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return the MiB that a call of each method adds at its peak, medians over processes, by size."""
    rows = []
    for row in values["rows"]:
        about = {"method": row["method"], "of": row["of"], "device": row["device"]}
        medians = np.median(row["bytes"], axis=0) / MEBIBYTE
        rows.append(
            about | {f"side {side}": value for side, value in zip(values["sides"], medians, strict=True)}
        )
    return pd.DataFrame(rows)


def rival_table(asked: Mapping[str, int], found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return our time by theirs for each comparison, in the order of `RIVALS`.

    Parameters
    ----------
    asked : mapping of str to int
        The sizes that the notebook asks for, by name.
    found : mapping
        Of :func:`~segstudy.experiments.costs.rivals.time_rival`, by name.

    Returns
    -------
    DataFrame
        Columns comparison, ours, theirs (with its version), size, "lower quartile", "ours over theirs" (median), "upper
        quartile", and "answers", how far they agree. What is not installed, or not asked for, says so and has nan.
    """
    rows = []
    for name, rival in RIVALS.items():
        about = {"comparison": name, "ours": rival.ours, "theirs": rival.theirs}
        if name in found:
            value = found[name]
            low, middle, high = quartiles(value["seconds"][:, 0] / value["seconds"][:, 1])
            answers = "; ".join(f"{what} {number:.3g}" for what, number in value["agreement"].items())
            about["theirs"] += f" {value['version']}"
        else:
            low = middle = high = np.nan
            answers = MISSING if version(name) is None else NOT_RUN
        about |= {
            "size": str(asked.get(name, "")),
            "lower quartile": low,
            "ours over theirs": middle,
            "upper quartile": high,
        }
        rows.append(about | {"answers": answers or "not compared"})
    return pd.DataFrame(rows)


def whole_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return what one run and all runs at each paper's scale take, from the steps of one device.

    Returns
    -------
    DataFrame
        Columns notebook, step, "steps of a run", runs, "multiply-adds of a run (P)", "scaled by", the quartiles of
        "hours a run", "hours, all runs" and "made of".
    """
    rows = []
    for row in values["rows"]:
        low, middle, high = (
            row["steps"] * row["scale"] * value / HOUR for value in quartiles(row["seconds"])
        )
        counted = np.nan if row["multiply-adds"] is None else row["multiply-adds"] / 1e15
        about = {
            "notebook": row["notebook"],
            "step": row["step"],
            "steps of a run": row["steps"],
            "runs": row["runs"],
        }
        about |= {"multiply-adds of a run (P)": counted, "scaled by": row["scale"], "lower quartile": low}
        about |= {"hours a run": middle, "upper quartile": high, "hours, all runs": row["runs"] * middle}
        rows.append(about | {"made of": row["what"]})
    return pd.DataFrame(rows)
