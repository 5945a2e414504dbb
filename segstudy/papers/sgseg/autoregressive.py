r"""The segmentation network: convolutions that see the picture in one of eight reading orders (Tables 9, 10).

After AC (Ouali, Hudelot, Tami 2020): a convolution may see only pixels that a reading order has passed already. From
one corner row by row, its 3 x 3 kernel is shifted up by a row and lacks the place right of the current pixel; four
corners, by rows or by columns, make eight orders. The weights are the same for all, a mask and a shift decide what they
meet, and the network must label a picture alike in any of them. For inference nothing is masked or shifted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.trunks import check_counts, seeded
from segstudy.papers.sgseg.spnn import check_widths, initialise

ORDERS = 8
# Table 10 prints 64 to 128 twice and Table 9 has every block double: four blocks as the text counts, and widths as a
# ResNet has them, change one cell of it.
WIDTHS = (64, 128, 256, 512)


def order_mask(order: int) -> np.ndarray:
    """Return what of a 3 x 3 kernel an order lets through, (3, 3) of 0 and 1, before it is shifted.

    Parameters
    ----------
    order : int
        0 to 7: quarter turns of the order that reads rows from the top left, and from 4 on of its mirror image.
    """
    mask = np.ones((3, 3))
    mask[2, 2] = 0  # in the row of the current pixel what comes after it
    if order >= ORDERS // 2:
        mask = mask[:, ::-1]
    return np.rot90(mask, order % 4).copy()


def order_padding(order: int) -> tuple[int, int, int, int]:
    """Return how much an order pads left, right, above and below: two where it has read, none where it has not."""
    sides = [
        (1, 1, 2, 0),
        (2, 0, 1, 1),
        (1, 1, 0, 2),
        (0, 2, 1, 1),
    ]  # read from above, from the left, and so on
    return sides[order % 4]


class OrderedConv(nn.Conv2d):
    """A 3 x 3 convolution in any of eight reading orders, with one kernel for all.

    Parameters
    ----------
    in_channels, out_channels : int
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)
        masks = torch.from_numpy(np.stack([order_mask(order) for order in range(ORDERS)]))
        self.register_buffer("masks", masks.float(), persistent=False)

    def forward(self, values: Tensor, order: int | None = None) -> Tensor:
        """Return the convolution of (B, c, H, W) values, in an order or, with None, unmasked."""
        if order is None:
            return super().forward(values)
        if not 0 <= order < ORDERS:
            raise ValueError(f"order must be 0 to {ORDERS - 1}, or None, got {order!r}")
        kernel = self.weight * self.masks[order].to(self.weight.dtype)
        return F.conv2d(F.pad(values, order_padding(order)), kernel, self.bias)


class ResidualBlock(nn.Module):
    """The block of Table 9: an ordered convolution, and two pairs of 1 x 1 convolutions, each added to its input.

    Parameters
    ----------
    inputs, outputs : int
        Channels; the input is widened by zeros before it is added.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        if outputs < inputs:
            raise ValueError(f"outputs must be {inputs} or more, as many as inputs, got {outputs}")
        self.ordered, self.norm = OrderedConv(inputs, outputs), nn.BatchNorm2d(outputs)
        self.mixed = _point(outputs)
        self.pairs = nn.ModuleList(
            nn.Sequential(_point(outputs), nn.Conv2d(outputs, outputs, 1)) for _ in range(2)
        )

    def forward(self, values: Tensor, order: int | None = None) -> Tensor:
        """Return (B, outputs, H, W) of (B, inputs, H, W) values."""
        found = self.mixed(self.norm(self.ordered(values, order)).relu())
        found = found + F.pad(values, (0, 0, 0, 0, 0, found.shape[1] - values.shape[1]))
        for pair in self.pairs:
            found = found + pair(found)
        return found


def _point(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU())


class AutoregressiveCNN(nn.Module):
    """The segmentation network of Table 10: 3,388,241 parameters with 67 channels, 15 classes and RGB.

    Parameters
    ----------
    in_channels : int
        Of the image and of what is laid beside it (Eq. 7).
    num_classes : int
        k.
    bands : int
        Of the image, which is reconstructed; 0: it is not.
    widths : sequence of int
        Of the blocks, rising; the first is that of the first layer, too.
    seed : int
        Of first weights (Xavier's).

    Raises
    ------
    ValueError
        A number below 1, or widths that fall or are none.
    """

    def __init__(
        self,
        in_channels: int = 67,
        num_classes: int = 15,
        bands: int = 3,
        widths: Sequence[int] = WIDTHS,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_widths(widths)
        check_counts(in_channels=in_channels, num_classes=num_classes)
        if bands < 0:
            raise ValueError(f"bands must be 0 or more, got {bands!r}")
        self.in_channels, self.num_classes = in_channels, num_classes
        outputs = num_classes + bands
        with seeded(seed):
            self.first = nn.Sequential(
                nn.Conv2d(in_channels, widths[0], 3, padding=1), nn.BatchNorm2d(widths[0]), nn.ReLU()
            )
            ends = [widths[0], *widths]
            self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in zip(ends, ends[1:], strict=False))
            self.head = nn.Sequential(nn.Conv2d(widths[-1], outputs, 1), nn.Conv2d(outputs, outputs, 1))
            self.reconstruct = nn.Conv2d(outputs, bands, 3, padding=1) if bands else None
            self.apply(initialise)

    def forward(self, inputs: Tensor, order: int | None = None) -> tuple[Tensor, Tensor | None]:
        """Return class probabilities and the reconstructed image.

        Parameters
        ----------
        inputs : (B, c, H, W) Tensor
            H and W at least 2.
        order : int, optional
            Of reading, 0 to 7; None, for inference: nothing is masked.

        Returns
        -------
        probabilities : (B, k, H, W) Tensor
        reconstruction : (B, bands, H, W) Tensor or None
        """
        shape = tuple(inputs.shape)
        if len(shape) != 4 or shape[1] != self.in_channels or min(shape) < 1 or min(shape[2:]) < 2:
            raise ValueError(
                f"inputs must be (B, {self.in_channels}, H, W) of 2 x 2 or more, got shape {shape}"
            )
        values = F.max_pool2d(self.first(inputs.to(self.head[-1].weight.dtype)), 2)
        for block in self.blocks:
            values = block(values, order)
        values = F.interpolate(self.head(values), inputs.shape[2:], mode="bilinear", align_corners=False)
        probabilities = values[:, : self.num_classes].softmax(dim=1)
        return probabilities, None if self.reconstruct is None else self.reconstruct(values)
