"""The study's one training loop, its checkpoints, and the loss of the networks that label pixels.

Lightning Fabric takes care of the device, of mixed precision and of several GPUs; the loop itself is `train` and
`_epoch`. Everything random in epoch e is derived from (seed, e), so that a run that was interrupted goes on exactly as
if it had not been: nothing but weights, the optimiser's state and the history has to be kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.files import written_aside
from segstudy.progress import note, pulse, track

CHECKPOINT_PERIOD = 30.0  # seconds between two checkpoints: a wide U-Net's takes half a gigabyte
PRECISIONS = ("32-true", "bf16-mixed")  # float16 would need a loss scale, another state to resume exactly


@dataclass
class History:
    """What happened in each epoch; `scores` is empty where nothing validates.

    Parameters
    ----------
    losses : list of float
        Mean over the epoch's steps, each measured before its step.
    scores : list of float
        Of the weights after the epoch.
    seconds : list of float
        Wall-clock time of the epoch, validation included, in the run that computed it.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The first epoch, from 0, of the highest score; the last one where nothing validates."""
        return self.scores.index(max(self.scores)) if self.scores else len(self.losses) - 1


def train(
    model: nn.Module,
    batches: Callable[[int], Iterable[tuple[Any, Any]]],
    loss: Callable[[Any, Any], Tensor],
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
    epochs: int,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    schedule: Callable[[int], float] | None = None,
    device: str = "cpu",
    precision: str = "32-true",
    seed: int = 0,
    checkpoint: Path | None = None,
    label: str = "training",
    fabric: Any = None,
) -> History:
    """Train a network and leave in it the weights of the best epoch.

    The same seed, machine and number of threads give the same weights bit for bit on a CPU. On a GPU cuDNN is asked for
    its deterministic algorithms; `torch.use_deterministic_algorithms` is left to the caller: some layers raise.

    Parameters
    ----------
    model : Module
        Trained in place; ends on `device`, in evaluation mode.
    batches : callable
        `batches(epoch)` yields pairs (inputs, targets) of tensors, or of nested lists of them, and depends on nothing
        but the epoch: see `segstudy.datasets.augmentation.Batches`.
    loss : callable
        `loss(model(inputs), targets)` returns a scalar tensor.
    optimiser : callable
        Makes the optimiser, for example ``partial(torch.optim.Adam, lr=2e-3)``.
    epochs : int
    validate : callable, optional
        `validate(model)` returns a score, higher is better; called after each epoch without gradients and in
        evaluation mode. Without it the weights of the last epoch are the best.
    schedule : callable, optional
        `schedule(epoch)` is what the optimiser's learning rates are multiplied with.
    device : str
        As torch names it: "cpu", "cuda", "cuda:1".
    precision : "32-true" or "bf16-mixed"
    seed : int
        For layers that draw, such as dropout. The global random state is put back afterwards.
    checkpoint : Path, optional
        Kept at most twice a minute and at the end. A run goes on from an existing one.
    label : str
        What the progress display shows.
    fabric : lightning_fabric.Fabric, optional
        For several GPUs: made and launched by the caller, its device and precision instead of those above. Each
        process takes its share of the batches; an incomplete last round is dropped.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        The loss or the score is not finite; the message names the epoch and the step, from 0.
    ValueError
        An option is unknown, an epoch has no batch, or the checkpoint is of another run.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    fabric = fabric or _make_fabric(device, precision)
    wrapped, steps = fabric.setup(model, optimiser(model.parameters()))
    rates = [group["lr"] for group in steps.param_groups]
    state = _State(model, steps, seed)
    if checkpoint is not None and Path(checkpoint).is_file():
        state.load(Path(checkpoint), epochs, fabric.device)
    history, saved = state.history, time.monotonic()
    with _own_randomness(fabric.device):
        for epoch in _shown(range(len(history.losses), epochs), label, epochs, history, fabric):
            started = time.perf_counter()
            _reseed(fabric.device, (seed, epoch, fabric.global_rank))
            for group, rate in zip(steps.param_groups, rates, strict=True):
                group["lr"] = rate * (schedule(epoch) if schedule else 1.0)
            history.losses.append(_epoch(fabric, wrapped, steps, loss, batches(epoch), epoch))
            if validate is not None:
                history.scores.append(fabric.broadcast(_score(model, validate, epoch)))
            history.seconds.append(time.perf_counter() - started)
            if history.best_epoch == epoch:
                state.best = {name: value.cpu().clone() for name, value in model.state_dict().items()}
            due = epoch == epochs - 1 or time.monotonic() - saved >= CHECKPOINT_PERIOD
            if checkpoint is not None and due and fabric.is_global_zero:
                state.save(Path(checkpoint))
                saved = time.monotonic()
    model.load_state_dict(fabric.broadcast(state.best))
    model.eval()
    return history


def _epoch(fabric: Any, model: Any, optimiser: Any, loss: Any, batches: Iterable[Any], epoch: int) -> float:
    """Take one step for each batch and return the mean loss; model and optimiser are Fabric's."""
    model.train()
    rank, world = fabric.global_rank, fabric.world_size
    shares = (batch[rank] for batch in zip(*[iter(batches)] * world, strict=False))
    losses = []
    for step, (inputs, targets) in enumerate(shares):
        value = loss(model(fabric.to_device(inputs)), fabric.to_device(targets))
        losses.append(fabric.all_reduce(value.detach().clone()).item())
        if not math.isfinite(losses[-1]):
            advice = "look for nan or inf in that batch, or lower the learning rate"
            raise FloatingPointError(f"the loss is {losses[-1]} at epoch {epoch}, step {step}: {advice}")
        optimiser.zero_grad()
        fabric.backward(value)
        optimiser.step()
        pulse()
    if not losses:
        raise ValueError(f"batches({epoch}) gave fewer batches than there are processes ({world})")
    return sum(losses) / len(losses)


