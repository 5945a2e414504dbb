r"""The two losses of section 3.4: the balanced seed loss on grown labels, and the boundary loss (Eqs. 4, 5).

Both take probabilities H that are floored as DSRG's: softmax plus 1e-4, renormalised, so that no logarithm explodes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.supervision import BACKGROUND

FLOOR = 1e-4
RATIOS = (0.05, 20.0)  # DSRG's released code keeps q / p within these


def floored_softmax(logits: Tensor, floor: float = FLOOR) -> Tensor:
    """Return H, (B, C, h, w): the softmax of logits over their classes, `floor` added, renormalised."""
    raised = logits.softmax(dim=1) + floor
    return raised / raised.sum(dim=1, keepdim=True)


def balanced_seed_loss(probabilities: Tensor, labels: Tensor, balanced: bool = True) -> Tensor:
    r"""Return the cross-entropy on labelled positions, objects and background each normalised by themselves (Eq. 4).

    .. math::
        L = -\frac{1}{\sum_{c \in C} |S_c|} \sum_{c \in C} \sum_{u \in S_c} \log H_{u,c}
            -\frac{1}{|S_0|} \sum_{u \in S_0} \log H_{u,0}

    for each picture, and the mean of pictures. C are the picture's objects, 0 is the background, :math:`S_c` the
    positions labelled c. Eq. 4 prints the background's term without its logarithm; DSRG's code has it.

    Parameters
    ----------
    probabilities : (B, K, h, w) Tensor
        H, rows sum to 1.
    labels : (B, h, w) int Tensor
        Class ids; `VOID` is left out.
    balanced : bool
        False: one normaliser for all labelled positions, to show what the two are for.

    Returns
    -------
    () Tensor
        A picture without labels of one kind has 0 for that term, as DSRG's code.

    Raises
    ------
    ValueError
        Shapes that differ, or a label that is no class.
    """
    _check_shapes(probabilities, labels)
    known = labels != VOID
    chosen = probabilities.gather(1, labels.long().where(known, 0)[:, None])[:, 0]
    surprise = -chosen.clamp_min(torch.finfo(chosen.dtype).tiny).log()
    background = (labels == BACKGROUND).to(surprise.dtype)
    objects = (known & (labels != BACKGROUND)).to(surprise.dtype)
    parts = (objects, background) if balanced else (objects + background,)
    terms = [(surprise * part).sum(dim=(1, 2)) / part.sum(dim=(1, 2)).clamp_min(1) for part in parts]
    return torch.stack(terms).sum(dim=0).mean()


def boundary_loss(
    probabilities: Tensor,
    refined: Tensor,
    *,
    through: bool = False,
    ratios: tuple[float, float] | None = None,
) -> Tensor:
    r"""Return the divergence of the network's map from the one that the dense CRF makes of it (Eq. 5).

    .. math:: L = \frac{1}{n} \sum_u \sum_c Q_{u,c} \log \frac{Q_{u,c}}{H_{u,c}}

    over all classes, as SEC and DSRG; Eq. 5 sums over the picture's.

    Parameters
    ----------
    probabilities : (B, K, h, w) Tensor
        H.
    refined : (B, K, h, w) Tensor
        Q, rows sum to 1; no gradient flows into the CRF.
    through : bool
        DSRG's variant: Q gets the gradient :math:`1 - Q` in place of the CRF's.
    ratios : (float, float), optional
        DSRG's variant: Q / H is kept within these, `RATIOS` there.

    Raises
    ------
    ValueError
        Shapes that differ.
    """
    if probabilities.shape != refined.shape:
        raise ValueError(
            f"refined must have the shape of probabilities, {tuple(probabilities.shape)}, got {tuple(refined.shape)}"
        )
    target = refined.detach().clamp_min(FLOOR)
    target = target / target.sum(dim=1, keepdim=True)
    if through:
        target = target + (1 - target) * (probabilities - probabilities.detach())
    ratio = target / probabilities
    if ratios is not None:
        ratio = ratio.clamp(*ratios)
    return (target * ratio.log()).sum(dim=1).mean()


def _check_shapes(probabilities: Tensor, labels: Tensor) -> None:
    if probabilities.ndim != 4 or labels.shape != (len(probabilities), *probabilities.shape[2:]):
        raise ValueError(
            f"labels must be (B, h, w) beside probabilities (B, K, h, w), got {tuple(labels.shape)} beside "
            f"{tuple(probabilities.shape)}"
        )
    outside = (labels != VOID) & ((labels < 0) | (labels >= probabilities.shape[1]))
    if outside.any():
        raise ValueError(
            f"labels must be 0 to {probabilities.shape[1] - 1} or {VOID}, got {labels[outside].unique().tolist()}"
        )
