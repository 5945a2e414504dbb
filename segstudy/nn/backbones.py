"""Networks that were trained elsewhere, or not at all, by name: timm's and torchvision's, one convention of input.

Every backbone takes RGB in [0, 1] and normalises it itself, as its weights were trained to expect.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from segstudy.errors import StudyError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and standard deviation of RGB in [0, 1]
# SqueezeNet's Caffe weights take BGR in 0..255 less this mean (../data/README.md: squeezenet1_1_notop_caffe.pth).
CAFFE_MEAN = (123.0, 117.0, 104.0)  # RGB
SQUEEZENET = "weights/squeezenet1_1_notop_caffe.pth"  # under the data root


class Backbone(nn.Module):
    """A network that turns pictures into what its layers see.

    Parameters
    ----------
    network : Module
        timm's or torchvision's, without its classifier.
    mean, std : three floats
        Of RGB in [0, 1], subtracted and divided by before the network.
    weights : str
        What the weights are, for reports: "random", "pretrained" or the file's name.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        weights: str,
    ) -> None:
        super().__init__()
        self.network, self.weights = network, weights
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def normalise(self, images: Tensor) -> Tensor:
        """Return (N, 3, H, W) pictures of [0, 1] as the network expects them."""
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's last feature map."""
        return self.network(self.normalise(images))


def backbone(name: str, weights: str | Path | None = None, seed: int = 0) -> Backbone:
    """Build a network by its library and name.

    Parameters
    ----------
    name : str
        "timm:NAME", for example "timm:vit_small_patch8_224.dino", or "torchvision:squeezenet1_1".
    weights : str or Path, optional
        None: drawn from the seed. "pretrained": timm's, fetched from its hub. Otherwise a file with a state
        dictionary: for timm in its format; for SqueezeNet the Caffe weights, whose first layer takes BGR.
    seed : int
        Of random weights.

    Returns
    -------
    Backbone
        In evaluation mode.

    Raises
    ------
    StudyError
        The file is not there or does not fit, or the hub cannot be reached.
    ValueError
        The name is unknown.
    """
    library, _, model = name.partition(":")
    if weights not in (None, "pretrained") and not Path(weights).is_file():
        raise StudyError(
            f"the weights {Path(weights).name} of {name} are not there; data/README.md says how to get them"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if library == "timm":
            found = _timm(model, weights)
        elif (library, model) == ("torchvision", "squeezenet1_1"):
            found = _squeezenet(weights)
        else:
            known = '"timm:NAME" or "torchvision:squeezenet1_1"'
            raise ValueError(f"name must be {known}, got {name!r}")
    return found.eval()


def _timm(model: str, weights: str | Path | None) -> Backbone:
    import timm

    if model.partition(".")[0] not in timm.list_models():
        raise ValueError(f"timm knows no model {model!r}: timm.list_models() names them")
    try:
        # 0 classes: features only; positions are interpolated where the picture's size asks for it
        options = {"dynamic_img_size": True} if model.startswith("vit") else {}
        network = timm.create_model(model, pretrained=weights == "pretrained", num_classes=0, **options)
    except (OSError, RuntimeError) as error:
        raise StudyError(
            f"the pretrained weights of {model} cannot be fetched ({type(error).__name__}): connect to the internet, "
            "or give the path of a file with them"
        ) from error
    if weights not in (None, "pretrained"):
        _load(network, weights)
    settings = network.pretrained_cfg
    return Backbone(network, settings["mean"], settings["std"], _describe(weights))


def _squeezenet(weights: str | Path | None) -> Backbone:
    from torchvision.models import squeezenet1_1

    if weights == "pretrained":
        raise ValueError('weights of squeezenet1_1 are None or a file, got "pretrained"')
    network = squeezenet1_1(weights=None).features
    if weights is None:
        return Backbone(network, *IMAGENET, _describe(weights))
    _load(network, weights, prefix="features.")
    first = network[0].weight
    with torch.no_grad():
        first.copy_(
            first.flip(1)
        )  # BGR to RGB; mean and scale stay outside, so that a padding of 0 stays what it was
    mean = tuple(value / 255 for value in CAFFE_MEAN)
    return Backbone(network, mean, (1 / 255,) * 3, _describe(weights))


def _load(network: nn.Module, weights: str | Path, prefix: str = "") -> None:
    """Load a state dictionary whose names may start with `prefix`; names of a classifier are left out."""
    path = Path(weights)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    state = {name.removeprefix(prefix): value for name, value in state.items()}
    try:
        missing = network.load_state_dict(state, strict=False).missing_keys
    except RuntimeError as error:
        raise StudyError(f"the weights in {path.name} are of another network: {error}") from error
    if missing:
        raise StudyError(f"the weights in {path.name} lack {missing[0]} and {len(missing) - 1} others")


def _describe(weights: str | Path | None) -> str:
    return (
        "random weights"
        if weights is None
        else "pretrained"
        if weights == "pretrained"
        else Path(weights).stem
    )
