"""The parts by name: each yields its results."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import torch

from gpucheck import measures
from gpucheck.compare import TOLERANCES, Case, compare, exact_float32
from gpucheck.notebooks import run_notebook
from gpucheck.results import GIB, TOO_FAR, NoGPU, Result, guarded, lacking, result
from segstudy.experiments.costs import gpu

ROOMS = ("nn", "graph_matching", "sgseg", "gnn_clustering", "dgcn", "scgnet")


def machine(device: str) -> dict[str, Any]:
    """Return what results belong to: no name or path of the machine itself."""
    cuda = device == "cuda"
    if cuda and not torch.cuda.is_available():
        raise NoGPU
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    versions |= {"CUDA": torch.version.cuda, "cuDNN": str(torch.backends.cudnn.version())} if cuda else {}
    memory = torch.cuda.get_device_properties(0).total_memory / GIB if cuda else 0.0
    return {
        "device": torch.cuda.get_device_name() if cuda else "CPU",
        "memory (GiB)": memory,
        "versions": versions,
    }


def comparisons(rooms: tuple[str, ...], kind: str, device: str, _: str) -> Iterator[Result]:
    """Compare the networks or the losses of rooms."""
    exact_float32()
    for room in rooms:
        try:
            cases = getattr(import_module(f"gpucheck.rooms.{room}"), kind)
        except ImportError as error:
            yield result(room, gpu.SKIPPED, f"lacks {lacking(error)}")
            continue
        for name, make in cases.items():
            yield from guarded(f"{room}: {name}", partial(_compared, f"{room}: {name}", make, device))


def _compared(name: str, make: Callable[[], Case], device: str) -> Iterator[Result]:
    case = make()
    precisions = [precision for precision in TOLERANCES if precision == "float32" or not case.exact]
    for precision, errors in compare(case, device, precisions).items():
        tolerated = TOLERANCES[precision]
        numbers = zip(gpu.ERRORS, (errors[0], tolerated[0], errors[1], tolerated[1]), strict=True)
        fits = all(error <= limit for error, limit in zip(errors, tolerated, strict=True))  # nan does not
        state, note = (gpu.OK, "") if fits else (gpu.FAILED, TOO_FAR)
        yield result(name, state, note, precision=precision, **dict(numbers))
    if case.exact:
        yield result(name, gpu.SKIPPED, case.exact, precision="bfloat16")


PARTS: dict[str, Callable[[str, str], Iterator[Result]]] = {
    "networks": partial(comparisons, ROOMS, "NETWORKS"),
    "losses": partial(comparisons, ROOMS, "LOSSES"),
    "published networks": partial(comparisons, ("published",), "NETWORKS"),
    "times": measures.times,
    "clustering": measures.clustering,
    "dense CRF": measures.dense_crfs,
    "memory": measures.memory,
    "notebooks": run_notebook,
}
