"""How SGSeg is trained: three schemes, the learning rates of its parts, and batches of pictures (section 3.6, A.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from segstudy.checkpoints import next_place
from segstudy.datasets.augmentation import Augmentation
from segstudy.datasets.resizing import resize_image
from segstudy.papers.sgseg.autoregressive import ORDERS
from segstudy.papers.sgseg.network import SGSeg, sgseg_loss
from segstudy.papers.sgseg.spnn_losses import spnn_loss
from segstudy.training import History, train

SCHEMES = ("disjoint", "end to end", "pre-trained")
SPNN_WEIGHTS = ("alpha", "beta", "eta", "lam")  # those of Eqs. 8 and 9 among the weights of the whole
# The colours change as IIC's do for COCO-Stuff; a fourth band is left alone.
JITTER = Augmentation(rotation=0, scale=0, translation=0, brightness=0.4, contrast=0.4, saturation=0.4)


class Rates(NamedTuple):
    """Learning rates of Adam for the three parts: Table 12, COCO-Stuff."""

    spnn: float = 1e-5
    gnn: float = 5e-4
    cnn: float = 5e-6


def resize_bands(image: np.ndarray, side: int) -> np.ndarray:
    """Return a (H, W, c) uint8 image as a square of `side` pixels.

    Band by band: Pillow would take a fourth for transparency and weigh the colours with it.
    """
    return np.stack([resize_image(band, (side, side)) for band in np.moveaxis(image, 2, 0)], axis=2)


def check_picture(image: np.ndarray) -> None:
    """Refuse what is no picture."""
    if image.ndim != 3 or image.shape[2] < 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"images must be (H, W, 3) uint8 or have more bands, got shape {image.shape} of {image.dtype}"
        )


@dataclass(frozen=True)
class Statistics:
    """What pictures are standardised with.

    Parameters
    ----------
    mean, std : (c,) float ndarray
        Of each band over the training pictures.
    """

    mean: np.ndarray
    std: np.ndarray

    def check(self, bands: int) -> None:
        """Refuse statistics of other bands, and such as cannot be divided by."""
        mean, std = np.asarray(self.mean), np.asarray(self.std)
        if mean.shape != (bands,) or std.shape != (bands,):
            shapes = f"{mean.shape} and {std.shape}"
            raise ValueError(
                f"images must have the bands of the statistics' mean and std, got {bands} and {shapes}"
            )
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise ValueError(f"mean must be finite and std above 0, got {mean} and {std}: see Statistics.of")

    @classmethod
    def of(cls, images: Sequence[np.ndarray]) -> Self:
        """Return the statistics of (H, W, c) uint8 images; a band that never changes is divided by 1."""
        pixels = np.concatenate([image.reshape(-1, image.shape[2]) for image in images]).astype(np.float64)
        std = pixels.std(axis=0)
        return cls(pixels.mean(axis=0), np.where(std > 0, std, 1.0))

    def standardise(self, images: Sequence[np.ndarray]) -> Tensor:
        """Return (B, c, H, W) float32 of (H, W, c) uint8 images of one size."""
        values = (np.stack(images) - self.mean) / self.std
        return torch.from_numpy(values.astype(np.float32)).permute(0, 3, 1, 2).contiguous()


@dataclass(frozen=True)
class UnlabelledBatches:
    """Shuffled batches of pictures, each with two reading orders: `batches(epoch)` depends on epoch and seed alone.

    Every other picture is mirrored, and colours change by `JITTER`.

    Parameters
    ----------
    images : sequence of (H, W, c) uint8 ndarray
        Of one size; 3 bands or more, the first three red, green and blue.
    statistics : Statistics
    size : int
        Pictures in a batch, at least 2: batch normalisation has no spread of one. A last one alone is left out.
    seed : int
    """

    images: Sequence[np.ndarray]
    statistics: Statistics
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.images) < 2 or self.size < 2:
            raise ValueError(
                f"there must be 2 pictures and 2 in a batch at least, got {len(self.images)} and {self.size}"
            )
        shapes = {image.shape for image in self.images}
        if len(shapes) > 1:
            raise ValueError(f"images must be of one shape, got {sorted(shapes)[:4]}: resize or crop them")
        for image in self.images:
            check_picture(image)
        self.statistics.check(self.images[0].shape[2])
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed!r}")

    def __call__(self, epoch: int) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor]]:
        """Yield ((B, c, H, W) float32 pictures, (2,) orders) and, as there is no target, an empty tensor."""
        rng = np.random.default_rng((self.seed, epoch))
        shuffled = rng.permutation(len(self.images))
        for start in range(0, len(shuffled), self.size):
            chosen = shuffled[start : start + self.size]
            if len(chosen) < 2:
                return
            changed = [self._changed(self.images[i], rng) for i in chosen]
            orders = torch.from_numpy(rng.integers(ORDERS, size=2))
            yield (self.statistics.standardise(changed), orders), torch.empty(0)

    def _changed(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        colours, _ = JITTER(image[:, :, :3], np.zeros(image.shape[:2], np.uint8), rng)
        image = np.concatenate([colours, image[:, :, 3:]], axis=2)
        return image[:, ::-1] if rng.random() < 0.5 else image


class Objective(nn.Module):
    """What is minimised, as a module: takes a batch of `UnlabelledBatches`, gives the parts of the loss.

    Parameters
    ----------
    network : SGSeg
    part : "all", "spnn" or "rest"
        "spnn" is Eq. 8 alone; "rest" leaves the superpixels as they are, batch statistics included.
    **weights
        Of :func:`~segstudy.papers.sgseg.network.sgseg_loss`.
    """

    def __init__(self, network: SGSeg, part: str = "all", **weights: Any) -> None:
        super().__init__()
        self.network, self.part, self.weights = network, part, weights

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all but superpixels that stay as they are."""
        super().train(mode)
        if self.part == "rest" and self.network.spnn is not None:
            self.network.spnn.eval()
        return self

    def forward(self, inputs: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the parts of the loss by name."""
        images, orders = inputs
        if self.part == "spnn":
            known = {key: self.weights[key] for key in SPNN_WEIGHTS if key in self.weights}
            return {"spnn": spnn_loss(images, self.network.spnn(images), **known)}
        parts = sgseg_loss(self.network, images, tuple(orders.tolist()), **self.weights)
        if self.part == "rest":
            parts.pop("spnn", None)
        return parts


def _sum(parts: dict[str, Tensor], _: Tensor) -> Tensor:
    return sum(parts.values())


def train_sgseg(
    network: SGSeg,
    batches: UnlabelledBatches,
    epochs: int,
    *,
    scheme: str = "pre-trained",
    pretraining: int = 10,
    rates: Rates = Rates(),  # noqa: B008  (a tuple does not change)
    weight_decay: float = 0.0,
    device: str = "cpu",
    precision: str = "32-true",
    label: str = "SGSeg",
    **weights: Any,
) -> list[History]:
    """Train in place.

    Parameters
    ----------
    network : SGSeg
    batches : UnlabelledBatches
        Its seed is that of the training.
    epochs : int
        Of the whole network, or of all but SPNN in the disjoint scheme; 0: SPNN alone is trained.
    scheme : str
        One of `SCHEMES`: SPNN first and then the rest alone; all from the start; SPNN first and then all.
    pretraining : int
        Epochs of SPNN, in the first and the last scheme.
    rates : Rates
    weight_decay : float
        Of Adam; the paper found none to help.
    device, precision, label
        See :func:`segstudy.training.train`.
    **weights
        Of :func:`~segstudy.papers.sgseg.network.sgseg_loss`.

    Returns
    -------
    list of History
        Of SPNN, where it was trained alone, and of the whole.

    Raises
    ------
    ValueError
        The scheme is unknown, or a number of epochs negative.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {SCHEMES}, got {scheme!r}")
    if epochs < 0 or pretraining < 0:
        raise ValueError(f"epochs and pretraining must be 0 or more, got {epochs!r} and {pretraining!r}")
    options = {"device": device, "precision": precision, "seed": batches.seed}
    histories = []

    def fit(part: str, count: int, name: str) -> None:
        groups = _groups(network, rates, part)

        def adam(_: Any) -> torch.optim.Optimizer:
            return torch.optim.Adam(groups, weight_decay=weight_decay)

        objective = Objective(network, part, **weights)
        place = next_place(name)
        histories.append(
            train(objective, batches, _sum, adam, count, label=name, checkpoint=place, **options)
        )

    alone = network.spnn is None
    if not alone and scheme != "end to end" and pretraining:
        fit("spnn", pretraining, f"{label}, superpixels")
    if epochs:
        fit("rest" if scheme == "disjoint" and not alone else "all", epochs, label)
    return histories


def _groups(network: SGSeg, rates: Rates, part: str) -> list[dict[str, Any]]:
    """Return the parameters of what is trained, each part with its learning rate."""
    trained = {"spnn": ("spnn",), "rest": ("gnn", "cnn"), "all": ("spnn", "gnn", "cnn")}[part]
    modules = {name: getattr(network, name) for name in trained}
    return [
        {"params": list(module.parameters()), "lr": getattr(rates, name)}
        for name, module in modules.items()
        if module is not None
    ]
