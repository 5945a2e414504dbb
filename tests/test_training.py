"""The training loop: it learns, it stops and goes on bit for bit, and it leaves everybody else's randomness alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from segstudy import training
from segstudy.datasets.augmentation import Augmentation, Batches
from segstudy.nn import UNet, predict_probabilities
from segstudy.training import cross_entropy_dice, train

adam = partial(torch.optim.Adam, lr=0.01)


def pairs(count: int = 4, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures of a bright square (1) and a dark bar (2) on grey noise."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        labels = np.zeros((32, 32), dtype=np.uint8)
        row, column = rng.integers(2, 16, size=2)
        labels[row : row + 10, column : column + 10] = 1
        labels[26:30, :] = 2
        image = np.array([120, 220, 20])[labels][..., None] + rng.normal(0, 10, (32, 32, 3))
        made.append((image.clip(0, 255).astype(np.uint8), labels))
    return made


class Dropping(nn.Module):
    """A small network with all that has a state: batch statistics, and a layer that draws."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.Dropout(0.3),
                nn.Conv2d(8, 3, 1),
            )

    def forward(self, images):
        return self.layers(images)


def bits(model: nn.Module) -> list[bytes]:
    return [value.numpy().tobytes() for value in model.state_dict().values()]


def fit(epochs: int = 4, model: nn.Module | None = None, **options):
    model = Dropping() if model is None else model
    batches = options.pop("batches", Batches(pairs(), 2, seed=3, augment=Augmentation()))
    return model, train(model, batches, cross_entropy_dice, adam, epochs, **options)


# Learning -----------------------------------------------------------------------------------------------------------


def test_a_tiny_unet_learns_one_batch_by_heart():
    data = pairs(2)
    model = UNet(3, 3, width=8)
    _, history = fit(60, model, batches=Batches(data, 2, seed=0))
    assert history.losses[-1] < 0.1 * history.losses[0]
    assert (
        len(history.losses) == len(history.seconds) == 60 and not history.scores and history.best_epoch == 59
    )
    for image, labels in data:
        assert (predict_probabilities(model, image).argmax(2) == labels).mean() > 0.98
    assert not model.training


def test_the_loop_is_the_textbook_loop():
    model, history = fit(3, schedule=lambda epoch: 0.5**epoch, batches=(data := Batches(pairs(), 2, seed=3)))
    expected = Dropping()
    optimiser, losses = adam(expected.parameters()), []
    state = torch.get_rng_state()
    for epoch in range(3):
        torch.manual_seed(int(np.random.SeedSequence((0, epoch, 0)).generate_state(1)[0]))
        optimiser.param_groups[0]["lr"] = 0.01 * 0.5**epoch
        for images, labels in data(epoch):
            value = cross_entropy_dice(expected(images), labels)
            losses.append(value.item())
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
    torch.set_rng_state(state)
    assert bits(model) == bits(expected)
    assert history.losses == pytest.approx(np.reshape(losses, (3, 2)).mean(1), rel=1e-12)


def test_the_best_epochs_weights_are_restored():
    kept, scores = [], [0.2, 0.7, 0.5, 0.7, 0.1]

    def validate(model):
        assert not model.training and not torch.is_grad_enabled()
        kept.append(bits(model))
        return scores[len(kept) - 1]

    model, history = fit(5, validate=validate)
    assert history.best_epoch == 1 and history.scores == scores  # the first of equal ones
    assert bits(model) == kept[1] and kept[1] not in (kept[3], kept[4])


def test_without_validation_the_last_weights_stay():
    assert bits(fit(3)[0]) == bits(fit(3, validate=lambda model: 1.0 + len(calls.append(0) or calls))[0])


calls: list[int] = []  # a score that rises with every call


# Randomness ---------------------------------------------------------------------------------------------------------


def test_a_run_depends_on_its_seed_and_on_no_global_state():
    torch.manual_seed(11)
    first = fit(2)
    torch.manual_seed(12)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    second = fit(2)
    assert bits(first[0]) == bits(second[0]) and first[1].losses == second[1].losses
    assert bits(fit(2, seed=1)[0]) != bits(first[0])  # dropout
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert not torch.backends.cudnn.deterministic


# Checkpoints --------------------------------------------------------------------------------------------------------


class Stop(Exception):
    pass


def stop_in(epoch: int, batches: Batches):
    """Return batches that fail within an epoch, as a power cut would."""

    def stopping(number):
        if number == epoch:
            yield next(iter(batches(number)))
            raise Stop
        yield from batches(number)

    return stopping


