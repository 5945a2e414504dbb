"""The slides' loss, centring and moving average, against the same written with numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segstudy.papers.gnn_clustering.dino import (
    ROUNDS,
    balance_centre,
    dino_loss,
    output_entropies,
    teacher_outputs,
    update_centre,
    update_teacher,
)


def softmax(values):
    exponents = np.exp(values - values.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def slides_loss(p_t, p_s, centre, tmp_s, tmp_t):
    """The slides' L of one pair of views, a mean over the pictures."""
    return np.mean(
        [
            -np.sum(softmax((t - centre) / tmp_t) * np.log(softmax(s / tmp_s)))
            for t, s in zip(p_t, p_s, strict=True)
        ]
    )


@pytest.mark.parametrize(("tmp_s", "tmp_t"), [(0.1, 0.04), (1.0, 0.5)])
def test_the_loss_is_that_of_the_slides(rng, tmp_s, tmp_t):
    student, teacher, centre = rng.normal(size=(2, 5, 7)), rng.normal(size=(2, 5, 7)), rng.normal(size=7)
    t1, t2, s1, s2 = *teacher, *student
    expected = 0.5 * slides_loss(t1, s2, centre, tmp_s, tmp_t) + 0.5 * slides_loss(
        t2, s1, centre, tmp_s, tmp_t
    )
    ours = dino_loss(*map(torch.from_numpy, (student, teacher, centre)), tmp_s, tmp_t)
    assert ours.item() == pytest.approx(expected, rel=1e-12)


def test_the_default_temperatures_are_the_papers(rng):
    student, teacher, centre = (
        torch.from_numpy(rng.normal(size=(*shape, 3))) for shape in ((2, 4), (2, 4), ())
    )
    assert dino_loss(student, teacher, centre) == dino_loss(student, teacher, centre, 0.1, 0.04)


def test_a_loss_worked_by_hand():
    # Two outputs, temperatures 1: the teacher says (3/4, 1/4) of both views, the student (1/2, 1/2).
    teacher = torch.tensor([np.log(3), 0.0]).expand(2, 1, 2)
    assert dino_loss(torch.zeros(2, 1, 2), teacher, torch.zeros(2), 1.0, 1.0) == pytest.approx(np.log(2))
    # With the centre at the teacher's logits it says (1/2, 1/2); the student now says (3/4, 1/4).
    value = dino_loss(teacher, teacher, teacher[0, 0], 1.0, 1.0)
    assert value == pytest.approx(-0.5 * np.log(3 / 4) - 0.5 * np.log(1 / 4))


def test_each_view_is_compared_with_the_other():
    # Student and teacher agree on each view, but the views differ: only the crossed pairs see that.
    logits = torch.tensor([[[9.0, 0.0]], [[0.0, 9.0]]])
    assert dino_loss(logits, logits, torch.zeros(2), 1.0, 1.0) > 8
    assert dino_loss(logits.flip(0), logits, torch.zeros(2), 1.0, 1.0) < 0.01


def test_the_gradient_is_the_difference_of_the_outputs_and_spares_the_teacher(rng):
    student, teacher = (torch.from_numpy(rng.normal(size=(2, 3, 4))).requires_grad_() for _ in range(2))
    centre = torch.from_numpy(rng.normal(size=4)).requires_grad_()
    dino_loss(student, teacher, centre.detach(), 0.5, 0.2).backward()
    said = softmax((teacher.detach().numpy()[::-1] - centre.detach().numpy()) / 0.2)
    expected = (softmax(student.detach().numpy() / 0.5) - said) / 0.5 / 6  # of six rows, the mean
    np.testing.assert_allclose(student.grad, expected, atol=1e-12)
    assert teacher.grad is None


