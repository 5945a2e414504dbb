"""What networks that label pixels have in common: classifiers' trunks, first weights, and how pictures are taken.

A trunk is a classifier without its classifying layers. The two here are those of

- Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015 (VGG);
- He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016 (ResNet50, torchvision's).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

VGG_WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages, in all of that paper's networks


class ResNet50(nn.Module):
    """The trunk of torchvision's ResNet50: its stem, and the first of its four stages of residual blocks.

    Names and shapes of its weights are torchvision's, so that a state dictionary of torchvision's fits once the weights
    of what is not here are taken out. The weights are drawn from the global random state: build it under `seeded`.

    Parameters
    ----------
    in_channels : int
    stages : int
        How many of the four stages there are: stage s makes 128 * 2^s channels.
    dilated : bool
        Whether stages 3 and 4 dilate their convolutions by 2 and 4 where the classifier has a stride of 2 each: the
        last map is then an eighth as large as the picture, not a thirty-second. As in torchvision, the first
        block of such a stage keeps the dilation of the stage before.
    """

    def __init__(self, in_channels: int = 3, *, stages: int = 4, dilated: bool = False) -> None:
        super().__init__()
        from torchvision.models import resnet50

        network = resnet50(weights=None, replace_stride_with_dilation=(False, dilated, dilated))
        self.conv1, self.bn1, self.relu = network.conv1, network.bn1, network.relu
        self.maxpool = network.maxpool
        if in_channels != 3:
            self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out")  # as torchvision draws its own
        self.stages = stages
        for stage in range(1, stages + 1):
            setattr(self, f"layer{stage}", getattr(network, f"layer{stage}"))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the stem's map, of 64 channels and half the picture's size, and that of every stage."""
        maps = [self.relu(self.bn1(self.conv1(images)))]
        features = self.maxpool(maps[0])
        for stage in range(1, self.stages + 1):
            features = getattr(self, f"layer{stage}")(features)
            maps.append(features)
        return maps


def vgg(
    counts: tuple[int, ...], in_channels: int = 3, *, normalise: bool = False, ceil_mode: bool = False
) -> nn.ModuleList:
    """Return the five stages of a VGG network: 3 x 3 convolutions with ReLU, then 2 x 2 max pooling.

    Parameters
    ----------
    counts : five ints
        Convolutions of each stage: (2, 2, 3, 3, 3) is VGG16, (2, 2, 4, 4, 4) is VGG19.
    in_channels : int
    normalise : bool
        Whether batch normalisation follows each convolution.
    ceil_mode : bool
        Whether a pooling keeps the last row of an odd number (Caffe) or drops it (PyTorch).
    """
    stages = nn.ModuleList()
    inputs = in_channels
    for count, width in zip(counts, VGG_WIDTHS, strict=True):
        layers: list[nn.Module] = []
        for _ in range(count):
            convolution, normalisation, activation = normalised(inputs, width)
            layers += [convolution, normalisation, activation] if normalise else [convolution, activation]
            inputs = width
        stages.append(nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=ceil_mode)))
    return stages


def normalised(
    inputs: int, outputs: int, kernel: int = 3, *, padded: bool = True, bias: bool = True
) -> list[nn.Module]:
    """Return a convolution, batch normalisation and ReLU, one after the other.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Odd: pixels of its side.
    padded : bool
        Whether zeros around the map keep its size.
    bias : bool
        Of the convolution. The normalisation takes it away again, yet the parameters count it.
    """
    padding = kernel // 2 if padded else 0
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=bias)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def normalised_twice(inputs: int, outputs: int, *, padded: bool = True, bias: bool = True) -> nn.Sequential:
    """Return two of :func:`normalised`, 3 x 3: a level of a U-Net."""
    options = {"padded": padded, "bias": bias}
    return nn.Sequential(*normalised(inputs, outputs, **options), *normalised(outputs, outputs, **options))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the layers built inside draw their first weights from a seed; the global random state is put back."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def initialise(module: nn.Module) -> None:
    """Draw a convolution's weights so that its outputs vary as much as its inputs; for `Module.apply`.

    He et al., Delving Deep into Rectifiers, ICCV 2015, Equation 10: normal, variance 2 / (inputs of a unit), no bias.
    Through a transposed convolution of stride s, a pixel is reached by the fraction 1 / s^2 of the kernel.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        taps = module.kernel_size[0] * module.kernel_size[1]
        if isinstance(module, nn.ConvTranspose2d):
            taps /= module.stride[0] * module.stride[1]
        nn.init.normal_(module.weight, std=(2 / (module.in_channels * taps)) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def check_counts(**counts: int) -> None:
    """Refuse a number of channels or classes that is smaller than 1, by its name."""
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")


def check_images(images: Tensor, channels: int, least: int) -> tuple[int, int]:
    """Refuse what the layers would refuse in words of their own; return height and width.

    Parameters
    ----------
    images : Tensor
    channels : int
        That the network takes.
    least : int
        The smallest height and width that the network takes.

    Raises
    ------
    TypeError
        `images` is not floating point.
    ValueError
        `images` is not (N, `channels`, H, W) with N at least 1, or H or W is below `least`.
    """
    if not images.is_floating_point():
        raise TypeError(f"images must be floating point, got {images.dtype}: scale them, e.g. images / 255")
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] != channels or shape[0] < 1:
        raise ValueError(f"images must be (N, {channels}, H, W) with N at least 1, got shape {shape}")
    if min(shape[2:]) < least:
        raise ValueError(f"images must be at least {least} x {least} pixels, got shape {shape}: enlarge them")
    return shape[2], shape[3]


def pad_to_multiple(images: Tensor, stride: int) -> Tensor:
    """Continue pictures by reflection, at the bottom and at the right, until `stride` divides height and width."""
    padding = (0, -images.shape[-1] % stride, 0, -images.shape[-2] % stride)
    return functional.pad(images, padding, mode="reflect") if any(padding) else images


def enlarge(maps: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Interpolate maps bilinearly to another height and width."""
    return functional.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