@torch.no_grad()
def _score(model: nn.Module, validate: Callable[[nn.Module], float], epoch: int) -> float:
    model.eval()
    score = float(validate(model))
    if not math.isfinite(score):
        raise FloatingPointError(f"validate(model) returned {score} after epoch {epoch}, no finite number")
    return score


def _make_fabric(device: str, precision: str) -> Any:
    from lightning_fabric import Fabric

    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, got {precision!r}")
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f'device is {device!r}, but torch sees no GPU here: use device="cpu"')
    devices = 1 if place.index is None or place.type == "cpu" else [place.index]
    return Fabric(accelerator=place.type, devices=devices, precision=precision)


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    """Put the global random state and cuDNN's settings back at the end."""
    before = torch.backends.cudnn.deterministic
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.backends.cudnn.deterministic = True
        try:
            yield
        finally:
            torch.backends.cudnn.deterministic = before


def _reseed(device: torch.device, key: tuple[int, int, int]) -> None:
    """Seed the generators that layers draw from, the CPU's and the device's, and no other."""
    number = int(np.random.SeedSequence(key).generate_state(1)[0])
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(number)


def _shown(todo: range, label: str, epochs: int, history: History, fabric: Any) -> Iterator[int]:
    """Yield the epochs and tell how far the first process is."""
    for epoch in track(todo, label) if fabric.is_global_zero else todo:
        if history.losses and fabric.is_global_zero:
            note(label, epoch, epochs, f"loss {history.losses[-1]:.3g}")
        yield epoch


@dataclass
class _State:
    """What a run needs to go on."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    seed: int
    history: History = field(default_factory=History)
    best: dict[str, Tensor] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the state aside and rename it: there is never half a checkpoint."""
        kept = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), "seed": self.seed}
        with written_aside(path) as aside:
            torch.save(kept | {"history": asdict(self.history), "best": self.best}, aside)

    def load(self, path: Path, epochs: int, device: torch.device) -> None:
        """Go on from a checkpoint."""
        kept = torch.load(path, map_location=device, weights_only=True)
        done = len(kept["history"]["losses"])
        if kept["seed"] != self.seed or done > epochs:
            kind = f"{done} epochs with seed {kept['seed']}, not {epochs} with seed {self.seed}"
            raise ValueError(f"checkpoint {path} is of another run ({kind}): name another file, or remove it")
        self.model.load_state_dict(kept["model"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.history, self.best = History(**kept["history"]), kept["best"]


def cross_entropy_dice(
    logits: Tensor, labels: Tensor, ignore_index: int = 255, weights: Tensor | None = None
) -> Tensor:
    r"""Return cross-entropy plus one minus the soft Dice coefficient, over the scored pixels of a batch.

    With probabilities :math:`p_{ic}`, truth :math:`y_{ic}` (0 or 1), class weights :math:`w_c` (1 without `weights`)
    and C classes,

    .. math::
        L = -\frac{\sum_{ic} w_c\, y_{ic} \log p_{ic}}{\sum_{ic} w_c\, y_{ic}}
            + 1 - \frac{1}{C} \sum_c \frac{2 \sum_i p_{ic} y_{ic} + 1}{\sum_i p_{ic} + \sum_i y_{ic} + 1}.

    Cross-entropy counts pixels, so a class of few pixels hardly moves it; Dice counts classes. The ones, a pixel each,
    are for classes that the batch lacks: their term falls as soon as they are predicted. Sums over a one-hot truth, in
    place of torch's indexed loss, add up in a fixed order on a GPU too.

    Parameters
    ----------
    logits : (N, C, H, W) Tensor
        Half precision is computed in float32.
    labels : (N, H, W) int64 Tensor
        0..C-1, or `ignore_index` where nothing is scored.
    ignore_index : int
    weights : (C,) Tensor, optional
        For the cross-entropy.

    Returns
    -------
    () Tensor
        0 where no pixel is scored.

    Raises
    ------
    ValueError
        The shapes do not match, or a label is outside its range.
    """
    classes = logits.shape[1] if logits.ndim == 4 else 0
    if not classes or labels.shape != (logits.shape[0], *logits.shape[2:]):
        shapes = f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"logits must be (N, C, H, W) and labels (N, H, W), got {shapes}")
    scored = labels != ignore_index
    if ((labels < 0) | (labels >= classes))[scored].any():
        found = labels.unique().tolist()
        raise ValueError(
            f"labels must be 0..{classes - 1} or {ignore_index}, the classes of logits, got {found}"
        )
    log_p = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=1)
    one_hot = labels[:, None] == torch.arange(classes, device=labels.device)[:, None, None]
    truth, p = (one_hot & scored[:, None]).to(log_p.dtype), log_p.exp() * scored[:, None]
    weighted = truth if weights is None else truth * weights.to(truth)[:, None, None]
    cross_entropy = -(weighted * log_p).sum() / weighted.sum().clamp(min=torch.finfo(truth.dtype).tiny)
    pixels = (0, 2, 3)  # of the whole batch: a class that one image lacks is not 0 / 0
    dice = (2 * (p * truth).sum(pixels) + 1) / (p.sum(pixels) + truth.sum(pixels) + 1)
    return cross_entropy + 1 - dice.mean()
