"""Equations and costs as the papers print them, held against what the papers say that they do.

Each check is a small case whose right answer is plain; what is computed runs on the papers' own rooms where these have
the printed form, and is written out where they do not.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudy.experiments.claims.check import Check
from segstudy.experiments.published import lookup
from segstudy.nn.costs import published_flops
from segstudy.papers.dgcn import graph_cut_labels
from segstudy.papers.gnn_clustering import ncut_loss
from segstudy.papers.scgnet import SCGNet
from segstudy.papers.sgseg import SGSeg, mutual_information
from segstudy.papers.sgseg.network import NO_SUPERPIXELS

OURS, VOID = "SCG-GCN", 255
SIDE = 16  # pixels: both networks of paper 2 are convolutions, so the ratio of their products has no size


def time_of_superpixels() -> Check:
    """Whether Table 11's times go with the multiply-adds of Tables 7 to 10, SGSeg's over those of its CNN alone."""
    printed = lookup("sgseg_table11", "SGSeg (Ours)", "Inference") / lookup(
        "sgseg_table11", "AC [42]", "Inference"
    )
    ratio = _products("DiffGCN") / _products(NO_SUPERPIXELS)
    says = f"inference takes {printed:.2f} times as long as AC's (Table 11, the text: slightly more)"
    gives = f"{ratio:.1f} times as many multiply-adds, counted layer by layer"
    return Check("sgseg", says, "the layers of Tables 7 to 10", gives, ratio > 2 * printed)


@cache
def _products(graph: str) -> int:
    """Count the multiply-adds of SGSeg at the paper's widths, with a graph network or without superpixels (AC)."""
    network = SGSeg(15, gnn=graph).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    return counter.get_total_flops() // 2


def sign_of_mutual_information() -> Check:
    """Whether minimising Eq. 21 makes two maps agree: two equal ones must have the lower loss."""
    upper, left = torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    first, second = (torch.stack([one, 1 - one])[None] for one in (upper, left))
    same, apart = float(mutual_information(first, first)), float(mutual_information(first, second))
    says = "the loss L_MI + L_recon (Eq. 21) makes two readings agree"
    gives = f"L_MI = {same:.3f} of two equal maps, {abs(apart):.3f} of two independent ones: least there"
    return Check("sgseg", says, "Eq. 19 on maps of 2 x 2 pixels", gives, same > apart)


def sign_of_the_normalised_cut() -> Check:
    """Whether the printed NCUT loss is lower where two cliques are parted rightly than where both are halved."""
    weights = torch.block_diag(torch.ones(4, 4), torch.ones(4, 4)).double()
    right = torch.eye(2).repeat_interleave(4, dim=0).double()
    halved = torch.eye(2).repeat(4, 1).double()
    printed = [_printed_cut(assignment, weights) for assignment in (right, halved)]
    put_back = [float(ncut_loss(assignment, weights)) for assignment in (right, halved)]
    gives = f"{printed[0]:.2f} for the two cliques and {printed[1]:.2f} for half of each; "
    gives += f"with a minus {put_back[0]:.2f} and {put_back[1]:.2f}"
    says = "the NCUT loss is minimised (slide DeepCut: NCUT)"
    return Check("gnn_clustering", says, "two cliques of four nodes", gives, printed[0] > printed[1])


def _printed_cut(assignment: torch.Tensor, weights: torch.Tensor) -> float:
    """Return the loss as the slide prints it: the first term without its minus, the balance as it is."""
    within = torch.trace(assignment.T @ weights @ assignment)
    held = torch.trace(assignment.T @ torch.diag(weights.sum(dim=1)) @ assignment)
    shares = assignment.T @ assignment
    clusters = shares.shape[0]
    balance = shares / shares.norm() - torch.eye(clusters).double() / math.sqrt(clusters)
    return float(within / held + balance.norm())


def terminals_exchanged() -> Check:
    """Whether a node that the network gives to the object with 0.9 is in the object by Table 1's terminal links."""
    cues = np.full((1, 3), VOID)
    cues[0, 0], cues[0, 2] = 1, 0  # object, unknown, background
    belief = np.array([0.9, 0.9, 0.1])
    probabilities = np.stack([1 - belief, belief], axis=-1)[None]
    edges = np.empty((0, 2), np.int64)
    found = {
        printed: graph_cut_labels(
            cues, probabilities, edges, [1], theta=0.5, keep_cues=True, printed=printed
        )[0, 1]
        for printed in (True, False)
    }
    words = {1: "object", VOID: "no object"}
    gives = f"H = 0.9 becomes {words[int(found[True])]} as printed, {words[int(found[False])]} with the two exchanged"
    says = "{p, S} = −log H and {p, T} = −log(1 − H) (Table 1)"
    return Check("dgcn", says, "one node without a cue", gives, found[True] != 1 and found[False] == 1)


def a_term_without_logarithm() -> Check:
    """Whether Eq. 4's background term is a cross-entropy: 0 where the network is right and sure, large where wrong."""
    sure, wrong = 1.0, 0.01
    printed, entropy = [-sure, -wrong], [-math.log(sure), -math.log(wrong)]
    gives = f"{printed[0]:g} and {printed[1]:g} as printed, {abs(entropy[0]):g} and {entropy[1]:.1f} with the logarithm"
    says = "a balanced cross-entropy (Eq. 4)"
    return Check("dgcn", says, "background at H = 1 and at H = 0.01", gives, printed != entropy)


def costs_of_one_network() -> Check:
    """Whether one network has one cost for 256 x 256 pixels: Table VI prints 4.47, Table VIII 4.37 GFLOPs."""
    printed = (
        lookup("scgnet_table6", OURS, "FLOPs (Giga)"),
        lookup("scgnet_table8", "256 × 256 × 3", "GFLOPs"),
    )
    counted = [published_flops(_scgnet(nodes), (3, 256, 256)) / 1e9 for nodes in ((28, 28), None)]
    gives = f"{counted[0]:.2f} with 28 x 28 nodes, {counted[1]:.2f} with 16 x 16: two graphs under one name"
    says = f"{printed[0]:g} GFLOPs (Table VI) and {printed[1]:g} (Table VIII) for 256 x 256 pixels"
    return Check("scgnet", says, "the network counted with both graphs", gives, printed[0] != printed[1])


def _scgnet(nodes: tuple[int, int] | None) -> SCGNet:
    with torch.device("meta"):
        return SCGNet(6, nodes=nodes)


def adjacency_not_symmetric() -> Check:
    """Whether Eq. 3 keeps an undirected graph undirected: a star of three nodes, whose degrees differ."""
    star = np.array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]]) + np.eye(3)
    degrees = star.sum(axis=1)
    printed, meant = (np.diag(degrees**-0.5) @ star @ np.diag(degrees**power) for power in (0.5, -0.5))
    gaps = [float(np.abs(matrix - matrix.T).max()) for matrix in (printed, meant)]
    gives = f"entries and their mirror images differ by up to {gaps[0]:.2f}; with both exponents −1/2 by {gaps[1]:.2f}"
    says = "Â = D^(−1/2) (A + I) D^(1/2) (Eq. 3), after Kipf and Welling"
    return Check("scgnet", says, "an undirected star of three nodes", gives, gaps[0] > 1e-9 > gaps[1])


CHECKS = (
    time_of_superpixels,
    sign_of_mutual_information,
    sign_of_the_normalised_cut,
    terminals_exchanged,
    a_term_without_logarithm,
    costs_of_one_network,
    adjacency_not_symmetric,
)
