"""Two random views of every picture: what DINO's student and teacher are to describe alike.

A change that a view makes is one that the features learn to ignore: place and size of the crop, direction, colours,
sharpness. Nothing here looks at a picture's meaning. A whole batch is changed at once, each picture by numbers of its
own, which come from the generator that the caller passes, always on the CPU: a GPU then makes the same views. The
changes are drawn from those of Caron et al., Emerging Properties in Self-Supervised Vision Transformers, ICCV 2021;
quarter turns are added, for pictures without an upright, and solarisation is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look


@dataclass(frozen=True)
class Views:
    """A random view of every picture of a batch.

    In this order: a crop at a random place, turned by a multiple of 90 degrees, mirrored in half of the cases and
    resized bilinearly; brightness, contrast and saturation; grey in some cases; a Gaussian blur in half of them.

    Parameters
    ----------
    size : int
        Height and width of a view, in pixels.
    smallest, largest : float
        A crop's share of the picture's area lies between them, uniformly; above 0 and at most 1.
    jitter : float
        Brightness and contrast are multiplied by a factor from 1 - jitter to 1 + jitter, saturation by one from
        1 - jitter / 2 to 1 + jitter / 2 (the original's proportions); at most 1.
    grey : float
        Probability that the colours are taken away.
    blur : float
        Largest standard deviation of the blur, in pixels; the smallest is a twentieth of it.

    Raises
    ------
    ValueError
        A number is outside its range.
    """

    size: int
    smallest: float = 0.4
    largest: float = 1.0
    jitter: float = 0.4
    grey: float = 0.2
    blur: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {self.size!r}")
        if not 0 < self.smallest <= self.largest <= 1:
            shares = f"smallest={self.smallest!r} and largest={self.largest!r}"
            raise ValueError(f"shares of the area must be 0 < smallest <= largest <= 1, got {shares}")
        for name, limit in {"jitter": 1.0, "grey": 1.0, "blur": math.inf}.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(f"{name} must be between 0 and {limit}, got {getattr(self, name)!r}")

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Return one view of each picture.

        Parameters
        ----------
        pictures : (N, 3, H, W) float Tensor
            0 to 1.
        generator : Generator
            Of the CPU; the only source of randomness.

        Returns
        -------
        (N, 3, size, size) float Tensor, 0 to 1

        Raises
        ------
        ValueError
            `pictures` is not of that shape.
        """
        if pictures.ndim != 4 or pictures.shape[1] != 3:
            raise ValueError(f"pictures must be (N, 3, H, W), got shape {tuple(pictures.shape)}")
        draws = torch.rand(10, len(pictures), generator=generator).to(pictures)
        views = self._crop(pictures, *draws[:6])
        return self._blur(self._recolour(views, *draws[6:9]), draws[9])

    def _crop(self, pictures: Tensor, share: Tensor, aspect: Tensor, *rest: Tensor) -> Tensor:
        """Cut out, turn and mirror, in one interpolation; all arguments but the first between 0 and 1."""
        down, right, turn, mirror = rest
        high, wide = pictures.shape[2:]
        turns = (turn * 4).long()
        area = (self.smallest + (self.largest - self.smallest) * share) * high * wide
        ratio = (4 / 3) ** (2 * aspect - 1)  # 3:4 to 4:3, the usual range
        sides = torch.stack(
            [(area / ratio).sqrt(), (area * ratio).sqrt()]
        )  # along the view's rows and columns
        odd = turns % 2 == 1
        limits = torch.where(odd, sides.new_tensor([[wide], [high]]), sides.new_tensor([[high], [wide]]))
        sides = sides.minimum(limits)
        # Coordinates run from -1 to 1 over picture and view: (x, y) of the picture = matrix (x, y, 1) of the view.
        spans = torch.where(odd, sides.flip(0), sides) / sides.new_tensor([[high], [wide]])
        cosine, sine = (torch.pi / 2 * turns).cos().round(), (torch.pi / 2 * turns).sin().round()
        side = torch.where(mirror < 0.5, -1.0, 1.0)
        across = torch.stack(
            [spans[1] * cosine * side, -spans[1] * sine, (1 - spans[1]) * (2 * right - 1)], 1
        )
        along = torch.stack([spans[0] * sine * side, spans[0] * cosine, (1 - spans[0]) * (2 * down - 1)], 1)
        matrix = torch.stack([across, along], dim=1).to(pictures)
        grid = functional.affine_grid(matrix, [len(pictures), 3, self.size, self.size], align_corners=False)
        return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)

    def _recolour(self, views: Tensor, bright: Tensor, contrast: Tensor, colour: Tensor) -> Tensor:
        """Change brightness, contrast and saturation; every argument but the first between 0 and 1."""
        brighter, steeper = (1 + self.jitter * (2 * draw - 1) for draw in (bright, contrast))
        views = views * brighter[:, None, None, None]
        mean = views.mean(dim=(1, 2, 3), keepdim=True)
        views = mean + (views - mean) * steeper[:, None, None, None]
        grey = (views * views.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
        # One number decides both: below `grey` the colours go, above it the rest of it is the factor's draw.
        factor = 1 + self.jitter / 2 * (2 * (colour - self.grey) / max(1 - self.grey, 1e-6) - 1)
        kept = torch.where(colour < self.grey, 0.0, factor)
        return (grey + (views - grey) * kept[:, None, None, None]).clamp(0, 1)

    def _blur(self, views: Tensor, draw: Tensor) -> Tensor:
        """Blur rows and columns of those whose `draw` is above a half, each by a matrix of Gaussian weights."""
        if self.blur == 0:
            return views
        sigma = self.blur * (0.05 + 0.95 * (2 * draw - 1).clamp(min=0))
        at = torch.arange(self.size, device=views.device, dtype=views.dtype)
        weights = (-0.5 * ((at[:, None] - at) / sigma[:, None, None]) ** 2).exp()
        weights = weights / weights.sum(dim=2, keepdim=True)  # at the border too: nothing darkens there
        return weights[:, None] @ views @ weights[:, None].mT
