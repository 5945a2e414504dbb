r"""The graph network on superpixels: three ways for a node to hear its neighbours (section 3.4, Eqs. 14 to 17).

With h a linear layer, batch normalisation and ReLU, and :math:`F_i` a superpixel's features,

=========  ============================================================================================  =======
block      output of node i                                                                              Eq.
=========  ============================================================================================  =======
PointNet   :math:`h(F_i)`                                                                                14
DGCNN      :math:`\max_j h(F_i \oplus (F_i - F_j))`                                                      15
DiffGCN    :math:`\max_j h(F_i \oplus \partial_x F_{ij} \oplus \partial_y F_{ij})`                       16
=========  ============================================================================================  =======

and :math:`\partial_x F_{ij} = (F_i - F_j)\,(x_i - x_j) / \Delta_{ij}` with :math:`\Delta_{ij}` the distance of the two
superpixels in the picture. A derivative would divide by its square; it is taken as printed. Of coordinates only the
direction remains, so that their unit does not matter.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segstudy.graphs import nearest_neighbours
from segstudy.nn.trunks import check_counts, seeded
from segstudy.papers.sgseg.spnn import initialise
from segstudy.papers.sgseg.superpixels import check_maps, require_finite

PARTS = {"PointNet": 1, "DGCNN": 2, "DiffGCN": 3}  # how many vectors of features h takes
AGGREGATIONS = ("max", "mean")
TOO_NEAR = 1e-12  # two superpixels in one place have no direction between them


def superpixel_graph(features: Tensor, k: int = 20) -> Tensor:
    """Return the k nearest neighbours of every superpixel among its picture's, by their features (section 3.4).

    Parameters
    ----------
    features : (B, N, c) Tensor
        F^SP, coordinates and colours among it.
    k : int
        1 to N - 1; a node is not its own neighbour.

    Returns
    -------
    (B, N, k) int64 Tensor

    Raises
    ------
    ValueError
        k is out of range, or features are not finite.
    """
    if features.ndim != 3 or not len(features):
        raise ValueError(
            f"features must be (B, N, c) of a picture at least, got shape {tuple(features.shape)}"
        )
    return torch.stack([nearest_neighbours(one, k)[0] for one in features])


class Block(nn.Module):
    """One block of the graph network.

    The layer h is linear, so that its weights can be applied to the nodes before they are paired: the product costs
    N, not N k, times its size.

    Parameters
    ----------
    kind : "PointNet", "DGCNN" or "DiffGCN"
    width : int
        Features of a node, before and after.
    aggregation : "max" or "mean"
        Over the neighbours; DiffGCN's own code takes the mean.
    """

    def __init__(self, kind: str, width: int, aggregation: str = "max") -> None:
        super().__init__()
        if kind not in PARTS or aggregation not in AGGREGATIONS:
            raise ValueError(
                f"kind must be one of {tuple(PARTS)} and aggregation one of {AGGREGATIONS}, got {kind!r} and "
                f"{aggregation!r}"
            )
        self.kind, self.aggregation = kind, aggregation
        self.linear = nn.Linear(PARTS[kind] * width, width)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, features: Tensor, neighbours: Tensor, places: Tensor) -> Tensor:
        """Return (B, N, c) features of (B, N, c) features, (B, N, k) neighbours and (B, N, 2) places."""
        own, *differences = self.linear.weight.chunk(PARTS[self.kind], dim=1)
        centre = features @ own.T + self.linear.bias
        if not differences:
            return self._activate(centre)  # Eq. 14
        messages = centre[:, :, None]
        for weight, scale in zip(differences, self._scales(places, neighbours), strict=True):
            seen = features @ weight.T
            messages = messages + scale * (seen[:, :, None] - gather(seen, neighbours))
        messages = self._activate(messages)  # Eq. 15: h first, then the largest over neighbours
        return messages.amax(dim=2) if self.aggregation == "max" else messages.mean(dim=2)

    def _activate(self, values: Tensor) -> Tensor:
        return self.norm(values.flatten(0, -2)).view_as(values).relu()

    def _scales(self, places: Tensor, neighbours: Tensor) -> list[Tensor]:
        """Return what each difference is multiplied with: (B, N, k, 1) tensors (Eq. 16), or 1."""
        if self.kind == "DGCNN":
            return [places.new_ones(())]
        steps = places[:, :, None] - gather(places, neighbours)
        distances = steps.norm(dim=3, keepdim=True)
        directions = torch.where(distances > TOO_NEAR, steps / distances.clamp_min(TOO_NEAR), 0)
        return list(directions.split(1, dim=3))


def gather(values: Tensor, neighbours: Tensor) -> Tensor:
    """Return the (B, N, k, c) rows of (B, N, c) values that (B, N, k) neighbours name."""
    batch = torch.arange(len(values), device=values.device)[:, None, None]
    return values[batch, neighbours]


class SuperpixelGNN(nn.Module):
    """The graph network of Table 8: 190,912 parameters with DiffGCN on 517 features.

    Parameters
    ----------
    in_channels : int
        x, y, the bands, and SPNN's features.
    kind : "PointNet", "DGCNN" or "DiffGCN"
    blocks : int
        L.
    width : int
        Of the blocks and of the output; the layers between have 4 and 2 times as many.
    aggregation : "max" or "mean"
    seed : int
        Of first weights (Xavier's).

    Raises
    ------
    ValueError
        A number below 1, an unknown kind or aggregation.
    """

    def __init__(
        self,
        in_channels: int = 517,
        kind: str = "DiffGCN",
        blocks: int = 4,
        width: int = 64,
        aggregation: str = "max",
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_counts(in_channels=in_channels, blocks=blocks, width=width)
        with seeded(seed):
            self.first = _dense(in_channels, width)
            self.blocks = nn.ModuleList(Block(kind, width, aggregation) for _ in range(blocks))
            self.last = nn.Sequential(
                _dense(blocks * width, 4 * width), _dense(4 * width, 2 * width), nn.Linear(2 * width, width)
            )
            self.apply(initialise)

    def forward(self, features: Tensor, neighbours: Tensor) -> Tensor:
        """Return (B, N, width) features (Eq. 5).

        Parameters
        ----------
        features : (B, N, c) Tensor
            F^SP, its first two columns x and y.
        neighbours : (B, N, k) int64 Tensor
            See :func:`superpixel_graph`; the same for all blocks.
        """
        values, places, found = self.first(features.flatten(0, 1)), features[:, :, :2], []
        values = values.unflatten(0, features.shape[:2])
        for block in self.blocks:
            values = block(values, neighbours, places)
            found.append(values)
        return self.last(torch.cat(found, dim=2).flatten(0, 1)).unflatten(0, features.shape[:2])


def _dense(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 1 x 1 convolution over nodes, with normalisation and ReLU."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU())


def total_variation(projected: Tensor) -> Tensor:
    r"""Return the mean over pixels of the features' absolute change to the next pixel (Eq. 17).

    .. math:: L_\text{TV} = \frac{1}{HW} \sum_{ij} \lVert \partial_x \tilde M_{ij} \rVert_1
              + \lVert \partial_y \tilde M_{ij} \rVert_1

    Parameters
    ----------
    projected : (B, c, H, W) Tensor
    """
    check_maps(projected=projected)
    places = projected.shape[2] * projected.shape[3]
    changes = (projected.diff(dim=dim).abs().sum(dim=(1, 2, 3)) for dim in (2, 3))
    return require_finite((sum(changes) / places).mean(), projected=projected)


def graph_total_variation(features: Tensor, neighbours: Tensor) -> Tensor:
    r"""Return the same on the graph, which section 3.4 leaves out: the mean over nodes of what the edges change.

    .. math:: \frac{1}{N k} \sum_i \sum_{j \in N(i)} \lVert \tilde F_i - \tilde F_j \rVert_1

    Parameters
    ----------
    features : (B, N, c) Tensor
    neighbours : (B, N, k) int64 Tensor
    """
    return (features[:, :, None] - gather(features, neighbours)).abs().sum(dim=3).mean()
