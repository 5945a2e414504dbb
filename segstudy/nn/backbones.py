"""Networks that were trained elsewhere, or not at all, by name: timm's and torchvision's, one convention of input.

Every backbone takes RGB in [0, 1] and normalises it itself, as its weights were trained to expect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from segstudy.errors import StudyError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation of RGB in [0, 1]
# SqueezeNet's Caffe weights take BGR in 0..255 less this mean (../data/README.md: squeezenet1_1_notop_caffe.pth).
CAFFE_MEAN = (123.0, 117.0, 104.0)  # RGB
SQUEEZENET = "weights/squeezenet1_1_notop_caffe.pth"  # under the data root


Built = tuple[nn.Module, Sequence[float], Sequence[float]]  # a network, and the mean and deviation it expects


class Backbone(nn.Module):
    """A network that turns pictures into what its layers see.

    Parameters
    ----------
    network : Module
        timm's or torchvision's, without its classifier.
    mean, std : sequence of float
        Of each band in [0, 1], subtracted and divided by before the network.
    weights : str
        What the weights are, for reports: "random weights", "pretrained" or the file's name.
    """

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float], weights: str) -> None:
        super().__init__()
        self.network, self.weights = network, weights
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    @property
    def in_channels(self) -> int:
        """Bands of a picture."""
        return self.mean.shape[1]

    def normalise(self, images: Tensor) -> Tensor:
        """Return (N, C, H, W) pictures of [0, 1] as the network expects them."""
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's last feature map."""
        return self.network(self.normalise(images))


def backbone(
    name: str,
    weights: str | Path | None = None,
    seed: int = 0,
    *,
    in_channels: int = 3,
    stride: int | None = None,
) -> Backbone:
    """Build a network by its library and name.

    Parameters
    ----------
    name : str
        "timm:NAME" or "torchvision:NAME", for example "timm:vit_small_patch8_224.dino", "torchvision:resnet50".
    weights : str or Path, optional
        None: drawn from the seed. "pretrained": the library's, fetched from its hub. Otherwise a file with a state
        dictionary in the library's format. For torchvision's squeezenet1_1 a file without the classifier is taken for
        the Caffe weights of ``weights/squeezenet1_1_notop_caffe.pth``, whose first layer takes BGR.
    seed : int
        Of random weights.
    in_channels : int
        Bands of a picture, 3 or more. A band beyond RGB starts from the mean of the first layer's weights for RGB, and
        is normalised as their mean is.
    stride : int, optional
        Keep the layers down to this many pixels a step of the feature map and drop the deeper ones; None: keep all.
        For convolutional networks.

    Returns
    -------
    Backbone
        In evaluation mode.

    Raises
    ------
    StudyError
        The file is not there or does not fit, or the hub cannot be reached.
    ValueError
        The name is unknown, the network has no layer of that stride, or there are fewer than 3 bands.
    """
    library, _, model = name.partition(":")
    if weights not in (None, "pretrained") and not Path(weights).is_file():
        raise StudyError(
            f"the weights {Path(weights).name} of {name} are not there; data/README.md says how to get them"
        )
    if in_channels < 3:
        raise ValueError(f"in_channels must be at least 3 (red, green, blue), got {in_channels!r}")
    if library not in ("timm", "torchvision"):
        raise ValueError(f'name must be "timm:NAME" or "torchvision:NAME", got {name!r}')
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build = _timm if library == "timm" else _torchvision
        network, mean, std = build(model, weights, stride)
    if in_channels > 3:
        _widen(network, in_channels)
        mean, std = (
            (*values, *[sum(values) / 3] * (in_channels - 3)) for values in (tuple(mean), tuple(std))
        )
    return Backbone(network, mean, std, _describe(weights)).eval()


