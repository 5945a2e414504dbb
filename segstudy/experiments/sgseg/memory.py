"""What a step of training keeps in memory, by counting: sizes on torch's meta device, which holds no numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from segstudy.experiments.sgseg.meta import Checkpointed, Finite, Live, build, in_precision
from segstudy.papers.sgseg.network import SGSeg, sgseg_loss
from segstudy.training import PRECISIONS

ADAM = 8  # bytes of a parameter's two moments
LIMIT = 24 * 10**9  # bytes, of the paper's machine (section 4)
ORDERS = (0, 5)  # two reading orders; all keep the same


def measure_step(
    network: dict[str, Any],
    side: int = 128,
    batch: int = 64,
    bands: int = 3,
    classes: int = 15,
    precision: str = "32-true",
    checkpointed: bool = False,
) -> dict[str, Any]:
    """Count the bytes of a step of training: all losses, forward and backward, with Adam.

    Parameters
    ----------
    network : dict
        Options of :class:`~segstudy.papers.sgseg.network.SGSeg` that differ from the paper's.
    side, batch : int
        Of the pictures: height and width, and how many at once.
    bands, classes : int
    precision : "32-true" or "bf16-mixed"
        The second by CUDA's rules.
    checkpointed : bool
        Whether SPNN and each pass of the segmentation network keep their inputs alone and run again in the backward
        pass, and so, when they do, do their layers and blocks. Gradients stay as they are; batch normalisation's
        running means move more than once a step.

    Returns
    -------
    dict
        "superpixels", "side", "batch", "precision", "checkpointed"; in bytes "kept": what autograd saves until the
        backward pass, each storage once, without parameters; "weights": parameters, their gradients and Adam's moments;
        "peak": the most that is alive at once, weights among it. What a GPU's convolutions take to work in, and what
        its allocator loses between blocks, is not among it. "assignments": how many of what is kept have as many
        numbers as P, (pixels x superpixels), told by their size: N must not be the width of a layer.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, got {precision!r}")
    model, mixed = build(network, bands, classes), precision == PRECISIONS[1]
    count, parameters = model.spnn.count, list(model.parameters())
    if checkpointed:
        _checkpoint(model, mixed)
    images = torch.empty(batch, bands, side, side, device="meta")
    with Live() as live:
        for value in (images, *parameters):
            live.add(value)
        kept, loss = keep(model, images, mixed)
        loss.backward()
    own = {value.untyped_storage()._cdata for value in parameters}
    sizes = [value for key, value in kept.items() if key not in own]
    weights = sum(value.nbytes for value in parameters)
    moments = ADAM * sum(value.numel() for value in parameters)
    found = {"superpixels": count, "side": side, "batch": batch, "precision": precision}
    found |= {"checkpointed": checkpointed, "kept": sum(size * item for size, item in sizes)}
    found |= {"weights": 2 * weights + moments, "peak": live.peak + moments}
    least, most = batch * count * side * (side - 1), batch * (count + bands) * side**2
    return found | {"assignments": sum(least <= size <= most for size, _ in sizes)}


def measure_memory(
    network: dict[str, Any],
    numbers: Sequence[int] = (25, 50, 100, 200, 400),
    sides: Sequence[int] = (64, 96, 128, 192, 256),
    batch: int = 64,
    bands: int = 3,
    classes: int = 15,
) -> dict[str, Any]:
    """Count the bytes of a step against the number of superpixels and against the pictures' side.

    Parameters
    ----------
    network, batch, bands, classes
        As for :func:`measure_step`; `network` may name `superpixels`, which all sides have.
    numbers : sequence of int
        N, at 128 pixels a side.
    sides : sequence of int

    Returns
    -------
    dict
        "numbers" and "sides", each a list of what :func:`measure_step` returns, in both precisions, with checkpoints
        and without.
    """
    ways = list(product(PRECISIONS, (False, True)))

    def measure(options: dict[str, Any], side: int) -> Iterator[dict[str, Any]]:
        for precision, checkpointed in ways:
            yield measure_step(options, side, batch, bands, classes, precision, checkpointed)

    by_number = [row for count in numbers for row in measure(network | {"superpixels": count}, 128)]
    return {"numbers": by_number, "sides": [row for side in sides for row in measure(network, side)]}


