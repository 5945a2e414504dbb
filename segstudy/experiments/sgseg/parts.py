"""Parts put into SGSeg to find out what its own are worth: other places for its superpixels, other features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.nn.backbones import backbone
from segstudy.nn.trunks import seeded
from segstudy.papers.sgseg.gnn import SuperpixelGNN
from segstudy.papers.sgseg.training import Statistics

IMAGENET, STRIDE = "timm:tf_efficientnet_lite0", 8  # whose weights come as a package; a map of 40 channels
SHUFFLED, ALIGNED = "shuffled", "aligned"


class ShuffledPlaces(nn.Module):
    """A graph network whose superpixels lie at one another's places, drawn anew for every batch (claim SG15).

    Graph and features are as before, so that what is lost is what the relative places told.

    Parameters
    ----------
    network : SuperpixelGNN
    seed : int
    """

    def __init__(self, network: SuperpixelGNN, seed: int = 0) -> None:
        super().__init__()
        self.network, self.draws = network, torch.Generator().manual_seed(seed)

    def forward(self, features: Tensor, neighbours: Tensor) -> Tensor:
        """Return what the network makes of (B, N, c) features with their first two columns shuffled over N."""
        order = torch.randperm(features.shape[1], generator=self.draws).to(features.device)
        return self.network(_moved(features, features[:, order, :2]), neighbours)


class AlignedPlaces(nn.Module):
    """A graph network with PointNet's and DGCNN's alignment: a 2 x 2 matrix for all places of a picture (claim SG30).

    A small network sees every superpixel's features, takes the maximum over superpixels, and gives the matrix; it
    starts as the identity.

    Parameters
    ----------
    network : SuperpixelGNN
    in_channels : int
    width : int
    seed : int
    """

    def __init__(self, network: SuperpixelGNN, in_channels: int, width: int = 32, seed: int = 0) -> None:
        super().__init__()
        self.network = network
        with seeded(seed):
            self.each = nn.Sequential(
                nn.Linear(in_channels, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
            )
            self.matrix = nn.Linear(width, 4)
        nn.init.zeros_(self.matrix.weight)
        self.matrix.bias.data = torch.eye(2).flatten()

    def forward(self, features: Tensor, neighbours: Tensor) -> Tensor:
        """Return what the network makes of (B, N, c) features, their places multiplied with the picture's matrix."""
        matrices = self.matrix(self.each(features).amax(dim=1)).view(-1, 2, 2)
        return self.network(_moved(features, features[:, :, :2] @ matrices), neighbours)


def _moved(features: Tensor, places: Tensor) -> Tensor:
    """Return (B, N, c) features, whose first two columns are superpixels' places, with other places."""
    return torch.cat([places, features[:, :, 2:]], dim=2)


class ImageNetMap(nn.Module):
    """What a network trained on ImageNet sees in standardised pictures: `IMAGENET`, frozen.

    Parameters
    ----------
    statistics : Statistics
        With which the pictures were standardised; the first three bands are red, green and blue.

    Attributes
    ----------
    width : int
        Channels.
    """

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self.trunk = backbone(IMAGENET, weights="pretrained", stride=STRIDE, freeze="all")
        for name, values in (("mean", statistics.mean), ("std", statistics.std)):
            self.register_buffer(name, torch.tensor(values[:3], dtype=torch.float32).view(1, 3, 1, 1))
        self.width = self.trunk(torch.zeros(1, 3, 64, 64)).shape[1]

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return (B, width, h, w): each place has the length of a vector whose channels are about 1, as colours are."""
        colours = ((images[:, :3] * self.std + self.mean) / 255).clamp(0, 1)
        return F.normalize(self.trunk(colours), dim=1) * self.width**0.5
