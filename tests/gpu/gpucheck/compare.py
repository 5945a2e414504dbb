"""A network or a loss computed on a device, against the CPU in float64: outputs, and the gradient of a sum of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map


@dataclass(frozen=True)
class Case:
    """What is compared.

    Parameters
    ----------
    inputs : tuple
        Of tensors, nested or not, on the CPU. Floating point ones have a gradient.
    network : Module, optional
        In the mode in which it is compared, without what draws: dropout, noise.
    call : callable, optional
        Takes the network, where there is one, and the inputs; by default the network itself.
    exact : str
        Why it is compared in float32 alone; empty: it is compared in bfloat16 too.
    """

    inputs: tuple[Any, ...]
    network: nn.Module | None = None
    call: Callable[..., Any] | None = None
    exact: str = ""


class Tolerance(NamedTuple):
    """The largest relative errors of outputs and gradient that are rounding."""

    output: float
    gradient: float


class Errors(NamedTuple):
    """Relative errors of all outputs, and of the gradient for all inputs and parameters, each as one vector."""

    output: float
    gradient: float


# On a CPU the largest errors of all cases are 3e-6 and 5e-3 in float32, 0.04 and 0.3 in bfloat16. Most gradients have
# 1e-6; a wide network on a small picture has 5e-3, where rounding takes a unit over the edge of its ReLU. A GPU sums in
# other orders. TensorFloat-32 would have outputs 1e-3 away; what is wrong is 1 away, or near it.
TOLERANCES = {"float32": Tolerance(1e-4, 2e-2), "bfloat16": Tolerance(0.1, 0.5)}


def exact_float32() -> None:
    """Switch TensorFloat-32 off, whose ten bits are not float32's."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def compare(case: Case, device: str, precisions: Sequence[str] = tuple(TOLERANCES)) -> dict[str, Errors]:
    """Compute a case on a device and on the CPU in float64.

    Parameters
    ----------
    case : Case
    device : str
    precisions : sequence of "float32" and "bfloat16"
        The second is mixed precision (autocast); a loss then gets its inputs in bfloat16, and so does the CPU.

    Returns
    -------
    dict of str to Errors
        By precision; nan where a result is not finite.
    """
    errors, expected = {}, {}
    for precision in precisions:
        mixed = precision == "bfloat16"
        given = torch.bfloat16 if mixed and case.network is None else torch.float32
        inputs = _moved(case.inputs, "cpu", given)
        if given not in expected:
            expected[given] = _computed(case, inputs, "cpu", torch.float64)
        found = _computed(case, inputs, device, given, mixed)
        errors[precision] = Errors(*(_apart(*pair) for pair in zip(found, expected[given], strict=True)))
    return errors


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return standard normal numbers, the same on every machine."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(count: int, side: int) -> Tensor:
    """Return (count, 3, side, side) pictures of noise in [0, 1]: on smooth ones rounding picks the largest pixel."""
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def labels(count: int, side: int, classes: int, seed: int = 0) -> Tensor:
    """Return (count, side, side) int64 labels, the first row void (255)."""
    drawn = torch.randint(classes, (count, side, side), generator=torch.Generator().manual_seed(seed))
    drawn[:, 0] = 255
    return drawn


def _moved(values: Any, device: str, dtype: torch.dtype) -> Any:
    """Return copies of tensors, nested in anything; floating point ones become leaves of `dtype`."""

    def move(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if not value.is_floating_point():
            return value.to(device)
        return value.detach().to(device, dtype, copy=True).requires_grad_()

    return tree_map(move, values)


def _floats(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor) and value.is_floating_point()]


def _computed(
    case: Case, inputs: tuple[Any, ...], device: str, dtype: torch.dtype, mixed: bool = False
) -> tuple[Tensor, Tensor]:
    """Return all outputs and the gradient, each as one vector, on the CPU in float64."""
    inputs, own = _moved(inputs, device, dtype), []
    leaves = _floats(inputs)
    if case.network is not None:
        own = [copy.deepcopy(case.network).to(device, dtype)]
        leaves += [value for value in own[0].parameters() if value.requires_grad]
    with torch.autocast(device, torch.bfloat16, enabled=mixed):
        outputs = _floats((case.call or _apply)(*own, *inputs))
    # Weighted, for a sum of probabilities is 1 whatever they are.
    weights = [random(*value.shape, seed=index).to(device) for index, value in enumerate(outputs)]
    total = sum((value.double() * weight).sum() for value, weight in zip(outputs, weights, strict=True))
    gradient = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    return _vector(outputs), _vector(gradient)


def _apply(network: nn.Module, *inputs: Any) -> Any:
    return network(*inputs)


def _vector(values: Sequence[Tensor]) -> Tensor:
    return torch.cat([value.detach().flatten().cpu().double() for value in values])


def _apart(found: Tensor, expected: Tensor) -> float:
    """Return the relative error."""
    return float((found - expected).norm() / expected.norm().clamp_min(torch.finfo(torch.float64).tiny))
