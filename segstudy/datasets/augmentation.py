"""Batches of labelled pictures for a network, and random changes that leave what the labels mean unchanged.

The classes of torchvision's transforms v2 draw from torch's global generator; here the numbers are drawn from a
generator that the caller passes, and torchvision's functions apply them, to the picture and to its labels alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segstudy.datasets.files import VOID

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """A random change of colours and place, the same change for a picture and its labels.

    The picture's colours are changed first: brightness, then contrast, then saturation. Then picture and labels are
    turned about their centre, scaled and shifted, the picture bilinearly, the labels by nearest neighbour. What moves
    in from outside repeats the picture's border, and is `VOID` in the labels: nothing is learnt or scored there.

    There is no mirroring unless `swap` is given, because a mirrored left eye is a right eye: a mirrored picture with
    unchanged ids would teach that left and right are one class.

    Parameters
    ----------
    rotation : float
        Largest angle, in degrees, either way; at most 180.
    scale : float
        A factor from 1 / (1 + scale) to 1 + scale, uniform in its logarithm; at most 9.
    translation : float
        Largest shift, either way, as a share of height and of width; at most 1.
    brightness, contrast, saturation : float
        Each a factor from 1 - x to 1 + x; at most 1.
    swap : tuple of pairs of int, optional
        Mirror every other picture left to right, and exchange these ids in its labels: ((3, 4), (5, 6)) for the brows
        and the eyes of `fasseg`; () where no class has a side.

    Raises
    ------
    ValueError
        Where a number is outside its range, or an id occurs twice in `swap`.
    """

    rotation: float = 10.0
    scale: float = 0.1
    translation: float = 0.05
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    swap: tuple[tuple[int, int], ...] | None = None

    def __post_init__(self) -> None:
        most = {"rotation": 180, "scale": 9} | dict.fromkeys(
            ("translation", "brightness", "contrast", "saturation"), 1
        )
        for name, limit in most.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(f"{name} must be between 0 and {limit}, got {getattr(self, name)!r}")
        ids = [label for pair in self.swap or () for label in pair]
        if len(set(ids)) < len(ids) or any(len(pair) != 2 for pair in self.swap or ()):
            raise ValueError(
                f"swap must be pairs of ids, each id once, such as ((3, 4), (5, 6)), got {self.swap!r}"
            )

    def __call__(
        self, image: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a changed copy of a picture and its labels.

        Parameters
        ----------
        image : (H, W, C) uint8 ndarray
            RGB (C = 3) or grey (C = 1).
        labels : (H, W) uint8 or int64 ndarray
            `VOID` stays `VOID`.
        rng : numpy Generator
            The only source of randomness.

        Returns
        -------
        image : (H, W, C) uint8 ndarray
        labels : (H, W) ndarray of the same type

        Raises
        ------
        TypeError
            `image` is not uint8, or `labels` neither uint8 nor int64.
        ValueError
            `image` is not of that shape, or `labels` is not as high and wide.
        """
        _check(image, labels)
        # All numbers are drawn, used or not: switching mirroring on does not change the other changes of a seed.
        angle, grow, down, right, *colours = rng.uniform(-1, 1, size=7)
        mirror = rng.random() < 0.5
        image = self._recolour(image, colours)
        if self.swap is not None and mirror:
            image, labels = image[:, ::-1], _exchange(labels, self.swap)[:, ::-1]
        height, width = labels.shape
        shift = [right * self.translation * width, down * self.translation * height]
        return _move(image, labels, angle * self.rotation, shift, (1 + self.scale) ** grow)

    def _recolour(self, image: np.ndarray, draws: list[float]) -> np.ndarray:
        """Change brightness, contrast and saturation; `draws` are between -1 and 1."""
        import torch
        from torchvision.transforms.v2 import functional

        changed = torch.tensor(image).permute(2, 0, 1)
        for name, draw in zip(("brightness", "contrast", "saturation"), draws, strict=True):
            changed = getattr(functional, f"adjust_{name}")(changed, 1 + draw * getattr(self, name))
        return changed.permute(1, 2, 0).numpy()