def _timm(model: str, weights: str | Path | None, stride: int | None) -> Built:
    import timm

    if model.partition(".")[0] not in timm.list_models():
        raise ValueError(f"timm knows no model {model!r}: timm.list_models() names them")
    # positions are interpolated where the picture's size asks for it
    options = {"dynamic_img_size": True} if model.startswith("vit") else {}
    with _from_the_hub(model):
        # 0 classes: features only
        network = timm.create_model(model, pretrained=weights == "pretrained", num_classes=0, **options)
    if weights not in (None, "pretrained"):
        _load(network, weights)
    settings = network.pretrained_cfg
    if stride is not None:
        strides = [stage["reduction"] for stage in network.feature_info]
        network = _Shortened(network, _last(strides, stride, model))
    return network, settings["mean"], settings["std"]


def _torchvision(model: str, weights: str | Path | None, stride: int | None) -> Built:
    from torchvision import models

    if model not in models.list_models(module=models):
        raise ValueError(f"torchvision knows no model {model!r}: torchvision.models.list_models() names them")
    if model.startswith(("vit", "swin", "maxvit")):
        raise ValueError(f"torchvision's {model} is a transformer, which makes no such map: use timm's")
    with _from_the_hub(model):
        whole = models.get_model(model, weights="DEFAULT" if weights == "pretrained" else None)
    mean, std = IMAGENET
    if weights not in (None, "pretrained"):
        missing = _load(whole, weights, optional=("classifier.", "fc."))
        if model == "squeezenet1_1" and missing:
            mean, std = tuple(value / 255 for value in CAFFE_MEAN), (1 / 255,) * 3
            with torch.no_grad():  # mean and scale stay outside, so that a padding of 0 stays what it was
                whole.features[0].weight.copy_(whole.features[0].weight.flip(1))  # BGR to RGB
    layers = (
        whole.features
        if hasattr(whole, "features")
        else nn.Sequential(*(layer for key, layer in whole.named_children() if key not in ("avgpool", "fc")))
    )
    if stride is not None:
        layers = layers[: _last(_strides(layers), stride, model) + 1]
    return layers, mean, std


@contextmanager
def _from_the_hub(model: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise StudyError(
            f"the pretrained weights of {model} cannot be fetched ({type(error).__name__}): connect to the internet, "
            "or give the path of a file with them"
        ) from error


class _Shortened(nn.Module):
    """A timm network down to one of its stages; the deeper ones are dropped."""

    def __init__(self, network: nn.Module, stage: int) -> None:
        super().__init__()
        self.network, self.stage = network, stage
        network.prune_intermediate_layers([stage], prune_norm=True, prune_head=True)

    def forward(self, images: Tensor) -> Tensor:
        options = {"indices": [self.stage], "intermediates_only": True, "stop_early": True}
        return self.network.forward_intermediates(images, **options)[0]


@torch.no_grad()
def _strides(layers: nn.Sequential) -> list[int]:
    """Return how many pixels a step of each layer's map is."""
    side, strides = 256, []
    values = torch.zeros(1, 3, side, side)
    layers.eval()
    for layer in layers:
        values = layer(values)
        strides.append(
            2 ** round(math.log2(side / values.shape[-1]))
        )  # without padding a map is a pixel short
    return strides


def _last(strides: Sequence[int], stride: int, model: str) -> int:
    """Return the index of the last layer whose map has the stride."""
    if stride not in strides:
        raise ValueError(f"stride must be one of {sorted(set(strides))} for {model}, got {stride!r}")
    return len(strides) - 1 - list(reversed(strides)).index(stride)


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


def _load(network: nn.Module, weights: str | Path, optional: tuple[str, ...] = ()) -> list[str]:
    """Load a state dictionary and return what it lacks, which has to begin with one of the `optional` names."""
    path = Path(weights)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    try:
        missing = network.load_state_dict(state, strict=False).missing_keys
    except RuntimeError as error:
        raise StudyError(f"the weights in {path.name} are of another network: {error}") from error
    needed = [name for name in missing if not name.startswith(optional)]
    if needed:
        raise StudyError(f"the weights in {path.name} lack {needed[0]} and {len(needed) - 1} others")
    return missing


def _describe(weights: str | Path | None) -> str:
    return (
        "random weights"
        if weights is None
        else "pretrained"
        if weights == "pretrained"
        else Path(weights).stem
    )
