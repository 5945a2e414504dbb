"""The seed loss and the boundary loss against loops over pixels, with gradients in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from segstudy.papers.dgcn import balanced_seed_loss, boundary_loss, floored_softmax

VOID = 255


def maps(seed=0, batch=2, classes=4, side=3):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, classes, side, side, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, classes, (batch, side, side), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.3] = VOID
    return logits, labels


def seed_loss_by_loops(probabilities, labels, balanced):
    per_picture = []
    for picture, label in zip(probabilities.numpy(), labels.numpy(), strict=True):
        terms = {"object": [], "background": []}
        for r, c in np.ndindex(label.shape):
            if label[r, c] != VOID:
                kind = "background" if label[r, c] == 0 else "object"
                terms[kind].append(-math.log(picture[label[r, c], r, c]))
        if not balanced:
            terms = {"all": terms["object"] + terms["background"]}
        per_picture.append(sum(sum(values) / max(len(values), 1) for values in terms.values()))
    return np.mean(per_picture)


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_seed_loss_is_equation_4(seed, balanced):
    logits, labels = maps(seed)
    if seed == 3:
        labels[0] = VOID  # a picture without a label
    probabilities = floored_softmax(logits)
    assert float(balanced_seed_loss(probabilities, labels, balanced)) == pytest.approx(
        seed_loss_by_loops(probabilities, labels, balanced), rel=1e-12
    )


def test_the_balanced_loss_of_four_pixels_by_hand():
    # one object at H = 1/2, three of the background at 1/4: log 2 + log 4, and without balance (log 2 + 3 log 4) / 4
    probabilities = torch.tensor([[[[0.5, 0.25], [0.25, 0.25]], [[0.5, 0.75], [0.75, 0.75]]]]).double()
    labels = torch.tensor([[[1, 0], [0, 0]]])
    assert float(balanced_seed_loss(probabilities, labels)) == pytest.approx(3 * math.log(2))
    assert float(balanced_seed_loss(probabilities, labels, balanced=False)) == pytest.approx(
        7 / 4 * math.log(2)
    )


def test_the_boundary_loss_is_equation_5_and_zero_where_nothing_is_refined():
    logits, _ = maps()
    probabilities, refined = floored_softmax(logits), floored_softmax(maps(1)[0])
    p, q = probabilities.numpy(), refined.numpy()
    expected = np.mean(np.sum(q * np.log(q / p), axis=1))
    assert float(boundary_loss(probabilities, refined)) == pytest.approx(expected, rel=1e-6)
    assert float(boundary_loss(probabilities, probabilities)) == pytest.approx(0, abs=1e-12)
    assert float(boundary_loss(probabilities, refined)) > 0  # a divergence


def test_dsrg_s_variants_bound_the_ratio_and_let_a_gradient_through():
    p = torch.tensor([1e-3, 1 - 1e-3]).double().view(1, 2, 1, 1).requires_grad_()
    q = torch.tensor([0.9, 0.1]).double().view(1, 2, 1, 1)
    bounded = boundary_loss(p, q, ratios=(0.05, 20.0))
    ratios = np.clip([0.9 / 1e-3, 0.1 / (1 - 1e-3)], 0.05, 20)
    assert float(bounded.detach()) == pytest.approx(
        0.9 * math.log(ratios[0]) + 0.1 * math.log(ratios[1]), rel=1e-3
    )
    (plain,) = torch.autograd.grad(boundary_loss(p, q), p)
    (through,) = torch.autograd.grad(boundary_loss(p, q, through=True), p)
    torch.testing.assert_close(plain, -q / p.detach())
    slope = (q / p.detach()).log() + 1  # of q log(q / p) with respect to q
    torch.testing.assert_close(through, plain + (1 - q) * slope)


def test_gradients_are_exact_and_nothing_flows_into_the_crf():
    logits, labels = maps(2)
    logits.requires_grad_()
    refined = floored_softmax(maps(3)[0]).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: balanced_seed_loss(floored_softmax(x), labels), logits)
    assert torch.autograd.gradcheck(lambda x: boundary_loss(floored_softmax(x), refined.detach()), logits)
    boundary_loss(floored_softmax(logits), refined).backward()
    assert refined.grad is None and logits.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sure_and_wrong_stays_finite(dtype):
    logits = torch.tensor([[200.0, -200.0]]).view(1, 2, 1, 1).to(dtype).requires_grad_()
    loss = balanced_seed_loss(floored_softmax(logits), torch.ones(1, 1, 1, dtype=torch.int64))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()


def test_what_cannot_be_a_label_is_refused():
    logits, labels = maps()
    probabilities = floored_softmax(logits)
    with pytest.raises(ValueError, match="labels must be 0 to 3"):
        balanced_seed_loss(probabilities, torch.full_like(labels, 4))
    with pytest.raises(ValueError, match="labels must be"):
        balanced_seed_loss(probabilities, labels[:1])
    with pytest.raises(ValueError, match="refined"):
        boundary_loss(probabilities, probabilities[:1])
    assert float(balanced_seed_loss(probabilities, torch.full_like(labels, VOID))) == 0
