"""SGSeg on torch's meta device, where sizes are computed and numbers are not: costs and memory are counted there."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from segstudy.papers.sgseg.network import SGSeg

# What CUDA's mixed precision computes in bfloat16, and what in float32, of the functions that SGSeg calls.
LOWERED = (torch.conv2d, F.linear, Tensor.matmul, Tensor.__matmul__)
FULL = (Tensor.softmax, Tensor.log_softmax, Tensor.exp, Tensor.norm, Tensor.sum)


def build(network: dict[str, Any], bands: int, classes: int) -> SGSeg:
    """Return SGSeg without numbers, on the meta device."""
    with torch.device("meta"):
        return SGSeg(classes, bands, **network).to("meta")  # masks are made of numbers, on the CPU


class Finite(TorchDispatchMode):
    """Answers yes to the one thing that a step asks of numbers, which are not there: whether features are finite."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, or answer."""
        if func is torch.ops.aten._local_scalar_dense.default:
            return True
        return func(*args, **(kwargs or {}))


class Mixed(TorchFunctionMode):
    """Mixed precision in bfloat16 by CUDA's rules, for the functions that SGSeg calls.

    Torch has none for the meta device, and the CPU's keeps P itself in bfloat16.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch with its tensors in the type that is right for it."""
        if func in LOWERED:
            args = tuple(value.bfloat16() if isinstance(value, Tensor) else value for value in args)
        elif func in FULL:
            args = (args[0].float(), *args[1:])
        return func(*args, **(kwargs or {}))


class Live(Finite):
    """Follows how many bytes are alive: `now`, and at most in `peak`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.seen: set[int] = set()

    def add(self, value: Tensor) -> None:
        """Count a tensor's storage until it is freed; one that is counted is left out."""
        storage = value.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self.seen:
            self.seen.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count what it returns."""
        found = super().__torch_dispatch__(func, types, args, kwargs)
        for value in tree_leaves(found):
            if isinstance(value, Tensor):
                self.add(value)
        return found


class Checkpointed(nn.Module):
    """A module that keeps its input alone and runs again in the backward pass.

    Parameters
    ----------
    module : Module
    mixed : bool
        Whether to run again in mixed precision.
    """

    def __init__(self, module: nn.Module, mixed: bool) -> None:
        super().__init__()
        self.module, self.mixed = module, mixed

    def forward(self, *inputs: Any) -> Any:
        """Return what the module returns."""
        return checkpoint(
            self.module,
            *inputs,
            use_reentrant=False,
            preserve_rng_state=False,  # nothing here draws
            context_fn=lambda: (nullcontext(), in_precision(self.mixed)),
        )


def in_precision(mixed: bool) -> Any:
    """Return the context of a forward pass."""
    return Mixed() if mixed else nullcontext()
