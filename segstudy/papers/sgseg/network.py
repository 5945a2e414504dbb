"""SGSeg as a whole: superpixels, their graph, and a segmentation network on both (Eqs. 4 to 7, 20 to 22)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudy.papers.sgseg import autoregressive, spnn
from segstudy.papers.sgseg.autoregressive import AutoregressiveCNN
from segstudy.papers.sgseg.gnn import (
    PARTS,
    SuperpixelGNN,
    graph_total_variation,
    superpixel_graph,
    total_variation,
)
from segstudy.papers.sgseg.mutual_information import mutual_information
from segstudy.papers.sgseg.spnn import SPNN, Assignment
from segstudy.papers.sgseg.spnn_losses import ALPHA, BETA, ETA, spnn_loss
from segstudy.papers.sgseg.superpixels import (
    check_pictures,
    check_weights,
    pixel_places,
    project,
    superpixel_features,
)

NO_GNN = "no GNN"  # the superpixels' features go to the segmentation network as they are (Table 3)
NO_SUPERPIXELS = "no SPNN"  # the segmentation network alone


class Found(NamedTuple):
    """What SGSeg makes of pictures, all but the segmentation.

    Attributes
    ----------
    assignment : Assignment or None
    features : (B, N, c) Tensor or None
        Of superpixels, as they are projected.
    neighbours : (B, N, k) int64 Tensor or None
        Of superpixels, where there is a graph network.
    projected : (B, c, H, W) Tensor or None
        The superpixels' features, projected back (Eq. 6).
    inputs : (B, c, H, W) Tensor
        Of the segmentation network (Eq. 7).
    """

    assignment: Assignment | None
    features: Tensor | None
    neighbours: Tensor | None
    projected: Tensor | None
    inputs: Tensor


class SGSeg(nn.Module):
    """The whole network.

    Parameters
    ----------
    num_classes : int
        k, as many clusters as there are classes.
    in_channels : int
        Bands of a picture.
    superpixels : int
        N.
    gnn : str
        "DiffGCN", "DGCNN", "PointNet", `NO_GNN` or `NO_SUPERPIXELS`.
    k : int
        Neighbours of a superpixel.
    spnn_widths, cnn_widths : sequence of int
    gnn_width, gnn_blocks : int
    places, aggregation
        See :class:`~segstudy.papers.sgseg.spnn.SPNN` and :class:`~segstudy.papers.sgseg.gnn.SuperpixelGNN`.
    hard : bool
        Whether Eq. 3 takes hard assignments.
    sure : bool
        Whether Eqs. 3 and 6 take each pixel's likeliest superpixel alone, with the soft assignment's gradient.
    describe : Module, optional
        Gives a map of (B, c, H, W) pictures, of `describe.width` channels, which joins the pixels' features enlarged:
        a network that was trained elsewhere.
    reconstruct : bool
        Whether the segmentation network reconstructs the picture (Eq. 20).
    seed : int
        Of first weights.

    Raises
    ------
    ValueError
        See the parts; k is not below N, or there is no such graph network.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        superpixels: int = 200,
        gnn: str = "DiffGCN",
        k: int = 20,
        *,
        spnn_widths: Sequence[int] = spnn.WIDTHS,
        gnn_width: int = 64,
        gnn_blocks: int = 4,
        cnn_widths: Sequence[int] = autoregressive.WIDTHS,
        places: bool = True,
        aggregation: str = "max",
        hard: bool = False,
        sure: bool = False,
        describe: nn.Module | None = None,
        reconstruct: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if gnn not in (*PARTS, NO_GNN, NO_SUPERPIXELS):
            raise ValueError(f"gnn must be one of {(*PARTS, NO_GNN, NO_SUPERPIXELS)}, got {gnn!r}")
        if gnn in PARTS and not 1 <= k < superpixels:
            raise ValueError(f"k must be 1 to {superpixels - 1}, below the number of superpixels, got {k!r}")
        spnn.check_widths(spnn_widths)
        self.in_channels, self.k, self.hard, self.sure, self.describe = in_channels, k, hard, sure, describe
        self.spnn, self.gnn = None, None
        width = 2 + in_channels + spnn_widths[-1]  # x, y, colours, SPNN's features
        width += 0 if describe is None else describe.width
        if gnn != NO_SUPERPIXELS:
            self.spnn = SPNN(superpixels, in_channels, spnn_widths, places, seed)
        if gnn not in (NO_GNN, NO_SUPERPIXELS):
            self.gnn = SuperpixelGNN(width, gnn, gnn_blocks, gnn_width, aggregation, seed)
            width = gnn_width
        beside = 0 if self.spnn is None else width
        bands = in_channels if reconstruct else 0
        self.cnn = AutoregressiveCNN(in_channels + beside, num_classes, bands, cnn_widths, seed)

    def find(self, images: Tensor) -> Found:
        """Return what stands beside (B, c, H, W) images at the input of the segmentation network (Eqs. 4 to 7).

        Parameters
        ----------
        images : (B, c, H, W) Tensor
            Standardised; H and W at least 2. In training there are more than 3 x 3 pixels in all.
        """
        check_pictures(images, self.in_channels, least=2, training=self.training)
        if self.spnn is None:
            return Found(None, None, None, None, images)
        assignment = self.spnn(images)
        where = pixel_places(*images.shape[2:], like=images).expand(len(images), -1, -1, -1)
        pixels = [where, images, assignment.features]
        if self.describe is not None:
            pixels.append(F.interpolate(self.describe(images), images.shape[2:], mode="bilinear"))
        P = assignment.superpixels
        if self.sure:
            P = F.one_hot(P.argmax(dim=1), P.shape[1]).movedim(3, 1) + P - P.detach()
        features = superpixel_features(P, torch.cat(pixels, dim=1), self.hard)
        neighbours = None
        if self.gnn is not None:
            neighbours = superpixel_graph(features, self.k)
            features = self.gnn(features, neighbours)
        projected = project(P, features)
        return Found(assignment, features, neighbours, projected, torch.cat([images, projected], dim=1))

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, k, H, W) probabilities of the clusters, nothing masked."""
        return self.cnn(self.find(images).inputs)[0]


def sgseg_loss(
    network: SGSeg,
    images: Tensor,
    orders: tuple[int, int],
    *,
    alpha: float = ALPHA,
    beta: float = BETA,
    eta: float = ETA,
    lam: float = 2.0,
    tv: float = 1.0,
    graph_tv: float = 0.0,
    radius: int = 0,
    marginals: float = 1.0,
) -> dict[str, Tensor]:
    r"""Return the parts of what is minimised; their sum is Eq. 22.

    .. math:: L = L_\text{SPNN} + L_\text{TV} - I(\hat M_{r_1}, \hat M_{r_2}) + L_\text{recon}^\text{CNN}

    Parameters
    ----------
    network : SGSeg
    images : (B, c, H, W) Tensor
        Standardised.
    orders : (int, int)
        r1 and r2, two reading orders.
    alpha, beta, eta, lam
        See :func:`~segstudy.papers.sgseg.spnn_losses.spnn_loss`.
    tv : float
        Weight of Eq. 17; the paper gives none.
    graph_tv : float
        Weight of the same along the graph's edges, which section 3.4 names and leaves out.
    radius, marginals
        See :func:`~segstudy.papers.sgseg.mutual_information.mutual_information`: its radius and lam.

    Returns
    -------
    dict of str to () Tensor
        "spnn", "tv", "mi" and "reconstruction", where the network has these parts. The reconstruction (Eq. 20) is a
        mean over values, not a sum: a sum is 49,000 times as large beside a mutual information below log k.
    """
    check_weights(tv=tv, graph_tv=graph_tv)
    found = network.find(images)
    parts = {}
    if found.assignment is not None:
        parts["spnn"] = spnn_loss(images, found.assignment, alpha=alpha, beta=beta, eta=eta, lam=lam)
    if network.gnn is not None:
        parts["tv"] = tv * total_variation(found.projected)
        if graph_tv:
            parts["graph tv"] = graph_tv * graph_total_variation(found.features, found.neighbours)
    (first, one), (second, other) = (network.cnn(found.inputs, order) for order in orders)
    parts["mi"] = -mutual_information(first, second, radius, marginals)  # Eqs. 18, 19; Eq. 21 prints +
    if one is not None:
        parts["reconstruction"] = (one - images).square().mean() + (other - images).square().mean()
    return parts
