"""The networks of the papers' tables at their own width, on small pictures."""

import torch
from torch import nn

from gpucheck.compare import Case, pictures
from segstudy.experiments.costs import methods
from segstudy.experiments.scgnet.costs import OURS, build
from segstudy.nn.comparators import COMPARATORS
from segstudy.papers.dgcn.large_networks import NAMES, published_network

SIDE = 64  # pixels
VALID, LEAST = "U-Net [8]", 188  # its convolutions are not padded: the fewest pixels it takes


def rival(row: str) -> Case:
    """A network of Table VI, whose last layers do not start from zeros, as some do: their outputs would be zeros."""
    network, generator = build(row).eval(), torch.Generator().manual_seed(0)
    for value in network.parameters():
        if not value.any():
            nn.init.normal_(value, std=0.1, generator=generator)
    return Case((pictures(1, LEAST if row == VALID else SIDE),), network)


NETWORKS = {f"Table VI, {row}": lambda r=row: rival(r) for row in (*COMPARATORS, OURS)}
NETWORKS |= {
    f"DGCN, {name}": lambda n=name: Case((pictures(1, SIDE),), published_network(n, 21).eval())
    for name in NAMES
}
NETWORKS |= {
    "U-Net, paper 1": lambda: Case((pictures(2, SIDE),), methods.unet().eval()),
    "SGSeg, paper 2": lambda: Case((pictures(2, SIDE),), methods.sgseg().eval()),
}
