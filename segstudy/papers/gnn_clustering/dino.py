"""DINO: a network that teaches itself, without labels (the slides' "Feature Extraction With DINO").

Caron et al., Emerging Properties in Self-Supervised Vision Transformers, ICCV 2021. A student and a teacher, equal at
first, see two views of a picture; the student learns to say of one view what the teacher says of the other, and the
teacher follows the student as a moving average. Nothing forbids that both say the same of every picture: centring
keeps one output from winning everywhere, sharpening (the teacher's low temperature) keeps all outputs from being
equally likely; each alone ends in the other's collapse. :func:`output_entropies` tells the two apart, and
`segstudy.papers.gnn_clustering.dino_training` keeps them for every step.

| slides | here |
|---|---|
| p_t, p_s (t1, t2, s1, s2) | `teacher`, `student`: (2, N, K) logits, first view and second view |
| C | `centre`, moved by :func:`update_centre`, or by :func:`balance_centre`, which is ours |
| tmp_t, tmp_s (which the slides call the teacher's too) | `teacher_temperature`, `student_temperature` |
| l, m | `momentum`, `centre_momentum` |
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROUNDS = 3  # of balancing, as in DINOv2: what they leave to do is done in the next steps, which start from this centre


def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    student_temperature: float = 0.1,
    teacher_temperature: float = 0.04,
) -> Tensor:
    r"""Return the cross-entropy between the teacher's outputs and the student's, for either view from the other.

    For one pair of logits the slides have

    .. math::
        L(p_t, p_s) = -\operatorname{softmax}\!\left(\frac{p_t - C}{tmp_t}\right) \cdot
            \log \operatorname{softmax}\!\left(\frac{p_s}{tmp_s}\right),

    a sum over the K outputs, meant over the batch; and the loss of a batch is
    :math:`\frac{1}{2} L(t_1, s_2) + \frac{1}{2} L(t_2, s_1)`. No gradient reaches the teacher.

    Parameters
    ----------
    student, teacher : (2, N, K) Tensor
        Logits of the first and of the second view; half precision is computed in float32.
    centre : (K,) Tensor
        C; zeros switch centring off.
    student_temperature, teacher_temperature : float
        Above 0. The teacher's is the lower one: its outputs are sharper.

    Returns
    -------
    () Tensor

    Raises
    ------
    ValueError
        Shapes do not match, or a temperature is not above 0.
    """
    if student.ndim != 3 or len(student) != 2 or student.shape != teacher.shape:
        shapes = f"{tuple(student.shape)} and {tuple(teacher.shape)}"
        raise ValueError(f"student and teacher must both be (2, N, K), got {shapes}")
    if centre.shape != student.shape[2:]:
        raise ValueError(
            f"centre must have a number for each of {student.shape[2]} outputs, got {centre.shape}"
        )
    if min(student_temperature, teacher_temperature) <= 0:
        both = f"{student_temperature!r} and {teacher_temperature!r}"
        raise ValueError(f"student_temperature and teacher_temperature must be above 0, got {both}")
    target = teacher_outputs(teacher, centre, teacher_temperature)
    log_p = (at_least_float32(student) / student_temperature).log_softmax(dim=2)
    return -(target * log_p.flip(0)).sum(dim=2).mean()  # the mean over both views is the slides' 0.5 and 0.5


def teacher_outputs(teacher: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Return softmax((p_t - C) / tmp_t), over the last dimension and without a gradient."""
    return ((at_least_float32(teacher.detach()) - centre) / temperature).softmax(dim=-1)


def at_least_float32(values: Tensor) -> Tensor:
    """Return half precision as float32, and anything else as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    r"""Move the teacher's weights towards the student's: :math:`\theta_t \leftarrow l \theta_t + (1 - l) \theta_s`.

    Parameters
    ----------
    teacher, student : Module
        Of the same parameters; the teacher's change in place.
    momentum : float
        l, from 0 (a copy of the student) to 1 (nothing changes).

    Raises
    ------
    ValueError
        `momentum` is outside 0..1.
    """
    require_share("momentum", momentum)
    for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
        old.mul_(momentum).add_(new, alpha=1 - momentum)


def update_centre(centre: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    r"""Return :math:`m C + (1 - m) \operatorname{mean}(\operatorname{cat}(t_1, t_2))`.

    Parameters
    ----------
    centre : (K,) Tensor
        C.
    teacher : (2, N, K) Tensor
        The teacher's logits t1 and t2.
    momentum : float
        m, from 0 to 1.

    Returns
    -------
    (K,) Tensor

    Raises
    ------
    ValueError
        `momentum` is outside 0..1.
    """
    require_share("centre_momentum", momentum)
    return momentum * centre + (1 - momentum) * at_least_float32(teacher.detach()).mean(dim=(0, 1))


@torch.no_grad()
def balance_centre(centre: Tensor, teacher: Tensor, momentum: float, temperature: float) -> Tensor:
    r"""Move the centre towards the one at which every output is equally likely in the mean over the batch.

    Taking the mean logit away does not keep a few outputs from winning: that asks for equal means of the softmax, not
    of the logits. In each of three rounds

    .. math::
        C^* \leftarrow C^* + tmp_t \log\!\left(K \operatorname{mean} \operatorname{softmax}\!\left(
            \frac{p_t - C^*}{tmp_t}\right)\right),

    from C on, which is a step of Sinkhorn and Knopp's algorithm, written for the logits; then
    :math:`m C + (1 - m) C^*`, as in the slides. DINOv2 (Oquab et al. 2023) has the algorithm in place of a centre, for
    each batch afresh; here it only says where the centre moves.

    Parameters
    ----------
    centre : (K,) Tensor
        C.
    teacher : (2, N, K) Tensor
        The teacher's logits t1 and t2.
    momentum : float
        m, from 0 to 1.
    temperature : float
        The teacher's, above 0.

    Returns
    -------
    (K,) Tensor
        Of mean 0 where `centre` has it: what all logits share changes nothing.

    Raises
    ------
    ValueError
        `momentum` is outside 0..1.
    """
    require_share("centre_momentum", momentum)
    target, outputs = centre, len(centre)
    for _ in range(ROUNDS):
        shares = teacher_outputs(teacher, target, temperature).mean(dim=(0, 1))
        # An output that no picture chooses has a share of 0: no more than 14 temperatures in a round.
        target = target + temperature * (outputs * shares).clamp(min=1e-6).log()
    return momentum * centre + (1 - momentum) * (target - target.mean())


def output_entropies(outputs: Tensor) -> tuple[float, float]:
    r"""Return the mean entropy of the outputs and the entropy of the mean output, in nats.

    Each lies between 0 and :math:`\log K`. Collapse to one output: both are 0. Collapse to equal outputs: both are
    :math:`\log K`. Without collapse the second is the larger: different pictures get different outputs.

    Parameters
    ----------
    outputs : (..., K) Tensor
        Rows sum to 1.
    """
    rows = outputs.flatten(0, -2)
    return float(torch.special.entr(rows).sum(1).mean()), float(torch.special.entr(rows.mean(0)).sum())


def require_share(name: str, value: float) -> None:
    """Raise a ValueError where a number that should be between 0 and 1 is not."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value!r}")
