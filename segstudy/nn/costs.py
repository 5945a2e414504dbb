"""What a network costs: its parameters, the operations a paper counts, and the multiply-adds it really makes.

Papers print "FLOPs" without saying what they count. The figures of SCG-Net's Table VI are met to the printed digit by
one convention: that of a counter which hangs itself on the layers a network is made of, and is blind to what happens
between them. `published_flops` is that convention, `honest_flops` sees every product of matrices.

Both run the network once on torch's meta device, where sizes are computed and numbers are not: the largest network
takes a second. A network whose path depends on the values it sees, or that keeps tensors which are neither parameters
nor buffers, cannot be counted like this.
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
POOLINGS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
SIMPLE = (nn.ReLU, nn.PReLU, nn.Upsample)
COUNTED = (*CONVOLUTIONS, nn.Linear, _BatchNorm, *POOLINGS, *SIMPLE)


def parameters(model: nn.Module) -> int:
    """Return the number of a network's parameters; one that several layers share counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


def published_flops(model: nn.Module, size: tuple[int, int, int]) -> int:
    """Return the cost of one picture as SCG-Net's tables count it.

    A layer costs, each time it is used,

    - a convolution: its multiply-adds, and with a bias one addition for each element of the output;
    - `Linear`: its multiply-adds, for all rows of the input (its bias: nothing);
    - batch normalisation: 2 for each element;
    - `ReLU` and `PReLU`: 1 for each element;
    - max pooling: 1 for each element of its *input*;
    - `Upsample`: 1 for each element of its output;
    - any other layer: nothing, above all transposed convolutions and adaptive average pooling.

    What is no layer costs nothing either: matrix products (so all of a graph network's), `functional.interpolate`,
    `functional.relu`, additions. The number therefore depends on how a network is written down: `nn.ReLU` costs and
    `functional.relu`, which computes the same, does not. The paper calls a multiply-add one FLOP.

    Parameters
    ----------
    model : Module
        Takes (N, C, H, W) pictures. Counted as it predicts, in evaluation mode; left as it was.
    size : (C, H, W)
        Of the picture, such as (3, 256, 256).

    Returns
    -------
    int
        10^9 of it is what the tables call G.

    Raises
    ------
    ValueError
        `size` is not three positive integers.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += _layer_flops(layer, inputs[0], output)

    # A layer that is used in several places is one of the modules, and its hook is called at every use.
    layers = [module for module in model.modules() if isinstance(module, COUNTED)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    try:
        _run_without_numbers(model, size)
    finally:
        for handle in handles:
            handle.remove()
    return total


def _layer_flops(layer: nn.Module, given: Tensor, output: Tensor) -> int:
    """Return the cost of one use of a layer, one of `COUNTED`, in the convention of `published_flops`."""
    if isinstance(layer, CONVOLUTIONS):
        inputs_of_a_unit = layer.in_channels // layer.groups * math.prod(layer.kernel_size)
        return output.numel() * (inputs_of_a_unit + (layer.bias is not None))
    if isinstance(layer, nn.Linear):
        return given.numel() * layer.out_features
    if isinstance(layer, _BatchNorm):
        return 2 * given.numel()
    if isinstance(layer, POOLINGS):
        return given.numel()
    return output.numel()  # SIMPLE


def honest_flops(model: nn.Module, size: tuple[int, int, int]) -> int:
    """Return the multiply-adds of one picture's convolutions and matrix products, wherever they happen.

    Convolutions, transposed ones included, linear layers and every other matrix product, whether a layer or a function
    computes them: torch's `FlopCounterMode`, which counts two operations a multiply-add, halved. Additions of biases,
    normalisation, activations, pooling and interpolation, a few operations an element each, are left out.

    Parameters
    ----------
    model : Module
        Takes (N, C, H, W) pictures. Counted as it predicts, in evaluation mode; left as it was.
    size : (C, H, W)
        Of the picture, such as (3, 256, 256).

    Returns
    -------
    int

    Raises
    ------
    ValueError
        `size` is not three positive integers.
    """
    with FlopCounterMode(display=False) as counter:
        _run_without_numbers(model, size)
    return counter.get_total_flops() // 2


def _run_without_numbers(model: nn.Module, size: tuple[int, int, int]) -> None:
    """Let a network predict one picture on the meta device; its weights and its modes stay as they are."""
    if len(size) != 3 or any(not isinstance(length, int) or length < 1 for length in size):
        raise ValueError(f"size must be channels, height and width, such as (3, 256, 256), got {size!r}")
    # One name for each place that holds a tensor: a layer used twice has two names and one place, which swapped under
    # both would not come back; a tensor that two layers share has two places, and both are swapped.
    kinds = [nn.Module.named_parameters, nn.Module.named_buffers]
    state = {
        name: value.to("meta")
        for (path, module), named in product(model.named_modules(), kinds)
        for name, value in named(module, path, recurse=False, remove_duplicate=False)
    }
    dtype = next((parameter.dtype for parameter in model.parameters()), torch.get_default_dtype())
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            picture = torch.empty(1, *size, dtype=dtype, device="meta")
            functional_call(model, state, picture, tie_weights=False)
    finally:
        for module, mode in modes.items():
            module.training = mode
