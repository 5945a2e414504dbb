"""What notebook 07 computes once and keeps. Times that are compared are one experiment: they are of one run."""

from __future__ import annotations

from typing import Any

from segstudy.cache import Experiment
from segstudy.experiments.costs.counting import count
from segstudy.experiments.costs.growth import time_methods
from segstudy.experiments.costs.memory import measure_memory
from segstudy.experiments.costs.methods import SWEEPS
from segstudy.experiments.costs.rivals import RIVALS, time_rival, version
from segstudy.experiments.costs.whole import time_steps

COUNTS = "counts"


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return all that the notebook counts and measures.

    Parameters
    ----------
    parameters : dict
        The notebook's: `counted` (networks, None: all), `pictures`, `graphs` (sides), `share`, `rounds`, `repeats` (of
        memory; 0: not measured), `rivals` (sizes by name), `steps` (None: all), `step_side`, `step_rounds`,
        `threads`, `seed`, `device` (beside the CPU).
    """
    return list(named(parameters).values())


def named(parameters: dict[str, Any]) -> dict[str, Experiment]:
    """Return the experiments by what they are, such as "time, pictures", "rival, dense CRF" or "steps, cpu"."""
    found = {COUNTS: Experiment(count, {"names": parameters["counted"]})}
    run = {name: parameters[name] for name in ("rounds", "threads", "seed")}
    for sweep in SWEEPS:
        asked = {
            "sweep": sweep,
            "sides": parameters[sweep],
            "share": parameters["share"],
            "devices": devices(parameters["device"]),
        }
        found[f"time, {sweep}"] = Experiment(time_methods, asked | run)
        if parameters["repeats"]:
            found[f"memory, {sweep}"] = Experiment(measure_memory, asked | {"repeats": parameters["repeats"]})
    for name, size in parameters["rivals"].items():
        if name not in RIVALS:
            raise ValueError(f"rivals must be some of {tuple(RIVALS)}, got {name!r}")
        installed = version(name)
        if installed is not None:
            found[f"rival, {name}"] = Experiment(
                time_rival, run | {"name": name, "size": size, "version": installed}
            )
    steps = {
        "side": parameters["step_side"],
        "names": parameters["steps"],
        "threads": parameters["threads"],
        "seed": parameters["seed"],
    }
    for device in devices(parameters["device"]):
        found[f"steps, {device}"] = Experiment(
            time_steps, steps | {"rounds": parameters["step_rounds"], "device": device}
        )
    return found


def devices(device: str) -> list[str]:
    """Return what is measured: the CPU, and another device beside it where one is named."""
    return list(dict.fromkeys(["cpu", device]))
