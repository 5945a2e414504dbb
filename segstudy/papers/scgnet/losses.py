r"""The losses of section V-A: dice as printed (Eq. 14), in its usual form over classes, and the sum of Eq. 15."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segstudy.datasets.files import VOID
from segstudy.papers.scgnet.network import Prediction

PixelLoss = Callable[[Tensor, Tensor], Tensor]


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the dice loss as Eq. 14 prints it, a mean over labelled pixels.

    .. math::
        L = 1 - \frac{1}{|Y|} \sum_{i \in Y} \frac{2 \sum_j y_{ij} \tilde y_{ij}}{\sum_j y_{ij} + \sum_j \tilde y_{ij}}

    The sums run over the classes j of one pixel i. Where the prediction y is a softmax and the truth one of the
    classes, both denominators are 1 and the loss is one minus the mean probability of the true class.

    Parameters
    ----------
    logits : (B, C, H, W) Tensor
        Half precision is computed in float32.
    labels : (B, H, W) int64 Tensor
        0..C-1, or `VOID` (255) where nothing is scored.

    Returns
    -------
    () Tensor
        0 where no pixel is scored.

    Raises
    ------
    ValueError
        The shapes do not match, or a label is out of its range.
    """
    probabilities, truth, scored = _compared(logits, labels)
    overlap = 2 * (probabilities * truth).sum(dim=1) / (probabilities.sum(dim=1) + truth.sum(dim=1))
    return ((1 - overlap) * scored).sum() / scored.sum().clamp(min=1)


def class_dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the dice loss in its usual form, a mean over the classes that the batch shows.

    .. math::
        L = 1 - \frac{1}{|C|} \sum_{j \in C}
            \frac{2 \sum_i y_{ij} \tilde y_{ij}}{\sum_i y_{ij} + \sum_i \tilde y_{ij}}

    (Milletari et al. 2016 without the squares.) A car counts as much as all buildings together.

    Parameters
    ----------
    logits, labels
        As for :func:`dice_loss`; the same errors.

    Returns
    -------
    () Tensor
        0 where no pixel is scored.
    """
    probabilities, truth, scored = _compared(logits, labels)
    pixels = (0, 2, 3)
    probabilities, truth = probabilities * scored[:, None], truth * scored[:, None]
    total = truth.sum(pixels)
    dice = 2 * (probabilities * truth).sum(pixels) / (probabilities.sum(pixels) + total).clamp(min=1e-7)
    shown = total > 0
    return ((1 - dice) * shown).sum() / shown.sum().clamp(min=1)


def cross_entropy_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over labelled pixels; arguments, errors and empty batches as in `dice_loss`."""
    probabilities, truth, scored = _compared(logits, labels)
    logs = (logits.to(probabilities.dtype).log_softmax(dim=1) * truth).sum(dim=1)
    return -(logs * scored).sum() / scored.sum().clamp(min=1)


PIXEL_LOSSES: dict[str, PixelLoss] = {
    "dice": dice_loss,
    "class dice": class_dice_loss,
    "cross-entropy": cross_entropy_loss,
}


def total_loss(
    prediction: Prediction, labels: Tensor, pixel: PixelLoss = dice_loss, regularise: bool = True
) -> Tensor:
    r"""Return Eq. 15, :math:`L_{dice} + L_{kl} + L_{dl}`; without the last two where `regularise` is False."""
    loss = pixel(prediction.logits, labels)
    return loss + prediction.kl + prediction.diagonal if regularise else loss


def _compared(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return probabilities, the truth as one of C, and which pixels are scored."""
    classes = logits.shape[1] if logits.ndim == 4 else 0
    if not classes or labels.shape != (logits.shape[0], *logits.shape[2:]):
        shapes = f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"logits must be (B, C, H, W) and labels (B, H, W), got {shapes}")
    scored = labels != VOID
    if ((labels < 0) | (labels >= classes))[scored].any():
        raise ValueError(
            f"labels must be 0..{classes - 1}, the classes of logits, or {VOID}, got {labels.unique().tolist()}"
        )
    probabilities = logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(dim=1)
    truth = F.one_hot(labels.where(scored, 0), classes).movedim(3, 1)
    return probabilities, truth.to(probabilities.dtype), scored.to(probabilities.dtype)