def _exchange(labels: np.ndarray, swap: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Exchange the ids of each pair."""
    exchanged = labels.copy()
    for first, second in swap:
        exchanged[labels == first], exchanged[labels == second] = second, first
    return exchanged


def _move(
    image: np.ndarray, labels: np.ndarray, angle: float, shift: list[float], scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Turn by `angle` degrees, scale, and shift by (right, down) pixels."""
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms.v2 import InterpolationMode, functional

    height, width = labels.shape
    # The farthest that a corner looks from the centre: so much border is repeated before the picture is moved.
    reach = (math.hypot(height, width) / 2 + math.hypot(*shift)) / scale
    margin = max(0, math.ceil(reach - min(height, width) / 2)) + 1
    change = {"angle": angle, "translate": shift, "scale": scale, "shear": [0.0, 0.0]}
    picture = tv_tensors.Image(torch.tensor(image.copy()).permute(2, 0, 1))
    picture = functional.pad(picture, [margin], padding_mode="edge")
    picture = functional.affine(picture, **change, interpolation=InterpolationMode.BILINEAR)
    mask = tv_tensors.Mask(torch.tensor(labels.copy()))  # which torchvision never interpolates
    mask = functional.affine(mask, **change, fill=VOID)
    inside = picture[:, margin : margin + height, margin : margin + width]
    return inside.permute(1, 2, 0).contiguous().numpy(), mask.numpy()


def _check(image: np.ndarray, labels: np.ndarray) -> None:
    if image.dtype != np.uint8:
        raise TypeError(f"image must be uint8, got {image.dtype}")
    if labels.dtype not in (np.uint8, np.int64):
        raise TypeError(
            f"labels must be uint8 or int64, got {labels.dtype}: cast them, e.g. astype(np.int64)"
        )
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError(f"image must be (H, W, 3) or (H, W, 1) and not empty, got shape {image.shape}")
    if labels.shape != image.shape[:2]:
        raise ValueError(f"labels must be as high and wide as image {image.shape}, got shape {labels.shape}")


@dataclass(frozen=True)
class Batches:
    """Shuffled batches of labelled images: `batches(epoch)` depends on `seed` and `epoch` alone.

    Parameters
    ----------
    pairs : sequence of (image, labels)
        (H, W, C) uint8 and (H, W) int ndarrays; read once an epoch, so a list is fastest where memory allows.
    size : int
        Images in a batch; the last batch of an epoch may have fewer.
    seed : int
    augment : callable, optional
        `augment(image, labels, rng)` returns a changed pair, such as an `Augmentation`.
        An image's changes depend on the seed, the epoch and its index, not on its place in a batch.
    """

    pairs: Sequence[tuple[np.ndarray, np.ndarray]]
    size: int
    seed: int
    augment: Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]] | None = (
        None
    )

    def __post_init__(self) -> None:
        if self.size < 1 or not len(self.pairs):
            raise ValueError(
                f"size must be at least 1, got {self.size}, and pairs not empty, got {len(self.pairs)}"
            )

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (N, C, H, W) float32 images from -1 to 1 and (N, H, W) int64 labels."""
        import torch

        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))
        for start in range(0, len(order), self.size):
            images, labels = zip(
                *(self._pair(epoch, int(i)) for i in order[start : start + self.size]), strict=True
            )
            if len({image.shape for image in images}) > 1:
                shapes = sorted({tuple(image.shape) for image in images})
                raise ValueError(
                    f"pairs of one batch must have one size, got {shapes}: resize them, or use size=1"
                )
            yield torch.stack(images), torch.stack(labels)

    def _pair(self, epoch: int, index: int) -> tuple[Tensor, Tensor]:
        import torch

        image, labels = self.pairs[index]
        if self.augment is not None:
            # index + 1: to a SeedSequence (seed, epoch, 0) is the same as (seed, epoch), which shuffles
            image, labels = self.augment(image, labels, np.random.default_rng((self.seed, epoch, index + 1)))
        return to_input(image), torch.from_numpy(labels.astype(np.int64))


def to_input(image: np.ndarray) -> Tensor:
    """Turn an (H, W, C) uint8 image into what networks take: (C, H, W) float32 from -1 to 1.

    Zero, with which convolutions pad, is a middle grey then.
    """
    import torch

    if image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError(f"image must be (H, W, C) uint8, got shape {image.shape} of {image.dtype}")
    return torch.tensor(image).permute(2, 0, 1).float().div(127.5).sub(1.0).contiguous()
