r"""The graph cut module: a picture's labels grown from its cues along a graph of deep features (section 3.3).

Every position of the network's map is a node. Its K nearest neighbours among the features are joined to it (Eqs. 1, 2),
and for each object c of the picture two terminals join the nodes (Eq. 3) and one minimum cut parts the nodes in c, with
the terminal S, and the rest, with T, at the weights of Table 1:

=================  ===============================  =================================
edge               weight                           for
=================  ===============================  =================================
{p, q}             :math:`C_0`                      :math:`Q_{pq} = 1` or :math:`Q_{qp} = 1`
{p, S}, c if kept  :math:`-\log_{10}(1 - H_p^c)`    p without a cue
\                  :math:`C_1`                      p with a cue of c
\                  0                                p with a cue of another class
{p, T}             :math:`-\log_{10} H_p^c`         p without a cue
\                  0                                p with a cue of c
\                  :math:`C_1`                      p with a cue of another class
=================  ===============================  =================================

Table 1 is printed with the first rows of {p, S} and {p, T} exchanged, under which a node of H = 0.9 becomes background,
and with W where the text has Q. The released code (hustvl/DGCN) has the orientation above, the logarithm to base 10,
C0 = 1, C1 = 10 and ten neighbours, a node among its own; these are the defaults.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudy.baselines.graph_cut import seeded_graph_cut
from segstudy.datasets.files import VOID
from segstudy.graphs import nearest_neighbours, undirected_edges
from segstudy.papers.dgcn.maps import resize_to_last
from segstudy.papers.dgcn.supervision import BACKGROUND, check_growth

NEIGHBOURS = 10  # with the node itself; the text says K = 9


def join_features(maps: Sequence[Tensor], unit: bool = True) -> Tensor:
    """Enlarge or reduce feature maps of several layers to the last one's size and lay them side by side: X of Figure 3.

    Parameters
    ----------
    maps : sequence of (d_k, h_k, w_k) Tensor
        Of one picture, from several layers.
    unit : bool
        Scale each layer's vectors to length 1, so that no layer outweighs the others by its scale alone. The paper does
        not say; False joins them as they are.

    Returns
    -------
    (h w, d) Tensor
        A row for each node, h and w those of the last map.

    Raises
    ------
    ValueError
        `maps` is empty, or a map is not (d, h, w).
    """
    if not maps or any(found.ndim != 3 for found in maps):
        raise ValueError(
            f"maps must be (d, h, w) tensors, one or more, got shapes {[tuple(m.shape) for m in maps]}"
        )
    resized = resize_to_last([found[None].float() for found in maps])
    if unit:
        resized = [F.normalize(found, dim=1) for found in resized]
    return torch.cat(resized, dim=1)[0].flatten(1).T


def knn_edges(features: Tensor, k: int = NEIGHBOURS) -> np.ndarray:
    """Return the n-links (Eqs. 1, 2): two nodes are joined where either is among the K nearest of the other.

    Parameters
    ----------
    features : (n, d) Tensor
    k : int
        Counts the node itself. A map of fewer nodes has them all.

    Returns
    -------
    (m, 2) int64 ndarray
        Pairs of flat node ids, each once.
    """
    indices, _ = nearest_neighbours(features, min(k, len(features)), include_self=True)
    return undirected_edges(indices).cpu().numpy()


def graph_cut_labels(
    cues: np.ndarray,
    probabilities: np.ndarray,
    edges: np.ndarray,
    classes: Iterable[int],
    *,
    theta: float = 0.7,
    c0: float = 1.0,
    c1: float = 10.0,
    background: float | None = None,
    keep_cues: bool = False,
    printed: bool = False,
) -> np.ndarray:
    """Grow a picture's labels: one minimum cut for each of its objects (section 3.3, Eq. 3, Table 1).

    A node is labelled c where the cut says c and H of c is above theta; where several objects claim it, the most
    probable has it. The background's labels are its cues, and nodes above a threshold of its own where one is given.

    Parameters
    ----------
    cues : (H, W) int ndarray
        Class ids, `VOID` where there is none. Always the first cues, not labels grown before.
    probabilities : (H, W, C) float ndarray
        Of the segmentation network, rows sum to 1; only those of the background and of `classes` count.
    edges : (m, 2) int ndarray
        n-links, as from :func:`knn_edges`.
    classes : iterable of int
        The objects that the picture holds.
    theta : float
        In [0, 1].
    c0, c1 : float
        Prices of an n-link and of going against a cue. Many strong n-links can overrule a cue.
    background : float, optional
        Also label background what no object claims and the network gives it with more than this; the paper's text
        speaks of an attempt with two thresholds that did not work.
    keep_cues : bool
        Label the cues of an object also where theta or its cut would not; the paper's text drops them.
    printed : bool
        Exchange the terminal links of nodes without a cue, as Table 1 prints them; to show what that does.

    Returns
    -------
    (H, W) uint8 ndarray
        Class ids, `VOID` where none was found.

    Raises
    ------
    StudyError
        PyMaxflow is not installed.
    TypeError, ValueError
        See :func:`~segstudy.papers.dgcn.supervision.check_growth`; theta or background outside
        [0, 1]; edges that join no two nodes.
    """
    present, wanted = check_growth(cues, probabilities, classes)
    for name, share in (("theta", theta), ("background", background)):
        if share is not None and not 0 <= share <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {share!r}")
    best = np.zeros(cues.shape)
    labels = np.full(cues.shape, VOID, np.uint8)
    for index, name in enumerate(wanted, 1):
        belief = present[:, :, index]
        seeds = np.where(cues == name, 1, np.where(cues == VOID, -1, 0))
        cut = seeded_graph_cut(
            seeds,
            edges,
            c0,
            foreground=1 - belief if printed else belief,
            unary_weight=1 / math.log(10),  # of natural logarithms: those to base 10
            hard_link=c1,
        )
        found = (cut.labels == 1) & (belief > theta)
        if keep_cues:
            found |= cues == name
        found &= belief > best
        labels[found], best[found] = name, belief[found]
    if background is not None:
        labels[(labels == VOID) & (present[:, :, 0] > background)] = BACKGROUND
    labels[cues == BACKGROUND] = BACKGROUND
    return labels
