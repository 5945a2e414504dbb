r"""Attention over all pixels, of which the introduction says that it takes very much memory (claim SC38).

Both take features :math:`X \in R^{n \times C}` of the n = h w pixels of a map and return as many.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segstudy.nn.trunks import check_counts


class NonLocal(nn.Module):
    r"""The non-local block of Wang, Girshick, Gupta, He 2018 (CVPR), embedded Gaussian, its Equations 4 and 6.

    .. math::
        Z = \mathrm{softmax}(X \Theta (X \Phi)^T) X G W + X, \qquad \Theta, \Phi, G \in R^{C \times C / 2}

    with biases. W starts from 0, so that a new block changes nothing, as its section 4.1 has it; the pooling of keys
    and values that its section 3.3 offers is left out.

    Parameters
    ----------
    channels : int
        C, at least 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_counts(halved_channels=channels // 2)
        self.query, self.key, self.value = (nn.Conv2d(channels, channels // 2, 1) for _ in range(3))
        self.out = nn.Conv2d(channels // 2, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, h, w) maps of (B, C, h, w) features."""
        query, key, value = (layer(features).flatten(2) for layer in (self.query, self.key, self.value))
        attention = (query.mT @ key).softmax(dim=2)  # (B, n, n)
        gathered = value @ attention.mT
        return self.out(gathered.unflatten(2, features.shape[2:])) + features


class PositionAttention(nn.Module):
    r"""DANet's position attention (Fu et al. 2019, CVPR), its Equations 1 and 2.

    .. math::
        E = \alpha\, \mathrm{softmax}(X B (X C)^T) X D + X, \qquad B, C \in R^{C \times C / 8}

    The paper does not say how many channels B and C have; its authors' public code has an eighth. alpha is learnt from
    0.

    Parameters
    ----------
    channels : int
        C, at least 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_counts(an_eighth_of_channels=channels // 8)
        self.query, self.key = (nn.Conv2d(channels, channels // 8, 1) for _ in range(2))
        self.value = nn.Conv2d(channels, channels, 1)
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, h, w) maps of (B, C, h, w) features."""
        query, key, value = (layer(features).flatten(2) for layer in (self.query, self.key, self.value))
        attention = (query.mT @ key).softmax(dim=2)  # (B, n, n)
        return self.alpha * (value @ attention.mT).view_as(features) + features


class ChannelAttention(nn.Module):
    r"""DANet's channel attention, its Equations 3 and 4: :math:`\beta X\, \mathrm{softmax}(X^T X)^T + X`.

    beta is learnt from 0. The authors' public code subtracts the products from their rows' maxima first, which turns
    large weights into small ones; Equation 3 does not, nor does this.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, h, w) maps of (B, C, h, w) features."""
        channels = features.flatten(2)
        attention = (channels @ channels.mT).softmax(dim=2)  # (B, C, C)
        return self.beta * (attention @ channels).view_as(features) + features


class DualAttention(nn.Module):
    """Both of DANet's modules on the same features, and their sum; the convolutions around them are left out.

    Parameters
    ----------
    channels : int
        At least 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.position, self.channel = PositionAttention(channels), ChannelAttention()

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, h, w) maps of (B, C, h, w) features."""
        return self.position(features) + self.channel(features)