@given(st.integers(0, 2**32 - 1), st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_the_loss_is_at_least_the_teachers_entropy_and_ignores_what_all_logits_share(seed, shift):
    rng = np.random.default_rng(seed)
    student, teacher, centre = (
        torch.from_numpy(rng.normal(size=shape)) for shape in ((2, 3, 5), (2, 3, 5), 5)
    )
    value = dino_loss(student, teacher, centre, 0.7, 0.4)
    assert value >= output_entropies(teacher_outputs(teacher, centre, 0.4))[0] - 1e-9
    assert dino_loss(student + shift, teacher - shift, centre + shift, 0.7, 0.4) == pytest.approx(
        value.item()
    )


def test_half_precision_is_computed_in_float32(rng):
    student, teacher = (torch.from_numpy(rng.normal(size=(2, 3, 4))).bfloat16() for _ in range(2))
    found = dino_loss(student, teacher, torch.zeros(4))
    assert found.dtype == torch.float32
    assert found == dino_loss(student.float(), teacher.float(), torch.zeros(4))


def test_the_teacher_follows_by_hand():
    teacher, student = nn.Linear(1, 1), nn.Linear(1, 1)
    for module, (weight, bias) in ((teacher, (10.0, 1.0)), (student, (20.0, -1.0))):
        module.weight.data.fill_(weight)
        module.bias.data.fill_(bias)
    update_teacher(teacher, student, 0.9)  # 0.9 * 10 + 0.1 * 20, and 0.9 * 1 - 0.1 * 1
    assert (teacher.weight.item(), teacher.bias.item()) == (pytest.approx(11.0), pytest.approx(0.8))
    assert (student.weight.item(), student.bias.item()) == (20.0, -1.0)
    update_teacher(teacher, student, 0.0)
    assert teacher.weight.item() == 20.0


def test_the_teacher_needs_no_gradient_to_follow():
    teacher, student = nn.Linear(2, 2), nn.Linear(2, 2)
    update_teacher(teacher, student, 0.5)  # in place, on leaves that require one: only without autograd
    assert teacher.weight.grad_fn is None


def test_the_centre_follows_by_hand():
    first, second = torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([[5.0, 4.0], [7.0, 8.0]])
    found = update_centre(torch.tensor([10.0, 1.0]), torch.stack([first, second]), 0.75)
    assert found.tolist() == [0.75 * 10 + 0.25 * 4, 0.75 * 1 + 0.25 * 3]


def test_a_balanced_centre_by_hand():
    # Every picture says (3/4, 1/4) at temperature 2: a centre of 2 (ln 3, 0), less its mean, makes that (1/2, 1/2).
    teacher = torch.tensor([2 * np.log(3), 0.0]).float().expand(2, 5, 2)
    fair = torch.tensor([np.log(3), -np.log(3)]).float()
    torch.testing.assert_close(balance_centre(torch.zeros(2), teacher, 0.0, 2.0), fair)
    torch.testing.assert_close(balance_centre(torch.zeros(2), teacher, 0.75, 2.0), 0.25 * fair)


def test_balancing_is_sinkhorns(rng):
    logits, temperature = rng.normal(size=(2, 6, 4)), 0.5
    found = balance_centre(torch.zeros(4).double(), torch.from_numpy(logits), 0.0, temperature)
    rows = softmax(logits.reshape(12, 4) / temperature)
    for _ in range(ROUNDS):  # columns to equal sums, then rows to 1
        rows = rows / rows.sum(axis=0)
        rows = rows / rows.sum(axis=1, keepdims=True)
    ours = teacher_outputs(torch.from_numpy(logits), found, temperature).reshape(12, 4)
    np.testing.assert_allclose(ours, rows, atol=1e-12)


def test_the_mean_of_the_logits_does_not_balance_and_the_balanced_centre_does(rng):
    # Few pictures choose the first output, but surely: its mean logit is that of the second.
    logits = np.zeros((2, 50, 2))
    logits[:, :, 1] = np.where(np.arange(50) < 5, -9.0, 1.0)
    teacher = torch.from_numpy(logits)
    mean, centre = update_centre(torch.zeros(2), teacher, 0.0), torch.zeros(2)
    for _ in range(20):
        centre = balance_centre(centre, teacher, 0.5, 1.0)
    shares = [teacher_outputs(teacher, c, 1.0).mean(dim=(0, 1))[1].item() for c in (mean, centre)]
    assert shares[0] > 0.6 and shares[1] == pytest.approx(0.5, abs=0.02)


def test_an_output_that_no_picture_chooses_is_helped_and_nothing_is_infinite():
    teacher = torch.tensor([0.0, 0.0, -1000.0]).expand(2, 3, 3)
    found = balance_centre(torch.zeros(3), teacher, 0.9, 0.04)
    assert found.isfinite().all() and found[2] < found[0] == found[1]


def test_the_entropies_tell_the_collapses_apart():
    one, equal, apart = torch.eye(4)[[2, 2, 2, 2]], torch.full((4, 4), 0.25), torch.eye(4)
    most = pytest.approx(np.log(4))
    assert output_entropies(one) == (0, 0)
    assert output_entropies(equal) == (most, most)
    assert output_entropies(apart) == (0, most)
    assert output_entropies(apart.reshape(2, 2, 4)) == (0, most)


def test_bad_input_is_named():
    logits = torch.zeros(2, 3, 4)
    with pytest.raises(ValueError, match=r"student and teacher must both be \(2, N, K\)"):
        dino_loss(logits, logits[:, :2], torch.zeros(4))
    with pytest.raises(ValueError, match="student and teacher"):
        dino_loss(logits[:1], logits[:1], torch.zeros(4))
    with pytest.raises(ValueError, match="centre"):
        dino_loss(logits, logits, torch.zeros(1))
    with pytest.raises(ValueError, match="temperature"):
        dino_loss(logits, logits, torch.zeros(4), 0.1, 0.0)
    with pytest.raises(ValueError, match="momentum must be between 0 and 1, got 1.5"):
        update_teacher(nn.Linear(1, 1), nn.Linear(1, 1), 1.5)
    with pytest.raises(ValueError, match="centre_momentum"):
        update_centre(torch.zeros(4), logits, -0.1)
    with pytest.raises(ValueError, match="centre_momentum"):
        balance_centre(torch.zeros(4), logits, 1.1, 0.04)