@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path, monkeypatch, epoch):
    monkeypatch.setattr(training, "CHECKPOINT_PERIOD", 0.0)
    data, held_out = Batches(pairs(), 2, seed=3, augment=Augmentation()), torch.randn(1, 3, 32, 32)
    options = {"validate": lambda model: -model(held_out).abs().mean(), "schedule": lambda e: 0.9**e}
    whole, expected = fit(5, batches=data, **options)
    file = tmp_path / "new" / "run.pt"
    with pytest.raises(Stop):
        fit(5, batches=stop_in(epoch, data), checkpoint=file, **options)
    assert [path.name for path in file.parent.iterdir()] == ["run.pt"]
    torch.rand(7)
    resumed, history = fit(5, batches=data, checkpoint=file, **options)
    assert bits(resumed) == bits(whole)
    assert (history.losses, history.scores) == (expected.losses, expected.scores)
    again, finished = fit(5, batches=stop_in(0, data), checkpoint=file, **options)  # nothing is left to do
    assert bits(again) == bits(whole) and finished == history


def test_checkpoints_are_rare_and_the_last_is_written(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        training._State, "save", lambda state, path: written.append(len(state.history.losses))
    )
    fit(6, checkpoint=tmp_path / "run.pt")
    assert written == [6]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    file = tmp_path / "run.pt"
    fit(2, checkpoint=file)
    for options, words in [
        ({"seed": 5}, "2 epochs with seed 0, not 3 with seed 5"),
        ({"epochs": 1}, "not 1 with"),
    ]:
        with pytest.raises(ValueError, match=words):
            fit(**({"epochs": 3, "checkpoint": file} | options))


def test_a_failed_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    file = tmp_path / "run.pt"
    fit(1, checkpoint=file)
    content = file.read_bytes()

    def half(state, path):
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        fit(2, checkpoint=file)
    assert file.read_bytes() == content


