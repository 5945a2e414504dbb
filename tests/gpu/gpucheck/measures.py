"""Times and memory. On the CPU sizes are small: they try the check and measure nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from gpucheck.compare import TOLERANCES, exact_float32
from gpucheck.results import GIB, TOO_FAR, Result, guarded, result
from segstudy.experiments.costs import gpu

CRF_TOLERANCE = 1e-3  # relative: ten steps of mean field in float32, in another order of sums
STEP = "a step of training"


class Sizes(NamedTuple):
    """How much is measured on a device.

    Attributes
    ----------
    side, sides : int, tuple of int
        Pixels of the pictures of Table VI, and of Table VIII.
    pictures, single : int
        Of a clustering: at once, and one after the other.
    patches, channels, iterations : int
        Of a clustering; the last at most, 0 for the work's own.
    crf : tuple of (str, int)
        Methods of the dense CRF, and pixels a side.
    rounds, few : int
        Of what is timed, and of what takes long.
    """

    side: int
    sides: tuple[int, ...]
    pictures: int
    single: int
    patches: int
    channels: int
    iterations: int
    crf: tuple[tuple[str, int], ...]
    rounds: int
    few: int


SIZES = {
    "cuda": Sizes(
        side=256,
        sides=(256, 448, 512, 768),
        pictures=64,
        single=4,
        patches=784,
        channels=384,
        iterations=0,
        crf=(("exact", 48), ("sparse", 64), ("lattice", 321)),
        rounds=50,
        few=5,
    ),
    "cpu": Sizes(
        side=64,
        sides=(32, 64),
        pictures=4,
        single=2,
        patches=36,
        channels=8,
        iterations=2,
        crf=(("exact", 12), ("sparse", 16), ("lattice", 24)),
        rounds=2,
        few=1,
    ),
}
TENSOR_FLOAT = 8  # the compute capability from which on GPUs have TensorFloat-32


def times(device: str, _: str) -> Iterator[Result]:
    """Time the networks of Table VI, SCG-Net's variants, and SCG-GCN at the sizes of Table VIII."""
    from segstudy.experiments.scgnet.costs import OURS
    from segstudy.experiments.scgnet.timing import PRECISIONS, ROWS, TRUNK, time_networks, time_sizes

    sizes = SIZES[device]
    rows = (OURS, *(row for row in ROWS if row != OURS)) if device == "cuda" else (OURS, TRUNK)
    for precision in PRECISIONS:
        run = {"repeats": sizes.rounds, "device": device, "precision": precision}
        found = time_networks(sizes.side, rows=rows, **run)
        sides = [sizes.side] * len(rows)
        yield from _timed(gpu.TABLE_6, found["rows"], sides, found["seconds"], device, precision)
        names, seconds = _variants(device, precision)
        yield from _timed(gpu.VARIANTS, names, [sizes.side] * len(names), seconds, device, precision)
        found = time_sizes(sizes.sides, **run)
        names = [f"{side} × {side} × 3" for side in found["sizes"]]
        yield from _timed(gpu.TABLE_8, names, found["sizes"], found["seconds"], device, precision)


def _variants(device: str, precision: str) -> tuple[list[str], np.ndarray]:
    """Return SCG-Net's variants and the seconds of each in each round."""
    from segstudy.experiments.costs.inputs import batch
    from segstudy.experiments.rounds import interleave
    from segstudy.papers.scgnet import VARIANTS, SCGNet

    def predict(network: torch.nn.Module) -> None:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            network(images)

    images = batch(SIZES[device].side, device)
    networks = {name: SCGNet(6, **options).eval().to(device) for name, options in VARIANTS.items()}
    seconds = interleave(
        {name: partial(predict, network) for name, network in networks.items()}, SIZES[device].rounds
    )
    return list(seconds), np.stack(list(seconds.values()), axis=1)


def _timed(
    group: str, names: list[str], sides: list[int], seconds: np.ndarray, device: str, precision: str
) -> Iterator[Result]:
    """Yield a result for each network of a group, whose first is what the others are compared with."""
    if precision == "float32" and device == "cuda" and torch.cuda.get_device_capability()[0] >= TENSOR_FLOAT:
        precision = "float32, convolutions in TF32"  # torch's default, and so the study's
    for name, side, own in zip(names, sides, seconds.T, strict=True):
        numbers = _quartiles(1e3 * own) | _quartiles(own / seconds[:, 0], "ratio, ", "ratio")
        numbers |= {"pixels a side": side, "rounds": len(own)}
        yield result(name, group=group, precision=precision, **numbers)