def plan_batch(
    network: dict[str, Any],
    side: int = 128,
    batch: int = 64,
    bands: int = 3,
    classes: int = 15,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """Find how many pictures at once a machine trains on, in each precision, with checkpoints and without.

    Gradients of several smaller steps can be summed, but these are not the step of the whole batch: batch normalisation
    and the joint distribution of the classes (Eq. 19) then see fewer pictures.

    Parameters
    ----------
    network, side, batch, bands, classes
        As for :func:`measure_step`; the batch is halved until it fits.
    limit : int
        Bytes.

    Returns
    -------
    dict
        "rows": a list of what :func:`measure_step` returns, with "fits" and "steps", how often so many pictures make
        the whole batch; each way's last row fits, or has a single picture. "limit".
    """
    rows = []
    for precision, checkpointed in product(PRECISIONS, (False, True)):
        pictures, fits = batch, False
        while not fits and pictures:
            found = measure_step(network, side, pictures, bands, classes, precision, checkpointed)
            fits = found["peak"] <= limit
            rows.append(found | {"fits": fits, "steps": -(-batch // pictures)})
            pictures //= 2
    return {"rows": rows, "limit": limit}


def assignment_holders(
    network: dict[str, Any], side: int = 32, bands: int = 3, classes: int = 15, precision: str = "32-true"
) -> dict[str, int]:
    """Return which operations keep a tensor as large as P for the backward pass, and how many such tensors each keeps.

    A tensor that several operations keep is counted for each of them: the sum is no less than "assignments" of
    :func:`measure_step`, whose parameters these are.
    """
    model = build(network, bands, classes)
    images = torch.empty(2, bands, side, side, device="meta")
    with Finite():
        kept, loss = keep(model, images, precision == PRECISIONS[1])
    count = model.spnn.count
    least, most = 2 * count * side * (side - 1), 2 * (count + bands) * side**2
    found: Counter[str] = Counter()
    for node in _nodes(loss.grad_fn):
        saved = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
        # What a checkpoint computes again when it is asked for is not kept.
        keys = {value.untyped_storage()._cdata for value in saved if isinstance(value, Tensor)} & kept.keys()
        found[node.name()] += sum(least <= kept[key][0] <= most for key in keys)
    return dict(+found)


def keep(model: SGSeg, images: Tensor, mixed: bool) -> tuple[dict[int, tuple[int, int]], Tensor]:
    """Return what autograd saves of a forward pass, numbers and bytes of a number by storage, and the loss."""
    sizes: dict[int, tuple[int, int]] = {}
    held = []  # a storage that is freed gives its address to another

    def note(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        held.append(storage)
        sizes[storage._cdata] = (_numbers(saved), saved.element_size())
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved), in_precision(mixed):
        loss = sum(sgseg_loss(model, images, ORDERS).values())
    held.clear()  # autograd keeps `note` as long as what it noted
    return sizes, loss


def _numbers(value: Tensor) -> int:
    """Return how many numbers the whole storage of a tensor holds."""
    return value.untyped_storage().nbytes() // value.element_size()


def _checkpoint(model: SGSeg, mixed: bool) -> None:
    """Put checkpoints around SPNN, the segmentation network, and within them what has parameters and is called once."""
    spnn, cnn = model.spnn, model.cnn
    for holder in (spnn.layers, cnn.blocks):
        for index, part in enumerate(holder):
            holder[index] = Checkpointed(part, mixed)
    spnn.penultimate, cnn.first = (Checkpointed(part, mixed) for part in (spnn.penultimate, cnn.first))
    model.spnn, model.cnn = Checkpointed(spnn, mixed), Checkpointed(cnn, mixed)


def _nodes(node: Any) -> set[Any]:
    """Return a node of autograd's graph and all that it leads to."""
    found, left = set(), [node]
    while left:
        node = left.pop()
        if node is not None and node not in found:
            found.add(node)
            left += [following for following, _ in node.next_functions]
    return found