# What goes wrong, and what is shown -------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_is_refused_before_it_reaches_the_weights():
    model, seen = Dropping(), []

    def loss(logits, labels):
        seen.append(bits(model)[0])
        return logits.mean() * (torch.nan if len(seen) == 4 else 1.0)  # two steps an epoch

    with pytest.raises(FloatingPointError, match="loss is nan at epoch 1, step 1: look for nan"):
        train(model, Batches(pairs(), 2, seed=0), loss, adam, 3)
    assert bits(model)[0] == seen[-1]
    with pytest.raises(FloatingPointError, match=r"validate\(model\) returned nan after epoch 0"):
        fit(2, validate=lambda model: float("nan"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"precision": "16-mixed"}, "precision must be one of .*got '16-mixed'"),
        ({"batches": lambda epoch: []}, r"batches\(0\) gave fewer batches than"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        fit(**options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="device is 'cuda:1', but torch sees no GPU"):
        fit(device="cuda:1")


def test_progress_is_told(tmp_path, monkeypatch):
    file = tmp_path / "progress.json"
    monkeypatch.setenv("SEGSTUDY_PROGRESS", str(file))
    _, history = fit(3, label="U-Net: epoch")
    told = json.loads(file.read_text())
    assert (told["label"], told["done"], told["total"]) == ("U-Net: epoch", 2, 3)
    assert told["detail"] == f"loss {history.losses[1]:.3g}"


def test_bfloat16_is_close_to_float32():
    exact, mixed = fit(2)[1].losses, fit(2, precision="bf16-mixed")[1].losses
    assert mixed != exact
    assert mixed == pytest.approx(exact, rel=0.02)


def test_importing_waits_for_lightning():
    code = "import sys, segstudy.training, segstudy.nn; print({'lightning_fabric', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Several processes --------------------------------------------------------------------------------------------------

TASK = """
import torch
from segstudy.training import train

def run(fabric, folder):
    size = 4 // fabric.world_size
    model = torch.nn.Linear(3, 1)
    with torch.no_grad():
        model.weight.fill_(0.1 * (1 + fabric.global_rank))  # the first process's weights count
        model.bias.zero_()
    def batches(epoch):
        for start in range(0, 12 if size == 4 else 13, size):  # two processes drop the 13th row
            rows = torch.arange(start, min(start + size, 13))[:, None] / 13
            yield torch.cat([rows, rows**2, rows.cos()], dim=1), rows.sin() + epoch
    def validate(model):
        return -model.weight.sum().item() * (1 + fabric.global_rank)
    history = train(model, batches, torch.nn.functional.mse_loss, lambda p: torch.optim.SGD(p, 0.1), 3,
                    validate=validate, fabric=fabric)
    with open(f"{folder}/{fabric.world_size}-{fabric.global_rank}", "w") as file:
        print(*history.losses, *history.scores, *model.weight[0].tolist(), file=file)
"""
LAUNCH = """
import sys
from lightning_fabric import Fabric
Fabric(accelerator="cpu", devices=2, strategy="ddp_fork").launch(run, sys.argv[1])
"""


def test_two_processes_train_as_one_with_batches_twice_as_large(tmp_path):
    script = tmp_path / "two_processes.py"
    script.write_text(TASK + LAUNCH)
    root = str(Path(__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, script, tmp_path]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    namespace: dict = {}
    exec(TASK, namespace)
    namespace["run"](training._make_fabric("cpu", "32-true"), tmp_path)
    one, first, second = (np.loadtxt(tmp_path / name) for name in ("1-0", "2-0", "2-1"))
    np.testing.assert_allclose(first, one, rtol=1e-5)
    np.testing.assert_array_equal(first, second)


# The loss -----------------------------------------------------------------------------------------------------------


def by_hand(logits: np.ndarray, labels: np.ndarray, ignore: int, weights: np.ndarray) -> float:
    """The docstring's formula, a pixel at a time."""
    classes = logits.shape[1]
    both, predicted, true = np.zeros((3, classes))
    entropy = total = 0.0
    for n, row, column in np.ndindex(labels.shape):
        label = labels[n, row, column]
        if label == ignore:
            continue
        e = np.exp(logits[n, :, row, column])
        p = e / e.sum()
        entropy -= weights[label] * np.log(p[label])
        total += weights[label]
        predicted += p
        both[label] += p[label]
        true[label] += 1
    return entropy / total + 1 - np.mean((2 * both + 1) / (predicted + true + 1))


@pytest.mark.parametrize("ignore", [255, 0, -1])
def test_the_loss_is_its_formula(rng, ignore):
    logits, labels = rng.normal(size=(2, 4, 5, 3)) * 2, rng.integers(0, 3, (2, 5, 3))  # class 3 is absent
    labels[0, :2], weights = ignore, np.array([1.0, 0.2, 3.0, 1.0])
    tensors = torch.from_numpy(logits), torch.from_numpy(labels)
    found = cross_entropy_dice(*tensors, ignore_index=ignore)
    assert found.item() == pytest.approx(by_hand(logits, labels, ignore, np.ones(4)), rel=1e-12)
    weighted = cross_entropy_dice(*tensors, ignore_index=ignore, weights=torch.from_numpy(weights))
    assert weighted.item() == pytest.approx(by_hand(logits, labels, ignore, weights), rel=1e-12)
    # torch's own cross-entropy, for the difference that weights make
    theirs = [
        functional.cross_entropy(*tensors, ignore_index=ignore, weight=w)
        for w in (torch.tensor(weights), None)
    ]
    assert (weighted - found).item() == pytest.approx((theirs[0] - theirs[1]).item(), rel=1e-10)


def test_the_loss_of_four_pixels():
    # Even odds everywhere, two pixels of each class: cross-entropy log 2, each Dice (2 * 1 + 1) / (2 + 2 + 1) = 0.6.
    labels = torch.tensor([[[0, 1], [1, 0]]])
    assert cross_entropy_dice(torch.zeros(1, 2, 2, 2), labels).item() == pytest.approx(np.log(2) + 0.4)
    sure = 50.0 * functional.one_hot(labels, 2).permute(0, 3, 1, 2)
    assert cross_entropy_dice(sure, labels).item() == pytest.approx(0, abs=1e-6)


def test_pixels_that_are_not_scored_have_no_say(rng):
    logits = torch.from_numpy(rng.normal(size=(1, 3, 4, 4))).requires_grad_()
    labels = torch.from_numpy(rng.integers(0, 3, (1, 4, 4)))
    labels[0, 1:3] = 255
    (gradient,) = torch.autograd.grad(cross_entropy_dice(logits, labels), logits)
    assert not gradient[:, :, 1:3].any() and gradient[:, :, [0, 3]].all()
    cut = cross_entropy_dice(logits[:, :, [0, 3]], labels[:, [0, 3]])
    torch.testing.assert_close(cross_entropy_dice(logits, labels), cut)
    nothing = cross_entropy_dice(logits, torch.full_like(labels, 255))
    nothing.backward()
    assert nothing.item() == 0 and not logits.grad.any()


def test_the_gradient_of_the_loss(rng):
    logits = torch.from_numpy(rng.normal(size=(2, 3, 3, 2))).requires_grad_()
    labels = torch.from_numpy(rng.integers(0, 3, (2, 3, 2)))
    labels[1, 0, 0] = 255
    weights = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: cross_entropy_dice(x, labels, weights=weights), logits)


def test_the_loss_of_half_precision_is_float32(rng):
    logits = torch.from_numpy(rng.normal(size=(1, 3, 4, 4))).bfloat16()
    labels = torch.from_numpy(rng.integers(0, 3, (1, 4, 4)))
    found = cross_entropy_dice(logits, labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, cross_entropy_dice(logits.float(), labels), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        ((1, 3, 4, 4), torch.zeros(1, 4, 5), r"logits must be.*\(1, 3, 4, 4\) and \(1, 4, 5\)"),
        ((3, 4, 4), torch.zeros(4, 4), "logits must be"),
        ((1, 3, 2, 2), torch.full((1, 2, 2), 3), r"labels must be 0..2 or 255.*got \[3\]"),
        ((1, 3, 2, 2), torch.full((1, 2, 2), -1), r"got \[-1\]"),
    ],
)
def test_labels_that_do_not_fit_the_logits_are_named(logits, labels, words):
    with pytest.raises(ValueError, match=words):
        cross_entropy_dice(torch.zeros(logits), labels.long())