def _quartiles(values: np.ndarray, prefix: str = "", median: str = "median") -> dict[str, float]:
    low, middle, high = np.percentile(values, (25, 50, 75)).tolist()
    return {f"{prefix}lower quartile": low, median: middle, f"{prefix}upper quartile": high}


def clustering(device: str, _: str) -> Iterator[Result]:
    """Measure how many pictures a second are clustered, in batches and singly."""
    from segstudy.papers.gnn_clustering import PRESETS

    for name in PRESETS:
        yield from guarded(name, partial(_clustered, name, device))


def _clustered(name: str, device: str) -> Iterator[Result]:
    from segstudy.experiments.costs.inputs import features
    from segstudy.experiments.rounds import interleave
    from segstudy.papers.gnn_clustering import PRESETS, cluster_images

    sizes, settings = SIZES[device], PRESETS[name]
    if sizes.iterations:
        settings = replace(settings, iterations=sizes.iterations)
    given = features(sizes.pictures * sizes.patches, sizes.channels).unflatten(
        0, (sizes.pictures, sizes.patches)
    )
    counts = {1: sizes.single, sizes.pictures: sizes.pictures}
    jobs = {
        batch: partial(cluster_images, given[:count], settings, batch=batch, device=device)
        for batch, count in counts.items()
    }
    seconds = interleave(jobs, sizes.few)
    rates = {batch: counts[batch] / seconds[batch] for batch in jobs}
    about = {"patches": sizes.patches, "iterations": settings.iterations, "rounds": sizes.few}
    for batch, rate in rates.items():
        numbers = about | {"at once": batch, "pictures": counts[batch]} | _quartiles(rate)
        yield result(name, **numbers, **{"gain over single": float(np.median(rate / rates[1]))})


def dense_crfs(device: str, _: str) -> Iterator[Result]:
    """Compare the dense CRF with the CPU's, in result and time."""
    exact_float32()
    for method, side in SIZES[device].crf:
        yield from guarded(method, partial(_crf, method, side, device))


def _crf(method: str, side: int, device: str) -> Iterator[Result]:
    from segstudy.experiments.costs.inputs import picture, soft_map
    from segstudy.experiments.rounds import interleave
    from segstudy.postprocess import dense_crf

    given = torch.from_numpy(soft_map(side)), torch.from_numpy(picture(side))
    jobs = {
        "CPU": partial(dense_crf, *given, method=method),
        "device": partial(dense_crf, *(value.to(device) for value in given), method=method),
    }
    expected, found = (job().cpu() for job in jobs.values())
    error = float((found - expected).norm() / expected.norm())
    seconds = interleave(jobs, SIZES[device].few)
    numbers = {
        "pixels a side": side,
        "relative error": error,
        "tolerated": CRF_TOLERANCE,
        "rounds": SIZES[device].few,
    }
    numbers["labels alike"] = float((found.argmax(dim=2) == expected.argmax(dim=2)).double().mean())
    numbers |= _quartiles(seconds["CPU"] / seconds["device"])
    state, note = (gpu.OK, "") if error <= CRF_TOLERANCE else (gpu.FAILED, TOO_FAR)
    yield result(method, state, note, **numbers)


def memory(device: str, _: str) -> Iterator[Result]:
    """Measure the peak memory of SGSeg's training step with the paper's batch."""
    for precision in TOLERANCES:
        yield from guarded(STEP, partial(_step, precision, device), precision=precision)


def _step(precision: str, device: str) -> Iterator[Result]:
    from segstudy.experiments.sgseg.memory import measure_step
    from segstudy.papers.sgseg import SGSeg, sgseg_loss

    if device != "cuda":
        yield result(STEP, gpu.SKIPPED, "lacks a GPU, whose allocator knows it", precision=precision)
        return
    mixed = precision == "bfloat16"
    counted = measure_step({}, precision="bf16-mixed" if mixed else "32-true")
    about = {"pictures": 64, "pixels a side": 128, "superpixels": 200, "counted (GiB)": counted["peak"] / GIB}
    try:
        network, images = SGSeg(15).train().to(device), torch.randn(64, 3, 128, 128, device=device)
        optimiser = torch.optim.Adam(network.parameters())
        for _ in range(2):  # the first makes Adam's moments
            torch.cuda.reset_peak_memory_stats()
            optimiser.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=mixed):
                loss = sum(sgseg_loss(network, images, (0, 5)).values())
            loss.backward()
            optimiser.step()
    except torch.OutOfMemoryError:
        yield result(
            STEP, gpu.SKIPPED, "the batch does not fit into the device", precision=precision, **about
        )
    else:
        measured = torch.cuda.max_memory_allocated() / GIB
        yield result(STEP, precision=precision, **about, **{"measured (GiB)": measured})
